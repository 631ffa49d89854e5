"""A real head to fill the pictures of benchmarks with, out of the demo clip."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from realtime_mood.capture.file_source import FileSource
from realtime_mood.frame import ImageBGR

DEMO = Path(__file__).parents[1] / "assets" / "demo.mp4"
FRAME = 150
LEFT, TOP, SIDE = 146, 10, 340
"""The square around the head on that frame."""


def demo_head(side: int) -> ImageBGR:
    """The head, shape (side, side, 3), uint8, blue-green-red."""
    source = FileSource(DEMO)
    while (frame := source.read()) is not None and frame.index < FRAME:
        pass
    source.close()
    assert frame is not None
    head = frame.image_bgr[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
    return np.asarray(cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
