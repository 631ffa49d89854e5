"""Reading a source in a thread of its own, into a ring buffer of frames."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from realtime_mood.capture.lasting_source import LastingSource
from realtime_mood.capture.source import FrameSource, SourceInfo
from realtime_mood.frame import Frame
from realtime_mood.ring_buffer import RingBuffer
from realtime_mood.threads import Worker
from realtime_mood.timing import RateMeter

RING_SPAN_S = 0.5
RING_MAX_BYTES = 48 * 1024 * 1024
HOLD_CHECK_S = 0.05
MOST_LATE_S = 1.0
"""A file that is further behind, because the program was suspended or its disk was slow, goes on
from where it is instead of hurrying."""


class CaptureWorker:
    """Opens a source and keeps its newest frames.

    A live source is read as fast as it delivers, and opened again when it is lost. A file is read
    at its natural speed: each frame is handed on when its time has come, and never more than one
    frame is read ahead. It stands at its first frame until `release` is called, so that nothing of
    it is missed.

    Args:
        open_source: opens the source; called in the thread, because cameras open slowly.
        clock: seconds, monotonic.
        duration_s: the source ends at the first frame from this time on; None reads on.
        on_lost: called in the thread when the source is lost, with the time of its last frame.
        on_restored: called in the thread when it is back, with the time of its first frame.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        *,
        clock: Callable[[], float],
        duration_s: float | None = None,
        on_lost: Callable[[float], None] = lambda media_time_s: None,
        on_restored: Callable[[float], None] = lambda media_time_s: None,
    ) -> None:
        self._open_source = open_source
        self._clock = clock
        self._duration_s = math.inf if duration_s is None else duration_s
        self._on_lost = on_lost
        self._on_restored = on_restored
        self._lost = threading.Event()
        self._paused = threading.Event()
        self._released = threading.Event()
        self._capture_offset_s = 0.0
        self._rate = RateMeter()
        self._rate_lock = threading.Lock()
        self.frames: RingBuffer[Frame] = RingBuffer(
            max_span_s=RING_SPAN_S, max_bytes=RING_MAX_BYTES
        )
        self.info: SourceInfo | None = None
        self.has_opened = threading.Event()
        self.worker = Worker("capture", self._run)

    def set_paused(self, paused: bool) -> None:
        """Hold the source: a file stands still, frames of a live source are thrown away."""
        if paused:
            self._paused.set()
        else:
            self._paused.clear()

    def release(self) -> None:
        """Let a file play on from its first frame."""
        self._released.set()

    @property
    def is_lost(self) -> bool:
        """True while a source that was there is waited for."""
        return self._lost.is_set()

    def age_s(self, timestamp_s: float) -> float:
        """Seconds from the capture of the frame with this time until now."""
        return max(0.0, self._clock() - self._capture_offset_s - timestamp_s)

    def rate_hz(self) -> float:
        """Frames a second from the source."""
        with self._rate_lock:
            return self._rate.rate_hz(self._clock())

    def _run(self, stop: threading.Event) -> None:
        source = LastingSource(
            self._open_source,
            clock=self._clock,
            stop=stop,
            on_lost=self._take_loss,
            on_restored=self._on_restored,
            until_s=self._duration_s,
        )
        try:
            self.info = source.info
            self.has_opened.set()
            if source.info.is_live:
                self._read_live(source, stop)
            else:
                self._read_paced(source, stop)
        finally:
            source.close()

    def _read_live(self, source: FrameSource, stop: threading.Event) -> None:
        try:
            while not stop.is_set() and (frame := self._next(source)) is not None:
                if not self._paused.is_set():
                    self._hand_on(frame)
                # Not sooner: whoever sees that the source is there shall find its frame too.
                self._lost.clear()
        finally:
            self._lost.clear()

    def _take_loss(self, media_time_s: float) -> None:
        self._lost.set()
        self._on_lost(media_time_s)

    def _read_paced(self, source: FrameSource, stop: threading.Event) -> None:
        started_s = self._clock()
        while not stop.is_set() and (frame := self._next(source)) is not None:
            stop.wait(max(0.0, started_s + frame.timestamp_s - self._clock()))
            late_s = self._clock() - started_s - frame.timestamp_s
            if late_s > MOST_LATE_S:
                started_s += late_s
            started_s += self._stand_still(stop)
            self._hand_on(frame)
            while not self._released.is_set() and not stop.is_set():
                self._released.wait(HOLD_CHECK_S)
                started_s = self._clock() - frame.timestamp_s

    def _stand_still(self, stop: threading.Event) -> float:
        """Wait while paused; answers for how long, in seconds."""
        since_s = self._clock()
        while self._paused.is_set() and not stop.is_set():
            stop.wait(HOLD_CHECK_S)
        return self._clock() - since_s

    def _next(self, source: FrameSource) -> Frame | None:
        frame = source.read()
        return frame if frame is not None and frame.timestamp_s < self._duration_s else None

    def _hand_on(self, frame: Frame) -> None:
        now_s = self._clock()
        captured_s = now_s if frame.captured_s is None else frame.captured_s
        self._capture_offset_s = captured_s - frame.timestamp_s
        with self._rate_lock:
            self._rate.tick(now_s)
        self.frames.append(frame.timestamp_s, frame, size_bytes=frame.image_bgr.nbytes)
