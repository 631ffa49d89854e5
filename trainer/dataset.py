"""Clips and single frames as the Hugging Face Trainer takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps, nearest_indices
from realtime_mood.model.preprocess import preprocess
from trainer.augment import PAD, augment_clip
from trainer.corpora.stills import Stills
from trainer.crops import FaceCrops

EVALUATION_CLIPS = 5
"""Clips of one recording whose probabilities are averaged."""
FRAMES_A_RECORDING = 16
"""Single frames drawn from each recording in one epoch."""
EXPRESSIVE_PART = (0.2, 0.8)
"""Actors begin and end with a resting face; single frames are drawn between these shares."""


class Item(TypedDict, total=False):
    """What the model is called with."""

    pixel_values: torch.Tensor
    """Shape (num_frames, 3, image_size, image_size), float32."""
    labels: int
    """Id in the label table."""
    is_still: bool
    """Single-frame stages only: whether it is of the stills, which have no 'calm'."""


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
    """

    def __init__(self, recordings: Sequence[FaceCrops], spec: ClipSpec) -> None:
        self._recordings = recordings
        self._spec = spec

    def __len__(self) -> int:
        return len(self._recordings)

    def __getitem__(self, index: int) -> Item:
        rng = _draw_rng()
        crops = self._recordings[index]
        end_s = rng.uniform(earliest_end_s(crops.times_s, self._spec), crops.times_s[-1])
        padded = read_clip(crops, self._spec, end_s=end_s)
        clip = augment_clip(padded, self._spec.image_size, rng)
        return Item(
            pixel_values=torch.from_numpy(preprocess(clip, self._spec)),
            labels=crops.recording.label,
        )


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


class TrainingFrames(Dataset[Item]):
    """Single frames, drawn anew whenever they are asked for: some of each recording, every still.

    Args:
        recordings: their crops are `1 + PAD` times as wide as the spec's.
        stills: pictures of other people, or None.
        spec: what a clip is; clips of one frame are made.
    """

    def __init__(
        self, recordings: Sequence[FaceCrops], stills: Stills | None, spec: ClipSpec
    ) -> None:
        self._recordings = recordings
        self._stills = stills
        self._spec = replace(spec, num_frames=1)
        self._frames = FRAMES_A_RECORDING * len(recordings)

    def __len__(self) -> int:
        return self._frames + (len(self._stills.labels) if self._stills else 0)

    def __getitem__(self, index: int) -> Item:
        rng = _draw_rng()
        if index < self._frames:
            padded, label = self._draw_frame(index // FRAMES_A_RECORDING, rng)
        else:
            assert self._stills is not None
            padded = _pad_still(self._stills.images[index - self._frames])
            label = int(self._stills.labels[index - self._frames])
        frame = augment_clip(padded[None], self._spec.image_size, rng)
        return Item(
            pixel_values=torch.from_numpy(preprocess(frame, self._spec)),
            labels=label,
            is_still=index >= self._frames,
        )

    def _draw_frame(
        self, position: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.uint8], int]:
        crops = self._recordings[position]
        start, stop = (share * len(crops.times_s) for share in EXPRESSIVE_PART)
        index = min(int(rng.uniform(start, stop)), len(crops.times_s) - 1)
        return crops.read(np.array([index]))[0], crops.recording.label


def _pad_still(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    border = round(PAD / 2 * len(image))
    sides = (border, border, border, border)
    grey = cv2.copyMakeBorder(image, *sides, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
