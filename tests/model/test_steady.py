"""Crops of a clip are moved until the head lies where it does in the last one."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from realtime_mood.model.preprocess import normalise, preprocess
from realtime_mood.model.steady import steady
from tests.fakes import SPEC
from trainer.augment.turn import turn

Clip = npt.NDArray[np.uint8]
GOLDEN = [[129, 119, 145, 122], [176, 119, 137, 160], [126, 150, 122, 151], [134, 107, 173, 157]]


def face(side: int, *, seed: int = 0) -> Clip:
    """Something with edges everywhere, smooth as a face is."""
    noise = np.random.default_rng(seed).uniform(0.0, 255.0, (side, side, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), side / 16)
    low, high = soft.min(), soft.max()
    return np.asarray((30.0 + 180.0 * (soft - low) / (high - low)).astype(np.uint8))


def moved(
    image: Clip, *, right: float, down: float, turn_deg: float = 0.0, zoom: float = 1.0
) -> Clip:
    side = len(image)
    middle = (side - 1) / 2
    matrix = np.array(cv2.getRotationMatrix2D((middle, middle), turn_deg, zoom))
    matrix[:, 2] += (right, down)
    return np.asarray(
        cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REFLECT), dtype=np.uint8
    )


def apart(first: Clip, second: Clip) -> float:
    """Mean difference where eyes and nose are."""
    side = len(first)
    middle = slice(side // 5, side * 4 // 5)
    return float(np.abs(first[middle, middle].astype(int) - second[middle, middle]).mean())


@pytest.mark.parametrize("side", [48, 64, 112, 224])
def test_frames_are_laid_on_the_last_one(side: int) -> None:
    last = face(side)
    trembling = [
        moved(last, right=r * side, down=d * side, turn_deg=t, zoom=z)
        for r, d, t, z in ((0.05, -0.04, 5.0, 1.04), (0.03, -0.03, 3.0, 1.02), (0.01, 0.0, 1, 0.99))
    ]
    clip = np.stack([*trembling, last])
    before = clip.copy()
    steadied = steady(clip)
    np.testing.assert_array_equal(clip, before)
    np.testing.assert_array_equal(steadied[-1], last)
    for given, answered in zip(clip[:-1], steadied[:-1], strict=True):
        assert apart(answered, last) < 0.25 * apart(given, last)


def test_light_that_changes_is_no_motion() -> None:
    last = face(64)
    darker = (0.7 * last + 10.0).astype(np.uint8)
    steadied = steady(np.stack([moved(darker, right=3.0, down=-2.0), last]))
    assert apart(steadied[0], darker) < 0.2 * apart(moved(darker, right=3.0, down=-2.0), darker)


def test_a_mouth_that_opens_stays_open() -> None:
    last = face(64)
    opened = last.copy()
    opened[46:60, 20:44] = face(64, seed=1)[46:60, 20:44]
    steadied = steady(np.stack([moved(opened, right=2.0, down=1.0), last]))
    assert apart(steadied[0][:40], last[:40]) < 3.0
    mouth = (slice(48, 58), slice(22, 42))
    kept = np.abs(steadied[0][mouth].astype(int) - opened[mouth]).mean()
    assert kept < 0.3 * np.abs(last[mouth].astype(int) - opened[mouth]).mean()


def test_what_cannot_be_laid_on_the_last_frame_is_taken_to_have_been_still() -> None:
    last = face(64)
    brighter = np.asarray(last * 1.1, dtype=np.uint8)
    unlike = [face(64, seed=2), np.full_like(last, 128), moved(last, right=30.0, down=0.0)]
    steadied = steady(np.stack([brighter, *unlike, last]))
    np.testing.assert_array_equal(steadied[1:], np.stack([last] * 4))
    np.testing.assert_allclose(steadied[0].astype(int), brighter, atol=25)
    assert np.abs(steadied[0].astype(int) - brighter).mean() < 2.0
    another = steady(np.stack([last, last, unlike[0]]))
    np.testing.assert_array_equal(another, np.stack([unlike[0]] * 3))


def test_a_head_that_turned_says_nothing_of_how_the_face_moved() -> None:
    last = face(64)

    def seen(yaw_deg: float) -> float:
        """How much of the turn is left, in parts of what it was."""
        turned = turn(last, (31.5, 28.0), (21.0, 34.0), np.radians(yaw_deg), 0.0)
        return apart(steady(np.stack([turned, last]))[0], last) / apart(turned, last)

    assert 0.0 < seen(4.0) < 1.0
    assert seen(30.0) == 0.0


def test_a_face_that_goes_far_is_followed_from_frame_to_frame() -> None:
    last = face(64)
    clip = np.stack([moved(last, right=1.5 * step, down=0.0) for step in range(6, -1, -1)])
    steadied = steady(clip)
    assert apart(steadied[0], last) < 0.25 * apart(clip[0], last)


def test_only_a_checkpoint_that_asks_for_it_gets_it() -> None:
    size = SPEC.image_size
    last = face(size)
    clip = np.stack([moved(last, right=1.0, down=1.0)] * (SPEC.num_frames - 1) + [last])
    still = replace(SPEC, steady=True)
    np.testing.assert_array_equal(preprocess(clip, SPEC), normalise(clip, SPEC))
    np.testing.assert_array_equal(preprocess(clip, still), normalise(steady(clip), still))
    assert not np.array_equal(steady(clip), clip)


@pytest.mark.parametrize("side", [16, 64])
@pytest.mark.parametrize("level", [0, 255])
def test_nothing_to_see_is_nothing_to_move(side: int, level: int) -> None:
    flat = np.full((side, side, 3), level, dtype=np.uint8)
    noise = np.random.default_rng(0).integers(0, 6, (side, side, 3), dtype=np.uint8)
    for clip in (np.stack([flat] * 3), flat[None]):
        np.testing.assert_array_equal(steady(clip), clip)
    for before, last in ((noise, flat), (flat, noise)):
        np.testing.assert_array_equal(steady(np.stack([before, last])), np.stack([last] * 2))


def test_a_hand_before_the_face_for_a_frame_lets_the_others_lie_as_they_should() -> None:
    last = face(64)
    clip = np.stack([moved(last, right=1.0 * step, down=0.0) for step in range(6, -1, -1)])
    clip[3] = 128
    steadied = steady(clip)
    np.testing.assert_array_equal(steadied[3], steadied[4])
    for index in (0, 1, 2, 4, 5):
        assert apart(steadied[index], last) < 0.3 * apart(clip[index], last)


def test_what_a_checkpoint_was_trained_with_stays_what_it_is() -> None:
    """A change of how crops are held changes what every steady checkpoint sees."""
    last = face(64, seed=4)
    clip = np.stack([moved(last, right=2.5, down=-1.5, turn_deg=2.0, zoom=1.02), last])
    found = steady(clip)[0][::16, ::16, 0].tolist()
    assert np.abs(np.array(found) - GOLDEN).max() <= 1
