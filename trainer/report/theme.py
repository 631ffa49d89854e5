"""How pictures look: one theme on white, one for dark pages; nothing global is changed."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.typing import ColorType

DPI = 160
INKS = ("#000000", "#ffffff")
"""A theme's own two colours leave 3.8 on the middle of its heat."""
LAST_COLOURS = ("#8250df", "#1a7f37", "#bf3989", "#9a6700", "#57606a")


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours of a picture."""

    name: str
    """'light' or 'dark'."""
    background: str
    """Behind everything."""
    text: str
    """What is read."""
    quiet: str
    """Axes, ticks and what only explains."""
    grid: str
    """Lines to compare by."""
    main: str
    """What the picture is about."""
    second: str
    """What it is compared with."""
    wrong: str
    """What went wrong."""
    heat: tuple[str, str]
    """From nothing to all."""


LIGHT = Theme(
    name="light",
    background="#ffffff",
    text="#1f2328",
    quiet="#59636e",
    grid="#d9dee3",
    main="#2563c9",
    second="#d4762a",
    wrong="#c9372c",
    heat=("#f4f7fc", "#123f8c"),
)
DARK = Theme(
    name="dark",
    background="#151b23",
    text="#e6edf3",
    quiet="#9aa5b1",
    grid="#303943",
    main="#6ba4ff",
    second="#f0a35e",
    wrong="#f47067",
    heat=("#1c2735", "#8fbcff"),
)

Picture = Callable[[Theme], "Figure"]
"""Draws one picture in a theme."""


def new_figure(
    theme: Theme, width: float, height: float, *, wspace: float = 0.02, hspace: float = 0.02
) -> Figure:
    """An empty figure whose parts arrange themselves without overlapping.

    Args:
        theme: its background is taken.
        width: inches.
        height: inches.
        wspace: between panels beside each other, as a share of their width.
        hspace: between panels above each other, as a share of their height.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(wspace=wspace, hspace=hspace)
    return Figure(figsize=(width, height), dpi=DPI, facecolor=theme.background, layout=layout)


def dress(axes: Axes, theme: Theme, *, grid: str | None = "y") -> None:
    """Give axes the theme's colours.

    Args:
        axes: of a figure made by `new_figure`.
        theme: its colours.
        grid: 'x', 'y', 'both' or None.
    """
    axes.set_facecolor(theme.background)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.grid)
    axes.tick_params(colors=theme.quiet, labelcolor=theme.text, labelsize=9, length=3)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(theme.quiet)
        label.set_fontsize(9.5)
    axes.title.set_color(theme.text)
    axes.title.set_fontsize(10.5)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=theme.grid, linewidth=0.7)  # type: ignore[arg-type]


def legend(axes: Axes, theme: Theme, **options: Any) -> None:
    """A legend in the theme's colours."""
    axes.legend(
        frameon=True,
        framealpha=0.9,
        facecolor=theme.background,
        edgecolor=theme.grid,
        labelcolor=theme.text,
        fontsize=9,
        **options,
    )


def percent_ticks(axis: Axis) -> None:
    """Write the shares along an axis as whole percents."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0, symbol="\u202f%"))


def contrast(one: ColorType, other: ColorType) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2.2, `contrast ratio`)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(colour: ColorType) -> str:
    """Black or white, whichever is read better on a colour: its contrast is 4.58 at least."""
    return max(INKS, key=lambda ink: contrast(ink, colour))


def _luminance(colour: ColorType) -> float:
    """Relative luminance, from 0 to 1 (WCAG 2.2)."""
    from matplotlib.colors import to_rgb

    rgb = np.asarray(to_rgb(colour), dtype=np.float64)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def series_colours(theme: Theme, count: int) -> list[str]:
    """As many colours as there are lines; they repeat when there are more than seven."""
    colours = [theme.main, theme.second, *LAST_COLOURS]
    if theme.name == "dark":
        colours = [theme.main, theme.second, "#b392f0", "#56d364", "#f778ba", "#e3b341", "#9aa5b1"]
    return [colours[number % len(colours)] for number in range(count)]


def to_png(picture: Picture, theme: Theme) -> bytes:
    """Draw a picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # Its debug messages list every font of the machine.
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    figure = picture(theme)
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    # Without a date, two runs that measured the same leave the same file.
    figure.savefig(buffer, format="png", facecolor=theme.background, metadata={"Software": None})
    return buffer.getvalue()
