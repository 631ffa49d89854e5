"""Moving crops: flip, turn, zoom, stretch, shear and shift, in one warp."""

from __future__ import annotations

import math
from dataclasses import dataclass

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


def in_padded(points: npt.NDArray[np.floating], side: int) -> npt.NDArray[np.floating]:
    """Where points of the spec's crop are in a padded crop, pixels.

    Args:
        points: shape (points, 2): right and down, -1 to 1 over the spec's crop.
        side: of the padded crop, pixels.
    """
    return np.asarray((side - 1) / 2 + points * side / (1.0 + PAD) / 2)


@dataclass(frozen=True, kw_only=True)
class Move:
    """One affine motion, the same for all frames of a clip."""

    matrix: npt.NDArray[np.float64]
    """From pixels of the answer to pixels of the padded crop, shape (2, 3)."""
    side: int
    """Of the padded crop, pixels; `1 + PAD` times as wide as the spec's."""
    image_size: int
    """Of the answer, pixels."""

    @property
    def mirrors(self) -> bool:
        """Whether left and right are exchanged."""
        return bool(np.linalg.det(self.matrix[:, :2]) < 0.0)

    def of_clip(self, crops_bgr: Clip) -> Clip:
        """The frames moved.

        Args:
            crops_bgr: shape (num_frames, side, side, 3), uint8, blue-green-red.

        Returns:
            Shape (num_frames, image_size, image_size, 3), uint8.
        """
        size = (self.image_size, self.image_size)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = [
            cv2.warpAffine(crop, self.matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            for crop in crops_bgr
        ]
        return np.asarray(moved, dtype=np.uint8)

    def of_points(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Where points of the spec's crop are in the answer.

        Args:
            points: shape (points, 2): right and down, -1 to 1 over the spec's crop.

        Returns:
            The same shape, -1 to 1 over the answer; outside where they were moved out of it.
        """
        turned = np.linalg.inv(self.matrix[:, :2])
        in_answer = (in_padded(points, self.side) - self.matrix[:, 2]) @ turned.T
        moved: npt.NDArray[np.float64] = (2.0 * in_answer + 1.0) / self.image_size - 1.0
        return moved


def draw_move(
    side: int,
    image_size: int,
    rng: np.random.Generator,
    recipe: RecipeConfig,
    changes: Changes,
) -> Move:
    """Choose how a clip is moved.

    Args:
        side: of its padded crops, pixels.
        image_size: side of the answer, pixels.
        rng: everything is drawn from it, once for the whole clip.
        recipe: `flip` and `crop_jitter` are used.
        changes: further ones.
    """
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
    whole = np.hstack([matrix, (centre - matrix @ middle)[:, None]])
    return Move(matrix=whole, side=side, image_size=image_size)
