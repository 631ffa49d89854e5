"""The average of the weights, against values worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from trainer.weights_average import WeightsAverage


class OneWeight(nn.Module):
    """A weight, and a statistic beside it."""

    statistic: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.register_buffer("statistic", torch.zeros(()))

    def set(self, value: float) -> None:
        with torch.no_grad():
            self.weight.fill_(value)
            self.statistic.fill_(10.0 * value)

    @property
    def values(self) -> tuple[float, float]:
        return self.weight.item(), self.statistic.item()


def averaged(model: OneWeight, average: WeightsAverage) -> float:
    with average.in_place():
        return model.weight.item()


def test_it_is_a_copy_at_first_and_then_forgets_ever_more_slowly() -> None:
    model = OneWeight()
    average = WeightsAverage(model, 0.9)
    found = []
    for value in (0.0, 1.0, 2.0, 3.0):
        model.set(value)
        average.update()
        found.append(averaged(model, average))
    # What the new weights count for: all, then 9/11, 9/12 and 9/13.
    assert found == pytest.approx([0.0, 9 / 11, 75 / 44, 372 / 143])


def test_a_long_run_forgets_as_slowly_as_asked_for() -> None:
    model = OneWeight()
    average = WeightsAverage(model, 0.9)
    # From the 81st step on (1 + n) / (10 + n) is larger.
    for _ in range(81):
        average.update()
    model.set(1.0)
    for _ in range(10):
        average.update()
    assert averaged(model, average) == pytest.approx(1.0 - 0.9**10, rel=1e-5)


def test_without_decay_it_is_the_weights_themselves() -> None:
    model = OneWeight()
    average = WeightsAverage(model, 0.0)
    for value in (0.0, 1.0, 2.0):
        model.set(value)
        average.update()
        assert averaged(model, average) == value


def test_the_model_answers_by_the_average_only_meanwhile() -> None:
    model = OneWeight()
    average = WeightsAverage(model, 0.9)
    model.set(1.0)
    average.update()
    model.set(2.0)
    # Statistics are not averaged: they are those of the last step taken in.
    with average.in_place():
        assert model.values == (1.0, 10.0)
    assert model.values == (2.0, 20.0)
    with pytest.raises(ZeroDivisionError), average.in_place():
        raise ZeroDivisionError
    assert model.values == (2.0, 20.0)
    average.update()
    with average.in_place():
        assert model.values == (pytest.approx(1.0 + 9 / 11), 20.0)


def test_what_is_read_back_goes_on_as_it_was(tmp_path: Path) -> None:
    model, other = OneWeight(), OneWeight()
    average, again = WeightsAverage(model, 0.9), WeightsAverage(other, 0.9)
    model.set(0.0)
    average.update()
    model.set(1.0)
    average.update()
    average.save(tmp_path)
    again.load(tmp_path)
    assert averaged(other, again) == pytest.approx(9 / 11)
    for one, its in ((model, average), (other, again)):
        one.set(2.0)
        its.update()
        assert averaged(one, its) == pytest.approx(75 / 44)
