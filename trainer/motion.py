"""A second task that teaches a model with random weights to see motion.

A small TimeSformer that is asked for nothing but the expression stays at chance: the few hundred
people and takes of a corpus are told apart by looks long before they are by motion. Asked how far
every patch of every frame has moved within the clip, and what the motion of the whole clip is like,
it learns within minutes, because each clip holds hundreds of such answers, and any video holds them
for nothing. What it needs for that is what an expression is made of.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime_mood.model.labels import LABELS
from trainer.base import Model, patches_along_side

MOTION_WEIGHT = 4.0
SUMMARY_WEIGHT = 10.0
MOTION_UNIT_PX = 1.5
"""Motion is measured in this many pixels of the crop, which makes its usual size about 1."""
HUBER_BETA = 0.5


def patch_motion(crops_bgr: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.float32]:
    """How far each patch of each frame is from its mean place in the clip.

    Dense optical flow (Kroeger et al. 2016, arXiv 1603.03590) from the first frame to every other
    one, averaged over patches.

    Args:
        crops_bgr: shape (num_frames, size, size, 3), uint8.
        side: patches along one side.

    Returns:
        Shape (num_frames, side, side, 2), float32: right and down, in `MOTION_UNIT_PX` pixels.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    greys = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in crops_bgr]
    moved = np.zeros((len(greys), side, side, 2), dtype=np.float32)
    for position, grey in enumerate(greys[1:], start=1):
        field = flow.calc(greys[0], grey, None)  # type: ignore[call-overload]
        moved[position] = cv2.resize(field, (side, side), interpolation=cv2.INTER_AREA)
    relative: npt.NDArray[np.float32] = (moved - moved.mean(axis=0)) / np.float32(MOTION_UNIT_PX)
    return relative


def motion_summary(motion: Tensor) -> Tensor:
    """What a whole clip's motion is like: the model's first token is asked for it.

    Of every patch against the picture's mean motion: standard deviation, greatest and least value
    over time, and mean step from frame to frame; of the picture's mean motion, deviation and step.

    Args:
        motion: shape (batch, num_frames, side, side, 2), see `patch_motion`.

    Returns:
        Shape (batch, 8 * side * side + 4).
    """
    whole = motion.mean(dim=(2, 3))
    local = motion - whole[:, :, None, None]
    values = [
        local.std(dim=1),
        local.amax(dim=1),
        local.amin(dim=1),
        local.diff(dim=1).abs().mean(dim=1),
        whole.std(dim=1),
        whole.diff(dim=1).abs().mean(dim=1),
    ]
    return torch.cat([value.flatten(1) for value in values], dim=1)


class Learner(nn.Module):
    """A TimeSformer with what it needs beside it while it learns motion.

    Args:
        model: trained in place.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        width = model.config.hidden_size
        self.model = model
        self.motion_head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2))
        self.summary_head = nn.Linear(width, 8 * patches_along_side(model) ** 2 + 4)

    def forward(self, pixel_values: Tensor, motion: Tensor | None = None) -> dict[str, Tensor]:
        """Logits and the loss of motion.

        Args:
            pixel_values: shape (batch, num_frames, 3, image_size, image_size).
            motion: shape (batch, num_frames, side, side, 2), see `patch_motion`; None leaves
                motion out: its loss is 0.
        """
        model: Any = self.model
        tokens = model.timesformer(pixel_values)[0]
        logits = model.classifier(tokens[:, 0]).float()
        loss = tokens.new_zeros((), dtype=torch.float32)
        if motion is not None:
            found = self.motion_head(tokens[:, 1:]).float()
            # TimeSformer keeps its tokens patch by patch, and the frames of each patch together.
            wanted = motion.flatten(2, 3).transpose(1, 2).flatten(1, 2)
            apart = functional.smooth_l1_loss(found, wanted, beta=HUBER_BETA)
            summary = self.summary_head(tokens[:, 0]).float()
            beside = functional.smooth_l1_loss(summary, motion_summary(motion), beta=HUBER_BETA)
            loss = MOTION_WEIGHT * apart + SUMMARY_WEIGHT * beside
        return {"loss": loss, "logits": logits.view(-1, len(LABELS))}
