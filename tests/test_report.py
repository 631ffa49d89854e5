"""The summary that a person reads."""

from collections.abc import Mapping
from typing import Any

from realtime_mood.events import summary_event
from realtime_mood.report import RunReport


def _lines(
    *,
    frames: int = 300,
    predictions: int = 40,
    mood_seconds: Mapping[str, float] | None = None,
    wall_s: float | None = 5.0,
    has_model: bool = True,
    skipped: int = 2,
    latencies_s: tuple[float, float] | None = None,
) -> list[str]:
    summary = summary_event(
        frames=frames,
        predictions=predictions,
        dropped_frames=1,
        skipped_clips=skipped,
        dropped_recording_frames=1,
        ended="end",
        media_time_s=10.0,
        mood_seconds=mood_seconds or {},
    )
    p50_s, p95_s = latencies_s or (None, None)
    report = RunReport(
        summary=summary,
        wall_s=wall_s,
        latency_name="inference",
        latency_p50_s=p50_s,
        latency_p95_s=p95_s,
        dropped_events=2,
        has_model=has_model,
    )
    return report.lines()


def test_only_a_file_that_is_worked_through_has_a_speed() -> None:
    assert _lines()[0] == "300 frames, 10.0 s of video in 5.0 s (60 frames/s, 2.0 x real time)"
    assert _lines(wall_s=0.01)[0] == "300 frames, 10.0 s of video in 0.0 s"
    assert _lines(wall_s=None)[0] == "300 frames, 10.0 s of video"


def test_latencies_are_told_in_milliseconds() -> None:
    assert _lines(latencies_s=(0.0836, 0.12))[2] == "inference: 84 ms median, 120 ms p95"


def test_one_is_not_called_many() -> None:
    lines = _lines(frames=1, predictions=1)
    assert lines[0].startswith("1 frame, ")
    assert lines[1] == "1 prediction, 1 frame dropped, 2 clips skipped"
    assert lines[2:4] == [
        "1 frame came too fast to be recorded",
        "2 events came too fast to be written",
    ]


def test_a_mood_that_was_shown_is_never_0_percent() -> None:
    lines = _lines(mood_seconds={"happy": 0.05, "sad": 0.06, "unsure": 9.89, "calm": 0.0})
    assert "shown: unsure 99%, sad 1%, happy <1%" in lines


def test_what_was_not_named_has_a_reason() -> None:
    assert "takes a face in sight for 0.4 s" in _unnamed(has_model=True)
    assert _unnamed(has_model=False).endswith("it ended before the model was loaded")
    assert _unnamed(mood_seconds={"no face": 3.0}).endswith("no face was found")
    assert "takes a face" in _unnamed(mood_seconds={"no face": 3.0, "unsure": 0.2})


def _unnamed(**values: Any) -> str:
    lines = _lines(predictions=0, skipped=0, **values)
    (line,) = (line for line in lines if line.startswith("no expression was named"))
    return line
