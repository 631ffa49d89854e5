"""A model of one layer and recordings of one brightness each: what fits them is seen through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime_mood.model.labels import LABELS
from tests.trainer.clips import PLAIN, SPEC
from trainer.config import (
    DataConfig,
    ModelConfig,
    RecipeConfig,
    RunConfig,
    SplitConfig,
    TrainConfig,
)
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops
from trainer.dataset import EvaluationClips, Item, TrainingClips
from trainer.fit import Stage, fit
from trainer.sampler import Draw

FRAMES = 12
PADDED = 20


class OneLayer(nn.Module):
    """Answers by the brightness of a clip, `loudness` times as large."""

    def __init__(self, loudness: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(1, len(LABELS))
        self._loudness = loudness

    def forward(self, pixel_values: Tensor) -> dict[str, Tensor]:
        seen = self._loudness * pixel_values.flatten(1).mean(dim=1, keepdim=True)
        return {"logits": self.layer(seen)}

    def weights(self) -> Tensor:
        """A copy of all of them."""
        return torch.cat([weights.detach().flatten() for weights in self.parameters()]).clone()


class NotedClips(TrainingClips):
    """Notes which clips are made."""

    def __init__(self, *arguments: Any, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.drawn: list[Draw] = []

    def __getitem__(self, draw: Draw) -> Item:
        self.drawn.append(draw)
        return super().__getitem__(draw)


def recordings(
    folder: Path, labels: Sequence[int], *, weights: Sequence[float] = (), side: int = PADDED
) -> list[FaceCrops]:
    """One of each label given, the brighter the later, drawn as often as their weights say."""
    made = []
    for number, label in enumerate(labels):
        path = folder / f"{side}-{number}.npy"
        np.save(path, np.full((FRAMES, side, side, 3), 10 + 10 * number, dtype=np.uint8))
        recording = Recording(
            path=path,
            name=path.stem,
            take=path.stem,
            actor="ravdess:01",
            label=label,
            weight=weights[number] if weights else 1.0,
        )
        made.append(FaceCrops(recording, path, np.arange(FRAMES) / 10))
    return made


def recipe_of(**options: Any) -> RecipeConfig:
    """Two clips a step that are not changed, and no average of the weights."""
    return RecipeConfig(**{**PLAIN, "batch_size": 2, "ema": 0.0, "head_epochs": 0.0, **options})


def training(folder: Path, recipe: RecipeConfig, labels: Sequence[int] = range(8)) -> NotedClips:
    """Clips of one recording of each label given."""
    return NotedClips(recordings(folder, labels), SPEC, recipe=recipe, seed=0)


def validation(folder: Path) -> EvaluationClips:
    """Clips of two recordings."""
    return EvaluationClips(recordings(folder, (0, 1), side=SPEC.image_size), SPEC, count=1)


def config_of(output: Path, recipe: RecipeConfig, **run: Any) -> TrainConfig:
    """Of a run that reads no data and tells nobody."""
    return TrainConfig(
        data=DataConfig(data=("nowhere",)),
        split=SplitConfig(),
        model=ModelConfig(),
        recipe=recipe,
        run=RunConfig(**{"output": output, "num_workers": 0, "report_to": "none", **run}),
    )


def fit_clips(
    model: nn.Module,
    config: TrainConfig,
    data: TrainingClips,
    *,
    epochs: float = 1.0,
    learning_rate: float = 0.1,
    measured: EvaluationClips | None = None,
    progress: Any = lambda *told: None,
) -> None:
    """One stage of training."""
    stage = Stage(name="clips", epochs=epochs, learning_rate=learning_rate)
    fit(model, stage, config, data=data, validation=measured, progress=progress)
