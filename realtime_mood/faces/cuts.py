"""Telling a camera cut from motion."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from realtime_mood.frame import ImageBGR

THUMBNAIL = (32, 18)
LEVELS = 8.0
CORRELATION = 0.6

WHITE_LEVEL = 235.0
WHITE_SHARE = 0.8
"""Of what a flash changed, so much is white; the rest is where a band of it ends."""
FLASH_FRAMES = 2
"""A flash that falls between two rows of a rolling shutter whitens a part of two frames."""


class CutDetector:
    """Compares each frame with the one before, both as tiny grey pictures.

    A cut changes the levels and also the pattern. A lamp that is switched on changes the levels
    alone, and motion or a shaken camera little of either. On real footage with five cuts, these had
    a correlation of at most 0.26 and a mean change of at least 24 levels; of 2 081 other steps none
    had both a correlation under 0.7 and a change over 8 levels.

    A camera's flash whitens a frame or two, after which the shot goes on: such frames are left
    out of the comparison. A cut to a white picture is told that much later.
    """

    def __init__(self) -> None:
        self._previous: npt.NDArray[np.float32] | None = None
        self._flash_frames = 0

    def is_cut(self, image_bgr: ImageBGR) -> bool:
        """True when this frame begins a new shot; False for the first frame."""
        current, previous = _thumbnail(image_bgr), self._previous
        if previous is None:
            self._previous = current
            return False
        is_cut = _differ(current, previous)
        if is_cut and self._flash_frames < FLASH_FRAMES and _is_flash(current, previous):
            self._flash_frames += 1
            return False
        self._previous, self._flash_frames = current, 0
        return is_cut


def _differ(current: npt.NDArray[np.float32], previous: npt.NDArray[np.float32]) -> bool:
    if float(np.abs(current - previous).mean()) <= LEVELS:
        return False
    return _correlation(current, previous) < CORRELATION


def _is_flash(current: npt.NDArray[np.float32], previous: npt.NDArray[np.float32]) -> bool:
    changed = np.abs(current - previous) > LEVELS
    return float((current[changed] >= WHITE_LEVEL).mean()) >= WHITE_SHARE


def _thumbnail(image_bgr: ImageBGR) -> npt.NDArray[np.float32]:
    # Every so many-th pixel of the green channel, before averaging, is enough and far cheaper.
    step = max(1, min(image_bgr.shape[:2]) // (4 * THUMBNAIL[1]))
    green = np.ascontiguousarray(image_bgr[::step, ::step, 1])
    return cv2.resize(green, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)


def _correlation(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> float:
    a, b = left - left.mean(), right - right.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # A picture without any pattern resembles nothing.
    return float((a * b).sum()) / scale if scale > 0.0 else 0.0
