"""What a stage of training does step by step, and which weights it leaves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from realtime_mood.errors import OutputError, RealtimeMoodError
from tests.trainer.fitting import (
    OneLayer,
    config_of,
    fit_clips,
    recipe_of,
    training,
    validation,
)
from trainer.clip_trainer import ClipTrainer
from trainer.fit import read_finished
from trainer.report.curves import read_history


def score_epochs(
    monkeypatch: pytest.MonkeyPatch, model: OneLayer, accuracies: Sequence[float]
) -> list[Tensor]:
    """Let each evaluation have the accuracy given; returns what weights it will have measured."""
    measured: list[Tensor] = []

    def accuracy(confusion: Any) -> float:
        measured.append(model.weights())
        return accuracies[len(measured) - 1]

    monkeypatch.setattr("trainer.fit.accuracy", accuracy)
    return measured


@pytest.mark.parametrize(("keep", "kept"), [("best", 1), ("last", 3)])
def test_the_best_or_the_last_epoch_is_kept_as_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: str, kept: int
) -> None:
    model, recipe = OneLayer(), recipe_of(keep=keep, ema=0.9)
    # Before the first step nothing can be kept, however good it is.
    measured = score_epochs(monkeypatch, model, (0.9, 0.8, 0.1, 0.3))
    fit_clips(
        model,
        config_of(tmp_path, recipe),
        training(tmp_path, recipe),
        epochs=3,
        measured=validation(tmp_path),
    )
    assert len(measured) == 4
    assert [torch.equal(weights, model.weights()) for weights in measured] == [
        epoch == kept for epoch in range(4)
    ]


def interrupt_at(step: int) -> Callable[[str, int, int], None]:
    """Progress that ends a run after a step, before anything is saved of it."""

    def interrupt(name: str, done: int, steps: int) -> None:
        if done == step:
            raise KeyboardInterrupt

    return interrupt


def test_an_interrupted_run_goes_on_with_its_average(tmp_path: Path) -> None:
    recipe, folder = recipe_of(ema=0.9), tmp_path / "interrupted"
    data, undisturbed, model = training(tmp_path, recipe), OneLayer(), OneLayer()
    fit_clips(undisturbed, config_of(tmp_path / "undisturbed", recipe), data, epochs=2)
    moment = interrupt_at(6)
    with pytest.raises(KeyboardInterrupt):
        fit_clips(OneLayer(), config_of(folder, recipe), data, epochs=2, progress=moment)
    fit_clips(model, config_of(folder, recipe, resume=True), data, epochs=2)
    assert torch.equal(model.weights(), undisturbed.weights())


def test_a_run_whose_folder_was_moved_finds_its_best_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, before, after = recipe_of(ema=0.9), tmp_path / "before", tmp_path / "after"
    how = {"data": training(tmp_path, recipe), "measured": validation(tmp_path), "epochs": 3}
    model = OneLayer()
    measured = score_epochs(monkeypatch, model, (0.0, 0.8, 0.1))
    with pytest.raises(KeyboardInterrupt):
        fit_clips(model, config_of(before, recipe), progress=interrupt_at(9), **how)
    shutil.move(before, after)
    model = OneLayer()
    score_epochs(monkeypatch, model, (0.3,))
    fit_clips(model, config_of(after, recipe, resume=True), **how)
    assert torch.equal(model.weights(), measured[1])


def test_each_epoch_draws_every_clip_anew(tmp_path: Path) -> None:
    recipe = recipe_of()
    data = training(tmp_path, recipe)
    fit_clips(OneLayer(), config_of(tmp_path, recipe), data, epochs=2)
    assert [draw.epoch for draw in data.drawn] == [0] * 8 + [1] * 8
    first, second = ([d.index for d in data.drawn if d.epoch == epoch] for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(8))
    assert first != second


class Watched(ClipTrainer):
    """Notes how fast each step learns, and how long its gradient is."""

    rates: list[float]
    norms: list[float]

    def before_step(self) -> None:
        super().before_step()
        assert self.optimizer is not None
        self.rates.append(self.optimizer.param_groups[-1]["lr"])
        gradients = [weights.grad for weights in self._learner.parameters()]
        self.norms.append(float(torch.nn.utils.get_total_norm(gradients)))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> type[Watched]:
    """The trainer of all stages fitted meanwhile."""
    Watched.rates, Watched.norms = [], []
    monkeypatch.setattr("trainer.fit.ClipTrainer", Watched)
    return Watched


def test_the_learning_rate_rises_and_then_falls_as_a_cosine(
    tmp_path: Path, watched: type[Watched]
) -> None:
    # Ten steps, of which two are the warm-up.
    recipe = recipe_of(warmup=0.2)
    data = training(tmp_path, recipe, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1])
    fit_clips(OneLayer(), config_of(tmp_path, recipe), data, epochs=2, learning_rate=0.1)
    shares = [0.0, 0.5, 1.0, 0.9619, 0.8536, 0.6913, 0.5, 0.3087, 0.1464, 0.0381]
    assert watched.rates == pytest.approx([0.1 * share for share in shares], abs=1e-5)


def test_gradients_are_at_most_one_long(tmp_path: Path, watched: type[Watched]) -> None:
    recipe = recipe_of()
    for loudness in (0.0, 1000.0):
        output = tmp_path / str(loudness)
        fit_clips(OneLayer(loudness), config_of(output, recipe), training(tmp_path, recipe))
    quiet, loud = watched.norms[:4], watched.norms[4:]
    # One that is shorter stays as it is.
    assert all(0.1 < norm < 0.99 for norm in quiet)
    assert loud == pytest.approx([1.0] * 4, abs=1e-3)


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", "float32"), ("bf16", "bfloat16")])
def test_arithmetic_is_as_precise_as_asked_for(tmp_path: Path, precision: str, dtype: str) -> None:
    recipe, model = recipe_of(), OneLayer()
    seen: set[torch.dtype] = set()
    model.layer.register_forward_hook(lambda layer, given, answer: seen.add(answer.dtype))
    fit_clips(model, config_of(tmp_path, recipe, precision=precision), training(tmp_path, recipe))
    assert seen == {getattr(torch, dtype)}
    assert model.weights().dtype == torch.float32


def test_a_second_stage_is_as_precise_as_the_first(tmp_path: Path) -> None:
    recipe, model = recipe_of(), OneLayer()
    seen: set[torch.dtype] = set()
    model.layer.register_forward_hook(lambda layer, given, answer: seen.add(answer.dtype))
    for stage in ("head", "clips"):
        config = config_of(tmp_path / stage, recipe, precision="bf16")
        fit_clips(model, config, training(tmp_path, recipe))
        assert seen == {torch.bfloat16}
        seen.clear()


class Steep(OneLayer):
    """Its loss is a number, its gradient is none: the root of nothing rises without end."""

    def forward(self, pixel_values: Tensor) -> dict[str, Tensor]:
        answer = super().forward(pixel_values)
        return {"logits": answer["logits"] + (0.0 * self.layer.weight.sum()).sqrt()}


def test_a_gradient_that_is_no_number_never_reaches_the_weights(tmp_path: Path) -> None:
    recipe, model = recipe_of(), Steep()
    before = model.weights()
    with pytest.raises(
        RealtimeMoodError, match=r"the gradient is nan at step 1, in a batch of 20-\d.npy, 20-\d"
    ):
        fit_clips(model, config_of(tmp_path, recipe), training(tmp_path, recipe))
    assert torch.equal(model.weights(), before)


def test_what_is_answered_after_training_is_not_rounded_as_in_training(tmp_path: Path) -> None:
    recipe, model = recipe_of(), OneLayer()
    data = training(tmp_path, recipe)
    fit_clips(model, config_of(tmp_path, recipe, precision="bf16"), data, epochs=1)
    seen = torch.full((1, 3), 1.001)
    with torch.inference_mode():
        torch.testing.assert_close(model(seen)["logits"], model.layer(seen[:, :1]))


def test_what_a_stage_left_and_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "finished.safetensors"
    file.write_bytes(b"short")
    with pytest.raises(OutputError, match=r"finished\.safetensors is damaged .* delete it"):
        read_finished(nn.Linear(1, 1), file)


def test_curves_that_cannot_be_read_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, text in (("frames", '[{"step": 1, "loss": 2.0}]'), ("clips", '{"a":')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "history.json").write_text(text)
    assert [curves.name for curves in read_history(tmp_path)] == ["frames"]
    assert "no curves of" in caplog.text
