from dataclasses import replace

import numpy as np
import pytest

from realtime_mood.faces.box import Box
from realtime_mood.faces.crop import crop_face
from tests.fakes import SPEC

EXACT = replace(SPEC, crop_margin=0.0)


def _picture() -> np.ndarray:
    rows, columns = np.mgrid[0:200, 0:300]
    return np.stack([columns % 256, rows % 256, np.zeros_like(rows)], axis=-1).astype(np.uint8)


def test_a_box_of_the_models_size_is_cut_out_unchanged() -> None:
    picture = _picture()
    crop = crop_face(picture, Box(40, 50, 32, 32), EXACT)
    np.testing.assert_array_equal(crop, picture[50:82, 40:72])


def test_the_crop_is_square_around_the_box_with_the_margin() -> None:
    crop = crop_face(_picture(), Box(100, 60, 40, 64), replace(SPEC, crop_margin=0.5))
    # 96 pixels around (120, 92), three of them to each pixel of the crop.
    assert crop.shape == (32, 32, 3)
    np.testing.assert_allclose(crop[:, 0, 0], 72 + 1, atol=1)
    np.testing.assert_allclose(crop[0, :, 1], 44 + 1, atol=1)


@pytest.mark.parametrize(
    "box",
    [
        Box(-20, -20, 60, 60),
        Box(280, 180, 60, 60),
        Box(-500, -500, 10, 10),
        Box(5000, 5000, 50, 50),
        Box(-50, -50, 400, 400),
        Box(10, 10, 0.1, 0.1),
    ],
)
def test_a_box_over_the_border_repeats_the_borders_pixels(box: Box) -> None:
    crop = crop_face(_picture(), box, SPEC)
    assert crop.shape == (32, 32, 3)


def test_left_of_the_picture_the_first_column_is_repeated() -> None:
    crop = crop_face(_picture(), Box(-16, 50, 32, 32), EXACT)
    assert np.all(crop[:, :16, 0] == 0)
    np.testing.assert_array_equal(crop[0, 16:, 0], np.arange(16))


def test_the_picture_is_not_changed() -> None:
    picture = _picture()
    before = picture.copy()
    crop_face(picture, Box(-16, 50, 32, 32), SPEC)[:] = 0
    np.testing.assert_array_equal(picture, before)


def test_an_enlarged_crop_is_smooth_and_a_shrunk_one_is_averaged() -> None:
    checks = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    picture = np.repeat(checks[..., None], 3, axis=2)
    shrunk = crop_face(picture, Box(0, 0, 128, 128), EXACT)
    assert abs(float(shrunk.mean()) - 127.5) < 1
    assert float(shrunk.std()) < 2
    assert crop_face(picture, Box(0, 0, 8, 8), EXACT).shape == (32, 32, 3)
