from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest

from realtime_mood.capture.opencv_source import (
    BAD_PACKET_S,
    BAD_PACKETS,
    MAX_PACE_S,
    RETRIES,
    OpenCVSource,
)
from realtime_mood.errors import SourceError, SourceLostError
from tests.capture.fake_capture import FINITE, FakeCapture, FakeClock, picture

UseCapture = Callable[[FakeCapture], FakeCapture]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> UseCapture:
    def replace(capture: FakeCapture) -> FakeCapture:
        monkeypatch.setattr(cv2, "VideoCapture", capture)
        return capture

    return replace


def test_times_are_those_of_the_grab(use: UseCapture) -> None:
    clock = FakeClock()

    def pass_time() -> None:
        clock.now_s += 0.07

    use(FakeCapture([picture()] * 3, on_grab=pass_time))
    source = OpenCVSource("0", clock=clock)
    frames = [source.read() for _ in range(3)]
    assert [f.timestamp_s for f in frames] == pytest.approx([0.0, 0.07, 0.14])  # type: ignore[union-attr]
    assert [f.captured_s for f in frames] == pytest.approx([100.07, 100.14, 100.21])  # type: ignore[union-attr]


def test_motion_jpeg_is_asked_for_before_the_size(use: UseCapture) -> None:
    capture = use(FakeCapture([picture()]))
    OpenCVSource("0", size=(1280, 720))
    assert [name for name, _ in capture.asked] == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_BUFFERSIZE,
    ]
    assert capture.asked[0][1] == cv2.VideoWriter.fourcc(*"MJPG")
    assert capture.asked[-1][1] == 2


def test_a_stream_has_timeouts_and_names_its_backend(use: UseCapture) -> None:
    capture = use(FakeCapture([picture()]))
    source = OpenCVSource("rtsp://joe:SECRET@cam.local/live")
    address, backend, options = capture.opened_with
    assert address == "rtsp://joe:SECRET@cam.local/live"
    assert backend == cv2.CAP_FFMPEG
    assert cv2.CAP_PROP_OPEN_TIMEOUT_MSEC in options
    assert cv2.CAP_PROP_READ_TIMEOUT_MSEC in options
    # One of FFmpeg's threads holds a frame back, by default as many as there are cores.
    assert options[options.index(cv2.CAP_PROP_N_THREADS) + 1] == 2
    assert capture.asked == []
    assert source.info.is_live


def test_the_real_size_counts_not_the_wish(use: UseCapture) -> None:
    use(FakeCapture([picture(width=64, height=48), picture(width=32, height=24)]))
    source = OpenCVSource("0", size=(1920, 1080))
    assert (source.info.width, source.info.height) == (64, 48)
    source.read()
    second = source.read()
    assert second is not None
    assert (second.width, second.height) == (64, 48)


@pytest.mark.parametrize(
    ("announced", "rate"),
    [
        (30.0, Fraction(30)),
        (29.97002997, Fraction(30_000, 1001)),
        (0.0, None),
        (-1.0, None),
        (90_000.0, None),
    ],
)
def test_announced_rates(use: UseCapture, announced: float, rate: Fraction | None) -> None:
    use(FakeCapture([picture()], properties={cv2.CAP_PROP_FPS: announced}))
    assert OpenCVSource("0").info.frame_rate == rate


@pytest.mark.parametrize("shape", [(24, 32), (24, 32, 1), (24, 32, 4)])
def test_other_pixels_become_bgr(use: UseCapture, shape: tuple[int, ...]) -> None:
    use(FakeCapture([np.full(shape, 9, np.uint8)]))
    frame = OpenCVSource("0").read()
    assert frame is not None
    assert frame.image_bgr.shape == (24, 32, 3)


def test_a_failed_read_is_tried_again(use: UseCapture) -> None:
    use(FakeCapture([picture(), None, None, picture(91)]))
    source = OpenCVSource("0", retry_wait_s=0.0)
    source.read()
    frame = source.read()
    assert frame is not None
    assert frame.index == 1
    assert frame.image_bgr[0, 0, 0] == 91


def test_a_camera_that_stops_says_so_every_time(use: UseCapture) -> None:
    capture = use(FakeCapture([picture(), picture()]))
    source = OpenCVSource("0", retry_wait_s=0.0)
    assert source.read() is not None
    assert source.read() is not None
    for _ in range(2):
        with pytest.raises(SourceError, match=r"camera 0 stopped delivering .* check the cable"):
            source.read()
    source.close()
    assert capture.released == 1


def test_a_stream_goes_on_behind_packets_that_cannot_be_decoded(use: UseCapture) -> None:
    use(FakeCapture([picture(), *[None] * BAD_PACKETS, picture(91)]))
    # Were they waited for, this would take hours.
    source = OpenCVSource("rtsp://cam.local/live", retry_wait_s=3600.0)
    source.read()
    frame = source.read()
    assert frame is not None
    assert frame.image_bgr[0, 0, 0] == 91
    with pytest.raises(SourceLostError, match="stopped delivering frames; check the network"):
        source.read()


def test_a_stream_that_waited_for_the_network_in_vain_is_lost_at_once(use: UseCapture) -> None:
    clock = FakeClock()
    capture = FakeCapture([picture(), None, picture()])
    use(capture)
    source = OpenCVSource("rtsp://cam.local/live", clock=clock)
    source.read()
    capture.on_grab = lambda: setattr(clock, "now_s", clock.now_s + BAD_PACKET_S)
    with pytest.raises(SourceLostError):
        source.read()
    assert len(capture.script) == 1


def test_a_camera_whose_pictures_are_damaged_is_not_waited_for(use: UseCapture) -> None:
    damaged = ["damaged"] * 3 * RETRIES
    use(FakeCapture([picture(), *damaged, picture(91)]))
    source = OpenCVSource("0", clock=FakeClock(), retry_wait_s=3600.0)
    source.read()
    frame = source.read()
    assert frame is not None
    assert frame.image_bgr[0, 0, 0] == 91


def test_a_camera_that_gives_nothing_but_damaged_pictures_has_stopped(use: UseCapture) -> None:
    clock = FakeClock()
    capture = use(FakeCapture([picture(), *["damaged"] * 100]))
    source = OpenCVSource("0", clock=clock, retry_wait_s=0.0)
    source.read()
    capture.on_grab = lambda: setattr(clock, "now_s", clock.now_s + 0.125)
    with pytest.raises(SourceLostError):
        source.read()
    # For a second as they come, then as often as any other camera is tried again.
    assert len(capture.script) == 100 - (8 + RETRIES)


def test_a_driver_that_blocks_is_not_asked_six_times(use: UseCapture) -> None:
    clock = FakeClock()
    grabs = []

    def block() -> None:
        grabs.append(1)
        clock.now_s += 10.0 if len(grabs) > 1 else 0.0

    use(FakeCapture([picture()], on_grab=block))
    source = OpenCVSource("0", clock=clock, retry_wait_s=0.0)
    source.read()
    with pytest.raises(SourceError):
        source.read()
    assert len(grabs) == 2


@pytest.mark.parametrize(("platform", "tries"), [("darwin", 8), ("win32", 2)])
def test_macos_is_given_time_to_ask_whether_the_camera_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    platform: str,
    tries: int,
) -> None:
    capture = FakeCapture(opens=False)
    monkeypatch.setattr(cv2, "VideoCapture", capture)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("realtime_mood.capture.opencv_source.ASKED_WAIT_S", 0.001)
    monkeypatch.setattr(OpenCVSource, "_is_allowed", False)
    with pytest.raises(SourceError, match="allow"):
        OpenCVSource("0")
    assert capture.released == tries
    assert caplog.text.count("where macOS asks") == (platform == "darwin")
    # Who has been asked before is not waited for.
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture([picture()]))
    OpenCVSource("0")
    gone = FakeCapture(opens=False)
    monkeypatch.setattr(cv2, "VideoCapture", gone)
    with pytest.raises(SourceError):
        OpenCVSource("0")
    assert gone.released == (1 if platform == "darwin" else 2)


def test_a_camera_that_one_backend_opens_without_a_picture_is_tried_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    captures = {cv2.CAP_MSMF: FakeCapture([]), cv2.CAP_DSHOW: FakeCapture([picture()])}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(cv2, "VideoCapture", lambda address, backend: captures[backend])
    source = OpenCVSource("0", size=(640, 480), retry_wait_s=0.0)
    first = source.read()
    assert first is not None
    assert (first.index, first.timestamp_s) == (0, 0.0)
    assert (cv2.CAP_PROP_FRAME_WIDTH, 640) in captures[cv2.CAP_DSHOW].asked
    assert captures[cv2.CAP_MSMF].released == 1
    assert captures[cv2.CAP_DSHOW].released == 0

    captures[cv2.CAP_DSHOW] = FakeCapture([])
    with pytest.raises(SourceError, match="was opened but delivers no frames"):
        OpenCVSource("0", retry_wait_s=0.0)
    assert captures[cv2.CAP_DSHOW].released == 1


def test_a_failed_start_releases_and_a_second_one_works(use: UseCapture) -> None:
    broken = use(FakeCapture(opens=False))
    with pytest.raises(SourceError, match="camera 0 cannot be opened"):
        OpenCVSource("0")
    assert broken.released >= 1
    mute = use(FakeCapture([]))
    with pytest.raises(SourceError, match="camera 0 was opened but delivers no frames"):
        OpenCVSource("0", retry_wait_s=0.0)
    assert mute.released == 1
    use(FakeCapture([picture()]))
    assert OpenCVSource("0").read() is not None


def test_an_error_of_opencv_is_a_failed_read(use: UseCapture) -> None:
    def fail() -> None:
        raise cv2.error("boom")

    use(FakeCapture([picture()], on_grab=fail))
    with pytest.raises(SourceError):
        OpenCVSource("0", retry_wait_s=0.0)


class _PassingTime:
    """Takes the place of the event that a source waits on: its clock goes on instead."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.waits_s: list[float] = []

    def wait(self, timeout_s: float) -> bool:
        self.waits_s.append(timeout_s)
        self._clock.now_s += timeout_s
        return False

    def is_set(self) -> bool:
        return False


def test_a_finite_stream_keeps_its_own_pace_and_ends(use: UseCapture) -> None:
    clock = FakeClock()
    # The last but one comes late, and the last one after a gap.
    positions_ms = iter([0.0, 40.0, 80.0, 120.0, 5000.0, 5000.0])
    takes_s = iter([0.0, 0.01, 0.0, 0.1, 0.0, 0.0])

    def grab() -> None:
        capture.properties[cv2.CAP_PROP_POS_MSEC] = next(positions_ms)
        clock.now_s += next(takes_s)

    capture = use(FakeCapture([picture()] * 5, properties=dict(FINITE), on_grab=grab))
    source = OpenCVSource("http://host/clip.mp4", clock=clock, retry_wait_s=0.0)
    source._closed = passing = _PassingTime(clock)  # type: ignore[assignment]
    times_s = [frame.timestamp_s for frame in iter(source.read, None)]
    assert times_s == pytest.approx([0.0, 0.04, 0.08, 0.18, 0.18 + MAX_PACE_S])
    assert passing.waits_s == pytest.approx([0.03, 0.04, MAX_PACE_S])
    assert source.read() is None


@pytest.mark.parametrize("address", ["http://host/clip.mp4", "https://host/live.M3U8?key=1"])
def test_pieces_that_come_at_once_are_held_to_their_own_pace(
    use: UseCapture, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    clock = FakeClock()
    capture = FakeCapture([picture()] * 8)
    if address.endswith("mp4"):
        capture.properties[cv2.CAP_PROP_FRAME_COUNT] = 8.0
    position_ms = iter([5000, 5040, 5080, 5120, 5160, 905_200, 905_240, 905_280])

    def take() -> None:
        capture.properties[cv2.CAP_PROP_POS_MSEC] = float(next(position_ms))
        if len(capture.script) == 5:  # The network stalls.
            clock.now_s += 4.0

    def wait(event: threading.Event, timeout_s: float) -> bool:
        clock.now_s += timeout_s
        return event.is_set()

    capture.on_grab = take
    use(capture)
    source = OpenCVSource(address, clock=clock)
    monkeypatch.setattr(threading.Event, "wait", wait)
    times_s = [frame.timestamp_s for frame in (source.read() for _ in range(8)) if frame]
    # After a stall it goes on from there; a clock that jumps is waited for a second.
    assert times_s == pytest.approx([0.0, 0.04, 0.08, 4.08, 4.12, 5.12, 5.16, 5.20])


def test_a_camera_on_the_network_is_not_held(use: UseCapture) -> None:
    clock = FakeClock()
    capture = use(FakeCapture([picture()] * 3))
    capture.on_grab = lambda: capture.properties.update({cv2.CAP_PROP_POS_MSEC: 90_000.0})
    source = OpenCVSource("rtsp://host/live", clock=clock)
    assert [frame.timestamp_s for frame in (source.read() for _ in range(3)) if frame][-1] < 0.001


def test_a_finite_stream_that_breaks_says_so(use: UseCapture) -> None:
    announced = {cv2.CAP_PROP_FRAME_COUNT: 120.0, cv2.CAP_PROP_FPS: 30.0}
    capture = use(FakeCapture([picture()] * 3, properties=announced))
    capture.properties[cv2.CAP_PROP_POS_MSEC] = 1000.0
    clock = FakeClock()
    source = OpenCVSource("http://host/clip.mp4", clock=clock, retry_wait_s=0.0)
    clock.now_s += 60.0
    for _ in range(3):
        assert source.read() is not None
    for _ in range(2):
        with pytest.raises(SourceError, match="stopped delivering frames"):
            source.read()


@pytest.mark.parametrize("target", ["77", "/dev/video77", "rtsp://joe:SECRET@127.0.0.1:9/live"])
def test_nothing_but_our_own_line_for_a_camera_that_is_not_there(target: str) -> None:
    code = f"""
from realtime_mood.capture.opencv_source import MAX_PACE_S, OpenCVSource
from realtime_mood.errors import SourceError
try:
    OpenCVSource({target!r})
except SourceError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert "cannot be opened; " in done.stdout
    assert "SECRET" not in done.stdout


def test_a_camera_that_is_turned_is_not_squashed(use: UseCapture) -> None:
    portrait = np.full((640, 360, 3), 255, dtype=np.uint8)
    use(FakeCapture([np.full((360, 640, 3), 255, dtype=np.uint8), portrait]))
    source = OpenCVSource("0")
    first, second = source.read(), source.read()
    assert first is not None
    assert second is not None
    assert second.image_bgr.shape == first.image_bgr.shape == (360, 640, 3)
    assert (second.image_bgr[180] > 0).all(axis=1).sum() == round(360 * 360 / 640)
