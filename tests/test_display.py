"""The real display, on a virtual screen."""

import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from realtime_mood.sinks.display import Display, why_no_display
from tests.tools import need_tools

Environment = dict[str, str]

PATIENCE_S = 60.0
EVENTS = "events.jsonl"

PRESS_THE_X = """
import ctypes, sys
CLIENT_MESSAGE, BITS = 33, 32
x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype, x11.XInternAtom.restype = ctypes.c_void_p, ctypes.c_ulong
display, window = ctypes.c_void_p(x11.XOpenDisplay(None)), ctypes.c_ulong(int(sys.argv[1]))
protocols = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
delete = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
event = (ctypes.c_long * 24)(CLIENT_MESSAGE, 0, 0, 0, window.value, protocols, BITS, delete)
assert x11.XSendEvent(display, window, 0, ctypes.c_long(0), event)
x11.XCloseDisplay(display)
"""


@contextmanager
def _virtual_screen(*options: str) -> Iterator[Environment]:
    """The environment of a program on a fresh screen."""
    need_tools("Xvfb", "xdotool")
    reader, writer = os.pipe()
    # Without -noreset the server starts over when xdotool leaves it, and drops who comes meanwhile.
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x900x24"),
            *("-nolisten", "tcp", "-noreset", *options),
        ],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        yield {**os.environ, "DISPLAY": f":{number}"}
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def screen() -> Iterator[Environment]:
    with _virtual_screen() as environment:
        yield environment


@contextmanager
def _program(
    screen: Environment, checkpoint: Path, folder: Path
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "realtime_mood", "--camera", "pattern"),
            *("--model", str(checkpoint), "--faces", "none", "--events", EVENTS, "--debug"),
        ],
        env=screen,
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_for_display(screen: Environment, process: subprocess.Popen[str]) -> str:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, process.communicate()[1]
        found = subprocess.run(
            ["xdotool", "search", "--name", "^realtime-mood$"],
            env=screen,
            capture_output=True,
            text=True,
        )
        if found.stdout.split():
            return found.stdout.split()[0]
        time.sleep(0.05)
    raise AssertionError("the display did not open")


def _wait_for_moods(process: subprocess.Popen[str], folder: Path) -> None:
    """Until the model has answered: by then the picture has moved for more than a clip span."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, process.communicate()[1]
        events = folder / EVENTS
        if events.exists() and '"prediction"' in events.read_text():
            return
        time.sleep(0.05)
    raise AssertionError("the model did not answer")


def _press(screen: Environment, window: str, *keys: str) -> None:
    for key in keys:
        subprocess.run(
            ["xdotool", "windowfocus", "--sync", window, "key", "--window", window, key],
            env=screen,
            check=True,
            timeout=PATIENCE_S,
        )
        time.sleep(0.5)


def _frames_in(errors: str) -> int:
    return int(next(line for line in errors.splitlines() if " frames, " in line).split()[0])


def test_the_display_opens_shows_frames_and_obeys_keys(
    screen: Environment, checkpoint: Path, tmp_path: Path
) -> None:
    with _program(screen, checkpoint, tmp_path) as process:
        window = _wait_for_display(screen, process)
        _wait_for_moods(process, tmp_path)
        # The last bytes of their codes are those of Q, R, S and P.
        _press(screen, window, "Left", "Up", "Right", "Home")
        assert process.poll() is None
        assert [path.name for path in tmp_path.iterdir()] == [EVENTS]
        _press(screen, window, "s", "q")
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert _frames_in(errors) > 1
    assert "Qt" not in errors
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl", ".png"}


def test_the_x_of_the_display_ends_the_run(
    screen: Environment, checkpoint: Path, tmp_path: Path
) -> None:
    # What a Wayland desktop asks of every program, and OpenCV's Qt has not.
    screen = {**screen, "QT_QPA_PLATFORM": "wayland"}
    with _program(screen, checkpoint, tmp_path) as process:
        window = _wait_for_display(screen, process)
        _wait_for_moods(process, tmp_path)
        subprocess.run(
            [sys.executable, "-c", PRESS_THE_X, window], env=screen, check=True, timeout=PATIENCE_S
        )
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert _frames_in(errors) > 1
    assert "Traceback" not in errors
    assert "guiReceiver" not in errors


@pytest.mark.parametrize(
    ("picture", "shown"),
    [
        ((640, 480), (960, 720)),
        ((480, 640), (600, 800)),
        ((176, 144), (960, 785)),
        ((1000, 500), (1000, 500)),
        ((1920, 1080), (1280, 720)),
        ((20, 2000), (8, 800)),
    ],
)
def test_pictures_are_shown_as_large_as_text_needs_and_a_screen_has(
    picture: tuple[int, int], shown: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    display = object.__new__(Display)
    display._picture_size = None
    monkeypatch.setattr("cv2.resizeWindow", lambda *_: None)
    assert display.fit(*picture) == shown
    # Made larger by the person, they are drawn larger too, up to what is usual.
    monkeypatch.setattr("cv2.getWindowImageRect", lambda *_: (0, 0, 4000, 4000))
    width, height = display.fit(*picture)
    assert (
        width / 1280 == pytest.approx(1.0, abs=0.01)
        or height / 800 == pytest.approx(1.0, abs=0.01)
        or (width, height) == picture
    )


@pytest.mark.parametrize(
    ("platform", "answers"),
    [("linux", [True, False, False]), ("darwin", [True, True, False])],
)
def test_a_display_that_is_minimised_on_macos_is_still_open(
    monkeypatch: pytest.MonkeyPatch, platform: str, answers: list[bool]
) -> None:
    visible = iter([1.0, 0.0, -1.0])
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("cv2.getWindowProperty", lambda *_: next(visible))
    display = object.__new__(Display)
    assert [display.is_open for _ in answers] == answers


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks for X11")
def test_a_missing_screen_is_told_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert "DISPLAY is not set" in str(why_no_display())
    monkeypatch.setenv("DISPLAY", ":4711")
    assert "DISPLAY=:4711 does not answer" in str(why_no_display())
    monkeypatch.setenv("DISPLAY", "nonsense")
    assert why_no_display() is not None


def test_a_screen_that_refuses_us_is_told_and_not_a_crash(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "cookie").write_bytes(_x_authority(os.urandom(16)))
    with _virtual_screen("-auth", str(tmp_path / "cookie")) as screen:
        screen["XAUTHORITY"] = str(tmp_path / "nothing")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "realtime_mood", "--camera", "pattern"),
                *("--duration", "0.5", "--model", str(checkpoint), "--faces", "none"),
            ],
            env=screen,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    first = done.stderr.splitlines()[0]
    assert first.startswith("realtime-mood: running without a display: ")
    assert f"DISPLAY={screen['DISPLAY']} refuses" in first


def _x_authority(cookie: bytes) -> bytes:
    """A file with one cookie, for any host and any screen, as xauth writes it."""
    any_family, no_address, no_number = 0xFFFF, b"", b""
    fields = (no_address, no_number, b"MIT-MAGIC-COOKIE-1", cookie)
    packed = b"".join(struct.pack(">H", len(field)) + field for field in fields)
    return struct.pack(">H", any_family) + packed


def test_a_screen_that_is_there_is_found(
    screen: Environment, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", screen["DISPLAY"])
    assert why_no_display() is None
    assert capfd.readouterr() == ("", "")
