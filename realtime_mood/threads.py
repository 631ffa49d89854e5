"""A thread with an owner: named, stoppable, joined with a bound, and honest about its death."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

LOOK_S = 0.1
"""Between two looks whether somebody gives up waiting."""


class Worker:
    """One thread and what became of it.

    The owner starts it, asks it to stop, joins it and raises what it died of. The function it runs
    is given the stop event and returns soon after that is set.

    Args:
        name: of the thread, for people and debuggers.
        run: what it does.
    """

    def __init__(self, name: str, run: Callable[[threading.Event], None]) -> None:
        self.name = name
        self.stop_requested = threading.Event()
        self._run = run
        self._error: BaseException | None = None
        # A device driver can block for ever in a read; such a thread must not keep the program.
        self._thread = threading.Thread(target=self._guarded, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; once only."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; does not wait."""
        self.stop_requested.set()

    def join(self, timeout_s: float, *, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait for the end.

        Args:
            timeout_s: how long at most.
            give_up: asked every `LOOK_S` while it waits; True to wait no longer.

        Returns:
            False when the thread did not end in time and was left behind.
        """
        if self._thread.ident is None:
            return True
        end_s = time.monotonic() + timeout_s
        while self._thread.is_alive() and (left_s := end_s - time.monotonic()) > 0.0:
            if give_up():
                break
            self._thread.join(min(left_s, LOOK_S))
        if self._thread.is_alive():
            log.info("the %s thread did not end and is waited for no longer", self.name)
            return False
        return True

    @property
    def is_running(self) -> bool:
        """True from start to end."""
        return self._thread.is_alive()

    @property
    def error(self) -> BaseException | None:
        """What the thread died of; None while it lives or when it ended well."""
        return self._error

    def raise_error(self) -> None:
        """Raise on the caller's thread what this thread died of, if it did."""
        if self._error is not None:
            raise self._error

    def _guarded(self) -> None:
        try:
            self._run(self.stop_requested)
        except BaseException as error:
            self._error = error
