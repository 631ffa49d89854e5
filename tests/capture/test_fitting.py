import numpy as np
import pytest

from realtime_mood.capture.fitting import fit_into


def test_a_picture_of_the_right_size_is_answered_as_it_is() -> None:
    image = np.full((48, 64, 3), 7, dtype=np.uint8)
    assert fit_into(image, (64, 48)) is image


def test_a_picture_that_is_enlarged_is_smooth() -> None:
    ramp = np.arange(0, 256, 16, dtype=np.uint8)
    image = np.repeat(np.tile(ramp, (12, 1))[..., None], 3, axis=2)
    rows = fit_into(image, (64, 48))[24, :, 0]
    assert np.diff(rows.astype(int)).max() <= 5


@pytest.mark.parametrize(
    ("shape", "filled"),
    [
        ((96, 128), (slice(0, 48), slice(0, 64))),
        ((24, 32), (slice(0, 48), slice(0, 64))),
        ((64, 48), (slice(0, 48), slice(14, 50))),
        ((10, 40), (slice(16, 32), slice(0, 64))),
        ((1, 4000), (slice(23, 24), slice(0, 64))),
    ],
)
def test_another_size_keeps_its_proportions_between_black_bars(
    shape: tuple[int, int], filled: tuple[slice, slice]
) -> None:
    fitted = fit_into(np.full((*shape, 3), 200, dtype=np.uint8), (64, 48))
    wanted = np.zeros((48, 64, 3), dtype=np.uint8)
    wanted[filled] = 200
    np.testing.assert_array_equal(fitted, wanted)
