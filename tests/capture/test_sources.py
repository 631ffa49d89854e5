"""What every source must do. A new source is one more line in SOURCES."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_mood.capture import still_source
from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.opencv_source import OpenCVSource
from realtime_mood.capture.pattern_source import PatternSource
from realtime_mood.capture.source import FrameSource
from realtime_mood.capture.worker import CaptureWorker
from realtime_mood.frame import ImageBGR
from tests.capture.fake_capture import FINITE, FakeCapture, FakeClock, picture
from tests.fakes import ListSource
from tests.media import write_video

COUNT = 12
OpenSource = Callable[[], FrameSource]


def _file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FrameSource:
    return FileSource(write_video(folder / "v.mp4", count=COUNT))


def _pattern(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FrameSource:
    return PatternSource(width=64, height=48, frame_rate=Fraction(25), duration_s=COUNT / 25)


def _live_pattern(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FrameSource:
    clock = FakeClock()

    def wait(seconds: float) -> None:
        clock.now_s += seconds

    return PatternSource(
        width=64, height=48, duration_s=COUNT / 30, is_live=True, clock=clock, wait=wait
    )


def _stream(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FrameSource:
    # A stream with an end; the clock stands still, which must not stop time from rising.
    capture = FakeCapture([picture(width=64, height=48)] * COUNT, properties=FINITE)
    monkeypatch.setattr(cv2, "VideoCapture", capture)
    return OpenCVSource("rtsp://camera.local/stream", clock=FakeClock(), retry_wait_s=0.0)


def _still(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FrameSource:
    monkeypatch.setattr(still_source, "STILL_S", Fraction(COUNT, 10))
    path = folder / "p.png"
    assert cv2.imwrite(str(path), picture(width=64, height=48))
    return still_source.held(FileSource(path), is_endless=False)


SOURCES = {
    "file": _file,
    "still": _still,
    "pattern": _pattern,
    "live pattern": _live_pattern,
    "stream": _stream,
}


@pytest.fixture(params=SOURCES)
def open_source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> OpenSource:
    return lambda: SOURCES[request.param](tmp_path, monkeypatch)


def test_time_starts_at_zero_and_rises_strictly(open_source: OpenSource) -> None:
    source = open_source()
    times = []
    while (frame := source.read()) is not None:
        times.append(frame.timestamp_s)
    source.close()
    assert len(times) == COUNT
    assert times[0] == 0.0
    assert all(a < b for a, b in pairwise(times))


def test_frames_are_numbered_and_of_the_announced_size(open_source: OpenSource) -> None:
    source = open_source()
    for index in range(COUNT):
        frame = source.read()
        assert frame is not None
        assert frame.index == index
        assert (frame.width, frame.height) == (source.info.width, source.info.height)
        assert frame.image_bgr.flags.c_contiguous
    source.close()


def test_the_end_is_none_and_stays_none(open_source: OpenSource) -> None:
    source = open_source()
    while source.read() is not None:
        pass
    assert source.read() is None
    assert source.read() is None
    source.close()


def test_close_twice_then_nothing_comes(open_source: OpenSource) -> None:
    source = open_source()
    assert source.read() is not None
    source.close()
    source.close()
    assert source.read() is None


def test_a_frame_keeps_its_pixels(open_source: OpenSource) -> None:
    source = open_source()
    first = source.read()
    assert first is not None
    before = first.image_bgr.copy()
    while source.read() is not None:
        pass
    source.close()
    assert np.array_equal(first.image_bgr, before)


def test_the_rate_is_exact_or_unknown(open_source: OpenSource) -> None:
    source = open_source()
    rate = source.info.frame_rate
    assert rate is None or isinstance(rate, Fraction)
    source.close()


def test_the_age_of_a_frame_counts_from_the_grab() -> None:
    clock = FakeClock()

    def pass_time() -> None:
        clock.now_s += 0.05

    class SlowToDecode(FakeCapture):
        def retrieve(self) -> tuple[bool, ImageBGR | None]:
            pass_time()
            return super().retrieve()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cv2, "VideoCapture", SlowToDecode([picture()] * 3))
        capture = CaptureWorker(
            lambda: OpenCVSource("0", clock=clock), clock=clock, duration_s=0.06
        )
        capture.worker.start()
        capture.worker.join(10.0)
    # The third frame, which is past the end, was decoded meanwhile.
    assert capture.age_s(0.05) == pytest.approx(0.10)


def test_a_file_goes_on_where_it_was_after_the_program_was_suspended() -> None:
    clock = FakeClock()
    read_s: list[float] = []

    class Sleeper(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            clock.now_s += timeout or 0.0
            return False

    def before_read(index: int) -> None:
        read_s.append(clock.now_s)
        if index == 10:
            clock.now_s += 60.0

    capture = CaptureWorker(lambda: ListSource(40, before_read=before_read), clock=clock)
    capture.release()
    capture._run(Sleeper())
    gaps_s = np.full(39, 1 / 30)
    gaps_s[0], gaps_s[10] = 0.0, 60.0
    assert np.diff(read_s) == pytest.approx(gaps_s, abs=1e-6)
