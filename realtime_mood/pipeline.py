"""The threads of a live run: capture, faces, detector and inference around one session.

                                  detector
                                     ▲│
                                     │▼
    capture ──► ring of frames ──► faces ──► mailbox of clips ──► inference
                     │               │                                │
                     ▼               └────────► session ◄─────────────┘
               main: display                      (boxes, moods, events)

Each thread takes the newest it can get, and none waits for a later one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from realtime_mood.capture.source import FrameSource
from realtime_mood.capture.worker import CaptureWorker
from realtime_mood.errors import ModelError
from realtime_mood.events import (
    Event,
    engine_event,
    source_lost_event,
    source_restored_event,
    start_event,
)
from realtime_mood.faces.detector import FaceDetector
from realtime_mood.faces.search import FaceSearch, InStepSearch, ThreadedSearch
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.inference.classifier import Classifier, Probabilities
from realtime_mood.inference.clip_sampler import Clip
from realtime_mood.inference.worker import ClipMailbox, serve_clips
from realtime_mood.model.checkpoint import Contract
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.session import FaceStage, Session
from realtime_mood.smoothing import SmoothingConfig
from realtime_mood.threads import Worker
from realtime_mood.timing import LatencyMeter, RateMeter
from realtime_mood.view import HudView

WAIT_S = 0.1
MAX_FACES_LAG_S = 0.3
"""The faces thread works through frames in order, up to this far behind the newest."""
JOIN_TIMEOUT_S = 3.0
LOST_JOIN_TIMEOUT_S = 0.3
"""Of a source that is lost: its driver may be opening it, which nobody waits for any more."""
LOAD_TIMEOUT_S = 60.0


class LivePipeline:
    """Starts, feeds and ends the threads of a live run.

    Args:
        open_source: opens the source, in the capture thread.
        locate_model: finds a checkpoint and reads its contract, in the inference thread.
        load_classifier: loads it, in the inference thread.
        make_detector: builds what finds the faces for a checkpoint, in the faces thread, once the
            source is open; it may fetch a file.
        source_name: for the start event.
        model_name: for the start event.
        stride_s: seconds between two clips of a face.
        smoothing: how steady moods are.
        max_faces: how many faces are followed at the same time.
        detects_in_step: the faces thread waits for the detector, so that a file that is played
            gives the same results as one that is worked through; otherwise the detector has a
            thread of its own, and no frame waits for it.
        on_event: called with every event, from any of the threads; must not wait.
        duration_s: the source ends at the first frame from this time on; None reads on.
        neutral_start: see `Session`.
    """

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        locate_model: Callable[[], tuple[Path, Contract]],
        load_classifier: Callable[[Path, Contract], Classifier],
        make_detector: Callable[[Contract], FaceDetector],
        *,
        source_name: str,
        model_name: str,
        stride_s: float,
        smoothing: SmoothingConfig,
        max_faces: int,
        detects_in_step: bool,
        on_event: Callable[[Event], None],
        duration_s: float | None = None,
        neutral_start: bool = False,
    ) -> None:
        self._locate_model = locate_model
        self._load_classifier = load_classifier
        self._make_detector = make_detector
        self._source_name = source_name
        self._model_name = model_name
        self._stride_s = stride_s
        self._max_faces = max_faces
        self._detects_in_step = detects_in_step
        self._on_event = on_event
        self._event_lock = threading.Lock()
        self._has_finished = False
        self._skipped_while_loading = 0
        self._contract: Contract | None = None
        self._contract_known = threading.Event()
        self._has_started = threading.Event()
        self._is_loss_told = False
        self._inference_rate = RateMeter()
        self._rate_lock = threading.Lock()
        self._mailbox = ClipMailbox()
        self.engine: str | None = None
        self.latency = LatencyMeter()
        self.session = Session(smoothing, neutral_start=neutral_start, on_event=self._send)
        self.capture = CaptureWorker(
            open_source,
            clock=time.perf_counter,
            duration_s=duration_s,
            on_lost=self._tell_lost,
            on_restored=self._tell_restored,
        )
        self._faces = Worker("faces", self._run_faces)
        self._inference = Worker("inference", self._run_inference)
        self._workers = (self.capture.worker, self._faces, self._inference)

    def start(self) -> None:
        """Start all threads."""
        for worker in self._workers:
            worker.start()

    def raise_errors(self) -> None:
        """Raise what any of the threads died of."""
        for worker in self._workers:
            worker.raise_error()

    @property
    def has_started(self) -> bool:
        """True once the start event has been sent."""
        return self._has_started.is_set()

    @property
    def has_ended(self) -> bool:
        """True once the source has no more frames."""
        return not self.capture.worker.is_running

    def finish(
        self,
        *,
        ended: str,
        frames: int,
        dropped_frames: int,
        dropped_recording_frames: int,
        drain: bool,
        give_up: Callable[[], bool],
    ) -> Event:
        """Stop and join all threads and end the session.

        Args:
            ended: for the summary, as are the next three.
            frames: pictures that were drawn.
            dropped_frames: pictures that were not.
            dropped_recording_frames: drawn pictures that were not recorded.
            drain: let frames and clips that are already there be classified first, as at the end
                of a file; otherwise stop at once.
            give_up: asked again and again while they are waited for; True to wait no longer.

        Returns:
            The summary event.
        """
        has_given_up = False

        def gives_up() -> bool:
            nonlocal has_given_up
            has_given_up = has_given_up or (drain and give_up())
            return has_given_up

        self.capture.worker.stop()
        if not drain:
            self._faces.stop()
            self._inference.stop()
        self.capture.worker.join(LOST_JOIN_TIMEOUT_S if self.capture.is_lost else JOIN_TIMEOUT_S)
        self._faces.join(JOIN_TIMEOUT_S, give_up=gives_up)
        self._mailbox.close()
        # An import or a load cannot be stopped half-way; it is waited for only when it is needed.
        patience_s = LOAD_TIMEOUT_S if drain else JOIN_TIMEOUT_S if self.engine else 0.0
        self._inference.join(patience_s, give_up=gives_up)
        is_absent = self._inference.is_running and not self.engine
        is_late = drain and is_absent and not has_given_up
        for worker in self._workers:
            worker.stop()
        summary = self.session.finish(
            ended=ended,
            frames=frames,
            dropped_frames=dropped_frames,
            skipped_clips=self.skipped_clips,
            dropped_recording_frames=dropped_recording_frames,
        )
        if is_late:
            raise ModelError(
                f"the model {self._model_name} was not ready within {LOAD_TIMEOUT_S:.0f} s after "
                "the source had ended; try a smaller one"
            )
        return summary

    @property
    def skipped_clips(self) -> int:
        """Clips that were not classified, since the model is there to take them."""
        return self._mailbox.skipped - self._skipped_while_loading if self.engine else 0

    def hud(self, *, display_hz: float | None, dropped_frames: int) -> HudView:
        """The numbers of this moment."""
        with self._rate_lock:
            inference_hz = self._inference_rate.rate_hz(time.perf_counter())
        return HudView(
            capture_hz=self.capture.rate_hz(),
            display_hz=display_hz,
            inference_hz=inference_hz if self.engine else None,
            age_s=self.latency.latest_s,
            dropped_frames=dropped_frames,
            skipped_clips=self.skipped_clips,
            engine=self.engine,
        )

    def _run_faces(self, stop: threading.Event) -> None:
        for ready in (self.capture.has_opened, self._contract_known):
            while not ready.wait(WAIT_S):
                if stop.is_set() or self.capture.worker.error or self._inference.error:
                    return
        assert self._contract is not None
        spec = self._contract.spec
        detector = self._make_detector(self._contract)
        self._send(
            start_event(
                source=self._source_name,
                model=self._model_name,
                engine="loading",
                detector=detector.name,
                spec=spec,
            )
        )
        if self._detects_in_step:
            self._follow_faces(InStepSearch(detector), spec, stop)
        else:
            with ThreadedSearch(detector) as search:
                self._follow_faces(search, spec, stop)

    def _follow_faces(self, search: FaceSearch, spec: ClipSpec, stop: threading.Event) -> None:
        tracker = FaceTracker(search, max_faces=self._max_faces)
        stage = FaceStage(tracker, spec, stride_s=self._stride_s)
        last_s = -math.inf
        while not stop.is_set():
            has_ended = self.has_ended
            frame = self.capture.frames.wait_after(
                last_s, max_lag_s=MAX_FACES_LAG_S, timeout_s=WAIT_S
            )
            if frame is None:
                if has_ended:
                    break
                continue
            last_s = frame.timestamp_s
            update, clips = stage.process(frame)
            if stop.is_set():
                break  # The session may have ended while the detector kept this thread.
            self.session.add_tracks(frame, update, clips)
            for ended in update.ended:
                self._mailbox.discard(ended.track_id)
            for clip in clips:
                self._mailbox.put(clip)

    def _run_inference(self, stop: threading.Event) -> None:
        folder, contract = self._locate_model()
        self._contract = contract
        self._contract_known.set()
        classifier = self._load_classifier(folder, contract)
        while not self._has_started.wait(WAIT_S):
            if stop.is_set() or self._faces.error:
                return
        self._skipped_while_loading = self._mailbox.skipped
        self.engine = classifier.name
        self._send(engine_event(classifier.name))
        self.capture.release()
        serve_clips(
            self._mailbox, classifier, contract.spec, on_result=self._take_result, stop=stop
        )

    def _send(self, event: Event) -> None:
        """Pass an event on: nothing before the start event, nothing after the summary."""
        with self._event_lock:
            if event["type"] == "start":
                self._has_started.set()
            if self._has_started.is_set() and not self._has_finished:
                self._on_event(event)
            self._has_finished |= event["type"] == "summary"

    def _tell_lost(self, media_time_s: float) -> None:
        self._is_loss_told = self.has_started
        self._send(source_lost_event(media_time_s=media_time_s))

    def _tell_restored(self, media_time_s: float) -> None:
        # Of a loss before the start event nobody knows.
        if self._is_loss_told:
            self._send(source_restored_event(media_time_s=media_time_s))

    def _take_result(self, clips: Sequence[Clip], probabilities: Probabilities) -> None:
        latencies_s = [self.capture.age_s(clip.end_s) for clip in clips]
        for latency_s in latencies_s:
            self.latency.add(latency_s)
        with self._rate_lock:
            self._inference_rate.tick(time.perf_counter(), len(clips))
        self.session.add_predictions(clips, probabilities, latencies_s=latencies_s)
