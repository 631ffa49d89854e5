"""Mixup (Zhang et al. 2018, arXiv 1710.09412) and cutmix (Yun et al. 2019, arXiv 1905.04899).

Clips are mixed in pairs of neighbours, and what is drawn for a pair follows from its two clips
alone, so that the same pairs come about however many processes share a batch.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from trainer.config.recipe import RecipeConfig


def mix_pairs(batch: dict[str, Tensor], recipe: RecipeConfig) -> dict[str, Tensor]:
    """Mix clips 0 and 1, 2 and 3, …; an odd last one stays as it is.

    Args:
        batch: `pixel_values`, shape (batch, num_frames, 3, size, size), changed in place;
            `labels`, `known_labels` and `keys`, a number that stands for all that is random about
            a clip.
        recipe: `mixup`, `cutmix` and `mix_share` are used.

    Returns:
        The batch with `other_labels`, `other_known_labels` and `own_share`.
    """
    pixels, keys = batch["pixel_values"], batch["keys"].tolist()
    partner = torch.arange(len(keys))
    own_share = torch.ones(len(keys))
    for first in range(0, len(keys) - 1, 2):
        second = first + 1
        share = _mix(pixels[first], pixels[second], recipe, [keys[first], keys[second]])
        partner[first], partner[second] = second, first
        own_share[first] = own_share[second] = share
    return {
        **batch,
        "other_labels": batch["labels"][partner],
        "other_known_labels": batch["known_labels"][partner],
        "own_share": own_share,
    }


def _mix(first: Tensor, second: Tensor, recipe: RecipeConfig, keys: list[int]) -> float:
    """Mix two clips, shape (num_frames, 3, size, size), in place; answers what each keeps."""
    rng = np.random.default_rng(keys)
    if rng.random() >= recipe.mix_share:
        return 1.0
    cuts = recipe.cutmix > 0.0 and (recipe.mixup == 0.0 or rng.random() < 0.5)
    alpha = recipe.cutmix if cuts else recipe.mixup
    share = float(rng.beta(alpha, alpha))
    if not cuts:
        mixed = share * first + (1.0 - share) * second
        second.mul_(share).add_(first, alpha=1.0 - share)
        first.copy_(mixed)
        return share
    size = first.shape[-1]
    side = size * math.sqrt(1.0 - share)
    centre = rng.uniform(0.0, size, size=2)
    top, left = np.clip(np.round(centre - side / 2), 0, size).astype(int)
    bottom, right = np.clip(np.round(centre + side / 2), 0, size).astype(int)
    box = (..., slice(top, bottom), slice(left, right))
    kept = first[box].clone()
    first[box] = second[box]
    second[box] = kept
    return 1.0 - float((bottom - top) * (right - left)) / size**2
