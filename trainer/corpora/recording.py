"""What every corpus is read into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_mood.model.labels import LABELS
from trainer.words import counted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ALL_LABELS = tuple(range(len(LABELS)))


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One take of one actor, or one picture."""

    path: Path
    """The file."""
    name: str
    """Names it within its corpus; the same take has the same name in every copy of the corpus."""
    take: str
    """What twins share: two recordings with the same take are the same footage, or picture."""
    actor: str
    """Who is seen, with the corpus: 'ravdess:07'. Of a picture nobody knows: each has its own."""
    label: int
    """Id in the label table."""
    known_labels: tuple[int, ...] = ALL_LABELS
    """Ids of the labels that this recording could have been given; a corpus may lack some."""
    photograph: str = ""
    """What near copies share, see `near_copies`; empty for one that has none."""
    weight: float = 1.0
    """How often it is drawn for training beside one of weight 1."""
    is_held_out: bool = False
    """The corpus itself keeps it apart from training."""
    image: npt.NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    """A picture kept in memory, shape (height, width) or (height, width, 3), blue-green-red."""

    @property
    def corpus(self) -> str:
        """'ravdess', 'cremad' or 'images'."""
        return self.actor.partition(":")[0]

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture, of somebody whom nobody knows."""
        return self.corpus == "images"


@dataclass(frozen=True, kw_only=True)
class Index:
    """What was found in one corpus, or in several."""

    recordings: tuple[Recording, ...]
    """Usable recordings, one per take, sorted by actor and name within a corpus."""
    twins: tuple[Recording, ...] = ()
    """Second copies of a take that were left out."""
    near_copies: tuple[Recording, ...] = ()
    """Pictures that were left out, for near copies of them are kept apart."""
    audio: tuple[Path, ...] = ()
    """Files without a picture."""
    foreign: tuple[Path, ...] = ()
    """Video or picture files whose names are not of the corpus."""

    @property
    def actors(self) -> tuple[str, ...]:
        """Every actor there is, sorted."""
        return tuple(sorted({recording.actor for recording in self.recordings}))

    def of_corpus(self, name: str) -> tuple[Recording, ...]:
        """The recordings of one corpus."""
        return tuple(recording for recording in self.recordings if recording.corpus == name)

    def weighted(self, weight: float) -> Index:
        """The same with every recording drawn `weight` times as often."""
        weighted = (replace(r, weight=r.weight * weight) for r in self.recordings)
        return replace(self, recordings=tuple(weighted))


def merged(indexes: Iterable[Index]) -> Index:
    """Several indexes as one; of a take that is in two of them, the first is kept."""
    by_take: dict[str, Recording] = {}
    twins: list[Recording] = []
    near_copies: list[Recording] = []
    audio: list[Path] = []
    foreign: list[Path] = []
    for index in indexes:
        twins += index.twins
        near_copies += index.near_copies
        audio += index.audio
        foreign += index.foreign
        for recording in index.recordings:
            if by_take.setdefault(recording.take, recording) is not recording:
                twins.append(recording)
    return Index(
        recordings=tuple(by_take.values()),
        twins=tuple(twins),
        near_copies=tuple(near_copies),
        audio=tuple(audio),
        foreign=tuple(foreign),
    )


def known_actors(recordings: Iterable[Recording]) -> tuple[str, ...]:
    """Who is seen, sorted; pictures of nobody knows whom are passed over."""
    return tuple(sorted({r.actor for r in recordings if not r.is_picture}))


def note_of_labels(recordings: Iterable[Recording]) -> tuple[str, ...]:
    """What a reader has to know where recordings are measured together that differ in this."""
    known = [frozenset(recording.known_labels) for recording in recordings]
    possible = frozenset[int]().union(*known)
    fewer = [labels for labels in known if labels != possible]
    if not fewer:
        return ()
    counts = " or ".join(str(count) for count in sorted({len(labels) for labels in fewer}))
    lacking = sorted(possible - frozenset.intersection(*fewer))
    return (
        f"{len(fewer)} of {len(known)} measured recordings have only {counts} possible labels, not "
        f"{len(possible)} (without {', '.join(LABELS[label] for label in lacking)}), and are "
        "measured together with the others",
    )


def note_of_unseen(recordings: Iterable[Recording]) -> tuple[str, ...]:
    """What a reader has to know where no recording that is learned from has some label."""
    seen = {recording.label for recording in recordings}
    if unseen := [label for number, label in enumerate(LABELS) if number not in seen]:
        return (
            f"nothing that was trained on here is called {', '.join(unseen)}; a little probability "
            "goes there all the same, by chance or as the base model had it",
        )
    return ()


def count_kinds(recordings: Iterable[Recording]) -> str:
    """How many there are, pictures by themselves: '840 recordings and 1 picture'."""
    is_picture = [recording.is_picture for recording in recordings]
    pictures = sum(is_picture)
    kinds = (len(is_picture) - pictures, "recording"), (pictures, "picture")
    return " and ".join(counted(count, what) for count, what in kinds if count)


def list_actors(actors: Iterable[str]) -> str:
    """Actors for people to read: 'ravdess 01, 02; cremad 1001'; pictures are counted only."""
    by_corpus: dict[str, list[str]] = {}
    for actor in actors:
        corpus, _, name = actor.rpartition(":")
        by_corpus.setdefault(corpus, []).append(name)
    return "; ".join(
        counted(len(names), "picture")
        if corpus == "images"
        else f"{corpus} {', '.join(names)}".strip()
        for corpus, names in by_corpus.items()
    )
