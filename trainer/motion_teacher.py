"""A teacher that knows expressions by motion alone, and is fitted in a minute.

Asked for labels, a small TimeSformer learns who is seen long before it learns what motion means. A
network that is given nothing but how landmarks move (see `motion`) cannot know anybody. What it
makes of a clip is what the TimeSformer's first token is asked for: many features of the whole clip,
of which labels are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime_mood.model.clip_spec import ClipSpec, nearest_indices
from realtime_mood.model.labels import LABELS
from trainer.clip_times import jittered_times_s
from trainer.config import RecipeConfig
from trainer.crops import FaceCrops
from trainer.dataset import known_mask
from trainer.loss import label_loss
from trainer.motion import DIRECTIONS, MotionTargets

WIDTH = 64
FEATURES = 2 * WIDTH
DROPOUT = 0.4
STEPS = 2500
BATCH = 64
LEARNING_RATE = 2e-3
WARMUP_STEPS = 50
WEIGHT_DECAY = 0.1
LABEL_SMOOTHING = 0.1
LEAST_SPREAD = 0.05
"""Standard deviation below which a feature is not enlarged further."""


class MotionTeacher(nn.Module):
    """A small temporal convolution network of motion, shape (batch, num_frames, DIRECTIONS)."""

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(DIRECTIONS, WIDTH)
        self.mix = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 3, padding=1) for _ in range(2))
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(FEATURES, len(LABELS))
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("spread", torch.ones(FEATURES))

    def forward(self, motion: Tensor) -> Tensor:
        """Logits, shape (batch, labels)."""
        logits: Tensor = self.classifier(self.dropout(self._pooled(motion)))
        return logits

    @torch.no_grad()
    def features(self, motion: Tensor) -> Tensor:
        """Of each clip, shape (batch, FEATURES): 0 on average, in units of their usual size."""
        return (self._pooled(motion) - self.mean) / self.spread

    @torch.no_grad()
    def measure_features(self, motion: Tensor) -> None:
        """Learn what is usual from some clips."""
        pooled = self._pooled(motion)
        self.mean.copy_(pooled.mean(dim=0))
        self.spread.copy_(pooled.std(dim=0).clamp(min=LEAST_SPREAD))

    def _pooled(self, motion: Tensor) -> Tensor:
        seen = functional.gelu(self.enter(motion)).transpose(1, 2)
        for mix in self.mix:
            seen = seen + functional.gelu(mix(seen))
        return torch.cat([seen.mean(dim=2), seen.amax(dim=2)], dim=1)


def fit_teacher(
    recordings: Sequence[FaceCrops],
    targets: MotionTargets,
    spec: ClipSpec,
    *,
    recipe: RecipeConfig,
    seed: int,
) -> MotionTeacher:
    """A teacher of clips at random times of recordings.

    Args:
        recordings: learned from; pictures, and recordings without landmarks, are left out.
        targets: of the same recordings.
        spec: what a clip is.
        recipe: how clips vary in time, and whether they are mirrored.
        seed: of everything drawn; torch's random numbers on the CPU stay as they are.

    Returns:
        Ready, and frozen.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        teacher = MotionTeacher()
        optimizer = torch.optim.AdamW(
            teacher.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
        )
        schedule = torch.optim.lr_scheduler.SequentialLR(
            optimizer,
            [
                torch.optim.lr_scheduler.LinearLR(optimizer, 1 / WARMUP_STEPS, 1.0, WARMUP_STEPS),
                torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS - WARMUP_STEPS),
            ],
            [WARMUP_STEPS],
        )
        batches = _batches(recordings, targets, spec, recipe, seed)
        for _, (motion, labels, known) in zip(range(STEPS), batches, strict=False):
            wanted = functional.one_hot(labels, len(LABELS)).float()
            loss = label_loss(teacher(motion), wanted, known, smoothing=LABEL_SMOOTHING).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        measured = [motion for _, (motion, *_) in zip(range(WARMUP_STEPS), batches, strict=False)]
        if measured:
            teacher.measure_features(torch.cat(measured))
    return teacher.eval().requires_grad_(False)


def _batches(
    recordings: Sequence[FaceCrops],
    targets: MotionTargets,
    spec: ClipSpec,
    recipe: RecipeConfig,
    seed: int,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Motion, labels and what they could have been, of clips, for ever; nothing where nothing is
    known."""
    known = [index for index, crops in enumerate(recordings) if crops.landmarks_file is not None]
    rng = np.random.default_rng(seed)
    while known:
        chosen = rng.choice(known, BATCH)
        motion = []
        for index in chosen:
            times_s = recordings[index].times_s
            frames = nearest_indices(times_s, jittered_times_s(times_s, spec, recipe, rng))
            mirrors = recipe.flip and rng.random() < 0.5
            motion.append(targets.of(index, frames, is_mirrored=mirrors))
        labels = [recordings[index].recording.label for index in chosen]
        masks = [known_mask(recordings[index].recording) for index in chosen]
        yield torch.from_numpy(np.stack(motion)), torch.tensor(labels), torch.stack(masks)
