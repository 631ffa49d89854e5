"""Hiding a part of the picture (Zhong et al. 2017, arXiv 1708.04896): hands, hair, cups."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

AREA = (0.02, 0.25)
"""Of the picture."""
RATIO = 3.0
"""Greatest ratio of the sides."""

Clip = npt.NDArray[np.uint8]


def erase_clip(crops_bgr: Clip, rng: np.random.Generator, *, share: float) -> Clip:
    """Replace a rectangle, the same in all frames, by noise of any one colour.

    Args:
        crops_bgr: shape (num_frames, size, size, 3), uint8.
        rng: decides.
        share: of clips this is done to.

    Returns:
        The same shape; the same array where nothing is erased.
    """
    drawn, area, ratio = rng.random(), rng.uniform(*AREA), rng.uniform(-1.0, 1.0)
    corner = rng.random(2)
    if drawn >= share:
        return crops_bgr
    size = crops_bgr.shape[1]
    side, stretch = size * math.sqrt(area), math.exp(0.5 * ratio * math.log(RATIO))
    height, width = (min(size, max(1, round(value))) for value in (side * stretch, side / stretch))
    top, left = round(corner[0] * (size - height)), round(corner[1] * (size - width))
    erased = crops_bgr.copy()
    erased[:, top : top + height, left : left + width] = any_colour(height, width, rng)
    return erased


def any_colour(
    height: int, width: int, rng: np.random.Generator, *, noise_std: float = 32.0
) -> Clip:
    """Noise of any one colour, shape (height, width, 3), uint8."""
    colour = rng.uniform(0.0, 255.0, size=3)
    noise = rng.normal(0.0, noise_std, size=(height, width, 3))
    return np.asarray(np.clip(colour + noise, 0, 255), dtype=np.uint8)
