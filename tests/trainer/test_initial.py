"""What a new small model looks at before it has learned anything."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from trainer.initial import OFFSETS, PLACE_WIDTH, look_at_neighbours

SIDE = 8
CLIP_SPEC = replace(SPEC, image_size=64, num_frames=4)


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    model = tiny_timesformer(CLIP_SPEC)
    look_at_neighbours(model)
    return model.eval()


def _attention(model: Any, layer_number: int) -> Tensor:
    """Who looks at whom in a noise picture, shape (heads, patches, patches)."""
    layer = model.timesformer.encoder.layer[layer_number]
    seen: list[Tensor] = []
    handle = layer.layernorm_before.register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        model(pixel_values=torch.randn(1, 4, 3, 64, 64))
        qkv = layer.attention.attention.qkv(seen[0][:1])
    handle.remove()
    heads = model.config.num_attention_heads
    query, key, _ = qkv.reshape(-1, 3, heads, PLACE_WIDTH).permute(1, 2, 0, 3)
    attention: Tensor = (query @ key.transpose(1, 2) / math.sqrt(PLACE_WIDTH)).softmax(dim=-1)
    return attention[:, 1:, 1:]


@pytest.mark.parametrize("layer_number", [0, 5])
def test_each_of_nine_heads_looks_at_its_neighbour(model: Any, layer_number: int) -> None:
    attention = _attention(model, layer_number)
    inner = [row * SIDE + column for row in range(1, 7) for column in range(1, 7)]
    for head, (down, right) in enumerate(OFFSETS):
        neighbours = torch.tensor([place + down * SIDE + right for place in inner])
        found = attention[head, inner].argmax(dim=-1)
        assert (found == neighbours).float().mean() > 0.9, (head, down, right)


def test_other_heads_look_everywhere(model: Any) -> None:
    assert _attention(model, 0)[len(OFFSETS) :].max() < 0.2


def test_time_is_switched_off(model: Any) -> None:
    frame = torch.randn(1, 1, 3, 64, 64)
    other = torch.randn(1, 1, 3, 64, 64)
    with torch.no_grad():
        there = model(pixel_values=torch.cat([frame, other, other, other], dim=1)).logits
        back = model(pixel_values=torch.cat([other, other, other, frame], dim=1)).logits
    torch.testing.assert_close(there, back)


def test_a_grey_picture_is_read_as_any_colour_of_the_same_light(model: Any) -> None:
    weights = model.timesformer.embeddings.patch_embeddings.projection.weight
    torch.testing.assert_close(weights[:, 0], weights[:, 1])
    torch.testing.assert_close(weights[:, 0], weights[:, 2])


def test_heads_of_another_width_are_refused(model: Any) -> None:
    wide = tiny_timesformer(CLIP_SPEC)
    wide.config.num_attention_heads = 3
    with pytest.raises(ValueError, match="heads are 64 wide; they must be 16"):
        look_at_neighbours(wide)
