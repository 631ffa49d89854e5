"""What a clip is: how many frames, how far apart, cut and scaled how.

    time ──────────────────────────────────────────────────────────►
    frames of the source   | | | | | | | | | | | | | | | | | | | | |
    clip (num_frames = 4)        x         x         x         x
                                                     ◄─────────►
                                               frame_interval_s end_s
                                 ◄─────── span_s ──────────────►
    interval_growth = 2      x               x       x   x

With `interval_growth` above 1, intervals are the longer the older they are: the newest frames tell
soon that an expression changed, the others how the face moved before, and a clip of as many frames
does both.

A clip is defined in seconds, so that it shows the same motion whatever the frame rate of the
camera. The frame nearest to each wanted time is taken; a source slower than one frame per
`frame_interval_s` repeats frames rather than stretching the span.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import ModelError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ClipSpec:
    """The part of a checkpoint that says what its model was trained to look at.

    There are no defaults: the values come from the checkpoint folder, or, while a model is being
    trained, from the trainer's configuration.

    Raises:
        ModelError: a value is outside its range.
    """

    num_frames: int
    """Frames of one clip."""
    frame_interval_s: float
    """Seconds between the last two frames of a clip."""
    interval_growth: float
    """Each interval is so many times as long as the next; 1: all are equal."""
    image_size: int
    """Side of the square crop given to the model, in pixels."""
    mean: tuple[float, float, float]
    """Subtracted from red, green, blue after scaling to 0…1."""
    std: tuple[float, float, float]
    """Red, green, blue are divided by this after `mean` is subtracted."""
    crop_margin: float
    """Side of the square crop = (1 + crop_margin) × the longer side of the face box."""
    interpolation: str
    """How a crop is scaled to `image_size`: 'area' (averages when shrinking) or 'linear'."""
    align_roll: bool
    """Turn the crop so that the eyes are level, where the detector tells where they are."""
    steady: bool
    """Move the crops of a clip so that the head lies where it does in the last one."""
    grey: bool
    """Make the crops of a clip grey: what was learned from grey pictures does not know colours."""

    def __post_init__(self) -> None:
        checks = (
            (
                "num_frames",
                self.num_frames,
                _is_whole(self.num_frames) and 1 <= self.num_frames <= 256,
                "a whole number from 1 to 256",
            ),
            (
                "frame_interval_s",
                self.frame_interval_s,
                0.0 < self.frame_interval_s <= 10.0,
                "above 0 and at most 10 seconds",
            ),
            (
                "interval_growth",
                self.interval_growth,
                1.0 <= self.interval_growth <= 2.0,
                "from 1 to 2",
            ),
            (
                "image_size",
                self.image_size,
                _is_whole(self.image_size) and 16 <= self.image_size <= 1024,
                "a whole number from 16 to 1024",
            ),
            ("mean", self.mean, _is_triple(self.mean), "three finite numbers"),
            (
                "std",
                self.std,
                _is_triple(self.std) and min(self.std) > 0.0,
                "three numbers above 0",
            ),
            ("crop_margin", self.crop_margin, 0.0 <= self.crop_margin <= 3.0, "from 0 to 3"),
            (
                "interpolation",
                self.interpolation,
                self.interpolation in ("area", "linear"),
                "'area' or 'linear'",
            ),
            ("align_roll", self.align_roll, isinstance(self.align_roll, bool), "true or false"),
            ("steady", self.steady, isinstance(self.steady, bool), "true or false"),
            ("grey", self.grey, isinstance(self.grey, bool), "true or false"),
        )
        for name, value, is_valid, rule in checks:
            if not is_valid:
                raise ModelError(f"clip spec: {name} is {value!r}; it must be {rule}")

    @property
    def span_s(self) -> float:
        """Seconds from the first frame of a clip to its last."""
        return float(_intervals_back(self)[-1]) * self.frame_interval_s

    @property
    def longest_interval_s(self) -> float:
        """Seconds between the first two frames of a clip."""
        return self.frame_interval_s * self.interval_growth ** max(0, self.num_frames - 2)

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClipSpec:
        """The spec written by `to_dict`.

        Raises:
            ModelError: a value is missing, unknown, of the wrong kind or outside its range.
        """
        # Checkpoints made before there was a choice say nothing of it.
        values = {"steady": False, "grey": False, "interval_growth": 1.0, **values}
        names = {field.name for field in fields(cls)}
        if missing := sorted(names - set(values)):
            raise ModelError(f"clip spec: {', '.join(missing)} missing")
        if unknown := sorted(set(values) - names):
            raise ModelError(
                f"clip spec: {', '.join(unknown)} unknown; the checkpoint may be newer than this "
                "program, which may need an upgrade"
            )
        try:
            return cls(
                num_frames=values["num_frames"],
                frame_interval_s=float(values["frame_interval_s"]),
                interval_growth=float(values["interval_growth"]),
                image_size=values["image_size"],
                mean=_triple(values["mean"]),
                std=_triple(values["std"]),
                crop_margin=float(values["crop_margin"]),
                interpolation=str(values["interpolation"]),
                align_roll=values["align_roll"],
                steady=values["steady"],
                grey=values["grey"],
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise ModelError(f"clip spec: a value is of the wrong kind ({error})") from error


def clip_timestamps(spec: ClipSpec, *, end_s: float) -> FloatArray:
    """The times a clip's frames are wanted at.

    Args:
        spec: the clip's definition.
        end_s: time of the last frame, in seconds.

    Returns:
        `num_frames` rising times in seconds, the last one `end_s`.
    """
    return end_s - _intervals_back(spec)[::-1] * spec.frame_interval_s


def nearest_indices(available_s: npt.ArrayLike, wanted_s: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """For each wanted time, the position of the available time nearest to it.

    Times before the first or after the last available one take that one. Of two equally near,
    the earlier is taken.

    Args:
        available_s: rising times in seconds, at least one.
        wanted_s: times in seconds, any order.

    Returns:
        One index into `available_s` for each wanted time.
    """
    available = np.asarray(available_s, dtype=np.float64)
    wanted = np.asarray(wanted_s, dtype=np.float64)
    if available.size == 0:
        raise ValueError("no frame to choose from")
    after = np.clip(np.searchsorted(available, wanted), 0, available.size - 1)
    before = np.maximum(after - 1, 0)
    take_before = wanted - available[before] <= available[after] - wanted
    return np.where(take_before, before, after)


def _intervals_back(spec: ClipSpec) -> FloatArray:
    """How far each frame lies back, the newest first, in `frame_interval_s`."""
    lengths = spec.interval_growth ** np.arange(spec.num_frames - 1, dtype=np.float64)
    return np.concatenate([[0.0], np.cumsum(lengths)])


def _is_whole(value: object) -> bool:
    # Rounding 8.7 would load a checkpoint that says something else. True is an int to Python.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_triple(values: tuple[float, ...]) -> bool:
    return len(values) == 3 and all(math.isfinite(value) for value in values)


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
