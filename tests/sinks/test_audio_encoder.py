"""Sound that is encoded anew, of a form that changes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.sinks.recording import RecordingSink
from tests.media import audio_packets, beep_time_s, read_all, write_video


@pytest.mark.parametrize(
    ("rates_hz", "layouts"),
    [
        ((48_000, 48_000), ("mono", "stereo")),
        ((48_000, 48_000), ("stereo", "mono")),
        ((48_000, 44_100), ("stereo", "stereo")),
        ((32_000, 48_000), ("mono", "stereo")),
    ],
)
def test_sound_of_another_layout_or_rate_goes_on(
    tmp_path: Path,
    rates_hz: tuple[int, int],
    layouts: tuple[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    glued = tmp_path / "glued.ts"
    with glued.open("wb") as file:
        for number, (rate_hz, layout) in enumerate(zip(rates_hz, layouts, strict=True)):
            part = write_video(
                tmp_path / f"{number}.ts",
                count=50,
                audio="ac3",
                audio_rate=rate_hz,
                audio_layout=layout,
                beep_at_s=0.5 if number else None,
            )
            file.write(part.read_bytes())
    sink = RecordingSink(
        tmp_path / "r.mp4", width=64, height=48, frame_rate=Fraction(25), audio_from=glued
    )
    for frame in read_all(FileSource(glued)):
        sink.write(frame)
    sink.close()
    assert caplog.text == ""
    assert beep_time_s(tmp_path / "r.mp4") == pytest.approx(2.5, abs=0.08)
    begin_s, length_s = audio_packets(tmp_path / "r.mp4")[-1]
    assert begin_s + length_s == pytest.approx(4.0, abs=0.1)
