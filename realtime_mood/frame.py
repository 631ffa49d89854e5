"""The value that flows from sources to sinks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ImageBGR = npt.NDArray[np.uint8]
"""One picture, shape (height, width, 3), uint8, channels blue-green-red as OpenCV has them."""

CropBGR = npt.NDArray[np.uint8]
"""The square around one face, shape (image_size, image_size, 3), uint8, blue-green-red."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture with the time it belongs to."""

    image_bgr: ImageBGR
    """Upright picture, shape (height, width, 3), uint8. Never written to once a frame exists."""
    timestamp_s: float
    """Seconds since the source's first frame; rises strictly from one frame to the next."""
    index: int
    """Position in the source, counted from 0; a gap means frames were dropped on the way."""
    captured_s: float | None = None
    """When it was taken from the driver, by the source's clock; None: when it is handed on."""
    lasts_s: float | None = None
    """Of a file's last frame: seconds it is shown for, 0 where the file does not say. None: others
    may follow."""

    def __post_init__(self) -> None:
        if self.image_bgr.ndim != 3 or self.image_bgr.shape[2] != 3:
            raise ValueError(f"image_bgr has shape {self.image_bgr.shape}, not (height, width, 3)")
        if self.image_bgr.dtype != np.uint8:
            raise ValueError(f"image_bgr has dtype {self.image_bgr.dtype}, not uint8")

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.image_bgr.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.image_bgr.shape[0])

    def __repr__(self) -> str:
        return f"Frame({self.width}x{self.height}, {self.timestamp_s:.3f} s, #{self.index})"
