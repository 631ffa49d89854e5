"""Cutting a face out of a frame."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from realtime_mood.faces.box import Box
from realtime_mood.frame import ImageBGR
from realtime_mood.model.clip_spec import ClipSpec

CropBGR = npt.NDArray[np.uint8]


def crop_face(image_bgr: ImageBGR, box: Box, spec: ClipSpec) -> CropBGR:
    """The square around a face, scaled to the model's size.

    Side and scaling follow the checkpoint's spec. Where the square reaches over the border, the
    border's pixels are repeated. The picture is resized once, straight to the final size.

    Args:
        image_bgr: the whole frame, shape (height, width, 3), uint8.
        box: the face in pixels of that frame.
        spec: gives margin, size and interpolation.

    Returns:
        Shape (image_size, image_size, 3), uint8, blue-green-red.
    """
    side = max(2, round((1.0 + spec.crop_margin) * box.longer_side))
    left = round(box.centre[0] - side / 2)
    top = round(box.centre[1] - side / 2)
    height, width = image_bgr.shape[:2]
    # A box that left the picture is moved back until one pixel of it shows.
    left = min(max(left, 1 - side), width - 1)
    top = min(max(top, 1 - side), height - 1)
    inside = image_bgr[max(0, top) : top + side, max(0, left) : left + side]
    over = (
        max(0, -top),
        max(0, top + side - height),
        max(0, -left),
        max(0, left + side - width),
    )
    if any(over):
        inside = cv2.copyMakeBorder(inside, *over, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    shrinking = side > spec.image_size
    use_area = spec.interpolation == "area" and shrinking
    interpolation = cv2.INTER_AREA if use_area else cv2.INTER_LINEAR
    size = (spec.image_size, spec.image_size)
    return cv2.resize(inside, size, interpolation=interpolation)  # type: ignore[return-value]
