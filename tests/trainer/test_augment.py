"""Random changes: the same for all frames, uint8 to uint8, and none where none is wanted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from trainer.augment import (
    PAD,
    Changes,
    cover_clip,
    draw_changes,
    draw_move,
    erase_clip,
    hide_face,
    recolour_clip,
    turn_head,
)
from trainer.augment.policy import GEOMETRIC, PHOTOMETRIC
from trainer.augment.turn import turn
from trainer.config import RecipeConfig

SIZE = 32
SIDE = round(SIZE * (1 + PAD))
NOTHING = RecipeConfig(
    flip=False, crop_jitter=0.0, tone=0.0, webcam=0.0, randaugment_ops=0, erase=0.0
)


def move_clip(
    crops: np.ndarray, rng: np.random.Generator, recipe: RecipeConfig, changes: Changes
) -> np.ndarray:
    return draw_move(crops.shape[1], SIZE, rng, recipe, changes).of_clip(crops)


def picture(side: int = SIDE) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(12))
def test_all_frames_of_a_clip_are_treated_alike(seed: int) -> None:
    recipe = RecipeConfig(randaugment_ops=6, randaugment_magnitude=9, webcam=0.5, erase=1.0)
    rng = np.random.default_rng(seed)
    changes = draw_changes(recipe, rng)
    clip = move_clip(np.stack([picture()] * 2), rng, recipe, changes)
    clip = erase_clip(recolour_clip(clip, rng, recipe, changes), rng, share=recipe.erase)
    assert clip.shape == (2, SIZE, SIZE, 3)
    assert clip.dtype == np.uint8
    # Noise of the sensor is the one thing that differs from frame to frame.
    assert np.abs(clip[0].astype(int) - clip[1]).mean() < 20


def test_with_everything_off_the_middle_of_the_crop_is_left_as_it_is() -> None:
    rng = np.random.default_rng(0)
    clip = move_clip(picture()[None], rng, NOTHING, {})
    edge = (SIDE - SIZE) // 2
    np.testing.assert_array_equal(clip[0], picture()[edge : edge + SIZE, edge : edge + SIZE])
    np.testing.assert_array_equal(recolour_clip(clip, rng, NOTHING, {}), clip)
    assert erase_clip(clip, rng, share=0.0) is clip


def test_half_of_the_clips_are_mirrored() -> None:
    recipe = replace(NOTHING, flip=True)
    plain = move_clip(picture()[None], np.random.default_rng(0), NOTHING, {})
    rng = np.random.default_rng(0)
    moved = [move_clip(picture()[None], rng, recipe, {}) for _ in range(100)]
    as_is = sum(np.array_equal(clip, plain) for clip in moved)
    mirrored = sum(np.abs(clip[:, :, ::-1].astype(int) - plain).max() <= 1 for clip in moved)
    assert as_is + mirrored == 100
    assert 30 < mirrored < 70


@pytest.mark.parametrize("name", [*GEOMETRIC, *PHOTOMETRIC])
@pytest.mark.parametrize("strength", [-1.0, 1.0])
def test_every_change_changes_something(name: str, strength: float) -> None:
    rng = np.random.default_rng(0)
    smooth = np.linspace(60, 190, SIDE)[:, None, None] + np.zeros((SIDE, SIDE, 3))
    smooth[SIDE // 3 : SIDE // 2, SIDE // 3 : SIDE // 2] = (60, 200, 120)
    padded = smooth.astype(np.uint8)[None]
    plain = move_clip(padded, rng, NOTHING, {})
    changes = {name: strength}
    clip = recolour_clip(move_clip(padded, rng, NOTHING, changes), rng, NOTHING, changes)
    assert np.abs(clip.astype(int) - plain).max() > 8


def test_as_many_changes_are_drawn_as_asked_for_and_as_strong() -> None:
    recipe = replace(NOTHING, randaugment_ops=3, randaugment_magnitude=7)
    rng = np.random.default_rng(0)
    drawn = [draw_changes(recipe, rng) for _ in range(200)]
    assert {len(changes) for changes in drawn} == {3}
    strengths = np.array([value for changes in drawn for value in changes.values()])
    assert np.abs(strengths).mean() == pytest.approx(0.7, abs=0.02)
    assert 0.3 < (strengths > 0).mean() < 0.7
    assert set().union(*drawn) == {*GEOMETRIC, *PHOTOMETRIC}


def test_a_webcam_greys_blurs_scales_and_packs() -> None:
    recipe = replace(NOTHING, webcam=1.0)
    clip = recolour_clip(picture(SIZE)[None], np.random.default_rng(0), recipe, {})
    spread = clip.astype(int).max(axis=3) - clip.min(axis=3)
    assert spread.mean() < 4
    assert clip.std() < picture(SIZE).std() / 2


def test_one_rectangle_is_erased_in_all_frames() -> None:
    clip = np.zeros((3, SIZE, SIZE, 3), dtype=np.uint8)
    erased = erase_clip(clip, np.random.default_rng(1), share=1.0)
    assert not clip.any()
    np.testing.assert_array_equal(erased[0], erased[2])
    rows, columns = np.nonzero(erased[0].any(axis=2))
    area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1) / SIZE**2
    assert 0.01 < area < 0.3


def test_first_or_last_frames_are_covered_or_dark_and_some_are_left() -> None:
    clip = np.full((5, SIZE, SIZE, 3), 200, dtype=np.uint8)
    drawn = [cover_clip(clip, np.random.default_rng(seed)) for seed in range(60)]
    assert (clip == 200).all()
    patterns = {tuple((frame != 200).any() for frame in covered) for covered in drawn}
    assert {(True, False, False, False, False), (False, True, True, True, True)} <= patterns
    for pattern in patterns:
        assert not all(pattern)
        assert any(pattern)
        assert sum(a != b for a, b in pairwise(pattern)) == 1
    shares = [(covered != 200).any(axis=(0, 3)).mean() for covered in drawn]
    assert min(shares) > 0.1
    dark = [covered for covered in drawn if max(covered[0].max(), covered[-1].max()) == 200]
    assert any((covered[[0, -1]].max(axis=(1, 2, 3)) < 80).any() for covered in dark)


def test_what_is_hidden_is_hidden_in_all_frames_and_is_half_a_face_or_more() -> None:
    clip = np.full((3, SIZE, SIZE, 3), 200, dtype=np.uint8)
    drawn = [hide_face(clip, np.random.default_rng(seed)) for seed in range(60)]
    assert (clip == 200).all()
    rows = [(hidden != 200).any(axis=(2, 3)).mean(axis=1) for hidden in drawn]
    assert min(share.min() for share in rows) >= 0.5
    assert {bool((hidden[:, -1] == 200).all()) for hidden in drawn} == {True, False}
    assert {bool((hidden[:, 0] == 200).all()) for hidden in drawn} == {True, False}
    # The mouth is never left.
    mouth = slice(3 * SIZE // 5, 3 * SIZE // 4)
    assert all((hidden[:, mouth] != 200).any(axis=3).all() for hidden in drawn)
    assert any(hidden.max() < 40 for hidden in drawn)


def _dot(x: int, y: int) -> np.ndarray:
    image = np.zeros((61, 81, 3), dtype=np.uint8)
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    return image


def _middle(image: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(image[..., 0] > 60)
    return np.array([columns.mean(), rows.mean()])


def test_a_turned_head_carries_what_is_on_it_along() -> None:
    def turned(x: int, y: int, yaw_deg: float, pitch_deg: float = 0.0) -> np.ndarray:
        angles = np.radians([yaw_deg, pitch_deg])
        return turn(_dot(x, y), (40.0, 30.0), (20.0, 25.0), *angles)

    np.testing.assert_array_equal(turned(40, 30, 0.0), _dot(40, 30))
    sideways = [_middle(turned(40, 30, yaw)) - (40, 30) for yaw in (-30.0, 30.0)]
    np.testing.assert_allclose(sideways, [(-10, 0), (10, 0)], atol=0.6)
    np.testing.assert_allclose(_middle(turned(40, 30, 0.0, 30.0)) - (40, 30), (0, 12.5), atol=0.6)
    # Half way to the right rim lies 30 degrees to the side; 100 degrees are out of sight.
    assert _middle(turned(50, 30, 40.0))[0] == pytest.approx(
        40 + 20 * np.sin(np.radians(70)), abs=1
    )
    assert not turned(50, 30, 70.0).any()
    np.testing.assert_array_equal(turned(70, 30, 40.0), _dot(70, 30))


def test_heads_turn_once_in_a_clip_and_their_surroundings_do_not() -> None:
    times_s = np.linspace(0.0, 1.8, 8)
    clips = [
        turn_head(np.stack([picture(64)] * 8), times_s, np.random.default_rng(seed))
        for seed in range(30)
    ]
    for clip in clips:
        assert clip.shape == (8, 64, 64, 3)
        np.testing.assert_array_equal(clip[:, 63, 63], np.stack([picture(64)[63, 63]] * 8))
    changing = [sum(bool((a != b).any()) for a, b in pairwise(clip)) for clip in clips]
    assert 1 <= np.median(changing) <= 5
    as_it_is = [any(bool((frame == picture(64)).all()) for frame in clip) for clip in clips]
    assert 0.1 < np.mean(as_it_is) < 0.6
    again = turn_head(np.stack([picture(64)] * 8), times_s, np.random.default_rng(0))
    np.testing.assert_array_equal(again, clips[0])
