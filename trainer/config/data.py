"""What is learned from, how faces are cut out of it, and who is on which side of the split."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from realtime_mood.errors import UsageError
from realtime_mood.faces.yunet_file import FACE_MODEL_VARIABLE
from trainer.config.options import Choice, Options, Range
from trainer.corpora.sources import PROTOCOLS, DataSource, parse_source

FACES = ("auto", "yunet", "cascade", "none")
LONGEST_TIMEOUT_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class DataConfig(Options):
    """Recordings and their face crops.

    Raises:
        UsageError: a value is outside its range.
    """

    data: tuple[str, ...]
    """[CORPUS:]PATH[@WEIGHT]; CORPUS is ravdess (default), cremad or images. Repeat the flag for
    several: a run learns from all of them, and measures the corpus of the first."""
    faces: Annotated[str, Choice(FACES)] = "auto"
    """Face detector; auto: YuNet where its file can be had, and what a run was begun with."""
    face_model: Path | None = None
    """YuNet's file (default: REALTIME_MOOD_FACE_MODEL, else fetched once)."""
    cache: Path | None = None
    """Where face crops are kept, for further runs too (those of the run)."""
    keep_crops: bool = True
    """Keep them: 6 MB a recording at 112 pixels, 26 at 224; else each clip is decoded again."""
    decode_timeout_s: Annotated[float, Range(0.0, LONGEST_TIMEOUT_S, "seconds", above=True)] = 120.0
    """A recording that takes longer to decode is skipped."""
    allow_bad: Annotated[float, Range(0.0, 1.0)] = 0.01
    """Share of the recordings that may be unusable before the run stops."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.data:
            raise UsageError("--data is missing; name a folder with recordings")
        _ = self.sources

    @property
    def sources(self) -> tuple[DataSource, ...]:
        """What `data` names."""
        return tuple(parse_source(text) for text in self.data)

    @property
    def name(self) -> str:
        """Names the data in reports: 'ravdess + fer2013.npz'."""
        return " + ".join(source.path.resolve().name for source in self.sources)


@dataclass(frozen=True, kw_only=True)
class SplitConfig(Options):
    """Who is trained on, who chooses, who is only tested on.

    Raises:
        UsageError: a value is outside its range.
    """

    protocol: Annotated[str, Choice(PROTOCOLS)] = "actor-split"
    """How actors are split; 'random' leaks, for comparison alone."""
    fold: Annotated[int, Range(1, 6)] = 1
    """Which fold of a protocol that has several."""
    validation_actors: tuple[int, ...] = ()
    """Actors the epoch and the temperature are chosen by (a sixth of them)."""
    test_actors: tuple[int, ...] = ()
    """Actors that are only tested on (a sixth of them)."""


def data_from_environment() -> dict[str, Any]:
    """Values for `DataConfig` that hold where neither a flag nor a file gives others."""
    named = os.environ.get(FACE_MODEL_VARIABLE)
    return {"face_model": Path(named)} if named else {}
