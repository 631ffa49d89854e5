"""Files of which a packet or more cannot be decoded."""

from __future__ import annotations

import logging
from collections.abc import Container
from pathlib import Path

import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.errors import SourceError
from realtime_mood.media_libraries import av
from tests.media import read_all, write_video


def _spoil(source: Path, path: Path, numbers: Container[int], *, filling: int = 0xFF) -> Path:
    """Copy a file with one byte, repeated, in place of packets of these numbers."""
    with av.open(str(source)) as read, av.open(str(path), "w") as write:
        picture = read.streams.video[0]
        copy = write.add_stream_from_template(picture, opaque=True)
        for number, packet in enumerate(read.demux(picture)):
            if packet.dts is None:
                continue
            if number in numbers:
                spoilt = av.Packet(bytes([filling]) * packet.size)
                spoilt.pts, spoilt.dts, spoilt.time_base = packet.pts, packet.dts, packet.time_base
                packet = spoilt
            packet.stream = copy
            write.mux(packet)
    return path


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mkv", "libvpx-vp9"), ("avi", "mpeg4"), ("mp4", "libx264")]
)
def test_what_cannot_be_decoded_is_left_out_and_counted(
    tmp_path: Path, suffix: str, codec: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = write_video(tmp_path / f"whole.{suffix}", count=60, codec=codec)
    source = FileSource(_spoil(whole, tmp_path / f"v.{suffix}", range(30, 33)))
    with caplog.at_level(logging.WARNING):
        frames = read_all(source)
        source.close()
    assert len(frames) == 57
    assert frames[-1].timestamp_s == pytest.approx(59 / 25, abs=0.002)
    [record] = caplog.records
    assert record.getMessage() == (
        f"v.{suffix} cannot be decoded everywhere (left out: 3 of its packets); get the file again"
    )


@pytest.mark.parametrize(("count", "first"), [(60, 40), (500, 100)], ids=["to its end", "for 10 s"])
def test_a_file_of_which_nothing_can_be_decoded_for_long_breaks(
    tmp_path: Path, count: int, first: int
) -> None:
    whole = write_video(tmp_path / "whole.mkv", count=count, codec="mpeg4")
    source = FileSource(_spoil(whole, tmp_path / "v.mkv", range(first, first + 260)))
    with pytest.raises(SourceError, match=f"breaks after {first} frames, at .* get the file again"):
        read_all(source)
    source.close()


def test_a_decoder_that_is_stuck_goes_on(tmp_path: Path) -> None:
    # FFmpeg's decoder of VP9 refuses all that comes after a bundle of pictures it gave up half-way.
    whole = write_video(tmp_path / "whole.mkv", count=60, codec="libvpx-vp9")
    source = FileSource(_spoil(whole, tmp_path / "v.mkv", range(30, 33), filling=0))
    assert read_all(source)[-1].timestamp_s == pytest.approx(59 / 25, abs=0.002)
