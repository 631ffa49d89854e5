"""Recordings of a live run, which start and stop as the person likes."""

from __future__ import annotations

import time
from pathlib import Path

from realtime_mood.capture.source import SourceInfo
from realtime_mood.frame import Frame
from realtime_mood.sinks.recording import RecordingSink, check_recording_path
from realtime_mood.sinks.threaded import ThreadedSink

CAPACITY = 32


class Recorder:
    """Starts and stops recordings of a live run.

    Args:
        path: of the recording that starts with the first frame; None waits for `toggle`.

    Raises:
        OutputError: the path cannot become a recording.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            check_recording_path(path)
        self._wanted = path
        self._path: Path | None = None
        self._sink: ThreadedSink[Frame] | None = None
        self._first_frame_s = 0.0
        self.dropped = 0

    def toggle(self) -> str:
        """Stop the recording that runs, or start one; answers a line for the person."""
        if self._sink is not None:
            path = self._path
            self.stop()
            return f"saved {path}"
        self._wanted = Path(time.strftime("realtime-mood-%Y%m%d-%H%M%S.mp4"))
        return f"recording {self._wanted}"

    @property
    def is_wanted(self) -> bool:
        """Whether frames are to be written."""
        return self._sink is not None or self._wanted is not None

    def write(self, frame: Frame, info: SourceInfo) -> None:
        """Record an annotated frame; starts the recording that is wanted.

        Raises:
            OutputError: it cannot be written.
        """
        if self._wanted is not None:
            sink = RecordingSink(
                self._wanted,
                width=frame.width,
                height=frame.height,
                frame_rate=info.frame_rate,
                audio_from=info.path,
            )
            self._sink = ThreadedSink(sink.write, sink.close, name="recording", capacity=CAPACITY)
            self._path, self._wanted = self._wanted, None
            self._first_frame_s = frame.timestamp_s
        if self._sink is not None:
            self._sink.write(frame)

    def recorded_s(self, now_s: float) -> float | None:
        """Seconds recorded up to a media time; None when not recording."""
        return None if self._sink is None else max(0.0, now_s - self._first_frame_s)

    def stop(self) -> None:
        """Finish the recording that runs, if one does.

        Raises:
            OutputError: its end cannot be written.
        """
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()
            self.dropped += sink.dropped
