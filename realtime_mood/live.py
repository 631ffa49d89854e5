"""A camera, a stream, or a file at its natural speed: the main loop of a live run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import numpy as np

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.opencv_source import OpenCVSource
from realtime_mood.capture.pattern_source import PatternSource
from realtime_mood.capture.source import FrameSource
from realtime_mood.capture.target import CameraTarget
from realtime_mood.config import RunConfig
from realtime_mood.errors import OutputError, SourceError
from realtime_mood.events import Event
from realtime_mood.faces.detector import make_detector
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.inference.classifier import Classifier
from realtime_mood.model.checkpoint import (
    Contract,
    is_on_this_machine,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.overlay import draw_overlay
from realtime_mood.pipeline import LivePipeline
from realtime_mood.recorder import Recorder
from realtime_mood.report import RunReport
from realtime_mood.sinks.display import Display
from realtime_mood.sinks.events import open_event_sink
from realtime_mood.sinks.image import save_png
from realtime_mood.sinks.threaded import ThreadedSink
from realtime_mood.timing import RateMeter
from realtime_mood.view import View

FRAME_WAIT_S = 0.015
STALL_S = 20.0
MESSAGE_S = 2.5
EVENTS_CAPACITY = 10_000
PLACEHOLDER_SIZE = (640, 360)
ESCAPE = "\x1b"


class Screen(Protocol):
    """The part of `sinks.display.Display` that the main loop uses."""

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


def run_live(config: RunConfig, *, interrupt: threading.Event) -> RunReport:
    """Open everything a configuration names and run until the source or the person ends it.

    Args:
        config: a live run. The display is opened unless it says headless.
        interrupt: set from outside to end the run properly.

    Raises:
        RealtimeMoodError: something cannot be opened, read or written.
    """
    if is_on_this_machine(config.model):
        read_contract(locate_checkpoint(config.model))
    detector = make_detector(config.faces, yunet_file=config.face_model)
    with ExitStack() as stack:
        on_event: Callable[[Event], None] = lambda event: None  # noqa: E731
        if config.events:
            sink = open_event_sink(config.events)
            events: ThreadedSink[Event] = ThreadedSink(
                sink.write, sink.close, name="events", capacity=EVENTS_CAPACITY
            )
            stack.callback(events.close)
            on_event = events.write
        recorder = Recorder(config.record)
        stack.callback(recorder.stop)
        screen: Display | None = None
        if not config.headless:
            screen = Display()
            stack.callback(screen.close)
        pipeline = LivePipeline(
            lambda: open_source(config),
            lambda: _locate(config.model),
            lambda folder, contract: _load(folder, contract, config.device),
            detector,
            source_name=config.source_name,
            model_name=config.model,
            stride_s=config.stride_s,
            smoothing=config.smoothing,
            on_event=on_event,
            duration_s=config.duration_s,
        )
        loop = MainLoop(
            pipeline,
            recorder,
            screen,
            source_name=config.source_name,
            mirror=config.shows_mirror,
            interrupt=interrupt,
        )
        return loop.run()


def open_source(config: RunConfig) -> FrameSource:
    """The source a configuration names.

    Raises:
        SourceError: it cannot be opened.
    """
    if config.video is not None:
        return FileSource(config.video)
    assert config.camera is not None
    if CameraTarget(config.camera).is_pattern:
        return PatternSource(is_live=True)
    return OpenCVSource(config.camera)


def _locate(model: str) -> tuple[Path, Contract]:
    folder = locate_checkpoint(model)
    return folder, read_contract(folder)


def _load(folder: Path, contract: Contract, device: str) -> Classifier:
    # Importing torch takes seconds; it happens here, in the inference thread.
    from realtime_mood.inference.torch_classifier import TorchClassifier

    return TorchClassifier(folder, contract, device=device)


class MainLoop:
    """Shows and records the newest frame with what is known by then, and obeys keys.

    Args:
        pipeline: not yet started.
        recorder: takes the annotated frames.
        screen: shows them; None runs headless.
        source_name: for messages.
        mirror: flip pictures left to right.
        interrupt: set from outside to end.
        clock: seconds, monotonic; the pipeline's.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipeline = pipeline
        self._recorder = recorder
        self._screen = screen
        self._source_name = source_name
        self._mirror = mirror
        self._interrupt = interrupt
        self._clock = clock
        self._display_rate = RateMeter()
        self._dropped_frames = 0
        self._has_hud = True
        self._is_paused = False
        self._message = ""
        self._message_until_s = -math.inf
        self._frame: Frame | None = None

    def run(self) -> RunReport:
        """Run to the end of the source, the duration, the person's wish or the first error."""
        if self._screen is not None:
            self._show_placeholder()
        pipeline = self._pipeline
        pipeline.start()
        started_s = last_frame_s = self._clock()
        ended_by_source = False
        try:
            while not self._interrupt.is_set():
                pipeline.raise_errors()
                frame = pipeline.capture.frames.wait_after(
                    self._frame.timestamp_s if self._frame else -math.inf,
                    max_lag_s=0.0,
                    timeout_s=FRAME_WAIT_S,
                )
                now_s = self._clock()
                if frame is not None:
                    last_frame_s = now_s
                    self._take(frame)
                elif pipeline.has_ended:
                    pipeline.raise_errors()
                    ended_by_source = True
                    break
                elif self._expects_frames() and now_s - last_frame_s > STALL_S:
                    raise SourceError(
                        f"{self._source_name} has sent no picture for {STALL_S:.0f} s; "
                        "check the cable or the address and start again"
                    )
                if self._screen is not None and not self._obey_keys(self._screen):
                    break
            wall_s = self._clock() - started_s
        finally:
            summary = pipeline.finish(dropped_frames=self._dropped_frames, drain=ended_by_source)
            self._recorder.stop()
        return RunReport(
            summary=summary,
            wall_s=wall_s,
            latency_name="capture to label",
            latency_p50_s=pipeline.latency.percentile_s(50),
            latency_p95_s=pipeline.latency.percentile_s(95),
        )

    def _expects_frames(self) -> bool:
        info = self._pipeline.capture.info
        # A file stands still until the model is loaded.
        is_held = info is not None and not info.is_live and self._pipeline.engine is None
        return not (self._is_paused or is_held)

    def _show_placeholder(self) -> None:
        assert self._screen is not None
        width, height = PLACEHOLDER_SIZE
        black = np.zeros((height, width, 3), dtype=np.uint8)
        view = View(media_time_s=0.0, message=f"opening {self._source_name}")
        self._screen.show(draw_overlay(black, view))
        self._screen.read_key()

    def _take(self, frame: Frame) -> None:
        previous = self._frame.index if self._frame else -1
        self._dropped_frames += frame.index - previous - 1
        self._frame = frame
        self._display_rate.tick(self._clock())
        info = self._pipeline.capture.info
        if self._recorder.is_wanted and info is not None:
            plain = View(media_time_s=frame.timestamp_s, faces=self._pipeline.session.faces())
            annotated = draw_overlay(frame.image_bgr, plain, mirror=self._mirror)
            self._recorder.write(Frame(annotated, frame.timestamp_s, frame.index), info)
        if self._screen is not None:
            self._show(frame, self._screen)

    def _show(self, frame: Frame, screen: Screen) -> None:
        view = View(
            media_time_s=frame.timestamp_s,
            faces=self._pipeline.session.faces(),
            hud=self._pipeline.hud(
                display_hz=self._display_rate.rate_hz(self._clock()),
                dropped_frames=self._dropped_frames,
            )
            if self._has_hud
            else None,
            recording_s=self._recorder.recorded_s(frame.timestamp_s),
            message=self._current_message(),
        )
        screen.show(draw_overlay(frame.image_bgr, view, mirror=self._mirror))

    def _current_message(self) -> str | None:
        if self._is_paused:
            return "paused: space goes on"
        if self._clock() < self._message_until_s:
            return self._message
        return None if self._pipeline.engine else "loading the model"

    def _say(self, message: str) -> None:
        self._message = message
        self._message_until_s = self._clock() + MESSAGE_S

    def _obey_keys(self, screen: Screen) -> bool:
        key = screen.read_key()
        if key in ("q", "Q", ESCAPE) or not screen.is_open:
            return False
        if key == " ":
            self._is_paused = not self._is_paused
            self._pipeline.capture.set_paused(self._is_paused)
        elif key in ("h", "H"):
            self._has_hud = not self._has_hud
        elif key in ("r", "R"):
            self._say(self._recorder.toggle())
        elif key in ("s", "S"):
            self._save_screenshot()
        if key is not None and self._frame is not None:
            self._show(self._frame, screen)
        return True

    def _save_screenshot(self) -> None:
        if self._frame is None:
            return
        view = View(media_time_s=self._frame.timestamp_s, faces=self._pipeline.session.faces())
        path = Path(time.strftime("realtime-mood-%Y%m%d-%H%M%S.png"))
        try:
            save_png(path, draw_overlay(self._frame.image_bgr, view, mirror=self._mirror))
        except OutputError as error:
            self._say(str(error))
        else:
            self._say(f"saved {path}")
