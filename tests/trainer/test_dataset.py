"""Which crops make a clip, in training and in evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from realtime_mood.model.preprocess import normalise, preprocess
from tests.trainer.clips import PLAIN, SPEC, make_crops, training_clips
from trainer.config import RecipeConfig
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops
from trainer.dataset import (
    EvaluationClips,
    TrainingClips,
    read_clip,
)
from trainer.motion import DIRECTIONS, MotionTargets
from trainer.sampler import Draw


def shown(clip: np.ndarray) -> list[int]:
    return [int(image[0, 0, 0]) for image in clip]


def test_clip_takes_the_frames_nearest_in_time(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=21)
    assert shown(read_clip(crops, SPEC, end_s=1.0)) == [4, 6, 8, 10]


def test_times_before_the_start_repeat_the_first_frame(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=4)
    assert shown(read_clip(crops, SPEC, end_s=0.3)) == [0, 0, 1, 3]


def test_evaluation_clips_are_those_of_the_fixed_times(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=21)
    clips = EvaluationClips([crops], SPEC, count=3)
    assert len(clips) == 3
    item = clips[2]
    assert item["labels"] == 6
    assert item["pixel_values"].shape == (4, 3, 16, 16)
    for number, last in enumerate((6, 13, 20)):
        np.testing.assert_allclose(clips[number]["pixel_values"][-1], last / 255, rtol=1e-6)


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


@pytest.mark.parametrize("is_grey", [False, True])
def test_what_is_not_changed_is_what_the_runtime_would_see(tmp_path: Path, is_grey: bool) -> None:
    spec = replace(SPEC, image_size=64, steady=True, grey=is_grey)
    crops = trembling(tmp_path, side=80)
    for position in range(3):
        given = training_clips(crops, spec, **PLAIN)[Draw(0, 0, position)]["pixel_values"]
        last = given[-1].numpy()
        # The last frame tells which moment it is.
        middle = np.load(crops.crops_file)[:, 8:72, 8:72]
        clips = [middle[[at - 6, at - 4, at - 2, at]] for at in range(6, len(middle))]
        seen = np.stack([preprocess(clip, spec)[-1] for clip in clips])
        clip = clips[int(np.abs(seen - last).mean(axis=(1, 2, 3)).argmin())]
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


def test_what_is_erased_has_no_colour_where_colours_are_left_out(tmp_path: Path) -> None:
    crops = trembling(tmp_path, side=80)
    changes = {**PLAIN, "erase": 1.0}
    for is_grey in (False, True):
        spec = replace(SPEC, image_size=64, grey=is_grey)
        red, green, blue = training_clips(crops, spec, **changes)[Draw(0, 0, 0)][
            "pixel_values"
        ].unbind(dim=1)
        assert torch.equal(red, green) == torch.equal(green, blue) == is_grey


def test_a_face_is_covered_before_the_head_is_held_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(SPEC, image_size=64, steady=True)
    crops = trembling(tmp_path, side=80)
    seen: list[np.ndarray] = []

    def cover(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        covered = clip.copy()
        covered[:, 40:56, 8:24] = 255
        seen.append(covered)
        return covered

    monkeypatch.setattr("trainer.dataset.cover_clip", cover)
    recipe = replace(RecipeConfig(), **PLAIN)
    item = TrainingClips([crops], spec, recipe=recipe, seed=0, covers=True)[Draw(0, 0, 0)]
    [covered] = seen
    np.testing.assert_array_equal(item["pixel_values"].numpy(), preprocess(covered, spec))
    # The cover is held still with the head that trembles under it: it moves.
    patch = item["pixel_values"][:, :, 40:56, 8:24]
    assert (patch != 1.0).flatten(1).any(dim=1).tolist() == [True, True, True, False]


def test_clips_are_covered_only_where_that_is_asked_for(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=60, side=20)
    recipe = replace(RecipeConfig(), **PLAIN)
    plain, covered = (
        TrainingClips([crops], SPEC, recipe=recipe, seed=0, covers=covers)[Draw(0, 0, 0)]
        for covers in (False, True)
    )
    frames = plain["pixel_values"].flatten(1)
    assert (frames == frames[:, :1]).all()
    assert not torch.equal(plain["pixel_values"], covered["pixel_values"])


class NotedMotion(MotionTargets):
    """Notes whether it is asked for the mirror image; knows no motion."""

    def __init__(self) -> None:
        self.mirrored: list[bool] = []

    def of(
        self, index: int, frames: npt.NDArray[np.intp], *, is_mirrored: bool
    ) -> npt.NDArray[np.float32]:
        self.mirrored.append(is_mirrored)
        return np.zeros((len(frames), DIRECTIONS), dtype=np.float32)


def test_motion_is_mirrored_with_the_clip(tmp_path: Path) -> None:
    images = np.zeros((30, 20, 20, 3), dtype=np.uint8)
    images[:, :, :10] = 200
    np.save(tmp_path / "left.npy", images)
    whole = make_crops(tmp_path, frames=30)
    crops = FaceCrops(whole.recording, tmp_path / "left.npy", whole.times_s)
    motion = NotedMotion()
    recipe = replace(RecipeConfig(), **{**PLAIN, "flip": True})
    clips = TrainingClips([crops], SPEC, recipe=recipe, seed=0, motion=motion)
    seen = [clips[Draw(0, 0, position)]["pixel_values"] for position in range(12)]
    is_right = [bool(clip[..., 12:].mean() > clip[..., :4].mean()) for clip in seen]
    assert set(is_right) == {False, True}
    assert motion.mirrored == is_right
