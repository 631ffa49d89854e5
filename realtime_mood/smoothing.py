"""From a clip's probabilities to the mood that is shown. Pure: time comes with each call.

Three steps, all in seconds, so that the result does not depend on how many clips a second the
machine manages:

1. an exponential moving average whose weight follows from the time since the last clip,
   w = 1 - exp(-dt / time_constant_s);
2. hysteresis: a label is entered at `enter_threshold` and left below `exit_threshold`;
3. dwell: a label, once entered, stays for `dwell_s` unless it falls below the exit threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import UsageError
from realtime_mood.model.labels import LABELS, UNSURE

UNKNOWN = (1.0 / len(LABELS),) * len(LABELS)
"""The probabilities of a face of which nothing is known."""


@dataclass(frozen=True, kw_only=True)
class SmoothingConfig:
    """How steady the shown mood is.

    Of those that change the label of a face that rests less than twice a minute, the defaults are
    among the quickest (`benchmarks/smoothing.py`). The further apart the two thresholds, the
    steadier is what is shown of a face that talks, and the more is right, but the longer is a label
    held that is over: below an exit threshold of 0.25, a smile for more than 1.7 s. Twice the dwell
    would hold wrong labels longer too.

    Raises:
        UsageError: a value is outside its range.
    """

    time_constant_s: float = 0.2
    """Seconds after which an old answer weighs 1/e."""
    enter_threshold: float = 0.45
    """Smoothed probability a label needs to be shown."""
    exit_threshold: float = 0.25
    """Smoothed probability below which the shown label is given up."""
    dwell_s: float = 0.4
    """Seconds a label is kept at least."""

    def __post_init__(self) -> None:
        if not 0.0 < self.time_constant_s <= 60.0:
            raise UsageError(
                f"time_constant_s is {self.time_constant_s}; it must be above 0 and at most 60"
            )
        if not 0.0 < self.exit_threshold <= self.enter_threshold <= 1.0:
            raise UsageError(
                f"exit_threshold is {self.exit_threshold} and enter_threshold is "
                f"{self.enter_threshold}; they must be above 0, at most 1, exit not above enter"
            )
        if not 0.0 <= self.dwell_s <= 60.0:
            raise UsageError(f"dwell_s is {self.dwell_s}; it must be from 0 to 60")


@dataclass(frozen=True)
class MoodState:
    """What one face shows at one moment."""

    label: str
    """One of the eight labels, or 'unsure'."""
    confidence: float
    """Smoothed probability of the label; of the likeliest one when unsure."""
    probabilities: tuple[float, ...]
    """Smoothed probabilities in label order, by the face's own measure where its neutral
    expression was learned; they sum to 1."""


class MoodSmoother:
    """The mood of one face over time.

    Args:
        config: time constants and thresholds.
    """

    def __init__(self, config: SmoothingConfig) -> None:
        self._config = config
        self._average: npt.NDArray[np.float64] | None = None
        self._label = UNSURE
        self._updated_s = -math.inf
        self._entered_s = -math.inf

    def update(self, probabilities: npt.ArrayLike, timestamp_s: float) -> MoodState:
        """Take the answer for one clip.

        Args:
            probabilities: shape (8,), calibrated, summing to 1.
            timestamp_s: time of the clip's last frame; not before that of the clip before.

        Raises:
            ValueError: the probabilities have another shape, or time runs backwards.
        """
        values = np.asarray(probabilities, dtype=np.float64)
        if values.shape != (len(LABELS),):
            raise ValueError(f"probabilities have shape {values.shape}, not ({len(LABELS)},)")
        if timestamp_s < self._updated_s:
            raise ValueError(f"time runs backwards: {timestamp_s} after {self._updated_s}")
        if self._average is None:
            self._average = values
        else:
            elapsed_s = timestamp_s - self._updated_s
            weight = 1.0 - math.exp(-elapsed_s / self._config.time_constant_s)
            self._average = (1.0 - weight) * self._average + weight * values
        self._updated_s = timestamp_s
        self._choose_label(self._average, timestamp_s)
        shown = LABELS.index(self._label) if self._label != UNSURE else int(self._average.argmax())
        return MoodState(
            self._label, float(self._average[shown]), tuple(float(p) for p in self._average)
        )

    def _choose_label(self, average: npt.NDArray[np.float64], now_s: float) -> None:
        best = int(average.argmax())
        if (
            self._label != UNSURE
            and average[LABELS.index(self._label)] < self._config.exit_threshold
        ):
            self._label = UNSURE
        may_change = self._label == UNSURE or now_s - self._entered_s >= self._config.dwell_s
        wants_change = LABELS[best] != self._label
        if wants_change and may_change and average[best] >= self._config.enter_threshold:
            self._label = LABELS[best]
            self._entered_s = now_s
