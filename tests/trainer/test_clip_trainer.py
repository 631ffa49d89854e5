"""What the Trainer is given besides its own: rates, weights of losses and of recordings."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import TrainingArguments

from realtime_mood.model.labels import LABELS
from realtime_mood.model.timesformer import tiny_timesformer
from tests.trainer.clips import SPEC
from tests.trainer.fitting import NotedClips, OneLayer, recipe_of, recordings, validation
from trainer.clip_trainer import ClipTrainer
from trainer.config import RecipeConfig
from trainer.dataset import TrainingClips
from trainer.fit import Collator


def trainer_of(
    model: nn.Module, folder: Path, recipe: RecipeConfig, *, data: TrainingClips | None = None
) -> ClipTrainer:
    """One that is to train a model, by default on a recording of each label."""
    clips = data or TrainingClips(recordings(folder, range(8)), SPEC, recipe=recipe, seed=0)
    return ClipTrainer(
        recipe=recipe,
        learning_rate=0.0128,
        checkpoint_every=None,
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            use_cpu=True,
            per_device_train_batch_size=recipe.batch_size,
            remove_unused_columns=False,
            label_names=["labels"],
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=clips,
        data_collator=Collator(recipe),
    )


def test_layers_learn_and_decay_as_the_recipe_says(tmp_path: Path) -> None:
    model = tiny_timesformer(replace(SPEC, image_size=32))
    recipe = recipe_of(layer_decay=0.5, weight_decay=0.03)
    groups = trainer_of(model, tmp_path, recipe).create_optimizer().param_groups
    body = model.timesformer
    for weights, rate, decay in (
        (model.classifier.weight, 0.0128, 0.03),
        (model.classifier.bias, 0.0128, 0.0),
        (body.encoder.layer[5].output.dense.weight, 0.0064, 0.03),
        (body.encoder.layer[0].output.dense.weight, 0.0002, 0.03),
        (body.embeddings.cls_token, 0.0001, 0.0),
    ):
        [group] = [g for g in groups if any(weights is member for member in g["params"])]
        assert (group["lr"], group["weight_decay"]) == pytest.approx((rate, decay))


@pytest.mark.parametrize(
    ("labels", "weights", "balance", "drawn"),
    [
        ([0] * 6, [1.0, 1.0, 0.25, 0.25, 0.25, 0.25], 1.0, [2, 2]),
        ([0, 0, 0, 4], [1.0] * 4, 0.0, [1, 1, 1, 1]),
        ([4, 0, 0, 0], [1.0] * 4, 1.0, [2]),
    ],
)
def test_recordings_are_drawn_as_their_weights_and_labels_say(
    tmp_path: Path, labels: list[int], weights: list[float], balance: float, drawn: list[int]
) -> None:
    recipe = recipe_of(class_balance=balance)
    made = recordings(tmp_path, labels, weights=weights)
    data = NotedClips(made, SPEC, recipe=recipe, seed=0)
    for _ in trainer_of(OneLayer(), tmp_path, recipe, data=data).get_train_dataloader():
        pass
    counts = Counter(draw.index for draw in data.drawn)
    assert counts.total() == len(labels)
    assert [counts[index] for index in range(len(drawn))] == drawn


class Asked(nn.Module):
    """Nine to one for the first label, whatever it sees; its other losses are 0.5 and 0.25."""

    def __init__(self, **answers: Tensor) -> None:
        super().__init__()
        scores = torch.zeros(2, len(LABELS))
        scores[:, 0] = math.log(9.0)
        self.logits = nn.Parameter(scores)
        self._answers = answers

    def forward(self, pixel_values: Tensor, **asked: Tensor) -> dict[str, Tensor]:
        losses = {"motion": torch.tensor(0.5), "landmarks": torch.tensor(0.25)}
        return {
            "logits": self.logits,
            **{name: losses[name] for name in asked},
            **self._answers,
        }


def batch(*asked: str) -> dict[str, Any]:
    """Two clips of the first label."""
    return {
        "pixel_values": torch.zeros(2, 4, 3, 16, 16),
        "labels": torch.zeros(2, dtype=torch.long),
        "known_labels": torch.ones(2, len(LABELS), dtype=torch.bool),
        "indices": torch.arange(2),
        "keys": torch.arange(2),
        "shown": torch.ones(2, dtype=torch.bool),
        **{name: torch.zeros(2) for name in asked},
    }


FIRST, ANOTHER = -math.log(9 / 16), -math.log(1 / 16)
"""Cross-entropy of what `Asked` says."""


def loss(folder: Path, model: nn.Module, inputs: dict[str, Any], **options: Any) -> float:
    trainer = trainer_of(model, folder, recipe_of(label_smoothing=0.08, **options))
    return trainer.compute_loss(model, inputs).item()


def test_labels_are_smoothed_in_training_alone(tmp_path: Path) -> None:
    # A hundredth for each of the eight.
    smoothed = 0.93 * FIRST + 0.07 * ANOTHER
    assert loss(tmp_path, Asked().train(), batch()) == pytest.approx(smoothed, rel=1e-6)
    assert loss(tmp_path, Asked().eval(), batch()) == pytest.approx(FIRST, rel=1e-6)


def test_second_tasks_count_as_the_recipe_says(tmp_path: Path) -> None:
    options = {"motion": 3.0, "landmarks": 4.0, "frame_epochs": 1.0}
    for asked, more in ((("motion",), 1.5), (("landmarks",), 1.0), (("motion", "landmarks"), 2.5)):
        found = loss(tmp_path, Asked().eval(), batch(*asked), **options)
        assert found == pytest.approx(FIRST + more, rel=1e-6)


def test_a_teacher_counts_three_times_what_a_clip_is_called(tmp_path: Path) -> None:
    model = Asked(taught=torch.zeros(2, len(LABELS)))
    even = (FIRST + 7 * ANOTHER) / 8
    assert loss(tmp_path, model.eval(), batch()) == pytest.approx(FIRST + 3 * even, rel=1e-6)


def test_what_is_measured_is_the_average_of_the_weights(tmp_path: Path) -> None:
    model = OneLayer()
    trainer = trainer_of(model, tmp_path, recipe_of(ema=0.1))
    trainer.after_step()
    first = model.layer.weight.detach().clone()
    with torch.no_grad():
        model.layer.weight.add_(1.0)
    trainer.after_step()
    latest = model.weights()
    seen: list[Tensor] = []
    model.layer.register_forward_hook(
        lambda layer, given, answer: seen.append(layer.weight.detach().clone())
    )
    trainer.evaluate(validation(tmp_path))
    assert seen
    for weights in seen:
        torch.testing.assert_close(weights, first + 0.9)
    assert torch.equal(model.weights(), latest)
