"""A live run of stand-ins: real threads around a source, a detector, a model and a screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from realtime_mood.faces.box import Box
from realtime_mood.frame import ImageBGR
from realtime_mood.inference.classifier import Classifier
from realtime_mood.main_loop import MainLoop
from realtime_mood.model.checkpoint import Contract
from realtime_mood.pipeline import LivePipeline
from realtime_mood.recorder import Recorder
from realtime_mood.report import RunReport
from realtime_mood.smoothing import SmoothingConfig
from realtime_mood.view import View
from tests.fakes import (
    SPEC,
    FakeScreen,
    ListSource,
    MemoryEventSink,
    ScriptedDetector,
    one_face,
)

CONTRACT = Contract(spec=SPEC, temperature=1.0, face_detector="none")


class LiveRun:
    """All of a live run but its files, and the events it sent."""

    def __init__(
        self,
        source: ListSource,
        classifier: Classifier,
        *,
        screen: FakeScreen | None = None,
        duration_s: float | None = None,
        locate: Callable[[], tuple[Path, Contract]] = lambda: (Path("fake"), CONTRACT),
        stride_s: float = 0.2,
        recorder: Recorder | None = None,
        detector: Callable[[int], Sequence[Box]] = one_face,
        open_source: Callable[[], ListSource] | None = None,
        mirror: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        neutral_start: bool = False,
    ) -> None:
        self.events = MemoryEventSink()
        self.screen = screen or FakeScreen(clock=time.monotonic)
        self.interrupt = threading.Event()
        self.pipeline = LivePipeline(
            open_source or (lambda: source),
            locate,
            lambda folder, contract: classifier,
            lambda contract: ScriptedDetector(detector),
            source_name="list",
            model_name="fake",
            stride_s=stride_s,
            max_faces=8,
            detects_in_step=not source.info.is_live,
            smoothing=SmoothingConfig(),
            on_event=self.events.write,
            duration_s=duration_s,
            neutral_start=neutral_start,
        )
        self.loop = MainLoop(
            self.pipeline,
            recorder or Recorder(None),
            self.screen,
            source_name="list",
            mirror=mirror,
            interrupt=self.interrupt,
            clock=clock,
        )

    def run(self) -> RunReport:
        """See `MainLoop.run`."""
        return self.loop.run()


def shown_views(monkeypatch: pytest.MonkeyPatch) -> list[View]:
    """What the display is to draw, picture by picture; nothing is drawn."""
    views: list[View] = []

    def draw(image_bgr: ImageBGR, view: View, **_: object) -> ImageBGR:
        views.append(view)
        return image_bgr

    monkeypatch.setattr("realtime_mood.live_screen.draw_overlay", draw)
    return views


def told_messages(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the display tells, each as long as it does, and None between; nothing is drawn."""
    messages: list[str | None] = []

    def draw(image_bgr: ImageBGR, view: View, **how: object) -> ImageBGR:
        # What is shown has the display's size, what is saved has its own.
        if "size" in how and messages[-1:] != [view.message]:
            messages.append(view.message)
        return image_bgr

    monkeypatch.setattr("realtime_mood.live_screen.draw_overlay", draw)
    return messages
