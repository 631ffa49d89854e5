"""Turning decoded pictures upright."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from realtime_mood.frame import ImageBGR
from realtime_mood.media_libraries import av

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideData


def quarter_turns(frame: av.VideoFrame) -> tuple[int, bool]:
    """How a decoded frame must be turned to stand upright.

    Cameras write which way they were held as a matrix beside the picture (libavutil/display.h):
    x' = a x + c y, y' = b x + d y, with y pointing down. Of the turns only whole quarters occur.

    Args:
        frame: as decoded.

    Returns:
        Quarter turns counter-clockwise (0 to 3), and whether to flip left to right before that.
    """
    try:
        side_data = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # Data beside the picture that this PyAV has no name for, such as Exif.
        return round(frame.rotation / 90) % 4, False
    if side_data is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(bytes(cast("SideData", side_data)), dtype=np.int32)[:5].tolist()
    flipped = a * d - b * c < 0
    if flipped:
        a, b = -a, -b
    if abs(a) >= abs(b):
        return (0 if a >= 0 else 2), flipped
    return (3 if b > 0 else 1), flipped


def make_upright(image_bgr: ImageBGR, turns: int, flipped: bool) -> ImageBGR:
    """Turn a picture.

    Args:
        image_bgr: shape (height, width, 3).
        turns: quarter turns counter-clockwise.
        flipped: flip left to right first.

    Returns:
        The upright picture, contiguous; the same array when there is nothing to do.
    """
    if flipped:
        image_bgr = image_bgr[:, ::-1]
    if turns:
        image_bgr = np.rot90(image_bgr, turns)
    return np.ascontiguousarray(image_bgr)
