"""What `trainer download` is asked to do."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from realtime_mood.errors import UsageError
from trainer.config.options import Options, Range, add_options, given, require

FIRST_ACTOR, LAST_ACTOR = 1, 24
"""Of the record."""


@dataclass(frozen=True, kw_only=True)
class DownloadConfig(Options):
    """RAVDESS's videos from Zenodo.

    Raises:
        UsageError: a value is outside its range.
    """

    output: Path
    """Folder that the actors' folders are put into."""
    actors: Annotated[tuple[int, ...], Range(FIRST_ACTOR, LAST_ACTOR)] = ()
    """Whose recordings (everybody's, about 12 GB)."""
    songs: bool = False
    """The sung takes too."""
    keep_archives: bool = False
    """Do not delete archives that are unpacked."""
    base_url: str = "https://zenodo.org"
    """Server with Zenodo's interface."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.base_url.startswith(("https://", "http://")):
            raise UsageError(f"--base-url is {self.base_url}; it must begin with https://")


def add_download_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser all options of `trainer download`."""
    add_options(parser, DownloadConfig)


def download_config(values: argparse.Namespace) -> DownloadConfig:
    """The configuration that a command line asks for.

    Raises:
        UsageError: something is missing or outside its range.
    """
    found = given(values, DownloadConfig)
    require(DownloadConfig, found, "")
    return DownloadConfig(**found)
