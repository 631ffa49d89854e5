"""The classifier fitted before fine-tuning."""

from __future__ import annotations

from pathlib import Path

import torch

from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.timesformer import tiny_timesformer
from tests.trainer.test_dataset import make_crops
from trainer.config import TrainConfig
from trainer.dataset import EvaluationClips
from trainer.head import _fit, fit_head

SPEC = ClipSpec(
    num_frames=2,
    frame_interval_s=0.2,
    image_size=16,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    crop_margin=0.0,
    interpolation="area",
)


def test_the_classifier_alone_is_changed(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = tiny_timesformer(SPEC)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    clips = EvaluationClips([make_crops(tmp_path, frames=12)], SPEC, count=3)
    config = TrainConfig(data=tmp_path, output=tmp_path, batch_size=2, num_workers=0)
    fit_head(model, clips, clips, config=config)
    changed = {name for name, value in model.state_dict().items() if (value != before[name]).any()}
    assert changed <= {"classifier.weight", "classifier.bias"}
    with torch.inference_mode():
        logits = model.eval()(pixel_values=clips[0]["pixel_values"][None]).logits
    assert int(logits.argmax()) == clips[0]["labels"]


def test_a_smaller_penalty_fits_closer() -> None:
    features = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).repeat(4, 1)
    labels = torch.tensor([0, 1]).repeat(4)
    loose, tight = _fit(features, labels, 0.003)[0], _fit(features, labels, 0.3)[0]
    assert loose.norm() > tight.norm() > 0
    assert (features @ loose.T).argmax(dim=1).tolist() == labels.tolist()
