from dataclasses import replace

import cv2
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
@pytest.mark.parametrize("align_roll", [False, True])
def test_a_box_over_the_border_shows_nothing_that_is_not_in_the_picture(
    box: Box, align_roll: bool
) -> None:
    picture = np.full((200, 300, 3), 77, dtype=np.uint8)
    spec = replace(SPEC, align_roll=align_roll)
    crop = crop_face(picture, box, spec, roll_rad=0.4)
    assert crop.shape == (32, 32, 3)
    assert np.all(crop == 77)


def test_left_of_the_picture_the_first_column_is_repeated() -> None:
    crop = crop_face(_picture(), Box(-16, 50, 32, 32), EXACT)
    assert np.all(crop[:, :16, 0] == 0)
    np.testing.assert_array_equal(crop[0, 16:, 0], np.arange(16))


@pytest.mark.parametrize("roll_deg", [-40, -10, 10, 40, 90])
def test_eyes_are_level_in_an_aligned_crop(roll_deg: float) -> None:
    roll_rad = np.radians(roll_deg)
    picture = np.zeros((300, 300, 3), dtype=np.uint8)
    centre, apart = np.array([160.0, 140.0]), 40 * np.array([np.cos(roll_rad), np.sin(roll_rad)])
    for channel, eye in ((0, centre - apart), (2, centre + apart)):
        colour = [0, 0, 0]
        colour[channel] = 255
        cv2.circle(picture, tuple(int(v) for v in np.rint(eye)), 6, colour, -1)
    spec = replace(SPEC, crop_margin=0.0, image_size=128, align_roll=True)
    box = Box.around((float(centre[0]), float(centre[1])), 128, 128)
    crop = crop_face(picture, box, spec, roll_rad=float(roll_rad))
    # (row, column) of the eye that was at the left, then of the one at the right.
    eyes = [np.argwhere(crop[..., channel] > 128).mean(axis=0) for channel in (0, 2)]
    np.testing.assert_allclose(eyes, [(63.5, 23.5), (63.5, 103.5)], atol=1.5)
    plain = crop_face(picture, box, replace(spec, align_roll=False), roll_rad=float(roll_rad))
    np.testing.assert_array_equal(plain, picture[76:204, 96:224])


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
