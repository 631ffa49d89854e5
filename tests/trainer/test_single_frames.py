"""The warm-up's teacher and student, and the weights that go from one frame to many."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.timesformer import tiny_timesformer
from trainer.base import (
    TIME_EMBEDDINGS,
    load_base,
    single_frame_copy,
    take_single_frame_weights,
)
from trainer.config import TrainConfig
from trainer.single_frames import Student, Teacher

SPEC = ClipSpec(
    num_frames=8,
    frame_interval_s=0.2,
    image_size=32,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    crop_margin=0.0,
    interpolation="area",
)
FRAMES = {
    "pixel_values": torch.randn(4, 1, 3, 32, 32, generator=torch.Generator().manual_seed(1)),
    "labels": torch.tensor([0, 1, 2, 3]),
    "is_still": torch.tensor([True, False, True, False]),
}


def test_weights_go_to_single_frames_and_back() -> None:
    torch.manual_seed(0)
    model = tiny_timesformer(SPEC)
    times = model.state_dict()[TIME_EMBEDDINGS].normal_().clone()
    single = single_frame_copy(model)
    assert single.config.num_frames == 1
    assert model.config.num_frames == 8
    with torch.no_grad():
        for parameter in single.parameters():
            parameter.add_(1.0)
    take_single_frame_weights(model, single)
    assert torch.equal(model.state_dict()[TIME_EMBEDDINGS], times)
    assert torch.equal(model.classifier.weight, single.classifier.weight)


def test_a_new_model_starts_by_looking_at_single_frames(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = TrainConfig(data=tmp_path, output=tmp_path, base_model="tiny", image_size=32)
    model, spec = load_base(config)
    single = single_frame_copy(model)
    assert single.config.attention_type == "space_only"
    frame = FRAMES["pixel_values"]
    clip = frame.expand(-1, spec.num_frames, -1, -1, -1)
    with torch.inference_mode():
        alone = single.eval()(pixel_values=frame).logits
        repeated = model.eval()(pixel_values=clip).logits
    torch.testing.assert_close(alone, repeated)


def test_each_kind_of_frame_has_its_own_head() -> None:
    torch.manual_seed(0)
    teacher = Teacher().eval()
    with torch.no_grad():
        before = teacher(**FRAMES)["logits"]
        teacher.still_head.bias += 1.0
        after = teacher(**FRAMES)["logits"]
    torch.testing.assert_close((after - before).mean(dim=1), torch.tensor([1.0, 0.0, 1.0, 0.0]))


@pytest.mark.parametrize("has_teacher", [True, False])
def test_a_student_learns_and_leaves_its_teacher_alone(has_teacher: bool) -> None:
    torch.manual_seed(0)
    teacher = Teacher() if has_teacher else None
    before = {k: v.clone() for k, v in teacher.state_dict().items()} if teacher else {}
    student = Student(single_frame_copy(tiny_timesformer(SPEC)), teacher)
    assert not any("stem" in name for name in student.state_dict())
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        loss = student(**FRAMES)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    for name, value in before.items():
        assert torch.equal(value, teacher.state_dict()[name]), name
