"""Which crops make a clip, in training and in evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import LABELS
from realtime_mood.model.preprocess import normalise, preprocess
from trainer.clip_times import fixed_ends_s, jittered_times_s
from trainer.config import RecipeConfig
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops
from trainer.dataset import (
    EvaluationClips,
    TrainingClips,
    read_clip,
)
from trainer.loss import label_loss
from trainer.sampler import Draw
from trainer.stills import StillCrops

SPEC = ClipSpec(
    num_frames=4,
    frame_interval_s=0.2,
    interval_growth=1.0,
    image_size=16,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    crop_margin=0.0,
    interpolation="area",
    align_roll=False,
    steady=False,
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


def training_clips(crops: FaceCrops, spec: ClipSpec = SPEC, **recipe: object) -> TrainingClips:
    changed = replace(RecipeConfig(), **recipe)
    return TrainingClips([crops], spec, recipe=changed, seed=5)


def test_a_training_clip_follows_from_seed_epoch_and_position_alone(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=60, side=20)
    first = training_clips(crops)[Draw(0, 1, 2)]
    torch.manual_seed(3)
    again = training_clips(crops)[Draw(0, 1, 2)]
    assert first["pixel_values"].shape == (4, 3, 16, 16)
    assert torch.equal(first["pixel_values"], again["pixel_values"])
    assert first["keys"] == again["keys"]
    for other in (Draw(0, 2, 2), Draw(0, 1, 3)):
        item = training_clips(crops)[other]
        assert not torch.equal(first["pixel_values"], item["pixel_values"])
        assert first["keys"] != item["keys"]


def test_a_clip_knows_which_labels_it_could_have_had(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=60, side=20)
    recording = replace(crops.recording, known_labels=(0, 2, 6))
    clips = training_clips(FaceCrops(recording, crops.crops_file, crops.times_s))
    known = clips[Draw(0, 0, 0)]["known_labels"]
    assert known.nonzero().flatten().tolist() == [0, 2, 6]


def test_training_times_vary_around_the_interval() -> None:
    times_s = np.arange(600) / 30.0
    recipe = replace(RecipeConfig(), speed_jitter=0.2, time_jitter=0.1)
    rng = np.random.default_rng(0)
    drawn = np.array([jittered_times_s(times_s, SPEC, recipe, rng) for _ in range(300)])
    gaps = np.diff(drawn, axis=1)
    assert (gaps > 0).all()
    assert gaps.mean() == pytest.approx(0.2, rel=0.03)
    assert drawn.max() <= times_s[-1] + 0.1 * 0.2
    spans = np.ptp(drawn, axis=1)
    assert spans.min() > 0.6 / 1.2 - 0.05
    assert spans.max() < 0.6 * 1.2 + 0.05
    steady = replace(RecipeConfig(), speed_jitter=0.0, time_jitter=0.0)
    np.testing.assert_allclose(np.diff(jittered_times_s(times_s, SPEC, steady, rng)), 0.2)


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


def trembling(folder: Path, *, side: int) -> FaceCrops:
    """A face that a detector's box trembles around."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(0, 255, (side, side, 3)).astype(np.float32)
    face = cv2.GaussianBlur(noise, (0, 0), side / 16)
    face = 30.0 + 180.0 * (face - face.min()) / np.ptp(face)
    crops = []
    for right, down in rng.uniform(-2, 2, (30, 2)):
        shift = np.array([[1.0, 0.0, right], [0.0, 1.0, down]])
        crops.append(cv2.warpAffine(face, shift, (side, side), borderMode=cv2.BORDER_REFLECT))
    np.save(folder / "trembling.npy", np.asarray(crops).astype(np.uint8))
    recording = Recording(path=folder / "r", name="r", take="t", actor="ravdess:01", label=6)
    return FaceCrops(recording, folder / "trembling.npy", np.arange(30) / 10)


def test_what_is_not_changed_is_what_the_runtime_would_see(tmp_path: Path) -> None:
    spec = replace(SPEC, image_size=64, steady=True)
    crops = trembling(tmp_path, side=80)
    for position in range(3):
        given = training_clips(crops, spec, **PLAIN)[Draw(0, 0, position)]["pixel_values"]
        last = given[-1].numpy()
        # The last frame tells which moment it is.
        middle = np.load(crops.crops_file)[:, 8:72, 8:72]
        seen = np.stack([normalise(crop[None], spec)[0] for crop in middle])
        at = int(np.abs(seen - last).mean(axis=(1, 2, 3)).argmin())
        clip = middle[[at - 6, at - 4, at - 2, at]]
        np.testing.assert_array_equal(given.numpy(), preprocess(clip, spec))
        unsteady = np.abs(normalise(clip, spec) - last)[:-1, :, 16:48, 16:48].mean()
        assert np.abs(given.numpy() - last)[:-1, :, 16:48, 16:48].mean() < 0.3 * unsteady


def test_what_is_erased_stays_where_it_is_in_every_frame(tmp_path: Path) -> None:
    spec = replace(SPEC, image_size=64, steady=True)
    crops = trembling(tmp_path, side=80)
    whole = training_clips(crops, spec, **PLAIN)[Draw(0, 0, 0)]["pixel_values"]
    erased = training_clips(crops, spec, **{**PLAIN, "erase": 1.0})[Draw(0, 0, 0)]["pixel_values"]
    changed = (whole != erased).any(dim=1)
    assert changed.any()
    assert not changed.all()
    hidden = changed.any(dim=0)
    # A pixel may happen to be of the colour it is given.
    assert (changed[:, hidden].float().mean(dim=1) > 0.95).all()


def test_pictures_are_given_as_many_frames_as_asked_for(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (48, 48), dtype=np.uint8)
    recording = replace(make_crops(tmp_path, frames=2).recording, image=image)
    still = StillCrops.of(recording, replace(SPEC, image_size=20))
    for asked, given in ((0, 4), (1, 1), (2, 2), (9, 4)):
        clips = training_clips(still, SPEC, still_frames=asked)
        assert clips[Draw(0, 0, 0)]["pixel_values"].shape == (given, 3, 16, 16)
    moving = training_clips(make_crops(tmp_path, frames=60, side=20), SPEC, still_frames=2)
    assert moving[Draw(0, 0, 0)]["pixel_values"].shape == (4, 3, 16, 16)


def test_only_pictures_are_asked_what_they_are_called_beside_pictures(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=21, side=20)
    image = np.full((24, 24), 80, dtype=np.uint8)
    recording = Recording(
        path=tmp_path, name="p", take="p", actor="p", label=4, known_labels=(0, 4), image=image
    )
    both = [crops, StillCrops.of(recording, replace(SPEC, image_size=20))]
    recipe = replace(RecipeConfig(), **PLAIN)
    clips = TrainingClips(both, SPEC, recipe=recipe, seed=0, asks_only_pictures=True)
    moving, still = (clips[Draw(index, 0, 0)] for index in range(2))
    assert moving["known_labels"].nonzero().ravel().tolist() == [6]
    assert still["known_labels"].nonzero().ravel().tolist() == [0, 4]
    logits = torch.randn(2, len(LABELS))
    wanted = torch.eye(len(LABELS))[[6, 4]]
    known = torch.stack([moving["known_labels"], still["known_labels"]])
    loss = label_loss(logits, wanted, known, smoothing=0.1)
    assert loss[0] == 0.0
    assert loss[1] > 0.0


def test_a_face_is_covered_before_the_head_is_held_still(tmp_path: Path) -> None:
    spec = replace(SPEC, image_size=64, steady=True)
    crops = trembling(tmp_path, side=80)
    recipe = replace(RecipeConfig(), **PLAIN)
    whole, covered = (
        TrainingClips([crops], spec, recipe=recipe, seed=0, covers=covers)[Draw(0, 0, 0)]
        for covers in (False, True)
    )
    changed = (whole["pixel_values"] != covered["pixel_values"]).flatten(1).any(dim=1)
    assert changed.any()


def test_only_pictures_are_hidden_and_what_is_hidden_is_said(tmp_path: Path) -> None:
    moving = make_crops(tmp_path, frames=21, side=20)
    image = np.random.default_rng(0).integers(0, 255, (24, 24), dtype=np.uint8)
    recording = replace(moving.recording, image=image)
    both = [moving, StillCrops.of(recording, replace(SPEC, image_size=20))]
    plain, hiding = (
        TrainingClips(both, SPEC, recipe=replace(RecipeConfig(hide=share), **PLAIN), seed=0)
        for share in (0.0, 1.0)
    )
    assert "hidden" not in plain[Draw(1, 0, 0)]
    moved, still = (hiding[Draw(index, 0, 0)] for index in range(2))
    assert (moved["hidden"], still["hidden"]) == (False, True)
    changed = still["pixel_values"] != plain[Draw(1, 0, 0)]["pixel_values"]
    assert changed.float().mean() > 0.4


def test_only_pictures_that_show_a_face_are_taught(tmp_path: Path) -> None:
    image = np.zeros((16, 16), dtype=np.uint8)
    moving = make_crops(tmp_path, frames=21, side=20)
    still = StillCrops.of(replace(moving.recording, image=image), replace(SPEC, image_size=20))
    found = {
        (crops.is_still, hide): training_clips(crops, hide=hide)[Draw(0, 0, 0)]["shown"]
        for crops in (still, moving)
        for hide in (0.0, 1.0)
    }
    assert found == {
        (True, 0.0): True,
        (True, 1.0): False,
        (False, 0.0): False,
        (False, 1.0): False,
    }
