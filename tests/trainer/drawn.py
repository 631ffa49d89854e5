"""Small drawn videos with RAVDESS names, so that the trainer's tests need no data."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

WIDTH, HEIGHT = 96, 64
RATE = Fraction(30000, 1001)


def draw_video(path: Path, *, frames: int = 12, shade: int = 90) -> None:
    """A moving disc on a plain background, H.264."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(frames):
            image = np.full((HEIGHT, WIDTH, 3), shade, dtype=np.uint8)
            cv2.circle(image, (20 + 4 * index, HEIGHT // 2), 12, (30, 200, 240), -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
