"""The events that other programs read: plain dictionaries, `type` first. Pure.

Readers skip types and keys they do not know. Boxes are pixels of the upright source picture;
`media_time_s` counts from the source's first frame. Of two runs over one file everything is equal
but `wall_time` and `latency_s`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import realtime_mood
from realtime_mood.faces.box import Box
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import LABELS
from realtime_mood.smoothing import MoodState

SCHEMA = 1
NO_FACE = "no face"
"""In the summary's seconds of moods: the time in which no face was followed."""
Event = dict[str, Any]


def ignore_event(event: Event) -> None:
    """Where nobody asked for events."""


def start_event(*, source: str, model: str, engine: str, detector: str, spec: ClipSpec) -> Event:
    """The first event of a run."""
    return {
        "type": "start",
        "schema": SCHEMA,
        "version": realtime_mood.__version__,
        "source": source,
        "model": model,
        "engine": engine,
        "detector": detector,
        "labels": list(LABELS),
        "clip": {
            "num_frames": spec.num_frames,
            "frame_interval_s": spec.frame_interval_s,
            "interval_growth": spec.interval_growth,
        },
    }


def engine_event(engine: str) -> Event:
    """The model of a live run is loaded and runs on this."""
    return {"type": "engine", "engine": engine}


def source_lost_event(*, media_time_s: float) -> Event:
    """No frame came from the camera or stream after this time; it is opened again."""
    return {"type": "source_lost", "media_time_s": _seconds(media_time_s)}


def source_restored_event(*, media_time_s: float) -> Event:
    """The camera or stream was opened again, and its first frame has this time."""
    return {"type": "source_restored", "media_time_s": _seconds(media_time_s)}


def track_started_event(*, media_time_s: float, track_id: int, box: Box) -> Event:
    """A face is followed from now on."""
    return {
        "type": "track_started",
        "media_time_s": _seconds(media_time_s),
        "track_id": track_id,
        "box_xywh": box.to_xywh(),
    }


def no_face_event(*, media_time_s: float) -> Event:
    """No face is followed from now on, until the next `track_started`."""
    return {"type": "no_face", "media_time_s": _seconds(media_time_s)}


def prediction_event(
    *,
    media_time_s: float,
    wall_time: datetime,
    frame_index: int,
    track_id: int,
    box: Box,
    mood: MoodState,
    raw_probabilities: tuple[float, ...],
    latency_s: float,
) -> Event:
    """The model answered for one clip.

    Args:
        media_time_s: time of the clip's last frame.
        wall_time: when the answer came.
        frame_index: number of the clip's last frame in the source.
        track_id: the face.
        box: where it was on that frame.
        mood: the smoothed state with this answer in it.
        raw_probabilities: the clip's own calibrated probabilities, in label order.
        latency_s: from the capture of the clip's last frame to the answer; for a file, the time
            the model took.
    """
    return {
        "type": "prediction",
        "media_time_s": _seconds(media_time_s),
        "wall_time": wall_time.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "frame_index": frame_index,
        "track_id": track_id,
        "box_xywh": box.to_xywh(),
        "label": mood.label,
        "confidence": round(mood.confidence, 4),
        "probabilities": _by_label(mood.probabilities),
        "raw_probabilities": _by_label(raw_probabilities),
        "latency_s": round(latency_s, 4),
    }


def neutral_learned_event(
    *, media_time_s: float, track_id: int, factors: tuple[float, ...]
) -> Event:
    """What a face's raw probabilities are multiplied by from now on, and then scaled to sum to 1,
    before they are smoothed, anew from those of the past second on.

    Args:
        media_time_s: time of the last answer that it was learned from.
        track_id: the face.
        factors: in label order, see `neutral.NeutralFace`.
    """
    return {
        "type": "neutral_learned",
        "media_time_s": _seconds(media_time_s),
        "track_id": track_id,
        "factors": {label: float(f"{f:.4g}") for label, f in zip(LABELS, factors, strict=True)},
    }


def neutral_forgotten_event(*, media_time_s: float, track_id: int) -> Event:
    """A face's raw probabilities are smoothed as they are, anew from those of the past second."""
    return {
        "type": "neutral_forgotten",
        "media_time_s": _seconds(media_time_s),
        "track_id": track_id,
    }


def track_ended_event(*, media_time_s: float, track_id: int, reason: str) -> Event:
    """A face is no longer followed; `reason` is 'lost', 'cut' or 'end'."""
    return {
        "type": "track_ended",
        "media_time_s": _seconds(media_time_s),
        "track_id": track_id,
        "reason": reason,
    }


def summary_event(
    *,
    frames: int,
    predictions: int,
    dropped_frames: int,
    skipped_clips: int,
    dropped_recording_frames: int,
    ended: str,
    media_time_s: float,
    mood_seconds: Mapping[str, float],
) -> Event:
    """The last event of a run.

    Args:
        frames: pictures of the source that were drawn, or worked through offline.
        predictions: prediction events sent.
        dropped_frames: pictures that came from the source and were not drawn.
        skipped_clips: clips that a newer one replaced before the model took them.
        dropped_recording_frames: pictures that were drawn but came too fast to be recorded.
        ended: 'end' (of the source or the duration), 'stopped' (by the person) or 'broken'
            (something failed; what came before is whole).
        media_time_s: time of the last frame.
        mood_seconds: seconds that any face spent in each mood.
    """
    return {
        "type": "summary",
        "frames": frames,
        "predictions": predictions,
        "dropped_frames": dropped_frames,
        "skipped_clips": skipped_clips,
        "dropped_recording_frames": dropped_recording_frames,
        "ended": ended,
        "media_time_s": _seconds(media_time_s),
        "mood_seconds": {label: _seconds(value) for label, value in mood_seconds.items()},
    }


def _seconds(value: float) -> float:
    return round(value, 4)


def _by_label(probabilities: tuple[float, ...]) -> dict[str, float]:
    return {label: round(value, 4) for label, value in zip(LABELS, probabilities, strict=True)}
