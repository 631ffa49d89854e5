"""What a face detector is, and the choice between them.

All detectors answer in the same measure: the box reaches from the upper forehead to the chin, as
YuNet draws it. A checkpoint trained on one detector's crops therefore sees nearly the same crop
from another.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2

from realtime_mood.errors import ModelError
from realtime_mood.faces.box import Box
from realtime_mood.frame import ImageBGR

DETECTOR_CHOICES = ("auto", "yunet", "cascade", "none")


@dataclass(frozen=True)
class Detection:
    """One face found in one picture."""

    box: Box
    """Where, in pixels of the picture given."""
    score: float
    """How sure the detector is, 0…1; 1 where it does not say."""


class FaceDetector(Protocol):
    """Finds faces in one picture; keeps no memory of earlier ones."""

    @property
    def name(self) -> str:
        """'yunet', 'cascade' or 'none'."""
        ...

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        """All faces in a picture of any size, largest first; empty when there is none."""
        ...


def make_detector(choice: str, *, yunet_file: Path | None) -> FaceDetector:
    """The detector a user asked for.

    Args:
        choice: 'yunet'; 'cascade'; 'none', which takes the centre square for a face; or 'auto',
            which takes the first of these that can be had.
        yunet_file: YuNet's ONNX file, if there is one.

    Raises:
        ModelError: the detector asked for cannot be loaded.
    """
    # The detectors import this module for its types.
    from realtime_mood.faces.cascade import CascadeDetector
    from realtime_mood.faces.centre import CentreDetector
    from realtime_mood.faces.yunet import YuNetDetector

    has_cascade = hasattr(cv2, "CascadeClassifier")
    if choice == "auto":
        choice = "yunet" if yunet_file else "cascade" if has_cascade else "none"
    if choice == "yunet":
        if yunet_file is None:
            raise ModelError(
                "--faces yunet needs its file; name face_detection_yunet_2023mar.onnx "
                "with --face-model or REALTIME_MOOD_FACE_MODEL"
            )
        return YuNetDetector(yunet_file)
    if choice == "cascade":
        if not has_cascade:
            raise ModelError(
                f"OpenCV {cv2.__version__} has no cascade detector; install 'opencv-python<5' "
                "or give YuNet's file with --face-model"
            )
        return CascadeDetector()
    return CentreDetector()


def shrink(image_bgr: ImageBGR, longest_side: int) -> tuple[ImageBGR, float]:
    """A picture whose longer side is at most `longest_side`, and the factor it was scaled by."""
    factor = min(1.0, longest_side / max(image_bgr.shape[:2]))
    if factor == 1.0:
        return image_bgr, 1.0
    height, width = image_bgr.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), factor  # type: ignore[return-value]
