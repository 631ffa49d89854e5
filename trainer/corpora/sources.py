"""Which corpora a run is given: `--data ravdess:DIR --data images:PATH@0.5`.

The first corpus is the one that is measured: validation and test recordings come from it, out of
every source that names it. Of the others, some pictures are measured besides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime_mood.errors import UsageError
from trainer.corpora.recording import Index, merged

CORPORA = ("ravdess", "cremad", "images")
PROTOCOLS = ("actor-split", "6fold", "5fold", "random")
HIGHEST_WEIGHT = 100.0


@dataclass(frozen=True)
class DataSource:
    """One `--data`."""

    corpus: str
    """One of `CORPORA`."""
    path: Path
    """A folder, or for 'images' also an npz file."""
    weight: float = 1.0
    """How often its recordings are drawn for training beside those of weight 1."""

    def __str__(self) -> str:
        weight = "" if self.weight == 1.0 else f"@{self.weight:g}"
        return f"{self.corpus}:{self.path}{weight}"


def parse_source(text: str) -> DataSource:
    """Read `[CORPUS:]PATH[@WEIGHT]`; without a corpus it is RAVDESS.

    Raises:
        UsageError: the corpus is not known, or the weight is outside its range.
    """
    prefix, colon, rest = text.partition(":")
    corpus, place = (prefix, rest) if colon and prefix in CORPORA else ("ravdess", text)
    # 'C:' is a drive.
    if colon and prefix not in CORPORA and len(prefix) > 1 and not Path(text).exists():
        raise UsageError(
            f"--data {text}: there is no corpus '{prefix}'; there are {', '.join(CORPORA)}"
        )
    path, at, number = place.rpartition("@")
    try:
        weight = float(number) if at else 1.0
    except ValueError:
        path, weight = place, 1.0
    path = path if at else place
    if not path:
        raise UsageError(f"--data {text}: the path is missing")
    if not (math.isfinite(weight) and 0.0 < weight <= HIGHEST_WEIGHT):
        raise UsageError(
            f"--data {text}: the weight is {weight:g}; it must be above 0 and at most "
            f"{HIGHEST_WEIGHT:g}"
        )
    return DataSource(corpus, Path(path), weight)


def read_sources(sources: Sequence[DataSource]) -> Index:
    """Index all corpora of a run.

    Returns:
        All recordings; those of the first source's corpus come first.

    Raises:
        SourceError: one of them is not what its prefix says.
    """
    # The command line, which reads options by this module, is to load nothing heavy.
    from trainer.corpora import cremad, images, ravdess
    from trainer.corpora.near_copies import without_near_copies

    readers: dict[str, Callable[[Path], Index]] = {
        "ravdess": ravdess.index_folder,
        "cremad": cremad.index_folder,
        "images": images.index_images,
    }
    return without_near_copies(
        merged(readers[s.corpus](s.path).weighted(s.weight) for s in sources)
    )
