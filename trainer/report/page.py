"""A report's folder: `index.html` with everything in it, each picture as PNG, `metrics.json`."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime_mood.errors import OutputError
from trainer.report.theme import DARK, DPI, LIGHT, Picture, to_png
from trainer.whole_files import write_whole

logger = logging.getLogger(__name__)

PAGE_FILE = "index.html"
CSS_DPI = 100
"""Pixels of a page to an inch of a picture, whose labels of 9 points are then 12.5 pixels high."""
METRICS_FILE = "metrics.json"
TEMPLATE = "page.html.j2"


@dataclass(frozen=True, kw_only=True)
class Card:
    """One figure that is seen at a glance."""

    name: str
    """What it is."""
    value: str
    """The figure."""
    note: str = ""
    """Its interval, or what it is compared with."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A picture with what it shows."""

    name: str
    """Of its file, without the suffix."""
    title: str
    """In words."""
    note: str
    """How to read it."""
    alt: str
    """What it shows, with figures, for those who do not see it."""
    picture: Picture
    """What draws it."""
    wide: bool = False
    """It takes the whole width."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; long ones are folded."""

    title: str
    """What it lists."""
    head: tuple[str, ...]
    """Names of the columns."""
    rows: tuple[tuple[str, ...], ...]
    """The first column names the row, the others are figures."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A recording that was answered wrongly."""

    name: str
    """Of the recording."""
    actor: str
    """Who is seen."""
    truth: str
    """The true label."""
    answer: str
    """The answer."""
    bars: tuple[tuple[str, float], ...]
    """Labels with their probabilities, the likeliest first."""
    jpeg: bytes
    """The frames of one clip, side by side."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page."""

    title: str
    """Its heading."""
    text: str = ""
    """What it is about."""
    cards: tuple[Card, ...] = ()
    """Figures on top."""
    panels: tuple[Panel, ...] = ()
    """Pictures."""
    tables: tuple[Table, ...] = ()
    """Below them."""
    examples: tuple[Example, ...] = ()
    """At the end."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A whole report."""

    title: str
    """Its name."""
    lead: str
    """What it is a report of, in a sentence."""
    warnings: tuple[str, ...] = ()
    """What a reader has to know before the figures."""
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values: data, model, command."""
    sections: tuple[Section, ...]
    """In order."""


def write_page(folder: Path, page: Page, metrics: Mapping[str, Any]) -> None:
    """Draw all pictures and write the folder; the page is written last.

    Args:
        folder: created when it does not exist.
        page: what to write.
        metrics: the content of `metrics.json`.

    Raises:
        OutputError: it cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trainer.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pictures = {}
        for panel in (panel for section in page.sections for panel in section.panels):
            light = to_png(panel.picture, LIGHT)
            write_whole(folder / f"{panel.name}.png", light)
            dark = to_png(panel.picture, DARK)
            width_px = int.from_bytes(light[16:20], "big")
            pictures[panel.name] = (
                _data_uri("png", light),
                _data_uri("png", dark),
                round(width_px * CSS_DPI / DPI),
            )
        text = json.dumps(metrics, indent=2, allow_nan=False) + "\n"
        write_whole(folder / METRICS_FILE, text)
        html = environment.get_template(TEMPLATE).render(
            page=page, pictures=pictures, jpeg_uri=lambda jpeg: _data_uri("jpeg", jpeg)
        )
        # A narrow space that does not break holds each figure and its sign together.
        write_whole(folder / PAGE_FILE, re.sub(r"(?<=\d) %", "\u202f%", html))
    except OSError as error:
        raise OutputError(
            f"the report cannot be written to {folder} ({error.strerror}); make room or choose "
            "another folder"
        ) from error
    logger.info("report written to %s", folder / PAGE_FILE)


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
