"""What is learned from, how faces are cut out of it, and who is on which side of the split."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from trainer.config.options import Choice, Options, Range

FACES = ("auto", "yunet", "cascade", "none")
FACE_MODEL_VARIABLE = "REALTIME_MOOD_FACE_MODEL"
LONGEST_TIMEOUT_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class DataConfig(Options):
    """Recordings and their face crops.

    Raises:
        UsageError: a value is outside its range.
    """

    data: Path
    """Folder with RAVDESS recordings."""
    faces: Annotated[str, Choice(FACES)] = "auto"
    """Face detector."""
    face_model: Path | None = None
    """YuNet's file (default: REALTIME_MOOD_FACE_MODEL, else fetched once)."""
    cache: Path | None = None
    """Where face crops are kept (crops/ in --output)."""
    decode_timeout_s: Annotated[float, Range(0.0, LONGEST_TIMEOUT_S, "seconds", above=True)] = 120.0
    """A recording that takes longer to decode is skipped."""


@dataclass(frozen=True, kw_only=True)
class SplitConfig(Options):
    """Who is trained on, who chooses, who is only tested on.

    Raises:
        UsageError: a value is outside its range.
    """

    validation_actors: tuple[int, ...] = ()
    """Actors the epoch and the temperature are chosen by (a sixth of them)."""
    test_actors: tuple[int, ...] = ()
    """Actors that are only tested on (a sixth of them)."""


def data_from_environment() -> dict[str, Any]:
    """Values for `DataConfig` that hold where neither a flag nor a file gives others."""
    named = os.environ.get(FACE_MODEL_VARIABLE)
    return {"face_model": Path(named)} if named else {}
