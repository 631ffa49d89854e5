"""Pictures of the same photograph lie on one side of a split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_mood.errors import SourceError
from tests.shared import shared_file
from trainer.corpora.near_copies import grouped, near_pairs, without_near_copies
from trainer.corpora.recording import Index, Recording
from trainer.corpora.sources import DataSource, read_sources
from trainer.corpora.splits import split_pictures

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
    assert set(near_pairs(images)) == {(7, 40)}


def test_what_shows_nothing_is_no_copy() -> None:
    flat = np.full((48, 48), 90, np.uint8)
    assert not list(near_pairs([flat, flat.copy(), face(1)]))
    assert not list(near_pairs([]))


def test_copies_of_copies_are_one_group() -> None:
    # A cut of a cut is far from the first, but near to what is between them.
    steps = [face(5)[k : 48 - k, k : 48 - k] for k in (0, 1, 2, 3)]
    recordings = [picture(f"{n}", image) for n, image in enumerate([*steps, face(6)])]
    assert (0, 3) not in set(near_pairs(steps))
    actors = [r.actor for r in grouped(recordings)]
    assert actors == ["images:0"] * 4 + ["images:4"]


def test_what_is_learned_from_has_no_copy_of_what_is_kept_apart() -> None:
    apart = picture("apart", face(1), is_held_out=True)
    copy, other = picture("copy", face(1)[1:, 1:]), picture("other", face(2))
    recording = replace(other, actor="ravdess:01", name="take", take="take", image=None)
    index = without_near_copies(Index(recordings=(apart, copy, other, recording)))
    assert [r.name for r in index.recordings] == ["apart", "other", "take"]
    assert [r.name for r in index.near_copies] == ["copy"]


def test_no_split_parts_copies() -> None:
    pairs = [picture(f"{n}{way}", image) for n in range(20) for way, image in both(n).items()]
    split = split_pictures(grouped(pairs))
    parts = [{r.name[:-1] for r in part} for part in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == 20
    assert [2 * len(part) for part in parts] == [32, 4, 4]


def both(number: int) -> dict[str, np.ndarray]:
    return {"a": face(number), "b": face(number)[:, ::-1]}


def test_one_photograph_alone_cannot_be_split() -> None:
    same = grouped([picture(f"{n}", np.roll(face(1), n % 2, axis=0)) for n in range(8)])
    with pytest.raises(SourceError, match="of 8 pictures too few differ to split them"):
        split_pictures(same)


def test_fer2013() -> None:
    file = shared_file("data/fer2013_train_val.npz")
    index = read_sources([DataSource("images", file)])
    assert len(index.near_copies) == pytest.approx(497, abs=5)
    held_out = [r for r in index.recordings if r.is_held_out]
    assert len(held_out) == 3563
    split = split_pictures(index.recordings)
    assert len(split.validation) == pytest.approx(len(split.train) / 9, rel=0.01)
