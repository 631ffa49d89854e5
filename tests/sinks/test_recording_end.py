"""How a recording ends after its source has."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.frame import Frame
from realtime_mood.media_libraries import av
from realtime_mood.recorder import Recorder
from realtime_mood.sinks.recording import RecordingSink
from tests.fakes import FakeClassifier
from tests.live_run import LiveRun
from tests.media import audio_packets, beep_time_s, read_all, write_video
from tests.test_offline import _Run

SOUND_S = 6.0


def _held(folder: Path, *, frames: int = 26, last_s: float = 5.0, sound_s: float = SOUND_S) -> Path:
    """A file at 25 Hz whose last picture is held; it beeps half a second before its sound ends."""
    sound = write_video(
        folder / "sound.mp4", count=round(sound_s * 25), audio="aac", beep_at_s=sound_s - 0.5
    )
    picture = write_video(folder / "picture.mp4", count=frames, codec="mpeg4")
    path = folder / "held.mp4"
    with av.open(str(picture)) as one, av.open(str(sound)) as other, av.open(str(path), "w") as to:
        shown = to.add_stream_from_template(one.streams.video[0], opaque=True)
        heard = to.add_stream_from_template(other.streams.audio[0], opaque=True)
        for number, packet in enumerate(one.demux(one.streams.video[0])):
            if packet.dts is not None:
                if number == frames - 1:
                    packet.duration = round(last_s / packet.time_base)
                packet.stream = shown
                to.mux(packet)
        for packet in other.demux(other.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = heard
                to.mux(packet)
    return path


def _record(path: Path, frames: list[Frame], source: Path, until_s: float | None = None) -> None:
    sink = RecordingSink(
        path, width=64, height=48, frame_rate=Fraction(25), audio_from=source, until_s=until_s
    )
    for frame in frames:
        sink.write(frame)
    sink.close()


def _ends_s(path: Path) -> tuple[float, float]:
    """When the picture ends, and when the sound."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        picture_s = float(stream.duration * stream.time_base)
    begin_s, length_s = audio_packets(path)[-1]
    return picture_s, begin_s + length_s


def test_the_last_picture_is_held_as_in_the_file(tmp_path: Path) -> None:
    source = _held(tmp_path)
    _record(tmp_path / "r.mp4", read_all(FileSource(source)), source)
    assert _ends_s(tmp_path / "r.mp4") == pytest.approx((6.0, 6.0), abs=0.05)
    assert beep_time_s(tmp_path / "r.mp4") == pytest.approx(5.5, abs=0.01)


def test_sound_that_outlasts_the_picture_does_so_in_the_recording(tmp_path: Path) -> None:
    source = _held(tmp_path, frames=1, last_s=0.04, sound_s=60.0)
    _record(tmp_path / "r.mp4", read_all(FileSource(source)), source)
    assert _ends_s(tmp_path / "r.mp4") == pytest.approx((0.04, 60.0), abs=0.05)
    assert beep_time_s(tmp_path / "r.mp4") == pytest.approx(59.5, abs=0.01)


def test_the_last_picture_is_not_held_for_longer_than_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.mp4"
    sink = RecordingSink(path, width=64, height=48)
    image = np.zeros((48, 64, 3), np.uint8)
    for time_s, lasts_s in ((0.0, None), (5.0, 0.04)):
        sink.write(Frame(image, time_s, 0, lasts_s=lasts_s))
    sink.close()
    with av.open(str(path)) as container:
        assert container.duration / av.time_base == pytest.approx(5.04, abs=0.002)


def test_a_recording_that_was_stopped_before_is_as_long_as_its_picture(tmp_path: Path) -> None:
    source = _held(tmp_path)
    _record(tmp_path / "r.mp4", read_all(FileSource(source))[:-1], source)
    assert _ends_s(tmp_path / "r.mp4") == pytest.approx((1.0, 1.0), abs=0.03)


def test_nothing_goes_on_beyond_the_duration_asked_for(tmp_path: Path) -> None:
    source = _held(tmp_path)
    _record(tmp_path / "r.mp4", read_all(FileSource(source)), source, until_s=3.0)
    assert _ends_s(tmp_path / "r.mp4") == pytest.approx((3.0, 3.0), abs=0.03)


def test_a_file_tells_of_its_last_frame_alone_how_long_it_lasts(tmp_path: Path) -> None:
    *others, last = read_all(FileSource(_held(tmp_path)))
    assert {frame.lasts_s for frame in others} == {None}
    assert last.lasts_s == pytest.approx(5.0)


def test_a_file_that_is_worked_through_is_recorded_to_its_end(tmp_path: Path) -> None:
    source = FileSource(_held(tmp_path))
    run = _Run(source)
    run.frames = RecordingSink(tmp_path / "r.mp4", width=64, height=48, audio_from=source.info.path)
    run.go()
    run.frames.close()
    source.close()
    assert _ends_s(tmp_path / "r.mp4") == pytest.approx((6.0, 6.0), abs=0.05)


@pytest.mark.parametrize(("until_s", "end_s"), [(None, 6.0), (2.0, 2.0)])
def test_a_file_that_is_played_is_recorded_to_its_end(
    tmp_path: Path, until_s: float | None, end_s: float
) -> None:
    source: Any = FileSource(_held(tmp_path, frames=10, last_s=5.6))
    recorder = Recorder(tmp_path / "r.mp4", until_s=until_s)
    LiveRun(source, FakeClassifier(), recorder=recorder, duration_s=until_s).run()
    assert _ends_s(tmp_path / "r.mp4") == pytest.approx((end_s, end_s), abs=0.05)
