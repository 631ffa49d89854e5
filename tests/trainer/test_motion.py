"""The second task: how far every patch moved."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from trainer.motion import MOTION_UNIT_PX, Learner, motion_summary, patch_motion

CLIP_SPEC = replace(SPEC, image_size=64, num_frames=4)


def _texture(side: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC))


def test_motion_is_where_a_patch_is_against_its_mean_place() -> None:
    wide = _texture(96)
    # The picture moves two pixels to the right and one up from frame to frame.
    clip = np.stack([wide[10 + n : 74 + n, 10 - 2 * n : 74 - 2 * n] for n in range(4)])
    motion = patch_motion(clip, 4)
    assert motion.shape == (4, 4, 4, 2)
    inner = motion[:, 1:3, 1:3].mean(axis=(1, 2)) * MOTION_UNIT_PX
    np.testing.assert_allclose(inner[:, 0], [-3, -1, 1, 3], atol=0.4)
    np.testing.assert_allclose(inner[:, 1], [1.5, 0.5, -0.5, -1.5], atol=0.3)


def test_a_still_clip_does_not_move() -> None:
    still = np.stack([_texture(64)] * 4)
    assert np.abs(patch_motion(still, 4)).max() < 0.01


def test_the_summary_of_a_picture_that_moves_as_a_whole_has_no_local_motion() -> None:
    moves = torch.tensor([[-1.5, 0.0], [-0.5, 0.0], [0.5, 0.0], [1.5, 0.0]])
    summary = motion_summary(moves[None, :, None, None].expand(1, 4, 3, 3, 2))
    assert summary.shape == (1, 8 * 9 + 4)
    np.testing.assert_allclose(summary[0, :72], 0.0, atol=1e-6)
    np.testing.assert_allclose(summary[0, 72:], [1.291, 0.0, 1.0, 0.0], atol=1e-3)


def _pixels_and_motion() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, 4, 3, 64, 64), torch.randn(2, 4, 4, 4, 2)


def test_each_token_is_asked_for_its_own_patch_and_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_timesformer(CLIP_SPEC).eval()
    learner = Learner(model).eval()
    monkeypatch.setattr("trainer.motion.SUMMARY_WEIGHT", 0.0)
    pixels, _ = _pixels_and_motion()
    with torch.no_grad():
        tokens = model.timesformer(pixels)[0]
        found = learner.motion_head(tokens[:, 1:])
        # What the model answers, put where the docstring says, is a perfect target.
        patch_major = found.view(2, 16, 4, 2)
        wanted = patch_major.permute(0, 2, 1, 3).reshape(2, 4, 4, 4, 2)
        loss = learner(pixels, wanted)["loss"]
    assert float(loss) == pytest.approx(0.0, abs=1e-9)


def test_motion_teaches_the_body_and_not_the_classifier() -> None:
    model = tiny_timesformer(CLIP_SPEC)
    answer = Learner(model)(*_pixels_and_motion())
    answer["loss"].backward()
    assert model.classifier.weight.grad is None
    assert model.timesformer.embeddings.patch_embeddings.projection.weight.grad.any()
    assert answer["logits"].shape == (2, 8)
