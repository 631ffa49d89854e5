"""Hygiene of every test, and what several of them need."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from realtime_mood.faces.yunet_file import FACE_MODEL_VARIABLE
from tests.fakes import SPEC

# What the person who runs the tests has set up for themselves is not what is tested.
os.environ.pop(FACE_MODEL_VARIABLE, None)

PATIENCE_S = 3.0
NOBODY = 65534


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline_s = time.monotonic() + PATIENCE_S
    for thread in set(threading.enumerate()) - before:
        # One that is being started cannot be joined yet.
        while thread.ident is None and time.monotonic() < deadline_s:
            time.sleep(0.01)
        if thread.ident is not None:
            thread.join(max(0.0, deadline_s - time.monotonic()))
    left = [t.name for t in set(threading.enumerate()) - before if t.is_alive()]
    # tqdm and PyTorch keep helpers of their own for the rest of the process.
    ours = [name for name in left if not name.startswith(("tqdm", "pytorch", "pin_memory"))]
    assert not ours, f"threads still running after the test: {ours}"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint folder with a small model that knows nothing."""
    from realtime_mood.model.checkpoint import Contract, save_checkpoint
    from realtime_mood.model.timesformer import tiny_timesformer

    folder = tmp_path_factory.mktemp("checkpoint")
    contract = Contract(spec=SPEC, temperature=1.0, face_detector="none")
    save_checkpoint(tiny_timesformer(SPEC), contract, folder)
    return folder


@pytest.fixture
def locked_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that this process may not look into, even when root runs the tests."""
    if not hasattr(os, "geteuid"):
        pytest.skip("needs the permissions of POSIX")
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0)
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(NOBODY)
        yield folder
    finally:
        os.seteuid(before)
        folder.chmod(0o700)


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder that this process may look into and not write to, even when root runs the tests."""
    if not hasattr(os, "setreuid"):
        pytest.skip("needs the permissions of POSIX")
    before = os.getuid()
    # Not pytest's own place, which root alone may look into.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        try:
            # The real user is the one that `os.access` asks about.
            if before == 0:
                os.setreuid(NOBODY, -1)
            yield folder
        finally:
            if before == 0:
                os.setreuid(before, -1)
            folder.chmod(0o700)
