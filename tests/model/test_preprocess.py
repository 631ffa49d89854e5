import numpy as np
import pytest

from realtime_mood.model.preprocess import preprocess
from tests.fakes import SPEC


def _clip() -> np.ndarray:
    return np.zeros((8, 32, 32, 3), dtype=np.uint8)


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
