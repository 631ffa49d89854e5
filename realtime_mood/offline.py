"""A file, every frame once and in order, as fast as the machine can.

The result depends on the file, the checkpoint and the options alone: no clip is skipped, and the
same run gives the same events.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.source import FrameSource, SourceInfo
from realtime_mood.capture.still_source import held
from realtime_mood.config import RunConfig
from realtime_mood.errors import OutputError, SourceError
from realtime_mood.events import ignore_event, start_event
from realtime_mood.faces.detector import make_detector
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.frame import Frame
from realtime_mood.inference.classifier import Classifier
from realtime_mood.inference.clip_sampler import ClipSampler
from realtime_mood.inference.worker import classify_clips
from realtime_mood.model.checkpoint import locate_checkpoint, read_contract
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.outputs import open_events
from realtime_mood.overlay import draw_overlay
from realtime_mood.report import RunReport
from realtime_mood.session import FaceStage, Session
from realtime_mood.sinks.recording import RecordingSink
from realtime_mood.sinks.sink import EventSink, FrameSink
from realtime_mood.smoothing import SmoothingConfig
from realtime_mood.timing import LatencyMeter

ProgressCallback = Callable[[Frame, SourceInfo], None]
"""Told of every frame done."""


def run_offline(
    config: RunConfig, *, on_progress: ProgressCallback, interrupt: threading.Event
) -> RunReport:
    """Open everything a configuration names, work through the file, close everything.

    Outputs are finished whatever happens, so that a file that breaks half-way keeps what was done.

    Args:
        config: an offline run.
        on_progress: told of every frame done.
        interrupt: set from outside to stop early; what was done is kept.

    Returns:
        What was done; of a file that broke half-way, with its failure.

    Raises:
        RealtimeMoodError: something cannot be opened or written.
        KeyboardInterrupt: it was stopped before anything was done; files that are there stay.
    """
    from realtime_mood.inference.torch_classifier import TorchClassifier

    assert config.video is not None
    with ExitStack() as stack:
        source = held(FileSource(config.video), is_endless=False)
        stack.callback(source.close)
        # Outputs come before what may have to be fetched; none is touched until it is written to.
        events = open_events(config)
        if events:
            stack.callback(events.close)
        recording: RecordingSink | None = None
        if config.record:
            recording = RecordingSink(
                config.record,
                width=source.info.width,
                height=source.info.height,
                frame_rate=source.info.frame_rate,
                audio_from=config.video,
                until_s=config.duration_s,
            )
            stack.callback(recording.close)
        folder = locate_checkpoint(config.model)
        contract = read_contract(folder)
        detector = make_detector(
            config.faces, yunet_file=config.face_model, trained_on=contract.face_detector
        )
        classifier = TorchClassifier(folder, contract, device=config.device)
        if interrupt.is_set():
            raise KeyboardInterrupt
        if events:
            events.write(
                start_event(
                    source=config.source_name,
                    model=config.model,
                    engine=classifier.name,
                    detector=detector.name,
                    spec=contract.spec,
                )
            )
        report = analyse(
            source,
            FaceTracker(InStepSearch(detector), max_faces=config.max_faces),
            classifier,
            contract.spec,
            stride_s=config.stride_s,
            smoothing=config.smoothing,
            duration_s=config.duration_s,
            neutral_start=config.neutral_start,
            mirror=config.shows_mirror,
            frame_sink=recording,
            event_sink=events,
            on_progress=on_progress,
            interrupt=interrupt,
        )
        # A recording begins with its first frame.
        if config.record and report.summary["frames"]:
            report = replace(report, recordings=(config.record,))
        return report


def sliding_clips(
    times_s: npt.NDArray[np.float64], spec: ClipSpec, *, stride_s: float
) -> list[tuple[float, npt.NDArray[np.int64]]]:
    """The clips that a run takes of a face which is seen at given times, chosen by its own sampler.

    Args:
        times_s: when the face was seen, rising, seconds.
        spec: the checkpoint's clip spec.
        stride_s: seconds between two clips.

    Returns:
        For each clip the time of its last frame and the positions of its frames in `times_s`,
        shape (num_frames,).
    """
    sampler = ClipSampler(spec, stride_s=stride_s)
    clips = []
    for position, time_s in enumerate(times_s):
        # The sampler never looks at crops, so the bytes of their numbers do for them.
        number = np.array([position], dtype=np.int64).view(np.uint8)
        clip = sampler.add(number, track_id=0, timestamp_s=float(time_s), frame_index=position)
        if clip is not None:
            clips.append((clip.end_s, clip.crops_bgr.view(np.int64).ravel()))
    return clips


def analyse(
    source: FrameSource,
    tracker: FaceTracker,
    classifier: Classifier,
    spec: ClipSpec,
    *,
    stride_s: float,
    smoothing: SmoothingConfig,
    duration_s: float | None = None,
    neutral_start: bool = False,
    mirror: bool = False,
    frame_sink: FrameSink | None = None,
    event_sink: EventSink | None = None,
    on_progress: ProgressCallback = lambda frame, info: None,
    interrupt: threading.Event | None = None,
) -> RunReport:
    """Work through a source with stages that are already built.

    Args:
        source: read to its end; not closed.
        tracker: follows the faces.
        classifier: classifies each clip as soon as its last frame was read.
        spec: the checkpoint's clip spec.
        stride_s: seconds between two clips of a face.
        smoothing: how steady moods are.
        duration_s: stop at the first frame from this time on.
        neutral_start: see `Session`.
        mirror: flip the annotated picture.
        frame_sink: given the annotated picture of every frame; nothing is drawn without one.
        event_sink: given every event.
        on_progress: told of every frame done.
        interrupt: set from outside to stop early.

    Returns:
        What was done; of a source that broke, with its failure. What was read before has reached
        the sinks, the summary event included. Recordings are not named in it.
    """
    session = Session(
        smoothing,
        neutral_start=neutral_start,
        on_event=event_sink.write if event_sink else ignore_event,
    )
    stage = FaceStage(tracker, spec, stride_s=stride_s)
    inference = LatencyMeter()
    below: set[int] = set()
    failure: SourceError | None = None
    started_s = time.perf_counter()
    try:
        while not (interrupt and interrupt.is_set()):
            frame = source.read()
            if frame is None or (duration_s is not None and frame.timestamp_s >= duration_s):
                break
            update, clips = stage.process(frame)
            session.add_tracks(frame, update, clips)
            if clips:
                asked_s = time.perf_counter()
                probabilities = classify_clips(clips, classifier, spec)
                took_s = time.perf_counter() - asked_s
                inference.add(took_s)
                session.add_predictions(clips, probabilities, latencies_s=[took_s] * len(clips))
            if frame_sink is not None:
                view = session.view(frame.timestamp_s)
                annotated = draw_overlay(frame.image_bgr, view, mirror=mirror, below=below)
                frame_sink.write(replace(frame, image_bgr=annotated))
            on_progress(frame, source.info)
    except SourceError as error:
        failure = error
    except Exception:
        # The sinks are told how far it went.
        with suppress(OutputError):
            session.finish(ended="broken")
        raise
    wall_s = time.perf_counter() - started_s
    interrupted = interrupt is not None and interrupt.is_set()
    ended = "broken" if failure else "stopped" if interrupted else "end"
    return RunReport(
        summary=session.finish(ended=ended),
        wall_s=wall_s,
        latency_name="inference",
        latency_p50_s=inference.percentile_s(50),
        latency_p95_s=inference.percentile_s(95),
        failure=failure,
    )
