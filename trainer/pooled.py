"""What is left of the folds of a protocol, and the figures over all of them."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from realtime_mood.model.labels import LABELS
from trainer.corpora.recording import list_actors
from trainer.evaluate import Measures, confusion_text, measure
from trainer.predictions import Predictions
from trainer.words import counted


@dataclass(frozen=True, eq=False, kw_only=True)
class FoldResult:
    """What the summary needs of one fold."""

    number: int
    """As the protocol counts."""
    predictions: Predictions
    """Of its test recordings."""
    skipped: dict[str, str]
    """Paths of the files of the fold's run that could not be used, and why."""
    duration_s: float
    """How long it took, in its last start."""


@dataclass(frozen=True, eq=False, kw_only=True)
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

    @cached_property
    def predictions(self) -> Predictions:
        """Of the test recordings of all folds."""
        return Predictions.pooled([fold.predictions for fold in self.folds])

    @cached_property
    def measures(self) -> Measures:
        """Over all folds; of an actor, with 'random', over all that tested some recording of it."""
        return measure(self.predictions, seed=self.seed)

    @cached_property
    def by_fold(self) -> tuple[Measures, ...]:
        """Of each fold."""
        return tuple(measure(fold.predictions, seed=self.seed) for fold in self.folds)

    @property
    def skipped(self) -> dict[str, str]:
        """Paths of the files that could not be used in some fold, and why."""
        return {name: why for fold in self.folds for name, why in fold.skipped.items()}

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        found = self.measures
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
            "recordings": found.recordings,
            "accuracy": found.accuracy,
            "accuracy_interval": list(found.intervals.accuracy),
            "uar": found.uar,
            "macro_f1": found.macro_f1,
            "per_actor": found.per_actor,
            "actor_standard_deviation": found.actor_spread,
            "per_fold": [
                {
                    "fold": fold.number,
                    "actors": list(measures.actors),
                    "accuracy": measures.accuracy,
                    "uar": measures.uar,
                    "macro_f1": measures.macro_f1,
                    "duration_s": fold.duration_s,
                }
                for fold, measures in zip(self.folds, self.by_fold, strict=True)
            ],
            "confusion": found.confusion,
            "skipped": self.skipped,
        }

    def as_text(self) -> str:
        """The same for people."""
        found = self.measures
        low, high = found.intervals.accuracy
        people = "; the actors were also trained on" if self.protocol == "random" else ""
        lines = [
            f"{self.data}, protocol {self.protocol}: {counted(len(self.folds), 'fold')}, "
            f"{counted(found.recordings, 'recording')} of {counted(len(found.actors), 'actor')}"
            f"{people}",
            f"  accuracy (WAR) {found.accuracy:.1%}, 95 % interval {low:.1%} to {high:.1%} "
            f"({found.intervals.way})",
            f"  UAR {found.uar:.1%}, macro F1 {found.macro_f1:.1%}, "
            f"standard deviation over actors {found.actor_spread:.1%}",
            *(
                f"  fold {fold.number} ({list_actors(measures.actors)}): {measures.accuracy:.1%}, "
                f"UAR {measures.uar:.1%}"
                for fold, measures in zip(self.folds, self.by_fold, strict=True)
            ),
            "  actors: "
            + ", ".join(f"{actor}: {share:.0%}" for actor, share in found.per_actor.items()),
            f"  {counted(len(self.skipped), 'file')} could not be used",
            *(f"  Note: {note}" for note in self.notes),
            "",
            confusion_text(found.confusion),
        ]
        return "\n".join(lines)
