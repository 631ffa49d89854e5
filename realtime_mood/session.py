"""What live and offline runs share: the stages of one frame, and what is known of each face.

frame ─► FaceStage ─► tracks, due clips ─► (classifier) ─► Session ─► view, events, summary
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from realtime_mood.events import (
    NO_FACE,
    Event,
    neutral_forgotten_event,
    neutral_learned_event,
    no_face_event,
    prediction_event,
    summary_event,
    track_ended_event,
    track_started_event,
)
from realtime_mood.face_memory import FaceMemory
from realtime_mood.faces.crop import crop_face
from realtime_mood.faces.tracker import FaceTracker, TrackUpdate
from realtime_mood.focus import Focus
from realtime_mood.frame import Frame
from realtime_mood.inference.classifier import Probabilities
from realtime_mood.inference.clip_sampler import Clip, ClipSampler
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import UNSURE
from realtime_mood.smoothing import SmoothingConfig
from realtime_mood.view import View

PAUSE_S = 10.0
"""After a longer time between two frames nothing is known of a face; the pictures of a time-lapse
are some seconds apart."""
MAX_GAP_S = 1.0
"""Of a longer time between two frames, no more is counted as time spent in a mood."""


class FaceStage:
    """Follows faces, cuts them out and says which clips are due; one call a frame, in order.

    Args:
        tracker: follows the faces.
        spec: the checkpoint's clip spec.
        stride_s: seconds between two clips of a face.
    """

    def __init__(self, tracker: FaceTracker, spec: ClipSpec, *, stride_s: float) -> None:
        self._tracker = tracker
        self._spec = spec
        self._sampler = ClipSampler(spec, stride_s=stride_s)

    def process(self, frame: Frame) -> tuple[TrackUpdate, list[Clip]]:
        """Take the next frame; answer what changed and the clips that end with it."""
        update = self._tracker.update(frame.image_bgr, frame.timestamp_s)
        for ended in update.ended:
            self._sampler.end(ended.track_id)
        clips = []
        for track in update.tracks:
            clip = self._sampler.add(
                crop_face(frame.image_bgr, track.box, self._spec, roll_rad=track.roll_rad),
                track_id=track.track_id,
                timestamp_s=frame.timestamp_s,
                frame_index=frame.index,
            )
            if clip is not None:
                clips.append(clip)
        return update, clips


class Session:
    """All that a run knows, from its first frame to its summary. Thread-safe.

    Args:
        smoothing: how steady moods are.
        neutral_start: every face rests at first, and its neutral expression is learned then.
        on_event: called with every event, in order, from the thread that caused it.
    """

    def __init__(
        self,
        smoothing: SmoothingConfig,
        *,
        neutral_start: bool = False,
        on_event: Callable[[Event], None],
    ) -> None:
        self._smoothing = smoothing
        self._neutral_start = neutral_start
        self._on_event = on_event
        self._lock = threading.Condition()
        self._faces: dict[int, FaceMemory] = {}
        self._focus = Focus()
        self._mood_seconds: defaultdict[str, float] = defaultdict(float)
        self._predictions = 0
        self._frames = 0
        self._last_frame_s: float | None = None
        self._is_searched = False
        self._has_told_of_no_face = False

    def add_tracks(self, frame: Frame, update: TrackUpdate, clips: Sequence[Clip] = ()) -> None:
        """Take what `FaceStage.process` found in a frame."""
        with self._lock:
            before_s = self._last_frame_s
            self._account(frame.timestamp_s)
            if before_s is not None and frame.timestamp_s - before_s > PAUSE_S:
                self._forget_over_pause(before_s)
            self._frames += 1
            self._is_searched = update.is_searched
            for ended in update.ended:
                self._end(ended.track_id, ended.reason, frame.timestamp_s)
            for track in update.started:
                self._faces[track.track_id] = FaceMemory(track, self._smoothing)
                self._on_event(
                    track_started_event(
                        media_time_s=frame.timestamp_s, track_id=track.track_id, box=track.box
                    )
                )
            for track in update.tracks:
                self._faces[track.track_id].track = track
            self._tell_of_no_face(frame.timestamp_s)
            for clip in clips:
                self._faces[clip.track_id].ask(clip.frame_index)
            self._lock.notify_all()

    def wait_for_frame(self, timestamp_s: float, *, timeout_s: float) -> bool:
        """Wait until the frame of this time was given to `add_tracks`; False when it was not."""
        with self._lock:
            return self._lock.wait_for(
                lambda: self._last_frame_s is not None and self._last_frame_s >= timestamp_s,
                timeout_s,
            )

    def add_predictions(
        self, clips: Sequence[Clip], probabilities: Probabilities, *, latencies_s: Sequence[float]
    ) -> None:
        """Take the classifier's answers; those for faces that are gone, and those of before a
        pause, are left out.

        Args:
            clips: what was classified.
            probabilities: shape (clips, 8).
            latencies_s: from the capture of each clip's last frame to its answer.
        """
        with self._lock:
            for clip, row, latency_s in zip(clips, probabilities, latencies_s, strict=True):
                memory = self._faces.get(clip.track_id)
                track = memory.take_asked(clip.frame_index) if memory else None
                if memory is None or track is None:
                    continue
                if self._neutral_start and memory.is_neutral_due(clip.end_s):
                    self._learn(memory)
                mood = memory.answer(row, clip.end_s, is_hidden=track.is_hidden)
                self._predictions += 1
                self._on_event(
                    prediction_event(
                        media_time_s=clip.end_s,
                        wall_time=datetime.now(UTC),
                        frame_index=clip.frame_index,
                        track_id=clip.track_id,
                        box=track.box,
                        mood=mood,
                        raw_probabilities=tuple(float(value) for value in row),
                        latency_s=latency_s,
                    )
                )

    @property
    def has_faces(self) -> bool:
        """Whether a face is followed."""
        with self._lock:
            return bool(self._faces)

    def learn_neutral(self) -> int:
        """Take the last second of every face in sight for its neutral expression.

        What its answers tell then of other expressions is taken off from now on, for as long as
        it is followed; see `neutral.NeutralFace`.

        Returns:
            Of how many faces it was learned: not of those whose neutral expression is known, and
            not of those of which nothing is known, or that are hidden.
        """
        with self._lock:
            faces = self._faces.values()
            known = [face for face in faces if face.is_known and not face.has_neutral]
            for memory in known:
                self._learn(memory)
            return len(known)

    def forget_neutral(self) -> int:
        """Take the answers of all faces as they are again.

        Returns:
            Of how many faces a neutral expression was known.
        """
        with self._lock:
            learned = [face for face in self._faces.values() if face.has_neutral]
            for memory in learned:
                end_s = memory.forget_neutral()
                self._on_event(
                    neutral_forgotten_event(media_time_s=end_s, track_id=memory.track.track_id)
                )
            return len(learned)

    def finish(
        self,
        *,
        ended: str,
        frames: int | None = None,
        dropped_frames: int = 0,
        skipped_clips: int = 0,
        dropped_recording_frames: int = 0,
    ) -> Event:
        """End the run: all tracks end and the summary event is sent.

        Args:
            ended: how, see `summary_event`.
            frames: pictures that were drawn; None takes those given to `add_tracks`.
            dropped_frames: frames of the source that were not drawn.
            skipped_clips: clips that were replaced before they were classified.
            dropped_recording_frames: drawn pictures that were not recorded.

        Returns:
            The summary event.
        """
        with self._lock:
            for track_id in tuple(self._faces):
                self._end(track_id, "end", self._last_frame_s or 0.0)
            summary = summary_event(
                frames=self._frames if frames is None else frames,
                predictions=self._predictions,
                dropped_frames=dropped_frames,
                skipped_clips=skipped_clips,
                dropped_recording_frames=dropped_recording_frames,
                ended=ended,
                media_time_s=self._last_frame_s or 0.0,
                mood_seconds=dict(sorted(self._mood_seconds.items())),
            )
            self._on_event(summary)
            return summary

    def view(self, media_time_s: float) -> View:
        """What is known by now, to be drawn over the frame of a time."""
        with self._lock:
            faces = [memory.view(self._last_frame_s or 0.0) for memory in self._faces.values()]
            return View(
                media_time_s=media_time_s,
                faces=self._focus.first(faces),
                is_searched=self._is_searched,
            )

    def _end(self, track_id: int, reason: str, media_time_s: float) -> None:
        del self._faces[track_id]
        self._on_event(
            track_ended_event(media_time_s=media_time_s, track_id=track_id, reason=reason)
        )

    def _learn(self, memory: FaceMemory) -> None:
        end_s, neutral = memory.learn_neutral()
        self._on_event(
            neutral_learned_event(
                media_time_s=end_s, track_id=memory.track.track_id, factors=neutral.factors
            )
        )

    def _tell_of_no_face(self, media_time_s: float) -> None:
        if not self._faces and not self._is_searched:
            return  # Nobody knows yet.
        if not self._faces and not self._has_told_of_no_face:
            self._on_event(no_face_event(media_time_s=media_time_s))
        self._has_told_of_no_face = not self._faces

    def _forget_over_pause(self, since_s: float) -> None:
        # Nobody saw the faces while the source was paused or silent.
        for memory in self._faces.values():
            memory.forget(since_s)

    def _account(self, now_s: float) -> None:
        elapsed_s = 0.0 if self._last_frame_s is None else now_s - self._last_frame_s
        # Nobody knows what was shown while the source was paused or silent.
        elapsed_s = min(elapsed_s, MAX_GAP_S)
        for memory in self._faces.values():
            self._mood_seconds[memory.mood.label if memory.mood else UNSURE] += elapsed_s
        if not self._faces and self._is_searched:
            self._mood_seconds[NO_FACE] += elapsed_s
        self._last_frame_s = now_s
