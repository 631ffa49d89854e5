"""A second task that teaches a small model where the parts of a face are.

Labels say one thing of a picture; the landmarks of a face say 68 of them, and an expression is
where they are. They are found once, in the pictures that a corpus keeps in memory (see
`landmark_finder`). Only training needs them, and dlib.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from realtime_mood.errors import OutputError
from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import FaceDetector, make_detector
from trainer.augment import Move
from trainer.crops import Cutter, FaceCrops
from trainer.cut_job import save_array
from trainer.landmark_finder import MIRRORED, POINTS, LandmarkFinder, Points, model_file
from trainer.progress import Progress

logger = logging.getLogger(__name__)

ENLARGED_PX = 144
"""Pictures are enlarged to about this side before faces are looked for."""
BATCH = 256
"""Pictures that a process is given at a time."""
HEAT_SHARE = 0.25
PLACE_SHARE = 2.0
"""Weights of the two ways a model is asked: which patch holds a point, and where all points are."""
HUBER_BETA = 0.05


def find_landmarks(
    recordings: Sequence[FaceCrops], cutter: Cutter, *, num_workers: int, progress: Progress
) -> Points:
    """Landmarks of pictures in memory, found once and kept beside the face crops.

    Args:
        recordings: any; those that are no pictures in memory have no landmarks.
        cutter: where crops are kept, how a face is found, and how much is cut around it.
        num_workers: processes at the same time.
        progress: told how many pictures are done.

    Returns:
        Shape (recordings, POINTS, 2), -1 to 1 over the spec's crop; NaN where nothing is known.

    Raises:
        UsageError: dlib or its model is not installed.
        OutputError: they cannot be kept.
    """
    found = np.full((len(recordings), POINTS, 2), np.nan, dtype=np.float32)
    images = enumerate(crops.recording.image for crops in recordings)
    pictures = {index: image for index, image in images if image is not None}
    if not pictures:
        return found
    digest = hashlib.sha256(cutter.detector.encode())
    for index in pictures:
        digest.update(recordings[index].recording.take.encode())
    file = cutter.folder / f"landmarks-{digest.hexdigest()[:16]}.npy"
    if not file.is_file():
        kept = _find_all(list(pictures.values()), cutter, num_workers, progress)
        try:
            # Pictures in memory need no crops, so that nothing has made the folder.
            file.parent.mkdir(parents=True, exist_ok=True)
            save_array(file, kept)
        except OSError as error:
            raise OutputError(
                f"{file} cannot be written ({error.strerror or error}); make room"
            ) from error
    found[list(pictures)] = np.load(file) / (1.0 + cutter.spec.crop_margin)
    return found


def move_landmarks(points: Points, move: Move) -> Points:
    """Where landmarks of the spec's crop are in a crop that was moved."""
    moved = move.of_points(points)
    return np.asarray(moved[list(MIRRORED)] if move.mirrors else moved, dtype=np.float32)


def landmark_loss(heat: Tensor, places: Tensor, landmarks: Tensor) -> Tensor:
    """How far off a model is about landmarks.

    Args:
        heat: shape (batch, POINTS, patches): logits of which patch a point is in.
        places: shape (batch, POINTS, 2): where the points are, as `find_landmarks` answers them.
        landmarks: the same, found; NaN leaves a point out.

    Returns:
        A number: cross-entropy of `heat` for points in the picture, Huber loss of `places` for all.
    """
    known = landmarks.isfinite().all(dim=-1)
    wanted = landmarks.nan_to_num()
    inside = (known & (wanted.abs() < 1.0).all(dim=-1)).float()
    shares = _spread(wanted, math.isqrt(heat.shape[-1]))
    apart = -(shares * functional.log_softmax(heat, dim=-1)).sum(dim=-1)
    off = functional.smooth_l1_loss(places, wanted, reduction="none", beta=HUBER_BETA).sum(dim=-1)
    heat_loss = (apart * inside).sum() / inside.sum().clamp(min=1.0)
    place_loss = (off * known).sum() / known.sum().clamp(min=1)
    return HEAT_SHARE * heat_loss + PLACE_SHARE * place_loss


def _spread(landmarks: Tensor, side: int) -> Tensor:
    """Share of each point that each patch holds, bilinear, shape (batch, POINTS, side * side)."""
    place = ((landmarks + 1.0) / 2.0 * side - 0.5).clamp(0.0, side - 1.0)
    axis = torch.arange(side, device=landmarks.device)
    near = (1.0 - (place[..., None] - axis).abs()).clamp(min=0.0)
    return (near[..., 1, :, None] * near[..., 0, None, :]).flatten(2)


def _find_all(
    pictures: Sequence[npt.NDArray[np.uint8]],
    cutter: Cutter,
    num_workers: int,
    progress: Progress,
) -> Points:
    model_file()
    found: list[Points] = []
    batches = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
    with ProcessPoolExecutor(max(1, num_workers), mp_context=get_context("spawn")) as pool:
        find = partial(_find_batch, detector=cutter.detector, yunet_file=cutter.yunet_file)
        for batch in pool.map(find, batches):
            found.append(batch)
            progress("finding landmarks", len(found), len(batches))
    return np.concatenate(found)


def _find_batch(
    pictures: Sequence[npt.NDArray[np.uint8]], *, detector: str, yunet_file: Path | None
) -> Points:
    """Landmarks of pictures that are faces as they are, -1 to 1 over the square around each."""
    cv2.setNumThreads(1)
    finder = LandmarkFinder()
    search = make_detector(detector, yunet_file=yunet_file) if detector == "yunet" else None
    found = []
    for picture in pictures:
        plain = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        grey = np.asarray(plain, dtype=np.uint8)
        height, width = grey.shape
        centre, side = (width / 2, height / 2), float(max(width, height))
        if search and (box := _box(grey, search)):
            centre, side = box.centre, box.longer_side
        points = finder.find(grey, centre=centre, side=side)
        found.append((2.0 * points + 1.0 - np.array([width, height])) / max(width, height))
    return np.asarray(found, dtype=np.float32)


def _box(grey: npt.NDArray[np.uint8], search: FaceDetector) -> Box | None:
    """The face in a picture that it fills; detectors want some room around it."""
    height, width = grey.shape
    pad = max(height, width) // 4
    scale = ENLARGED_PX / max(height, width)
    wide = cv2.copyMakeBorder(grey, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    large = cv2.resize(wide, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    faces = search.detect(np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), dtype=np.uint8))
    if not faces:
        return None
    box = faces[0].box
    return Box(box.x / scale - pad, box.y / scale - pad, box.w / scale, box.h / scale)
