"""Text: Pillow draws it once into a mask, which is kept and blended from then on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from realtime_mood.frame import ImageBGR
from realtime_mood.overlay.palette import Colour
from realtime_mood.overlay.sprites import Sprite, blend

FONT_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "fonts"
"""A subset of Inter in two weights, with its licence; digits all have one width."""
CAP_HEIGHT = 0.727
"""Height of a capital or a digit, in units of the text size (Inter: 2048 of 2816 units per em)."""
NARROW_SPACE = "\u202f"
"""Between a number and its unit; does not break."""
SPACE = re.compile(r"[ \t\r\n]+")
ELLIPSIS = "…"
"""What stands for text left out."""


@dataclass(frozen=True)
class Run:
    """Text of one size, weight and colour."""

    text: str
    """One line; characters the font lacks show as a box."""
    size: int
    """Pixels per em."""
    colour: Colour
    """Of the letters."""
    bold: bool = False
    """SemiBold instead of Regular."""
    opacity: float = 1.0
    """From 0 to 1."""

    @property
    def width(self) -> int:
        """Pixels from its start to the start of what follows."""
        return round(_length(self.text, self.size, self.bold))


Line = tuple[Run, ...]
"""Runs that follow one another on one baseline."""


@dataclass(frozen=True, eq=False)
class _Letters:
    sprite: Sprite
    left: int
    top: int


def line_width(line: Line) -> int:
    """Pixels that the runs of a line take together."""
    return sum(run.width for run in line)


def baseline_in(top: int, height: int, size: int) -> int:
    """The baseline that centres capitals and digits between two edges.

    Args:
        top: row of the upper edge.
        height: rows down to the lower edge.
        size: text size in pixels per em.
    """
    return round(top + (height + CAP_HEIGHT * size) / 2)


def draw_line(image: ImageBGR, line: Line, x: int, baseline: int) -> None:
    """Draw runs one after the other on one baseline, in place.

    Args:
        image: the picture, written to.
        line: what to write.
        x: column where the first run starts.
        baseline: row on which the letters stand.
    """
    for run in line:
        letters = _letters(run)
        blend(image, letters.sprite, x + letters.left, baseline + letters.top)
        x += run.width


def shortened(text: str, *, size: int, bold: bool, width: int) -> str:
    """The text, or as much of its start as fits, with an ellipsis after it.

    Args:
        text: one line.
        size: pixels per em.
        bold: SemiBold instead of Regular.
        width: pixels there are; the result may be empty.
    """
    if _length(text, size, bold) <= width:
        return text
    kept = text
    while kept and _length(kept + ELLIPSIS, size, bold) > width:
        kept = kept[:-1].rstrip()
    return kept + ELLIPSIS if kept else ""


def wrapped(text: str, *, size: int, bold: bool, width: int, most: int) -> list[str]:
    """The text in lines of whole words; the last one is shortened if there are too few.

    Args:
        text: words, whatever space is between them; no-break spaces are part of a word.
        size: pixels per em.
        bold: SemiBold instead of Regular.
        width: pixels there are.
        most: lines there are.

    Returns:
        No lines where nothing fits.
    """
    lines: list[str] = []
    words = SPACE.split(text.strip())
    while words and len(lines) < most:
        is_last = len(lines) == most - 1
        count = 1
        while count < len(words) and (
            is_last or _length(" ".join(words[: count + 1]), size, bold) <= width
        ):
            count += 1
        line = shortened(" ".join(words[:count]), size=size, bold=bold, width=width)
        if not line:
            break
        lines.append(line)
        words = words[count:]
    return lines


def _oversampling(size: int) -> int:
    # Small letters, hinted to whole pixels, are spaced unevenly; drawn larger and shrunk, evenly.
    return 4 if size < 20 else 2 if size < 40 else 1


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    name = "mood-sans-semibold.otf" if bold else "mood-sans-regular.otf"
    # The basic layout is the one that every Pillow has, so pictures are alike everywhere.
    return ImageFont.truetype(str(FONT_FOLDER / name), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=2048)
def _length(text: str, size: int, bold: bool) -> float:
    factor = _oversampling(size)
    return _font(size * factor, bold).getlength(text) / factor


@lru_cache(maxsize=512)
def _letters(run: Run) -> _Letters:
    factor = _oversampling(run.size)
    font = _font(run.size * factor, run.bold)
    x0, y0, x1, y1 = font.getbbox(run.text, anchor="ls")
    left, top = int(np.floor(x0 / factor)), int(np.floor(y0 / factor))
    width = max(1, int(np.ceil(x1 / factor)) - left)
    height = max(1, int(np.ceil(y1 / factor)) - top)
    canvas = Image.new("L", (width * factor, height * factor))
    ImageDraw.Draw(canvas).text(
        (-left * factor, -top * factor), run.text, fill=255, font=font, anchor="ls"
    )
    large = np.asarray(canvas, dtype=np.float32) / np.float32(255.0)
    mask = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    opacity = np.asarray(mask, dtype=np.float32) * np.float32(run.opacity)
    return _Letters(Sprite.of(opacity, run.colour), left, top)
