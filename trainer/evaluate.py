"""How good a model is on recordings of given actors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_mood.model.labels import LABELS
from trainer import metrics
from trainer.corpora.recording import list_actors
from trainer.crops import FaceCrops
from trainer.predictions import Predictions

CORNER = "true \\ answer"
PICTURES = "images:"
"""How the actors of pictures begin, which are unknown."""
COVERAGES = (1.0, 0.75, 0.5, 0.25)
"""Shares of the answers kept for which the accuracy is told."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How far confidences of single clips can be believed."""

    calibration_error: float
    """ECE of the likeliest label."""
    log_loss: float
    """Mean −ln(probability of the true label)."""
    brier_score: float
    """Mean squared distance from the truth, from 0 to 2."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Figures over a set of recordings; a recording's answer is the mean over its clips."""

    actors: tuple[str, ...]
    """Whose recordings; of pictures nobody knows."""
    recordings: int
    """How many."""
    accuracy: float
    """Share of recordings that is right (WAR)."""
    uar: float
    """Mean recall of the labels."""
    macro_f1: float
    """Mean F1 of the labels."""
    intervals: metrics.Intervals
    """95 % intervals of the three."""
    clip_accuracy: float
    """Share of single clips that is right."""
    per_actor: dict[str, float]
    """Accuracy of each actor; empty for pictures."""
    recall: dict[str, float | None]
    """Recall of each label; None where no recording has it."""
    predicted_share: dict[str, float]
    """Share of the answers that is each label."""
    confusion: list[list[int]]
    """Rows: true label; columns: answer; in the order of the label table."""
    impossible_labels: tuple[str, ...]
    """Labels that the data does not have and that were no answers."""
    chance: float
    """Accuracy of guessing among the labels that each recording could have."""
    calibrated: Calibration
    """With the temperature."""
    uncalibrated: Calibration
    """Without it."""
    accuracy_at_coverage: dict[str, float]
    """Accuracy when only this share of the answers is kept, the surest."""

    @property
    def actor_spread(self) -> float:
        """Standard deviation of the accuracy among such actors (over n - 1); 0 for one or none."""
        shares = list(self.per_actor.values())
        return float(np.std(shares, ddof=1)) if len(shares) > 1 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return asdict(self) | {"actor_spread": self.actor_spread}


def measure(predictions: Predictions, *, seed: int = 0) -> Measures:
    """Compute all figures.

    Args:
        predictions: of any recordings.
        seed: of the bootstrap.
    """
    labels, actors = predictions.labels, predictions.actors
    probabilities = predictions.probabilities()
    predicted = probabilities.argmax(axis=1)
    is_right = predicted == labels
    confusion = metrics.confusion_matrix(labels, predicted, len(LABELS))
    clips = predictions.clip_probabilities()
    kept = metrics.risk_coverage(probabilities.max(axis=1), is_right)
    names = tuple(sorted({str(actor) for actor in actors if not actor.startswith(PICTURES)}))
    # Pictures of nobody knows whom count as one actor, which gives Wilson's interval.
    owners = actors if names else np.full(len(actors), PICTURES)
    possible = np.asarray(predictions.known.any(axis=0))
    return Measures(
        actors=names,
        recordings=len(labels),
        accuracy=metrics.accuracy(confusion),
        uar=metrics.unweighted_recall(confusion),
        macro_f1=metrics.macro_f1(confusion),
        intervals=metrics.intervals(labels, predicted, owners, len(LABELS), seed=seed),
        clip_accuracy=float((clips.argmax(axis=2) == labels[:, None]).mean()),
        per_actor={name: float(is_right[actors == name].mean()) for name in names},
        recall=_named(metrics.recalls(confusion)),
        predicted_share={
            label: float(share)
            for label, share in zip(LABELS, confusion.sum(axis=0) / len(labels), strict=True)
        },
        confusion=confusion.tolist(),
        impossible_labels=tuple(
            label for label, is_possible in zip(LABELS, possible, strict=True) if not is_possible
        ),
        chance=float((1.0 / predictions.known.sum(axis=1)).mean()),
        calibrated=_calibration(clips, labels),
        uncalibrated=_calibration(predictions.clip_probabilities(calibrated=False), labels),
        accuracy_at_coverage={f"{share:g}": kept.accuracy_at(share) for share in COVERAGES},
    )


def _calibration(clips: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> Calibration:
    flat = clips.reshape(-1, len(LABELS))
    repeated = np.repeat(labels, clips.shape[1])
    return Calibration(
        calibration_error=metrics.calibration_error(flat, repeated),
        log_loss=metrics.log_loss(flat, repeated),
        brier_score=metrics.brier_score(flat, repeated),
    )


def fit_clip_temperature(
    answered: Sequence[tuple[npt.NDArray[np.float64], Sequence[FaceCrops]]],
) -> float:
    """Temperature of single clips, which are what the runtime calibrates.

    Args:
        answered: of each corpus, logits of shape (recordings, clips a recording, labels), and the
            recordings in the same order. Every corpus counts the same, however large it is.
    """
    logits, labels, weights = [], [], []
    for of_clips, recordings in answered:
        one = Predictions.of(of_clips, recordings, temperature=1.0)
        logits.append(one.possible_logits().reshape(-1, len(LABELS)))
        labels.append(np.repeat(one.labels, of_clips.shape[1]))
        weights.append(np.full(len(labels[-1]), 1.0 / len(labels[-1])))
    return metrics.fit_temperature(
        np.concatenate(logits), np.concatenate(labels), weights=np.concatenate(weights)
    )


def note_of_temperature(temperature: float) -> tuple[str, ...]:
    """What a reader has to know of a model that knows nothing."""
    if temperature < 0.95 * metrics.HIGHEST_TEMPERATURE:
        return ()
    return (
        f"the temperature is {temperature:.0f}, as high as it may be: the model's answers are "
        "hardly better than chance, and it will be unsure of all of them",
    )


def as_text(name: str, measures: Measures) -> str:
    """The figures for people: a few lines and the confusion matrix."""
    seen = f"recordings of {list_actors(measures.actors)}" if measures.actors else "pictures"
    kept = ", ".join(
        f"{value:.1%} of the surest {float(share):.0%}"
        for share, value in measures.accuracy_at_coverage.items()
        if share != "1"
    )
    low, high = measures.intervals.accuracy
    lines = [
        f"{name}: {measures.recordings} {seen}",
        f"  accuracy (WAR) {measures.accuracy:.1%}, 95 % interval {low:.1%} to {high:.1%} "
        f"({measures.intervals.way}); chance is {measures.chance:.1%}",
        f"  UAR {measures.uar:.1%}, macro F1 {measures.macro_f1:.1%}, "
        f"single clips {measures.clip_accuracy:.1%}",
        f"  right are {kept}",
        f"  calibration error {measures.calibrated.calibration_error:.3f} "
        f"({measures.uncalibrated.calibration_error:.3f} without temperature)",
    ]
    if measures.per_actor:
        shares = ", ".join(f"{actor} {share:.1%}" for actor, share in measures.per_actor.items())
        spread = f"; spread (SD) {100 * measures.actor_spread:.1f} points"
        lines.append(f"  actors: {shares}{spread if len(measures.per_actor) > 1 else ''}")
    if measures.impossible_labels:
        lines.append(
            f"  no answers, for the data has none: {', '.join(measures.impossible_labels)}"
        )
    return "\n".join([*lines, "", confusion_text(measures.confusion)])


def confusion_text(confusion: Sequence[Sequence[int]]) -> str:
    """The matrix with its labels; rows are true labels, columns answers."""
    header = f"{CORNER:>13} " + " ".join(f"{label[:5]:>5}" for label in LABELS)
    rows = [
        f"{label:>13} " + " ".join(f"{count:>5}" for count in row)
        for label, row in zip(LABELS, confusion, strict=True)
    ]
    return "\n".join([header, *rows])


def _named(values: npt.NDArray[np.float64]) -> dict[str, float | None]:
    return {
        label: None if np.isnan(value) else float(value)
        for label, value in zip(LABELS, values, strict=True)
    }
