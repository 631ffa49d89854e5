"""A TimeSformer of single frames is asked, besides the label, for what is known of the face.

Where its parts are (see `landmarks`), and how they have moved from one frame of a recording to
another (see `motion`): what labels alone teach a small model too slowly. Landmarks are asked of
each patch, which gives every token a target from the first step, and of the first token; motion of
all patches together, where a model of clips will compare them. The model sees one frame at a time:
what it says of two is subtracted.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from trainer.base import Model
from trainer.landmark_finder import POINTS
from trainer.landmarks import landmark_loss
from trainer.motion import DIRECTIONS
from trainer.picture_teacher import PictureTeacher

HUBER_BETA = 1.0


class FrameLearner(nn.Module):
    """A TimeSformer of single frames with what it needs to be asked for landmarks, motion, or both.

    Called with `pixel_values` and, in training, with what is asked for by its name in
    `trainer.config.recipe.SECOND_TASKS`; answers `logits`, shape (batch, labels), by the same names
    the loss of each, a number, and in training may answer `taught`: the logits of a teacher.

    Args:
        model: of single frames; trained in place.
        landmarks: whether it is asked for landmarks.
        motion: whether it is asked for motion.
        teacher: what it says of each picture is learned; None: the label alone.
    """

    def __init__(
        self,
        model: Model,
        *,
        landmarks: bool = False,
        motion: bool = False,
        teacher: PictureTeacher | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        # No part of it: neither trained nor saved.
        self._teacher = (teacher,)
        width = model.config.hidden_size
        if landmarks:
            self.heat_head = nn.Linear(width, POINTS)
            self.place_head = nn.Linear(width, 2 * POINTS)
            nn.init.zeros_(self.place_head.weight)
        if motion:
            self.norm = nn.LayerNorm(width)
            self.motion_head = nn.Linear(width, DIRECTIONS)

    def forward(
        self, pixel_values: Tensor, landmarks: Tensor | None = None, motion: Tensor | None = None
    ) -> dict[str, Tensor]:
        """See the class.

        Args:
            pixel_values: shape (batch, num_frames, 3, image_size, image_size); logits are the mean
                over the frames.
            landmarks: shape (batch, POINTS, 2), as `find_landmarks` answers them; of recordings,
                whose frames differ, they are not known.
            motion: shape (batch, num_frames, DIRECTIONS), see `MotionTargets`; NaN leaves out.
        """
        model: Any = self.model
        batch, frames = pixel_values.shape[:2]
        tokens = model.timesformer(pixel_values.flatten(0, 1).unsqueeze(1))[0]
        logits = model.classifier(tokens[:, 0]).float()
        answer = {"logits": logits.view(batch, frames, -1).mean(dim=1)}
        (teacher,) = self._teacher
        if self.training and teacher is not None and frames == 1:
            answer["taught"] = teacher.to(pixel_values.device).teach(pixel_values)
        if landmarks is not None:
            heat = self.heat_head(tokens[:, 1:]).float().transpose(1, 2)
            places = self.place_head(tokens[:, 0]).float().view(-1, POINTS, 2)
            each = landmarks.repeat_interleave(frames, dim=0)
            answer["landmarks"] = landmark_loss(heat, places, each)
        if motion is not None:
            found = self.motion_head(self.norm(tokens[:, 1:].mean(dim=1))).float()
            found = found.view(batch, frames, -1)
            answer["motion"] = motion_loss(found - found.mean(dim=1, keepdim=True), motion)
        return answer


def motion_loss(found: Tensor, motion: Tensor) -> Tensor:
    """Mean Huber loss where motion is known, a number.

    Args:
        found: any shape.
        motion: the same; NaN is not known.
    """
    known = motion.isfinite()
    off = functional.smooth_l1_loss(found, motion.nan_to_num(), reduction="none", beta=HUBER_BETA)
    return (off * known).sum() / known.sum().clamp(min=1)


def timesformer_of(learner: nn.Module) -> Any:
    """The TimeSformer that is trained: the learner itself, or the one a `FrameLearner` holds.

    None where the learner is no TimeSformer.
    """
    model = learner.model if isinstance(learner, FrameLearner) else learner
    return model if isinstance(model, Model) else None
