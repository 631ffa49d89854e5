"""Rectangles of whole pixels, and how large things are in a picture of some size."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime_mood.faces.box import Box


@dataclass(frozen=True)
class Rect:
    """A rectangle of whole pixels."""

    x: int
    """Left edge."""
    y: int
    """Top edge."""
    w: int
    """Width."""
    h: int
    """Height."""

    @property
    def right(self) -> int:
        """Column just after the last one."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """Row just after the last one."""
        return self.y + self.h

    @property
    def area(self) -> int:
        """Square pixels."""
        return self.w * self.h

    def shared_area(self, other: Rect) -> int:
        """Square pixels that both cover."""
        width = min(self.right, other.right) - max(self.x, other.x)
        height = min(self.bottom, other.bottom) - max(self.y, other.y)
        return max(width, 0) * max(height, 0)

    def lies_in(self, other: Rect) -> bool:
        """Whether no part reaches out of the other."""
        return (
            self.x >= other.x
            and self.y >= other.y
            and self.right <= other.right
            and self.bottom <= other.bottom
        )

    def grown(self, by: int) -> Rect:
        """The rectangle with so many pixels more on each side."""
        return Rect(self.x - by, self.y - by, self.w + 2 * by, self.h + 2 * by)


@dataclass(frozen=True)
class Scale:
    """Sizes for one size of picture.

    Everything follows from the shorter side. It grows a little slower than the picture, since
    small pictures are looked at closely and large ones from further away.
    """

    width: int
    """Of the picture."""
    height: int
    """Of the picture."""

    @property
    def factor(self) -> float:
        """1 where the shorter side is 720 pixels."""
        shorter = min(self.width, self.height)
        return min(max(math.pow(shorter / 720.0, 0.75), 0.5), 4.0)

    def px(self, at_720: float, *, least: int = 1) -> int:
        """A length that is `at_720` pixels in a picture of 720 lines."""
        return max(least, round(at_720 * self.factor))

    @property
    def text(self) -> int:
        """Size of the main text."""
        return self.px(20, least=10)

    @property
    def small_text(self) -> int:
        """Size of the quiet text."""
        return self.px(14.5, least=9)

    @property
    def gap(self) -> int:
        """Between things, and between things and the picture's edge."""
        return self.px(12, least=3)

    @property
    def inside(self) -> Rect:
        """The picture without a margin."""
        margin = min(self.gap, self.width // 8, self.height // 8)
        return Rect(0, 0, self.width, self.height).grown(-margin)


def seen_part(box: Box, width: int, height: int) -> Rect | None:
    """The part of a face's box that lies in the picture, in whole pixels.

    Args:
        box: the face.
        width: of the picture.
        height: of the picture.

    Returns:
        None when no pixel of it is seen.
    """
    left, top = max(0, math.floor(box.x + 0.5)), max(0, math.floor(box.y + 0.5))
    right = min(width, math.floor(box.x + box.w + 0.5))
    bottom = min(height, math.floor(box.y + box.h + 0.5))
    if right <= left or bottom <= top:
        return None
    return Rect(left, top, right - left, bottom - top)
