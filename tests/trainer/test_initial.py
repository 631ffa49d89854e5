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
from trainer.initial import (
    OFFSETS,
    PLACE_WIDTH,
    compare_frames,
    comparing_layers,
    look_at_neighbours,
)

SIDE = 8
CLIP_SPEC = replace(SPEC, image_size=64, num_frames=4)


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    model = tiny_timesformer(CLIP_SPEC)
    look_at_neighbours(model)
    compare_frames(model)
    return model.eval()


def _attention(model: Any, layer_number: int) -> Tensor:
    """Who looks at whom in a still clip of noise, shape (heads, patches, patches)."""
    layer = model.timesformer.encoder.layer[layer_number]
    seen: list[Tensor] = []
    handle = layer.layernorm_before.register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        model(pixel_values=torch.randn(1, 1, 3, 64, 64).expand(-1, 4, -1, -1, -1))
        qkv = layer.attention.attention.qkv(seen[0][:1])
    handle.remove()
    heads = model.config.num_attention_heads
    query, key, _ = qkv.reshape(-1, 3, heads, PLACE_WIDTH).permute(1, 2, 0, 3)
    attention: Tensor = (query @ key.transpose(1, 2) / math.sqrt(PLACE_WIDTH)).softmax(dim=-1)
    return attention[:, 1:, 1:]


@pytest.mark.parametrize("layer_number", [0, 3])
def test_each_head_looks_at_its_neighbour(model: Any, layer_number: int) -> None:
    attention = _attention(model, layer_number)
    inner = [row * SIDE + column for row in range(1, 7) for column in range(1, 7)]
    for head, (down, right) in enumerate(OFFSETS[: model.config.num_attention_heads]):
        neighbours = torch.tensor([place + down * SIDE + right for place in inner])
        found = attention[head, inner].argmax(dim=-1)
        assert (found == neighbours).float().mean() > 0.9, (head, down, right)


def test_a_clip_in_which_nothing_moves_is_its_frame(model: Any) -> None:
    still = torch.randn(1, 1, 3, 64, 64).expand(-1, 4, -1, -1, -1)
    with torch.no_grad():
        states = model.timesformer(still, output_hidden_states=True).hidden_states
    frames = states[-1][:, 1:].unflatten(1, (SIDE * SIDE, 4))
    own = model.config.num_frames
    spread = (frames - frames.mean(dim=2, keepdim=True))[..., :-own].abs().max()
    assert float(spread) < 0.05 * float(frames.std())


def test_what_moves_is_what_changes_the_tokens_most(model: Any) -> None:
    clip = torch.randn(1, 1, 3, 64, 64).repeat(1, 4, 1, 1, 1)
    clip[:, 2, :, 16:24, 24:32] += 0.3  # Patch (2, 3) of the third frame.
    with torch.no_grad():
        still = model.timesformer(clip[:, :1].expand(-1, 4, -1, -1, -1), output_hidden_states=True)
        moved = model.timesformer(clip, output_hidden_states=True)
    # What a comparing layer adds to a token is its frame against the clip, several times as large.
    layer = comparing_layers(model).start
    before, after = (moved.hidden_states[n] - still.hidden_states[n] for n in (layer, layer + 1))
    assert float(after.norm()) > 1.5 * float(before.norm())
    by_token = after[0, 1:].norm(dim=-1).view(SIDE, SIDE, 4)
    assert int(by_token.argmax()) == (2 * SIDE + 3) * 4 + 2


def test_time_starts_anew_without_forgetting_what_a_frame_looks_like() -> None:
    torch.manual_seed(0)
    model = tiny_timesformer(CLIP_SPEC)
    look_at_neighbours(model)
    for parameter in model.parameters():
        parameter.data += 0.01 * torch.randn_like(parameter)
    learned = model.timesformer.encoder.layer[0].output.dense.weight.clone()
    compare_frames(model)
    own = CLIP_SPEC.num_frames
    torch.testing.assert_close(
        model.timesformer.encoder.layer[0].output.dense.weight[:-own], learned[:-own]
    )
    still = torch.randn(1, 1, 3, 64, 64).expand(-1, 4, -1, -1, -1)
    with torch.no_grad():
        tokens = model.eval().timesformer(still)[0][:, 1:].unflatten(1, (SIDE * SIDE, 4))
    spread = (tokens - tokens.mean(dim=2, keepdim=True))[..., :-own].abs().max()
    assert float(spread) < 0.05 * float(tokens.std())


def test_a_grey_picture_is_read_as_any_colour_of_the_same_light(model: Any) -> None:
    weights = model.timesformer.embeddings.patch_embeddings.projection.weight
    torch.testing.assert_close(weights[:, 0], weights[:, 1])
    torch.testing.assert_close(weights[:, 0], weights[:, 2])


def test_heads_of_another_width_are_refused(model: Any) -> None:
    wide = tiny_timesformer(CLIP_SPEC)
    wide.config.num_attention_heads = 3
    with pytest.raises(ValueError, match="heads are 48 channels wide instead of 16"):
        look_at_neighbours(wide)


def test_clips_of_more_frames_than_it_can_number_are_refused() -> None:
    long = tiny_timesformer(replace(CLIP_SPEC, num_frames=17))
    with pytest.raises(ValueError, match="clips have 17 frames, and can have 16"):
        look_at_neighbours(long)
