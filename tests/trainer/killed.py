"""A training run that kills itself with SIGKILL at an exact moment; run as a program.

python -m tests.trainer.killed STAGE:STEP train …    after that step
python -m tests.trainer.killed publish:STEP train …  with the checkpoint of that step written,
                                                     but not given its name yet
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer import checkpoints, cli

MOMENT, _, STEP = sys.argv[1].partition(":")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def progress() -> Iterator[object]:
    def show(stage: str, done: int, total: int) -> None:
        if (stage, done) == (MOMENT, int(STEP)):
            die()

    yield show


def publish(beside: Path, final: Path) -> None:
    if final.name == f"checkpoint-{STEP}":
        die()
    really_publish(beside, final)


if __name__ == "__main__":
    really_publish = checkpoints.publish
    if MOMENT == "publish":
        checkpoints.publish = publish
    cli.shown_progress = progress
    sys.exit(cli.main(sys.argv[2:]))
