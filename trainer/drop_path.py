"""Stochastic depth whose draws belong to clips, not to the process that happens to see them.

transformers' own draws from the process's generator, so that a run over two processes, or one that
was interrupted, would skip other layers; and its configuration refuses a rate above 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

BRANCHES = 3
"""Of a layer of divided attention: over time, over space, and the MLP; else without the first."""


class DropPaths:
    """The drop-path modules of a TimeSformer.

    Args:
        model: each layer's `drop_path` is replaced; None: there is nothing to skip.
        rate: of the last layer; that of the first is 0, and it rises evenly (Huang et al. 2016,
            arXiv 1603.09382).
    """

    def __init__(self, model: nn.Module | None, rate: float) -> None:
        body: Any = model
        layers = body.timesformer.encoder.layer if model is not None else ()
        rates = torch.linspace(0.0, rate, len(layers)).tolist()
        self._modules: list[_DropPath] = []
        for layer, value in zip(layers, rates, strict=True):
            if rate:
                layer.drop_path = _DropPath(value, _branches(layer)).train(layer.training)
                self._modules.append(layer.drop_path)

    def draw(self, keys: Iterable[int], device: torch.device) -> None:
        """Decide for the next forward pass in training which clip skips what.

        Args:
            keys: one for each clip of the batch; the same key decides the same.
            device: of the model.
        """
        if not self._modules:
            return
        shape = (len(self._modules), BRANCHES)
        drawn = np.stack([np.random.default_rng(int(key)).random(shape) for key in keys])
        values = torch.from_numpy(drawn.astype(np.float32)).to(device)
        for number, module in enumerate(self._modules):
            module.draws, module.calls = values[:, number], 0


def _branches(layer: Any) -> int:
    return BRANCHES if layer.attention_type == "divided_space_time" else BRANCHES - 1


class _DropPath(nn.Module):
    """Zero for the clips that skip a branch, scaled up for the others."""

    def __init__(self, rate: float, branches: int) -> None:
        super().__init__()
        self._rate = rate
        self._branches = branches
        self.calls = 0
        self.draws: Tensor | None = None
        """Shape (batch, BRANCHES), in [0, 1)."""

    def forward(self, hidden: Tensor) -> Tensor:
        if not self.training or self._rate == 0.0:
            return hidden
        assert self.draws is not None, "DropPaths.draw comes before each forward pass"
        # Rows are clips, or frames of clips, or patches of clips, those of one clip together.
        rows = hidden.shape[0] // self.draws.shape[0]
        # A layer asks for one after the other, and again where gradient checkpointing goes through
        # it once more.
        branch, self.calls = self.calls % self._branches, self.calls + 1
        keeps = (self.draws[:, branch] >= self._rate).to(hidden.dtype) / (1.0 - self._rate)
        shape = (-1,) + (1,) * (hidden.ndim - 1)
        return hidden * keeps.repeat_interleave(rows).view(shape)
