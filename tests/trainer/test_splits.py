"""No actor and no twin is on two sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from realtime_mood.errors import SourceError, UsageError
from trainer.corpora.recording import Recording
from trainer.corpora.splits import Split, split_by_actor
from trainer.people import People, note_of_choosers, refuse_known


def recording(actor: int, take: str = "01-03-01-01-01") -> Recording:
    return Recording(
        path=Path(f"{take}-{actor:02d}.mp4"),
        name=f"02-{take}-{actor:02d}",
        take=f"{take}-{actor:02d}",
        actor=f"ravdess:{actor:02d}",
        label=4,
    )


def recordings_of(actors: int) -> tuple[Recording, ...]:
    return tuple(recording(actor) for actor in range(1, actors + 1))


def actors_of(recordings: tuple[Recording, ...]) -> list[int]:
    return [int(r.actor.removeprefix("ravdess:")) for r in recordings]


@pytest.mark.parametrize(
    ("actors", "validation", "test"),
    [(3, [2], [3]), (20, [15, 16, 17], [18, 19, 20]), (24, [17, 18, 19, 20], [21, 22, 23, 24])],
)
def test_defaults_hold_out_a_sixth_twice(
    actors: int, validation: list[int], test: list[int]
) -> None:
    split = split_by_actor(recordings_of(actors), validation_actors=(), test_actors=())
    assert actors_of(split.validation) == validation
    assert actors_of(split.test) == test
    assert len(split.train) == actors - len(validation) - len(test)


def test_named_actors_are_taken() -> None:
    split = split_by_actor(recordings_of(6), validation_actors=(1, 5), test_actors=(2,))
    assert actors_of(split.train) == [3, 4, 6]
    assert actors_of(split.validation) == [1, 5]
    assert actors_of(split.test) == [2]


@pytest.mark.parametrize("named", [(18, 19, 20), (1,), (9, 17)])
def test_one_list_named_leaves_the_other_apart(named: tuple[int, ...]) -> None:
    for option in ("validation_actors", "test_actors"):
        chosen = {"validation_actors": (), "test_actors": (), option: named}
        split = split_by_actor(recordings_of(20), **chosen)
        everybody = actors_of(split.train + split.validation + split.test)
        assert sorted(everybody) == list(range(1, 21))


@pytest.mark.parametrize(("actors", "words"), [(1, "1 actor "), (2, "2 actors ")])
def test_too_few_actors(actors: int, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        split_by_actor(recordings_of(actors), validation_actors=(), test_actors=())


@pytest.mark.parametrize(
    ("validation", "test", "words"),
    [
        ((9,), (), "--validation-actors names 9"),
        ((), (7, 8), "--test-actors names 7, 8"),
        ((1, 2), (2,), "actor ravdess 02 is named by"),
        ((1, 2), (3, 4), "take all actors"),
    ],
)
def test_lists_that_make_no_sense(
    validation: tuple[int, ...], test: tuple[int, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        split_by_actor(recordings_of(4), validation_actors=validation, test_actors=test)


def test_people_who_chose_a_base_models_epoch_are_told_where_they_are_tested_on() -> None:
    split = split_by_actor(recordings_of(6), validation_actors=(4,), test_actors=(5, 6))
    known = People(trained_on=("ravdess:01",), chosen_by=("ravdess:04", "ravdess:05"))
    (note,) = note_of_choosers(split, "base", known)
    assert "--base-model base" in note
    assert "05" in note
    assert "04" not in note
    assert note_of_choosers(split, "base", People(trained_on=("ravdess:01",))) == ()


def test_a_split_refuses_an_actor_on_two_sides() -> None:
    other_take = recording(1, "01-03-01-01-02")
    with pytest.raises(ValueError, match="actor ravdess:01 is in both the train and the test set"):
        Split(train=(recording(1),), validation=(recording(2),), test=(other_take,))


@pytest.mark.parametrize("crosses_actors", [False, True])
@pytest.mark.parametrize(
    "sides", [("train", "validation"), ("train", "test"), ("validation", "test")]
)
def test_a_split_refuses_a_take_on_two_sides(sides: tuple[str, str], crosses_actors: bool) -> None:
    parts = {name: (recording(n),) for n, name in enumerate(("train", "validation", "test"), 1)}
    one, other = sides
    # Footage that two corpora share is of two actors by name.
    [copied] = parts[one]
    parts[other] += (replace(recording(9), take=copied.take),)
    with pytest.raises(
        ValueError, match=f"take {copied.take} is in both the {one} and the {other}"
    ):
        Split(**parts, crosses_actors=crosses_actors)


def test_a_split_may_have_actors_on_several_sides_on_purpose() -> None:
    takes = [(recording(1, f"01-03-01-01-0{number}"),) for number in range(3)]
    parts = dict(zip(("train", "validation", "test"), takes, strict=True))
    assert Split(**parts, crosses_actors=True).crosses_actors
    with pytest.raises(ValueError, match="actor ravdess:01"):
        Split(**parts)


@pytest.mark.parametrize("known", [3, 4, 5, 6])
def test_a_model_is_measured_on_nobody_whom_its_base_was_trained_on(known: int) -> None:
    split = split_by_actor(recordings_of(6), validation_actors=(3, 4), test_actors=(5, 6))
    people = People(trained_on=("ravdess:01", f"ravdess:{known:02d}"))
    with pytest.raises(UsageError, match=f"base was trained on ravdess {known:02d}, who are"):
        refuse_known(split, "base", people)
    refuse_known(split, "base", People(trained_on=("ravdess:01",), chosen_by=("ravdess:03",)))
    refuse_known(replace(split, crosses_actors=True), "base", people)
