"""The real window, on a virtual screen."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime_mood.model.checkpoint import Contract, save_checkpoint
from realtime_mood.model.timesformer import tiny_timesformer
from realtime_mood.sinks.display import why_no_display
from tests.fakes import SPEC

TOOLS = ("Xvfb", "xdotool")
needs_screen = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in TOOLS), reason=f"needs {' and '.join(TOOLS)}"
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    contract = Contract(spec=SPEC, temperature=1.0, face_detector="none")
    save_checkpoint(tiny_timesformer(SPEC), contract, folder)
    return folder


@pytest.fixture(scope="module")
def screen() -> Iterator[dict[str, str]]:
    """The environment of a program on a fresh virtual screen."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as pipe:
        number = pipe.readline().strip()
    yield {**os.environ, "DISPLAY": f":{number}"}
    server.terminate()
    server.wait(10)


def _wait_for_window(environment: dict[str, str], *, timeout_s: float) -> str:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        found = subprocess.run(
            ["xdotool", "search", "--name", "^realtime-mood$"],
            env=environment,
            capture_output=True,
            text=True,
        )
        if found.stdout.split():
            return found.stdout.split()[0]
        time.sleep(0.05)
    raise AssertionError("the window did not open")


@needs_screen
def test_the_window_opens_shows_frames_and_quits_by_key(
    screen: dict[str, str], checkpoint: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "realtime_mood", "--camera", "pattern"),
            *("--model", str(checkpoint), "--faces", "none", "--debug"),
        ],
        env=screen,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        window = _wait_for_window(screen, timeout_s=30)
        time.sleep(3)
        assert process.poll() is None
        for key in ("s", "q"):
            subprocess.run(
                ["xdotool", "windowfocus", "--sync", window, "key", "--window", window, key],
                env=screen,
                check=True,
                timeout=30,
            )
            time.sleep(0.5)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    frames = int(next(line for line in errors.splitlines() if " frames, " in line).split()[0])
    assert frames > 15
    assert "Qt" not in errors
    assert len(list(tmp_path.glob("realtime-mood-*.png"))) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks for X11")
def test_a_missing_screen_is_told_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert "DISPLAY is not set" in str(why_no_display())
    monkeypatch.setenv("DISPLAY", ":4711")
    assert "DISPLAY=:4711 does not answer" in str(why_no_display())
    monkeypatch.setenv("DISPLAY", "nonsense")
    assert why_no_display() is not None


@needs_screen
def test_a_screen_that_is_there_is_found(
    screen: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", screen["DISPLAY"])
    assert why_no_display() is None
