"""What is trained, and what its clips are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from trainer.config.options import Options, Range

TINY = "tiny"
PUBLISHED = "facebook/timesformer-base-finetuned-k400"


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Options):
    """The model that training starts from, and the clips it is shown.

    Raises:
        UsageError: a value is outside its range.
    """

    base_model: str = PUBLISHED
    """A Hub id, a folder, 'default', which comes with the program, or 'tiny', of random weights."""
    num_frames: Annotated[int, Range(2, 64)] = 8
    """Frames of a clip."""
    frame_interval_s: Annotated[float, Range(0.0, 10.0, "seconds", above=True)] | None = None
    """Seconds between the last two frames of a clip (the base model's; tiny: 0.1; else 0.2)."""
    interval_growth: Annotated[float, Range(1.0, 2.0)] | None = None
    """Each interval between frames is so many times as long as the next (1, all are equal, where
    --frame-interval-s is given; else the base model's; tiny: 1.3)."""
    image_size: Annotated[int, Range(32, 448, "pixels")] | None = None
    """Side of a crop in pixels (the base model's; tiny: 64); another resizes its patches."""
    crop_margin: Annotated[float, Range(0.0, 1.0)] | None = None
    """Side of the square crop = (1 + this) * the longer side of the face box (the base model's;
    else 0)."""
    align_roll: bool | None = None
    """Turn crops so that the eyes are level (the base model's; else no); needs YuNet, and leaves
    pictures alone that are faces as they are (at most 64 pixels, or in an npz file)."""
    steady: bool | None = None
    """Move the crops of a clip so that the head lies where it does in the last one (the base
    model's; else no)."""
    grey: bool | None = None
    """Make the crops of a clip grey, which what is learned from grey pictures needs before a camera
    (the base model's; else no)."""
