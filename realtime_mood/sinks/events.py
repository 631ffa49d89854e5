"""Events as lines of text: JSON objects or CSV rows, to a file or to standard output."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import FileIO, StringIO
from pathlib import Path
from typing import Any

from realtime_mood.errors import OutputError, UsageError, standard_output_failed
from realtime_mood.model.labels import LABELS
from realtime_mood.sinks.begun_file import refuse_removed
from realtime_mood.sinks.output_path import check_writable, refusing_idle_pipe
from realtime_mood.sinks.sink import EventSink

JSON_SUFFIXES = (".jsonl", ".ndjson")
CSV_SUFFIX = ".csv"
STDOUT = "-"

CSV_COLUMNS = (
    "media_time_s",
    "wall_time",
    "frame_index",
    "track_id",
    *(f"box_{side}" for side in "xywh"),
    "label",
    "confidence",
    *(f"probability_{label}" for label in LABELS),
    *(f"raw_probability_{label}" for label in LABELS),
    "latency_s",
)


def open_event_sink(target: str) -> EventSink:
    """Make the sink that a target asks for.

    Args:
        target: '-' for JSON lines on standard output; or a file ending in .jsonl or .ndjson (every
            event, one JSON object a line) or in .csv (predictions alone, one row each).

    Raises:
        UsageError: the file ends in something else.
        OutputError: the file could not be written, or standard output is closed.
    """
    if target == STDOUT:
        return LineSink(_StandardOutput(), encode_json)
    path = Path(target)
    suffix = path.suffix.lower()
    if suffix in JSON_SUFFIXES:
        return LineSink(_LazyFile(path), encode_json)
    if suffix == CSV_SUFFIX:
        return LineSink(_LazyFile(path, first_line=encode_row(CSV_COLUMNS)), encode_csv)
    raise UsageError(
        f"events cannot be written as {path.name}; end the name in "
        f"{', '.join(JSON_SUFFIXES)} or {CSV_SUFFIX}, or give '-' for standard output"
    )


def encode_json(event: Mapping[str, Any]) -> str:
    """One event as one line of JSON.

    Raises:
        ValueError: it holds a number that JSON has no word for.
    """
    line = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return line + "\n"


def encode_csv(event: Mapping[str, Any]) -> str:
    """A prediction as one row in the order of `CSV_COLUMNS`; '' for any other event."""
    if event["type"] != "prediction":
        return ""
    cells = {
        **event,
        **dict(zip(("box_x", "box_y", "box_w", "box_h"), event["box_xywh"], strict=True)),
        **{f"probability_{k}": v for k, v in event["probabilities"].items()},
        **{f"raw_probability_{k}": v for k, v in event["raw_probabilities"].items()},
    }
    return encode_row(cells[column] for column in CSV_COLUMNS)


def encode_row(cells: Any) -> str:
    """Cells as one line of CSV, quoted where needed."""
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


class LineSink:
    """Writes each event as a line, at once.

    Args:
        output: takes text; `_LazyFile` or `_StandardOutput`.
        encode: an event as text, '' to leave it out.
    """

    def __init__(
        self, output: _LazyFile | _StandardOutput, encode: Callable[[Mapping[str, Any]], str]
    ) -> None:
        self._output = output
        self._encode = encode

    def write(self, event: Mapping[str, Any]) -> None:
        """See `EventSink.write`.

        Raises:
            ReaderGoneError: standard output is a pipe that nobody reads any more.
        """
        self._output.write(self._encode(event))

    def close(self) -> None:
        """See `EventSink.close`."""
        self._output.close()


class _LazyFile:
    """A file that is created by the first write, so that an early failure leaves an old one alone.

    Created under its own name: events are followed while they are written, and each line is whole.
    """

    def __init__(self, path: Path, *, first_line: str = "") -> None:
        check_writable(path)
        self._path = path
        self._first_line = first_line
        self._file: FileIO | None = None

    def write(self, text: str) -> None:
        try:
            if self._file is None:
                # Without a buffer nothing is left over to fail a second time when it is closed.
                with refusing_idle_pipe(self._path):
                    self._file = self._path.open("wb", buffering=0)
                text = self._first_line + text
            self._write_whole(self._file, _as_bytes(text))
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            status = os.fstat(file.fileno())
            file.close()
        except OSError as error:
            raise self._failed(error) from error
        refuse_removed(status, self._path, "the events file")

    def _write_whole(self, file: FileIO, data: bytes) -> None:
        begins = file.tell() if file.seekable() else None
        try:
            while data:
                data = data[file.write(data) :]
        except OSError:
            if begins is not None:
                with suppress(OSError):
                    file.truncate(begins)
            raise

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(
            f"the events file {self._path} cannot be written ({error.strerror}); "
            "free some space or choose another place"
        )


class _StandardOutput:
    """Standard output, which stays open. Bytes, because its encoding is the terminal's."""

    def __init__(self) -> None:
        # Python has none when the process was started with it closed.
        if sys.stdout is None:
            raise OutputError("standard output is closed; write the events to a file instead")

    def write(self, text: str) -> None:
        try:
            sys.stdout.buffer.write(_as_bytes(text))
            sys.stdout.buffer.flush()
        except OSError as error:
            raise standard_output_failed(error) from error

    def close(self) -> None:
        pass


def _as_bytes(text: str) -> bytes:
    # A file name that is not UTF-8 reaches Python with lone surrogates in it; JSON's escape for
    # them looks just like this one.
    return text.encode(errors="backslashreplace")
