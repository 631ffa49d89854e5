"""Where things go. Pure arithmetic on whole pixels; nothing here touches a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True)
class Label:
    """What is to be placed at a face."""

    face: Rect
    """The part of the face that is seen."""
    sizes: tuple[tuple[int, int], ...]
    """(width, height) of the label's variants, best first."""


@dataclass(frozen=True)
class Placed:
    """Where a label went."""

    rect: Rect
    """Its rectangle."""
    variant: int
    """Index of the size that was used."""


def place_labels(
    labels: Sequence[Label], *, inside: Rect, taken: Sequence[Rect], gap: int
) -> list[Placed | None]:
    """Find a place for each label so that none overlaps another or leaves the picture.

    Large faces choose first. A label goes above its face; else inside it at the top if the face
    is large, or below it; else to the nearest free spot. It keeps clear of other faces and of
    what is taken while that is possible, and of other labels always.

    Args:
        labels: what to place.
        inside: where labels may be.
        taken: rectangles better left free.
        gap: pixels between a label and its face, and between labels.

    Returns:
        One entry a label; None where there is no room for any variant.
    """
    placed: list[Placed | None] = [None] * len(labels)
    used: list[Rect] = []
    for index in sorted(range(len(labels)), key=lambda i: -labels[i].face.area):
        others = [label.face for i, label in enumerate(labels) if i != index]
        found = _place_one(labels[index], inside, used, [*taken], others, gap)
        if found is not None:
            placed[index] = found
            used.append(found.rect.grown(gap // 2))
    return placed


def _place_one(
    label: Label,
    inside: Rect,
    used: Sequence[Rect],
    taken: Sequence[Rect],
    others: Sequence[Rect],
    gap: int,
) -> Placed | None:
    for avoided, anywhere in (([*taken, *others], False), (taken, True), ((), True)):
        for variant, (w, h) in enumerate(label.sizes):
            if w > inside.w or h > inside.h:
                continue
            spots = _spots_at_face(label.face, w, h, inside, gap)
            candidates = [*spots, *_spots_by_distance(label.face, w, h, inside, gap)]
            for rect in candidates if anywhere else spots:
                if not rect.lies_in(inside):
                    continue
                if not any(rect.shared_area(other) for other in (*used, *avoided)):
                    return Placed(rect, variant)
    return None


def _spots_at_face(face: Rect, w: int, h: int, inside: Rect, gap: int) -> Iterator[Rect]:
    above, below = face.y - gap - h, face.bottom + gap
    top, bottom = max(face.y + gap, inside.y), min(face.bottom - gap, inside.bottom) - h
    large_face = face.h >= 5 * h
    for y in (above, top, below, bottom) if large_face else (above, below, top, bottom):
        for x in (face.x + (face.w - w) // 2, face.x, face.right - w):
            yield Rect(min(max(x, inside.x), inside.right - w), y, w, h)


def _spots_by_distance(face: Rect, w: int, h: int, inside: Rect, gap: int) -> list[Rect]:
    # Rows and columns of the label's own size: coarse, but it finds room wherever there is some.
    columns = range(inside.x, inside.right - w + 1, max(w // 2 + gap, 1))
    rows = range(inside.y, inside.bottom - h + 1, max(h // 2 + gap, 1))
    x, y = face.x + (face.w - w) / 2, face.y - h
    spots = [Rect(column, row, w, h) for row in rows for column in columns]
    return sorted(spots, key=lambda spot: math.hypot(spot.x - x, spot.y - y))


MOST_OF_FACE = 0.10
"""Share of the largest face that a panel may cover where there is no free side."""
MOST_OF_PICTURE = 0.22
"""Share of the picture that a panel may take."""


def place_panel(
    sizes: Sequence[tuple[int, int]],
    *,
    inside: Rect,
    picture_area: int,
    taken: Sequence[Rect],
    faces: Sequence[Rect],
) -> Placed | None:
    """Find a place at a side for a panel, where it hides no face if that is possible.

    Args:
        sizes: (width, height) of the panel's variants, best first.
        inside: where it may be.
        picture_area: square pixels of the picture.
        taken: rectangles to keep free.
        faces: seen parts of the faces, the largest first.

    Returns:
        None where every place of every variant hides too much.
    """
    for variant, (w, h) in enumerate(sizes):
        if w * h > MOST_OF_PICTURE * picture_area or w > inside.w or h > inside.h:
            continue
        best: tuple[float, Rect] | None = None
        for rect in _panel_spots(w, h, inside, taken):
            if not rect.lies_in(inside) or any(rect.shared_area(other) for other in taken):
                continue
            hidden = max((rect.shared_area(face) / face.area for face in faces), default=0.0)
            if best is None or hidden < best[0]:
                best = (hidden, rect)
            if hidden == 0.0:
                break
        if best is not None and best[0] <= MOST_OF_FACE:
            return Placed(best[1], variant)
    return None


def _panel_spots(w: int, h: int, inside: Rect, taken: Sequence[Rect]) -> Iterator[Rect]:
    right, left, centre = inside.right - w, inside.x, inside.x + (inside.w - w) // 2
    middle = inside.y + (inside.h - h) // 2
    for row in ("bottom", "top", "middle"):
        for x in (right, left, centre) if row != "middle" else (right, left):
            y = {"bottom": inside.bottom - h, "top": inside.y, "middle": middle}[row]
            blocking = [other for other in taken if other.shared_area(Rect(x, y, w, h))]
            if blocking and row == "bottom":
                y = min(other.y for other in blocking) - h
            elif blocking and row == "top":
                y = max(other.bottom for other in blocking)
            yield Rect(x, y, w, h)
