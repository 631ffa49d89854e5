"""Frames in which the face is not to be seen: a hand before the camera, a lamp that goes out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainer.augment.erase import any_colour

DARK_SHARE = 0.4
"""Of the clips; in the others something covers the face."""
BRIGHTEST_DARK = 0.3
DARK_NOISE_STD = 4.0
"""Of 255: a sensor's."""
LEAST_SIDE = 0.4
"""Of what covers the face, in sides of the crop."""

Clip = npt.NDArray[np.uint8]


def cover_clip(crops_bgr: Clip, rng: np.random.Generator) -> Clip:
    """Cover or darken the first or the last frames of a clip, at least one and not all of them.

    Args:
        crops_bgr: shape (num_frames, size, size, 3), uint8; two frames or more.
        rng: decides.

    Returns:
        The same shape.
    """
    changed = crops_bgr.copy()
    count = int(rng.integers(1, len(changed)))
    part = changed[:count] if rng.random() < 0.5 else changed[-count:]
    if rng.random() < DARK_SHARE:
        dim = part * rng.uniform(0.0, BRIGHTEST_DARK)
        part[:] = np.clip(dim + rng.normal(0.0, DARK_NOISE_STD, part.shape), 0, 255)
        return changed
    size = changed.shape[1]
    height, width = np.round(rng.uniform(LEAST_SIDE, 1.0, size=2) * size).astype(int)
    top, left = rng.integers(size - height + 1), rng.integers(size - width + 1)
    part[:, top : top + height, left : left + width] = any_colour(height, width, rng)
    return changed
