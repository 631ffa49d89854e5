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
LEAST_HIDDEN = 0.45
"""Of the crop's height, from below or from above."""
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
        part[:] = _darkened(part, rng)
        return changed
    size = changed.shape[1]
    height, width = np.round(rng.uniform(LEAST_SIDE, 1.0, size=2) * size).astype(int)
    top, left = rng.integers(size - height + 1), rng.integers(size - width + 1)
    part[:, top : top + height, left : left + width] = any_colour(height, width, rng)
    return changed


def hide_face(crops_bgr: Clip, rng: np.random.Generator) -> Clip:
    """Cover mouth, eyes or all of a face, or darken it, in all frames of a clip.

    Args:
        crops_bgr: shape (num_frames, size, size, 3), uint8.
        rng: decides.

    Returns:
        The same shape; nobody can tell the expression.
    """
    if rng.random() < DARK_SHARE:
        return _darkened(crops_bgr, rng)
    hidden = crops_bgr.copy()
    size = hidden.shape[1]
    height = round(size * rng.uniform(LEAST_HIDDEN, 1.0))
    part = hidden[:, -height:] if rng.random() < 0.5 else hidden[:, :height]
    part[:] = any_colour(height, size, rng, noise_std=rng.uniform(0.0, MOST_NOISE_STD))
    return hidden


def _darkened(crops_bgr: Clip, rng: np.random.Generator) -> Clip:
    dim = crops_bgr * rng.uniform(0.0, BRIGHTEST_DARK)
    noisy = dim + rng.normal(0.0, DARK_NOISE_STD, crops_bgr.shape)
    return np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)
