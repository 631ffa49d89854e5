"""A still becomes a clip: the face as the runtime would cut it, before a slow camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime_mood.faces.box import Box
from realtime_mood.faces.crop import crop_face
from realtime_mood.model.clip_spec import ClipSpec
from trainer.corpora.recording import Recording
from trainer.dataset import EvaluationClips
from trainer.stills import DRIFT, StillCrops, move_camera

SPEC = ClipSpec(
    num_frames=8,
    frame_interval_s=0.2,
    interval_growth=1.0,
    image_size=112,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    crop_margin=0.1,
    interpolation="area",
    align_roll=False,
    steady=False,
    grey=False,
)


def still(image: np.ndarray) -> StillCrops:
    recording = Recording(
        path=Path("f.npz"), name="p", take="t", actor="images:p", label=4, image=image
    )
    return StillCrops.of(recording, SPEC)


def test_the_whole_picture_is_the_face() -> None:
    image = np.random.default_rng(0).integers(256, size=(48, 48), dtype=np.uint8)
    crops = still(image).read(np.zeros(3, dtype=np.intp))
    expected = crop_face(np.stack([image] * 3, axis=-1), Box(0, 0, 48, 48), SPEC)
    assert crops.shape == (3, 112, 112, 3)
    for crop in crops:
        np.testing.assert_array_equal(crop, expected)


def test_evaluation_looks_at_the_still_itself() -> None:
    clips = EvaluationClips([still(np.full((48, 48), 51, dtype=np.uint8))], SPEC)
    assert len(clips) == 1
    np.testing.assert_allclose(clips[0]["pixel_values"], 0.2, rtol=1e-5)


def blob_positions(clip: np.ndarray) -> np.ndarray:
    """Centre of gravity of each frame, shape (frames, 2), pixels."""
    weights = clip[..., 0].astype(float)
    grid = np.arange(clip.shape[1])
    total = weights.sum(axis=(1, 2))
    x = (weights.sum(axis=1) * grid).sum(axis=1) / total
    y = (weights.sum(axis=2) * grid).sum(axis=1) / total
    return np.stack([x, y], axis=1)


@pytest.mark.parametrize("seed", range(12))
def test_the_camera_is_slow_and_even(seed: int) -> None:
    crop = np.zeros((140, 140, 3), dtype=np.uint8)
    crop[60:80, 60:80] = 255
    clip = move_camera(np.repeat(crop[None], 8, axis=0), np.random.default_rng(seed))
    steps = np.diff(blob_positions(clip), axis=0)
    assert np.abs(steps).max() < 2 * DRIFT * 140 / 7
    assert np.abs(steps - steps.mean(axis=0)).max() < 0.3
    middle = blob_positions(clip).mean(axis=0)
    np.testing.assert_allclose(middle, 69.5, atol=0.5)


def test_cameras_differ_and_some_are_steady() -> None:
    crop = np.random.default_rng(0).integers(256, size=(1, 40, 40, 3), dtype=np.uint8)
    clip = np.repeat(crop, 8, axis=0)
    rng = np.random.default_rng(1)
    moved = [move_camera(clip, rng) for _ in range(200)]
    steady = sum(np.array_equal(m, clip) for m in moved)
    assert 20 <= steady <= 65
    assert not np.array_equal(moved[0], moved[1])


def test_a_single_frame_stays_the_crop() -> None:
    crop = np.random.default_rng(0).integers(256, size=(1, 40, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(move_camera(crop, np.random.default_rng(2)), crop)
