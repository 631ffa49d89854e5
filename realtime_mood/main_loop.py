"""The main loop of a live run: shows and records the newest frame, and obeys keys."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from realtime_mood.errors import OutputError, RealtimeMoodError, SourceError
from realtime_mood.events import Event
from realtime_mood.frame import Frame
from realtime_mood.live_screen import KEYS, QUIT, LiveScreen, Screen
from realtime_mood.overlay import draw_overlay
from realtime_mood.pipeline import LivePipeline
from realtime_mood.recorder import Recorder
from realtime_mood.report import RunReport

logger = logging.getLogger(__name__)

FRAME_WAIT_S = 0.015
FACES_WAIT_S = 0.01
"""How long a picture waits for its own boxes; those of the frame before lie beside a moving face,
and after a cut on nobody."""
STALL_S = 20.0
LOST_STALL_S = 60.0
"""Without a picture from a source that is not open yet, or lost: the tries to open it are over
before, unless its driver hangs."""
SUSPENDED_S = 1.0
"""A pass through the loop that takes longer was suspended, as by Ctrl-Z, and its source with it."""


class MainLoop:
    """Shows and records the newest frame with what is known by then, and obeys keys.

    Args:
        pipeline: not yet started.
        recorder: takes the annotated frames.
        screen: shows them; None runs headless.
        source_name: for messages.
        mirror: flip pictures left to right.
        interrupt: set from outside to end.
        raise_output_errors: asked all the time, for an output may fail while nothing happens.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        pipeline: LivePipeline,
        recorder: Recorder,
        screen: Screen | None,
        *,
        source_name: str,
        mirror: bool,
        interrupt: threading.Event,
        raise_output_errors: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._pipeline = pipeline
        self._recorder = recorder
        self._screen = (
            None
            if screen is None
            else LiveScreen(screen, pipeline, recorder, mirror=mirror, clock=clock)
        )
        self._source_name = source_name
        self._mirror = mirror
        self._interrupt = interrupt
        self._raise_output_errors = raise_output_errors
        self._clock = clock
        self._frames = 0
        self._dropped_frames = 0
        self._had_model = False
        self._has_paused = False
        self._recorded_below: set[int] = set()
        self._frame: Frame | None = None

    def run(self) -> RunReport:
        """Run to the end of the source, the duration, the person's wish or the first error.

        Returns:
            What was done; of a source that broke after a frame was shown, with its failure.

        Raises:
            RealtimeMoodError: anything else failed.
        """
        if self._screen is not None:
            self._screen.show_opening(self._source_name)
        self._pipeline.start()
        summary: Event | None = None
        failure: SourceError | None = None
        try:
            has_ended = self._show_frames()
            summary = self._finish("end" if has_ended else "stopped", drain=has_ended)
            self._pipeline.raise_errors()
        except BaseException as error:
            # The first failure is the one to tell of; those of closing down follow from it.
            failure = error if isinstance(error, SourceError) else None
            if summary is None:
                with suppress(RealtimeMoodError):
                    is_broken = isinstance(error, Exception)
                    summary = self._finish("broken" if is_broken else "stopped", drain=False)
            try:
                self._recorder.finish()
            except OutputError as other:
                logger.warning("%s", other)
            if failure is None or summary is None or not self._frames:
                raise
        self._recorder.finish()
        return RunReport(
            summary=summary,
            wall_s=None,
            latency_name="capture to label",
            latency_p50_s=self._pipeline.latency.percentile_s(50),
            latency_p95_s=self._pipeline.latency.percentile_s(95),
            recordings=tuple(self._recorder.paths),
            has_model=self._had_model,
            has_started=self._pipeline.has_started,
            failure=failure,
        )

    def _finish(self, ended: str, *, drain: bool) -> Event:
        self._had_model = self._pipeline.engine is not None
        summary = self._pipeline.finish(
            ended=ended,
            frames=self._frames,
            dropped_frames=self._dropped_frames,
            dropped_recording_frames=self._recorder.dropped,
            drain=drain,
            give_up=self._wants_to_end,
        )
        if drain:  # It may have come while the last clips were waited for.
            self._had_model = self._pipeline.engine is not None
        return summary

    def _wants_to_end(self) -> bool:
        """Serve the display while the last clips are classified; True when the person leaves."""
        if self._screen is None:
            return self._interrupt.is_set()
        self._screen.is_ending = True
        self._screen.refresh(pressed=False)
        return self._interrupt.is_set() or self._screen.read_key() == QUIT

    def _show_frames(self) -> bool:
        """Answers True when the source has ended, False when the person has."""
        pipeline = self._pipeline
        last_frame_s = last_pass_s = self._clock()
        while not self._interrupt.is_set():
            pipeline.raise_errors()
            self._raise_output_errors()
            has_ended = pipeline.has_ended
            is_opened = pipeline.capture.info is not None and not pipeline.capture.is_lost
            stall_s = STALL_S if is_opened else LOST_STALL_S
            frame = pipeline.capture.frames.wait_after(
                self._frame.timestamp_s if self._frame else -math.inf,
                max_lag_s=0.0,
                timeout_s=FRAME_WAIT_S,
            )
            now_s = self._clock()
            was_suspended = now_s - last_pass_s > SUSPENDED_S
            last_pass_s = now_s
            if frame is not None or was_suspended or not self._expects_frames():
                last_frame_s = now_s
            if self._screen is not None:
                self._screen.waited_s = now_s - last_frame_s
            if frame is not None:
                self._take(frame)
            elif has_ended:
                pipeline.raise_errors()
                return True
            elif now_s - last_frame_s > stall_s:
                raise SourceError(
                    f"{self._source_name} has sent no picture for {stall_s:.0f} s; "
                    "check the cable or the address and start again"
                )
            if self._screen is not None and not self._obey_keys(self._screen):
                return False
        return False

    def _expects_frames(self) -> bool:
        info = self._pipeline.capture.info
        # The next frame of a file may be a minute away.
        is_paused = self._screen is not None and self._screen.is_paused
        return not is_paused and (info is None or info.is_live)

    def _take(self, frame: Frame) -> None:
        if self._frame is not None and not self._has_paused:
            self._dropped_frames += frame.index - self._frame.index - 1
        self._has_paused = False
        self._frames += 1
        self._frame = frame
        info = self._pipeline.capture.info
        session = self._pipeline.session
        session.wait_for_frame(frame.timestamp_s, timeout_s=FACES_WAIT_S)
        view = session.view(frame.timestamp_s)
        if self._recorder.is_wanted and info is not None:
            annotated = draw_overlay(
                frame.image_bgr, view, mirror=self._mirror, below=self._recorded_below
            )
            failure = self._recorder.write(replace(frame, image_bgr=annotated), info)
            if failure and self._screen is not None:
                self._screen.say(failure)
        if self._screen is not None:
            self._screen.show(frame, view, dropped_frames=self._dropped_frames)

    def _obey_keys(self, screen: LiveScreen) -> bool:
        """Answers False when the person wants to leave."""
        key = screen.read_key()
        if key == QUIT:
            return False
        if key == " " and self._frame is not None:
            screen.is_paused = not screen.is_paused
            self._has_paused = True
            screen.hush()
            self._pipeline.capture.set_paused(screen.is_paused)
        elif key == "h":
            screen.has_hud = not screen.has_hud
            screen.say(f"numbers {'shown' if screen.has_hud else 'hidden'}")
        elif key == "r":
            told = self._recorder.toggle()
            waits = screen.is_paused and self._recorder.is_wanted
            screen.say(f"{told}, from when space is pressed" if waits else told)
        elif key == "s":
            screen.save_screenshot()
        elif key == "n":
            screen.say(self._toggle_neutral())
        elif key is not None:
            screen.say(KEYS)
        screen.refresh(pressed=key is not None)
        return True

    def _toggle_neutral(self) -> str:
        session = self._pipeline.session
        if count := session.learn_neutral():
            what = "neutral expression" if count == 1 else f"neutral expressions of {count} faces"
            return f"{what} learned: n forgets"
        if session.forget_neutral():
            return "neutral expressions forgotten"
        if not self._pipeline.engine:
            return "press n when the model is there and an expression is shown"
        if not session.has_faces:
            return "no face to learn from"
        return "nothing is known of a face yet: rest, and press n when an expression is shown"
