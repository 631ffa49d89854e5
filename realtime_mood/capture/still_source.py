"""A picture, seen as by a camera that stands before it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.source import FrameSource
from realtime_mood.frame import Frame

STILL_RATE = Fraction(10)
"""Frames a second; the detector looks no oftener, and large pictures take long to draw."""
STILL_S = 2
"""How long a picture is worked through; its expression is named after less than half a second."""


def held(source: FileSource, *, is_endless: bool) -> FrameSource:
    """A file's frames; of one that is a picture, for as long as it takes to be seen.

    Args:
        source: nothing was read from it yet.
        is_endless: a picture stays until it is closed, and not for STILL_S.
    """
    return StillSource(source, is_endless=is_endless) if source.is_picture else source


class StillSource:
    """A picture that is handed out again and again, STILL_RATE times a second.

    Args:
        picture: the file; its first frame is read, and it is closed.
        is_endless: see `held`.
    """

    def __init__(self, picture: FileSource, *, is_endless: bool) -> None:
        self._frame = picture.read()
        picture.close()
        self._index = 0
        self._count = None if is_endless else int(STILL_S * STILL_RATE)
        self.info = replace(
            picture.info,
            frame_rate=STILL_RATE,
            duration_s=None if is_endless else float(STILL_S),
        )

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        if self._frame is None or self._index == self._count:
            return None
        time_s = float(self._index / STILL_RATE)
        frame = replace(self._frame, timestamp_s=time_s, index=self._index, lasts_s=None)
        self._index += 1
        return frame

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._frame = None
