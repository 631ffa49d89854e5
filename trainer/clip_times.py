"""When the frames of clips are, in recordings."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps
from trainer.config import RecipeConfig


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


def jittered_times_s(
    times_s: npt.NDArray[np.float64],
    spec: ClipSpec,
    recipe: RecipeConfig,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Times of a training clip's frames: anywhere in a recording, a little faster or slower.

    Args:
        times_s: times of the recording's crops, rising.
        spec: what a clip is.
        recipe: `speed_jitter` and `time_jitter` are used.
        rng: decides.

    Returns:
        Shape (num_frames,), rising.
    """
    factor = math.exp(rng.uniform(-1.0, 1.0) * math.log1p(recipe.speed_jitter))
    stretched = replace(spec, frame_interval_s=spec.frame_interval_s * factor)
    end_s = rng.uniform(earliest_end_s(times_s, stretched), times_s[-1])
    off_s = rng.uniform(-1.0, 1.0, spec.num_frames) * recipe.time_jitter * spec.frame_interval_s
    return np.sort(clip_timestamps(stretched, end_s=end_s) + off_s)
