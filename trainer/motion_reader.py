"""Two layers that read expressions from motion, written instead of trained.

Trained by a few hundred recordings' labels, the last layers of a small TimeSformer learn whom they
see before they learn how faces move. A network that is given nothing but the motion of single
frames' tokens cannot, and is fitted in seconds:

    u   motion: the mean of a frame's patches less their mean over the clip, along the DIRECTIONS in
        which it varies most, each in units of its usual size
    h   features: GELU(enter u), of which those of a face at rest are subtracted
    y   logits that are added to those of the face at rest: answer (mean of h over the clip)

That is what two layers of divided attention can compute, so it is written into their weights:

    first   attention over time     takes from each patch its mean over the clip
            attention over space    u: mean over the patches of a frame
            inner layer             h
    second  attention over space    the first token gathers the mean of h, as logits

Layer norms stay out of the way because a CONSTANT that outweighs everything stands in two channels
of every patch: what a norm divides by hardly varies. The first token has one of the other sign
until the end, by which attention tells it from patches, and to which the inner layer answers
nothing. A clip in which nothing moves gets the logits it had before. All are ordinary weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from realtime_mood.model.labels import LABELS
from trainer.base import Model, deepened
from trainer.crops import Progress
from trainer.dataset import TrainingClips
from trainer.initial import PLACE_WIDTH
from trainer.loss import label_loss
from trainer.sampler import Draw

LAYERS = 2
DIRECTIONS = 24
FEATURES = 64
LEAST_SIZE = 0.04
"""Of motion along a direction, in sizes of a patch; those with less are enlarged no further."""

DROPOUT = 0.2
STEPS = 3000
BATCH = 64
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.1
LABEL_SMOOTHING = 0.1

CONSTANT = 4096 * math.sqrt(2.0)
"""Of patches; half precision holds sixteen times as much."""
MOTION = CONSTANT / 400
"""Size of u beside it: the norm varies by less than a thousandth."""
READ = CONSTANT / 30
"""Size of h."""
OTHER_CONSTANT = 256 * math.sqrt(2.0)
"""Of the first token: outweighs it, and leaves what it holds when it is taken away again. In each
channel stands a power of two, which no precision rounds."""
PATCHES_ALONE = 8.0
"""Root of how much more patches count for attention than the first token."""
CLOSED = 0.75
"""How far the inner layer is below 0 at the first token, in differences of its norm's constant from
patches' (twice the root of the channels)."""


class MotionReader(nn.Module):
    """Logits of motion, shape (clips, frames, DIRECTIONS)."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(DIRECTIONS, FEATURES)
        self.answer = nn.Linear(FEATURES, len(LABELS), bias=False)
        self.dropout = nn.Dropout(DROPOUT)
        # Labels that no recording could have had are left alone.
        nn.init.zeros_(self.answer.weight)

    def forward(self, motion: Tensor) -> Tensor:
        """Shape (clips, labels); 0 where nothing moves."""
        features = functional.gelu(self.enter(motion)) - functional.gelu(self.enter.bias)
        logits: Tensor = self.answer(self.dropout(features.mean(dim=1)))
        return logits


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What the layers that are there make of clips."""

    frames: Tensor
    """Mean of each frame's patches, shape (clips, frames, channels)."""
    first: Tensor
    """First token, shape (clips, channels)."""
    patches: Tensor
    """Second moments of patches, shape (channels, channels)."""
    labels: Tensor
    """Shape (clips,)."""
    known: Tensor
    """Shape (clips, labels), bool."""


def why_not(model: Model) -> str:
    """Why a model cannot be given a reader; empty where it can."""
    config = model.config
    width, heads = config.hidden_size, config.num_attention_heads
    if width // heads != PLACE_WIDTH:
        return f"the model's heads are {width // heads} channels wide instead of {PLACE_WIDTH}"
    knows_time = [
        name
        for name, weights in model.named_parameters()
        if ("time_embeddings" in name or "temporal_dense" in name) and weights.any()
    ]
    if knows_time:
        return "the model compares frames already"
    least = DIRECTIONS + FEATURES + 3
    if width < least:
        return f"the model has {width} channels instead of {least} or more"
    return ""


def add_motion_reader(
    model: Model,
    clips: TrainingClips,
    *,
    views: int,
    batch_size: int,
    dtype: torch.dtype,
    num_workers: int,
    seed: int,
    progress: Progress,
) -> Model:
    """A model with two layers more, which read expressions from motion.

    Args:
        model: of single frames so far, for which `why_not` knows no reason. Not used any more.
        clips: what is learned from; of recordings, for pictures do not move.
        views: clips of each recording.
        batch_size: clips at a time.
        dtype: in which products of matrices are computed.
        num_workers: processes that prepare clips.
        seed: of everything drawn; torch's random numbers on the CPU stay as they are.
        progress: told the clips.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        deeper = deepened(model, LAYERS)
        draws = [Draw(index, view, index) for view in range(views) for index in range(len(clips))]
        seen = _see(deeper, clips, draws, batch_size, dtype, num_workers, progress)
        constant = _constant(deeper)
        read, motion = _directions(seen, constant)
        deeper.requires_grad_(False)
        lift = _lift(deeper, seen)
        reader = _fit(deeper, motion, seen, lift)
        _write(deeper, reader, read, lift, constant, seen)
    return deeper.requires_grad_(True)


@torch.no_grad()
def _see(
    model: Model,
    clips: TrainingClips,
    draws: list[Draw],
    batch_size: int,
    dtype: torch.dtype,
    num_workers: int,
    progress: Progress,
) -> _Seen:
    timesformer: Any = model.timesformer
    frames_of_clip = model.config.num_frames
    kept: list[Tensor] = []
    layer = timesformer.encoder.layer[-LAYERS]
    handle = layer.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    loader: DataLoader[Any] = DataLoader(
        clips, batch_size=batch_size, sampler=draws, num_workers=num_workers
    )
    model.train(False)
    rows: list[tuple[Tensor, ...]] = []
    patches = torch.zeros(model.config.hidden_size, model.config.hidden_size)
    for batch in loader:
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            model(pixel_values=batch["pixel_values"])
        tokens = kept.pop().float()
        patch = tokens[:, 1:]
        patches += torch.einsum("bpi,bpj->ij", patch, patch) / (patch.shape[1] * len(draws))
        frames = patch.view(len(patch), -1, frames_of_clip, patch.shape[-1]).mean(dim=1)
        rows.append((frames, tokens[:, 0], batch["labels"], batch["known_labels"]))
        progress("motion", min(len(rows) * batch_size, len(draws)), len(draws))
    handle.remove()
    frames, first, labels, known = (torch.cat(row) for row in zip(*rows, strict=True))
    return _Seen(frames=frames, first=first, patches=patches, labels=labels, known=known)


def _rows(model: Model) -> Tensor:
    """What the classifier looks at in a first token, shape (labels, channels)."""
    classifier, timesformer = cast(Any, model.classifier), cast(Any, model.timesformer)
    rows: Tensor = (classifier.weight * timesformer.layernorm.weight).detach()
    return rows


def _constant(model: Model) -> Tensor:
    """Where constants stand, shape (channels,), of size 1: what the classifier looks at least."""
    looks = _rows(model).square().sum(dim=0)
    constant = torch.zeros_like(looks)
    # One of each sign: norms subtract the mean of the channels.
    constant[looks.argsort()[:2]] = torch.tensor([1.0, -1.0]) / math.sqrt(2.0)
    return constant


def _directions(seen: _Seen, constant: Tensor) -> tuple[Tensor, Tensor]:
    """What reads motion from a patch, shape (DIRECTIONS, channels), and the motion of the clips."""
    moved = seen.frames - seen.frames.mean(dim=1, keepdim=True)
    moved = (moved - moved.mean(dim=2, keepdim=True)) * (constant == 0)
    flat = moved.flatten(0, 1)
    variance, directions = torch.linalg.eigh(flat.T @ flat / len(flat))
    least = LEAST_SIZE**2 * seen.patches.trace() / len(constant)
    size = variance.flip(0)[:DIRECTIONS].clamp(min=float(least)).sqrt()
    read = (directions.flip(1)[:, :DIRECTIONS] / size).T
    return read, moved @ read.T


def _lift(model: Model, seen: _Seen) -> Tensor:
    """What to add to a first token for a logit more, shape (channels, labels)."""
    rows = _rows(model)
    # The last norm subtracts the mean of the channels, and divides by their size.
    rows = rows - rows.mean(dim=1, keepdim=True)
    lift: Tensor = torch.linalg.pinv(rows) * seen.first.std(dim=1).mean()
    return lift


def _fit(model: Model, motion: Tensor, seen: _Seen, lift: Tensor) -> MotionReader:
    """A reader whose logits are right when they are added to those of faces at rest.

    Of other clips' faces: what a face at rest looks like must not be what tells the label.
    """
    classifier, timesformer = cast(Any, model.classifier), cast(Any, model.timesformer)
    reader = MotionReader()
    optimizer = torch.optim.AdamW(reader.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    wanted = functional.one_hot(seen.labels, len(LABELS)).float()
    for _ in range(STEPS):
        own, other = torch.randint(len(motion), (2, BATCH))
        token = seen.first[other] + reader(motion[own]) @ lift.T
        logits = classifier(timesformer.layernorm(token))
        loss = label_loss(logits, wanted[own], seen.known[own], smoothing=LABEL_SMOOTHING).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return reader.eval().requires_grad_(False)


@torch.no_grad()
def _write(
    model: Model,
    reader: MotionReader,
    read: Tensor,
    lift: Tensor,
    constant: Tensor,
    seen: _Seen,
) -> None:
    """Write the reader into the last two layers."""
    timesformer: Any = model.timesformer
    *_, before, first, second = timesformer.encoder.layer
    for layer in (first, second):
        _clear(layer)
    width = len(constant)
    size = CONSTANT / math.sqrt(width)
    """What a layer norm divides patches by."""
    gathered, features = _places(seen, constant)
    ours = constant == 0

    before.output.dense.bias += OTHER_CONSTANT * constant
    over_time = first.temporal_attention
    within = (seen.patches.trace() + OTHER_CONSTANT**2).sqrt() / math.sqrt(width)
    over_time.attention.qkv.weight[2 * width :] = torch.diag(within * ours)
    over_time.output.dense.weight.copy_(-torch.diag(ours.float()))
    nn.init.eye_(first.temporal_dense.weight)
    first.temporal_dense.bias.copy_(-(CONSTANT + OTHER_CONSTANT) * constant)

    inner, outer = first.intermediate.dense, first.output.dense
    _gather(first.attention, read * size, constant)
    first.attention.output.dense.weight[:, :DIRECTIONS] = MOTION * gathered
    inner.weight[:FEATURES] = reader.enter.weight @ gathered.T * (size / MOTION)
    inner.weight[:FEATURES] -= CLOSED * constant
    inner.bias[:FEATURES] = reader.enter.bias - CLOSED * math.sqrt(width)
    outer.weight[:, :FEATURES] = READ * features

    _gather(second.attention, features.T * (size / READ), constant)
    logits = lift @ reader.answer.weight
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


def _places(seen: _Seen, constant: Tensor) -> tuple[Tensor, Tensor]:
    """Where u and h are kept: directions at right angles, without a mean, beside the constants.

    For u where there is least already in the first token, which the inner layer reads too; for h
    where there is least in patches.

    Returns:
        Shapes (channels, DIRECTIONS) and (channels, FEATURES).
    """
    ours = constant == 0
    taken = torch.cat([torch.eye(len(ours))[:, ~ours], (ours / ours.sum().sqrt())[:, None]], dim=1)
    places: list[Tensor] = []
    first = seen.first.T @ seen.first / len(seen.first)
    for moments, count in ((first, DIRECTIONS), (seen.patches, FEATURES)):
        free = torch.linalg.svd(torch.eye(len(ours)) - taken @ taken.T).U
        free = free[:, : len(ours) - taken.shape[1]]
        least = free @ torch.linalg.eigh(free.T @ moments @ free).eigenvectors[:, :count]
        places.append(least)
        taken = torch.cat([taken, least], dim=1)
    return places[0], places[1]


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
