"""Cutting a face out of a frame."""

from __future__ import annotations

import math

import cv2
import numpy as np

from realtime_mood.faces.box import Box
from realtime_mood.frame import CropBGR, ImageBGR
from realtime_mood.model.clip_spec import ClipSpec

LEVEL_RAD = math.radians(1.0)
"""Less than this is as good as level."""


def crop_face(image_bgr: ImageBGR, box: Box, spec: ClipSpec, *, roll_rad: float = 0.0) -> CropBGR:
    """The square around a face, scaled to the model's size, with level eyes where the spec says so.

    Where the square reaches over the border, the border's pixels are repeated. The picture is
    resized once, straight to the final scale; a crop that has to be turned is turned after that,
    so that the resizing can average.

    Args:
        image_bgr: the whole frame, shape (height, width, 3), uint8.
        box: the face in pixels of that frame.
        spec: gives margin, size, interpolation and alignment.
        roll_rad: how far the line through the eyes is turned clockwise.

    Returns:
        Shape (image_size, image_size, 3), uint8, blue-green-red.
    """
    side = (1.0 + spec.crop_margin) * box.longer_side
    size = spec.image_size
    if not spec.align_roll or abs(roll_rad) < LEVEL_RAD:
        return _square(image_bgr, box, side=side, size=size, interpolation=spec.interpolation)
    # However it is turned, the crop lies within a square larger by the square root of two.
    wide_size = math.ceil(math.sqrt(2.0) * size)
    wide_side = side * wide_size / size
    wide = _square(image_bgr, box, side=wide_side, size=wide_size, interpolation=spec.interpolation)
    middle = (wide_size - 1) / 2
    turn = np.array(cv2.getRotationMatrix2D((middle, middle), math.degrees(roll_rad), 1.0), float)
    turn[:, 2] += (size - 1) / 2 - middle
    level = cv2.warpAffine(wide, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(level, dtype=np.uint8)


def _square(
    image_bgr: ImageBGR, box: Box, *, side: float, size: int, interpolation: str
) -> CropBGR:
    pixels = max(2, round(side))
    left = round(box.centre[0] - pixels / 2)
    top = round(box.centre[1] - pixels / 2)
    height, width = image_bgr.shape[:2]
    # A box that left the picture is moved back until one pixel of it shows.
    left = min(max(left, 1 - pixels), width - 1)
    top = min(max(top, 1 - pixels), height - 1)
    inside = image_bgr[max(0, top) : top + pixels, max(0, left) : left + pixels]
    over = (
        max(0, -top),
        max(0, top + pixels - height),
        max(0, -left),
        max(0, left + pixels - width),
    )
    if any(over):
        inside = cv2.copyMakeBorder(inside, *over, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    use_area = interpolation == "area" and pixels > size
    method = cv2.INTER_AREA if use_area else cv2.INTER_LINEAR
    return cv2.resize(inside, (size, size), interpolation=method)  # type: ignore[return-value]
