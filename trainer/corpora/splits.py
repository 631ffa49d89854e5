"""Who is trained on, who chooses the epoch, and who is only tested on: never the same actor."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from realtime_mood.errors import SourceError, UsageError
from trainer.corpora.recording import Recording, list_actors
from trainer.words import counted

HELD_OUT_SHARE = 1 / 6
"""Of the actors, for validation and again for the test: 4 and 4 of RAVDESS's 24."""
PICTURE_SHARE = 0.1
"""Of pictures of nobody knows whom, for validation, and for the test where none are kept apart."""


LEAST_PICTURES = 5
"""That can be split."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Three sets of recordings with no actor and no take in common.

    Raises:
        ValueError: an actor or a take is in two of them.
    """

    train: tuple[Recording, ...]
    """What the weights are fitted to."""
    validation: tuple[Recording, ...]
    """What the epoch and the temperature are chosen by."""
    test: tuple[Recording, ...]
    """What is looked at once, at the end."""
    crosses_actors: bool = False
    """Actors are on several sides on purpose; even then no take is."""

    def __post_init__(self) -> None:
        parts = (("train", self.train), ("validation", self.validation), ("test", self.test))
        owner: dict[str, str] = {}
        for name, recordings in parts:
            keys = {f"take {r.take}" for r in recordings}
            if not self.crosses_actors:
                keys |= {f"actor {r.actor}" for r in recordings}
            for key in sorted(keys):
                if key in owner:
                    raise ValueError(f"{key} is in both the {owner[key]} and the {name} set")
                owner[key] = name

    @property
    def digest(self) -> str:
        """Changes with who or what is on which side."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        lines = sorted(f"{name} {_what(r)}" for name, part in parts.items() for r in part)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _what(recording: Recording) -> str:
    is_weighted = recording.is_picture and recording.weight != 1.0
    weight = f" @{recording.weight:g}" if is_weighted else ""
    return f"{recording.actor} {recording.take}{weight}"


def split_by_actor(
    recordings: Sequence[Recording],
    *,
    validation_actors: Sequence[int] = (),
    test_actors: Sequence[int] = (),
) -> Split:
    """Split recordings so that no actor is on two sides.

    Args:
        recordings: of one corpus.
        validation_actors: their numbers; none: the last sixth of the actors before the test actors.
        test_actors: the same; none: the last sixth of the actors, at least one.

    Raises:
        SourceError: there are fewer than three actors.
        UsageError: an actor named is not there or is named twice, or nobody is left to train on.
    """
    actors = sorted({recording.actor for recording in recordings})
    if len(actors) < 3:
        raise SourceError(
            f"the data has {counted(len(actors), 'actor')} "
            f"({list_actors(actors)}); at least 3 are needed: to train on, to choose the epoch by, "
            "and to test on"
        )
    validation = find_actors(validation_actors, actors, option="--validation-actors")
    test = find_actors(test_actors, actors, option="--test-actors")
    if both := sorted(validation & test):
        raise UsageError(
            f"actor {list_actors(both)} is named by --validation-actors and by --test-actors; "
            "keep the two apart"
        )
    count = max(1, round(HELD_OUT_SHARE * len(actors)))
    rest = [actor for actor in actors if actor not in validation]
    test = test or set(rest[-count:])
    rest = [actor for actor in rest if actor not in test]
    validation = validation or set(rest[-count:])
    if not set(actors) - validation - test:
        raise UsageError(
            f"--validation-actors and --test-actors take all actors ({list_actors(actors)}); "
            "leave some to train on"
        )
    return split_by_names(recordings, validation=validation, test=test)


def split_by_names(
    recordings: Sequence[Recording], *, validation: set[str], test: set[str]
) -> Split:
    """Split by the actors' ids; whoever is in neither set is trained on."""
    return Split(
        train=tuple(r for r in recordings if r.actor not in validation | test),
        validation=tuple(r for r in recordings if r.actor in validation),
        test=tuple(r for r in recordings if r.actor in test),
    )


def split_pictures(recordings: Sequence[Recording]) -> Split:
    """Split pictures of which nobody knows whom they show.

    The pictures that the corpus keeps apart are the test set; a tenth of the others is for
    validation, chosen by what is in the pictures, so that it is the same in every run. Where
    nothing is kept apart, another tenth is the test set. Near copies are on one side, unless there
    is hardly anything else.

    Raises:
        SourceError: there are too few.
    """
    apart = tuple(r for r in recordings if r.is_held_out)
    rest = [r for r in recordings if not r.is_held_out]
    if len(rest) < LEAST_PICTURES:
        raise SourceError(
            f"{len(rest)} pictures are too few to split; at least {LEAST_PICTURES} are needed"
        )
    share = max(1, round(PICTURE_SHARE * len(rest)))
    validation, rest = _dealt(rest, share)
    test, rest = (apart, rest) if apart else _dealt(rest, share)
    return Split(train=tuple(rest), validation=tuple(validation), test=tuple(test))


def note_of_near_copies(split: Split) -> tuple[str, ...]:
    """What a reader has to know where near copies of what was learned are measured."""
    seen: set[str] = set()
    count = 0
    for before, part in ((split.train, split.validation), (split.validation, split.test)):
        seen |= {r.photograph for r in before if r.photograph}
        count += sum(r.photograph in seen for r in part)
    if not count:
        return ()
    return (
        f"{count} of the pictures that choose or are measured are near copies of some that were "
        "learned or chose: figures of pictures are too good",
    )


def _dealt(pictures: Sequence[Recording], count: int) -> tuple[list[Recording], list[Recording]]:
    """So many pictures without near copies among the others, and those others.

    A photograph that is there more often than that stays with the others. Where that leaves less
    than half, one more is chosen, up to a quarter of all; else near copies are parted.
    """
    pictures = sorted(pictures, key=lambda r: r.take)
    photographs: dict[str, list[Recording]] = {}
    for picture in sorted(pictures, key=lambda r: r.photograph or r.take):
        photographs.setdefault(picture.photograph or picture.take, []).append(picture)
    chosen: list[Recording] = []
    too_many: list[list[Recording]] = []
    for copies in photographs.values():
        if len(chosen) + len(copies) <= count:
            chosen += copies
        else:
            too_many.append(copies)
    if 2 * len(chosen) < count:
        smallest = min(too_many, key=len)
        if len(chosen) + len(smallest) <= len(pictures) // 4:
            chosen += smallest
        else:
            chosen = pictures[:count]
    taken = {r.take for r in chosen}
    return chosen, [r for r in pictures if r.take not in taken]


def find_actors(numbers: Sequence[int], actors: Sequence[str], *, option: str) -> set[str]:
    """The ids of actors named by their numbers in their corpus.

    Raises:
        UsageError: one of them is not there.
    """
    people = [actor for actor in actors if not actor.startswith("images:")]
    by_number = {int(actor.rpartition(":")[2]): actor for actor in people}
    if absent := [str(number) for number in numbers if number not in by_number]:
        raise UsageError(
            f"{option} names {', '.join(absent)}, but the data has actors {list_actors(actors)}"
        )
    return {by_number[number] for number in numbers}
