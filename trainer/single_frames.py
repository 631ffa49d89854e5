"""The warm-up on single frames: a convolutional teacher, and a TimeSformer that learns from it.

A small TimeSformer with random weights stays at chance for thousands of steps. A convolutional
network does not; and once there is one, the TimeSformer's patch tokens can be asked for its
feature map, place by place, which gives every token a target from the first step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime_mood.model.labels import LABELS
from trainer.base import Model

TEACHER_WIDTHS = (32, 64, 128, 192)
TEACHER_DROPOUT = 0.2
LABEL_SMOOTHING = 0.1
DENSE_WEIGHT = 2.0
RECORDING_WEIGHT = 0.5
"""Of a recording's frame against a still: half of what it shows is speech, not expression."""


class Teacher(nn.Module):
    """A residual network (He et al. 2016) whose feature map has one place per patch of 16 px."""

    def __init__(self) -> None:
        super().__init__()
        stem, *rest = TEACHER_WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem), nn.ReLU()
        )
        widths = zip(TEACHER_WIDTHS, rest, strict=False)
        self.blocks = nn.Sequential(*(_Block(before, after) for before, after in widths))
        self.dropout = nn.Dropout(TEACHER_DROPOUT)
        self.recording_head = nn.Linear(rest[-1], len(LABELS))
        self.still_head = nn.Linear(rest[-1], len(LABELS))

    def features(self, frames: Tensor) -> Tensor:
        """Feature map, shape (batch, 192, image_size / 16, image_size / 16).

        Args:
            frames: shape (batch, 3, image_size, image_size); halved first.
        """
        small = functional.avg_pool2d(frames, 2).to(memory_format=torch.channels_last)
        answer: Tensor = self.blocks(self.stem(small))
        return answer

    def classify(self, features: Tensor, is_still: Tensor) -> Tensor:
        """Logits, shape (batch, labels), each by the head of where the frame comes from."""
        pooled = self.dropout(features.mean(dim=(2, 3)))
        return torch.where(is_still[:, None], self.still_head(pooled), self.recording_head(pooled))

    def forward(self, pixel_values: Tensor, labels: Tensor, is_still: Tensor) -> dict[str, Tensor]:
        """Loss and logits of clips of one frame, shape (batch, 1, 3, image_size, image_size)."""
        logits = self.classify(self.features(pixel_values[:, 0]), is_still).float()
        return {"loss": _label_loss(logits, labels, is_still), "logits": logits}


class Student(nn.Module):
    """A single-frame TimeSformer with what it needs, while it learns, beside it.

    Args:
        model: made for clips of one frame; its classifier learns the recordings' labels.
        teacher: asked for features and probabilities, not changed; None: labels alone.
    """

    def __init__(self, model: Model, teacher: Teacher | None) -> None:
        super().__init__()
        width = model.config.hidden_size
        self.model = model
        self.still_head = nn.Linear(width, len(LABELS))
        self.to_teacher = nn.Linear(width, TEACHER_WIDTHS[-1])
        # In a list, so that it is neither trained nor saved with the student.
        self._teacher = [teacher.eval().requires_grad_(False)] if teacher else []

    def forward(self, pixel_values: Tensor, labels: Tensor, is_still: Tensor) -> dict[str, Tensor]:
        """Loss and logits of clips of one frame, shape (batch, 1, 3, image_size, image_size)."""
        model: Any = self.model
        tokens = model.timesformer(pixel_values)[0]
        summary = tokens[:, 0]
        logits = torch.where(
            is_still[:, None], self.still_head(summary), model.classifier(summary)
        ).float()
        loss = _label_loss(logits, labels, is_still)
        for teacher in self._teacher:
            with torch.no_grad():
                features = teacher.to(pixel_values.device).features(pixel_values[:, 0])
                wanted = teacher.classify(features, is_still).float().softmax(dim=-1)
                places = _standardise(features.float().flatten(2).transpose(1, 2))
            # Kullback-Leibler divergence of the teacher's probabilities, a frame.
            apart = functional.kl_div(logits.log_softmax(dim=-1), wanted, reduction="none").sum(-1)
            dense = functional.mse_loss(self.to_teacher(tokens[:, 1:]).float(), places)
            loss = 0.5 * loss + (apart * _weights(is_still)).mean() + DENSE_WEIGHT * dense
        return {"loss": loss, "logits": logits}


class _Block(nn.Module):
    """Two convolutions and a shortcut; halves height and width."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(before, after, 1, stride=2, bias=False), nn.BatchNorm2d(after)
        )

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.inner(features) + self.shortcut(features))


def _standardise(places: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 for each channel over the batch and its places."""
    mean = places.mean(dim=(0, 1))
    return (places - mean) / (places.std(dim=(0, 1)) + 1e-3)


def _weights(is_still: Tensor) -> Tensor:
    return torch.where(is_still, 1.0, RECORDING_WEIGHT)


def _label_loss(logits: Tensor, labels: Tensor, is_still: Tensor) -> Tensor:
    losses = functional.cross_entropy(
        logits, labels, reduction="none", label_smoothing=LABEL_SMOOTHING
    )
    return (losses * _weights(is_still)).mean()
