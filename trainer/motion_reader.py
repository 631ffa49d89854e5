"""Two layers that read expressions from motion, written instead of trained.

Trained by a few hundred recordings' labels, the last layers of a small TimeSformer learn whom they
see before they learn how faces move. A network that is given nothing but the motion of single
frames' tokens cannot, and is fitted in seconds:

    u   motion: the mean of a frame's patches less their mean over the clip, along the DIRECTIONS in
        which it varies most, each in units of its usual size
    h   of each frame: GELU(enter u); of the clip, their mean, less what it is of a face at rest
    r   logits of the face at rest: what the first token says of the clip so far
    y   logits that are added to r: answer GELU(mix h + beside r), likewise

By r the network knows how much there is to add: motion says more of a face that shows little, and a
mouth that moves in a broad smile is not what it is in a face that shows nothing. That is what two
layers of divided attention can compute, so `motion_layers` writes it into them.

Where there are pictures, they are what the network learns to be silent from: a camera that moves, a
hand before the face, a cut from one face to another, the faint motion of a face at rest, motion
unlike any of the recordings', and talk change nothing of what a picture is called.

Of a few hundred recordings, one network learns this and another that. Several are fitted, and one
more learns the mean of the probabilities that they lead to (Hinton et al. 2015, arXiv 1503.02531).
Not of their logits: what they say to all labels alike makes them less sure, by the last norm, some
of them with one sign and some with the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime_mood.model.labels import LABELS
from trainer.base import Model
from trainer.loss import label_loss
from trainer.motion_layers import looked_at
from trainer.motion_seen import DIRECTIONS, Idle, Seen

FEATURES = 64
"""Of a frame and a clip, and as many of what is made of a clip's."""
MEMBERS = 8
"""Networks that are averaged."""
WEIGHT = 2.0
"""Of what they say. What a face at rest seems to show misleads more of people that were not learned
from; the more weight, the more of recordings and the less of pictures are right."""
DROPOUT = 0.2
STEPS = 3000
BATCH = 96
PICTURES = 96
"""Beside as many recordings as BATCH."""
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.1
LABEL_SMOOTHING = 0.4
"""Of what recordings are called, which single clips of them often do not show."""
PICTURES_SMOOTHING = 0.1


class MotionReader(nn.Module):
    """Logits of motion and of the face at rest."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(DIRECTIONS, FEATURES)
        self.mix = nn.Linear(FEATURES, FEATURES)
        self.beside = nn.Linear(len(LABELS), FEATURES, bias=False)
        self.answer = nn.Linear(FEATURES, len(LABELS), bias=False)
        self.dropout = nn.Dropout(DROPOUT)
        # Labels that no recording could have had are hardly moved, by the norm alone.
        nn.init.zeros_(self.answer.weight)

    def forward(self, motion: Tensor, rest: Tensor) -> Tensor:
        """Shape (clips, labels); 0 where nothing moves.

        Args:
            motion: shape (clips, frames, DIRECTIONS).
            rest: logits of the face at rest, shape (clips, labels); see `ClassifierHead`.
        """
        clip = functional.gelu(self.enter(motion)).mean(dim=1) - functional.gelu(self.enter.bias)
        beside = self.beside(rest)
        mixed = functional.gelu(self.mix(clip) + beside)
        mixed = mixed - functional.gelu(self.mix.bias + beside)
        logits: Tensor = self.answer(self.dropout(mixed))
        return logits


@dataclass(frozen=True)
class ClassifierHead:
    """How a model makes logits of first tokens."""

    model: Model
    """Its last norm and its classifier are used."""
    lift: Tensor
    """What is added to a first token for a logit more, shape (channels, labels)."""
    rest: Tensor
    """What reads logits from a first token, up to their bias, shape (channels, labels)."""

    @classmethod
    def of(cls, model: Model, seen: Seen, constant: Tensor) -> ClassifierHead:
        """The head of a model.

        Args:
            model: whose head it is.
            seen: whose first tokens are of the size that the last norm divides by.
            constant: where it stands nothing can be read.
        """
        rows, size = looked_at(model), seen.first.std(dim=1).mean()
        # The last norm subtracts the mean of the channels, and divides by their size.
        lift = torch.linalg.pinv(rows - rows.mean(dim=1, keepdim=True)) * size
        ours = constant == 0
        rest = (rows - rows[:, ours].mean(dim=1, keepdim=True)) * ours
        return cls(model, lift, rest.T / size)

    def answer(self, first: Tensor, said: Tensor) -> Tensor:
        """Logits of first tokens, shape (clips, channels), to which others are added."""
        classifier, timesformer = (
            cast(Any, self.model.classifier),
            cast(Any, self.model.timesformer),
        )
        logits: Tensor = classifier(timesformer.layernorm(first + said @ self.lift.T))
        return logits


def fit_reader(
    head: ClassifierHead, moved: Tensor, recordings: Seen, idle: Idle | None
) -> MotionReader:
    """A reader of what several learned.

    Args:
        head: makes logits.
        moved: the recordings' motion, shape (clips, frames, DIRECTIONS).
        recordings: what is learned.
        idle: what says nothing; None: there is nothing of the kind.
    """
    fit = partial(_fit, head, moved, recordings, idle)
    return fit([fit() for _ in range(MEMBERS)])


def _fit(
    head: ClassifierHead,
    moved: Tensor,
    recordings: Seen,
    idle: Idle | None,
    members: Sequence[MotionReader] = (),
) -> MotionReader:
    """A reader whose logits are right when they are added to those of faces at rest.

    Of other recordings' faces: what a face at rest looks like must not be what tells the label. Of
    pictures it is what tells it. With members, what they lead to on average is right.
    """
    reader = MotionReader().train(not members)
    optimizer = torch.optim.AdamW(reader.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        own, other = torch.randint(len(moved), (2, BATCH))
        u, first = moved[own], recordings.first[other]
        labels, known = recordings.labels[own], recordings.known[own]
        smoothing = torch.full((BATCH, 1), LABEL_SMOOTHING)
        if idle is not None:
            chosen, said = idle.draw(PICTURES)
            u, first = torch.cat([u, said]), torch.cat([first, idle.first[chosen]])
            labels = torch.cat([labels, idle.labels[chosen]])
            known = torch.cat([known, idle.known[chosen]])
            smoothing = torch.cat([smoothing, torch.full((PICTURES, 1), PICTURES_SMOOTHING)])
        at_rest = first @ head.rest
        logits = head.answer(first, reader(u, at_rest))
        if members:
            shares = [
                head.answer(first, WEIGHT * member(u, at_rest)).softmax(dim=-1)
                for member in members
            ]
            loss = functional.cross_entropy(logits, torch.stack(shares).mean(dim=0))
        else:
            wanted = functional.one_hot(labels, len(LABELS)).float()
            loss = label_loss(logits, wanted, known, smoothing=smoothing).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return reader.eval().requires_grad_(False)
