"""Frames in which the face is not to be seen: a hand before the camera, a lamp that goes out."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from trainer.augment.erase import any_colour

DARK_SHARE = 0.4
"""Of the clips; in the others something covers the face."""
BRIGHTEST_DARK = 0.3
BRIGHTEST_HIDDEN = 0.04
"""Of the light that was there: too little to tell an expression by."""
DARK_NOISE_STD = 4.0
"""Of 255: a sensor's."""
LEAST_SIDE = 0.4
"""Of what covers the face, in sides of the crop."""
MOUTH_SHARE = 0.5
"""Of what covers the face, a hand or a cup before the mouth: all from some height downwards."""
LEAST_HIDDEN = 0.5
LEAST_HIDDEN_FROM_ABOVE = 0.8
"""Of the crop's height: without the lower half, or with nothing but the chin."""
MOST_NOISE_STD = 32.0
"""Of 255, of what hides a face."""

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
        part[:] = _darkened(part, rng, brightest=BRIGHTEST_DARK)
        return changed
    size = changed.shape[1]
    height, width = np.round(rng.uniform(LEAST_SIDE, 1.0, size=2) * size).astype(int)
    top, left = rng.integers(size - height + 1), rng.integers(size - width + 1)
    if rng.random() < MOUTH_SHARE:
        top, left, width = size - height, 0, size
    part[:, top : top + height, left : left + width] = any_colour(height, width, rng)
    return changed


def hide_face(crops_bgr: Clip, rng: np.random.Generator) -> Clip:
    """Cover the mouth, or all but the chin, or darken a face, in all frames of a clip.

    Args:
        crops_bgr: shape (num_frames, size, size, 3), uint8.
        rng: decides.

    Returns:
        The same shape; nobody can tell the expression.
    """
    if rng.random() < DARK_SHARE:
        return _darkened(crops_bgr, rng, brightest=BRIGHTEST_HIDDEN)
    hidden = crops_bgr.copy()
    size = hidden.shape[1]
    if rng.random() < 0.5:
        part = hidden[:, : math.ceil(size * rng.uniform(LEAST_HIDDEN_FROM_ABOVE, 1.0))]
    else:
        part = hidden[:, -math.ceil(size * rng.uniform(LEAST_HIDDEN, 1.0)) :]
    noise_std = rng.uniform(0.0, MOST_NOISE_STD)
    part[:] = any_colour(part.shape[1], size, rng, noise_std=noise_std)
    return hidden


def _darkened(crops_bgr: Clip, rng: np.random.Generator, *, brightest: float) -> Clip:
    dim = crops_bgr * rng.uniform(0.0, brightest)
    noisy = dim + rng.normal(0.0, DARK_NOISE_STD, crops_bgr.shape)
    return np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)
