"""What a person sees on a terminal while a file is worked through."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.media import write_video

pytest.importorskip("pty", reason="needs a terminal of POSIX")

BAR = "━"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "grey.mp4", count=30)


def _on_terminal(*command: str) -> str:
    """What a command writes to a terminal that is both its standard output and error."""
    ours, theirs = os.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 65536):
            written += data
    except OSError:
        pass  # On Linux, the end of a terminal.
    os.close(ours)
    assert process.wait(60) == 0, written.decode()
    return written.decode()


def test_events_on_a_terminal_come_without_a_bar(checkpoint: Path, video: Path) -> None:
    options = ("--events", "-", "--model", str(checkpoint), "--faces", "none")
    written = _on_terminal("-m", "realtime_mood", "--video", str(video), *options)
    assert BAR not in written
    assert not CONTROL.search(written)
    events = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert (events[0]["type"], events[-1]["type"]) == ("start", "summary")
    assert "\n30 frames, " in written


def test_a_warning_comes_on_a_line_of_its_own_above_the_bar(video: Path, tmp_path: Path) -> None:
    code = f"""
import logging
import sys
from realtime_mood import cli, offline
from realtime_mood.errors import ReaderGoneError

def warn(config, *, on_progress, interrupt):
    logging.getLogger("test").warning("this is odd")
    raise ReaderGoneError("no more is tested")

offline.run_offline = warn
sys.exit(cli.main(["--video", {str(video)!r}, "--events", {str(tmp_path / "e.csv")!r}]))
"""
    written = _on_terminal("-c", code)
    assert BAR in written
    (line,) = [line for line in re.split(r"\r\n|\r", written) if "this is odd" in line]
    assert CONTROL.sub("", line) == "realtime-mood: this is odd"
