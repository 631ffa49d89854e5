"""A TimeSformer is asked, besides the label, how the parts of the face move (see `motion`).

Twice: in the middle of the model, frame by frame, how each frame differs from its clip; at its end,
what `MotionTeacher` makes of that. Between them lie the last layers, where attention over time
starts as a comparison of frames.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.base import Model
from trainer.initial import comparing_layers
from trainer.motion import DIRECTIONS
from trainer.motion_teacher import FEATURES, MotionTeacher
from trainer.second_task import SecondTask

HUBER_BETA = 1.0
FEATURES_SHARE = 0.5
"""Weight of the teacher's features; that of the motion of frames is 1."""


class MotionLearner(SecondTask):
    """A TimeSformer that is asked for motion too.

    Args:
        model: trained in place.
        teacher: of the recordings that are learned from; not trained.
    """

    def __init__(self, model: Model, teacher: MotionTeacher) -> None:
        super().__init__(model)
        width = model.config.hidden_size
        self._layers_before = comparing_layers(model).start
        self.norm = nn.LayerNorm(width)
        self.motion_head = nn.Linear(width, DIRECTIONS)
        self.features_head = nn.Linear(width, FEATURES)
        self.teacher = teacher

    def forward(self, pixel_values: Tensor, motion: Tensor | None = None) -> dict[str, Tensor]:
        """See `SecondTask`.

        Args:
            pixel_values: shape (batch, num_frames, 3, image_size, image_size).
            motion: shape (batch, num_frames, DIRECTIONS), see `MotionTargets`; NaN leaves out.
        """
        model: Any = self.model
        asked = motion is not None
        answer = model.timesformer(pixel_values, output_hidden_states=asked, return_dict=True)
        logits = model.classifier(answer.last_hidden_state[:, 0]).float()
        asked_for: dict[str, Tensor] = {}
        if motion is not None:
            # TimeSformer keeps its tokens patch by patch, and the frames of each patch together.
            tokens = answer.hidden_states[self._layers_before][:, 1:]
            frames = tokens.unflatten(1, (-1, motion.shape[1])).mean(dim=1)
            found = self.motion_head(self.norm(frames)).float()
            loss = motion_loss(found - found.mean(dim=1, keepdim=True), motion)
            features = self.features_head(answer.last_hidden_state[:, 0]).float()
            # What is not known is NaN, and pictures, which do not move, teach nothing of motion.
            moves = motion.abs().sum(dim=(1, 2)) > 0
            known = motion.nan_to_num()
            wanted = self.teacher.features(known)
            asked_for["motion"] = loss + FEATURES_SHARE * motion_loss(
                features, wanted.where(moves[:, None], torch.nan)
            )
        return {"logits": logits, **asked_for}


def motion_loss(found: Tensor, motion: Tensor) -> Tensor:
    """Mean Huber loss where motion, or what is made of it, is known, a number.

    Args:
        found: any shape.
        motion: the same; NaN is not known.
    """
    known = motion.isfinite()
    off = functional.smooth_l1_loss(found, motion.nan_to_num(), reduction="none", beta=HUBER_BETA)
    return (off * known).sum() / known.sum().clamp(min=1)
