"""Recordings of a live run, which start and stop as the person likes."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from realtime_mood.capture.source import SourceInfo
from realtime_mood.errors import OutputError
from realtime_mood.frame import Frame
from realtime_mood.sinks.output_path import unused_path
from realtime_mood.sinks.recording import RecordingSink, check_recording_path
from realtime_mood.sinks.threaded import ThreadedSink

logger = logging.getLogger(__name__)

MAX_WAITING_BYTES = 128 * 1024 * 1024
MIN_WAITING, MAX_WAITING = 4, 32
"""Frames that may wait for the encoder, whatever their size."""


class Recorder:
    """Starts and stops recordings; none of them can stall or end the picture.

    A recording that was asked for on the command line is part of the job, so its failure is
    raised. One that was started by a key fails with a warning and a message.

    Args:
        path: of the recording that starts with the first frame; None waits for `toggle`.
        until_s: see `RecordingSink`.

    Raises:
        UsageError: the path has another suffix than .mp4.
        OutputError: it cannot become a file.
    """

    def __init__(self, path: Path | None, *, until_s: float | None = None) -> None:
        if path is not None:
            check_recording_path(path)
        self._asked_for = path
        self._until_s = until_s
        self._wanted = path
        self._path: Path | None = None
        self._sink: ThreadedSink[Frame] | None = None
        self._closing: list[tuple[Path, ThreadedSink[Frame]]] = []
        self._first_frame_s = 0.0
        self._dropped = 0
        self._started: list[Path] = []

    def toggle(self) -> str:
        """Stop the recording that runs, or start one; answers a line for the person."""
        if self._wanted is not None:
            self._wanted = None
            return "not recording"
        if self._sink is not None:
            path = self._path
            self._let_go()
            return f"saved {path}"
        named = Path(time.strftime("realtime-mood-%Y%m%d-%H%M%S.mp4"))
        self._wanted = unused_path(named, taken=self._started)
        return f"recording {self._wanted}"

    @property
    def paths(self) -> list[Path]:
        """The recordings that were made, in order; of one that failed, what can be played of it."""
        return [path for path in self._started if path.exists()]

    @property
    def is_wanted(self) -> bool:
        """Whether frames are to be written."""
        return self._sink is not None or self._wanted is not None

    def write(self, frame: Frame, info: SourceInfo) -> str | None:
        """Record an annotated frame; starts the recording that is wanted.

        Returns:
            A line for the person when a recording they started failed, else None.

        Raises:
            OutputError: the recording asked for on the command line cannot be written.
        """
        try:
            if self._wanted is not None:
                self._start(self._wanted, frame, info)
            if self._sink is not None:
                self._sink.write(frame)
        except OutputError as error:
            failed = self._wanted or self._path
            self._wanted = self._sink = None
            if failed == self._asked_for:
                raise
            logger.warning("%s", error)
            return str(error)
        return None

    def recorded_s(self, now_s: float) -> float | None:
        """Seconds recorded up to a media time; None when not recording."""
        return None if self._sink is None else max(0.0, now_s - self._first_frame_s)

    @property
    def dropped(self) -> int:
        """Frames that came faster than they could be encoded."""
        return self._dropped + (self._sink.dropped if self._sink else 0)

    def finish(self) -> None:
        """Finish all recordings; waits for them.

        Raises:
            OutputError: the end of the one asked for on the command line cannot be written.
        """
        self._let_go()
        closing, self._closing = self._closing, []
        failure: OutputError | None = None
        for path, sink in closing:
            try:
                sink.close()
            except OutputError as error:
                if path == self._asked_for:
                    failure = error
                else:
                    logger.warning("%s", error)
        if failure is not None:
            raise failure

    def _start(self, path: Path, frame: Frame, info: SourceInfo) -> None:
        sink = RecordingSink(
            path,
            width=frame.width,
            height=frame.height,
            frame_rate=info.frame_rate,
            audio_from=info.path,
            until_s=self._until_s,
        )
        fitting = MAX_WAITING_BYTES // frame.image_bgr.nbytes
        capacity = min(MAX_WAITING, max(MIN_WAITING, fitting))
        self._sink = ThreadedSink(sink.write, sink.close, name="recording", capacity=capacity)
        self._path, self._wanted = path, None
        self._first_frame_s = frame.timestamp_s
        self._started.append(path)

    def _let_go(self) -> None:
        """Ask the recording that runs to finish by itself."""
        sink, self._sink = self._sink, None
        if sink is not None and self._path is not None:
            sink.stop()
            self._dropped += sink.dropped
            self._closing.append((self._path, sink))
