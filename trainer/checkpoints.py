"""Folders that are whole or not there: written beside, pushed to the disk, renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from realtime_mood.errors import OutputError, is_out_of_memory, one_line

PREFIX = "checkpoint-"
FULL_BYTES = 2**20
"""A disk with less room than this is full: no checkpoint is that small."""


def final_folder(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step lies once it is whole."""
    return folder / f"{PREFIX}{step}"


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint was written after."""
    return int(checkpoint.name.removeprefix(PREFIX))


def newest(folder: Path) -> Path | None:
    """The whole checkpoint of the highest step; None where there is none."""
    if not folder.is_dir():
        return None
    by_step = {
        step_of(path): path
        for path in folder.glob(f"{PREFIX}*")
        if path.name.removeprefix(PREFIX).isdecimal() and any(path.iterdir())
    }
    return by_step[max(by_step)] if by_step else None


def push_to_disk(path: Path) -> None:
    """Wait until a file's content is where it outlasts a power cut."""
    with path.open("rb+") as file:  # Windows wants it open for writing.
        os.fsync(file.fileno())


def publish(beside: Path, final: Path) -> None:
    """Give a folder its final name, all of it or nothing, even if the power fails.

    Args:
        beside: written completely, on the same disk.
        final: may exist; it is replaced.
    """
    for path in sorted(beside.iterdir()):
        push_to_disk(path)
    if final.exists():
        shutil.rmtree(final)
    beside.replace(final)


def remove_others(folder: Path, keep: Iterable[Path]) -> None:
    """Remove checkpoints, whole or not, except some."""
    kept = {path.name for path in keep}
    for path in [*folder.glob(f"{PREFIX}*"), *folder.glob(f".{PREFIX}*")]:
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what libraries raise on a full disk into one line.

    Raises:
        OutputError: anything could not be written.
    """
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        # torch and safetensors have errors of their own for what is an OSError elsewhere; those of
        # other processes, and in later releases those of GPUs, are kinds of RuntimeError.
        is_other = isinstance(error, RuntimeError) and type(error) is not RuntimeError
        if is_other or is_out_of_memory(error) or "CUDA error" in str(error):
            raise
        reason = one_line(error)
        if not isinstance(error, OSError) and shutil.disk_usage(folder).free < FULL_BYTES:
            reason = "the disk is full"
        kept = "the one before is whole" if newest(folder) else "there is none before it"
        raise OutputError(
            f"the checkpoint in {folder} cannot be written ({reason}); make room, then go on with "
            f"--resume: {kept}"
        ) from error
