"""Where a run goes and how the machine is used."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from realtime_mood.errors import UsageError
from trainer.config.options import Choice, Options, Range

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
REPORTERS = ("tensorboard", "wandb", "none")


@dataclass(frozen=True, kw_only=True)
class RunConfig(Options):
    """What does not change what is learned, save for rounding and the seed.

    Raises:
        UsageError: a value is outside its range, or names a package that is not installed.
    """

    output: Path
    """Folder for the run and its checkpoint."""
    resume: bool = False
    """Go on where an interrupted run in the output folder stopped."""
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """Of everything drawn."""
    num_workers: Annotated[int, Range(0, 64)] = 2
    """Processes that decode, and that prepare batches; 0: batches are made in this process."""
    precision: Annotated[str, Choice(PRECISIONS)] = "auto"
    """Of the arithmetic in training; bf16 and fp16 are mixed, fp16 needs a GPU; auto: bf16 on GPUs
    that are made for it, else fp32."""
    accumulate: Annotated[int, Range(1, 4096)] = 1
    """Parts that a process works through one after the other in each step, to save memory."""
    gradient_checkpointing: bool = False
    """Compute activations twice rather than keep them: less memory, a third more time."""
    checkpoint_every: Annotated[int, Range(1, 2**31)] | None = None
    """Steps between checkpoints, besides the one at the end of each epoch."""
    max_steps: Annotated[int, Range(1, 2**31)] | None = None
    """Bound on the steps of each stage, to try things out."""
    report_to: Annotated[str, Choice(REPORTERS)] = "tensorboard"
    """Who is told losses and figures while training."""
    push_to_hub: str | None = None
    """OWNER/NAME on the Hugging Face Hub that the checkpoint is pushed to (none); made private."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.report_to == "wandb" and importlib.util.find_spec("wandb") is None:
            raise UsageError(
                "--report-to is wandb, which is not installed; pip install wandb, or give "
                "tensorboard or none"
            )
