"""Clips as the Hugging Face Trainer takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps, nearest_indices
from realtime_mood.model.preprocess import preprocess
from trainer.augment import move_clip, recolour_clip
from trainer.crops import FaceCrops
from trainer.motion import patch_motion

EVALUATION_CLIPS = 5
"""Clips of one recording whose probabilities are averaged."""


class Item(TypedDict, total=False):
    """What the model is called with."""

    pixel_values: torch.Tensor
    """Shape (num_frames, 3, image_size, image_size), float32."""
    labels: int
    """Id in the label table."""
    motion: torch.Tensor
    """Training only, where motion is learned: shape (num_frames, side, side, 2), float32."""


def earliest_end_s(times_s: npt.NDArray[np.float64], spec: ClipSpec) -> float:
    """End of the first clip that lies wholly in a recording; the last frame's where none does."""
    return float(min(times_s[0] + spec.span_s, times_s[-1]))


def fixed_ends_s(
    times_s: npt.NDArray[np.float64], spec: ClipSpec, count: int
) -> npt.NDArray[np.float64]:
    """End times of clips spread evenly over a recording.

    Args:
        times_s: times of its crops, rising.
        spec: what a clip is.
        count: how many clips.

    Returns:
        Rising times in seconds from `earliest_end_s` to the last frame's; the middle for one.
    """
    first_s, last_s = earliest_end_s(times_s, spec), float(times_s[-1])
    if count == 1:
        return np.array([(first_s + last_s) / 2])
    return np.linspace(first_s, last_s, count)


def read_clip(crops: FaceCrops, spec: ClipSpec, *, end_s: float) -> npt.NDArray[np.uint8]:
    """The crops of one clip, chosen as the runtime chooses them.

    Times before the recording began take its first crop.
    """
    return crops.read(nearest_indices(crops.times_s, clip_timestamps(spec, end_s=end_s)))


def _draw_rng() -> np.random.Generator:
    # torch seeds its data workers differently, and each epoch differently; numpy follows it.
    return np.random.default_rng(int(torch.randint(2**62, (1,)).item()))


class TrainingClips(Dataset[Item]):
    """One clip of each recording, at a time drawn anew whenever it is asked for.

    Args:
        recordings: their crops are `1 + PAD` times as wide as the spec's.
        spec: what a clip is.
        motion_side: patches along one side of the model's grid, to be told how far each moved;
            None leaves that out.
    """

    def __init__(
        self,
        recordings: Sequence[FaceCrops],
        spec: ClipSpec,
        *,
        motion_side: int | None = None,
    ) -> None:
        self._recordings = recordings
        self._spec = spec
        self._motion_side = motion_side

    def __len__(self) -> int:
        return len(self._recordings)

    def __getitem__(self, index: int) -> Item:
        rng = _draw_rng()
        crops = self._recordings[index]
        end_s = rng.uniform(earliest_end_s(crops.times_s, self._spec), crops.times_s[-1])
        padded = read_clip(crops, self._spec, end_s=end_s)
        moved = move_clip(padded, self._spec.image_size, rng)
        clip = recolour_clip(moved, rng)
        item = Item(
            pixel_values=torch.from_numpy(preprocess(clip, self._spec)),
            labels=crops.recording.label,
        )
        if self._motion_side is not None:
            item["motion"] = torch.from_numpy(patch_motion(moved, self._motion_side))
        return item


class EvaluationClips(Dataset[Item]):
    """The same clips every time: `count` of the first recording, then of the second, …

    Args:
        recordings: their crops are exactly the spec's.
        spec: what a clip is.
        count: clips of one recording.
    """

    def __init__(
        self, recordings: Sequence[FaceCrops], spec: ClipSpec, count: int = EVALUATION_CLIPS
    ) -> None:
        self.recordings = recordings
        self.count = count
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
        )
