"""Where a small TimeSformer starts from when it has no pretrained weights.

Vision transformers on small data sit at the class prior for thousands of steps, because nothing
tells their tokens apart at first. Here attention starts as what a convolution does: each head looks
at one neighbour of every patch, as one weight of a 3 × 3 filter does (structured initialisation,
Zheng et al. 2024, arXiv 2404.01139). They find the weights by optimisation; sines and cosines give
them exactly:

    place of a patch      sines and cosines of row and column, in the first PLACE_WIDTH channels
    key of a head         the place itself
    query of a head       the place moved by the head's offset: a rotation of each sine and cosine

The product of query and key is then largest where the key lies at the offset. Everything is an
ordinary weight and free to be trained away from there; heads beyond the ninth start undecided.
Attention over time starts switched off (`temporal_dense` is 0), as in the original TimeSformer.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TimesformerForVideoClassification

from realtime_mood.model.labels import LABELS

OFFSETS = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))
"""What the first nine heads look at, in patches down and right."""
WAVELENGTHS = (1.15, 0.5, 0.3, 0.2)
"""Of the sines, in parts of the picture's side."""
PLACE_WIDTH = 4 * len(WAVELENGTHS)
"""Channels that say where a patch is: a sine and a cosine of each wavelength for each axis."""
SHARPNESS = 1.6
"""Size of the place in queries and keys; makes the neighbour's share of attention 0.5 to 0.9."""
LOOKING_ELSEWHERE = 0.15
"""What is left, in a head with an offset, of what content has to say about where to look."""
GAIN = 0.6
"""Standard deviation of a layer's weights, times the square root of its inputs."""
BRANCH_GAIN = 0.7
"""Of the last layer of each branch, so that the sum of branches does not grow with depth."""
PLACE_KEPT = 0.1
"""Of what the branches write over the channels that hold the place."""
PATCH_GAIN = 0.5
PATCH_PLACE_KEPT = 0.05


def look_at_neighbours(model: TimesformerForVideoClassification) -> None:
    """Set all weights of a new model as described above, from torch's random numbers.

    Args:
        model: its heads must be `PLACE_WIDTH` wide; changed in place.
    """
    config = model.config
    embeddings: Any = model.timesformer.embeddings
    width, heads = config.hidden_size, config.num_attention_heads
    if width // heads != PLACE_WIDTH:
        raise ValueError(f"heads are {width // heads} wide; they must be {PLACE_WIDTH}")
    side = math.isqrt(int(embeddings.num_patches))
    waves = 2.0 * math.pi / (torch.tensor(WAVELENGTHS) * side)
    with torch.no_grad():
        nn.init.trunc_normal_(embeddings.cls_token, std=0.02)
        nn.init.trunc_normal_(embeddings.position_embeddings, std=0.02)
        embeddings.position_embeddings[0, 1:, :PLACE_WIDTH] += _places(side, waves)
        patches = embeddings.patch_embeddings.projection.weight
        nn.init.trunc_normal_(patches, std=PATCH_GAIN / math.sqrt(patches[0].numel()))
        # A picture's grey is what counts; colour is learned where it helps.
        patches.copy_(patches.mean(dim=1, keepdim=True).expand_as(patches) * math.sqrt(3.0))
        patches[:PLACE_WIDTH] *= PATCH_PLACE_KEPT
        encoder: Any = model.timesformer.encoder
        for layer in encoder.layer:
            _fill(layer)
            _point(layer.attention.attention.qkv.weight, heads, waves)
        nn.init.trunc_normal_(model.classifier.weight, std=0.02)  # type: ignore[arg-type]
        nn.init.zeros_(model.classifier.bias)  # type: ignore[arg-type]
    assert model.classifier.out_features == len(LABELS)


def _places(side: int, waves: Tensor) -> Tensor:
    """Shape (side * side, PLACE_WIDTH): row by row, first the row's sines and cosines."""
    angles = torch.arange(side)[:, None] * waves
    axis = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
    rows = axis[:, None].expand(side, side, -1)
    columns = axis[None, :].expand(side, side, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1)


def _fill(layer: Any) -> None:
    ends = (layer.attention.output.dense, layer.output.dense)
    inner = (
        layer.attention.attention.qkv,
        layer.intermediate.dense,
        layer.temporal_attention.attention.qkv,
        layer.temporal_attention.output.dense,
    )
    for linear in (*inner, *ends):
        nn.init.trunc_normal_(linear.weight, std=GAIN / math.sqrt(linear.in_features))
        nn.init.zeros_(linear.bias)
    for linear in ends:
        linear.weight *= BRANCH_GAIN
        linear.weight[:PLACE_WIDTH] *= PLACE_KEPT
    nn.init.zeros_(layer.temporal_dense.weight)
    nn.init.zeros_(layer.temporal_dense.bias)


def _point(qkv: Tensor, heads: int, waves: Tensor) -> None:
    """Let the first heads of fused queries, keys and values look at `OFFSETS`."""
    width = heads * PLACE_WIDTH
    for head, offset in zip(range(heads), OFFSETS, strict=False):
        query = qkv[head * PLACE_WIDTH : (head + 1) * PLACE_WIDTH]
        key = qkv[width + head * PLACE_WIDTH : width + (head + 1) * PLACE_WIDTH]
        for weights, turn in ((query, _rotation(offset, waves)), (key, torch.eye(PLACE_WIDTH))):
            weights *= LOOKING_ELSEWHERE
            weights[:, :PLACE_WIDTH] += SHARPNESS * turn


def _rotation(offset: tuple[int, int], waves: Tensor) -> Tensor:
    """What turns a place into the place `offset` patches further, shape (PLACE_WIDTH, PLACE_WIDTH).

    sin(a + b) = sin a cos b + cos a sin b; cos(a + b) = cos a cos b - sin a sin b.
    """
    blocks = []
    for axis in offset:
        for wave in waves.tolist():
            cos, sin = math.cos(wave * axis), math.sin(wave * axis)
            blocks.append(torch.tensor([[cos, sin], [-sin, cos]]))
    turn: Tensor = torch.block_diag(*blocks)  # type: ignore[no-untyped-call]
    return turn
