"""From a file's own timestamps to seconds that rise strictly. Pure."""

from __future__ import annotations

from fractions import Fraction

NEAR_S = Fraction(1)
"""From a frame to the one after the next, where the one between them carries a mistaken time."""
NUDGE_S = Fraction(1, 1000)
"""How far a frame is moved that carries the time of the one before; a recording can hold it."""


class Timeline:
    """Times of successive frames, counted from the first.

    A good timestamp is kept exactly. What broken files hold is repaired:

    - no timestamp: one nominal interval after the frame before;
    - the same as before, or back by less than an interval: a millisecond after the frame before,
      so that the frames that follow keep their own times;
    - back by an interval or more, or later than the frame after it by as much, where that one goes
      on from the frame before: a mistake; one interval after the frame before, but at most halfway
      to the one after it;
    - back by an interval or more, as the frame after it is (files glued together, a counter that
      wrapped): one interval after the frame before, and all that follow are moved along.

    Args:
        interval_s: nominal seconds between two frames.
    """

    def __init__(self, *, interval_s: Fraction) -> None:
        self._interval_s = interval_s
        self._offset_s: Fraction | None = None
        self._last_s: Fraction | None = None

    def next_s(self, presented_s: Fraction | None, following_s: Fraction | None = None) -> float:
        """The time of the next frame.

        Args:
            presented_s: its timestamp in the file, in seconds; None when it has none.
            following_s: that of the frame after it; None when it has none, or is not there.
        """
        time_s = self._place(presented_s, following_s)
        self._last_s = time_s
        return float(time_s)

    def _place(self, presented_s: Fraction | None, following_s: Fraction | None) -> Fraction:
        if self._last_s is None:
            self._offset_s = presented_s
            return Fraction(0)
        regular_s = self._last_s + self._interval_s
        if presented_s is None:
            return regular_s
        if self._offset_s is None:
            self._offset_s = presented_s - regular_s
        time_s = presented_s - self._offset_s
        if following_s is not None:
            after_s = following_s - self._offset_s
            is_odd = (
                time_s >= after_s + self._interval_s or time_s <= self._last_s - self._interval_s
            )
            if is_odd and 0 < after_s - self._last_s <= NEAR_S:
                return min(regular_s, (self._last_s + after_s) / 2)
        if time_s > self._last_s:
            return time_s
        if self._last_s - time_s < self._interval_s:
            return self._last_s + NUDGE_S
        self._offset_s = presented_s - regular_s
        return regular_s
