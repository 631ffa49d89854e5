"""Recordings of pictures that lie hours apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.frame import Frame
from realtime_mood.media_libraries import av
from realtime_mood.sinks.recording import RecordingSink
from tests.media import audio_packets, beep_time_s, read_all, times_of, write_video

HOUR_S = 3600


def _frame(time_s: float) -> Frame:
    return Frame(np.full((48, 64, 3), 90, np.uint8), time_s, 0)


def _record(path: Path, frames: list[Frame], audio_from: Path | None = None) -> None:
    sink = RecordingSink(path, width=64, height=48, audio_from=audio_from)
    for frame in frames:
        sink.write(frame)
    sink.close()


@pytest.mark.parametrize("gap_h", [6.7, 50])
def test_hours_between_two_pictures_are_kept(tmp_path: Path, gap_h: float) -> None:
    gap_s = gap_h * HOUR_S
    _record(tmp_path / "r.mp4", [_frame(t) for t in (0.0, 0.04, gap_s, gap_s + 0.04)])
    times = times_of(tmp_path / "r.mp4")
    assert times[:2] == pytest.approx([0.0, 0.04], abs=0.001)
    assert times[-2:] == pytest.approx([gap_s, gap_s + 0.04], abs=0.001)
    # The picture before the gap stands there again.
    assert np.diff(times).max() <= 6.001 * HOUR_S


def test_a_gap_of_years_is_a_mistake(tmp_path: Path) -> None:
    _record(tmp_path / "r.mp4", [_frame(t) for t in (0.0, 1.7e9, 1.7e9 + 0.04)])
    assert times_of(tmp_path / "r.mp4")[-2:] == pytest.approx([864_000, 864_000.04], abs=0.001)


def _with_gap(source: Path, path: Path, gap_s: float) -> Path:
    """Copy a file whose picture and sound pause for so long after its first second."""
    with av.open(str(source)) as read, av.open(str(path), "w") as write:
        copies = {s.index: write.add_stream_from_template(s, opaque=True) for s in read.streams}
        for packet in read.demux():
            if packet.dts is None or packet.pts is None:
                continue
            if packet.pts * packet.time_base >= 1:
                packet.pts += round(gap_s / packet.time_base)
                packet.dts += round(gap_s / packet.time_base)
            packet.stream = copies[packet.stream_index]
            write.mux(packet)
    return path


@pytest.mark.parametrize("codec", ["aac", "flac"])
def test_sound_after_hours_is_in_step(tmp_path: Path, codec: str) -> None:
    whole = write_video(tmp_path / "whole.mkv", count=50, codec="mpeg4", audio=codec, beep_at_s=1.5)
    source = _with_gap(whole, tmp_path / "v.mkv", 7 * HOUR_S)
    _record(tmp_path / "r.mp4", read_all(FileSource(source)), source)
    assert beep_time_s(tmp_path / "r.mp4") == pytest.approx(7 * HOUR_S + 1.5, abs=0.03)


def test_sound_that_pauses_too_long_breaks_off_and_the_picture_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = write_video(tmp_path / "whole.mkv", count=50, codec="mpeg4", audio="aac")
    source = _with_gap(whole, tmp_path / "v.mkv", 20 * HOUR_S)
    _record(tmp_path / "r.mp4", read_all(FileSource(source)), source)
    assert "the sound breaks off (it pauses for 20 h)" in caplog.text
    assert audio_packets(tmp_path / "r.mp4")[-1][0] < 1.0
    assert times_of(tmp_path / "r.mp4")[-1] == pytest.approx(20 * HOUR_S + 49 / 25, abs=0.01)
