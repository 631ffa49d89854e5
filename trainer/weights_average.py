"""The moving average of a model's weights, which is what is measured and kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

FILE = "average.safetensors"


class WeightsAverage:
    """An exponential average of the weights of a model that is being trained.

    Args:
        model: whose weights they are; its statistics are those of its latest step.
        decay: of a step. The first steps forget faster, so that short runs have an average too: the
            decay of step n is at most (1 + n) / (10 + n), as in TensorFlow's
            ExponentialMovingAverage.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model = model
        self._average = AveragedModel(model, multi_avg_fn=_average_of(decay))

    def update(self) -> None:
        """Take in the weights as they are; to be called after each step."""
        self._average.update_parameters(self._model)

    def exchange(self) -> None:
        """Give the model the average, and keep the model's weights in its place."""
        for ours, theirs in zip(_tensors(self._model), _tensors(self._average.module), strict=True):
            ours.data, theirs.data = theirs.data, ours.data

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model answers by the average meanwhile."""
        self.exchange()
        try:
            yield
        finally:
            self.exchange()

    def save(self, folder: Path) -> None:
        """Write it into a checkpoint's folder."""
        save_file(self._average.state_dict(), folder / FILE)

    def load(self, folder: Path) -> None:
        """Read back what `save` wrote."""
        self._average.load_state_dict(load_file(folder / FILE))


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    """What a model answers by: its weights, and statistics that it keeps."""
    return itertools.chain(model.parameters(), model.buffers())


def _average_of(decay: float) -> Any:
    @torch.no_grad()
    def update(averages: Any, currents: Any, steps: Tensor | int) -> None:
        done = float(steps)
        share = 1.0 - min(decay, (1.0 + done) / (10.0 + done))
        torch._foreach_lerp_(list(averages), list(currents), share)

    return update
