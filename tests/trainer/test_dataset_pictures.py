"""What pictures are in training, beside recordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from realtime_mood.model.labels import LABELS
from tests.trainer.clips import PLAIN, SPEC, make_crops, training_clips
from trainer.config import RecipeConfig
from trainer.corpora.recording import Recording
from trainer.dataset import TrainingClips
from trainer.loss import label_loss
from trainer.sampler import Draw
from trainer.stills import StillCrops


def test_pictures_are_clips_or_single_frames(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (48, 48), dtype=np.uint8)
    recording = replace(make_crops(tmp_path, frames=2).recording, image=image)
    still = StillCrops.of(recording, replace(SPEC, image_size=20))
    both = [still, make_crops(tmp_path, frames=60, side=20)]
    for is_one, given in ((False, [4, 4]), (True, [1, 4])):
        clips = TrainingClips(both, SPEC, recipe=RecipeConfig(), seed=5, is_still_one_frame=is_one)
        assert [len(clips[Draw(index, 0, 0)]["pixel_values"]) for index in range(2)] == given


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
