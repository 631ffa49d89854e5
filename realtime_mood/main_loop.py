"""The main loop of a live run: shows and records the newest frame, and obeys keys."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from realtime_mood.errors import OutputError, RealtimeMoodError, SourceError
from realtime_mood.events import Event
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.overlay import draw_overlay
from realtime_mood.pipeline import LivePipeline
from realtime_mood.recorder import Recorder
from realtime_mood.report import RunReport
from realtime_mood.sinks.image import save_png
from realtime_mood.sinks.output_path import unused_path
from realtime_mood.timing import RateMeter
from realtime_mood.view import View

logger = logging.getLogger(__name__)

FRAME_WAIT_S = 0.015
FACES_WAIT_S = 0.01
"""How long a picture waits for its own boxes; those of the frame before lie beside a moving face,
and after a cut on nobody."""
STALL_S = 20.0
LOST_STALL_S = 60.0
"""Without a picture from a source that is lost: the tries to open it are over before, unless its
driver hangs."""
SUSPENDED_S = 1.0
"""A pass through the loop that takes longer was suspended, as by Ctrl-Z, and its source with it."""
QUICK_END_S = 0.5
"""The last clips after a source's end seldom take longer, and nobody is told of them."""
MESSAGE_S = 2.5
READING_SPEED = 15.0
"""Characters a second; long messages stay longer."""
KEYS = " · ".join(
    # What belongs together stays in one line.
    key.replace(" ", "\u00a0")
    for key in ("q quit", "space pause", "r record", "s screenshot", "n learn neutral", "h speeds")
)
"""Told after any other key, and, where there is nothing else to tell, when the model is there."""
KEYS_S = 6.0
PLACEHOLDER_SIZE = (640, 360)
ESCAPE = "\x1b"


class Screen(Protocol):
    """The part of `sinks.display.Display` that the main loop uses."""

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """How large a picture of this size is shown."""
        ...

    def show(self, image_bgr: ImageBGR) -> None:
        """Show a picture."""
        ...

    def read_key(self) -> str | None:
        """A key that was pressed."""
        ...

    @property
    def is_open(self) -> bool:
        """False once closed by the person."""
        ...


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
        self._screen = screen
        self._source_name = source_name
        self._mirror = mirror
        self._interrupt = interrupt
        self._raise_output_errors = raise_output_errors
        self._clock = clock
        self._display_rate = RateMeter()
        self._frames = 0
        self._dropped_frames = 0
        self._had_model = False
        self._keys_until_s = math.inf
        self._has_paused = False
        self._has_hud = True
        self._is_paused = False
        self._ended_s = math.inf
        self._message = ""
        self._message_until_s = -math.inf
        self._shown_message: str | None = None
        self._shown_below: set[int] = set()
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
            self._show_placeholder(self._screen)
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
        self._ended_s = min(self._ended_s, self._clock())
        self._refresh(self._screen, pressed=False)
        return self._interrupt.is_set() or _quits(self._screen, self._screen.read_key())

    def _show_frames(self) -> bool:
        """Answers True when the source has ended, False when the person has."""
        pipeline = self._pipeline
        last_frame_s = last_pass_s = self._clock()
        while not self._interrupt.is_set():
            pipeline.raise_errors()
            self._raise_output_errors()
            has_ended = pipeline.has_ended
            stall_s = LOST_STALL_S if pipeline.capture.is_lost else STALL_S
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
            if pipeline.engine and math.isinf(self._keys_until_s):
                self._keys_until_s = now_s + KEYS_S
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
        return not self._is_paused and (info is None or info.is_live)

    def _show_placeholder(self, screen: Screen) -> None:
        width, height = PLACEHOLDER_SIZE
        black = np.zeros((height, width, 3), dtype=np.uint8)
        message = f"opening {self._source_name}"
        view = View(media_time_s=0.0, is_searched=False, message=message)
        screen.show(draw_overlay(black, view, size=screen.fit(width, height)))

    def _take(self, frame: Frame) -> None:
        if self._frame is not None and not self._has_paused:
            self._dropped_frames += frame.index - self._frame.index - 1
        self._has_paused = False
        self._frames += 1
        self._frame = frame
        self._display_rate.tick(self._clock())
        info = self._pipeline.capture.info
        session = self._pipeline.session
        session.wait_for_frame(frame.timestamp_s, timeout_s=FACES_WAIT_S)
        view = session.view(frame.timestamp_s)
        if self._recorder.is_wanted and info is not None:
            annotated = draw_overlay(
                frame.image_bgr, view, mirror=self._mirror, below=self._recorded_below
            )
            failure = self._recorder.write(replace(frame, image_bgr=annotated), info)
            if failure:
                self._say(failure)
        if self._screen is not None:
            self._show(frame, view, self._screen)

    def _show(self, frame: Frame, known: View, screen: Screen) -> None:
        self._shown_message = self._current_message()
        view = replace(
            known,
            hud=self._pipeline.hud(
                display_hz=self._display_rate.rate_hz(self._clock()),
                dropped_frames=self._dropped_frames,
            )
            if self._has_hud
            else None,
            recording_s=self._recorder.recorded_s(frame.timestamp_s),
            message=self._shown_message,
        )
        screen.show(
            draw_overlay(
                frame.image_bgr,
                view,
                size=screen.fit(frame.width, frame.height),
                mirror=self._mirror,
                below=self._shown_below,
            )
        )

    def _current_message(self) -> str | None:
        if self._clock() < self._message_until_s:
            return self._message
        if self._pipeline.engine and self._clock() - self._ended_s > QUICK_END_S:
            return "classifying the last clips: q quits"
        if self._pipeline.capture.is_lost:
            return "camera lost, trying again"
        if self._is_paused:
            return "paused: space goes on"
        if not self._pipeline.engine:
            return "loading the model"
        return KEYS if self._clock() < self._keys_until_s else None

    def _say(self, message: str) -> None:
        self._message = message
        self._message_until_s = self._clock() + max(MESSAGE_S, len(message) / READING_SPEED)

    def _obey_keys(self, screen: Screen) -> bool:
        key = screen.read_key()
        if _quits(screen, key):
            return False
        if key == " " and self._frame is not None:
            self._is_paused = not self._is_paused
            self._has_paused = True
            self._message_until_s = -math.inf
            self._pipeline.capture.set_paused(self._is_paused)
        elif key in ("h", "H"):
            self._has_hud = not self._has_hud
        elif key in ("r", "R"):
            told = self._recorder.toggle()
            waits = self._is_paused and self._recorder.is_wanted
            self._say(f"{told} once it goes on: space" if waits else told)
        elif key in ("s", "S"):
            self._save_screenshot()
        elif key in ("n", "N"):
            self._toggle_neutral()
        elif key is not None:
            self._say(KEYS)
        self._refresh(screen, pressed=key is not None)
        return True

    def _refresh(self, screen: Screen, *, pressed: bool) -> None:
        # While paused no frame comes to take a message away.
        is_stale = pressed or self._current_message() != self._shown_message
        if is_stale and self._frame is not None:
            view = self._pipeline.session.view(self._frame.timestamp_s)
            self._show(self._frame, view, screen)

    def _toggle_neutral(self) -> None:
        session = self._pipeline.session
        if count := session.learn_neutral():
            what = "neutral expression" if count == 1 else f"neutral expressions of {count} faces"
            self._say(f"{what} learned: n forgets")
        elif session.forget_neutral():
            self._say("neutral expressions forgotten")
        elif self._pipeline.engine:
            self._say("no face to learn from: rest, and press n when an expression is shown")
        else:
            self._say("press n when the model is there and an expression is shown")

    def _save_screenshot(self) -> None:
        if self._frame is None:
            return
        view = self._pipeline.session.view(self._frame.timestamp_s)
        path = unused_path(Path(time.strftime("realtime-mood-%Y%m%d-%H%M%S.png")))
        try:
            shown = draw_overlay(
                self._frame.image_bgr, view, mirror=self._mirror, below=set(self._shown_below)
            )
            save_png(path, shown)
        except OutputError as error:
            self._say(str(error))
        else:
            self._say(f"saved {path}")


def _quits(screen: Screen, key: str | None) -> bool:
    return key in ("q", "Q", ESCAPE) or not screen.is_open
