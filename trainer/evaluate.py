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

CORNER = "true \\ answer"


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Figures over a set of recordings; a recording's answer is the mean over its clips."""

    actors: tuple[str, ...]
    """Whose recordings."""
    recordings: int
    """How many."""
    accuracy: float
    """Share of recordings that is right (WAR)."""
    accuracy_interval: tuple[float, float]
    """95 % bootstrap interval over actors."""
    uar: float
    """Mean recall of the labels."""
    macro_f1: float
    """Mean F1 of the labels."""
    clip_accuracy: float
    """Share of single clips that is right."""
    per_actor: dict[str, float]
    """Accuracy of each actor."""
    recall: dict[str, float]
    """Recall of each label."""
    predicted_share: dict[str, float]
    """Share of the answers that is each label."""
    confusion: list[list[int]]
    """Rows: true label; columns: answer; in the order of the label table."""
    calibration_error: float
    """ECE of single clips with the temperature."""
    calibration_error_uncalibrated: float
    """ECE of single clips without it."""

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return asdict(self)


def measure(
    logits: npt.NDArray[np.float64],
    recordings: Sequence[FaceCrops],
    *,
    temperature: float,
    seed: int,
) -> Measures:
    """Compute all figures.

    Args:
        logits: shape (recordings, clips a recording, labels).
        recordings: in the same order.
        temperature: logits are divided by it.
        seed: of the bootstrap.
    """
    labels = np.array([crops.recording.label for crops in recordings])
    actors = np.array([crops.recording.actor for crops in recordings])
    clips = metrics.softmax(logits, temperature)
    predicted = clips.mean(axis=1).argmax(axis=1)
    confusion = metrics.confusion_matrix(labels, predicted, len(LABELS))
    clip_labels = np.repeat(labels, logits.shape[1])
    flat = clips.reshape(-1, len(LABELS))
    plain = metrics.softmax(logits).reshape(-1, len(LABELS))
    is_right = predicted == labels
    shares = confusion.sum(axis=0) / confusion.sum()
    return Measures(
        actors=tuple(str(actor) for actor in np.unique(actors)),
        recordings=len(recordings),
        accuracy=metrics.accuracy(confusion),
        accuracy_interval=metrics.bootstrap_over_actors(is_right, actors, seed=seed),
        uar=metrics.unweighted_recall(confusion),
        macro_f1=metrics.macro_f1(confusion),
        clip_accuracy=float((flat.argmax(axis=1) == clip_labels).mean()),
        per_actor={
            str(actor): float(is_right[actors == actor].mean()) for actor in np.unique(actors)
        },
        recall=_named(metrics.recalls(confusion)),
        predicted_share=_named(shares),
        confusion=confusion.tolist(),
        calibration_error=metrics.calibration_error(flat, clip_labels),
        calibration_error_uncalibrated=metrics.calibration_error(plain, clip_labels),
    )


def fit_clip_temperature(logits: npt.NDArray[np.float64], recordings: Sequence[FaceCrops]) -> float:
    """Temperature of single clips, which are what the runtime calibrates.

    Args:
        logits: shape (recordings, clips a recording, labels).
        recordings: in the same order.
    """
    labels = np.array([crops.recording.label for crops in recordings])
    flat = logits.reshape(-1, len(LABELS))
    return metrics.fit_temperature(flat, np.repeat(labels, logits.shape[1]))


def as_text(name: str, measures: Measures) -> str:
    """The figures for people: a few lines and the confusion matrix."""
    low, high = measures.accuracy_interval
    per_actor = ", ".join(f"{actor}: {share:.1%}" for actor, share in measures.per_actor.items())
    lines = [
        f"{name}: {measures.recordings} recordings of actors {list_actors(measures.actors)}",
        f"  accuracy (WAR) {measures.accuracy:.1%}, 95 % interval over actors "
        f"{low:.1%} to {high:.1%}; chance is 12.5 %",
        f"  UAR {measures.uar:.1%}, macro F1 {measures.macro_f1:.1%}, "
        f"single clips {measures.clip_accuracy:.1%}",
        f"  actors: {per_actor}",
        f"  calibration error {measures.calibration_error:.3f} "
        f"({measures.calibration_error_uncalibrated:.3f} without temperature)",
        "",
        confusion_text(measures.confusion),
    ]
    return "\n".join(lines)


def confusion_text(confusion: Sequence[Sequence[int]]) -> str:
    """The matrix with its labels; rows are true labels, columns answers."""
    header = f"{CORNER:>13} " + " ".join(f"{label[:5]:>5}" for label in LABELS)
    rows = [
        f"{label:>13} " + " ".join(f"{count:>5}" for count in row)
        for label, row in zip(LABELS, confusion, strict=True)
    ]
    return "\n".join([header, *rows])


def _named(values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {label: float(value) for label, value in zip(LABELS, values, strict=True)}
