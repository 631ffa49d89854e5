"""What a run is asked to do, by subject; checked as a whole before anything is read."""

from __future__ import annotations

from trainer.config.data import DataConfig, SplitConfig
from trainer.config.evaluate import EvaluateConfig, MeasureConfig
from trainer.config.layers import TrainConfig
from trainer.config.model import PUBLISHED, TINY, ModelConfig
from trainer.config.recipe import RecipeConfig
from trainer.config.run import RunConfig

__all__ = [
    "PUBLISHED",
    "TINY",
    "DataConfig",
    "EvaluateConfig",
    "MeasureConfig",
    "ModelConfig",
    "RecipeConfig",
    "RunConfig",
    "SplitConfig",
    "TrainConfig",
]
