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
    colour = rng.uniform(0.0, 255.0, size=3)
    noise = rng.normal(0.0, 32.0, size=(height, width, 3))
    erased = crops_bgr.copy()
    erased[:, top : top + height, left : left + width] = np.clip(colour + noise, 0, 255)
    return erased
