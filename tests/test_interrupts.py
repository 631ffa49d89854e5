"""Ctrl-C twice in a terminal."""

import os
import signal
import sys
import threading
from types import SimpleNamespace

import pytest

from realtime_mood.cli import INTERRUPTED_EXIT_CODE, SHOW_CURSOR, STOPPING, _interrupts_to


def test_the_second_ctrl_c_quits_at_once_and_gives_the_cursor_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[bytes] = []
    # A progress bar has taken the place of standard error and keeps what is written to it.
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True, fileno=lambda: 2))
    monkeypatch.setattr(os, "write", lambda _, line: written.append(line))
    monkeypatch.setattr(os, "_exit", sys.exit)
    event = threading.Event()
    with _interrupts_to(event):
        signal.raise_signal(signal.SIGINT)
        assert event.is_set()
        assert written == [STOPPING]
        with pytest.raises(SystemExit) as left:
            signal.raise_signal(signal.SIGINT)
    assert written == [STOPPING, SHOW_CURSOR]
    assert left.value.code == INTERRUPTED_EXIT_CODE


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal")
def test_a_terminal_that_is_closed_ends_a_run_properly_however_often_it_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "_exit", sys.exit)
    event = threading.Event()
    with _interrupts_to(event):
        signal.raise_signal(signal.SIGHUP)
        assert event.is_set()
        signal.raise_signal(signal.SIGHUP)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    event.clear()
    try:
        with _interrupts_to(event):  # As under nohup.
            signal.raise_signal(signal.SIGHUP)
            assert not event.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)
