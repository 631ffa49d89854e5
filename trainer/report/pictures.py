"""The pictures of a report; each function answers one that can be drawn in any theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from realtime_mood.model.labels import LABELS
from trainer import metrics
from trainer.evaluate import Measures
from trainer.predictions import Predictions
from trainer.report.theme import Picture, Theme, dress, ink_on, legend, new_figure, percent_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ACTORS = 120
"""More bars than this cannot be told apart."""
LEGIBLE_BARS = 30
LABEL_TOP = 0.08
"""The accuracy of a bar that just holds its figure."""
FEWEST_KEPT = 10
"""The share that is right of fewer answers says nothing."""
FAINT = 0.35
"""How opaque is what says nothing."""


def confusion_picture(
    counts: npt.NDArray[np.float64] | Sequence[Sequence[float]],
    columns: Sequence[str] = LABELS,
    *,
    unit: str = "recordings",
) -> Picture:
    """Shares of each true label as a heat map, with the counts behind them.

    Args:
        counts: shape (labels, columns).
        columns: names of the answers.
        unit: of the counts.
    """
    table = np.asarray(counts, dtype=np.float64)

    def draw(theme: Theme) -> Figure:
        from matplotlib.colors import LinearSegmentedColormap
        from matplotlib.patches import Rectangle

        figure = new_figure(theme, 0.9 + 0.72 * len(columns), 5.6)
        axes = figure.add_subplot()
        totals = table.sum(axis=1, keepdims=True)
        shares = np.where(totals > 0, table / np.maximum(totals, 1e-12), np.nan)
        heat = LinearSegmentedColormap.from_list("heat", theme.heat)
        x, y = np.arange(len(columns) + 1) - 0.5, np.arange(len(table) + 1) - 0.5
        axes.pcolormesh(x, y, np.nan_to_num(shares), cmap=heat, vmin=0.0, vmax=1.0)
        axes.invert_yaxis()
        dress(axes, theme, grid=None)
        for row, column in np.argwhere(table > 0):
            share = shares[row, column]
            axes.text(
                column,
                row,
                f"{_whole(100 * share)}\u202f%\n({_whole(table[row, column])})",
                ha="center",
                va="center",
                fontsize=8,
                color=ink_on(heat(share)),
            )
        for n in range(len(table)):
            box: dict[str, Any] = {"fill": False, "edgecolor": theme.second, "linewidth": 1.3}
            axes.add_patch(Rectangle((n - 0.5, n - 0.5), 1.0, 1.0, clip_on=False, **box))
        axes.set_xticks(
            range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor"
        )
        axes.set_yticks(
            range(len(LABELS)),
            [
                f"{label} ({_whole(total)})"
                for label, total in zip(LABELS, totals[:, 0], strict=True)
            ],
        )
        axes.set_xlabel("answer")
        axes.set_ylabel(f"true label ({unit})")
        return figure

    return draw


def _whole(value: float) -> str:
    """A number without its fraction; what is there is never 0."""
    return "<1" if 0 < value < 1 else f"{value:.0f}"


def actors_picture(measures: Measures) -> Picture | None:
    """Accuracy of each actor, with the mean and its interval; None for one actor or very many."""
    names = sorted(measures.per_actor, key=lambda name: -measures.per_actor[name])
    if not 1 < len(names) <= MOST_ACTORS:
        return None

    def draw(theme: Theme) -> Figure:
        width = float(np.clip(2.6 + 0.3 * len(names), 6.5, 15.0))
        figure = new_figure(theme, width, 3.6)
        axes = figure.add_subplot()
        dress(axes, theme)
        low, high = measures.intervals.accuracy
        axes.axhspan(low, high, color=theme.second, alpha=0.22, label="95 % interval of the mean")
        axes.axhline(measures.accuracy, color=theme.second, linewidth=1.5, label="all recordings")
        axes.axhline(
            measures.chance, color=theme.quiet, linewidth=1, linestyle=(0, (4, 3)), label="chance"
        )
        values = [measures.per_actor[name] for name in names]
        axes.bar(range(len(names)), values, color=theme.main, width=0.72, zorder=1)
        if len(names) <= LEGIBLE_BARS:
            # At the foot, where neither the mean nor another bar crosses them.
            for position, value in enumerate(values):
                colour = theme.background if value > 0.09 else theme.text
                foot = 0.02 if value > 0.09 else value + 0.015
                axes.text(
                    position, foot, f"{100 * value:.0f}", ha="center", fontsize=8, color=colour
                )
        corpora = {name.partition(":")[0] for name in names}
        short = [name.rpartition(":")[2] for name in names] if len(corpora) == 1 else names
        is_crowded = len(names) > LEGIBLE_BARS or max(map(len, short)) > 4
        axes.set_xticks(range(len(names)), short, rotation=90 if is_crowded else 0)
        axes.tick_params(axis="x", labelsize=9 if len(names) <= 60 else 6)
        axes.set_xlim(-0.7, len(names) - 0.3)
        axes.set_ylim(0, 1)
        percent_ticks(axes.yaxis)
        axes.set_xlabel("actor")
        axes.set_ylabel("accuracy")
        legend(axes, theme, ncols=3, loc="lower right", bbox_to_anchor=(1.0, 1.01), borderaxespad=0)
        return figure

    return draw


def reliability_picture(predictions: Predictions) -> Picture:
    """How often single clips are right at each confidence, before and after the temperature."""
    labels = np.repeat(predictions.labels, predictions.logits.shape[1])

    def draw(theme: Theme) -> Figure:
        figure = new_figure(theme, 4.4, 6.4)
        panels = figure.subplots(4, 1, sharex=True, height_ratios=(3.2, 1, 3.2, 1))
        panels[3].sharey(panels[1])
        for (title, is_calibrated), (above, below) in zip(
            (("before the temperature", False), ("after it", True)),
            (panels[:2], panels[2:]),
            strict=True,
        ):
            clips = predictions.clip_probabilities(calibrated=is_calibrated)
            flat = clips.reshape(-1, len(LABELS))
            found = metrics.reliability(flat.max(axis=1), flat.argmax(axis=1) == labels)
            middle = (np.arange(metrics.ECE_BINS) + 0.5) / metrics.ECE_BINS
            width = 0.92 / metrics.ECE_BINS
            filled = found.counts > 0
            gap = np.where(filled, found.confidence - found.accuracy, 0.0)
            accuracy = np.where(filled, found.accuracy, 0.0)
            above.plot([0, 1], [0, 1], color=theme.quiet, linewidth=1, linestyle=(0, (4, 3)))
            bars = above.bar(middle, accuracy, width, color=theme.main, label="right")
            gaps = above.bar(
                middle,
                gap,
                width,
                accuracy,
                facecolor="none",
                edgecolor=theme.second,
                hatch="////",
                linewidth=0.9,
                label="gap to the confidence",
            )
            # The first bar, which the legend shows, is empty: no answer has less than 1/8.
            for n in np.flatnonzero(filled & (found.counts < FEWEST_KEPT)):
                bars[n].set_alpha(FAINT)
                gaps[n].set_alpha(FAINT)
            above.set_title(f"{title}: ECE {found.error:.3f}")
            below.bar(middle, found.counts, width, color=theme.quiet)
            for axes in (above, below):
                dress(axes, theme)
                axes.set_xlim(0, 1)
            percent_ticks(below.xaxis)
            percent_ticks(above.yaxis)
            above.set_ylim(0, 1)
            above.set_ylabel("share that is right")
            below.set_ylabel("clips")
        panels[-1].set_xlabel("confidence of the answer")
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(
            handles,
            names,
            loc="outside upper center",
            ncols=2,
            frameon=False,
            labelcolor=theme.text,
            fontsize=9,
        )
        return figure

    return draw


def telling_points(
    curve: metrics.RiskCoverage,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Coverage and accuracy without the points that too few answers make."""
    # Of a handful there is nothing else to show.
    tells = curve.kept >= min(FEWEST_KEPT, curve.kept.max() // 2)
    return curve.coverage[tells], curve.accuracy[tells]


def risk_coverage_picture(curve: metrics.RiskCoverage) -> Picture:
    """Accuracy of the surest answers, by how many of them are kept."""

    def draw(theme: Theme) -> Figure:
        figure = new_figure(theme, 4.4, 3.8)
        axes = figure.add_subplot()
        dress(axes, theme, grid="both")
        x, y = telling_points(curve)
        marker = "o" if len(x) <= FEWEST_KEPT else None
        axes.plot(x, y, color=theme.main, linewidth=1.8, marker=marker)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
        percent_ticks(axes.xaxis)
        percent_ticks(axes.yaxis)
        axes.set_xlabel("share of the answers that is kept, surest first")
        axes.set_ylabel("share of them that is right")
        return figure

    return draw


def folds_bars_picture(folds: Mapping[str, Measures]) -> Picture:
    """Accuracy of each fold with its interval.

    Args:
        folds: figures of the test actors by the fold's name.
    """

    def draw(theme: Theme) -> Figure:
        figure = new_figure(theme, float(np.clip(1.6 + 0.9 * len(folds), 5.0, 10.0)), 3.6)
        axes = figure.add_subplot()
        dress(axes, theme)
        values = np.array([fold.accuracy for fold in folds.values()])
        bounds = np.array([fold.intervals.accuracy for fold in folds.values()]).T
        errors = np.abs(bounds - values)
        style = {"ecolor": theme.second, "elinewidth": 1.6, "capsize": 4}
        axes.bar(range(len(folds)), values, 0.62, color=theme.main, yerr=errors, error_kw=style)
        for position, value in enumerate(values):
            axes.text(
                position,
                0.02,
                f"{100 * value:.1f}",
                ha="center",
                fontsize=8,
                color=theme.background if value > LABEL_TOP else theme.text,
            )
        chance = float(np.mean([fold.chance for fold in folds.values()]))
        axes.axhline(chance, color=theme.quiet, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_xticks(range(len(folds)), list(folds))
        axes.set_ylim(0, 1)
        percent_ticks(axes.yaxis)
        axes.set_ylabel("accuracy")
        return figure

    return draw
