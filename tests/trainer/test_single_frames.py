"""The twin that learns from single frames what its TimeSformer then knows."""

from __future__ import annotations

from dataclasses import replace

import torch

from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from trainer.initial import look_at_neighbours
from trainer.single_frames import frame_spec, frame_twin

CLIP_SPEC = replace(SPEC, image_size=64, num_frames=4)


def test_a_clip_of_one_frame_again_and_again_is_what_the_twin_sees() -> None:
    torch.manual_seed(0)
    model = tiny_timesformer(CLIP_SPEC)
    look_at_neighbours(model)
    twin = frame_twin(model).eval()
    frame = torch.randn(2, 1, 3, 64, 64)
    with torch.no_grad():
        clip = model.eval()(pixel_values=frame.expand(-1, 4, -1, -1, -1)).logits
        torch.testing.assert_close(twin(pixel_values=frame).logits, clip, rtol=0.0, atol=0.05)


def test_what_the_twin_learns_the_model_knows() -> None:
    model = tiny_timesformer(CLIP_SPEC)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    twin = frame_twin(model).train()
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
    twin(pixel_values=torch.randn(2, 1, 3, 64, 64)).logits.square().sum().backward()
    optimizer.step()
    changed = {n for n, value in model.named_parameters() if not torch.equal(value, before[n])}
    over_time = {n for n in before if "temporal" in n or "time_embeddings" in n}
    assert over_time
    assert changed == set(before) - over_time


def test_frames_are_cut_and_scaled_as_clips_are() -> None:
    assert frame_spec(CLIP_SPEC) == replace(CLIP_SPEC, num_frames=1)
