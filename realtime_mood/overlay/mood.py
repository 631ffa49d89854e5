"""One face in more detail: eight bars, and the strip of its past moods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime_mood.frame import ImageBGR
from realtime_mood.model.labels import LABELS, UNSURE
from realtime_mood.overlay.faces import percent
from realtime_mood.overlay.geometry import Rect, Scale
from realtime_mood.overlay.palette import (
    LABEL_COLOURS,
    PLATE,
    QUIET,
    WHITE,
    Colour,
)
from realtime_mood.overlay.sprites import blend, glass, plate
from realtime_mood.overlay.text import NARROW_SPACE, Run, baseline_in, draw_line
from realtime_mood.view import HISTORY_S, STALE_S, FaceView

TRACK_OPACITY = 0.1
"""Of the empty part of a bar, white on the dark plate."""
FAINT = 0.30
"""Opacity of 'unsure' in the strip; of nothing at all it is 0."""
LEARNED = "•"
"""Beside 'neutral' where the face's own neutral expression was learned."""
LABELLED_TICK_S = 10.0
"""Seconds between two ticks with a number below them."""
TICK_S = 5.0
"""Seconds between two ticks."""


@dataclass(frozen=True)
class PanelSizes:
    """Measures of the panel of bars."""

    pad: int
    """From its edge to what it holds."""
    swatch: int
    """From a row's left edge to its name: a square of the label's colour, and a gap."""
    row: int
    """Height of one bar's row."""
    text: int
    """Text size."""
    names: int
    """Width of the column of names."""
    bars: int
    """Width of a full bar."""
    values: int
    """Width of the column of percents; 0 leaves it out."""
    title: int
    """Height of the title; 0 leaves it out."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the panel."""
        gaps = self.pad * (2 if self.values else 1) * 3 // 4
        width = 2 * self.pad + self.swatch + self.names + self.bars + self.values + gaps
        return width, 2 * self.pad + self.title + len(LABELS) * self.row


def panel_variants(scale: Scale, *, titled: bool) -> tuple[PanelSizes, ...]:
    """The panel's sizes, best first: with percents, and a narrow one without.

    Args:
        scale: sizes for the picture.
        titled: leave room for a title.
    """
    text = scale.small_text
    row = round(1.52 * text)
    names = max(Run(label, text, WHITE, bold=True).width for label in LABELS)
    values = Run(percent(1.0), text, WHITE, bold=True).width
    pad, title = scale.px(13, least=5), row if titled else 0
    swatch = _thickness(text) + round(0.5 * text)
    return (
        PanelSizes(pad, swatch, row, text, names, scale.px(96, least=40), values, title),
        PanelSizes(pad, swatch, row, text, names, scale.px(52, least=28), 0, title),
    )


def face_title(face: FaceView) -> str:
    """Whose bars or strip it is, where several faces are in sight."""
    return f"face {face.track_id}"


def draw_panel(image: ImageBGR, face: FaceView, place: Rect, sizes: PanelSizes) -> None:
    """Draw the eight bars of a face, in place.

    Args:
        image: the picture, written to.
        face: the face; it has a mood.
        place: where the panel goes, of `sizes.size`.
        sizes: its measures.
    """
    glass(image, place.x, place.y, place.w, place.h, sizes.pad)
    x, y = place.x + sizes.pad, place.y + sizes.pad
    if sizes.title:
        title = Run(face_title(face), sizes.text, QUIET)
        draw_line(image, (title,), x, baseline_in(y, sizes.row, sizes.text) - sizes.row // 8)
        y += sizes.title
    name_x = x + sizes.swatch
    bar_x = name_x + sizes.names + sizes.pad * 3 // 4
    thick = _thickness(sizes.text)
    assert face.mood is not None
    track = plate(sizes.bars, thick, thick / 2, WHITE, TRACK_OPACITY)
    for index, label in enumerate(LABELS):
        shown = face.label == label and not face.is_stale
        bar_colour = LABEL_COLOURS[UNSURE if face.is_stale else label]
        colour = WHITE if shown else QUIET
        baseline = baseline_in(y, sizes.row, sizes.text)
        word = f"{label} {LEARNED}" if label == "neutral" and face.has_neutral else label
        draw_line(image, (Run(word, sizes.text, colour, bold=shown),), name_x, baseline)
        bar_y = y + (sizes.row - thick + 1) // 2
        blend(image, plate(thick, thick, thick / 4, LABEL_COLOURS[label], 1.0), x, bar_y)
        blend(image, track, bar_x, bar_y)
        probability = face.mood.probabilities[index]
        _draw_bar(image, bar_colour, probability, Rect(bar_x, bar_y, sizes.bars, thick))
        if sizes.values:
            value = Run(percent(probability), sizes.text, colour, bold=shown)
            right = place.right - sizes.pad
            draw_line(image, (value,), right - value.width, baseline)
        y += sizes.row


def _thickness(text: int) -> int:
    """Of a bar beside text of that size."""
    return max(3, round(0.46 * text))


def _draw_bar(image: ImageBGR, colour: Colour, probability: float, full: Rect) -> None:
    length = round(probability * full.w)
    if length == 0:
        return
    # Shorter than it is thick, a bar is the start of a longer one, so that its length stays true.
    shape = plate(max(length, full.h), full.h, full.h / 2, colour, 1.0)
    blend(image, shape, full.x, full.y, width=length)


@dataclass(frozen=True)
class StripSizes:
    """Measures of the strip of past moods."""

    place: Rect
    """The whole plate."""
    band: Rect
    """The coloured band on it."""
    text: int
    """Size of the title and the numbers below the band; 0 leaves them out."""
    title: str = ""
    """Left of the band; empty where there is no text."""


MIN_STRIP_PX = 90
"""Narrower or lower than this a picture gets no strip."""
MIN_STRIP_TEXT_PX = 200
"""Narrower or lower than this the strip goes without text."""


def strip_sizes(scale: Scale, *, title: str = "") -> StripSizes | None:
    """Where the strip goes: along the bottom of the picture.

    Args:
        scale: sizes for the picture.
        title: whose strip it is; empty where that is clear.

    Returns:
        None when the picture is too small for one.
    """
    shorter_side = min(scale.width, scale.height)
    if shorter_side < MIN_STRIP_PX:
        return None
    text = scale.px(12.5, least=9) if shorter_side >= MIN_STRIP_TEXT_PX else 0
    pad, thick = scale.px(9, least=3), scale.px(12, least=4)
    low = pad + (round(1.25 * text) if text else 0)
    inside = scale.inside
    height = pad + thick + low
    place = Rect(inside.x, inside.bottom - height, inside.w, height)
    title = title if text else ""
    left = Run(title, text, QUIET).width + pad if title else 0
    band = Rect(place.x + pad + left, place.y + pad, place.w - 2 * pad - left, thick)
    return StripSizes(place, band, text, title)


def draw_strip(
    image: ImageBGR, history: Sequence[tuple[float, str]], now_s: float, sizes: StripSizes
) -> None:
    """Draw the moods of the last `HISTORY_S` seconds, in place; the right end is now.

    Args:
        image: the picture, written to.
        history: (media time in seconds, label or 'unsure') of each answer, oldest first; each holds
            until the next one, but for no more than `STALE_S`.
        now_s: media time of the right end.
        sizes: its measures.
    """
    place, band = sizes.place, sizes.band
    pad = place.right - band.right
    radius = pad + band.h / 2
    glass(image, place.x, place.y, place.w, place.h, radius)
    blend(image, plate(band.w, band.h, band.h / 2, WHITE, TRACK_OPACITY / 2), band.x, band.y)
    _draw_band(image, history, now_s, band)
    _draw_ticks(image, sizes)
    if sizes.title:
        title = Run(sizes.title, sizes.text, QUIET)
        draw_line(image, (title,), place.x + pad, baseline_in(band.y, band.h, sizes.text))


def _draw_band(
    image: ImageBGR, history: Sequence[tuple[float, str]], now_s: float, band: Rect
) -> None:
    if not history:
        return
    columns = now_s - HISTORY_S * (1.0 - (np.arange(band.w) + 0.5) / band.w)
    starts = np.asarray([start_s for start_s, _ in history])
    entry = np.searchsorted(starts, columns, side="right") - 1
    colours = np.asarray([LABEL_COLOURS[label] for _, label in history], dtype=np.float32)
    opacities = np.asarray(
        [FAINT if label == UNSURE else 1.0 for _, label in history], dtype=np.float32
    )
    is_known = (entry >= 0) & (columns < starts[entry] + STALE_S)
    opacity = np.where(is_known, opacities[entry], 0.0)
    # The ends are round: what the band's own shape leaves out, this leaves out too.
    shape = plate(band.w, band.h, band.h / 2, WHITE, 1.0).keep[..., 0]
    mask = (1.0 - shape / np.float32(255.0)) * opacity
    below = image[band.y : band.bottom, band.x : band.right]
    mixed = below + mask[..., None] * (colours[entry] - below)
    below[...] = np.rint(mixed).astype(np.uint8)


def _draw_ticks(image: ImageBGR, sizes: StripSizes) -> None:
    band = sizes.band
    line = max(1, round(band.h / 9))
    for step in range(1, math.ceil(HISTORY_S / TICK_S)):
        x = band.x + round(band.w * step * TICK_S / HISTORY_S)
        blend(image, plate(line, band.h, 0.0, PLATE, 0.55), x - line // 2, band.y)
    if not sizes.text:
        return
    baseline = sizes.place.bottom - max(3, round(0.5 * sizes.text))
    for step in range(math.floor(HISTORY_S / LABELLED_TICK_S) + 1):
        ago_s = HISTORY_S - step * LABELLED_TICK_S
        word = "now" if ago_s == 0 else f"−{ago_s:.0f}{NARROW_SPACE}s"
        run = Run(word, sizes.text, QUIET)
        x = band.x + round(band.w * step * LABELLED_TICK_S / HISTORY_S) - run.width // 2
        x = min(max(x, band.x), band.right - run.width)
        draw_line(image, (run,), x, baseline)
