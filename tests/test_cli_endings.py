"""How a run ends that does not reach the end of its source: by Ctrl-C, or by who reads it."""

import io
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.cli import exit_code_of, main, run
from realtime_mood.options import make_config, parse_arguments
from tests.fakes import FakeClassifier
from tests.media import read_all, write_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "grey.mp4", count=50)


def test_ctrl_c_finishes_the_recording(checkpoint: Path, tmp_path: Path) -> None:
    out, events = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "realtime_mood", "--camera", "pattern", "--headless"),
            *("--record", str(out), "--events", str(events), "--model", str(checkpoint)),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s and not (out.exists() and out.stat().st_size > 4000):
        time.sleep(0.1)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert json.loads(events.read_text().splitlines()[-1])["type"] == "summary"
    assert len(read_all(FileSource(out))) > 10


def test_ctrl_c_in_the_middle_of_a_file_keeps_what_is_there(
    checkpoint: Path, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressing = FakeClassifier(wait=lambda: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(
        "realtime_mood.inference.torch_classifier.TorchClassifier", lambda *_, **__: pressing
    )
    out, events = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    options = ["--video", video, "--record", out, "--events", events, "--faces", "none"]
    assert main([str(word) for word in [*options, "--model", checkpoint]]) == 130
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    # The frame of the first clip, at 0.4 s, is the last one.
    assert (lines[-1]["ended"], lines[-1]["frames"]) == ("stopped", 11)
    assert [line["type"] for line in lines].count("prediction") == 1
    assert len(read_all(FileSource(out))) == 11


def test_ctrl_c_before_the_first_frame_leaves_older_files_alone(
    checkpoint: Path, video: Path, tmp_path: Path
) -> None:
    out, events = tmp_path / "out.mp4", tmp_path / "out.csv"
    for file in (out, events):
        file.write_bytes(b"of yesterday")
    words = ["--video", str(video), "--record", str(out), "--events", str(events)]
    config = make_config(parse_arguments([*words, "--model", str(checkpoint), "--faces", "none"]))
    interrupt = threading.Event()
    interrupt.set()
    assert exit_code_of(lambda: run(config, interrupt=interrupt), program="p", debug=False) == 130
    assert out.read_bytes() == events.read_bytes() == b"of yesterday"


def test_a_reader_that_leaves_ends_the_run_quietly(checkpoint: Path, video: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "realtime_mood", "--video", str(video), "--events", "-"),
            *("--model", str(checkpoint), "--faces", "none"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["type"] == "start"
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


class _LeavingReader(io.TextIOBase):
    """Standard output whose reader leaves after some lines."""

    def __init__(self, lines: int) -> None:
        self.buffer: Any = self
        self.lines: list[bytes] = []
        self._most = lines

    def write(self, data: Any) -> int:
        if len(self.lines) == self._most:
            raise BrokenPipeError
        self.lines.append(data)
        return len(data)


def test_a_reader_that_leaves_ends_no_recording(
    checkpoint: Path, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = _LeavingReader(2)
    monkeypatch.setattr(sys, "stdout", reader)
    monkeypatch.setattr(
        "realtime_mood.inference.torch_classifier.TorchClassifier",
        lambda *_, **__: FakeClassifier(),
    )
    out = tmp_path / "out.mp4"
    options = ["--video", video, "--record", out, "--events", "-", "--faces", "none"]
    assert main([str(word) for word in [*options, "--model", checkpoint]]) == 0
    assert [json.loads(line)["type"] for line in reader.lines] == ["start", "track_started"]
    assert len(read_all(FileSource(out))) == 50


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("realtime_mood", "--stride", "99"), 2),
        (("realtime_mood", "--video", "nope.mp4"), 3),
        (("realtime_mood", "--video", "nope.mp4", "--debug"), 3),
        (("trainer", "inspect", "--data", "nope"), 3),
        (("realtime_mood", "--camera", "pattern", "--headless", "--duration", "0.5"), 0),
    ],
)
def test_standard_error_that_cannot_be_written_changes_nothing(
    words: tuple[str, ...], code: int
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-m", *words], stderr=full, stdout=subprocess.PIPE, timeout=120
        )
    assert (ended.returncode, ended.stdout) == (code, b"")


def test_a_reader_that_left_is_noticed_where_nothing_more_happens(checkpoint: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "realtime_mood", "--camera", "pattern", "--headless"),
            *("--events", "-", "--model", str(checkpoint), "--faces", "cascade"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["type"] == "start"
    process.stdout.close()
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
