"""A picture, seen as by a camera that stands before it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.source import FrameSource
from realtime_mood.frame import Frame

STILL_RATE = Fraction(25)
"""Frames a second."""
STILL_S = 2
"""How long a picture is worked through; its expression is named after less than half a second."""


def open_file(path: Path, *, is_endless: bool) -> FrameSource:
    """A video file, or a file that holds one picture.

    Args:
        path: of the file.
        is_endless: a picture stays until it is closed, and not for STILL_S.

    Raises:
        SourceError: see `FileSource`.
    """
    source = FileSource(path)
    return StillSource(source, is_endless=is_endless) if source.is_picture else source


class StillSource:
    """A picture that is handed out again and again, STILL_RATE times a second.

    Args:
        picture: the file; its first frame is read, and it is closed.
        is_endless: see `open_file`.
    """

    def __init__(self, picture: FileSource, *, is_endless: bool) -> None:
        self._frame = picture.read()
        picture.close()
        self._index = 0
        self._count = None if is_endless else int(STILL_S * STILL_RATE)
        self.info = replace(
            picture.info,
            frame_rate=STILL_RATE,
            frame_count=self._count,
            duration_s=None if is_endless else float(STILL_S),
        )

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        if self._frame is None or self._index == self._count:
            return None
        frame = replace(self._frame, timestamp_s=float(self._index / STILL_RATE), index=self._index)
        self._index += 1
        return frame

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._frame = None
