"""A camera, a stream, or a file at its natural speed: what a configuration names, put together."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.opencv_source import OpenCVSource
from realtime_mood.capture.pattern_source import PatternSource
from realtime_mood.capture.source import FrameSource
from realtime_mood.capture.still_source import held
from realtime_mood.config import RunConfig
from realtime_mood.events import Event, ignore_event
from realtime_mood.faces.detector import make_detector
from realtime_mood.faces.yunet_file import check_yunet_file
from realtime_mood.inference.classifier import Classifier
from realtime_mood.main_loop import MainLoop
from realtime_mood.model.checkpoint import (
    Contract,
    check_model_name,
    is_on_this_machine,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.outputs import open_events
from realtime_mood.pipeline import LivePipeline
from realtime_mood.recorder import Recorder
from realtime_mood.report import RunReport
from realtime_mood.sinks.display import Display
from realtime_mood.sinks.threaded import ThreadedSink

EVENTS_CAPACITY = 10_000


def run_live(config: RunConfig, *, interrupt: threading.Event) -> RunReport:
    """Open everything a configuration names and run until the source or the person ends it.

    Args:
        config: a live run. The display is opened unless it says headless.
        interrupt: set from outside to end the run properly.

    Raises:
        RealtimeMoodError: something cannot be opened, read or written.
    """
    check_model_name(config.model)
    if is_on_this_machine(config.model):
        read_contract(locate_checkpoint(config.model))
    if config.face_model is not None:
        check_yunet_file(config.face_model)
    with ExitStack() as stack:
        events: ThreadedSink[Event] | None = None
        if sink := open_events(config):
            events = ThreadedSink(sink.write, sink.close, name="events", capacity=EVENTS_CAPACITY)
            stack.callback(events.close)
        recorder = Recorder(config.record, until_s=config.duration_s)
        stack.callback(recorder.finish)
        screen: Display | None = None
        if not config.headless:
            screen = Display()
            stack.callback(screen.close)
        pipeline = LivePipeline(
            lambda: open_source(config),
            lambda: _locate(config.model),
            lambda folder, contract: _load(folder, contract, config.device),
            lambda contract: make_detector(
                config.faces, yunet_file=config.face_model, trained_on=contract.face_detector
            ),
            source_name=config.source_name,
            model_name=config.model,
            stride_s=config.stride_s,
            smoothing=config.smoothing,
            max_faces=config.max_faces,
            detects_in_step=config.video is not None,
            on_event=events.write if events else ignore_event,
            duration_s=config.duration_s,
            neutral_start=config.neutral_start,
        )
        loop = MainLoop(
            pipeline,
            recorder,
            screen,
            source_name=config.source_name,
            mirror=config.shows_mirror,
            interrupt=interrupt,
            raise_output_errors=events.raise_error if events else lambda: None,
        )
        report = loop.run()
        return replace(report, dropped_events=events.dropped if events else 0)


def open_source(config: RunConfig) -> FrameSource:
    """The source a configuration names.

    Raises:
        SourceError: it cannot be opened.
    """
    if config.video is not None:
        return held(FileSource(config.video), is_endless=True)
    assert config.target is not None
    if config.target.is_pattern:
        return PatternSource(is_live=True)
    return OpenCVSource(config.target.text, size=config.camera_size)


def _locate(model: str) -> tuple[Path, Contract]:
    folder = locate_checkpoint(model)
    return folder, read_contract(folder)


def _load(folder: Path, contract: Contract, device: str) -> Classifier:
    # Importing torch takes seconds; it happens here, in the inference thread.
    from realtime_mood.inference.torch_classifier import TorchClassifier

    return TorchClassifier(folder, contract, device=device)
