"""What light and the colour of skin do to a clip is taken out of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from realtime_mood.model.equalise import equalise
from realtime_mood.model.preprocess import normalise, preprocess
from realtime_mood.model.steady import steady
from tests.fakes import SPEC

Clip = npt.NDArray[np.uint8]

GOLDEN = [[35, 243, 133, 202], [159, 152, 211, 140], [133, 18, 163, 211], [70, 13, 115, 175]]
"""Every sixteenth level of a picture, equalised."""


def picture(side: int = 64, *, seed: int = 0) -> Clip:
    """Soft shapes in grey, as of a face, shape (side, side, 3)."""
    noise = np.random.default_rng(seed).normal(size=(side, side))
    soft = cv2.GaussianBlur(noise, (0, 0), side / 12)
    level = (soft - soft.min()) / (soft.max() - soft.min())
    return np.repeat((40 + 150 * level)[..., None], 3, axis=2).astype(np.uint8)


def lit(clip: Clip, *, gain: float = 1.0, offset: float = 0.0, gamma: float = 1.0) -> Clip:
    level = (clip / 255.0) ** gamma * gain + offset
    return (255 * np.clip(level, 0, 1)).round().astype(np.uint8)


def apart(one: Clip, other: Clip) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_levels_are_equally_frequent() -> None:
    counts, _ = np.histogram(equalise(picture()[None]), bins=8, range=(0, 256))
    assert np.abs(counts / counts.mean() - 1).max() < 0.1


@pytest.mark.parametrize(
    "light", [{"gain": 0.4}, {"gain": 0.5, "offset": 0.4}, {"gamma": 2.0}, {"gamma": 0.6}]
)
def test_the_light_makes_no_difference(light: dict[str, float]) -> None:
    clip = np.stack([picture(seed=1), picture(seed=2)])
    before, after = (
        apart(lit(clip, **light), clip),
        apart(equalise(lit(clip, **light)), equalise(clip)),
    )
    assert after < 4 < 20 < before


def test_a_coloured_clip_becomes_what_its_grey_one_does() -> None:
    clip = picture()[None]
    skin = (clip * np.array([0.6, 0.8, 1.2])).clip(0, 255).astype(np.uint8)
    even = equalise(skin)
    assert np.ptp(even, axis=3).max() == 0
    assert apart(even, equalise(clip)) < 3


def test_all_frames_are_changed_alike() -> None:
    """The face whose light fades still fades, and one that is still stays so."""
    clip = np.stack([picture(), picture(), lit(picture(), gain=0.7)])
    one, same, fading = equalise(clip)
    np.testing.assert_array_equal(one, same)
    assert fading.mean() < one.mean() - 20
    assert (np.diff(fading.ravel()[np.argsort(clip[2].ravel())].astype(int)) >= 0).all()


@pytest.mark.parametrize("level", [0, 100, 255])
def test_nothing_to_see_stays_nothing(level: int) -> None:
    flat = np.full((2, 16, 16, 3), level, dtype=np.uint8)
    assert np.ptp(equalise(flat)) == 0


def test_noise_in_the_dark_does_not_become_a_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 4, (8, 32, 32, 1), dtype=np.uint8)
    assert equalise(np.repeat(noise, 3, axis=3)).std() < 12 * noise.std()


def test_a_clip_that_is_a_view_of_another_is_read_as_it_is() -> None:
    clip = np.stack([picture(seed=1), picture(seed=2)])
    wide = np.repeat(np.repeat(clip, 2, axis=1), 2, axis=2)
    np.testing.assert_array_equal(equalise(wide[:, ::2, ::2]), equalise(clip))


def test_only_a_checkpoint_that_asks_for_it_gets_it() -> None:
    size = SPEC.image_size
    clip = np.stack([lit(picture(size), gain=0.5)] * (SPEC.num_frames - 1) + [picture(size)])
    both = replace(SPEC, equalise=True, steady=True)
    np.testing.assert_array_equal(preprocess(clip, SPEC), normalise(clip, SPEC))
    np.testing.assert_array_equal(preprocess(clip, both), normalise(equalise(steady(clip)), both))
    assert not np.array_equal(equalise(clip), clip)


def test_what_a_checkpoint_was_trained_with_stays_what_it_is() -> None:
    """A change of how clips are equalised changes what every such checkpoint sees."""
    even = equalise(lit(picture(seed=3), gain=0.6)[None])[0, ::16, ::16, 0]
    assert np.abs(even.astype(int) - np.array(GOLDEN)).max() <= 1
