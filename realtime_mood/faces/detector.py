"""What a face detector is, and the choice between them.

All detectors answer in the same measure: the box reaches from the upper forehead to the chin, as
YuNet draws it. A checkpoint trained on one detector's crops therefore sees nearly the same crop
from another.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2

from realtime_mood.errors import ModelError
from realtime_mood.faces.box import Box
from realtime_mood.faces.yunet_file import (
    FACE_MODEL_VARIABLE,
    FILE_NAME,
    check_yunet_file,
    fetch_yunet_file,
)
from realtime_mood.frame import ImageBGR

log = logging.getLogger(__name__)

YUNET_REMEDY = f"connect once, or name {FILE_NAME} with --face-model or {FACE_MODEL_VARIABLE}"


@dataclass(frozen=True)
class Detection:
    """One face found in one picture."""

    box: Box
    """Where, in pixels of the picture given."""
    score: float
    """How sure the detector is, 0…1; 1 where it does not say."""
    roll_rad: float = 0.0
    """How far the line through the eyes is turned clockwise; 0 where the detector does not say."""


class FaceDetector(Protocol):
    """Finds faces in one picture; keeps no memory of earlier ones."""

    @property
    def name(self) -> str:
        """'yunet', 'cascade' or 'none'."""
        ...

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        """All faces in a picture of any size, largest first; empty when there is none."""
        ...


def make_detector(
    choice: str, *, yunet_file: Path | None, trained_on: str | None = None
) -> FaceDetector:
    """The detector a user asked for; may fetch YuNet's file, once.

    Args:
        choice: 'yunet'; 'cascade'; 'none', which takes the centre square for a face; or 'auto':
            YuNet where its file is named, was fetched before or can be fetched, else the cascade,
            with one warning that says why and how to get the better one.
        trained_on: the detector of the checkpoint's training crops. A checkpoint of centre
            squares gets centre squares from 'auto'; YuNet and the cascade stand in for one
            another.
        yunet_file: YuNet's ONNX file; None fetches it where it is needed.

    Raises:
        ModelError: the detector asked for cannot be had, or the file named is not YuNet's.
    """
    # The detectors import this module for its types.
    from realtime_mood.faces.centre import CentreDetector
    from realtime_mood.faces.yunet import YuNetDetector

    if yunet_file is not None:
        check_yunet_file(yunet_file)  # Named and wrong is wrong, even where it is not used.
    if choice == "none" or (choice == "auto" and trained_on == CentreDetector.name):
        return CentreDetector()
    if choice == "cascade":
        return _make_cascade()
    if yunet_file is not None:
        return YuNetDetector(yunet_file)
    try:
        return YuNetDetector(fetch_yunet_file())
    except ModelError as error:
        if choice == "yunet":
            raise ModelError(f"{error}; {YUNET_REMEDY}") from error
        detector = _make_cascade()
        log.warning(
            "%s; faces are found by OpenCV's cascade, which misses small, dark and turned ones; %s",
            error,
            YUNET_REMEDY,
        )
        return detector


def _make_cascade() -> FaceDetector:
    from realtime_mood.faces.cascade import CascadeDetector

    if not hasattr(cv2, "CascadeClassifier"):
        raise ModelError(
            f"OpenCV {cv2.__version__} has no cascade detector; install 'opencv-python<5', "
            "or name face_detection_yunet_2023mar.onnx with --face-model"
        )
    return CascadeDetector()


def largest_first(found: Iterable[Detection]) -> list[Detection]:
    """Detections by falling size; of two of one size, the left or else the upper one first.

    OpenCV searches on several threads, and gives equal ones in another order on each run.
    """
    return sorted(found, key=lambda face: (-face.box.area, face.box.x, face.box.y))


def shrink(image_bgr: ImageBGR, longest_side: int) -> tuple[ImageBGR, float]:
    """A picture whose longer side is at most `longest_side`, and the factor it was scaled by."""
    height, width = image_bgr.shape[:2]
    factor = min(1.0, longest_side / max(height, width))
    small = image_bgr
    # Halving takes a fraction of the time of OpenCV's other ways to average.
    while min(small.shape[:2]) > 1 and max(small.shape[:2]) >= 2 * longest_side:
        small = _resize(small, (small.shape[1] // 2, small.shape[0] // 2))
    if factor < 1.0:
        small = _resize(small, (max(1, round(width * factor)), max(1, round(height * factor))))
    return small, factor


def _resize(image_bgr: ImageBGR, size: tuple[int, int]) -> ImageBGR:
    return cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
