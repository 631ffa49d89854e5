"""Moving crops: flip, turn, zoom, stretch, shear and shift, in one warp."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from trainer.augment.policy import Changes
from trainer.config.recipe import RecipeConfig

PAD = 0.25
"""Training crops are kept this much wider than the spec's, so that moving them shows picture."""

# What `crop_jitter` 1 is: how far boxes of detectors are off.
ROTATION_DEG = 4.0
ZOOM = 0.06
STRETCH = 0.03
SHIFT = 0.03
# What a change of strength 1 is.
MOST_ROTATION_DEG = 20.0
MOST_SHEAR = 0.2
MOST_ZOOM = 0.2
MOST_SHIFT = 0.12

Clip = npt.NDArray[np.uint8]


def move_clip(
    crops_bgr: Clip,
    image_size: int,
    rng: np.random.Generator,
    recipe: RecipeConfig,
    changes: Changes,
) -> Clip:
    """Move all frames of a clip alike.

    Args:
        crops_bgr: shape (num_frames, side, side, 3), uint8, blue-green-red, cut `1 + PAD` times as
            wide as the spec's crop.
        image_size: side of the answer, pixels.
        rng: everything is drawn from it, once for the whole clip.
        recipe: `flip` and `crop_jitter` are used.
        changes: further ones.

    Returns:
        Shape (num_frames, image_size, image_size, 3), uint8.
    """
    matrix = _draw_affine(crops_bgr.shape[1], image_size, rng, recipe, changes)
    size = (image_size, image_size)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = [
        cv2.warpAffine(crop, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for crop in crops_bgr
    ]
    return np.asarray(moved, dtype=np.uint8)


def _draw_affine(
    side: int,
    image_size: int,
    rng: np.random.Generator,
    recipe: RecipeConfig,
    changes: Changes,
) -> npt.NDArray[np.float64]:
    """From pixels of the answer to pixels of the padded crop, shape (2, 3)."""
    jitter = recipe.crop_jitter * rng.uniform(-1.0, 1.0, size=5)
    angle = math.radians(ROTATION_DEG * jitter[0] + MOST_ROTATION_DEG * changes.get("rotate", 0.0))
    zoom = math.exp(ZOOM * jitter[1] + MOST_ZOOM * changes.get("zoom", 0.0))
    stretch = math.exp(STRETCH * jitter[2])
    further = (changes.get("shift_x", 0.0), changes.get("shift_y", 0.0))
    shift = SHIFT * jitter[3:] + MOST_SHIFT * np.array(further)
    mirror = -1.0 if rng.random() < 0.5 and recipe.flip else 1.0
    wanted = side / (1.0 + PAD)
    scale = wanted * zoom / image_size
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    shear = np.array([[1.0, MOST_SHEAR * changes.get("shear", 0.0)], [0.0, 1.0]])
    matrix = scale * turn @ shear @ np.diag([mirror * stretch, 1.0 / stretch])
    middle = np.array([(image_size - 1) / 2] * 2)
    centre = (side - 1) / 2 + shift * wanted
    return np.hstack([matrix, (centre - matrix @ middle)[:, None]])
