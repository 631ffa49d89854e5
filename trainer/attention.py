"""TimeSformer's attention by PyTorch's fused kernels; transformers has no such path for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers.models.timesformer.modeling_timesformer import TimesformerSelfAttention

from realtime_mood.model.forward import attend


@contextmanager
def fused_attention(model: nn.Module) -> Iterator[None]:
    """Within, a model's attention is computed without keeping its probabilities.

    Weights and answers stay the same (to rounding); on a GPU memory and time become less.

    Args:
        model: changed in place; attention probabilities cannot be asked of it.
    """
    changed = [module for module in model.modules() if type(module) is TimesformerSelfAttention]
    for module in changed:
        module.__class__ = _FusedSelfAttention
    try:
        yield
    finally:
        for module in changed:
            module.__class__ = TimesformerSelfAttention


class _FusedSelfAttention(TimesformerSelfAttention):
    def forward(self, hidden_states: Tensor, output_attentions: bool = False) -> tuple[Any, ...]:
        if output_attentions:
            raise ValueError("fused attention has no probabilities to give")
        dropout = self.attn_drop.p if self.training else 0.0
        return (attend(self, self.qkv(hidden_states), dropout=dropout),)
