"""AdamW's parameter groups: layer-wise learning rates, and what is never decayed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from torch import nn

NEVER_DECAYED = ("position_embeddings", "time_embeddings", "cls_token")
LAYER = re.compile(r"encoder\.layer\.(\d+)\.")
EMBEDDINGS = re.compile(r"(^|\.)embeddings\.")


def parameter_groups(
    parameters: Iterable[tuple[str, nn.Parameter]],
    *,
    layers: int,
    learning_rate: float,
    layer_decay: float,
    weight_decay: float,
) -> list[dict[str, object]]:
    """Groups for `torch.optim.AdamW`; frozen parameters are in none.

    The embeddings have depth 0, layer i has depth i + 1, everything behind them `layers` + 1; a
    depth's learning rate is `layer_decay` times that of the next (Bao et al. 2022, arXiv
    2106.08254). Biases, norms, embeddings of place and time and the class token are not decayed.

    Args:
        parameters: by name, as `named_parameters` gives them.
        layers: of the encoder.
        learning_rate: of the deepest group.
        layer_decay: see above.
        weight_decay: see above.
    """
    groups: dict[tuple[int, bool], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in parameters:
        if parameter.requires_grad:
            decays = parameter.ndim > 1 and not name.endswith(NEVER_DECAYED)
            groups[depth_of(name, layers), decays].append(parameter)
    return [
        {
            "params": members,
            "lr": learning_rate * layer_decay ** (layers + 1 - depth),
            "weight_decay": weight_decay if decays else 0.0,
        }
        for (depth, decays), members in sorted(groups.items(), key=lambda item: item[0])
    ]


def depth_of(name: str, layers: int) -> int:
    """How deep a parameter lies, from 0 for the embeddings to `layers` + 1 for the classifier."""
    if match := LAYER.search(name):
        return int(match[1]) + 1
    return 0 if EMBEDDINGS.search(name) else layers + 1
