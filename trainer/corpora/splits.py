"""Who is trained on, who chooses the epoch, and who is only tested on: never the same actor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime_mood.errors import SourceError, UsageError
from trainer.corpora.recording import Index, Recording

HELD_OUT_SHARE = 1 / 6
"""Of the actors, for validation and again for the test: 4 and 4 of RAVDESS's 24."""


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

    def __post_init__(self) -> None:
        parts = (("train", self.train), ("validation", self.validation), ("test", self.test))
        owner: dict[str, str] = {}
        for name, recordings in parts:
            keys = {f"actor {r.actor}" for r in recordings} | {f"take {r.take}" for r in recordings}
            for key in sorted(keys):
                if key in owner:
                    raise ValueError(f"{key} is in both the {owner[key]} and the {name} set")
                owner[key] = name


def split_by_actor(
    index: Index, *, validation_actors: Sequence[int], test_actors: Sequence[int]
) -> Split:
    """Split recordings so that no actor is on two sides.

    Args:
        index: what was found.
        validation_actors: empty: the last sixth of the actors before the test actors.
        test_actors: empty: the last sixth of the actors, at least one.

    Raises:
        SourceError: there are fewer than three actors.
        UsageError: an actor named is not there or is named twice, or nobody is left to train on.
    """
    actors = index.actors
    if len(actors) < 3:
        raise SourceError(
            f"the data has {len(actors)} actor{'s' * (len(actors) != 1)} "
            f"({_listed(actors)}); at least 3 are needed: to train on, to choose the epoch by, "
            "and to test on"
        )
    for option, named in (
        ("--validation-actors", validation_actors),
        ("--test-actors", test_actors),
    ):
        if absent := sorted(set(named) - set(actors)):
            raise UsageError(
                f"{option} names {_listed(absent)}, but the data has actors {_listed(actors)}"
            )
    if both := sorted(set(validation_actors) & set(test_actors)):
        raise UsageError(
            f"actor {_listed(both)} is named by --validation-actors and by --test-actors; "
            "keep the two apart"
        )
    count = max(1, round(HELD_OUT_SHARE * len(actors)))
    rest = [actor for actor in actors if actor not in validation_actors]
    test = set(test_actors) or set(rest[-count:])
    rest = [actor for actor in rest if actor not in test]
    validation = set(validation_actors) or set(rest[-count:])
    if not set(actors) - validation - test:
        raise UsageError(
            f"--validation-actors and --test-actors take all actors ({_listed(actors)}); "
            "leave some to train on"
        )
    recordings = index.recordings
    return Split(
        train=tuple(r for r in recordings if r.actor not in validation | test),
        validation=tuple(r for r in recordings if r.actor in validation),
        test=tuple(r for r in recordings if r.actor in test),
    )


def _listed(actors: Sequence[int]) -> str:
    return ", ".join(str(actor) for actor in actors)
