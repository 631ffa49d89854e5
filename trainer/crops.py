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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import OutputError, SourceError
from realtime_mood.model.clip_spec import ClipSpec
from trainer import decode
from trainer.corpora.recording import Recording
from trainer.pool import run_jobs

logger = logging.getLogger(__name__)

CACHE_FORMAT = 1
Progress = Callable[[str, int, int], None]
"""Called with a stage's name, what is done of it, and how much there is."""


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

    def padded(self, pad: float) -> Cutter:
        """The same with crops `1 + pad` times as wide at the same scale."""
        size = round(self.spec.image_size * (1.0 + pad))
        margin = (1.0 + self.spec.crop_margin) * (1.0 + pad) - 1.0
        return replace(self, spec=replace(self.spec, image_size=size, crop_margin=margin))

    @property
    def subfolder(self) -> Path:
        """Where this cutter's crops lie; named after all that decides what is in them."""
        values = {
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
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{self.detector}-{self.spec.image_size}px-{digest[:10]}"


@dataclass(frozen=True)
class FaceCrops:
    """The crops of one recording, on disk."""

    recording: Recording
    """Where they come from."""
    crops_file: Path
    """Shape (frames, image_size, image_size, 3), uint8, blue-green-red."""
    times_s: npt.NDArray[np.float64]
    """Time of each crop, seconds since the recording's first frame, rising."""

    def read(self, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """Some of the crops, shape (len(indices), image_size, image_size, 3), uint8."""
        crops = np.load(self.crops_file, mmap_mode="r")
        return np.stack([crops[index] for index in indices])


@dataclass(frozen=True)
class CutJob:
    """One recording to be cut in a worker process."""

    source: Path
    """The video file."""
    crops_file: Path
    """Written last: when it exists, the recording is done."""
    times_file: Path
    """Written first."""
    cutter: Cutter
    """How."""


def cut_recordings(
    recordings: Sequence[Recording],
    cutter: Cutter,
    *,
    num_workers: int,
    timeout_s: float,
    progress: Progress,
) -> tuple[list[FaceCrops], dict[str, str]]:
    """Cut what is not on disk yet.

    Args:
        recordings: any.
        cutter: how.
        num_workers: processes at the same time, at least one.
        timeout_s: a recording that takes longer is skipped.
        progress: told how many are done.

    Returns:
        The crops of every usable recording, in the order given, and for the others their file
        name and why they were skipped.

    Raises:
        OutputError: the crops cannot be written.
    """
    folder = cutter.subfolder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"face crops cannot be kept in {folder} ({error.strerror}); name another --cache"
        ) from error
    jobs = [_job(recording, cutter) for recording in recordings]
    missing = [job for job in jobs if not job.crops_file.is_file()]
    skipped: dict[str, str] = {}
    outcomes = run_jobs(
        cut_recording, missing, num_workers=max(1, num_workers), timeout_s=timeout_s
    )
    for done, outcome in enumerate(outcomes, start=1):
        if outcome.problem.startswith(WRITE_PROBLEM):
            raise OutputError(f"{outcome.problem}; make room or name another --cache")
        if outcome.problem:
            skipped[outcome.job.source.name] = outcome.problem
            logger.warning("%s is skipped: %s", outcome.job.source.name, outcome.problem)
        progress("cutting faces", done, len(missing))
    usable = [
        FaceCrops(recording, job.crops_file, np.load(job.times_file))
        for recording, job in zip(recordings, jobs, strict=True)
        if job.source.name not in skipped
    ]
    return usable, skipped


WRITE_PROBLEM = "face crops cannot be written"


def cut_recording(job: CutJob) -> int:
    """Decode, track and cut one recording; runs in a worker process.

    Returns:
        How many crops were written.

    Raises:
        SourceError: the file breaks or no frame of it shows a face.
        OutputError: the crops cannot be written.
    """
    # decord has to be loaded before OpenCV, which `faces` loads (see `decode`).
    frames = decode.DECODERS[job.cutter.decoder](job.source)
    first = next(frames)
    import cv2

    from realtime_mood.faces.crop import crop_face
    from realtime_mood.faces.detector import make_detector
    from realtime_mood.faces.search import InStepSearch
    from realtime_mood.faces.tracker import FaceTracker

    cv2.setNumThreads(1)
    spec = job.cutter.spec
    detector = make_detector(job.cutter.detector, yunet_file=job.cutter.yunet_file)
    tracker = FaceTracker(InStepSearch(detector), max_faces=1)
    crops: list[npt.NDArray[np.uint8]] = []
    times_s: list[float] = []
    time_s, image_bgr = first
    while True:
        for track in tracker.update(image_bgr, time_s).tracks:
            crops.append(crop_face(image_bgr, track.box, spec, roll_rad=track.roll_rad))
            times_s.append(time_s)
        try:
            time_s, image_bgr = next(frames)
        except StopIteration:
            break
    if not crops:
        raise SourceError("no face was found in it")
    try:
        _save(job.times_file, np.array(times_s, dtype=np.float64))
        _save(job.crops_file, np.stack(crops))
    except OSError as error:
        raise OutputError(f"{WRITE_PROBLEM} to {job.crops_file} ({error.strerror})") from error
    return len(crops)


def _save(path: Path, values: npt.NDArray[np.generic]) -> None:
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        np.save(file, values)
    beside.replace(path)


def _job(recording: Recording, cutter: Cutter) -> CutJob:
    state = recording.path.stat()
    identity = f"{recording.path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
    stem = f"{recording.name}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    folder = cutter.subfolder
    return CutJob(
        source=recording.path,
        crops_file=folder / f"{stem}.npy",
        times_file=folder / f"{stem}.times.npy",
        cutter=cutter,
    )
