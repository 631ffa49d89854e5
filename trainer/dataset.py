"""Clips as the Hugging Face Trainer takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps, nearest_indices
from realtime_mood.model.labels import LABELS
from realtime_mood.model.preprocess import normalise, preprocess
from realtime_mood.model.steady import steady
from trainer.augment import (
    cover_clip,
    draw_changes,
    draw_move,
    erase_clip,
    hide_face,
    recolour_clip,
    turn_head,
)
from trainer.clip_times import fixed_ends_s, jittered_times_s
from trainer.config import RecipeConfig
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops
from trainer.landmark_finder import Points
from trainer.landmarks import move_landmarks
from trainer.motion import MotionTargets
from trainer.reanimate import Reanimator
from trainer.sampler import Draw
from trainer.single_frames import frame_spec
from trainer.stills import move_camera

EVALUATION_CLIPS = 5
"""Clips of one recording whose probabilities are averaged."""


class Item(TypedDict, total=False):
    """One clip with what the loss and the messages need to know of it."""

    pixel_values: torch.Tensor
    """Shape (num_frames, 3, image_size, image_size), float32; pictures may have fewer frames."""
    labels: int
    """Id in the label table."""
    known_labels: torch.Tensor
    """What the recording could have been given, shape (labels,), bool."""
    indices: int
    """Of the recording."""
    hidden: bool
    """Training only, where faces are hidden: whether the expression cannot be told."""
    shown: bool
    """Training only: whether it is a picture as it is, on which the expression can be told."""
    keys: int
    """Training only: what is random about the clip after it was made is drawn from this."""
    motion: torch.Tensor
    """Training only, where motion is learned: shape (num_frames, directions), float32."""
    landmarks: torch.Tensor
    """Training only, where landmarks are learned: shape (points, 2), float32; NaN: not known."""


def read_clip(crops: FaceCrops, spec: ClipSpec, *, end_s: float) -> npt.NDArray[np.uint8]:
    """The crops of one clip, chosen as the runtime chooses them.

    Times before the recording began take its first crop.
    """
    return crops.read(nearest_indices(crops.times_s, clip_timestamps(spec, end_s=end_s)))


def known_mask(recording: Recording) -> torch.Tensor:
    """Which labels a recording could have been given, shape (labels,), bool."""
    mask = torch.zeros(len(LABELS), dtype=torch.bool)
    mask[list(recording.known_labels)] = True
    return mask


class TrainingClips(Dataset[Item]):
    """Clips at random times of recordings, randomly changed.

    Everything random about a clip follows from the seed and its `Draw`, not from the process that
    makes it, so that neither an interruption nor the number of processes changes anything.

    Args:
        recordings: their crops are `1 + PAD` times as wide as the spec's.
        spec: what a clip is.
        recipe: how it is changed.
        seed: of everything drawn.
        motion: of the same recordings; None leaves it out.
        landmarks: of each recording, see `trainer.landmarks.find_landmarks`; None leaves them out.
        asks_only_pictures: only pictures are asked what they are called; of the others, the loss
            of the label is 0.
        is_still_one_frame: pictures are given as clips of one frame, whatever the spec says.
        covers: in some frames of each clip the face is covered or dark.
        reanimator: of these and perhaps more; it makes faces of pictures move in `recipe.reanimate`
            of the clips of recordings, which are then not asked what they are called, and in
            `recipe.talk` of those of pictures. None: in none.
    """

    def __init__(
        self,
        recordings: Sequence[FaceCrops],
        spec: ClipSpec,
        *,
        recipe: RecipeConfig,
        seed: int,
        motion: MotionTargets | None = None,
        landmarks: Points | None = None,
        asks_only_pictures: bool = False,
        is_still_one_frame: bool = False,
        covers: bool = False,
        reanimator: Reanimator | None = None,
    ) -> None:
        self.recordings = recordings
        self._spec = spec
        self._recipe = recipe
        self._seed = seed
        self._motion = motion
        self._landmarks = landmarks
        self._asks_only_pictures = asks_only_pictures
        self._is_still_one_frame = is_still_one_frame
        self._covers = covers
        self._reanimator = reanimator

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, draw: Draw) -> Item:
        rng = np.random.default_rng([self._seed, draw.epoch, draw.position])
        key = int(rng.integers(2**62))
        crops, recipe, spec = self.recordings[draw.index], self._recipe, self._spec
        if crops.is_still and self._is_still_one_frame:
            spec = frame_spec(spec)
        times_s = jittered_times_s(crops.times_s, spec, recipe, rng)
        frames = nearest_indices(crops.times_s, times_s)
        moved = self._reanimated(crops, frames, spec, rng)
        padded = crops.read(frames) if moved is None else moved
        turns = bool(recipe.turn and rng.random() < recipe.turn)
        if turns:
            padded = turn_head(padded, times_s, rng)
        # Where its parts are, and how they move, is not known any more.
        differs = turns or (crops.is_still and moved is not None)
        if crops.is_still or moved is not None:
            padded = move_camera(padded, rng)
        changes = draw_changes(recipe, rng)
        move = draw_move(padded.shape[1], spec.image_size, rng, recipe, changes)
        clip = recolour_clip(move.of_clip(padded), rng, recipe, changes)
        if self._covers:
            clip = cover_clip(clip, rng)
        if spec.steady:
            clip = steady(clip)
        hidden = bool(recipe.hide and crops.is_still and rng.random() < recipe.hide)
        if hidden:
            clip = hide_face(clip, rng)
        # Last, for a rectangle that does not move with the face would hold it.
        clip = erase_clip(clip, rng, share=recipe.erase)
        item = Item(
            pixel_values=torch.from_numpy(normalise(clip, spec)),
            labels=crops.recording.label,
            known_labels=self._known_labels(crops, moved is not None),
            indices=draw.index,
            shown=crops.is_still and not hidden and not differs,
            keys=key,
        )
        if recipe.hide:
            item["hidden"] = hidden
        if self._motion is not None:
            motion = self._motion.of(draw.index, frames, is_mirrored=move.mirrors)
            item["motion"] = torch.from_numpy(np.full_like(motion, np.nan) if differs else motion)
        if self._landmarks is not None:
            points = move_landmarks(self._landmarks[draw.index], move)
            item["landmarks"] = torch.from_numpy(
                np.full_like(points, np.nan) if differs else points
            )
        return item

    def _reanimated(
        self,
        crops: FaceCrops,
        frames: npt.NDArray[np.intp],
        spec: ClipSpec,
        rng: np.random.Generator,
    ) -> npt.NDArray[np.uint8] | None:
        """The face of a picture that moves, if this clip is to be one."""
        share = self._recipe.talk if crops.is_still else self._recipe.reanimate
        if self._reanimator is None or rng.random() >= share:
            return None
        if crops.is_still:
            return self._reanimator.let_talk(crops, spec, self._recipe, rng)
        return self._reanimator.reanimate(crops, frames, rng)

    def _known_labels(self, crops: FaceCrops, reanimated: bool) -> torch.Tensor:
        # A picture that moves as a recording does has an expression of its own.
        if crops.is_still or not (self._asks_only_pictures or reanimated):
            return known_mask(crops.recording)
        # A label that is the only one in question is right, whatever the model answers.
        alone = torch.zeros(len(LABELS), dtype=torch.bool)
        alone[crops.recording.label] = True
        return alone


class EvaluationClips(Dataset[Item]):
    """The same clips every time: `count` of the first recording, then of the second, …

    Args:
        recordings: their crops are exactly the spec's.
        spec: what a clip is.
        count: clips of one recording; None: `EVALUATION_CLIPS`, or one where all are pictures,
            whose clips are all the same.
    """

    def __init__(
        self, recordings: Sequence[FaceCrops], spec: ClipSpec, count: int | None = None
    ) -> None:
        usual = 1 if all(crops.is_still for crops in recordings) else EVALUATION_CLIPS
        self.recordings = recordings
        self.count = usual if count is None else count
        self._spec = spec

    def __len__(self) -> int:
        return self.count * len(self.recordings)

    def __getitem__(self, index: int) -> Item:
        crops = self.recordings[index // self.count]
        ends_s = fixed_ends_s(crops.times_s, self._spec, self.count)
        clip = read_clip(crops, self._spec, end_s=float(ends_s[index % self.count]))
        return Item(
            pixel_values=torch.from_numpy(preprocess(clip, self._spec)),
            labels=crops.recording.label,
            known_labels=known_mask(crops.recording),
            indices=index // self.count,
        )
