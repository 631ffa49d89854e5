"""Two layers that read expressions from motion, written instead of trained.

Trained by a few hundred recordings' labels, the last layers of a small TimeSformer learn whom they
see before they learn how faces move. A network that is given nothing but the motion of single
frames' tokens cannot, and is fitted in seconds:

    u   motion: what the tokens of a frame say on average, less its mean over the clip, along the
        DIRECTIONS in which it varies most, each in units of its usual size
    h   features: GELU(enter u), of which those of a face at rest are subtracted
    y   logits that are added to those of the face at rest: answer (mean of h over the clip)

That is what two layers of divided attention can compute exactly, so it is written into their
weights:

    first   attention over time     u of each patch: its own frame less all frames
            attention over space    mean of u over the patches of a frame
            inner layer             h
    second  attention over space    the first token gathers the mean of h, as logits

Layer norms stay out of the way because a CONSTANT that outweighs everything stands in two channels
of every patch: what a norm divides by hardly varies. The first token has no such constant, by which
attention tells it from patches; between the two layers it has one of the other sign, to which the
inner layer answers nothing. A clip in which nothing moves gets the logits it had before. All are
ordinary weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from realtime_mood.model.labels import LABELS
from trainer.base import Model, deepened
from trainer.dataset import TrainingClips
from trainer.initial import PLACE_WIDTH, compare_frames
from trainer.loss import label_loss
from trainer.sampler import Draw

LAYERS = 2
DIRECTIONS = 24
FEATURES = 64
LEAST_SIZE = 0.04
"""Of motion along a direction, where tokens are of size 1; directions with less are not enlarged
further."""

DROPOUT = 0.2
STEPS = 3000
BATCH = 64
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.1
LABEL_SMOOTHING = 0.1

CONSTANT = 40_000.0
"""Below what half precision holds."""
MOTION = CONSTANT / 400
"""Size of u beside it: the norm varies by less than a thousandth, and what tokens held before is a
hundredth of u."""
READ = CONSTANT / 30
"""Size of h."""
OWN_FRAME = 20.0
"""As in `initial`, but sharper: u must be the frame's own."""
PATCHES_ALONE = 8.0
"""Root of how much more patches count for attention than the first token, before its scale."""
OTHER_CONSTANT = -CONSTANT / 100
"""Of the first token: outweighs it, and leaves what it holds when it is taken away again."""
CLOSED = 2.0
"""How far the inner layer is below 0 at the first token, in halves of the constants' difference."""


class MotionReader(nn.Module):
    """Logits of motion, shape (clips, frames, DIRECTIONS)."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(DIRECTIONS, FEATURES)
        self.answer = nn.Linear(FEATURES, len(LABELS), bias=False)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, motion: Tensor) -> Tensor:
        """Shape (clips, labels); 0 where nothing moves."""
        features = functional.gelu(self.enter(motion)) - functional.gelu(self.enter.bias)
        logits: Tensor = self.answer(self.dropout(features.mean(dim=1)))
        return logits


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What the layers that are there make of clips."""

    frames: Tensor
    """Mean of each frame's patches after a layer norm, shape (clips, frames, channels)."""
    first: Tensor
    """First token, shape (clips, channels)."""
    logits: Tensor
    """Of the model as it is, shape (clips, labels)."""
    patches: Tensor
    """Second moments of patches, shape (channels, channels)."""
    labels: Tensor
    """Shape (clips,)."""
    known: Tensor
    """Shape (clips, labels), bool."""


def why_not(model: Model) -> str:
    """Why a model cannot be given a reader; empty where it can."""
    config = model.config
    width, heads, frames = config.hidden_size, config.num_attention_heads, config.num_frames
    if width // heads != PLACE_WIDTH:
        return f"the model's heads are {width // heads} channels wide instead of {PLACE_WIDTH}"
    least = 2 * DIRECTIONS + FEATURES + frames + 3
    if frames > PLACE_WIDTH or width < least:
        return (
            f"the model has {width} channels and {frames} frames; {least} channels are needed, and "
            f"{PLACE_WIDTH} frames at most"
        )
    return ""


def add_motion_reader(
    model: Model, clips: TrainingClips, *, views: int, num_workers: int, seed: int
) -> Model:
    """A model with two layers more, which read expressions from motion.

    Args:
        model: of single frames so far, for which `why_not` knows no reason. Not used any more.
        clips: what is learned from; of recordings, for pictures do not move.
        views: clips of each recording.
        num_workers: processes that prepare clips.
        seed: of everything drawn; torch's random numbers stay as they are.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        deeper = deepened(model, LAYERS)
        compare_frames(deeper)
        seen = _see(deeper, clips, views, num_workers)
        read, motion = _directions(seen, deeper.config.num_frames)
        reader = _fit(motion, seen)
        _write(deeper, reader, read, seen)
    return deeper


@torch.no_grad()
def _see(model: Model, clips: TrainingClips, views: int, num_workers: int) -> _Seen:
    timesformer: Any = model.timesformer
    frames_of_clip = model.config.num_frames
    kept: list[Tensor] = []
    layer = timesformer.encoder.layer[-LAYERS]
    handle = layer.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    count = len(clips)
    draws = [Draw(index, view, index) for view in range(views) for index in range(count)]
    loader: DataLoader[Any] = DataLoader(
        clips,
        batch_size=32,
        sampler=draws,
        num_workers=num_workers,
    )
    model.train(False)
    rows: list[tuple[Tensor, ...]] = []
    patches = torch.zeros(model.config.hidden_size, model.config.hidden_size)
    for batch in loader:
        logits = model(pixel_values=batch["pixel_values"]).logits
        tokens = kept.pop().float()
        patch = tokens[:, 1:]
        patches += torch.einsum("bpi,bpj->ij", patch, patch) / (patch.shape[1] * len(draws))
        normed = functional.layer_norm(patch, patch.shape[-1:])
        frames = normed.view(len(normed), -1, frames_of_clip, normed.shape[-1]).mean(dim=1)
        rows.append((frames, tokens[:, 0], logits, batch["labels"], batch["known_labels"]))
    handle.remove()
    frames, first, logits, labels, known = (torch.cat(row) for row in zip(*rows, strict=True))
    return _Seen(
        frames=frames, first=first, logits=logits, patches=patches, labels=labels, known=known
    )


def _directions(seen: _Seen, frames: int) -> tuple[Tensor, Tensor]:
    """What reads motion from a frame, shape (DIRECTIONS, content), and the motion of the clips."""
    content = seen.frames.shape[-1] - frames
    moved = seen.frames[..., :content]
    moved = moved - moved.mean(dim=1, keepdim=True)
    flat = moved.flatten(0, 1)
    variance, directions = torch.linalg.eigh(flat.T @ flat / len(flat))
    size = variance.flip(0)[:DIRECTIONS].clamp(min=LEAST_SIZE**2).sqrt()
    read = (directions.flip(1)[:, :DIRECTIONS] / size).T
    return read, moved @ read.T


def _fit(motion: Tensor, seen: _Seen) -> MotionReader:
    """A reader whose logits are right when they are added to those of faces at rest.

    Of other clips' faces: what a face at rest looks like must not be what tells the label.
    """
    reader = MotionReader()
    optimizer = torch.optim.AdamW(reader.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    wanted = functional.one_hot(seen.labels, len(LABELS)).float()
    for _ in range(STEPS):
        own, other = torch.randint(len(motion), (2, BATCH))
        logits = reader(motion[own]) + seen.logits[other]
        loss = label_loss(logits, wanted[own], seen.known[own], smoothing=LABEL_SMOOTHING).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return reader.eval().requires_grad_(False)


@torch.no_grad()
def _write(model: Model, reader: MotionReader, read: Tensor, seen: _Seen) -> None:
    """Write the reader into the last two layers."""
    timesformer: Any = model.timesformer
    first, second = timesformer.encoder.layer[-LAYERS:]
    frames, width = model.config.num_frames, model.config.hidden_size
    content = width - frames
    for layer in (first, second):
        _clear(layer)
    constant = torch.zeros(width)
    constant[content - 2], constant[content - 1] = 1 / math.sqrt(2.0), -1 / math.sqrt(2.0)
    size = CONSTANT / math.sqrt(width)
    """What a layer norm divides patches by."""
    moved, gathered, features = _places(seen, content)

    _subtract_mean(first.temporal_attention, read, moved, frames)
    nn.init.eye_(first.temporal_dense.weight)
    first.temporal_dense.bias.copy_((CONSTANT - OTHER_CONSTANT) * constant)
    inner, outer = first.intermediate.dense, first.output.dense
    _gather(first.attention, moved * (size / MOTION), constant)
    first.attention.output.dense.weight[:, :DIRECTIONS] = MOTION * gathered
    first.attention.output.dense.bias.copy_(OTHER_CONSTANT * constant)
    inner.weight[:FEATURES] = reader.enter.weight @ gathered.T * (size / MOTION)
    inner.weight[:FEATURES] += CLOSED * constant
    inner.bias[:FEATURES] = reader.enter.bias - CLOSED * math.sqrt(width)
    outer.weight[:, :FEATURES] = READ * features
    _gather(second.attention, features * (size / READ), constant)
    # The last norm divides by the first token's size, and subtracts its mean.
    classifier: Any = model.classifier
    rows = classifier.weight * timesformer.layernorm.weight
    rows = rows - rows.mean(dim=1, keepdim=True)
    logits = torch.linalg.pinv(rows) * seen.first.std(dim=1).mean() @ reader.answer.weight
    last = second.attention.output.dense
    last.weight[:, :FEATURES] = logits
    last.bias.copy_(-logits @ functional.gelu(reader.enter.bias) - OTHER_CONSTANT * constant)


def _clear(layer: Any) -> None:
    """Let a layer answer what it is given."""
    for module in layer.modules():
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def _places(seen: _Seen, content: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where motion, its mean over patches, and features are kept: directions at right angles.

    Where there is least already: in patches, and for what the inner layer reads, in the first
    token. Norms subtract the mean of the channels, so no direction has one; the last two channels
    hold the constant.

    Returns:
        Shapes (channels, DIRECTIONS), (channels, DIRECTIONS), (channels, FEATURES).
    """
    width = len(seen.patches)
    taken = torch.zeros(width, width - content + 3)
    taken[content - 2 :, : width - content + 2] = torch.eye(width - content + 2)
    taken[: content - 2, -1] = 1 / math.sqrt(content - 2)
    places: list[Tensor] = []
    for moments, count in (
        (seen.first.T @ seen.first / len(seen.first), DIRECTIONS),
        (seen.patches, DIRECTIONS + FEATURES),
    ):
        outside = torch.eye(width) - taken @ taken.T
        within = torch.linalg.svd(outside).U[:, : width - taken.shape[1]]
        least = within @ torch.linalg.eigh(within.T @ moments @ within).eigenvectors[:, :count]
        places.append(least)
        taken = torch.cat([taken, least], dim=1)
    gathered, rest = places
    return rest[:, :DIRECTIONS], gathered, rest[:, DIRECTIONS:]


def _subtract_mean(attention: Any, read: Tensor, place: Tensor, frames: int) -> None:
    """Let pairs of heads write how a patch differs from its mean over the clip."""
    qkv, output = attention.attention.qkv, attention.output.dense
    width, content = output.out_features, read.shape[1]
    own_frame = OWN_FRAME * functional.pad(torch.eye(frames), (content, 0))
    for pair, start in enumerate(range(0, DIRECTIONS, PLACE_WIDTH)):
        rows = slice(start, min(start + PLACE_WIDTH, DIRECTIONS))
        count, first = rows.stop - rows.start, 2 * pair * PLACE_WIDTH
        for head, sign in ((first, 1.0), (first + PLACE_WIDTH, -1.0)):
            qkv.weight[2 * width + head : 2 * width + head + count, :content] = read[rows]
            output.weight[:, head : head + count] = sign * MOTION * place[:, rows]
        for half in (0, width):
            qkv.weight[half + first : half + first + frames] = own_frame


def _gather(attention: Any, read: Tensor, constant: Tensor) -> None:
    """Let heads look evenly at all patches of a frame, and not at the first token."""
    qkv = attention.attention.qkv
    width, count = read.shape
    heads: Sequence[int] = range(0, width, PLACE_WIDTH)
    for head in heads:
        qkv.bias[head] = PATCHES_ALONE
        qkv.weight[width + head] = 2 * PATCHES_ALONE / math.sqrt(width) * constant
    qkv.weight[2 * width : 2 * width + count] = read.T
