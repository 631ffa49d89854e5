"""Recordings that start and stop while a source is shown."""

from pathlib import Path

import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.recorder import Recorder
from tests.fakes import ListSource
from tests.media import audio_packets, read_all, write_video


def test_a_key_that_is_held_down_writes_over_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("realtime_mood.recorder.time.strftime", lambda form: "r.mp4")
    source = ListSource(6)
    recorder = Recorder(None)
    for _ in range(3):
        recorder.toggle()
        for frame in (source.read(), source.read()):
            assert frame is not None
            recorder.write(frame, source.info)
        # The next begins at once, when there is no file yet perhaps.
        recorder.toggle()
    recorder.finish()
    assert [path.name for path in recorder.paths] == ["r.mp4", "r-2.mp4", "r-3.mp4"]
    assert [len(read_all(FileSource(path))) for path in recorder.paths] == [2, 2, 2]


def test_a_recording_of_a_file_that_is_played_has_its_sound(tmp_path: Path) -> None:
    source = FileSource(write_video(tmp_path / "v.mp4", audio="aac"))
    recorder = Recorder(tmp_path / "r.mp4")
    while (frame := source.read()) is not None:
        recorder.write(frame, source.info)
    source.close()
    recorder.finish()
    end_s = max(start_s + length_s for start_s, length_s in audio_packets(tmp_path / "r.mp4"))
    assert end_s == pytest.approx(1.0, abs=0.1)


def test_recorded_time_counts_from_the_first_frame_that_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = ListSource(20, rate_hz=10.0)
    frames = [frame for _ in range(20) if (frame := source.read()) is not None]
    recorder = Recorder(None)
    assert recorder.recorded_s(0.0) is None
    recorder.toggle()
    assert recorder.recorded_s(0.4) is None
    recorder.write(frames[5], source.info)
    assert recorder.recorded_s(0.5) == 0.0
    recorder.write(frames[9], source.info)
    assert recorder.recorded_s(0.9) == pytest.approx(0.4)
    # A picture from before, which a paused display still shows.
    assert recorder.recorded_s(0.1) == 0.0
    recorder.toggle()
    assert recorder.recorded_s(1.2) is None
    recorder.finish()
