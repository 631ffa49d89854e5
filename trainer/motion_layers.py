"""Writing a network of motion into two layers of divided attention (see `motion_reader`).

    first   attention over time     takes from each patch its mean over the clip
            attention over space    u: mean over the patches of a frame
            inner layer             h of the frame
    second  attention over space    the first token gathers h of the clip
            inner layer             y of h and what stood there, and takes h away again

Layer norms stay out of the way because a CONSTANT that outweighs everything stands in four channels
of every patch: what a norm divides by hardly varies. The first token has one of the other sign
until the end, by which attention tells it from patches, and to which the first inner layer answers
nothing. A clip in which nothing moves gets nearly the logits it had before: of the default
checkpoint they differ by 0.03 on average in float32, by 0.04 in bfloat16. All are ordinary weights.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.base import Model
from trainer.initial import PLACE_WIDTH

if TYPE_CHECKING:
    from trainer.motion_reader import MotionReader

CONSTANT = 8192.0
"""Of patches; half of it stands in each channel, and half precision holds sixteen times that."""
MOTION = CONSTANT / 500
"""Size of u beside it: the norm varies by less than a thousandth."""
READ = CONSTANT / 40
"""Size of h."""
GATHERED = 128.0
"""Size of a clip's h in the first token; the larger, the less counts what lies there already."""
OTHER_CONSTANT = 16384.0
"""Of the first token: outweighs a clip's h, however fast a face moves, or what is taken away of h
were less than what was added, and what is left of it would weigh on every logit. In each channel
stands a power of two, which no precision rounds."""
PATCHES_ALONE = 8.0
"""Root of how much more patches count for attention than the first token."""
CLOSED = 0.75
"""How far the inner layer is below 0 at the first token, in differences of its norm's constant from
patches' (twice the root of the channels)."""


INNER_PARTS = 4
"""Of the last inner layer, each as wide as h."""


def looked_at(model: Model) -> Tensor:
    """What the classifier looks at in a first token, shape (labels, channels)."""
    classifier, timesformer = cast(Any, model.classifier), cast(Any, model.timesformer)
    rows: Tensor = (classifier.weight * timesformer.layernorm.weight).detach()
    return rows


def constant_of(model: Model, first: Tensor) -> Tensor:
    """Where constants stand, shape (channels,), of size 1.

    What else is in these channels, half precision rounds away: those of which the least comes to
    the classifier.

    Args:
        model: whose classifier it is.
        first: first tokens of clips before these layers, shape (clips, channels).
    """
    lost = looked_at(model).square().sum(dim=0) * first.square().mean(dim=0)
    constant = torch.zeros_like(lost)
    # Two of each sign: norms subtract the mean of the channels.
    constant[lost.argsort()[:4]] = torch.tensor([0.5, -0.5, 0.5, -0.5])
    return constant


@torch.no_grad()
def write_layers(
    model: Model,
    reader: MotionReader,
    *,
    constant: Tensor,
    read: Tensor,
    lift: Tensor,
    rest: Tensor,
    first: Tensor,
    patches: Tensor,
) -> None:
    """Write a reader into the last two layers.

    Args:
        model: whose last two layers answer what they are given; changed in place.
        reader: fitted.
        constant: see `constant_of`.
        read: what reads u from a patch, shape (directions, channels), 0 where `constant` is not.
        lift: what is added to a first token for a logit more, shape (channels, labels).
        rest: what reads logits from a first token, likewise, 0 where `constant` is not.
        first: first tokens of clips before these layers, shape (clips, channels).
        patches: second moments of patches there, shape (channels, channels).
    """
    timesformer: Any = model.timesformer
    *_, before, moved, answered = timesformer.encoder.layer
    for layer in (moved, answered):
        _clear(layer)
    directions, features = len(read), reader.enter.out_features
    width = len(constant)
    size = CONSTANT / math.sqrt(width)
    """What a layer norm divides patches by."""
    ours = constant == 0
    of_motion, of_frame, of_clip = _places(model, ours, first, patches, directions, features)

    before.output.dense.bias += OTHER_CONSTANT * constant
    over_time = moved.temporal_attention
    within = (patches.trace() + OTHER_CONSTANT**2).sqrt() / math.sqrt(width)
    over_time.attention.qkv.weight[2 * width :] = torch.diag(within * ours)
    over_time.output.dense.weight.copy_(-torch.diag(ours.float()))
    nn.init.eye_(moved.temporal_dense.weight)
    moved.temporal_dense.bias.copy_(-(CONSTANT + OTHER_CONSTANT) * constant)

    inner, outer = moved.intermediate.dense, moved.output.dense
    _gather(moved.attention, read * size, constant)
    moved.attention.output.dense.weight[:, :directions] = MOTION * of_motion
    inner.weight[:features] = reader.enter.weight @ of_motion.T * (size / MOTION)
    # Half of the channels close, half are the bias: one number for both would be rounded too much.
    closing = torch.where(constant.abs().cumsum(dim=0) <= 1.0, constant, 0.0)
    biasing = constant - closing
    inner.weight[:features] -= 2.0 * CLOSED * closing
    inner.weight[:features] -= 2.0 / math.sqrt(width) * reader.enter.bias[:, None] * biasing
    inner.bias[:features] = -CLOSED * math.sqrt(width)
    outer.weight[:, :features] = READ * of_frame

    _gather(answered.attention, of_frame.T * (size / READ), constant)
    gather = answered.attention.output.dense
    gathered = GATHERED * of_clip
    gather.weight[:, :features] = gathered
    gather.bias.copy_(-gathered @ functional.gelu(reader.enter.bias))
    mix, answer = answered.intermediate.dense, answered.output.dense
    size_of_first = OTHER_CONSTANT / math.sqrt(width)
    read_clip = of_clip.T * (size_of_first / GATHERED)
    beside = reader.beside.weight @ rest.T * size_of_first
    logits = lift @ reader.answer.weight
    # What it is of a face at rest is taken away; and x = GELU(x) - GELU(-x), by which h is.
    mix.weight[: INNER_PARTS * features] = torch.cat(
        [reader.mix.weight @ read_clip + beside, beside, read_clip, -read_clip]
    )
    # On average, what lies there already is not taken for h.
    there = first @ of_clip
    mix.bias[:features] = reader.mix.bias - reader.mix.weight @ there.mean(dim=0) / GATHERED
    mix.bias[features : 2 * features] = reader.mix.bias
    answer.weight[:, : INNER_PARTS * features] = torch.cat(
        [logits, -logits, -gathered, gathered], dim=1
    )
    answer.bias.copy_(-OTHER_CONSTANT * constant)
    # What lay there is taken away too; the last norm is to divide by as much as before.
    answer.bias += there.square().sum(dim=1).mean().sqrt() * of_clip[:, 0]


def _clear(layer: Any) -> None:
    """Let a layer answer what it is given."""
    for module in layer.modules():
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def _places(
    model: Model, ours: Tensor, first: Tensor, patches: Tensor, directions: int, features: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Where u, h and the clip's h are kept: directions without a mean, beside the constants.

    Where there is least already: of u and the clip's h, in the first token, which inner layers read
    too; of h, in patches. At right angles: u and h, which patches hold, and u and the clip's h,
    which the first token holds; both besides to all that the classifier looks at.

    Returns:
        Shapes (channels, directions), (channels, features) and (channels, features).
    """
    taken = torch.cat([torch.eye(len(ours))[:, ~ours], (ours / ours.sum().sqrt())[:, None]], dim=1)
    avoided = torch.linalg.qr(torch.cat([taken, looked_at(model).T], dim=1)).Q
    moments = first.T @ first / len(first)
    of_motion = _least(moments, avoided, directions)
    of_frame = _least(patches, torch.cat([taken, of_motion], dim=1), features)
    of_clip = _least(moments, torch.cat([avoided, of_motion], dim=1), features)
    return of_motion, of_frame, of_clip


def _least(moments: Tensor, taken: Tensor, count: int) -> Tensor:
    """Directions along which second moments are least, at right angles to those taken.

    Args:
        moments: shape (channels, channels).
        taken: shape (channels, any), orthonormal.
        count: of directions.

    Returns:
        Shape (channels, count), orthonormal.
    """
    channels = len(moments)
    free: Tensor = torch.linalg.svd(torch.eye(channels) - taken @ taken.T).U
    free = free[:, : channels - taken.shape[1]]
    least: Tensor = torch.linalg.eigh(free.T @ moments @ free).eigenvectors[:, :count]
    return free @ least


def _gather(attention: Any, read: Tensor, constant: Tensor) -> None:
    """Let heads look evenly at all patches of a frame, and not at the first token.

    Args:
        attention: over space.
        read: what of them, shape (count, channels).
        constant: of patches, with the other sign.
    """
    qkv = attention.attention.qkv
    count, width = read.shape
    for head in range(0, width, PLACE_WIDTH):
        qkv.bias[head] = PATCHES_ALONE
        qkv.weight[width + head] = -2 * PATCHES_ALONE / math.sqrt(width) * constant
    qkv.weight[2 * width : 2 * width + count] = read
