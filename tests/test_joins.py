"""Files that were put one after the other, of which a later one has a clock far ahead."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.joins import without_steps_ahead
from realtime_mood.media_libraries import av
from realtime_mood.sinks.recording import RecordingSink
from tests.media import beep_time_s, read_all, times_of, write_video


def _glued(folder: Path, firsts_s: Sequence[int], codec: str | None = None) -> Path:
    """Files of 2 s whose clocks begin so; the last one beeps after half a second."""
    path = folder / "glued.ts"
    with path.open("wb") as file:
        for number, first_s in enumerate(firsts_s):
            is_last = number == len(firsts_s) - 1
            part = write_video(
                folder / f"{number}.ts",
                count=50,
                first_pts=first_s * 25,
                audio=codec,
                beep_at_s=0.5 if is_last else None,
            )
            file.write(part.read_bytes())
    return path


def _beep_in_recording_s(source: Path, path: Path) -> float:
    sink = RecordingSink(path, width=64, height=48, frame_rate=Fraction(25), audio_from=source)
    for frame in read_all(FileSource(source)):
        sink.write(frame)
    sink.close()
    return beep_time_s(path)


@pytest.mark.parametrize("codec", ["aac", "mp3", "ac3"])
@pytest.mark.parametrize("firsts_s", [(0, 36_000), (0, 15), (0, 5000, 0), (9000, 20_000, 30_000)])
def test_a_clock_that_is_far_ahead_is_joined(
    tmp_path: Path, firsts_s: Sequence[int], codec: str
) -> None:
    source = _glued(tmp_path, firsts_s, codec)
    times = times_of(source)
    assert len(times) == 50 * len(firsts_s)
    assert times[-1] == pytest.approx(2 * len(firsts_s), abs=0.3)
    assert np.diff(times).max() < 0.3
    beep_s = _beep_in_recording_s(source, tmp_path / "r.mp4")
    shown_s = times[50 * (len(firsts_s) - 1)]
    assert beep_s == pytest.approx(shown_s + 0.5, abs=0.08)


def test_a_picture_without_sound_is_joined_too(tmp_path: Path) -> None:
    times = times_of(_glued(tmp_path, (0, 36_000)))
    assert times[-1] == pytest.approx(4.0, abs=0.2)


def _paused(folder: Path, suffix: str, *, streams: set[str], from_s: float, to_s: float) -> Path:
    """A file of 20 s with these streams left out for a while; it beeps at 18 s."""
    whole = write_video(
        folder / "whole.mkv", count=500, codec="mpeg2video", audio="mp2", beep_at_s=18.0
    )
    path = folder / f"paused.{suffix}"
    with av.open(str(whole)) as read, av.open(str(path), "w") as write:
        copies = {s.index: write.add_stream_from_template(s) for s in read.streams}
        first_s = read.start_time / av.time_base
        for packet in read.demux():
            if packet.dts is None or packet.pts is None:
                continue
            is_out = from_s <= float(packet.pts * packet.time_base) - first_s < to_s
            if not (is_out and packet.stream.type in streams):
                packet.stream = copies[packet.stream_index]
                write.mux(packet)
    return path


@pytest.mark.parametrize(
    ("suffix", "streams", "to_s"),
    [
        ("ts", {"video"}, 16.0),
        ("ts", {"audio"}, 16.0),
        ("ts", {"video", "audio"}, 10.0),
        ("mkv", {"video", "audio"}, 16.0),
    ],
)
def test_a_gap_that_is_no_join_stays(
    tmp_path: Path, suffix: str, streams: set[str], to_s: float
) -> None:
    source = _paused(tmp_path, suffix, streams=streams, from_s=2.0, to_s=to_s)
    assert times_of(source)[-1] == pytest.approx(499 / 25, abs=0.1)
    assert _beep_in_recording_s(source, tmp_path / "r.mp4") == pytest.approx(18.0, abs=0.1)


@pytest.mark.parametrize(
    ("given_s", "expected_s"),
    [
        ([0, 1, 11, 12], [0, 1, 11, 12]),
        ([0, 1, 100, 101], [0, 1, 2, 3]),
        ([0, 1, 100, 2, 3], [0, 1, 100, 2, 3]),
        ([0, 1, 100, None, 101], [0, 1, 2, None, 3]),
        ([0, 1, 100, None, 2], [0, 1, 100, None, 2]),
        ([0, 100, 101, 500, 501], [0, 1, 2, 3, 4]),
        ([50, 51, 0, 1], [50, 51, 0, 1]),
        ([0, 100, 101, 0, 1], [0, 1, 2, -99, -98]),
        ([0, 1, 100], [0, 1, 100]),
    ],
)
def test_times(given_s: list[int | None], expected_s: list[int | None]) -> None:
    packets = []
    for time_s in given_s:
        packet = av.Packet(b"x")
        packet.pts = packet.dts = None if time_s is None else time_s * 10
        packet.time_base, packet.duration = Fraction(1, 10), 10
        packets.append(packet)
    end = av.Packet()
    moved = list(without_steps_ahead([*packets, end], {0}))
    assert moved[-1] is end
    found = [None if p.dts is None else p.dts * p.time_base for p in moved[:-1]]
    assert found == expected_s


def test_the_last_picture_may_come_after_the_later_files_first_sound() -> None:
    with av.open(io.BytesIO(), "w", format="mpegts") as container:
        picture = container.add_stream("mpeg2video", rate=25)
        sound = container.add_stream("mp2", rate=48_000)
        given = [(picture, 0), (sound, 0), (sound, 1000), (picture, 1), (sound, 1001)]
        given += [(picture, 1001), (sound, 1002), (picture, 1002)]
        packets = []
        for stream, second in given:
            packet = av.Packet(b"x")
            packet.stream, packet.time_base = stream, Fraction(1)
            packet.pts = packet.dts = second
            packet.duration = 1
            packets.append(packet)
        indices = {picture.index, sound.index}
        moved = [
            (packet.stream_index == sound.index, packet.pts)
            for packet in without_steps_ahead([*packets, av.Packet()], indices)
            if packet.pts is not None
        ]
    assert [second for is_sound, second in moved if is_sound] == [0, 2, 3, 4]
    assert [second for is_sound, second in moved if not is_sound] == [0, 1, 3, 4]
