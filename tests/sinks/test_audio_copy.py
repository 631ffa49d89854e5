"""The sound of the source in the recording."""

from __future__ import annotations

import logging
import socket
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.errors import OutputError
from realtime_mood.frame import Frame
from realtime_mood.media_libraries import av
from realtime_mood.sinks.audio_copy import _Onward
from realtime_mood.sinks.recording import RecordingSink
from tests.media import audio_packets, beep_time_s, read_all, times_of, write_video
from tests.shared import shared_file

BEEP_S = 1.5


def _record(
    path: Path, source_path: Path, *, skip: int = 0, count: int | None = None
) -> list[float]:
    """Record a file with its sound; answers the times of the frames written."""
    frames = read_all(FileSource(source_path))[skip:][:count]
    sink = RecordingSink(
        path,
        width=frames[0].width,
        height=frames[0].height,
        frame_rate=FileSource(source_path).info.frame_rate,
        audio_from=source_path,
    )
    for frame in frames:
        sink.write(frame)
    sink.close()
    return [frame.timestamp_s for frame in frames]


def _codec(path: Path) -> str:
    with av.open(str(path)) as container:
        return str(container.streams.audio[0].codec_context.codec.canonical_name)


@pytest.mark.parametrize(
    ("suffix", "codec", "rate", "recorded_as"),
    [
        ("mp4", "aac", 48_000, "aac"),
        ("mp4", "mp3", 48_000, "mp3"),
        ("mp4", "alac", 48_000, "alac"),
        ("mkv", "aac", 44_100, "aac"),
        ("mkv", "libopus", 48_000, "opus"),
        ("mkv", "flac", 48_000, "aac"),
        ("mkv", "pcm_s16le", 11_025, "aac"),
        ("mkv", "pcm_s16le", 192_000, "aac"),
        ("avi", "pcm_s16le", 48_000, "aac"),
        ("ts", "aac", 48_000, "aac"),
        ("ts", "ac3", 48_000, "aac"),
    ],
)
@pytest.mark.parametrize("skip", [0, 20], ids=["whole", "from 0.8 s"])
def test_sound_stays_with_the_picture(
    tmp_path: Path, suffix: str, codec: str, rate: int, recorded_as: str, skip: int
) -> None:
    # Picture and sound begin at 2 s of the file's own time, the sound 0.3 s after the picture.
    source = write_video(
        tmp_path / f"v.{suffix}",
        count=60,
        first_pts=0 if suffix == "avi" else 50,
        audio=codec,
        audio_rate=rate,
        audio_from_s=0.0 if suffix == "avi" else 0.3,
        beep_at_s=BEEP_S,
    )
    _record(tmp_path / "r.mp4", source, skip=skip)
    assert _codec(tmp_path / "r.mp4") == recorded_as
    assert len(times_of(tmp_path / "r.mp4")) == 60 - skip
    expected_s = BEEP_S - skip / 25
    assert beep_time_s(tmp_path / "r.mp4") == pytest.approx(expected_s, abs=0.01)


def test_sound_is_as_long_as_the_picture(tmp_path: Path) -> None:
    source = write_video(tmp_path / "v.mp4", count=75, audio="aac")
    _record(tmp_path / "r.mp4", source, count=25)
    begin_s, duration_s = audio_packets(tmp_path / "r.mp4")[-1]
    assert begin_s < 1.0 <= begin_s + duration_s + 0.03


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("mkv", "pcm_u8"), ("mkv", "flac")])
def test_sound_that_begins_late_does_not_hold_the_picture_back(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    source = write_video(
        tmp_path / f"v.{suffix}", count=200, audio=codec, audio_from_s=6.0, beep_at_s=7.0
    )
    path = tmp_path / "r.mp4"
    frames = read_all(FileSource(source))
    sink = RecordingSink(path, width=64, height=48, frame_rate=Fraction(25), audio_from=source)
    for frame in frames[:50]:
        sink.write(frame)
    # What a kill would leave.
    assert len(times_of(path)) > 35
    for frame in frames[50:]:
        sink.write(frame)
    sink.close()
    assert len(times_of(path)) == 200
    assert beep_time_s(path) == pytest.approx(7.0, abs=0.03)
    assert audio_packets(path)[0][0] == pytest.approx(0.0, abs=0.03)


def test_sound_that_begins_late_after_a_late_beginning(tmp_path: Path) -> None:
    source = write_video(
        tmp_path / "v.mp4", count=300, audio="aac", audio_from_s=9.0, beep_at_s=10.0
    )
    path = tmp_path / "r.mp4"
    _record(path, source, skip=150)
    assert beep_time_s(path) == pytest.approx(4.0, abs=0.03)
    assert audio_packets(path)[0][0] == pytest.approx(0.0, abs=0.03)


def test_sound_that_is_over_before_the_recording_begins_is_none(tmp_path: Path) -> None:
    short = write_video(tmp_path / "s.mp4", count=25, audio="aac")
    path = tmp_path / "r.mp4"
    sink = RecordingSink(path, width=64, height=48, frame_rate=Fraction(25), audio_from=short)
    for index in range(50):
        sink.write(Frame(np.zeros((48, 64, 3), np.uint8), 3.0 + index / 25, index))
    assert len(times_of(path)) > 35
    sink.close()
    assert audio_packets(path) == []
    assert len(times_of(path)) == 50


def test_a_gap_in_the_sound_stays_a_gap(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", count=75, audio="aac", beep_at_s=2.5)
    source = tmp_path / "v.mkv"
    with av.open(str(whole)) as read, av.open(str(source), "w") as write:
        streams = {s.index: write.add_stream_from_template(s, opaque=True) for s in read.streams}
        for packet in read.demux():
            time_s = 0.0 if packet.pts is None else float(packet.pts * packet.time_base)
            is_sound = packet.stream.type == "audio"
            if packet.dts is not None and not (is_sound and 0.55 < time_s < 1.95):
                packet.stream = streams[packet.stream_index]
                write.mux(packet)
    _record(tmp_path / "r.mp4", source)
    assert beep_time_s(tmp_path / "r.mp4") == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize("codec", ["aac", "mp3", "mp2", "ac3"])
def test_sound_goes_on_where_files_were_glued_together(tmp_path: Path, codec: str) -> None:
    parts = [
        write_video(tmp_path / f"{n}.ts", count=50, audio=codec, beep_at_s=beep_s)
        for n, beep_s in enumerate((None, 0.5))
    ]
    glued = tmp_path / "glued.ts"
    glued.write_bytes(b"".join(part.read_bytes() for part in parts))
    _record(tmp_path / "r.mp4", glued)
    assert len(times_of(tmp_path / "r.mp4")) == 100
    # Either part's sound is a little longer than its picture.
    assert beep_time_s(tmp_path / "r.mp4") == pytest.approx(2.5, abs=0.08)


def test_sound_of_jittering_times_does_not_drift() -> None:
    times, length_s = _Onward(), Fraction(1024, 48_000)
    rng = np.random.default_rng(0)
    raw_s = [index * length_s + Fraction(rng.uniform(-0.2, 0.2)) for index in range(2000)]
    # One mistaken time, and ten packets that came together.
    raw_s[500] -= 5
    raw_s[1000:1010] = [raw_s[1010]] * 10
    placed_s = [times.place(start_s, length_s) for start_s in raw_s]
    assert placed_s[500] is None
    assert [p for p in placed_s if p is not None] == raw_s[:500] + raw_s[501:]
    back_s = [start_s - 1000 for start_s in raw_s[:3]]
    goes_on = [times.place(start_s, length_s) for start_s in back_s]
    assert goes_on[0] is None
    assert goes_on[1] == raw_s[-1] + length_s + (back_s[1] - back_s[0])


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("faces/talking_with_audio_5s.mp4", 125),
        ("faces/one_face_neutral_to_smile.mp4", 72),
        ("faces/no_face_cartoon.mp4", 95),
        ("odd/black_picture_with_speech.mp4", 50),
    ],
)
def test_real_recordings_keep_every_frame_and_every_packet(
    tmp_path: Path, name: str, frames: int
) -> None:
    source = shared_file(f"media/{name}")
    times = _record(tmp_path / "r.mp4", source)
    assert len(times) == frames
    assert times_of(tmp_path / "r.mp4") == pytest.approx(times, abs=0.001)
    before, after = audio_packets(source), audio_packets(tmp_path / "r.mp4")
    assert len(after) == len(before)
    assert [begin for begin, _ in after] == pytest.approx([b for b, _ in before], abs=0.002)


def test_a_file_without_sound_gives_a_recording_without_sound(tmp_path: Path) -> None:
    source = write_video(tmp_path / "v.mp4")
    _record(tmp_path / "r.mp4", source)
    assert audio_packets(tmp_path / "r.mp4") == []


def test_sound_that_cannot_be_read_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    frames = read_all(FileSource(write_video(tmp_path / "v.mp4")))
    sink = RecordingSink(
        tmp_path / "r.mp4", width=64, height=48, frame_rate=Fraction(25), audio_from=broken
    )
    with caplog.at_level(logging.WARNING):
        for frame in frames:
            sink.write(frame)
    sink.close()
    assert "the sound of broken.mp4 cannot be recorded" in caplog.text
    assert len(times_of(tmp_path / "r.mp4")) == 25


def test_sound_of_an_unknown_codec_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = write_video(tmp_path / "v.mkv", audio="aac")
    source.write_bytes(source.read_bytes().replace(b"A_AAC", b"A_ZZZ"))
    with caplog.at_level(logging.WARNING):
        _record(tmp_path / "r.mp4", source)
    assert "the sound of v.mkv has a codec unknown here" in caplog.text
    assert audio_packets(tmp_path / "r.mp4") == []
    assert len(times_of(tmp_path / "r.mp4")) == 25


def test_a_playlist_that_poses_as_a_video_fetches_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        playlist = tmp_path / "v.mp4"
        playlist.write_text(f"ffconcat version 1.0\nfile {address}\n", encoding="utf-8")
        sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48, audio_from=playlist)
        with caplog.at_level(logging.WARNING):
            sink.write(Frame(np.zeros((48, 64, 3), np.uint8), 0.0, 0))
        sink.close()
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "the sound of v.mp4 cannot be recorded" in caplog.text


def test_a_recording_never_overwrites_its_source(tmp_path: Path) -> None:
    source = write_video(tmp_path / "v.mp4", audio="aac")
    before = source.read_bytes()
    (tmp_path / "link.mp4").symlink_to(source)
    for path in (source, tmp_path / "link.mp4", tmp_path / ".." / tmp_path.name / "v.mp4"):
        with pytest.raises(OutputError, match="would overwrite its source; name another file"):
            RecordingSink(path, width=64, height=48, audio_from=source)
    assert source.read_bytes() == before
