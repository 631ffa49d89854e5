"""The cascade of boosted Haar features that ships with OpenCV (Viola and Jones 2001)."""

from __future__ import annotations

from pathlib import Path

import cv2

from realtime_mood.errors import ModelError
from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import Detection, largest_first, shrink
from realtime_mood.frame import ImageBGR

LONGEST_SIDE = 400
SMALLEST_FACE = 24
SCALE_STEP = 1.1
MIN_NEIGHBOURS = 2
SCORE_PER_NEIGHBOUR = 0.75 / 8
"""Eight overlapping hits make the 0.75 that begins a track. In videos of more than twenty people,
381 of 393 faces that YuNet finds too have as many, and 2 of 75 places where it finds none; OpenCV's
usual five hits have 386 and 30."""
DARKEST = 5.0
"""Mean of a face's grey, of 255. The search stretches contrast, and finds faces in what is black to
the eye; of 17 faces darkened step by step YuNet found none with less than 4.4."""
MOST_SHARED = 0.5
"""Of the smaller of two detections; two faces that overlap more are taken for one."""

# The cascade's square against YuNet's box on 224 frames of 20 actors: median side 0.913 of the
# longer side, median width of YuNet's box 0.751 of its height, centre 0.014 higher.
SIDE_OF_YUNET_HEIGHT = 0.913
YUNET_WIDTH_OF_HEIGHT = 0.751
CENTRE_ABOVE_YUNET = 0.014


class CascadeDetector:
    """Finds upright frontal faces; needs no file beyond OpenCV's own; about 10 ms a picture.

    Raises:
        ModelError: this OpenCV comes without the cascade file.
    """

    name = "cascade"

    def __init__(self) -> None:
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        self._cascade = cv2.CascadeClassifier()
        try:
            # Read here: on Windows OpenCV opens no file whose path has letters beyond ASCII.
            text = path.read_text(encoding="ascii")
            file = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
            is_read = self._cascade.read(file.getFirstTopLevelNode())
        except (OSError, ValueError, cv2.error):
            is_read = False
        if not is_read:
            raise ModelError(f"OpenCV's cascade {path} cannot be read; reinstall opencv-python")

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        """See `FaceDetector.detect`. Boxes are converted to YuNet's measure."""
        small, factor = shrink(image_bgr, LONGEST_SIDE)
        if min(small.shape[:2]) < SMALLEST_FACE:
            return []
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        squares, neighbours = self._cascade.detectMultiScale2(
            cv2.equalizeHist(grey),
            scaleFactor=SCALE_STEP,
            minNeighbors=MIN_NEIGHBOURS,
            minSize=(SMALLEST_FACE, SMALLEST_FACE),
        )
        found = [
            Detection(
                _yunet_measure(x, y, w, h).scaled(1 / factor),
                min(1.0, SCORE_PER_NEIGHBOUR * float(hits)),
            )
            for (x, y, w, h), hits in zip(squares, neighbours, strict=True)
            if grey[y : y + h, x : x + w].mean() >= DARKEST
        ]
        return largest_first(_without_doubles(found))


def _without_doubles(found: list[Detection]) -> list[Detection]:
    """Leave out what lies for the most part in a detection that is more certain: the cascade often
    finds a face once more in its own middle, or around it."""
    kept: list[Detection] = []
    for detection in sorted(found, key=lambda face: -face.score):
        box = detection.box
        shares = (box.shared_area(o.box) / min(box.area, o.box.area) for o in kept)
        if max(shares, default=0.0) <= MOST_SHARED:
            kept.append(detection)
    return kept


def _yunet_measure(x: int, y: int, w: int, h: int) -> Box:
    height = float(h) / SIDE_OF_YUNET_HEIGHT
    centre = (float(x) + float(w) / 2, float(y) + float(h) / 2 + CENTRE_ABOVE_YUNET * height)
    return Box.around(centre, YUNET_WIDTH_OF_HEIGHT * height, height)
