"""Hygiene of every test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

PATIENCE_S = 3.0


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline_s = time.monotonic() + PATIENCE_S
    for thread in set(threading.enumerate()) - before:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    left = [t.name for t in set(threading.enumerate()) - before if t.is_alive()]
    # tqdm and PyTorch keep helpers of their own for the rest of the process.
    ours = [name for name in left if not name.startswith(("tqdm", "pytorch", "pin_memory"))]
    assert not ours, f"threads still running after the test: {ours}"
