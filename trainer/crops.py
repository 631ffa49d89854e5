"""Face crops of recordings, cut once as the runtime cuts them and kept on disk.

Every frame goes through the runtime's own tracker in order, so the crops are those the runtime
would give the model offline. What is kept of a recording: `NAME-xxxxxxxx.npy`, its crops (memory
mapped later), and `NAME-xxxxxxxx.times.npy`; xxxxxxxx changes with the file, the folder's name
with everything that decides how it is cut.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import OutputError, SourceError
from realtime_mood.model.clip_spec import ClipSpec
from trainer.corpora.images import IMAGE_SUFFIXES
from trainer.corpora.recording import Recording
from trainer.cut_job import WRITE_PROBLEM, CutJob, cut_recording, is_whole, make_job
from trainer.pool import run_jobs
from trainer.progress import Progress
from trainer.words import counted

logger = logging.getLogger(__name__)

CACHE_FORMAT = 3
"""Counts up when faces are cut otherwise by the same options; a test holds where they are cut."""
SAMPLED = 20
"""Recordings by whose crops the room for the others is judged."""


@dataclass(frozen=True, kw_only=True)
class Cutter:
    """How crops are cut and where they are kept."""

    folder: Path
    """Holds the crops of all cutters, each in a subfolder."""
    spec: ClipSpec
    """Size, margin and interpolation are used."""
    detector: str
    """'yunet', 'cascade' or 'none'."""
    yunet_file: Path | None
    """YuNet's file, where that is the detector."""
    decoder: str
    """'decord' or 'pyav'."""
    keeps_crops: bool = True
    """False: only where the face is in each frame is kept, and clips are decoded when asked for."""
    finds_landmarks: bool = False
    """Landmarks of each frame are found and kept too; needs dlib."""

    def padded(self, pad: float) -> Cutter:
        """The same with crops `1 + pad` times as wide at the same scale."""
        size = round(self.spec.image_size * (1.0 + pad))
        margin = (1.0 + self.spec.crop_margin) * (1.0 + pad) - 1.0
        return replace(self, spec=replace(self.spec, image_size=size, crop_margin=margin))

    @property
    def of_pictures(self) -> Cutter:
        """The same for files of pictures: one crop is kept, and how it moves is not asked."""
        return replace(self, keeps_crops=True, finds_landmarks=False)

    @cached_property
    def subfolder(self) -> Path:
        """Where this cutter's crops lie; named after all that decides what is in them."""
        values: dict[str, Any] = {
            "format": CACHE_FORMAT,
            "image_size": self.spec.image_size,
            "crop_margin": round(self.spec.crop_margin, 9),
            "interpolation": self.spec.interpolation,
            "align_roll": self.spec.align_roll,
            "detector": self.detector,
            "decoder": self.decoder,
        }
        if self.detector == "yunet" and self.yunet_file:
            values["face_model"] = hashlib.sha256(self.yunet_file.read_bytes()).hexdigest()
        if self.finds_landmarks:
            values["landmarks"] = True
        if not self.keeps_crops:
            # A face is where it is, whatever is cut around it.
            values = {
                k: v
                for k, v in values.items()
                if k in ("format", "detector", "face_model", "landmarks")
            }
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        what = f"{self.spec.image_size}px" if self.keeps_crops else "boxes"
        return self.folder / f"{self.detector}-{what}-{digest[:10]}"


@dataclass(frozen=True)
class FaceCrops:
    """The crops of one recording, on disk."""

    recording: Recording
    """Where they come from."""
    crops_file: Path
    """Shape (frames, image_size, image_size, 3), uint8, blue-green-red."""
    times_s: npt.NDArray[np.float64]
    """Time of each crop, seconds since the recording's first frame, rising."""

    landmarks_file: Path | None = field(default=None, kw_only=True)
    """Shape (frames, points, 2), pixels of the file's frames; None where they were not found."""

    @property
    def is_still(self) -> bool:
        """A picture: whatever moves in a clip of it is made up."""
        return len(self.times_s) == 1

    def read(self, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """Some of the crops, shape (len(indices), image_size, image_size, 3), uint8.

        Raises:
            SourceError: they cannot be read any more.
        """
        try:
            crops = np.load(self.crops_file, mmap_mode="r")
            return np.stack([crops[index] for index in indices])
        except (OSError, ValueError, IndexError) as error:
            raise SourceError(
                f"the face crops of {self.recording.name} in {self.crops_file} cannot be read "
                f"({error}); start again with --resume, which cuts them anew"
            ) from error


def cut_recordings(
    recordings: Sequence[Recording],
    cutter: Cutter,
    *,
    num_workers: int,
    timeout_s: float,
    progress: Progress,
    bad_allowed: int | None = None,
) -> tuple[list[FaceCrops], dict[str, str]]:
    """Cut what is not on disk yet, or not whole.

    Args:
        recordings: any.
        cutter: how.
        num_workers: processes at the same time, at least one.
        timeout_s: a recording that takes longer is skipped.
        progress: told how many are done.
        bad_allowed: how many may be skipped; None: any number.

    Returns:
        The crops of every usable recording, in the order given, and for the others their path
        and why they were skipped.

    Raises:
        OutputError: the crops cannot be written.
        SourceError: more than `bad_allowed` recordings cannot be used.
    """
    # Both are crops of their own kind.
    from trainer.box_crops import BoxCrops
    from trainer.stills import StillCrops

    of_pictures = cutter.of_pictures
    files = {r.path: r for r in recordings if r.image is None}
    jobs = {
        path: make_job(r, of_pictures if path.suffix.lower() in IMAGE_SUFFIXES else cutter)
        for path, r in files.items()
    }
    for folder in {job.crops_file.parent for job in jobs.values()}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"face crops cannot be kept in {folder} ({error.strerror}); name another --cache"
            ) from error
    missing = [job for job in jobs.values() if not is_whole(job)]
    names = {r.path: r.name + r.path.suffix for r in recordings}
    skipped: dict[str, str] = {}
    outcomes = run_jobs(
        cut_recording, missing, num_workers=max(1, num_workers), timeout_s=timeout_s
    )
    for done, outcome in enumerate(outcomes, start=1):
        if outcome.problem.startswith(WRITE_PROBLEM):
            raise OutputError(f"{outcome.problem}; make room or name another --cache")
        if outcome.problem:
            name = names[outcome.job.source]
            skipped[str(outcome.job.source)] = outcome.problem
            logger.warning("%s is skipped: %s", name, outcome.problem)
            if bad_allowed is not None and len(skipped) > bad_allowed:
                raise SourceError(_too_many(skipped, bad_allowed))
        progress("cutting faces", done, len(missing))
        if done == SAMPLED:
            _tell_of_room([job for job in missing if job.cutter is cutter])
    usable: list[FaceCrops] = []
    for recording in recordings:
        if recording.image is not None:
            usable.append(StillCrops.of(recording, cutter.spec))
        elif str(recording.path) not in skipped:
            job = jobs[recording.path]
            times_s = np.load(job.times_file)
            found = job.landmarks_file if job.cutter.finds_landmarks else None
            if job.cutter.keeps_crops:
                crops = FaceCrops(recording, job.crops_file, times_s)
            else:
                boxes = np.load(job.crops_file)
                crops = BoxCrops(recording, job.crops_file, times_s, boxes, cutter.spec)
            usable.append(replace(crops, landmarks_file=found))
    return usable, skipped


def _tell_of_room(jobs: Sequence[CutJob]) -> None:
    """Say it early where the disk has too little room for what is left; pictures need little."""
    sizes = [job.crops_file.stat().st_size for job in jobs if job.crops_file.exists()]
    if not sizes:
        return
    folder = jobs[0].crops_file.parent
    needed = sum(sizes) / len(sizes) * (len(jobs) - len(sizes))
    free = shutil.disk_usage(folder).free
    if needed > free:
        logger.warning(
            "face crops will need some %.1f GB more, and %s has %.1f GB; make room, name another "
            "--cache, or give --no-keep-crops",
            *(needed / 1e9, folder, free / 1e9),
        )


def most_bad(recordings: Iterable[Recording], share: float) -> int:
    """How many recordings may be unusable, if this share of those in files may."""
    return int(share * sum(recording.image is None for recording in recordings))


def _too_many(skipped: dict[str, str], allowed: int) -> str:
    first = [why if name in why else f"{name}: {why}" for name, why in skipped.items()][:3]
    return (
        f"{counted(len(skipped), 'file')} cannot be used, and --allow-bad allows {allowed} "
        f"({'; '.join(first)}); replace them, or allow a larger share by --allow-bad, from 0 to 1"
    )
