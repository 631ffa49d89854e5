"""Several processes that train one model, as `torchrun` or `accelerate launch` start them.

One alone needs nothing of this, and every function does the obvious thing for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
from accelerate import PartialState  # type: ignore[import-untyped]
from torch import distributed

from realtime_mood.model.precision import has_cuda

PATIENCE = timedelta(days=2)
"""The others wait this long for the first one, which may have a whole corpus of faces to cut."""

Answer = TypeVar("Answer")


def join() -> None:
    """Find the other processes; takes them all."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        if torch.cuda.is_available():
            # Each looks at its own GPU, or all of them would take memory of the first.
            own = int(os.environ.get("LOCAL_RANK", "0"))
            torch.cuda.set_device(own % torch.cuda.device_count())
        PartialState(cpu=not has_cuda(), timeout=PATIENCE)


def leave() -> None:
    """Part from the other processes when all are here; takes them all."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def count() -> int:
    """How many there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """Whether this is the one that writes and speaks."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def wait_for_all() -> None:
    """Go on when all processes are here."""
    if distributed.is_initialized():
        distributed.barrier()


def from_first(action: Callable[[], Answer]) -> Answer:
    """Let the first process do something and all of them have its answer, or its error.

    Args:
        action: its answer can be pickled.

    Raises:
        Exception: what the action raised, in every process.
    """
    if count() == 1:
        return action()
    told: list[Any] = [None, None]
    if is_first():
        try:
            told[0] = action()
        except Exception as error:
            told[1] = error
    distributed.broadcast_object_list(told, src=0)
    if told[1] is not None:
        raise told[1]
    answer: Answer = told[0]
    return answer
