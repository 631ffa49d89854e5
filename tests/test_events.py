"""The fields of the events that no run of stand-ins holds in full."""

from dataclasses import replace

import realtime_mood
from realtime_mood.events import engine_event, no_face_event, start_event, summary_event
from realtime_mood.model.labels import LABELS
from tests.fakes import SPEC


def test_the_start_tells_of_the_run_and_how_to_read_it() -> None:
    event = start_event(
        source="v.mp4",
        model="some/where",
        engine="cpu float32",
        detector="yunet",
        spec=replace(SPEC, num_frames=16, frame_interval_s=0.1, interval_growth=1.3),
    )
    assert event == {
        "type": "start",
        "schema": 1,
        "version": realtime_mood.__version__,
        "source": "v.mp4",
        "model": "some/where",
        "engine": "cpu float32",
        "detector": "yunet",
        "labels": list(LABELS),
        "clip": {"num_frames": 16, "frame_interval_s": 0.1, "interval_growth": 1.3},
    }
    assert next(iter(event)) == "type"


def test_the_engine_is_named_once_it_is_there() -> None:
    assert engine_event("cuda float16") == {"type": "engine", "engine": "cuda float16"}


def test_the_end_tells_what_was_done() -> None:
    counts = {
        "frames": 5,
        "predictions": 4,
        "dropped_frames": 3,
        "skipped_clips": 2,
        "dropped_recording_frames": 1,
    }
    event = summary_event(
        **counts, ended="stopped", media_time_s=2.000049, mood_seconds={"happy": 1.99996}
    )
    assert event == {
        "type": "summary",
        **counts,
        "ended": "stopped",
        "media_time_s": 2.0,
        "mood_seconds": {"happy": 2.0},
    }


def test_an_absence_has_its_time() -> None:
    assert no_face_event(media_time_s=1.23456) == {"type": "no_face", "media_time_s": 1.2346}
