"""What is left of the folds of a protocol, and the figures over all of them."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_mood.model.labels import LABELS
from trainer import metrics
from trainer.corpora.recording import list_actors
from trainer.evaluate import confusion_text


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """What the summary needs of one fold; counted over its test recordings."""

    number: int
    """As the protocol counts."""
    confusion: list[list[int]]
    """Rows: true label; columns: answer."""
    right: dict[str, int]
    """Recordings that were named right, by actor."""
    recordings: dict[str, int]
    """Recordings by actor."""
    skipped: dict[str, str]
    """Paths of the files of the fold's run that could not be used, and why."""
    duration_s: float
    """How long it took, in its last start."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Figures over all folds; every recording was tested by a model that was not trained on it."""

    command: str
    """How it was asked for."""
    data: str
    """Names the data."""
    protocol: str
    """Names the folds."""
    notes: tuple[str, ...]
    """Leaks, folds that are missing, what is left out, what is to be said of the base model."""
    folds: tuple[FoldResult, ...]
    """One for each fold that was run."""
    seed: int
    """Of the runs, and of the bootstrap."""

    @property
    def confusion(self) -> metrics.IntArray:
        """Counts over all folds, shape (labels, labels)."""
        stacked = np.array([fold.confusion for fold in self.folds], dtype=np.int64)
        return np.asarray(stacked.sum(axis=0))

    @property
    def per_actor(self) -> dict[str, float]:
        """Accuracy of each actor; with 'random' over all folds that tested some recording of it."""
        right, total = self._by_actor()
        return {actor: right[actor] / total[actor] for actor in sorted(total)}

    def _by_actor(self) -> tuple[dict[str, int], dict[str, int]]:
        right: dict[str, int] = {}
        total: dict[str, int] = {}
        for fold in self.folds:
            for actor, count in fold.recordings.items():
                total[actor] = total.get(actor, 0) + count
                right[actor] = right.get(actor, 0) + fold.right[actor]
        return right, total

    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the accuracy, actors drawn with replacement."""
        right, total = self._by_actor()
        hits = np.array([right[actor] for actor in sorted(total)])
        counts = np.array([total[actor] for actor in sorted(total)])
        times = metrics.draw_actors(len(hits), seed=self.seed)
        return metrics.percentile_interval((times @ hits) / (times @ counts))

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return {
            "command": self.command,
            "data": self.data,
            "protocol": self.protocol,
            "notes": list(self.notes),
            "machine": {
                "processor": platform.machine(),
                "system": platform.platform(),
                "cores": os.cpu_count(),
                "python": platform.python_version(),
            },
            "labels": list(LABELS),
            "recordings": int(self.confusion.sum()),
            "accuracy": metrics.accuracy(self.confusion),
            "accuracy_interval": list(self.interval()),
            "uar": metrics.unweighted_recall(self.confusion),
            "macro_f1": metrics.macro_f1(self.confusion),
            "per_actor": self.per_actor,
            "actor_standard_deviation": float(np.std(list(self.per_actor.values()))),
            "per_fold": [
                {
                    "fold": fold.number,
                    "actors": sorted(fold.recordings),
                    "accuracy": metrics.accuracy(np.array(fold.confusion)),
                    "uar": metrics.unweighted_recall(np.array(fold.confusion)),
                    "macro_f1": metrics.macro_f1(np.array(fold.confusion)),
                    "duration_s": fold.duration_s,
                }
                for fold in self.folds
            ],
            "confusion": self.confusion.tolist(),
            "skipped": {name: why for fold in self.folds for name, why in fold.skipped.items()},
        }

    def as_text(self) -> str:
        """The same for people."""
        figures = self.to_dict()
        low, high = self.interval()
        people = "; the actors were also trained on" if self.protocol == "random" else ""
        lines = [
            f"{self.data}, protocol {self.protocol}: {len(self.folds)} folds, "
            f"{figures['recordings']} recordings of {len(self.per_actor)} actors{people}",
            f"  accuracy (WAR) {figures['accuracy']:.1%}, 95 % interval over actors "
            f"{low:.1%} to {high:.1%}",
            f"  UAR {figures['uar']:.1%}, macro F1 {figures['macro_f1']:.1%}, "
            f"standard deviation over actors {figures['actor_standard_deviation']:.1%}",
            *(
                f"  fold {fold['fold']} ({list_actors(fold['actors'])}): {fold['accuracy']:.1%}, "
                f"UAR {fold['uar']:.1%}"
                for fold in figures["per_fold"]
            ),
            "  actors: "
            + ", ".join(f"{actor}: {share:.0%}" for actor, share in self.per_actor.items()),
            f"  {len(figures['skipped'])} files could not be used",
            *(f"  Note: {note}" for note in self.notes),
            "",
            confusion_text(figures["confusion"]),
        ]
        return "\n".join(lines)
