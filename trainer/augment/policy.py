"""RandAugment (Cubuk et al. 2020, arXiv 1909.13719) for faces: which changes a clip gets.

Kept apart from doing them, so that all that move the picture cost one warp, and all that change
its tone one look-up. What would turn a face into another expression or a negative is left out.
"""

from __future__ import annotations

import numpy as np

from trainer.config.recipe import RecipeConfig

Changes = dict[str, float]
"""Strength of each change by name, from -1 to 1; those not named are not made."""
GEOMETRIC = ("rotate", "shear", "zoom", "shift_x", "shift_y")
PHOTOMETRIC = (
    "brightness",
    "contrast",
    "gamma",
    "tint",
    "saturation",
    "sharpness",
    "posterize",
    "autocontrast",
)
STRENGTH_STD = 0.05
"""Of the strength around the magnitude asked for."""


def draw_changes(recipe: RecipeConfig, rng: np.random.Generator) -> Changes:
    """Choose changes for one clip.

    Args:
        recipe: `randaugment_ops` of them, of strength `randaugment_magnitude` / 10.
        rng: decides.
    """
    names = (*GEOMETRIC, *PHOTOMETRIC)
    chosen = rng.permutation(len(names))[: recipe.randaugment_ops]
    changes = {}
    for index in chosen:
        strength = recipe.randaugment_magnitude / 10 + STRENGTH_STD * rng.normal()
        sign = 1.0 if rng.random() < 0.5 else -1.0
        changes[names[index]] = sign * float(np.clip(strength, 0.0, 1.0))
    return changes
