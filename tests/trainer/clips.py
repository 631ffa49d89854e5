"""Clips of recordings that are made of numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime_mood.model.clip_spec import ClipSpec
from tests import fakes
from trainer.config import RecipeConfig
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops
from trainer.dataset import TrainingClips

SPEC = replace(
    fakes.SPEC,
    num_frames=4,
    image_size=16,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    crop_margin=0.0,
)


def make_crops(folder: Path, *, frames: int, side: int = 16, rate: float = 10.0) -> FaceCrops:
    """Crops whose every pixel is their index."""
    crops = np.empty((frames, side, side, 3), dtype=np.uint8)
    crops[:] = np.arange(frames)[:, None, None, None]
    path = folder / "crops.npy"
    np.save(path, crops)
    recording = Recording(path=path, name="r", take="t", actor="ravdess:01", label=6)
    return FaceCrops(recording, path, np.arange(frames) / rate)


PLAIN = {
    "flip": False,
    "crop_jitter": 0.0,
    "tone": 0.0,
    "webcam": 0.0,
    "randaugment_ops": 0,
    "erase": 0.0,
    "speed_jitter": 0.0,
    "time_jitter": 0.0,
}
"""Options by which nothing is changed."""


def training_clips(crops: FaceCrops, spec: ClipSpec = SPEC, **recipe: object) -> TrainingClips:
    changed = replace(RecipeConfig(), **recipe)
    return TrainingClips([crops], spec, recipe=changed, seed=5)
