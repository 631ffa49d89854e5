"""Jobs in worker processes that are killed when one takes too long.

concurrent.futures cannot kill a worker that hangs inside a C library, which decoding a damaged
file can do.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

START_TIMEOUT_S = 120.0
"""For a worker to load what it needs, on a machine that is busy."""

Job = TypeVar("Job")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Outcome(Generic[Job, Answer]):
    """What became of one job."""

    job: Job
    """As it was given."""
    answer: Answer | None
    """What the function returned; None when it failed."""
    problem: str
    """Why it failed; empty when it did not."""


def run_jobs(
    function: Callable[[Job], Answer],
    jobs: Sequence[Job],
    *,
    num_workers: int,
    timeout_s: float,
) -> Iterator[Outcome[Job, Answer]]:
    """Run a function over jobs in freshly spawned processes.

    Args:
        function: importable by name; its module is loaded in the worker.
        jobs: picklable.
        num_workers: processes at the same time.
        timeout_s: a worker that takes longer over one job is killed and replaced; its start does
            not count.

    Yields:
        One outcome for each job, in the order they finish.
    """
    pending = list(reversed(jobs))
    idle: list[_Worker[Job, Answer]] = []
    busy: list[_Worker[Job, Answer]] = []
    try:
        while pending or busy:
            while pending and len(busy) < num_workers:
                worker = idle.pop() if idle else _Worker(function)
                worker.give(
                    pending.pop(), deadline_s=time.monotonic() + START_TIMEOUT_S + timeout_s
                )
                busy.append(worker)
            patience_s = min(worker.deadline_s for worker in busy) - time.monotonic()
            ready = wait([worker.connection for worker in busy], timeout=max(0.0, patience_s))
            for worker in list(busy):
                if worker.connection in ready:
                    taken = worker.take()
                    if taken is None:
                        worker.deadline_s = time.monotonic() + timeout_s
                        continue
                    outcome = taken
                elif time.monotonic() >= worker.deadline_s:
                    worker.kill()
                    outcome = Outcome(worker.job, None, f"took longer than {timeout_s:g} s")
                else:
                    continue
                busy.remove(worker)
                if worker.is_alive:
                    idle.append(worker)
                yield outcome
    finally:
        for worker in idle + busy:
            worker.kill()


class _Worker(Generic[Job, Answer]):
    """One process and the job it has."""

    job: Job

    def __init__(self, function: Callable[[Job], Answer]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.deadline_s = 0.0
        self._process = context.Process(
            target=_work, args=(theirs, function), name="trainer-worker", daemon=True
        )
        self._process.start()
        theirs.close()
        self.is_alive = True

    def give(self, job: Job, *, deadline_s: float) -> None:
        self.job = job
        self.deadline_s = deadline_s
        # A worker that died is found out when its answer is taken.
        with contextlib.suppress(BrokenPipeError):
            self.connection.send(job)

    def take(self) -> Outcome[Job, Answer] | None:
        """What became of the job; None when it has only just begun."""
        try:
            message = self.connection.recv()
            if message is None:
                return None
            answer, problem = message
        except (EOFError, OSError):
            self.kill()
            return Outcome(self.job, None, f"its worker ended with {self._process.exitcode}")
        return Outcome(self.job, answer, problem)

    def kill(self) -> None:
        self.is_alive = False
        self._process.kill()
        self._process.join()
        self.connection.close()


def _work(connection: Connection, function: Callable[[Job], Answer]) -> None:
    # Ctrl-C is the parent's to handle; it kills the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The parent may be gone.
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            job = connection.recv()
            connection.send(None)  # The job's time runs from here.
            try:
                connection.send((function(job), ""))
            except Exception as error:
                connection.send((None, str(error).strip() or type(error).__name__))
