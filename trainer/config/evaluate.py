"""What one measurement of a checkpoint is asked to do."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from realtime_mood.errors import UsageError
from trainer.config.data import DataConfig, data_from_environment
from trainer.config.layers import EFFECTIVE_FILE
from trainer.config.options import Options, Range, add_options, given, require

DEFAULT_STRIDE_S = 0.2
"""As `realtime-mood --stride`."""


@dataclass(frozen=True, kw_only=True)
class MeasureConfig(Options):
    """What is measured, and how the machine is used.

    Raises:
        UsageError: a value is outside its range.
    """

    model: str = "default"
    """A checkpoint: 'default', a folder or a Hub id."""
    actors: tuple[int, ...] = ()
    """Whose recordings (everybody's)."""
    batch_size: Annotated[int, Range(1, 4096)] = 16
    """Clips at a time."""
    num_workers: Annotated[int, Range(0, 64)] = 2
    """Processes that decode, and that prepare batches; 0: batches are made in this process."""
    stride_s: Annotated[float, Range(0.0, 10.0, "seconds", above=True)] = DEFAULT_STRIDE_S
    """Seconds between two clips, when it is measured as deployed."""
    report: Path | None = None
    """Folder for a report with a page to look at (none is written)."""


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Options of `trainer evaluate`."""

    data: DataConfig
    """What is measured on."""
    measure: MeasureConfig
    """What is measured."""

    @property
    def crops_folder(self) -> Path:
        """Where face crops are kept."""
        assert self.data.cache is not None
        return self.data.cache


def add_evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser all options of `trainer evaluate`."""
    add_options(parser, DataConfig)
    add_options(parser, MeasureConfig)


def evaluate_config(values: argparse.Namespace) -> EvaluateConfig:
    """The configuration that a command line asks for.

    Args:
        values: of a parser made by `add_evaluate_options`.

    Raises:
        UsageError: something is missing or outside its range.
    """
    data = data_from_environment() | given(values, DataConfig)
    require(DataConfig, data, "")
    measure = MeasureConfig(**given(values, MeasureConfig))
    # Beside the checkpoint of a run lie the crops that it was trained on.
    model = Path(measure.model)
    is_of_run = model.is_dir() and (model.parent / EFFECTIVE_FILE).is_file()
    crops = model.parent / "crops"
    if data.get("cache") is None and is_of_run and crops.is_dir():
        data["cache"] = crops
    if data.get("cache") is None:
        raise UsageError("--cache is missing; name a folder in which face crops are kept")
    return EvaluateConfig(data=DataConfig(**data), measure=measure)
