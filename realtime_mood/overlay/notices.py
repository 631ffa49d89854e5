"""Short texts on dark plates: the numbers in the corner, the message, the recording sign."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_mood.frame import ImageBGR
from realtime_mood.overlay.geometry import Rect, Scale
from realtime_mood.overlay.palette import (
    QUIET,
    RECORDING_RED,
    WHITE,
)
from realtime_mood.overlay.sprites import blend, glass, plate
from realtime_mood.overlay.text import (
    NARROW_SPACE,
    Line,
    Run,
    baseline_in,
    draw_line,
    line_width,
    wrapped,
)
from realtime_mood.view import HudView

NO_FACE = "no face"
"""Shown while there is no face in the picture."""
MESSAGE_LINES = 4


@dataclass(frozen=True)
class Notice:
    """Lines of text on one plate."""

    place: Rect
    """The plate."""
    lines: tuple[Line, ...]
    """From top to bottom."""
    row: int
    """Height of one line."""
    pad: int
    """From the plate's left edge to the text."""
    dot: int = 0
    """Diameter of a red dot before the text; 0 for none."""


def draw_notice(image: ImageBGR, notice: Notice) -> None:
    """Draw a plate with its text, in place.

    Args:
        image: the picture, written to.
        notice: what to draw and where.
    """
    place = notice.place
    glass(image, place.x, place.y, place.w, place.h, notice.row / 2)
    x = place.x + notice.pad
    if notice.dot:
        sign = plate(notice.dot, notice.dot, notice.dot / 2, RECORDING_RED, 1.0)
        blend(image, sign, x, place.y + (place.h - notice.dot) // 2)
        x += 2 * notice.dot
    top = place.y + (place.h - len(notice.lines) * notice.row) // 2
    for line in notice.lines:
        draw_line(image, line, x, baseline_in(top, notice.row, line[0].size))
        top += notice.row


def recording_notice(recording_s: float, scale: Scale) -> Notice | None:
    """The red dot with the time recorded so far, for the top right corner.

    Args:
        recording_s: seconds recorded.
        scale: sizes for the picture.

    Returns:
        None when the picture has no room for it.
    """
    minutes, seconds = divmod(int(max(recording_s, 0.0)), 60)
    size = scale.small_text
    line = (Run(f"REC  {minutes:02d}:{seconds:02d}", size, WHITE, bold=True),)
    row, pad, dot = _row(size), round(0.7 * size), round(0.62 * size)
    width = line_width(line) + 2 * pad + 2 * dot
    inside = scale.inside
    if width > inside.w or row > inside.h:
        return None
    return Notice(Rect(inside.right - width, inside.y, width, row), (line,), row, pad, dot)


def toast(text: str, scale: Scale, *, bottom: int, quiet: bool = False) -> Notice | None:
    """A message in the middle, near the bottom.

    Args:
        text: what to say; on no more than MESSAGE_LINES lines, and shortened if it is too long.
        scale: sizes for the picture.
        bottom: row where the plate ends.
        quiet: small and grey instead of large and white.

    Returns:
        None when the picture has no room for it.
    """
    size = scale.small_text if quiet else scale.text
    row, pad = _row(size), round(0.8 * size)
    inside = scale.inside
    most = min(MESSAGE_LINES, (bottom - inside.y) // row)
    fitting = wrapped(text, size=size, bold=not quiet, width=inside.w - 2 * pad, most=most)
    if not fitting:
        return None
    lines = tuple((Run(one, size, QUIET if quiet else WHITE, bold=not quiet),) for one in fitting)
    width = max(map(line_width, lines)) + 2 * pad
    x = inside.x + (inside.w - width) // 2
    pitch = round(1.35 * size)
    height = row + (len(lines) - 1) * pitch
    place = Rect(x, bottom - height, width, height)
    return Notice(place, lines, pitch if len(lines) > 1 else row, pad)


def hud_notice(hud: HudView, scale: Scale, *, kept_right: int) -> Notice | None:
    """The numbers, for the top left corner; as many as the picture has room for.

    Args:
        hud: the numbers.
        scale: sizes for the picture.
        kept_right: columns at the right that belong to the recording sign.

    Returns:
        None when there is no room at all.
    """
    size = scale.px(13, least=9)
    row, pad = round(1.45 * size), round(0.7 * size)
    inside = scale.inside
    width = inside.w - kept_right - 2 * pad
    # The numbers may take two lines, and no more than an eighth of the picture's height.
    rows = min(2, int(scale.height / 8 / row))
    for items in (_named_items(hud, size), _bare_items(hud, size)):
        lines = _flowed(items, width, size)
        if lines and len(lines) <= rows:
            break
    else:
        lines = lines[: max(rows, 1)]
    if not lines or row * len(lines) > inside.h // 2:
        return None
    height = row * len(lines) + (row - size) // 3
    widest = max(line_width(line) for line in lines)
    return Notice(Rect(inside.x, inside.y, widest + 2 * pad, height), lines, row, pad)


def _row(size: int) -> int:
    return round(1.7 * size)


def _item(name: str, value: str, unit: str, size: int) -> Line:
    runs = [Run(f"{name} ", size, QUIET)] if name else []
    runs.append(Run(value, size, WHITE, bold=True))
    if unit:
        runs.append(Run(f"{NARROW_SPACE}{unit}", size, QUIET))
    return tuple(runs)


def _named_items(hud: HudView, size: int) -> list[Line]:
    rates = (
        ("capture", hud.capture_hz),
        ("display", hud.display_hz),
        ("inference", hud.inference_hz),
    )
    items = [_item(name, f"{hz:.1f}", "Hz", size) for name, hz in rates if hz is not None]
    if hud.age_s is not None:
        items.append(_item("age", f"{1000.0 * hud.age_s:.0f}", "ms", size))
    items.append(_item("dropped", str(hud.dropped_frames), "", size))
    items.append(_item("skipped", str(hud.skipped_clips), "", size))
    if hud.engine is not None:
        items.append((Run(hud.engine, size, QUIET),))
    return items


def _bare_items(hud: HudView, size: int) -> list[Line]:
    rates = (hud.capture_hz, hud.display_hz, hud.inference_hz)
    known = [f"{hz:.0f}" for hz in rates if hz is not None]
    items = [_item("", "/".join(known), "Hz", size)] if known else []
    if hud.age_s is not None:
        items.append(_item("", f"{1000.0 * hud.age_s:.0f}", "ms", size))
    return items


def _flowed(items: list[Line], width: int, size: int) -> tuple[Line, ...]:
    between = Run("   ", size, QUIET)
    lines: list[Line] = []
    for item in items:
        if line_width(item) > width:
            continue
        if lines and line_width((*lines[-1], between, *item)) <= width:
            lines[-1] = (*lines[-1], between, *item)
        else:
            lines.append(item)
    return tuple(lines)
