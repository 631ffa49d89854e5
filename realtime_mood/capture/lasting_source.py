"""A source that is opened again when it is lost."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import replace

from realtime_mood.capture.fitting import fit_into
from realtime_mood.capture.source import MIN_STEP_S, FrameSource
from realtime_mood.errors import SourceError, SourceLostError
from realtime_mood.frame import Frame

logger = logging.getLogger(__name__)

WAITS_S = (0.5, 1.0, 2.0)
"""Before the first tries to open it again; before all others the last of these."""
GIVE_UP_S = 30.0
"""After so long no try is begun any more."""
SOUND_S = 1.0
"""A source that is lost again sooner was not restored: the time to give up goes on."""


class LastingSource:
    """A camera or stream that is closed and opened again whenever it is lost.

    Time and numbers of the frames go on over the gap: as much time has passed as by the clock, and
    no frame was dropped. Frames keep the size of the first ones. Where what was lost turns out, on
    opening it again, to be a stream with an end, this end was reached: it is not played again.

    Args:
        open_source: opens it; called in the thread that reads.
        clock: seconds, monotonic; that of the frames' `captured_s`.
        stop: set from outside to try no longer.
        on_lost: called with the time of the last frame.
        on_restored: called with the time of the first frame after it.
        until_s: where this time passes without a source, that is the end.

    Raises:
        SourceError: it cannot be opened the first time.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        *,
        clock: Callable[[], float],
        stop: threading.Event,
        on_lost: Callable[[float], None],
        on_restored: Callable[[float], None],
        until_s: float = math.inf,
    ) -> None:
        self._open_source = open_source
        self._clock = clock
        self._stop = stop
        self._on_lost = on_lost
        self._on_restored = on_restored
        self._until_s = until_s
        self._source = open_source()
        self._opened_s = clock()
        self._last: Frame | None = None
        self._last_captured_s = self._opened_s
        self._base_s = 0.0
        self._base_index = 0
        self._is_lost = self._has_ended = False
        self._lost_since_s = -math.inf
        self._tries = 0
        self.info = self._source.info

    def read(self) -> Frame | None:
        """See `FrameSource.read`; waits while the source is lost.

        Raises:
            SourceLostError: it did not come back in time.
        """
        while not self._has_ended:
            try:
                frame = self._source.read()
            except SourceLostError as error:
                self._take_loss(error)
                self._has_ended = not self._open_again(error)
            else:
                return None if frame is None else self._placed(frame)
        return None

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._source.close()

    def _take_loss(self, error: SourceLostError) -> None:
        self._source.close()
        if self._last is None:
            raise error
        if self._last_captured_s - self._opened_s >= SOUND_S or not self._tries:
            self._lost_since_s = self._clock()
            self._tries = 0
        if not self._is_lost:
            self._is_lost = True
            logger.warning("%s; trying again for %.0f s", error, GIVE_UP_S)
            self._on_lost(self._last.timestamp_s)

    def _open_again(self, error: SourceLostError) -> bool:
        """Answers False when there is nothing more to come."""
        assert self._last is not None
        while (left_s := self._lost_since_s + GIVE_UP_S - self._clock()) > 0.0:
            unseen_s = self._clock() - self._last_captured_s
            until_end_s = self._until_s - self._last.timestamp_s - unseen_s
            wait_s = min(left_s, WAITS_S[min(self._tries, len(WAITS_S) - 1)])
            self._tries += 1
            is_stopped = self._stop.wait(max(0.0, min(wait_s, until_end_s)))
            if is_stopped or until_end_s <= wait_s:
                return False
            try:
                self._source = self._open_source()
            except SourceError as failed:
                logger.debug("%s", failed)
                continue
            self._opened_s = self._clock()
            # Only now can be seen that a live playlist is complete.
            return not self._source.info.has_end
        raise error

    def _placed(self, frame: Frame) -> Frame | None:
        """The frame in its place over all gaps; None where it came back after the end."""
        captured_s = self._clock() if frame.captured_s is None else frame.captured_s
        if self._is_lost and self._last is not None:
            gap_s = max(MIN_STEP_S, captured_s - self._last_captured_s)
            self._base_s = self._last.timestamp_s + gap_s - frame.timestamp_s
            self._base_index = self._last.index + 1 - frame.index
            if self._base_s + frame.timestamp_s >= self._until_s:
                self._has_ended = True
                return None
            self._is_lost = False
            logger.warning("it is back after %.1f s", gap_s)
            self._on_restored(self._base_s + frame.timestamp_s)
        self._last_captured_s = captured_s
        self._last = replace(
            frame,
            image_bgr=fit_into(frame.image_bgr, (self.info.width, self.info.height)),
            timestamp_s=self._base_s + frame.timestamp_s,
            index=self._base_index + frame.index,
        )
        return self._last
