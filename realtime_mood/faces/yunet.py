"""YuNet (Wu et al. 2023, doi 10.1007/s11633-023-1423-y), through OpenCV."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from realtime_mood.errors import ModelError
from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import Detection, largest_first, shrink
from realtime_mood.faces.yunet_file import check_yunet_file
from realtime_mood.frame import ImageBGR

LONGEST_SIDE = 480
SCORE_THRESHOLD = 0.6
NMS_THRESHOLD = 0.3


class YuNetDetector:
    """Finds faces from about 10 pixels wide in the reduced picture; about 6 ms a picture.

    The eyes it gives turn with a face of 200 pixels or more in the reduced picture; of smaller
    ones they turn by a part of the angle only.

    Args:
        model_file: `face_detection_yunet_2023mar.onnx` of the OpenCV Zoo.

    Raises:
        ModelError: the file is missing, has another checksum, or OpenCV cannot read it.
    """

    name = "yunet"

    def __init__(self, model_file: Path) -> None:
        check_yunet_file(model_file)
        # Read here: on Windows OpenCV opens no file whose path has letters beyond ASCII.
        model = np.fromfile(model_file, dtype=np.uint8)
        nothing = np.empty(0, dtype=np.uint8)
        try:
            self._net = cv2.FaceDetectorYN.create(
                "onnx", model, nothing, (320, 320), SCORE_THRESHOLD, NMS_THRESHOLD
            )
        except cv2.error as error:
            raise ModelError(
                f"OpenCV {cv2.__version__} cannot read the face model {model_file}; "
                "install the version that constraints.txt names"
            ) from error

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        """See `FaceDetector.detect`."""
        small, factor = shrink(image_bgr, LONGEST_SIDE)
        self._net.setInputSize((small.shape[1], small.shape[0]))
        _, rows = self._net.detect(small)
        if rows is None:
            return []
        found = [
            Detection(
                Box(*(float(value) for value in row[:4])).scaled(1 / factor),
                float(row[14]),
                # Columns 4 to 7: the eye at the left of the picture, then the one at its right.
                math.atan2(float(row[7] - row[5]), float(row[6] - row[4])),
            )
            for row in rows
            if row[2] > 0 and row[3] > 0
        ]
        return largest_first(found)
