"""Rates, latencies and the grid of due times; the clock is always handed in."""

from __future__ import annotations

from collections import deque

import numpy as np

RATE_SPAN_S = 2.0
"""How far back a rate counts."""
KEPT_LATENCIES = 65536
"""Newest measurements that percentiles are of."""
ROUNDING_S = 1e-6
"""Times of frames are sums; what is early by less is in time."""


def is_due(due_s: float, now_s: float) -> bool:
    """Whether a time has come, but for rounding."""
    return now_s >= due_s - ROUNDING_S


def next_due(due_s: float, now_s: float, interval_s: float) -> float:
    """The next time something that repeats is due, after it was done at `now_s`.

    Args:
        due_s: when it was due.
        now_s: when it was done; `due_s` has come.
        interval_s: time between two.

    Returns:
        One interval after `due_s`, so that a regular grid is kept; one after `now_s` where that
        time has gone by too.
    """
    following_s = due_s + interval_s
    return now_s + interval_s if is_due(following_s, now_s) else following_s


class RateMeter:
    """Events a second over the last `RATE_SPAN_S`."""

    def __init__(self) -> None:
        self._ticks: deque[tuple[float, int]] = deque()

    def tick(self, now_s: float, count: int = 1) -> None:
        """Count events that are done at the same time."""
        self._ticks.append((now_s, count))
        self._forget(now_s)

    def rate_hz(self, now_s: float) -> float:
        """Events a second; 0 until some were done at two times."""
        self._forget(now_s)
        if len(self._ticks) < 2:
            return 0.0
        first_s, first = self._ticks[0]
        elapsed_s = max(now_s, self._ticks[-1][0]) - first_s
        done = sum(count for _, count in self._ticks) - first
        return done / elapsed_s if elapsed_s > 0.0 else 0.0

    def _forget(self, now_s: float) -> None:
        while self._ticks and now_s - self._ticks[0][0] > RATE_SPAN_S:
            self._ticks.popleft()


class LatencyMeter:
    """Percentiles of the latest measurements."""

    def __init__(self) -> None:
        self._values_s: deque[float] = deque(maxlen=KEPT_LATENCIES)

    def add(self, value_s: float) -> None:
        """Take one measurement, in seconds."""
        self._values_s.append(value_s)

    @property
    def latest_s(self) -> float | None:
        """The last measurement; None when there is none."""
        return self._values_s[-1] if self._values_s else None

    def percentile_s(self, percent: float) -> float | None:
        """The value that `percent` of 100 measurements do not exceed; None when there is none."""
        if not self._values_s:
            return None
        return float(np.percentile(np.fromiter(self._values_s, dtype=np.float64), percent))
