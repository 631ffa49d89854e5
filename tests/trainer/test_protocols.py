"""Folds by name: complete blocks are run, validation is of the training side, leaks are said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from realtime_mood.errors import SourceError, UsageError
from trainer.corpora.protocols import Folds, make_folds
from trainer.corpora.recording import Index, Recording


def recording(
    actor: str, take: int, *, is_held_out: bool = False, weight: float = 1.0
) -> Recording:
    name = f"{actor}-{take}"
    return Recording(
        path=Path(name),
        name=name,
        take=name,
        actor=actor,
        label=take % 8,
        is_held_out=is_held_out,
        weight=weight,
    )


def ravdess(actors: int) -> list[Recording]:
    return [recording(f"ravdess:{a:02d}", take) for a in range(1, actors + 1) for take in range(16)]


def pictures(count: int, *, held_out: int = 0) -> list[Recording]:
    apart = [recording(f"images:t{n}", n, is_held_out=True) for n in range(held_out)]
    return apart + [recording(f"images:p{n}", n) for n in range(count)]


def folds_of(recordings: list[Recording], protocol: str, **options: object) -> Folds:
    return make_folds(Index(recordings=tuple(recordings)), protocol=protocol, **options)  # type: ignore[arg-type]


def actors_of(recordings: tuple[Recording, ...]) -> list[int]:
    return sorted({int(r.actor.rpartition(":")[2]) for r in recordings})


def test_six_folds_test_every_actor_once() -> None:
    folds = folds_of(ravdess(24), "6fold").folds
    assert [fold.number for fold in folds] == [1, 2, 3, 4, 5, 6]
    tested = [actors_of(fold.split.test) for fold in folds]
    assert tested == [list(range(a, a + 4)) for a in (1, 5, 9, 13, 17, 21)]
    assert [actors_of(fold.split.validation) for fold in folds] == tested[1:] + tested[:1]
    assert all(len(actors_of(fold.split.train)) == 16 for fold in folds)


def test_incomplete_blocks_are_said_and_trained_on() -> None:
    folds = folds_of(ravdess(22), "6fold")
    assert [fold.number for fold in folds.folds] == [1, 2, 3, 4, 5]
    assert folds.notes == (
        "fold 6 of 6fold is not run: of its actors 21, 22, 23, 24 the data lacks ravdess 23, 24",
    )
    assert actors_of(folds.numbered(5).split.validation) == [1, 2, 3, 4]
    assert {21, 22} < set(actors_of(folds.numbered(5).split.train))
    with pytest.raises(UsageError, match="--fold is 6; --protocol 6fold has 1, 2, 3, 4, 5 here"):
        folds.numbered(6)


def test_five_folds_are_the_published_ones() -> None:
    folds = folds_of(ravdess(24), "5fold").folds
    assert actors_of(folds[0].split.test) == [2, 5, 14, 15, 16]
    assert sorted(a for fold in folds for a in actors_of(fold.split.test)) == list(range(1, 25))
    assert [fold.number for fold in folds_of(ravdess(20), "5fold").folds] == [1, 2, 3]


def test_random_crosses_actors_says_so_and_never_crosses_takes() -> None:
    folds = folds_of(ravdess(6), "random", seed=3)
    assert "LEAKS" in folds.notes[0]
    tested = [r.take for fold in folds.folds for r in fold.split.test]
    assert sorted(tested) == sorted(r.take for r in ravdess(6))
    for fold in folds.folds:
        sides = (fold.split.train, fold.split.validation, fold.split.test)
        takes = [r.take for side in sides for r in side]
        assert sorted(takes) == sorted(r.take for r in ravdess(6))
        assert fold.split.crosses_actors
        assert set(actors_of(fold.split.test)) & set(actors_of(fold.split.train))
        assert {r.label for r in fold.split.test} == set(range(8))
    assert folds_of(ravdess(6), "random", seed=3) == folds
    assert folds_of(ravdess(6), "random", seed=4) != folds


def test_other_corpora_are_trained_on_alone() -> None:
    more = [recording(f"cremad:{1001 + a}", take) for a in range(9) for take in range(4)]
    everything = ravdess(6) + more + pictures(50, held_out=10)
    folds = folds_of(everything, "actor-split")
    split = folds.folds[0].split
    assert {r.corpus for r in split.validation + split.test} == {"ravdess"}
    assert len(split.train) == 4 * 16 + len(more) + 45
    assert folds.notes == ()


def test_added_pictures_are_held_out_to_be_measured_too() -> None:
    folds = folds_of(ravdess(6) + pictures(50, held_out=10), "actor-split")
    apart = folds.pictures
    assert apart is not None
    assert all(r.is_held_out for r in apart.test)
    assert (len(apart.validation), len(apart.test)) == (5, 10)
    trained = {r.take for r in folds.folds[0].split.train}
    assert not trained & {r.take for r in apart.validation + apart.test}
    assert folds_of(ravdess(6), "actor-split").pictures is None


@pytest.mark.parametrize(("count", "held_out"), [(0, 10), (1, 0), (4, 3)])
def test_few_added_pictures_are_trained_on_alone(count: int, held_out: int) -> None:
    folds = folds_of(ravdess(6) + pictures(count, held_out=held_out), "actor-split")
    assert folds.pictures is None
    trained = [r for r in folds.folds[0].split.train if r.corpus == "images"]
    assert len(trained) == count
    assert not any(r.is_held_out for r in trained)
    assert folds.notes == (f"{count} added pictures are too few to measure any of them",)


def test_five_pictures_can_be_split() -> None:
    split = folds_of(pictures(5), "actor-split").folds[0].split
    assert (len(split.train), len(split.validation), len(split.test)) == (3, 1, 1)


def test_what_is_added_to_pictures_is_no_picture() -> None:
    assert folds_of(pictures(50), "actor-split").pictures is None


def test_pictures_alone() -> None:
    split = folds_of(pictures(200, held_out=10), "actor-split").folds[0].split
    assert all(r.is_held_out for r in split.test)
    assert (len(split.train), len(split.validation), len(split.test)) == (180, 20, 10)
    split = folds_of(pictures(200), "actor-split").folds[0].split
    assert (len(split.train), len(split.validation), len(split.test)) == (160, 20, 20)


@pytest.mark.parametrize(
    ("recordings", "protocol", "options", "error", "words"),
    [
        (ravdess(24), "6fold", {"test_actors": (1,)}, UsageError, "says itself who is tested"),
        (ravdess(7), "6fold", {}, SourceError, "needs two complete blocks"),
        (ravdess(8), "6fold", {}, SourceError, "and more to train on"),
        (pictures(50), "6fold", {}, UsageError, "the first --data is images"),
        (pictures(50), "actor-split", {"test_actors": (1,)}, UsageError, "no actors to name"),
        (pictures(4), "actor-split", {}, SourceError, "4 pictures are too few"),
        (pictures(50), "random", {}, UsageError, "pictures that their corpus keeps apart"),
        (ravdess(1)[:3], "random", {}, SourceError, "too few for --protocol random"),
    ],
)
def test_what_makes_no_sense(
    recordings: list[Recording],
    protocol: str,
    options: dict[str, object],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        folds_of(recordings, protocol, **options)


def test_it_is_said_where_what_is_tested_on_differs_in_possible_labels() -> None:
    spoken = ravdess(6)
    sung = [
        replace(r, take=f"{r.take}-sung", label=r.label % 2, known_labels=(0, 1, 3, 4, 5, 6))
        for r in spoken
    ]
    said = (
        "16 of 32 measured recordings have only 6 possible labels, not 8 (without disgust, "
        "surprised), and are measured together with the others"
    )
    assert folds_of(spoken + sung, "actor-split").notes == (said,)
    assert folds_of(sung, "actor-split").notes == ()
    of_all = said.replace("16 of 32", "96 of 192") + ", counted over all folds"
    assert folds_of(spoken + sung, "random").notes[1:] == (of_all,)
