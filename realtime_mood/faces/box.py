"""A rectangle in a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels of the source picture; may reach over its border."""

    x: float
    """Left edge."""
    y: float
    """Top edge."""
    w: float
    """Width, above 0."""
    h: float
    """Height, above 0."""

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the rectangle, (x, y)."""
        return self.x + self.w / 2, self.y + self.h / 2

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.w * self.h

    @property
    def longer_side(self) -> float:
        """The greater of width and height."""
        return max(self.w, self.h)

    @classmethod
    def around(cls, centre: tuple[float, float], w: float, h: float) -> Box:
        """The rectangle of this size around a point."""
        return cls(centre[0] - w / 2, centre[1] - h / 2, w, h)

    def scaled(self, factor: float) -> Box:
        """The same rectangle in a picture scaled by `factor`."""
        return Box(self.x * factor, self.y * factor, self.w * factor, self.h * factor)

    def mirrored(self, picture_width: int) -> Box:
        """The same rectangle in the picture flipped left to right."""
        return Box(picture_width - self.x - self.w, self.y, self.w, self.h)

    def iou(self, other: Box) -> float:
        """Intersection over union, from 0 (apart) to 1 (equal)."""
        shared = self.shared_area(other)
        return shared / (self.area + other.area - shared)

    def shared_area(self, other: Box) -> float:
        """Square pixels that both cover."""
        width = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        height = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height)

    def to_xywh(self) -> list[int]:
        """[x, y, w, h] rounded to whole pixels, as events carry it."""
        return [round(self.x), round(self.y), round(self.w), round(self.h)]
