"""The last seconds of something, bounded in time and in bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class _Entry(Generic[Item]):
    timestamp_s: float
    item: Item
    size_bytes: int


class RingBuffer(Generic[Item]):
    """Keeps the newest items; drops the oldest. Thread-safe.

    Args:
        max_span_s: items older than the newest by more than this are dropped.
        max_bytes: the oldest are dropped beyond this sum; the newest is always kept.
    """

    def __init__(self, *, max_span_s: float, max_bytes: int) -> None:
        if max_span_s < 0.0 or max_bytes <= 0:
            raise ValueError(
                f"max_span_s is {max_span_s}, max_bytes {max_bytes}; they must not be negative"
            )
        self._max_span_s = max_span_s
        self._max_bytes = max_bytes
        self._entries: deque[_Entry[Item]] = deque()
        self._size_bytes = 0
        self._grown = threading.Condition()

    def append(self, timestamp_s: float, item: Item, *, size_bytes: int) -> None:
        """Add the newest item.

        Args:
            timestamp_s: later than that of the item before.
            item: anything.
            size_bytes: what it counts for `max_bytes`.

        Raises:
            ValueError: the time does not rise.
        """
        with self._grown:
            if self._entries and timestamp_s <= self._entries[-1].timestamp_s:
                raise ValueError(
                    f"time must rise: {timestamp_s} after {self._entries[-1].timestamp_s}"
                )
            self._entries.append(_Entry(timestamp_s, item, size_bytes))
            self._size_bytes += size_bytes
            oldest_kept_s = timestamp_s - self._max_span_s
            while len(self._entries) > 1 and (
                self._size_bytes > self._max_bytes or self._entries[0].timestamp_s < oldest_kept_s
            ):
                self._size_bytes -= self._entries.popleft().size_bytes
            self._grown.notify_all()

    def wait_after(self, timestamp_s: float, *, max_lag_s: float, timeout_s: float) -> Item | None:
        """Wait for an item newer than a time; None when none came in time.

        Args:
            timestamp_s: time of the item taken before.
            max_lag_s: an item older than the newest by more than this is not worth taking.
            timeout_s: how long to wait.

        Returns:
            The oldest of those that are newer than `timestamp_s` and worth taking.
        """
        with self._grown:
            has_come = self._grown.wait_for(
                lambda: bool(self._entries) and self._entries[-1].timestamp_s > timestamp_s,
                timeout_s,
            )
            if not has_come:
                return None
            oldest_s = self._entries[-1].timestamp_s - max_lag_s
            return next(
                entry.item
                for entry in self._entries
                if entry.timestamp_s > timestamp_s and entry.timestamp_s >= oldest_s
            )

    def timestamps_s(self) -> npt.NDArray[np.float64]:
        """Times of the items kept, rising, shape (n,)."""
        with self._grown:
            return np.array([entry.timestamp_s for entry in self._entries], dtype=np.float64)

    def take(self, indices: Sequence[int] | npt.NDArray[np.intp]) -> list[Item]:
        """Items by their positions, 0 the oldest."""
        with self._grown:
            return [self._entries[int(index)].item for index in indices]
