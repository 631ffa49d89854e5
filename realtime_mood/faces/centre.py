"""No detector: the middle of the picture is taken for a face."""

from __future__ import annotations

from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import Detection
from realtime_mood.frame import ImageBGR

SHARE_OF_SHORTER_SIDE = 0.7


class CentreDetector:
    """Answers a square of 0.7 × the shorter side, so that the crop with its margin fills it."""

    name = "none"

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        """See `FaceDetector.detect`; always one box."""
        height, width = image_bgr.shape[:2]
        side = SHARE_OF_SHORTER_SIDE * min(height, width)
        return [Detection(Box.around((width / 2, height / 2), side, side), 1.0)]
