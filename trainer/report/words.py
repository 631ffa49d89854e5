"""Figures as people read them, and what each picture shows for those who do not see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realtime_mood.model.labels import LABELS
from trainer.evaluate import Measures
from trainer.metrics import RiskCoverage
from trainer.report.curves import Curves, best_of_folds, shown_shares
from trainer.report.pictures import telling_points
from trainer.streams import Timeline


def percent(value: float) -> str:
    """A share to a tenth of a percent."""
    return f"{100 * value:.1f} %"


def whole_percent(value: float) -> str:
    """A share to a percent."""
    return f"{100 * value:.0f} %"


def span(interval: tuple[float, float]) -> str:
    """An interval of shares."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def confusion_words(counts: Sequence[Sequence[float]]) -> str:
    """The share of each true label that is right.

    Args:
        counts: shape (labels, columns), the labels' own columns first.
    """
    return ", ".join(
        f"{label} {whole_percent(row[number] / sum(row))}"
        for number, (label, row) in enumerate(zip(LABELS, counts, strict=True))
        if sum(row)
    )


def risk_coverage_words(curve: RiskCoverage) -> str:
    """Both ends of the curve as it is drawn."""
    coverage, accuracy = telling_points(curve)
    return (
        f"accuracy is {whole_percent(accuracy[0])} for the surest {whole_percent(coverage[0])} of "
        f"the answers, {whole_percent(accuracy[-1])} for all"
    )


def reliability_words(measures: Measures) -> str:
    """The calibration error before the temperature and after it."""
    return (
        f"calibration error {measures.uncalibrated.calibration_error:.3f} before the temperature, "
        f"{measures.calibrated.calibration_error:.3f} after it"
    )


def bars_words(shares: Mapping[str, float]) -> str:
    """The highest and the lowest of some accuracies, by their names."""
    best, worst = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
    return (
        f"accuracy is highest for {best}, {whole_percent(shares[best])}, and lowest for {worst}, "
        f"{whole_percent(shares[worst])}"
    )


def shown_words(timelines: Sequence[Timeline]) -> str:
    """What is shown halfway and in the end of the time that is drawn."""
    times_s, shares = shown_shares(timelines)
    return "; ".join(
        f"after {times_s[n]:.1f} s {whole_percent(shares[0, n])} show the right label, "
        f"{whole_percent(shares[1, n])} a wrong one, {whole_percent(shares[2, n])} none"
        for n in (len(times_s) // 2, -1)
    )


def learning_words(stages: Sequence[Curves]) -> str:
    """The best step of each stage, or how far its loss fell."""
    parts = []
    for stage in stages:
        best, losses = stage.best_step, stage.loss or stage.validation_loss
        if best is not None:
            accuracy = whole_percent(dict(stage.accuracy)[best])
            parts.append(f"{stage.name}: best validation accuracy {accuracy} at step {best}")
        elif losses:
            parts.append(f"{stage.name}: loss {losses[0][1]:.2f} first, {losses[-1][1]:.2f} last")
    return "; ".join(parts)


def folds_words(folds: Mapping[str, Sequence[Curves]]) -> str:
    """The highest and the lowest of the folds' best validation accuracies."""
    return f"best validation {bars_words(best_of_folds(folds))}"
