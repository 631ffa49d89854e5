"""What every corpus is read into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v")


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One take of one actor."""

    path: Path
    """The video file."""
    name: str
    """File name without its suffix; the same take has the same name in every copy of the corpus."""
    take: str
    """What twins share: two recordings with the same take are the same footage."""
    actor: int
    """Who is seen, counted from 1."""
    label: int
    """Id in the label table."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """What was found in a folder."""

    recordings: tuple[Recording, ...]
    """Usable recordings, one per take, sorted by actor and name."""
    twins: tuple[Path, ...]
    """Second copies of a take that were left out."""
    audio: tuple[Path, ...]
    """Files of the corpus without a picture."""
    foreign: tuple[Path, ...]
    """Video files whose names are not of the corpus."""

    @property
    def actors(self) -> tuple[int, ...]:
        """Every actor there is, sorted."""
        return tuple(sorted({recording.actor for recording in self.recordings}))
