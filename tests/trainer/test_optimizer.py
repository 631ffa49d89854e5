"""Which parameters learn how fast, what is never decayed, and which layers are skipped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers.models.timesformer.modeling_timesformer import TimesformerSelfAttention

from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from trainer.attention import fused_attention
from trainer.drop_path import DropPaths
from trainer.fit import _compute_activations_twice
from trainer.optimizer import depth_of, parameter_groups
from trainer.single_frames import frame_twin

CLIP_SPEC = replace(SPEC, image_size=32, num_frames=4)


EMBEDDINGS, LAYER = "timesformer.embeddings", "timesformer.encoder.layer"


def test_every_parameter_is_in_one_group_with_what_it_needs() -> None:
    model = tiny_timesformer(CLIP_SPEC)
    assert model.config.num_hidden_layers == 6
    groups = parameter_groups(
        model.named_parameters(), layers=6, learning_rate=0.0128, layer_decay=0.5, weight_decay=0.1
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {
        names[id(parameter)]: (group["lr"], group["weight_decay"])
        for group in groups
        for parameter in group["params"]
    }
    assert sum(len(group["params"]) for group in groups) == len(found) == len(names)
    expected = {
        "classifier.weight": (0.0128, 0.1),
        "classifier.bias": (0.0128, 0.0),
        "timesformer.layernorm.weight": (0.0128, 0.0),
        f"{LAYER}.5.output.dense.weight": (0.0064, 0.1),
        f"{LAYER}.5.output.dense.bias": (0.0064, 0.0),
        f"{LAYER}.4.temporal_layernorm.weight": (0.0032, 0.0),
        f"{LAYER}.3.attention.attention.qkv.weight": (0.0016, 0.1),
        f"{LAYER}.1.temporal_dense.weight": (0.0004, 0.1),
        f"{LAYER}.0.temporal_dense.weight": (0.0002, 0.1),
        f"{EMBEDDINGS}.patch_embeddings.projection.weight": (0.0001, 0.1),
        f"{EMBEDDINGS}.patch_embeddings.projection.bias": (0.0001, 0.0),
        f"{EMBEDDINGS}.position_embeddings": (0.0001, 0.0),
        f"{EMBEDDINGS}.time_embeddings": (0.0001, 0.0),
        f"{EMBEDDINGS}.cls_token": (0.0001, 0.0),
    }
    for name, rates in expected.items():
        assert found[name] == pytest.approx(rates), name


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("timesformer.embeddings.cls_token", 0),
        ("timesformer.embeddings.patch_embeddings.projection.weight", 0),
        ("model.timesformer.embeddings.position_embeddings", 0),
        ("timesformer.encoder.layer.0.layernorm_before.weight", 1),
        ("timesformer.encoder.layer.11.output.dense.bias", 12),
        ("timesformer.layernorm.weight", 13),
        ("classifier.weight", 13),
    ],
)
def test_depth(name: str, depth: int) -> None:
    assert depth_of(name, 12) == depth


def test_frozen_parameters_are_left_out() -> None:
    model = tiny_timesformer(CLIP_SPEC)
    model.requires_grad_(False)
    model.classifier.requires_grad_(True)
    groups = parameter_groups(
        model.named_parameters(), layers=6, learning_rate=1.0, layer_decay=1.0, weight_decay=0.1
    )
    assert sum(len(group["params"]) for group in groups) == 2


def logits(model: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(pixel_values=pixels).logits


def test_the_same_clip_skips_the_same_layers_in_whatever_batch_it_is() -> None:
    torch.manual_seed(0)
    model = tiny_timesformer(CLIP_SPEC).train()
    paths = DropPaths(model, 0.5)
    pixels = torch.randn(3, 4, 3, 32, 32)
    paths.draw([11, 12, 13], torch.device("cpu"))
    together = logits(model, pixels)
    paths.draw([12], torch.device("cpu"))
    torch.testing.assert_close(logits(model, pixels[1:2])[0], together[1], atol=1e-5, rtol=1e-4)
    paths.draw([99, 12, 98], torch.device("cpu"))
    changed = logits(model, pixels)
    torch.testing.assert_close(changed[1], together[1], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(changed[0], together[0], atol=1e-3)


def test_nothing_is_skipped_when_measured_or_at_rate_zero() -> None:
    model = tiny_timesformer(CLIP_SPEC).eval()
    pixels = torch.randn(2, 4, 3, 32, 32)
    before = logits(model, pixels)
    DropPaths(model, 0.5)
    torch.testing.assert_close(logits(model, pixels), before)
    DropPaths(model, 0.0).draw([1, 2], torch.device("cpu"))


def test_branches_are_kept_as_often_as_the_rate_says_and_scaled_up() -> None:
    model = tiny_timesformer(CLIP_SPEC)
    paths = DropPaths(model, 0.25)
    last = model.timesformer.encoder.layer[-1].drop_path.train()
    paths.draw(range(4000), torch.device("cpu"))
    kept = last(torch.ones(4000, 2))
    assert kept.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert kept.mean() == pytest.approx(1.0, abs=0.05)
    # Four frames of a clip go together; another branch draws anew, of single frames too.
    frames = last(torch.ones(16000, 1)).view(4000, 4)
    assert (frames == frames[:, :1]).all()
    assert not torch.equal(frames[:, 0], kept[:, 0])
    mlp = last(torch.ones(4000, 2))
    assert not torch.equal(mlp, kept)
    # Of the backward pass's own, which begins anew.
    assert torch.equal(last(torch.ones(4000, 2)), kept)


@pytest.mark.parametrize("is_of_frames", [False, True])
def test_what_is_skipped_stays_skipped_on_the_way_back(is_of_frames: bool) -> None:
    torch.manual_seed(0)
    model: Any = tiny_timesformer(CLIP_SPEC)
    if is_of_frames:
        model = frame_twin(model)
    model.train()
    paths = DropPaths(model, 0.5)
    pixels = torch.randn(3, 1 if is_of_frames else 4, 3, 32, 32)

    def gradient() -> torch.Tensor:
        model.zero_grad()
        paths.draw([11, 12, 13], torch.device("cpu"))
        model(pixel_values=pixels).logits.square().sum().backward()
        return torch.cat([w.grad.flatten() for w in model.parameters() if w.grad is not None])

    usual = gradient()
    _compute_activations_twice(model)
    torch.testing.assert_close(gradient(), usual)


def test_fused_attention_answers_the_same_and_learns_the_same() -> None:
    torch.manual_seed(0)
    model = tiny_timesformer(CLIP_SPEC).train()
    pixels = torch.randn(2, 4, 3, 32, 32)

    def gradient() -> tuple[torch.Tensor, torch.Tensor]:
        model.zero_grad()
        answer = model(pixel_values=pixels).logits
        answer.square().sum().backward()
        slope = model.timesformer.encoder.layer[0].attention.attention.qkv.weight.grad
        assert slope is not None
        return answer.detach(), slope.clone()

    before, names = gradient(), set(model.state_dict())
    with fused_attention(model):
        attention = model.timesformer.encoder.layer[0].attention.attention
        assert type(attention) is not TimesformerSelfAttention
        after = gradient()
    again = gradient()
    torch.testing.assert_close(after[0], before[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(after[1], before[1], atol=1e-5, rtol=1e-3)
    assert torch.equal(again[0], before[0])
    assert set(model.state_dict()) == names


def test_fused_attention_leaves_probabilities_out_while_learning() -> None:
    torch.manual_seed(0)
    config = tiny_timesformer(CLIP_SPEC).config
    config.attention_probs_dropout_prob = 0.5
    model = type(tiny_timesformer(CLIP_SPEC))(config)
    pixels = torch.randn(2, 4, 3, 32, 32)
    with fused_attention(model), torch.no_grad():
        model.train()
        first, second = (model(pixel_values=pixels).logits for _ in range(2))
        model.eval()
        third, fourth = (model(pixel_values=pixels).logits for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(third, fourth)
