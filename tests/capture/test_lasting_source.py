"""Cameras and streams that are lost and come back; no test of these waits."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import cv2
import pytest
import requests

from realtime_mood.capture.lasting_source import GIVE_UP_S, WAITS_S, LastingSource
from realtime_mood.capture.opencv_source import OpenCVSource
from realtime_mood.errors import SourceError, SourceLostError
from realtime_mood.frame import ImageBGR
from tests.capture.fake_capture import FakeCapture, FakeClock, picture
from tests.mjpeg_server import MjpegServer

FRAME_S = 0.04


class _PassingTime(threading.Event):
    """Waiting on it lets the clock go on instead."""

    def __init__(self, clock: FakeClock, *, stops_after: int = sys.maxsize) -> None:
        super().__init__()
        self._clock = clock
        self._stops_after = stops_after
        self.waits_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits_s.append(timeout or 0.0)
        self._clock.now_s += timeout or 0.0
        if len(self.waits_s) >= self._stops_after:
            self.set()
        return self.is_set()


def _refuse(url: str, **_: object) -> requests.Response:
    raise requests.ConnectionError(url)


class _Bench:
    """A source over captures that are opened one after the other; None cannot be opened."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *captures: FakeCapture | None,
        target: str = "0",
        stops_after: int = sys.maxsize,
        until_s: float = float("inf"),
    ) -> None:
        self.clock = FakeClock()
        self.stop = _PassingTime(self.clock, stops_after=stops_after)
        self.told: list[tuple[str, float]] = []
        self.opened = 0
        self._captures = captures
        monkeypatch.setattr(cv2, "VideoCapture", self._open)
        monkeypatch.setattr(requests, "get", _refuse)
        self.source = LastingSource(
            lambda: OpenCVSource(target, clock=self.clock, retry_wait_s=0.0),
            clock=self.clock,
            stop=self.stop,
            on_lost=lambda time_s: self.told.append(("lost", round(time_s, 6))),
            on_restored=lambda time_s: self.told.append(("restored", round(time_s, 6))),
            until_s=until_s,
        )

    def _open(self, *arguments: object) -> FakeCapture:
        position, self.opened = self.opened, self.opened + 1
        capture = self._captures[position] if position < len(self._captures) else None
        return capture or FakeCapture(opens=False)


def _ticking(clock: Callable[[], FakeClock], script: list[ImageBGR]) -> FakeCapture:
    def grab() -> None:
        if capture.script:
            clock().now_s += FRAME_S

    capture = FakeCapture(script, on_grab=grab)
    return capture


def _bench(
    monkeypatch: pytest.MonkeyPatch, *counts: int | None, width: int = 32, **options: object
) -> tuple[_Bench, list[FakeCapture | None]]:
    benches: list[_Bench] = []
    captures = [
        None
        if count is None
        else _ticking(
            # The first one is opened before the bench is there; its frame's time does not matter.
            lambda: benches[0].clock if benches else FakeClock(),
            [picture(90 + number, width=width if number else 32)] * count,
        )
        for number, count in enumerate(counts)
    ]
    benches.append(_Bench(monkeypatch, *captures, **options))  # type: ignore[arg-type]
    return benches[0], captures


@pytest.mark.parametrize("target", ["0", "http://cam.local/video"])
def test_a_camera_that_comes_back_goes_on_after_a_gap(
    monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    bench, captures = _bench(monkeypatch, 50, None, None, 3, target=target, stops_after=4)
    frames = [frame for frame in iter(bench.source.read, None) if frame]
    assert [frame.index for frame in frames] == list(range(53))
    assert all(a.timestamp_s < b.timestamp_s for a, b in pairwise(frames))
    last, first = frames[49], frames[50]
    assert last.captured_s is not None
    assert first.captured_s is not None
    gap_s = first.timestamp_s - last.timestamp_s
    assert gap_s == pytest.approx(sum(WAITS_S) + FRAME_S)
    assert gap_s == pytest.approx(first.captured_s - last.captured_s)
    assert frames[52].timestamp_s - first.timestamp_s == pytest.approx(2 * FRAME_S)
    assert bench.told[:2] == [
        ("lost", round(last.timestamp_s, 6)),
        ("restored", round(first.timestamp_s, 6)),
    ]
    assert captures[0] is not None
    assert captures[0].released == 1


def test_one_that_never_comes_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = _bench(monkeypatch, 3)
    for _ in range(3):
        assert bench.source.read() is not None
    with pytest.raises(SourceLostError, match=r"camera 0 stopped delivering .* check the cable"):
        bench.source.read()
    assert sum(bench.stop.waits_s) == pytest.approx(GIVE_UP_S)
    assert bench.stop.waits_s[:4] == [*WAITS_S, WAITS_S[-1]]
    assert [what for what, _ in bench.told] == ["lost"]


def test_one_that_breaks_at_once_whenever_it_is_opened_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, _ = _bench(monkeypatch, *[2] * 100)
    with pytest.raises(SourceLostError):
        list(iter(bench.source.read, None))
    assert 10 < bench.opened < 20


def test_each_time_that_a_sound_camera_is_lost_there_is_as_much_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = [30, *[None] * 12] * 4
    bench, _ = _bench(monkeypatch, *counts, 1, stops_after=53)
    assert len([frame for frame in iter(bench.source.read, None) if frame]) == 4 * 30 + 1
    assert [what for what, _ in bench.told][:6] == ["lost", "restored"] * 3


def test_it_stops_at_once_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = _bench(monkeypatch, 1, stops_after=2)
    assert bench.source.read() is not None
    assert bench.source.read() is None
    assert bench.source.read() is None
    assert bench.stop.waits_s == [0.5, 1.0]
    assert bench.opened == 2


def test_the_time_of_a_run_passes_while_it_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = _bench(monkeypatch, 26, until_s=6.0)
    assert len([frame for frame in iter(bench.source.read, None) if frame]) == 26
    assert sum(bench.stop.waits_s) == pytest.approx(5.0)
    # Not once more when the time is up: opening may take long.
    assert bench.opened == 1 + len(bench.stop.waits_s) - 1


def test_frames_keep_the_size_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = _bench(monkeypatch, 2, 2, width=64, stops_after=2)
    widths = {frame.width for frame in iter(bench.source.read, None) if frame}
    assert widths == {32}


def test_a_live_stream_that_now_has_an_end_is_not_played_from_its_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, captures = _bench(monkeypatch, 3, 50, target="http://host/live.m3u8")
    assert captures[1] is not None
    captures[1].properties[cv2.CAP_PROP_FRAME_COUNT] = 50.0
    assert len([frame for frame in iter(bench.source.read, None) if frame]) == 3
    assert bench.source.read() is None


@pytest.mark.parametrize(
    ("status", "headers", "is_file"),
    [
        (200, {"Content-Length": "9"}, True),
        (200, {}, False),
        (404, {"Content-Length": "9"}, False),
        (None, {}, False),
    ],
)
def test_a_file_that_does_not_say_how_long_it_is_is_not_played_again(
    monkeypatch: pytest.MonkeyPatch, status: int | None, headers: dict[str, str], is_file: bool
) -> None:
    def ask(url: str, **_: object) -> requests.Response:
        if status is None:
            return _refuse(url)
        answer = requests.Response()
        answer.status_code, answer.raw = status, io.BytesIO()
        answer.headers.update(headers)
        return answer

    bench, _ = _bench(monkeypatch, 30, 30, target="http://host/clip.ts", stops_after=2)
    monkeypatch.setattr(requests, "get", ask)
    frames = [frame for frame in iter(bench.source.read, None) if frame]
    assert len(frames) == (30 if is_file else 60)
    assert ("lost" in dict(bench.told)) is not is_file


def test_a_stream_with_an_end_ends_or_breaks_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    for position_ms, is_whole in ((100.0, True), (4000.0, False)):
        captures = [_ticking(FakeClock, [picture()] * 3) for _ in range(2)]
        captures[0].properties = {
            cv2.CAP_PROP_FRAME_COUNT: 3.0 if is_whole else 300.0,
            cv2.CAP_PROP_FPS: 25.0,
            cv2.CAP_PROP_POS_MSEC: position_ms,
        }
        bench = _Bench(monkeypatch, *captures, target="http://host/clip.mp4")
        for _ in range(3):
            assert bench.source.read() is not None
        if is_whole:
            assert bench.source.read() is None
        else:
            with pytest.raises(SourceError, match="stopped delivering"):
                bench.source.read()
        assert bench.opened == 1
        assert bench.told == []


def test_a_camera_over_http_that_closes_its_connections_is_opened_again() -> None:
    told: list[str] = []
    with MjpegServer(connection_s=1.2) as server:
        source = LastingSource(
            lambda: OpenCVSource(server.url),
            clock=time.perf_counter,
            stop=threading.Event(),
            on_lost=lambda time_s: told.append("lost"),
            on_restored=lambda time_s: told.append("restored"),
        )
        times_s = []
        while told.count("restored") < 2:
            frame = source.read()
            assert frame is not None
            times_s.append(frame.timestamp_s)
        source.close()
    assert told == ["lost", "restored"] * 2
    steps_s = [b - a for a, b in pairwise(times_s)]
    assert all(step_s > 0.0 for step_s in steps_s)
    assert sum(step_s >= WAITS_S[0] for step_s in steps_s) == 2


def test_what_is_back_after_the_end_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, captures = _bench(monkeypatch, 26, 5, until_s=4.0)
    slow = captures[1]
    assert slow is not None
    grab = slow.on_grab

    def answer_late() -> None:
        bench.clock.now_s += 9.0
        grab()

    slow.on_grab = answer_late
    assert len([frame for frame in iter(bench.source.read, None) if frame]) == 26
    assert [what for what, _ in bench.told] == ["lost"]
    assert bench.source.read() is None
