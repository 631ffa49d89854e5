"""Recordings as the runtime would see them: sliding clips, smoothed moods, one after another.

The crops are those of the cache, which the runtime's own tracker cut; the clips are chosen by its
clip sampler and smoothed by its smoother, so what is shown here is what `realtime-mood` shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.data import Dataset

from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import LABELS
from realtime_mood.model.preprocess import preprocess
from realtime_mood.offline import sliding_clips
from realtime_mood.smoothing import MoodSmoother, SmoothingConfig
from trainer import metrics
from trainer.crops import FaceCrops
from trainer.dataset import Item
from trainer.predict import clip_logits
from trainer.progress import Progress, tell_nobody

FRAME_S = 1 / 30
"""Between the last frame of a recording and the first of the next, where they are put together."""


@dataclass(frozen=True, eq=False)
class Stream:
    """One recording, or several of one actor put together as if they were one."""

    parts: tuple[FaceCrops, ...]
    """In order, at least one."""

    @cached_property
    def starts_s(self) -> npt.NDArray[np.float64]:
        """When each part begins, and the time of the last frame, shape (parts + 1,)."""
        ends = [0.0]
        for part in self.parts:
            ends.append(ends[-1] + float(part.times_s[-1] - part.times_s[0]) + FRAME_S)
        return np.array([*ends[:-1], ends[-1] - FRAME_S])

    @cached_property
    def times_s(self) -> npt.NDArray[np.float64]:
        """When each frame is seen, since the first one."""
        starts = self.starts_s
        moved = [part.times_s - part.times_s[0] + starts[n] for n, part in enumerate(self.parts)]
        return np.concatenate(moved)

    def read(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Crops by their rising positions, shape (positions, image_size, image_size, 3)."""
        first = np.cumsum([0, *(len(part.times_s) for part in self.parts)])
        owner = np.searchsorted(first, positions, side="right") - 1
        return np.concatenate(
            [self.parts[n].read(positions[owner == n] - first[n]) for n in np.unique(owner)]
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Timeline:
    """What a viewer sees of one stream."""

    stream: Stream
    """What is looked at."""
    ends_s: npt.NDArray[np.float64]
    """When each clip ends and its answer is shown, shape (clips,); empty when it is too short."""
    probabilities: npt.NDArray[np.float64]
    """Calibrated, of the single clips, shape (clips, labels)."""
    smoothed: npt.NDArray[np.float64]
    """Smoothed as the runtime does, shape (clips, labels)."""
    shown: tuple[str, ...]
    """The label shown from each clip's end on, or 'unsure'."""


class SlidingClips(Dataset[Item]):
    """All sliding clips of the first stream, then of the second, …

    Args:
        streams: their crops are exactly the spec's.
        spec: what a clip is.
        stride_s: seconds between two clips.
    """

    def __init__(self, streams: Sequence[Stream], spec: ClipSpec, *, stride_s: float) -> None:
        self.by_stream = [sliding_clips(s.times_s, spec, stride_s=stride_s) for s in streams]
        self._clips = [
            (stream, positions)
            for stream, clips in zip(streams, self.by_stream, strict=True)
            for _, positions in clips
        ]
        self._spec = spec

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> Item:
        stream, positions = self._clips[index]
        pixel_values = preprocess(stream.read(positions), self._spec)
        return Item(pixel_values=torch.from_numpy(pixel_values), labels=-1)


def play(
    model: nn.Module,
    streams: Sequence[Stream],
    spec: ClipSpec,
    *,
    temperature: float,
    stride_s: float,
    smoothing: SmoothingConfig,
    batch_size: int,
    num_workers: int,
    progress: Progress = tell_nobody,
) -> list[Timeline]:
    """Show streams to a model as the runtime would.

    Args:
        model: answers logits.
        streams: at least one.
        spec: the checkpoint's clip spec.
        temperature: the checkpoint's.
        stride_s: seconds between two clips.
        smoothing: how steady moods are.
        batch_size: clips at a time.
        num_workers: processes that prepare them.
        progress: told the clips.
    """
    clips = SlidingClips(streams, spec, stride_s=stride_s)
    logits = np.empty((0, len(LABELS)))
    if len(clips):
        logits = clip_logits(
            model,
            clips,
            batch_size=batch_size,
            num_workers=num_workers,
            progress=progress,
            stage="watching as deployed",
        )
    probabilities = metrics.softmax(logits, temperature) if len(clips) else logits
    timelines, done = [], 0
    for stream, found in zip(streams, clips.by_stream, strict=True):
        own = probabilities[done : done + len(found)]
        done += len(found)
        ends_s = np.array([end_s for end_s, _ in found])
        timelines.append(smoothed_timeline(stream, ends_s, own, smoothing))
    return timelines


def smoothed_timeline(
    stream: Stream,
    ends_s: npt.NDArray[np.float64],
    probabilities: npt.NDArray[np.float64],
    smoothing: SmoothingConfig,
) -> Timeline:
    """What a viewer sees of answers.

    Args:
        stream: what was looked at.
        ends_s: when each clip ends, shape (clips,).
        probabilities: calibrated, shape (clips, labels).
        smoothing: how steady moods are.
    """
    smoother = MoodSmoother(smoothing)
    states = [smoother.update(row, end_s) for row, end_s in zip(probabilities, ends_s, strict=True)]
    smoothed = np.array([state.probabilities for state in states]).reshape(probabilities.shape)
    return Timeline(
        stream=stream,
        ends_s=ends_s,
        probabilities=probabilities,
        smoothed=smoothed,
        shown=tuple(state.label for state in states),
    )
