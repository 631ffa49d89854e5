"""How the weights are fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from trainer.config.options import Options, Range

MOST_EPOCHS = 100_000.0


@dataclass(frozen=True, kw_only=True)
class RecipeConfig(Options):
    """Everything between the data and the weights.

    Raises:
        UsageError: a value is outside its range.
    """

    epochs: Annotated[float, Range(0.0, MOST_EPOCHS, above=True)] = 15.0
    """Epochs on clips."""
    batch_size: Annotated[int, Range(1, 4096)] = 16
    """Clips of one step, over all processes."""
    learning_rate: Annotated[float, Range(0.0, 1.0, above=True)] = 5e-5
    """Peak of the cosine schedule on clips."""
    motion_epochs: Annotated[float, Range(0.0, MOST_EPOCHS)] = 0.0
    """Epochs on motion alone before expressions are learned; 0 leaves motion out altogether."""
    motion_learning_rate: Annotated[float, Range(0.0, 1.0, above=True)] = 6e-4
    """Peak of the cosine schedule on motion."""


RECIPES: dict[str, dict[str, dict[str, object]]] = {
    "base": {},
    "small": {
        "model": {"base_model": "tiny"},
        "recipe": {"learning_rate": 5e-4},
    },
}
"""Presets by name: values by table that replace the defaults, which are made for base models."""
