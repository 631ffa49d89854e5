"""Cutting the faces out of one recording; done in worker processes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import OutputError, SourceError
from realtime_mood.model.clip_spec import nearest_indices
from trainer import decode
from trainer.corpora.recording import Recording
from trainer.whole_files import whole_file

if TYPE_CHECKING:
    from trainer.crops import Cutter

STEADY_FRAMES = 8
"""On each side, over which the place of a face is averaged for landmarks; a quarter second."""
LONGEST_NAME, SHORT_NAME = 160, 40
"""Bytes of a recording's name that leave room for more in a file's, 255, and the characters that
are kept of a longer one."""
WRITE_PROBLEM = "face crops cannot be written"


@dataclass(frozen=True)
class CutJob:
    """One recording to be cut in a worker process."""

    source: Path
    """The video file."""
    crops_file: Path
    """Written last: when it exists, the recording is done."""
    times_file: Path
    """Written first."""
    landmarks_file: Path
    """Written before the crops, where landmarks are found."""
    cutter: Cutter
    """How; without crops, `crops_file` holds boxes, see `box_crops`."""


def make_job(recording: Recording, cutter: Cutter) -> CutJob:
    """What has to be done for a recording.

    Args:
        recording: its crops get other names as soon as its file is changed.
        cutter: how.
    """
    folder = cutter.subfolder
    state = recording.path.stat()
    identity = f"{recording.path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    name = recording.name.replace("/", "_")
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = name[-SHORT_NAME:]
    stem = f"{name}-{digest}"
    return CutJob(
        source=recording.path,
        crops_file=folder / f"{stem}.npy",
        times_file=folder / f"{stem}.times.npy",
        landmarks_file=folder / f"{stem}.landmarks.npy",
        cutter=cutter,
    )


def is_whole(job: CutJob) -> bool:
    """Whether the crops are on disk; a power cut can leave less than was written."""
    try:
        crops = np.load(job.crops_file, mmap_mode="r")
        found = np.load(job.landmarks_file, mmap_mode="r") if job.cutter.finds_landmarks else crops
        return len(crops) == len(found) == len(np.load(job.times_file)) > 0
    except (OSError, ValueError, EOFError):
        return False


def cut_recording(job: CutJob) -> int:
    """Decode, track and cut one recording; runs in a worker process.

    Returns:
        How many crops were written.

    Raises:
        SourceError: the file breaks or no frame of it shows a face.
        OutputError: the crops cannot be written.
    """
    # decord has to be loaded before OpenCV, which `faces` loads (see `decode`).
    decode.load(job.cutter.decoder)
    frames = decode.open_frames(job.source, job.cutter.decoder)
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
    boxes: list[tuple[float, ...]] = []
    faces: list[tuple[float, float, float]] = []
    greys: list[npt.NDArray[np.uint8]] = []
    times_s: list[float] = []
    time_s, image_bgr = first
    while True:
        for track in tracker.update(image_bgr, time_s).tracks:
            times_s.append(time_s)
            if job.cutter.finds_landmarks:
                faces.append((*track.box.centre, track.box.longer_side))
                greys.append(
                    np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
                )
            if job.cutter.keeps_crops:
                crops.append(crop_face(image_bgr, track.box, spec, roll_rad=track.roll_rad))
            else:
                box = track.box
                boxes.append((box.x, box.y, box.w, box.h, track.roll_rad))
        try:
            time_s, image_bgr = next(frames)
        except StopIteration:
            break
    if not times_s:
        raise SourceError("no face was found in it")
    try:
        save_array(job.times_file, np.array(times_s, dtype=np.float64))
        if job.cutter.finds_landmarks:
            save_array(job.landmarks_file, _landmarks(greys, np.array(faces)))
        save_array(
            job.crops_file,
            np.stack(crops) if job.cutter.keeps_crops else numbered(job, times_s, boxes),
        )
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{WRITE_PROBLEM} to {job.crops_file} ({reason})") from error
    return len(times_s)


def numbered(
    job: CutJob, times_s: list[float], boxes: list[tuple[float, ...]]
) -> npt.NDArray[np.float64]:
    """Boxes with the number of their frame in the file before them, shape (frames, 6)."""
    frames = nearest_indices(decode.packet_times_s(job.source), times_s)
    return np.column_stack([frames.astype(np.float64), np.array(boxes)])


def _landmarks(
    greys: list[npt.NDArray[np.uint8]], faces: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Of each frame; `faces` has centre and side of each box.

    dlib's answer moves a little with the square it is given, so that is kept steady: of one size,
    and at the mean place of the frames around.
    """
    from trainer.landmark_finder import LandmarkFinder

    finder = LandmarkFinder()
    side = float(np.median(faces[:, 2]))
    found = []
    for index, grey in enumerate(greys):
        x, y = faces[max(0, index - STEADY_FRAMES) : index + STEADY_FRAMES + 1, :2].mean(axis=0)
        found.append(finder.find(grey, centre=(float(x), float(y)), side=side))
    return np.stack(found)


def save_array(path: Path, values: npt.NDArray[np.generic]) -> None:
    """Write an array, all of it or nothing; two runs may share a cache.

    Raises:
        OSError: it cannot be written.
    """
    with whole_file(path, mark=f".{os.getpid()}") as file:
        np.save(file, values)
