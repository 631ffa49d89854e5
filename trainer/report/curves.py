"""Pictures over time: how learning went, and what is shown while a recording runs."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import first_line
from realtime_mood.model.labels import LABELS, UNSURE
from trainer.fit import HISTORY_FILE
from trainer.report.theme import (
    Picture,
    Theme,
    dress,
    legend,
    new_figure,
    percent_ticks,
    series_colours,
)
from trainer.streams import Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

TIME_STEP_S = 0.05
LEAST_RUNNING = 0.5
"""The share of the recordings that must still run: the longest alone say nothing of the others."""
LEAST_SHARES = 0.1
"""That an axis of percent spans, or else its ticks are the same whole numbers."""


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What the Hugging Face Trainer logged of one stage, as points (step, value)."""

    name: str
    """Of the stage."""
    loss: tuple[tuple[int, float], ...]
    """In training."""
    validation_loss: tuple[tuple[int, float], ...]
    """Empty where nothing was validated."""
    accuracy: tuple[tuple[int, float], ...]
    """Of the validation recordings."""
    uar: tuple[tuple[int, float], ...]
    """Of the validation recordings."""

    @property
    def best_step(self) -> int | None:
        """The first step with the highest validation accuracy; before step 1 nothing is kept."""
        kept = [(step, value) for step, value in self.accuracy if step]
        best = max((value for _, value in kept), default=None)
        return next((step for step, value in kept if value == best), None)


def read_history(run_folder: Path) -> list[Curves]:
    """The curves of every stage in a run folder, in the order they were finished.

    Stages that kept none are left out, and, with a line, those whose file is damaged.
    """
    files = [path for path in run_folder.glob(f"*/{HISTORY_FILE}") if path.is_file()]
    files.sort(key=lambda path: (path.stat().st_mtime_ns, path))
    curves = []
    for path in files:
        try:
            curves.append(curves_of(path.parent.name, json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError) as error:
            logger.warning("no curves of %s: it cannot be read (%s)", path, first_line(error))
    return curves


def curves_of(name: str, log_history: Sequence[Mapping[str, Any]]) -> Curves:
    """The curves of one stage.

    Args:
        name: of the stage.
        log_history: as the Trainer keeps it.
    """

    def points(key: str) -> tuple[tuple[int, float], ...]:
        found = {int(e["step"]): float(e[key]) for e in log_history if key in e and "step" in e}
        return tuple(sorted(found.items()))

    return Curves(
        name=name,
        loss=points("loss"),
        validation_loss=points("eval_loss"),
        accuracy=points("eval_accuracy"),
        uar=points("eval_uar"),
    )


def learning_picture(stages: Sequence[Curves]) -> Picture | None:
    """Loss and validation accuracy of each stage, one row a stage; None without any."""
    shown = [stage for stage in stages if stage.loss or stage.validation_loss]
    if not shown:
        return None

    def draw(theme: Theme) -> Figure:
        figure = new_figure(theme, 9.2, 3.1 * len(shown), wspace=0.05, hspace=0.08)
        grid = figure.add_gridspec(len(shown), 2)
        for row, stage in enumerate(shown):
            left = figure.add_subplot(grid[row, 0] if stage.accuracy else grid[row, :])
            dress(left, theme)
            _line(left, stage.loss, theme.main, "training")
            _line(left, stage.validation_loss, theme.second, "validation")
            left.set_title(f"{stage.name}: loss")
            left.set_xlabel("step")
            legend(left, theme)
            if not stage.accuracy:
                continue
            right = figure.add_subplot(grid[row, 1])
            dress(right, theme)
            _line(right, stage.accuracy, theme.main, "accuracy (WAR)")
            _line(right, stage.uar, theme.second, "UAR")
            right.axhline(1 / len(LABELS), color=theme.quiet, linewidth=1, linestyle=(0, (4, 3)))
            _percent(right)
            if (best := stage.best_step) is not None:
                right.axvline(best, color=theme.quiet, linewidth=1, label=f"best: step {best}")
            right.set_title(f"{stage.name}: validation recordings")
            right.set_xlabel("step")
            legend(right, theme)
        return figure

    return draw


def folds_picture(folds: Mapping[str, Sequence[Curves]]) -> Picture | None:
    """Validation accuracy of the last stage of each fold over its steps; None without any."""
    lines = _validated(folds)
    if not lines:
        return None

    def draw(theme: Theme) -> Figure:
        figure = new_figure(theme, 7.4, 3.6)
        axes = figure.add_subplot()
        dress(axes, theme)
        colours = series_colours(theme, len(lines))
        for (name, points), colour in zip(lines.items(), colours, strict=True):
            _line(axes, points, colour, name)
        axes.axhline(1 / len(LABELS), color=theme.quiet, linewidth=1, linestyle=(0, (4, 3)))
        _percent(axes)
        axes.set_xlabel("step")
        axes.set_ylabel("accuracy on validation actors")
        legend(axes, theme, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
        return figure

    return draw


def best_of_folds(folds: Mapping[str, Sequence[Curves]]) -> dict[str, float]:
    """The highest validation accuracy of the last stage of each fold that has one."""
    return {name: max(dict(points).values()) for name, points in _validated(folds).items()}


def _validated(folds: Mapping[str, Sequence[Curves]]) -> dict[str, tuple[tuple[int, float], ...]]:
    """Validation accuracy of the last stage of each fold that has one."""
    found = {name: [s.accuracy for s in stages if s.accuracy] for name, stages in folds.items()}
    return {name: accuracies[-1] for name, accuracies in found.items() if accuracies}


def shown_shares(
    timelines: Sequence[Timeline],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How many recordings show the right label, a wrong one, or none, while at least half run.

    Args:
        timelines: of single recordings.

    Returns:
        Times since the first frame with a face, seconds, shape (times,); shares of the recordings
        that still run then, shape (3, times).
    """
    longest_s = max(float(timeline.stream.times_s[-1]) for timeline in timelines)
    times_s = np.arange(0.0, longest_s + TIME_STEP_S, TIME_STEP_S)
    counts = np.zeros((3, len(times_s)))
    for timeline in timelines:
        truth = LABELS[timeline.stream.parts[0].recording.label]
        states = (UNSURE, *timeline.shown)
        runs = times_s <= timeline.stream.times_s[-1] + 1e-9
        position = np.searchsorted(timeline.ends_s, times_s[runs], side="right")
        kinds = np.array([0 if s == truth else 1 if s != UNSURE else 2 for s in states])
        counts[kinds[position], np.flatnonzero(runs)] += 1
    running = counts.sum(axis=0)
    enough = running >= LEAST_RUNNING * len(timelines)
    return times_s[enough], counts[:, enough] / running[enough]


def shown_picture(timelines: Sequence[Timeline]) -> Picture:
    """Share of the recordings that show the right label, a wrong one, or none, by time."""
    times_s, shares = shown_shares(timelines)

    def draw(theme: Theme) -> Figure:
        figure = new_figure(theme, 7.4, 3.4)
        axes = figure.add_subplot()
        dress(axes, theme, grid=None)
        axes.stackplot(
            times_s,
            shares,
            colors=[theme.main, theme.wrong, theme.grid],
            labels=["right", "wrong", "unsure"],
            edgecolor=theme.background,
            linewidth=1.2,
        )
        axes.set_xlim(0, float(times_s[-1]))
        axes.set_ylim(0, 1)
        _percent(axes)
        axes.set_xlabel("seconds since the first frame with a face")
        axes.set_ylabel("share of those that still run")
        legend(axes, theme, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
        return figure

    return draw


def _line(axes: Axes, points: Sequence[tuple[int, float]], colour: str, name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    if not points:
        return
    marker = "o" if len(points) <= 25 else None
    steps, values = zip(*points, strict=True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.plot(steps, values, color=colour, linewidth=1.7, marker=marker, markersize=3, label=name)


def _percent(axes: Axes) -> None:
    low, high = axes.get_ylim()
    if high - low < LEAST_SHARES:
        middle = min(max((low + high) / 2, LEAST_SHARES / 2), 1.0)
        axes.set_ylim(middle - LEAST_SHARES / 2, middle + LEAST_SHARES / 2)
    percent_ticks(axes.yaxis)
