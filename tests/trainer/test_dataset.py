"""Which crops make a clip, in training and in evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from realtime_mood.model.clip_spec import ClipSpec
from trainer.augment import PAD, move_clip, recolour_clip
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops
from trainer.dataset import (
    EvaluationClips,
    TrainingClips,
    fixed_ends_s,
    read_clip,
)

SPEC = ClipSpec(
    num_frames=4,
    frame_interval_s=0.2,
    image_size=16,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    crop_margin=0.0,
    interpolation="area",
    align_roll=False,
)


def make_crops(folder: Path, *, frames: int, side: int = 16, rate: float = 10.0) -> FaceCrops:
    """Crops whose every pixel is their index."""
    crops = np.empty((frames, side, side, 3), dtype=np.uint8)
    crops[:] = np.arange(frames)[:, None, None, None]
    path = folder / "crops.npy"
    np.save(path, crops)
    recording = Recording(path=path, name="r", take="t", actor="ravdess:01", label=6)
    return FaceCrops(recording, path, np.arange(frames) / rate)


def shown(clip: np.ndarray) -> list[int]:
    return [int(image[0, 0, 0]) for image in clip]


def test_clip_takes_the_frames_nearest_in_time(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=21)
    assert shown(read_clip(crops, SPEC, end_s=1.0)) == [4, 6, 8, 10]


def test_times_before_the_start_repeat_the_first_frame(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=4)
    assert shown(read_clip(crops, SPEC, end_s=0.3)) == [0, 0, 1, 3]


def test_evaluation_clips_are_spread_over_the_recording(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=21)
    np.testing.assert_allclose(fixed_ends_s(crops.times_s, SPEC, 3), [0.6, 1.3, 2.0])
    np.testing.assert_allclose(fixed_ends_s(crops.times_s, SPEC, 1), [1.3])
    clips = EvaluationClips([crops], SPEC, count=3)
    assert len(clips) == 3
    item = clips[2]
    assert item["labels"] == 6
    assert item["pixel_values"].shape == (4, 3, 16, 16)
    np.testing.assert_allclose(item["pixel_values"][-1], 20 / 255, rtol=1e-6)


def test_a_recording_shorter_than_the_span_has_one_clip_many_times(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=3)
    np.testing.assert_allclose(fixed_ends_s(crops.times_s, SPEC, 2), [0.2, 0.2])


def test_training_clips_are_drawn_anew_and_repeat_with_the_seed(tmp_path: Path) -> None:
    clips = TrainingClips([make_crops(tmp_path, frames=60, side=20)], SPEC)
    torch.manual_seed(5)
    first, second = clips[0]["pixel_values"], clips[0]["pixel_values"]
    torch.manual_seed(5)
    again = clips[0]["pixel_values"]
    assert first.shape == (4, 3, 16, 16)
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_motion_comes_with_the_clip_where_it_is_learned(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=60, side=40)
    spec = replace(SPEC, image_size=32)
    assert "motion" not in TrainingClips([crops], spec)[0]
    item = TrainingClips([crops], spec, motion_side=2)[0]
    assert item["motion"].shape == (4, 2, 2, 2)


@pytest.mark.parametrize("seed", range(5))
def test_augmentation_treats_all_frames_of_a_clip_alike(seed: int) -> None:
    side = round(16 * (1 + PAD))
    image = np.random.default_rng(0).integers(256, size=(side, side, 3), dtype=np.uint8)
    rng = np.random.default_rng(seed)
    clip = recolour_clip(move_clip(np.stack([image, image]), 16, rng), rng)
    assert clip.shape == (2, 16, 16, 3)
    assert clip.dtype == np.uint8
    # Noise of the sensor is the one thing that differs from frame to frame.
    assert np.abs(clip[0].astype(int) - clip[1]).mean() < 20
