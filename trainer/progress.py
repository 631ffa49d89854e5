"""How far a command is, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from realtime_mood.errors import say

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, what is done of it, and how much there is."""
PROGRESS_EVERY_S = 60.0
"""Between two lines of progress where there is no terminal to draw bars on."""


def tell_nobody(stage: str, done: int, total: int) -> None:
    """Progress that is not shown."""


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """While active, standard error shows how far each stage is: a bar, or lines in a log."""
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _progress_lines()
        return
    tasks: dict[str, progress.TaskID] = {}
    with progress.Progress(console=console) as bars:

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=total)

        yield show


def _progress_lines() -> Progress:
    """For logs: a line now and then, and none of what is done before one is due."""
    told_s = time.monotonic()

    def show(stage: str, done: int, total: int) -> None:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s >= PROGRESS_EVERY_S:
            told_s = now_s
            share = f" ({done / total:.0%})" if total else ""
            say(f"{stage}: {done} of {total}{share}")

    return show
