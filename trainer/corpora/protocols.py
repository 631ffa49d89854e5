"""How a corpus is split into folds, by the names that published work knows.

    actor-split  one fold: a sixth of the actors is tested on (default)
    6fold        RAVDESS actors 1-4, 5-8, … (MAE-DFER, HiCMAE, MSAF)
    5fold        RAVDESS, the folds of Luna-Jiménez et al. 2021 (10.3390/app12010327)
    random       five folds over recordings: the same actors on both sides. It leaks.

In all of them validation actors are taken from the training side, never from the test fold.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from realtime_mood.errors import SourceError, UsageError
from trainer.corpora.recording import Index, Recording, list_actors, note_of_labels
from trainer.corpora.splits import (
    HELD_OUT_SHARE,
    LEAST_PICTURES,
    Split,
    note_of_near_copies,
    split_by_actor,
    split_by_names,
    split_pictures,
)

logger = logging.getLogger(__name__)

RAVDESS_BLOCKS: dict[str, tuple[tuple[int, ...], ...]] = {
    "6fold": tuple(tuple(range(first, first + 4)) for first in range(1, 25, 4)),
    "5fold": (
        (2, 5, 14, 15, 16),
        (3, 6, 7, 13, 18),
        (10, 11, 12, 19, 20),
        (8, 17, 21, 23, 24),
        (1, 4, 9, 22),
    ),
}
RANDOM_FOLDS = 5
LEAK_WARNING = (
    "protocol 'random' LEAKS: the actors tested on are also trained on, so its figures say nothing "
    "about people the model has not seen"
)


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One split of a protocol."""

    number: int
    """Counted from 1, as the protocol counts; folds that cannot be run leave gaps."""
    split: Split
    """Who is where."""

    @property
    def name(self) -> str:
        """Names its folder: 'fold-2'."""
        return f"fold-{self.number}"


@dataclass(frozen=True, kw_only=True)
class Folds:
    """All folds of a protocol that the data allows."""

    protocol: str
    """Its name."""
    folds: tuple[Fold, ...]
    """At least one."""
    notes: tuple[str, ...]
    """What every report has to say: folds that are missing, leaks, what is left out."""
    pictures: Split | None = None
    """Of pictures that are added to another corpus, measured besides it; None: there are none."""

    def numbered(self, number: int) -> Fold:
        """One of the folds.

        Raises:
            UsageError: the protocol, or the data, has no such fold.
        """
        for fold in self.folds:
            if fold.number == number:
                return fold
        there = ", ".join(str(fold.number) for fold in self.folds)
        raise UsageError(f"--fold is {number}; --protocol {self.protocol} has {there} here")


def make_folds(
    index: Index,
    *,
    protocol: str,
    validation_actors: Sequence[int] = (),
    test_actors: Sequence[int] = (),
    seed: int = 0,
) -> Folds:
    """Split what was found. What chooses the epoch is of the first recording's corpus alone.

    Args:
        index: of one corpus or several; the others are trained on, save for pictures that are held
            out to measure how well the model knows them.
        protocol: one of `sources.PROTOCOLS`.
        validation_actors: for 'actor-split'; see `split_by_actor`.
        test_actors: the same.
        seed: of what 'random' draws.

    Raises:
        SourceError: the data has too few actors.
        UsageError: the protocol is not for this corpus, or the actors named make no sense.
    """
    if protocol != "actor-split" and (validation_actors or test_actors):
        raise UsageError(
            f"--protocol {protocol} says itself who is tested on; leave out --validation-actors "
            "and --test-actors"
        )
    corpus = index.recordings[0].corpus
    measured = index.of_corpus(corpus)
    others = tuple(r for r in index.recordings if r.corpus not in (corpus, "images"))
    added = () if corpus == "images" else index.of_corpus("images")
    to_learn = tuple(r for r in added if not r.is_held_out)
    pictures = split_pictures(added) if len(to_learn) >= LEAST_PICTURES else None
    extra = others + (pictures.train if pictures else to_learn)
    notes: list[str] = []
    if added and pictures is None:
        notes.append(f"{len(to_learn)} added pictures are too few to measure any of them")
    if pictures:
        notes += note_of_near_copies(pictures)
    if protocol == "random" and corpus == "images":
        raise UsageError(
            "--protocol random would train on pictures that their corpus keeps apart; pictures "
            "alone are split by --protocol actor-split"
        )
    if protocol == "random":
        numbered = dict(enumerate(_random_splits(measured, seed), start=1))
        notes.append(LEAK_WARNING)
    elif protocol in RAVDESS_BLOCKS:
        numbered, missing = _block_splits(measured, protocol)
        notes += missing
    elif corpus == "images":
        if validation_actors or test_actors:
            raise UsageError("pictures have no actors to name; leave out --test-actors")
        numbered = {1: split_pictures(measured)}
        notes += note_of_near_copies(numbered[1])
        notes.append("nobody knows whom the pictures show: the same person may be on both sides")
    else:
        split = split_by_actor(
            measured, validation_actors=validation_actors, test_actors=test_actors
        )
        numbered = {1: split}
    over = ", counted over all folds" if len(numbered) > 1 else ""
    tested = [recording for split in numbered.values() for recording in split.test]
    notes += [note + over for note in note_of_labels(tested)]
    for note in notes:
        logger.warning("%s", note)
    folds = tuple(
        Fold(number=number, split=replace(split, train=split.train + extra))
        for number, split in numbered.items()
    )
    return Folds(protocol=protocol, folds=folds, notes=tuple(notes), pictures=pictures)


def _block_splits(
    measured: Sequence[Recording], protocol: str
) -> tuple[dict[int, Split], list[str]]:
    """A fold for each block whose actors are all there; the next such block validates."""
    if measured[0].corpus != "ravdess":
        raise UsageError(
            f"--protocol {protocol} is of RAVDESS's actors, but the first --data is "
            f"{measured[0].corpus}; name ravdess:DIR first or take --protocol actor-split"
        )
    actors = {r.actor for r in measured}
    complete: dict[int, set[str]] = {}
    notes = []
    for number, numbers in enumerate(RAVDESS_BLOCKS[protocol], start=1):
        block = {f"ravdess:{actor:02d}" for actor in numbers}
        if block <= actors:
            complete[number] = block
        else:
            absent = list_actors(sorted(block - actors))
            notes.append(
                f"fold {number} of {protocol} is not run: of its actors "
                f"{', '.join(map(str, numbers))} the data lacks {absent}"
            )
    if len(complete) < 2 or len(actors) <= sum(map(len, list(complete.values())[:2])):
        raise SourceError(
            f"--protocol {protocol} needs two complete blocks of actors and more to train on, but "
            f"the data has actors {list_actors(sorted(actors))}; 'trainer train' with --protocol "
            "actor-split does with fewer"
        )
    numbers_there = list(complete)
    following = dict(zip(numbers_there, numbers_there[1:] + numbers_there[:1], strict=True))
    splits = {
        number: split_by_names(measured, validation=complete[following[number]], test=block)
        for number, block in complete.items()
    }
    return splits, notes


def _random_splits(measured: Sequence[Recording], seed: int) -> list[Split]:
    """Recordings dealt out label by label; actors cross, takes do not."""
    rng = np.random.default_rng(seed)
    order = [measured[position] for position in rng.permutation(len(measured))]
    order.sort(key=lambda recording: recording.label)
    splits = []
    for number in range(RANDOM_FOLDS):
        test = tuple(order[number::RANDOM_FOLDS])
        rest = [r for position, r in enumerate(order) if position % RANDOM_FOLDS != number]
        validation = tuple(rest[:: round(1 / HELD_OUT_SHARE)])
        chosen = {r.take for r in validation}
        train = tuple(r for r in rest if r.take not in chosen)
        if not (train and validation and test):
            raise SourceError(f"{len(measured)} recordings are too few for --protocol random")
        splits.append(Split(train=train, validation=validation, test=test, crosses_actors=True))
    return splits
