"""What is drawn at a face: round corners and a label.

Both have the colour of the mood; of several faces, the label begins with the face's number. Without
an answer, or with an old one, they are grey.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime_mood.frame import ImageBGR
from realtime_mood.model.labels import UNSURE
from realtime_mood.overlay.geometry import Rect, Scale
from realtime_mood.overlay.palette import (
    INK,
    LABEL_COLOURS,
    PLATE,
    WHITE,
)
from realtime_mood.overlay.sprites import blend, bracket, plate, turned
from realtime_mood.overlay.text import (
    ELLIPSIS,
    NARROW_SPACE,
    Line,
    Run,
    baseline_in,
    draw_line,
    line_width,
)
from realtime_mood.view import FaceView

OLD_S = 0.5
"""A label at least this old tells its age."""
QUIETER = 0.9
"""Opacity of what stands beside the word: the number and the age."""


@dataclass(frozen=True)
class FaceDrawing:
    """One seen face with everything needed to draw it."""

    view: FaceView
    """The face as the session gave it."""
    seen: Rect
    """The part of its box that lies in the picture."""


def percent(probability: float) -> str:
    """A probability in whole percent, as text."""
    return f"{round(100.0 * probability)}{NARROW_SPACE}%"


def label_variants(face: FaceDrawing, *, scale: Scale, numbered: bool) -> tuple[Line, ...]:
    """The variants of a face's label, best first: with its confidence, and the word alone.

    The age of the label is added once it is old enough to matter. Before the first answer there is
    no word.

    Args:
        face: the face.
        scale: sizes for the picture.
        numbered: put the face's number in front.
    """
    mood, word = face.view.mood, face.view.label
    colour = INK if _has_colour(face.view) else WHITE

    def line(size: int, confidence: str) -> Line:
        number = [Run(f"{face.view.track_id}  ", size, colour, opacity=QUIETER)] if numbered else []
        tail = [Run(f"  {confidence}", size, colour)] if confidence else []
        age_s = face.view.label_age_s
        if age_s is not None and age_s >= OLD_S:
            tail.append(Run(f"  {age_s:.1f}{NARROW_SPACE}s ago", size, colour, opacity=QUIETER))
        return (*number, Run(word if mood else ELLIPSIS, size, colour, bold=True), *tail)

    full = line(scale.text, percent(mood.confidence) if mood and word != UNSURE else "")
    small = line(scale.small_text, "")
    # A label much wider than its face says too loudly what is small in the picture.
    too_wide = pill_size(full)[0] > 1.6 * face.seen.w
    return (small, full) if too_wide else (full, small)


def pill_size(line: Line) -> tuple[int, int]:
    """(width, height) of a label with this text."""
    size = line[0].size
    return line_width(line) + round(1.3 * size), round(1.62 * size)


def _has_colour(face: FaceView) -> bool:
    return face.label != UNSURE and not face.is_stale


def draw_brackets(image: ImageBGR, face: FaceDrawing, scale: Scale) -> None:
    """Draw the four round corners around a face, in place.

    Args:
        image: the picture, written to.
        face: the face.
        scale: sizes for the picture.
    """
    shorter = min(face.seen.w, face.seen.h)
    stroke = min(scale.px(3.6, least=2), max(1.0, shorter / 10))
    rim = scale.px(2.5)
    # Steps of four pixels: a box that breathes a little keeps using the same sprites.
    arm = max(2, min(shorter // 5, scale.px(44)) // 4 * 4)
    radius = min(arm, max(1, min(scale.px(16), shorter // 8)))
    colour = LABEL_COLOURS[face.view.label if _has_colour(face.view) else UNSURE]
    corner = bracket(arm, radius, float(stroke), colour, rim)
    # The line's outer edge follows the face; the rim lies around it.
    size = corner.keep.shape[0]
    left, top = face.seen.x - rim, face.seen.y - rim
    right, bottom = face.seen.right + rim - size, face.seen.bottom + rim - size
    for x, is_right in ((left, False), (right, True)):
        for y, is_bottom in ((top, False), (bottom, True)):
            blend(image, turned(corner, left_right=is_right, top_bottom=is_bottom), x, y)


def draw_label(image: ImageBGR, face: FaceDrawing, line: Line, rect: Rect, scale: Scale) -> None:
    """Draw a face's label, in place.

    Args:
        image: the picture, written to.
        face: the face.
        line: the label's text.
        rect: where it goes.
        scale: sizes for the picture.
    """
    named = _has_colour(face.view)
    colour = LABEL_COLOURS[face.view.label] if named else PLATE
    rim = scale.px(2.5)
    shape = plate(rect.w, rect.h, rect.h / 2, colour, 1.0 if named else 0.82, rim)
    blend(image, shape, rect.x - rim, rect.y - rim)
    x = rect.x + (rect.w - line_width(line)) // 2
    draw_line(image, line, x, baseline_in(rect.y, rect.h, line[0].size))
