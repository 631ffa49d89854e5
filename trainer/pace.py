"""How fast a stage trains, and how much of the time it waits for clips."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

WARM_UP_STEPS = 3
"""Not counted: workers start, kernels are chosen."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Of the steps after the first few; measuring and saving are left out."""

    clips_per_s: float
    """Clips learned from a second, over all processes."""
    waiting_share: float
    """Share of the time in which the model waited for clips; near 0 the loader keeps up."""

    def __str__(self) -> str:
        return f"{self.clips_per_s:.3g} clips/s, {self.waiting_share:.0%} of it waiting for clips"


class PaceMeter(TrainerCallback):
    """Measures a run of transformers' Trainer.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._steps = 0
        self._counted = 0
        self._waiting_s = 0.0
        self._working_s = 0.0
        self._since_s: float | None = None

    def pace(self, batch_size: int) -> Pace | None:
        """What was measured; None where there were too few steps.

        Args:
            batch_size: clips of one step.
        """
        total_s = self._waiting_s + self._working_s
        if not self._counted or total_s <= 0.0:
            return None
        return Pace(
            clips_per_s=batch_size * self._counted / total_s,
            waiting_share=self._waiting_s / total_s,
        )

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._since_s = self._clock()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        now_s = self._clock()
        if self._since_s is not None and self._steps >= WARM_UP_STEPS:
            self._waiting_s += now_s - self._since_s
        self._since_s = now_s

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        now_s = self._clock()
        if self._since_s is not None and self._steps >= WARM_UP_STEPS:
            self._working_s += now_s - self._since_s
            self._counted += 1
        self._steps += 1
        self._since_s = now_s

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._restart()

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._restart()

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._restart()

    def _restart(self) -> None:
        """What lay between the step and now belongs to neither."""
        if self._since_s is not None:
            self._since_s = self._clock()
