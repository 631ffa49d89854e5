"""YuNet (Wu et al. 2023, doi 10.1007/s11633-023-1423-y), through OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2

from realtime_mood.errors import ModelError
from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import Detection, shrink
from realtime_mood.frame import ImageBGR

LONGEST_SIDE = 480
SCORE_THRESHOLD = 0.7
NMS_THRESHOLD = 0.3


class YuNetDetector:
    """Finds faces from about 10 pixels wide in the reduced picture; about 3 ms a picture.

    Args:
        model_file: `face_detection_yunet_2023mar.onnx` of the OpenCV Zoo.

    Raises:
        ModelError: the file is missing or is not that model.
    """

    name = "yunet"

    def __init__(self, model_file: Path) -> None:
        if not model_file.is_file():
            raise ModelError(
                f"the face model {model_file} does not exist; check --face-model or "
                "REALTIME_MOOD_FACE_MODEL"
            )
        try:
            self._net = cv2.FaceDetectorYN.create(
                str(model_file), "", (320, 320), SCORE_THRESHOLD, NMS_THRESHOLD
            )
        except cv2.error as error:
            raise ModelError(
                f"the face model {model_file} is not one that OpenCV can read; it must be "
                "face_detection_yunet_2023mar.onnx from the OpenCV Zoo, whole"
            ) from error

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        """See `FaceDetector.detect`."""
        small, factor = shrink(image_bgr, LONGEST_SIDE)
        self._net.setInputSize((small.shape[1], small.shape[0]))
        _, rows = self._net.detect(small)
        if rows is None:
            return []
        found = [
            Detection(Box(*(float(value) for value in row[:4])).scaled(1 / factor), float(row[14]))
            for row in rows
            if row[2] > 0 and row[3] > 0
        ]
        return sorted(found, key=lambda detection: -detection.box.area)
