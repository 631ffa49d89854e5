"""What a live run shows: the newest frame, its numbers, and one message at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from realtime_mood.errors import OutputError
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.overlay import draw_overlay
from realtime_mood.pipeline import LivePipeline
from realtime_mood.recorder import Recorder
from realtime_mood.sinks.image import save_png
from realtime_mood.sinks.output_path import unused_path
from realtime_mood.timing import RateMeter
from realtime_mood.view import View

STANDS_S = 2.0
"""A picture that nothing followed for so long does not look live any more. It takes five times as
long until a source says that it is lost."""
QUICK_END_S = 0.5
"""The last clips after a source's end seldom take longer, and nobody is told of them."""
MESSAGE_S = 2.5
READING_SPEED = 15.0
"""Characters a second; long messages stay longer."""
KEYS = "\u00a0· ".join(
    # What belongs together stays in one line.
    key.replace(" ", "\u00a0")
    for key in ("q quit", "space pause", "r record", "s screenshot", "n learn neutral", "h numbers")
)
"""Told after any other key, and, where there is nothing else to tell, when the model is there."""
KEYS_S = 6.0
PLACEHOLDER_SIZE = (640, 360)
QUIT = "q"
ESCAPE = "\x1b"


class Screen(Protocol):
    """The part of `sinks.display.Display` that is used here."""

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


class LiveScreen:
    """Draws the newest frame with what is known by then, and tells the person what goes on.

    Args:
        screen: shows them.
        pipeline: knows.
        recorder: says how long it records.
        mirror: flip pictures left to right.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        screen: Screen,
        pipeline: LivePipeline,
        recorder: Recorder,
        *,
        mirror: bool,
        clock: Callable[[], float],
    ) -> None:
        self.has_hud = True
        self.is_paused = False
        self.is_ending = False
        """The source has ended, and the last clips are waited for."""
        self.waited_s = 0.0
        """Seconds since the last picture, of a source that should give one."""
        self._screen = screen
        self._pipeline = pipeline
        self._recorder = recorder
        self._mirror = mirror
        self._clock = clock
        self._rate = RateMeter()
        self._frame: Frame | None = None
        self._dropped_frames = 0
        self._lost_since_s: float | None = None
        self._said = ""
        self._said_until_s = -math.inf
        self._keys_until_s = math.inf
        self._ending_since_s = math.inf
        self._shown_message: str | None = None
        self._shown_below: set[int] = set()

    def show_opening(self, source_name: str) -> None:
        """Before there is a frame."""
        width, height = PLACEHOLDER_SIZE
        black = np.zeros((height, width, 3), dtype=np.uint8)
        message = f"opening {source_name}"
        view = View(media_time_s=0.0, is_searched=False, message=message)
        self._screen.show(draw_overlay(black, view, size=self._screen.fit(width, height)))

    def show(self, frame: Frame, view: View, *, dropped_frames: int) -> None:
        """Show a frame that is new.

        Args:
            frame: in the source's size.
            view: what is known of it.
            dropped_frames: so far, of those that should have been shown.
        """
        self._rate.tick(self._clock())
        self._frame = frame
        self._dropped_frames = dropped_frames
        self._draw(frame, view, self._choose_message())

    def refresh(self, *, pressed: bool) -> None:
        """Show the last frame again where there is something else to tell.

        Args:
            pressed: a key was, which may have changed what is shown.
        """
        # While paused or lost no frame comes to take away what is shown.
        message = self._choose_message()
        if self._frame is not None and (pressed or message != self._shown_message):
            view = self._pipeline.session.view(self._frame.timestamp_s)
            self._draw(self._frame, view, message)

    def say(self, message: str) -> None:
        """Tell something for as long as it takes to read it."""
        self._said = message
        self._said_until_s = self._clock() + max(MESSAGE_S, len(message) / READING_SPEED)

    def hush(self) -> None:
        """Say no more of what was told last."""
        self._said_until_s = -math.inf

    def read_key(self) -> str | None:
        """A key that was pressed, a small letter; `QUIT` too once the display was closed."""
        key = self._screen.read_key()
        if key == ESCAPE or not self._screen.is_open:
            return QUIT
        return key.lower() if key else None

    def save_screenshot(self) -> None:
        """Write the last frame as it is recorded, and tell where."""
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
            self.say(str(error))
        else:
            self.say(f"saved {path}")

    def _draw(self, frame: Frame, known: View, message: str | None) -> None:
        self._shown_message = message
        stands_s = self._stands_s()
        # Of a picture that stands, speeds tell nothing.
        has_numbers = self.has_hud and not self.is_paused and stands_s is None
        view = replace(
            known if stands_s is None else _aged(known, stands_s),
            hud=self._pipeline.hud(
                display_hz=self._rate.rate_hz(self._clock()),
                dropped_frames=self._dropped_frames,
            )
            if has_numbers
            else None,
            recording_s=self._recorder.recorded_s(frame.timestamp_s),
            message=message,
        )
        self._screen.show(
            draw_overlay(
                frame.image_bgr,
                view,
                size=self._screen.fit(frame.width, frame.height),
                mirror=self._mirror,
                below=self._shown_below,
            )
        )

    def _stands_s(self) -> float | None:
        """Seconds that the picture stands, though nobody paused it; None where it does not."""
        if (lost_s := self._lost_s()) is not None:
            # It stood before it was known to be lost.
            return max(lost_s, self.waited_s)
        return self.waited_s if self.waited_s >= STANDS_S and not self.is_ending else None

    def _lost_s(self) -> float | None:
        """Seconds since the source was lost; None where it is there."""
        if not self._pipeline.capture.is_lost:
            self._lost_since_s = None
            return None
        now_s = self._clock()
        if self._lost_since_s is None:
            self._lost_since_s = now_s
        return now_s - self._lost_since_s

    def _choose_message(self) -> str | None:
        """What to tell now; some things only for a while from when there was first a reason."""
        now_s = self._clock()
        has_model = self._pipeline.engine is not None
        if has_model and math.isinf(self._keys_until_s):
            self._keys_until_s = now_s + KEYS_S
        if (lost_s := self._lost_s()) is not None:
            since = f" for {lost_s:.0f} s" if lost_s >= 1.0 else ""
            return f"camera lost{since}, trying again{'; paused' if self.is_paused else ''}"
        if (stands_s := self._stands_s()) is not None:
            return f"no picture for {stands_s:.0f} s"
        if now_s < self._said_until_s:
            return self._said
        if has_model and self.is_ending:
            self._ending_since_s = min(self._ending_since_s, now_s)
            if now_s - self._ending_since_s > QUICK_END_S:
                return "classifying the last clips: q quits"
        if self.is_paused:
            return "paused: space goes on"
        if not has_model:
            return "loading the model"
        return KEYS if now_s < self._keys_until_s else None


def _aged(view: View, by_s: float) -> View:
    """What was known, seen so much later."""
    faces = tuple(
        replace(face, label_age_s=face.label_age_s + by_s) if face.label_age_s is not None else face
        for face in view.faces
    )
    return replace(view, media_time_s=view.media_time_s + by_s, faces=faces)
