"""Where labels and the panel go. Pure arithmetic on rectangles; nothing here touches a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from realtime_mood.overlay.geometry import Rect


@dataclass(frozen=True)
class Label:
    """What is to be placed at a face."""

    face: Rect
    """The part of the face that is seen."""
    sizes: tuple[tuple[int, int], ...]
    """(width, height) of the label's variants, best first."""
    is_below: bool = False
    """Whether it lay at the lower half of its face before; there it stays while it can."""


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
    is large, or below it; else, if the face is small, onto it, which any smaller variant beside it
    is better than; else to the nearest free spot. It keeps clear of other faces and of what is
    taken while that is possible, and of other labels always. One that was below stays there before
    it goes above again.

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
    kept_free = [rect.grown(gap // 2) for rect in taken]
    for index in sorted(range(len(labels)), key=lambda i: -labels[i].face.area):
        others = [label.face for i, label in enumerate(labels) if i != index]
        found = _place_one(labels[index], inside, used, kept_free, others, gap)
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
    for avoided, spots in (
        ([*used, *taken, *others], _spots_at_face),
        ([*used, *taken, *others], _spots_on_face),
        ([*used, *taken], _spots_at_face),
        ([*used, *taken], _spots_on_face),
        ([*used, *taken], _spots_by_distance),
        ([*used], _spots_by_distance),
    ):
        for variant, (w, h) in enumerate(label.sizes):
            for rect in spots(label, w, h, inside, gap, avoided):
                if rect.lies_in(inside) and not any(rect.shared_area(r) for r in avoided):
                    return Placed(rect, variant)
    return None


def lies_below(rect: Rect, face: Rect) -> bool:
    """Whether a label lies at the lower half of its face."""
    return rect.y + rect.bottom > face.y + face.bottom


def _spots_at_face(
    label: Label, w: int, h: int, inside: Rect, gap: int, avoided: Sequence[Rect]
) -> Iterator[Rect]:
    face = label.face
    above, below = face.y - gap - h, face.bottom + gap
    top, bottom = _rows_on_face(face, h, inside, gap)
    upper, lower = [above], [below]
    if face.h >= 5 * h:  # A label on a large face hides little of it.
        upper, lower = [above, top], [below, bottom]
    rows = lower + upper if label.is_below else upper + lower
    return _spots_in_rows(rows, face, w, h, inside, avoided)


def _spots_on_face(
    label: Label, w: int, h: int, inside: Rect, gap: int, avoided: Sequence[Rect]
) -> Iterator[Rect]:
    top, bottom = _rows_on_face(label.face, h, inside, gap)
    rows = (bottom, top) if label.is_below else (top, bottom)
    return _spots_in_rows(rows, label.face, w, h, inside, avoided)


def _rows_on_face(face: Rect, h: int, inside: Rect, gap: int) -> tuple[int, int]:
    return max(face.y + gap, inside.y), min(face.bottom - gap, inside.bottom) - h


def _spots_in_rows(
    rows: Sequence[int], face: Rect, w: int, h: int, inside: Rect, avoided: Sequence[Rect]
) -> Iterator[Rect]:
    middle = min(max(face.x + (face.w - w) // 2, inside.x), inside.right - w)
    for y in rows:
        # In the middle, or beside what is in the way as long as half of it stays at the face.
        row = Rect(inside.x, y, inside.w, h)
        ways = [other for other in avoided if other.shared_area(row)]
        columns = [middle, *(r.right for r in ways), *(r.x - w for r in ways)]
        reach = (face.w + w) // 2 - min(face.w, w) // 2
        for x in sorted(columns, key=lambda column: abs(column - middle)):
            if abs(x - middle) <= reach:
                yield Rect(x, y, w, h)


def _spots_by_distance(
    label: Label, w: int, h: int, inside: Rect, gap: int, _avoided: Sequence[Rect]
) -> list[Rect]:
    # Steps of half the label's own size: coarse, but they find room wherever there is some.
    columns = range(inside.x, inside.right - w + 1, w // 2 + gap)
    rows = range(inside.y, inside.bottom - h + 1, h // 2 + gap)
    x, y = label.face.x + (label.face.w - w) / 2, label.face.y - h
    spots = [Rect(column, row, w, h) for row in rows for column in columns]
    return sorted(spots, key=lambda spot: math.hypot(spot.x - x, spot.y - y))


MOST_OF_FACE = 0.10
"""Share of any face that a panel may cover where there is no free side."""
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
        faces: seen parts of the faces.

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
