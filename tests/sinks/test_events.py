from __future__ import annotations

import csv
import errno
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from realtime_mood.errors import OutputError, ReaderGoneError, UsageError
from realtime_mood.events import Event, prediction_event, track_ended_event, track_started_event
from realtime_mood.faces.box import Box
from realtime_mood.model.labels import LABELS
from realtime_mood.sinks.events import CSV_COLUMNS, open_event_sink
from realtime_mood.smoothing import MoodState
from tests.full_disk import files_at_most

BOX = Box(10.0, 20.0, 110.0, 140.0)


def _prediction() -> Event:
    probabilities = (0.01, 0.02, 0.03, 0.04, 0.6, 0.1, 0.1, 0.1)
    return prediction_event(
        media_time_s=1.8,
        wall_time=datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC),
        frame_index=54,
        track_id=1,
        box=BOX,
        mood=MoodState("happy", 0.6, probabilities),
        raw_probabilities=tuple(reversed(probabilities)),
        latency_s=0.031,
    )


EVENTS: list[Event] = [
    {"type": "start", "source": "Zoë „1“.mp4", "model": "a\nb"},
    track_started_event(media_time_s=0.4, track_id=1, box=BOX),
    _prediction(),
    track_ended_event(media_time_s=9.73, track_id=1, reason="lost"),
]


@pytest.mark.parametrize("name", ["e.jsonl", "e.ndjson", "E.JSONL"])
def test_json_lines_hold_every_event_unchanged(tmp_path: Path, name: str) -> None:
    sink = open_event_sink(str(tmp_path / name))
    for event in EVENTS:
        sink.write(event)
    sink.close()
    sink.close()
    data = (tmp_path / name).read_bytes()
    assert b"\r" not in data
    assert "Zoë".encode() in data
    assert [json.loads(line) for line in data.decode().splitlines()] == EVENTS


def test_each_event_is_there_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    sink = open_event_sink(str(path))
    for number, event in enumerate(EVENTS, start=1):
        sink.write(event)
        assert len(path.read_text(encoding="utf-8").splitlines()) == number
    sink.close()


def test_csv_holds_predictions_in_named_columns(tmp_path: Path) -> None:
    sink = open_event_sink(str(tmp_path / "e.csv"))
    for event in EVENTS:
        sink.write(event)
    sink.close()
    with (tmp_path / "e.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert tuple(row) == CSV_COLUMNS
    event = _prediction()
    x, y, w, h = event["box_xywh"]
    assert [float(row[f"box_{side}"]) for side in "xywh"] == [x, y, w, h]
    assert row["label"] == "happy"
    assert row["wall_time"] == event["wall_time"]
    for name in ("media_time_s", "frame_index", "track_id", "confidence", "latency_s"):
        assert float(row[name]) == event[name]
    for label in LABELS:
        assert float(row[f"probability_{label}"]) == event["probabilities"][label]
        assert float(row[f"raw_probability_{label}"]) == event["raw_probabilities"][label]


def test_csv_without_predictions_has_its_header(tmp_path: Path) -> None:
    sink = open_event_sink(str(tmp_path / "e.csv"))
    sink.write(EVENTS[0])
    sink.close()
    assert (tmp_path / "e.csv").read_text(encoding="utf-8") == ",".join(CSV_COLUMNS) + "\n"


@pytest.mark.parametrize("name", ["e.jsonl", "e.csv"])
def test_an_older_file_stays_until_the_first_event(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("older", encoding="utf-8")
    sink = open_event_sink(str(path))
    sink.close()
    assert path.read_text(encoding="utf-8") == "older"
    sink = open_event_sink(str(path))
    sink.write(EVENTS[0])
    sink.close()
    assert "older" not in path.read_text(encoding="utf-8")


def test_a_number_that_json_cannot_say_is_a_fault(tmp_path: Path) -> None:
    sink = open_event_sink(str(tmp_path / "e.jsonl"))
    with pytest.raises(ValueError, match="Out of range"):
        sink.write({"type": "summary", "x": float("nan")})
    sink.close()


@pytest.mark.parametrize("target", ["e.txt", "e.json", "e", ""])
def test_other_kinds_of_file_are_refused(target: str) -> None:
    with pytest.raises(UsageError, match=r"\.jsonl, \.ndjson or \.csv, or give '-'"):
        open_event_sink(target)


def test_a_missing_folder_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist; create it"):
        open_event_sink(str(tmp_path / "missing" / "e.jsonl"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").symlink_to("/dev/full")
    sink = open_event_sink(str(tmp_path / "e.jsonl"))
    with pytest.raises(OutputError, match="No space left on device"):
        sink.write(EVENTS[0])
    sink.close()


def test_standard_output_stays_open(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for _ in range(2):
        sink = open_event_sink("-")
        for event in EVENTS:
            sink.write(event)
        sink.close()
        lines = capsysbinary.readouterr().out.splitlines()
        assert [json.loads(line) for line in lines] == EVENTS


STRANGE_EVENT = {"type": "start", "source": os.fsdecode(b"Zo\xc3\xab \xff.mp4")}
"""Of a file whose name is not UTF-8."""


def test_a_file_name_that_is_not_utf_8_comes_back_as_it_was(tmp_path: Path) -> None:
    sink = open_event_sink(str(tmp_path / "e.jsonl"))
    sink.write(STRANGE_EVENT)
    sink.close()
    assert json.loads((tmp_path / "e.jsonl").read_text(encoding="utf-8")) == STRANGE_EVENT


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_standard_output_is_utf_8_whatever_the_terminal_speaks(encoding: str) -> None:
    code = f"""
from realtime_mood.sinks.events import open_event_sink
open_event_sink("-").write({STRANGE_EVENT!a})
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        timeout=60,
    )
    assert done.stderr == b""
    assert json.loads(done.stdout.decode("utf-8")) == STRANGE_EVENT
    assert done.stdout.endswith(b"}\n")


def test_a_closed_standard_output_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match=r"standard output is closed; write .* to a file"):
        open_event_sink("-")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_standard_output_is_one_error_and_none_at_exit() -> None:
    code = """
import sys
from realtime_mood.errors import OutputError
from realtime_mood.sinks.events import open_event_sink
try:
    open_event_sink("-").write({"type": "start"})
except OutputError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 5
    (line,) = done.stderr.splitlines()
    assert line.startswith("standard output cannot be written (No space left on device)")


class _BrokenOutput:
    """Standard output that fails."""

    def __init__(self, error: OSError) -> None:
        self.buffer = self
        self._error = error

    def write(self, data: bytes) -> None:
        raise self._error

    def fileno(self) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize(
    ("platform", "number", "expected"),
    [
        ("linux", errno.EPIPE, ReaderGoneError),
        ("win32", errno.EPIPE, ReaderGoneError),
        ("win32", errno.EINVAL, ReaderGoneError),
        ("linux", errno.EINVAL, OutputError),
        ("win32", errno.ENOSPC, OutputError),
    ],
)
def test_windows_says_otherwise_that_a_reader_left(
    platform: str, number: int, expected: type[OutputError]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", _BrokenOutput(OSError(number, "broken")))
        patch.setattr(sys, "platform", platform)
        sink = open_event_sink("-")
        with pytest.raises(OutputError) as caught:
            sink.write(EVENTS[0])
    assert type(caught.value) is expected


def test_a_reader_that_goes_away_ends_the_run_without_a_word() -> None:
    code = """
import sys
from realtime_mood.errors import ReaderGoneError
from realtime_mood.sinks.events import open_event_sink
sink = open_event_sink("-")
try:
    while True:
        sink.write({"type": "start", "filler": "x" * 1000})
except ReaderGoneError as gone:
    sys.exit(gone.exit_code)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith('{"type":"start"')
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_reader_that_goes_away_is_an_error_of_the_output() -> None:
    assert issubclass(ReaderGoneError, OutputError)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_line_that_does_not_fit_is_left_out_whole(tmp_path: Path) -> None:
    sink = open_event_sink(str(tmp_path / "e.jsonl"))
    sink.write(EVENTS[0])
    size = (tmp_path / "e.jsonl").stat().st_size
    with files_at_most(size + 10), pytest.raises(OutputError, match="cannot be written"):
        sink.write(EVENTS[0])
    sink.close()
    [line] = (tmp_path / "e.jsonl").read_text().splitlines()
    assert json.loads(line) == EVENTS[0]


@pytest.mark.skipif(sys.platform == "win32", reason="files that are open cannot be removed")
def test_events_that_were_removed_are_not_called_written(tmp_path: Path) -> None:
    sink = open_event_sink(str(tmp_path / "e.jsonl"))
    sink.write(EVENTS[0])
    (tmp_path / "e.jsonl").unlink()
    with pytest.raises(OutputError, match=r"e\.jsonl was removed while it was written"):
        sink.close()


@pytest.mark.skipif(sys.platform == "win32", reason="files that are open cannot be moved")
def test_events_that_were_moved_are_there(tmp_path: Path) -> None:
    sink = open_event_sink(str(tmp_path / "e.jsonl"))
    sink.write(EVENTS[0])
    (tmp_path / "e.jsonl").rename(tmp_path / "old.jsonl")
    sink.write(EVENTS[1])
    sink.close()
    assert len((tmp_path / "old.jsonl").read_text().splitlines()) == 2
