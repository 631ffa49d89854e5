"""Where a small TimeSformer starts from when it has no pretrained weights.

Vision transformers on small data sit at the class prior for thousands of steps, because nothing
tells their tokens apart at first. Here attention starts as what a convolution does: each head looks
at one neighbour of every patch, as one weight of a 3 × 3 filter does (structured initialisation,
Zheng et al. 2024, arXiv 2404.01139). They find the weights by optimisation; sines and cosines give
them exactly:

    place of a patch      sines and cosines of row and column, in the first PLACE_WIDTH channels
    key of a head         the place itself
    query of a head       the place moved by the head's offset: a rotation of each sine and cosine

The product of query and key is then largest where the key lies at the offset.

Attention over time, in the last layers, starts as a comparison. Heads come in pairs: the first of a
pair looks at the frame itself, which it knows by one channel for each frame, the second evenly at
all of them; what the layer adds is their difference, `COMPARISON` times as large. Of a clip in
which nothing moves it is 0, so that what was learned from single frames holds; of a face that
moves, it is how each patch differs from its mean over the clip, whatever the face looks like.

Everything is an ordinary weight, free to be trained away from there.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import TimesformerForVideoClassification

OFFSETS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))
"""What heads look at, in patches down and right, the nearest first."""
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
COMPARISON = 4.0
"""How much larger than life the difference between frames is; patches differ by a few percent."""
OWN_FRAME = 10.0
"""Size of a frame's channel in queries and keys; makes its own share of attention nearly 1."""


def look_at_neighbours(model: TimesformerForVideoClassification) -> None:
    """Set the weights of a new model as described above, from torch's random numbers.

    Attention over time is switched off until `compare_frames`.

    Args:
        model: its heads must be `PLACE_WIDTH` wide; changed in place.
    """
    _, heads, _ = _sizes(model)
    embeddings: Any = model.timesformer.embeddings
    classifier: Any = model.classifier
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
        nn.init.trunc_normal_(classifier.weight, std=0.02)
        nn.init.zeros_(classifier.bias)
        encoder: Any = model.timesformer.encoder
        for layer in encoder.layer:
            _fill(layer)
            _point(layer.attention.attention.qkv.weight, heads, waves)


def compare_frames(model: TimesformerForVideoClassification) -> None:
    """Let attention over time start as described above, whatever it was.

    Args:
        model: heads as in `look_at_neighbours`; what it has learned of single frames stays, save
            for what the last channels held, which become the frames' own. Changed in place.
    """
    width, heads, frames = _sizes(model)
    content = width - frames
    embeddings: Any = model.timesformer.embeddings
    encoder: Any = model.timesformer.encoder
    classifier: Any = model.classifier
    patches = embeddings.patch_embeddings.projection
    with torch.no_grad():
        # Nothing else is written to the frames' channels or read from there.
        embeddings.position_embeddings[..., content:] = 0.0
        embeddings.cls_token[..., content:] = 0.0
        classifier.weight[:, content:] = 0.0
        embeddings.time_embeddings[0] = functional.pad(torch.eye(frames), (content, 0))
        for layer in encoder.layer:
            for linear in (patches, layer.attention.output.dense, layer.output.dense):
                linear.weight[content:] = 0.0
                linear.bias[content:] = 0.0
            for linear in (layer.attention.attention.qkv, layer.intermediate.dense):
                linear.weight[:, content:] = 0.0
            nn.init.ones_(layer.temporal_layernorm.weight)
            nn.init.zeros_(layer.temporal_layernorm.bias)
            nn.init.zeros_(layer.temporal_dense.weight)
            nn.init.zeros_(layer.temporal_dense.bias)
        for layer in encoder.layer[comparing_layers(model)]:
            _compare(layer, heads, frames)


def comparing_layers(model: TimesformerForVideoClassification) -> slice:
    """The last third of the layers: what is compared has to be seen first."""
    layers = model.config.num_hidden_layers
    return slice(layers - max(1, layers // 3), layers)


def why_no_places(model: TimesformerForVideoClassification) -> str:
    """Why a model's heads have no room for places, or for as much else; empty where they have."""
    wide = model.config.hidden_size // model.config.num_attention_heads
    if wide != PLACE_WIDTH:
        return f"the model's heads are {wide} channels wide instead of {PLACE_WIDTH}"
    return ""


def why_no_comparison(model: TimesformerForVideoClassification) -> str:
    """Why `compare_frames` cannot be done to a model; empty where it can."""
    config = model.config
    if reason := why_no_places(model):
        return reason
    if config.num_frames > PLACE_WIDTH:
        return f"its clips have {config.num_frames} frames, and can have {PLACE_WIDTH}"
    return ""


def _sizes(model: TimesformerForVideoClassification) -> tuple[int, int, int]:
    """Channels, heads and frames of a model that this can be done to."""
    if reason := why_no_comparison(model):
        raise ValueError(reason)
    config = model.config
    return config.hidden_size, config.num_attention_heads, config.num_frames


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


def _compare(layer: Any, heads: int, frames: int) -> None:
    """Let pairs of heads subtract a clip's mean from each of its frames."""
    attention = layer.temporal_attention
    qkv, output = attention.attention.qkv, attention.output.dense
    width = heads * PLACE_WIDTH
    content = width - frames
    for linear in (qkv, output):
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
    nn.init.eye_(layer.temporal_dense.weight)
    # Directions at right angles, so that what is compared goes back where it came from.
    directions = torch.linalg.qr(torch.randn(content, content)).Q
    own_frame = OWN_FRAME * functional.pad(torch.eye(frames), (content, 0))
    for pair in range(heads // 2):
        seen = directions[pair * PLACE_WIDTH : (pair + 1) * PLACE_WIDTH]
        first = 2 * pair * PLACE_WIDTH
        for start, sign in ((first, 1.0), (first + PLACE_WIDTH, -1.0)):
            channels = slice(start, start + PLACE_WIDTH)
            qkv.weight[2 * width + start : 2 * width + start + PLACE_WIDTH, :content] = seen
            output.weight[:content, channels] = sign * COMPARISON * seen.T
        for half in (0, width):
            qkv.weight[half + first : half + first + frames] = own_frame


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
