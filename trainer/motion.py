"""A second task that teaches a small model to see motion: what moved, and how the clip moves as a
whole.

Few hundred people and takes are told apart by looks long before they are by motion, and looks say
nothing of the expression of somebody else. Asked besides how far every patch of every frame has
moved within its clip, and what the motion of the clip is like, a model learns what an expression is
made of: each clip holds hundreds of such answers, and any video holds them for nothing.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime_mood.model.labels import LABELS
from trainer.base import Model
from trainer.second_task import SecondTask

SUMMARY_SHARE = 2.0
"""Weight of the motion of the clip as a whole beside that of its patches."""
HUBER_BETA = 1.0
MOTION_UNIT_PX = 0.5
"""Motion is measured in this many pixels of the crop, which makes its usual size about 1."""


def patch_motion(crops_bgr: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.float32]:
    """How far each patch of each frame is from its mean place in the clip.

    Dense optical flow (Kroeger et al. 2016, arXiv 1603.03590) from the first frame to every other
    one, averaged over patches.

    Args:
        crops_bgr: shape (num_frames, size, size, 3), uint8.
        side: patches along one side.

    Returns:
        Shape (num_frames, side, side, 2), float32: right and down, in pixels.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0)
    greys = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in crops_bgr]
    moved = np.zeros((len(greys), side, side, 2), dtype=np.float32)
    for position, grey in enumerate(greys[1:], start=1):
        field = flow.calc(greys[0], grey, None)  # type: ignore[call-overload]
        moved[position] = cv2.resize(field, (side, side), interpolation=cv2.INTER_AREA)
    relative: npt.NDArray[np.float32] = moved - moved.mean(axis=0)
    return relative


def motion_summary(motion: Tensor) -> Tensor:
    """What a whole clip's motion is like: the model's first token is asked for it.

    Of every patch against the motion of the head: standard deviation, greatest and least value
    over time, and mean step from frame to frame; of the picture's mean motion, deviation and step.
    The head's motion is the affine one that fits a frame's patches best (moving, turning, coming
    nearer); heads move more than faces do, and say less of the expression.

    Args:
        motion: shape (batch, num_frames, side, side, 2), see `patch_motion`.

    Returns:
        Shape (batch, 8 * side * side + 4), pixels.
    """
    whole = motion.mean(dim=(2, 3))
    local = _without_affine(motion)
    values = [
        local.std(dim=1),
        local.amax(dim=1),
        local.amin(dim=1),
        local.diff(dim=1).abs().mean(dim=1),
        whole.std(dim=1),
        whole.diff(dim=1).abs().mean(dim=1),
    ]
    return torch.cat([value.flatten(1) for value in values], dim=1)


class MotionLearner(SecondTask):
    """A TimeSformer that is asked for motion too.

    Args:
        model: trained in place.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        width = model.config.hidden_size
        self.side = patches_along_side(model)
        self.motion_head = nn.Linear(width, 2)
        self.summary_head = nn.Linear(width, 8 * self.side**2 + 4)

    def forward(self, pixel_values: Tensor, motion: Tensor | None = None) -> dict[str, Tensor]:
        """See `SecondTask`.

        Args:
            pixel_values: shape (batch, num_frames, 3, image_size, image_size).
            motion: shape (batch, num_frames, side, side, 2), see `patch_motion`.
        """
        model: Any = self.model
        tokens = model.timesformer(pixel_values)[0]
        logits = model.classifier(tokens[:, 0]).float()
        loss = tokens.new_zeros((), dtype=torch.float32)
        if motion is not None:
            # TimeSformer keeps its tokens patch by patch, and the frames of each patch together.
            wanted = motion.flatten(2, 3).transpose(1, 2).flatten(1, 2)
            apart = _distance(self.motion_head(tokens[:, 1:]).float(), wanted)
            beside = _distance(self.summary_head(tokens[:, 0]).float(), motion_summary(motion))
            loss = apart + SUMMARY_SHARE * beside
        return {"loss": loss, "logits": logits.view(-1, len(LABELS))}


def patches_along_side(model: Model) -> int:
    """How many patches a row or column of a frame has."""
    embeddings: Any = model.timesformer.embeddings
    return math.isqrt(int(embeddings.num_patches))


def _without_affine(motion: Tensor) -> Tensor:
    """What is left of each frame's motion when its best affine fit is taken out."""
    side = motion.shape[2]
    axis = torch.linspace(-1.0, 1.0, side, dtype=motion.dtype, device=motion.device)
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    basis = torch.linalg.qr(
        torch.stack([torch.ones_like(rows), rows, columns], dim=-1).flatten(0, 1)
    ).Q
    patches = motion.flatten(2, 3)
    left: Tensor = patches - basis @ (basis.T @ patches)
    return left.view(*motion.shape)


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Huber loss of motion in pixels, in units of `MOTION_UNIT_PX`."""
    return functional.smooth_l1_loss(found, wanted / MOTION_UNIT_PX, beta=HUBER_BETA)
