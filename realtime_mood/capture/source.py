"""What a source of frames is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from realtime_mood.frame import Frame

MIN_STEP_S = 1e-6
"""Least time between two frames of one source whose clock did not go on."""


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """What a source says of itself once it is open."""

    width: int
    """Pixels from left to right of the upright picture."""
    height: int
    """Pixels from top to bottom of the upright picture."""
    is_live: bool
    """True for cameras and streams: frames come at their own pace and cannot be had again."""
    has_end: bool = True
    """False for cameras and streams that go on for ever: when they stop, they were lost."""
    frame_rate: Fraction | None = None
    """Frames a second as announced; None when nothing sensible is. Never used for timing."""
    duration_s: float | None = None
    """Length as announced; None when unknown or live."""
    path: Path | None = None
    """The file, for a recorder that copies its sound."""


class FrameSource(Protocol):
    """An opened source.

    Invariants: the first frame has timestamp 0.0; timestamps rise strictly; all frames are
    upright. A constructor that raises has released everything it held.
    """

    @property
    def info(self) -> SourceInfo:
        """What is known from the start."""
        ...

    def read(self) -> Frame | None:
        """The next frame; None at the end, and again on every call after it.

        Raises:
            SourceError: the source broke. Frames read before remain good; the source can only be
                closed now.
        """
        ...

    def close(self) -> None:
        """Release the device or file; may be called twice."""
        ...
