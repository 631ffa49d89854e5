"""Small pictures with soft edges, made once, kept, and blended into the frame where they lie.

Shapes come from signed distances (negative inside), which gives clean edges at any size without
drawing larger and shrinking: coverage is 0.5 - distance, clipped to 0 … 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from realtime_mood.frame import ImageBGR
from realtime_mood.overlay.palette import INK, PLATE, PLATE_OPACITY, Colour

Mask = npt.NDArray[np.float32]
"""Coverage from 0 (none) to 1 (full), shape (height, width)."""

HALO_OPACITY = 0.75
"""How dark the soft rim around coloured shapes is; it carries them over pictures as light."""
GLASS_GRAIN = 8
"""Pixels that become one when the picture below a dark plate is blurred."""


@dataclass(frozen=True, eq=False)
class Sprite:
    """Something to blend into a picture: picture × keep / 255 + paint. Never written to."""

    paint: ImageBGR
    """Colour times opacity, shape (height, width, 3)."""
    keep: ImageBGR
    """255 times what is left of the picture below, shape (height, width, 3)."""

    @classmethod
    def of(cls, mask: Mask, colour: Colour, rim: Mask | None = None) -> Sprite:
        """One colour through a mask, over a dark rim if there is one.

        Args:
            mask: opacity of the colour, shape (height, width).
            colour: its colour.
            rim: opacity of the dark rim below it, same shape.
        """
        under = np.zeros_like(mask) if rim is None else (1.0 - mask) * rim
        paint = mask[..., None] * _vector(colour) + under[..., None] * _vector(INK)
        keep = 255.0 * (1.0 - mask - under)
        return cls(
            np.rint(paint).astype(np.uint8),
            np.ascontiguousarray(np.rint(keep).astype(np.uint8)[..., None].repeat(3, axis=2)),
        )


def blend(image: ImageBGR, sprite: Sprite, x: int, y: int, *, width: int | None = None) -> None:
    """Blend a sprite into a picture, in place; what lies outside is left out.

    Args:
        image: the picture, written to.
        sprite: what to blend.
        x: column of the sprite's left edge.
        y: row of its top edge.
        width: columns of the sprite to use, counted from its left edge; all unless told.
    """
    columns = sprite.keep.shape[1] if width is None else width
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + columns, image.shape[1]), min(y + sprite.keep.shape[0], image.shape[0])
    if right <= left or bottom <= top:
        return
    below = image[top:bottom, left:right]
    part = np.s_[top - y : bottom - y, left - x : right - x]
    cv2.multiply(below, sprite.keep[part], dst=below, scale=1.0 / 255.0)
    cv2.add(below, sprite.paint[part], dst=below)


@lru_cache(maxsize=512)
def plate(
    width: int, height: int, radius: float, colour: Colour, opacity: float, rim: int = 0
) -> Sprite:
    """A rectangle with round corners.

    Args:
        width: its width in pixels, without the rim.
        height: its height, likewise.
        radius: of the corners; at most half the shorter side is used.
        colour: its colour.
        opacity: from 0 to 1.
        rim: pixels of dark rim around it; the sprite is larger by so much on every side.
    """
    radius = min(radius, width / 2, height / 2)
    dx = np.abs(np.arange(-rim, width + rim) + 0.5 - width / 2) - (width / 2 - radius)
    dy = np.abs(np.arange(-rim, height + rim) + 0.5 - height / 2) - (height / 2 - radius)
    corner = np.hypot(np.maximum(dx, 0)[None, :], np.maximum(dy, 0)[:, None])
    distance = corner + np.minimum(np.maximum(dx[None, :], dy[:, None]), 0) - radius
    return _soft(distance.astype(np.float32), colour, opacity, rim)


def glass(image: ImageBGR, x: int, y: int, width: int, height: int, radius: float) -> None:
    """Darken and blur a rectangle with round corners, in place, so that text on it is legible.

    Args:
        image: the picture, written to.
        x: left edge; the rectangle lies in the picture.
        y: top edge.
        width: in pixels.
        height: in pixels.
        radius: of the corners.
    """
    shade = plate(width, height, radius, PLATE, PLATE_OPACITY)
    below = image[y : y + height, x : x + width]
    columns, rows = max(1, width // GLASS_GRAIN), max(1, height // GLASS_GRAIN)
    # Whole grains only: OpenCV averages these several times faster; the rest is a few pixels.
    whole = below[: rows * GLASS_GRAIN, : columns * GLASS_GRAIN]
    small = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.copyTo(soft, 255 - shade.keep[..., 0], below)
    blend(image, shade, x, y)


@lru_cache(maxsize=64)
def bracket(arm: int, radius: int, stroke: float, colour: Colour, rim: int) -> Sprite:
    """The top-left corner of a frame: a quarter circle with two arms, round at their ends.

    The middle of the line starts `rim + ceil(stroke / 2)` pixels from the sprite's top and left.

    Args:
        arm: from the corner to the end of an arm, in pixels.
        radius: of the quarter circle, at most `arm`.
        stroke: thickness of the line.
        colour: its colour.
        rim: pixels of dark rim around it.
    """
    border = rim + math.ceil(stroke / 2)
    along = np.arange(-border, arm + border, dtype=np.float32) + np.float32(0.5)
    x, y = along[None, :], along[:, None]
    arc = np.where(
        (x < radius) & (y < radius), np.abs(np.hypot(x - radius, y - radius) - radius), np.inf
    )
    across = np.hypot(x - np.clip(x, radius, arm), y)
    down = np.hypot(x, y - np.clip(y, radius, arm))
    distance = np.minimum(arc, np.minimum(across, down)) - stroke / 2
    return _soft(distance.astype(np.float32), colour, 1.0, rim)


def turned(sprite: Sprite, *, left_right: bool, top_bottom: bool) -> Sprite:
    """The sprite mirrored along either axis, or both.

    Args:
        sprite: what to mirror.
        left_right: swap left and right.
        top_bottom: swap top and bottom.
    """
    rows = slice(None, None, -1 if top_bottom else 1)
    columns = slice(None, None, -1 if left_right else 1)
    return Sprite(
        np.ascontiguousarray(sprite.paint[rows, columns]),
        np.ascontiguousarray(sprite.keep[rows, columns]),
    )


def _vector(colour: Colour) -> Mask:
    return np.asarray(colour, dtype=np.float32)


def _soft(distance: Mask, colour: Colour, opacity: float, rim: int) -> Sprite:
    mask = (np.clip(0.5 - distance, 0.0, 1.0) * opacity).astype(np.float32)
    if rim == 0:
        return Sprite.of(mask, colour)
    fade = np.clip(1.0 - distance / (rim + 0.5), 0.0, 1.0).astype(np.float32)
    return Sprite.of(mask, colour, fade * np.float32(HALO_OPACITY))
