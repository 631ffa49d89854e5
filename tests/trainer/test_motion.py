"""The second task: how far every patch moved."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from trainer.motion import MotionLearner, motion_summary, patch_motion

CLIP_SPEC = replace(SPEC, image_size=32, num_frames=4)


def _texture(side: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC))


def test_motion_is_where_a_patch_is_against_its_mean_place() -> None:
    wide = _texture(96)
    # The picture moves two pixels to the right and one up from frame to frame.
    clip = np.stack([wide[10 + n : 74 + n, 10 - 2 * n : 74 - 2 * n] for n in range(4)])
    motion = patch_motion(clip, 4)
    assert motion.shape == (4, 4, 4, 2)
    inner = motion[:, 1:3, 1:3].mean(axis=(1, 2))
    np.testing.assert_allclose(inner[:, 0], [-3, -1, 1, 3], atol=0.4)
    np.testing.assert_allclose(inner[:, 1], [1.5, 0.5, -0.5, -1.5], atol=0.3)


def test_a_still_clip_does_not_move() -> None:
    still = np.stack([_texture(64)] * 4)
    assert np.abs(patch_motion(still, 4)).max() < 0.01


def test_the_summary_of_a_head_that_moves_turns_and_comes_nearer_has_no_local_motion() -> None:
    moves = torch.tensor([[-1.5, 0.0], [-0.5, 0.0], [0.5, 0.0], [1.5, 0.0]])
    place = torch.linspace(-1.0, 1.0, 3)
    nearer_and_turned = torch.stack(
        [
            0.3 * place[None, :] - 0.2 * place[:, None],
            0.3 * place[:, None] + 0.2 * place[None, :],
        ],
        dim=-1,
    )
    whole = moves[None, :, None, None].expand(1, 4, 3, 3, 2)
    summary = motion_summary(whole + moves[None, :, None, None, :1] * nearer_and_turned)
    assert summary.shape == (1, 8 * 9 + 4)
    np.testing.assert_allclose(summary[0, :72], 0.0, atol=1e-5)
    np.testing.assert_allclose(summary[0, 72:], [1.291, 0.0, 1.0, 0.0], atol=1e-3)


def test_a_mouth_that_opens_stays_in_the_summary() -> None:
    motion = torch.zeros(1, 4, 6, 6, 2)
    motion[0, :, 5, 2:4, 1] = torch.tensor([-1.0, 1.0, -1.0, 1.0])[:, None]
    deviation = motion_summary(motion)[0, : 6 * 6 * 2].view(6, 6, 2)
    assert deviation.flatten().argmax() in (5 * 12 + 2 * 2 + 1, 5 * 12 + 3 * 2 + 1)


def _pixels_and_motion() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, 4, 3, 32, 32), torch.randn(2, 4, 4, 4, 2)


def test_each_token_is_asked_for_its_own_patch_and_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_timesformer(CLIP_SPEC).eval()
    learner = MotionLearner(model).eval()
    monkeypatch.setattr("trainer.motion.SUMMARY_SHARE", 0.0)
    pixels, motion = _pixels_and_motion()
    # Small answers and targets, where the Huber loss is a square and each error counts.
    torch.nn.init.normal_(learner.motion_head.weight, std=0.01)
    motion = 0.1 * motion
    # The target is moved in one patch of one frame; only that token's error may grow.
    tokens = model.timesformer(pixels)[0].detach().requires_grad_()
    monkeypatch.setattr(model.timesformer, "forward", lambda pixel_values: (tokens,))
    before = torch.autograd.grad(learner(pixels, motion)["loss"], tokens)[0]
    moved = motion.clone()
    moved[1, 2, 3, 0] += 0.01
    after = torch.autograd.grad(learner(pixels, moved)["loss"], tokens)[0]
    changed = (after - before).norm(dim=-1)
    # The first token is the class token; then the frames of the first patch, of the second, ...
    assert int(changed[1].argmax()) == 1 + (3 * 4 + 0) * 4 + 2
    assert float(changed[1].max()) > 20 * float(changed[0].max())


def test_motion_teaches_the_body_and_not_the_classifier() -> None:
    model = tiny_timesformer(CLIP_SPEC)
    answer = MotionLearner(model)(*_pixels_and_motion())
    answer["loss"].backward()
    assert model.classifier.weight.grad is None
    assert model.timesformer.embeddings.patch_embeddings.projection.weight.grad.any()
    assert answer["logits"].shape == (2, 8)
