"""Pictures of the same photograph lie on one side of a split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.shared import shared_file
from trainer.corpora.near_copies import near_pairs, without_near_copies
from trainer.corpora.recording import Index, Recording
from trainer.corpora.sources import DataSource, read_sources
from trainer.corpora.splits import Split, note_of_near_copies, split_pictures

RNG = np.random.default_rng(3)


def face(number: int) -> np.ndarray:
    """Something smooth, as faces are, and different for each number."""
    coarse = np.random.default_rng(number).integers(0, 255, (6, 6)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_CUBIC), np.uint8)


def picture(name: str, image: np.ndarray, *, is_held_out: bool = False) -> Recording:
    return Recording(
        path=Path("faces.npz"),
        name=name,
        take=f"images:{name}",
        actor=f"images:{name}",
        label=0,
        is_held_out=is_held_out,
        image=image,
    )


def found(images: list[np.ndarray]) -> set[tuple[int, ...]]:
    return {tuple(pair) for some in near_pairs(images) for pair in some.tolist()}


def people(count: int) -> list[np.ndarray]:
    """Before the same white wall, cut alike: what they have in common is most of the picture."""
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    head = (x / 0.6) ** 2 + (y / 0.8) ** 2 < 1
    return [
        np.where(head, 60 + 0.25 * face(n).astype(float), 250).astype(np.uint8)
        for n in range(count)
    ]


def copies_of(image: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "smaller": cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA),
        "cut": image[1:-1, 1:-1],
        "mirrored": image[:, ::-1],
        "in colours": np.repeat(image[..., None], 3, axis=2),
        "darker": (image * 0.6).astype(np.uint8),
        "noisy": np.clip(image + RNG.normal(0, 8, image.shape), 0, 255).astype(np.uint8),
    }


@pytest.mark.parametrize("way", list(copies_of(face(0))))
def test_a_photograph_is_known_again(way: str) -> None:
    images = [*map(face, range(40)), copies_of(face(7))[way]]
    assert found(images) == {(7, 40)}


def test_people_before_one_wall_are_told_apart() -> None:
    images = people(60)
    low = np.corrcoef([image.ravel() for image in images])
    assert np.median(low) > 0.92
    assert found([*images, (images[7] * 0.8).astype(np.uint8)]) == {(7, 60)}


def test_what_shows_nothing_is_no_copy() -> None:
    flat = np.full((48, 48), 90, np.uint8)
    assert not found([flat, flat.copy(), face(1), face(2)])
    assert not found([])
    assert not found([face(1)])


def indexed(*recordings: Recording) -> Index:
    """With forty others, so that there is something in common to be taken away."""
    others = [picture(f"other {n}", face(100 + n)) for n in range(40)]
    return without_near_copies(Index(recordings=(*recordings, *others)))


@pytest.mark.parametrize("order", [1, -1])
def test_copies_of_copies_are_one_photograph(order: int) -> None:
    # A cut of a cut is far from the first, but near to what is between them.
    steps = [face(5)[k : 48 - k, k : 48 - k] for k in (0, 1, 2, 3)]
    assert (0, 3) not in found([*steps, *map(face, range(100, 140))])
    recordings = [picture(f"{n}", image) for n, image in enumerate(steps)][::order]
    index = indexed(*recordings)
    names = {
        r.name: r.photograph or r.take for r in index.recordings if not r.name.startswith("other")
    }
    # Whichever is read first.
    assert names == dict.fromkeys("0123", "images:0")


def test_what_is_learned_from_has_no_copy_of_what_is_kept_apart() -> None:
    apart = picture("apart", face(1), is_held_out=True)
    copy, of_copy = picture("copy", face(1)[1:-1, 1:-1]), picture("of copy", face(1)[3:-3, 3:-3])
    recording = replace(of_copy, actor="ravdess:01", name="take", take="take", image=None)
    index = indexed(apart, copy, of_copy, recording)
    # A copy of the copy alone is none of what is kept apart.
    assert [r.name for r in index.recordings[:3]] == ["apart", "of copy", "take"]
    assert [r.name for r in index.near_copies] == ["copy"]
    assert not any(r.photograph for r in index.recordings)


def test_where_nearly_all_are_copies_nothing_is_left_out_but_it_is_told() -> None:
    apart = [picture(f"apart {n}", face(n), is_held_out=True) for n in range(60)]
    copies = [picture(f"copy {n}", (face(n) * 0.8).astype(np.uint8)) for n in range(60)]
    index = indexed(*apart, *copies)
    assert not index.near_copies
    [note] = note_of_near_copies(split_pictures(index.recordings))
    assert "are near copies of some that were learned or chose: figures of pictures are" in note


def test_no_split_parts_copies() -> None:
    pairs = [picture(f"{n}{way}", image) for n in range(40) for way, image in both(n).items()]
    split = split_pictures(without_near_copies(Index(recordings=tuple(pairs))).recordings)
    assert note_of_near_copies(split) == ()
    parts = [{r.name[:-1] for r in part} for part in parts_of(split)]
    assert sum(map(len, parts)) == 40
    assert [2 * len(part) for part in parts] == [64, 8, 8]


def both(number: int) -> dict[str, np.ndarray]:
    return {"a": face(number), "b": face(number)[:, ::-1]}


def parts_of(split: Split) -> list[tuple[Recording, ...]]:
    return [split.train, split.validation, split.test]


def test_a_photograph_that_is_most_of_a_corpus_is_learned_from() -> None:
    many = [replace(picture(f"{n:03}", face(n)), photograph="images:x") for n in range(50)]
    split = split_pictures([*many, *(picture(f"other {n}", face(n)) for n in range(50))])
    assert [len(part) for part in parts_of(split)] == [80, 10, 10]
    assert note_of_near_copies(split) == ()
    # Where all are there often, one of them chooses.
    bursts = [replace(p, photograph=f"images:{n % 8}") for n, p in enumerate(many)]
    split = split_pictures(bursts)
    assert [len(part) for part in parts_of(split)] == [38, 6, 6]
    assert note_of_near_copies(split) == ()
    # Where there is nothing else, near copies are parted, which is told.
    split = split_pictures(many)
    assert [len(part) for part in parts_of(split)] == [40, 5, 5]
    assert "10 of the pictures" in note_of_near_copies(split)[0]


def test_fer2013() -> None:
    file = shared_file("data/fer2013_train_val.npz")
    index = read_sources([DataSource("images", file)])
    assert len(index.near_copies) == pytest.approx(413, abs=10)
    held_out = [r for r in index.recordings if r.is_held_out]
    assert len(held_out) == 3563
    split = split_pictures(index.recordings)
    assert len(split.validation) == pytest.approx(len(split.train) / 9, rel=0.001)
    assert note_of_near_copies(split) == ()
