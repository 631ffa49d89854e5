from dataclasses import replace

import numpy as np
import pytest

from realtime_mood.model.preprocess import make_grey, normalise, preprocess
from realtime_mood.model.steady import steady
from tests.fakes import SPEC


def _clip() -> np.ndarray:
    return np.zeros((8, 32, 32, 3), dtype=np.uint8)


def _coloured() -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(8, 32, 32, 3), dtype=np.uint8)


def test_channels_are_turned_round_and_normalised() -> None:
    crops = _clip()
    crops[..., 0] = 255  # blue
    pixel_values = preprocess(crops, SPEC)
    assert pixel_values.shape == (8, 3, 32, 32)
    assert pixel_values.dtype == np.float32
    np.testing.assert_allclose(pixel_values[:, 0], -2.0, atol=1e-6)
    np.testing.assert_allclose(pixel_values[:, 2], 2.0, atol=1e-6)


def test_frames_and_rows_keep_their_order() -> None:
    crops = _clip()
    crops[3, 5, 7] = 255
    pixel_values = preprocess(crops, SPEC)
    assert np.argwhere(pixel_values[:, 0] > 0).tolist() == [[3, 5, 7]]


@pytest.mark.parametrize("shape", [(4, 32, 32, 3), (16, 32, 32, 3), (8, 31, 32, 3)])
def test_a_clip_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="checkpoint wants"):
        preprocess(np.zeros(shape, dtype=np.uint8), SPEC)


def test_floats_are_refused() -> None:
    with pytest.raises(ValueError, match="float64"):
        preprocess(np.zeros((8, 32, 32, 3)), SPEC)  # type: ignore[arg-type]


def test_colours_are_left_out_where_the_checkpoint_says_so() -> None:
    clip = _coloured()
    grey, steady_too = replace(SPEC, grey=True), replace(SPEC, grey=True, steady=True)
    luma = np.round(clip @ [0.114, 0.587, 0.299])
    assert np.abs(make_grey(clip) - luma[..., None]).max() <= 1
    np.testing.assert_array_equal(preprocess(clip, grey), normalise(make_grey(clip), SPEC))
    np.testing.assert_array_equal(
        preprocess(clip, steady_too), normalise(make_grey(steady(clip)), SPEC)
    )
    assert not np.array_equal(make_grey(clip), clip)


def test_a_grey_clip_stays_what_it_is_and_part_of_a_wider_one_is_read_as_itself() -> None:
    clip = _coloured()
    grey = np.repeat(clip[..., :1], 3, axis=-1)
    np.testing.assert_array_equal(make_grey(grey), grey)
    np.testing.assert_array_equal(make_grey(clip[:, ::2, 1:]), make_grey(clip)[:, ::2, 1:])
