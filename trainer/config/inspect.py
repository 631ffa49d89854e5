"""What `trainer inspect` is asked to do."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Annotated

from trainer.config.data import DataConfig
from trainer.config.options import Options, Range, add_options, given, require


@dataclass(frozen=True, kw_only=True)
class InspectConfig(Options):
    """How the data is looked at.

    Raises:
        UsageError: a value is outside its range.
    """

    span_s: Annotated[float, Range(0.0, 600.0, "seconds")] = 1.4
    """Recordings shorter than a clip of this many seconds are named."""
    num_workers: Annotated[int, Range(1, 64)] = 2
    """Processes that decode."""


def add_inspect_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser all options of `trainer inspect`, which cuts no faces."""
    add_options(parser, DataConfig, only=("data", "decode_timeout_s"))
    add_options(parser, InspectConfig)


def inspect_config(values: argparse.Namespace) -> tuple[DataConfig, InspectConfig]:
    """The configuration that a command line asks for.

    Raises:
        UsageError: something is missing or outside its range.
    """
    data = given(values, DataConfig)
    require(DataConfig, data, "")
    return DataConfig(**data), InspectConfig(**given(values, InspectConfig))
