"""A sink behind a bounded queue, with a thread of its own, so that it can stall nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from realtime_mood.errors import OutputError
from realtime_mood.threads import Worker

Item = TypeVar("Item")
WAIT_S = 0.1
CLOSE_TIMEOUT_S = 30.0


class ThreadedSink(Generic[Item]):
    """Hands items to a slow sink from another thread; drops and counts what does not fit.

    Args:
        write: takes one item; called in the thread.
        close: finishes the sink; called in the thread after the last item.
        name: of the thread.
        capacity: items that may wait.
    """

    def __init__(
        self,
        write: Callable[[Item], None],
        close: Callable[[], None],
        *,
        name: str,
        capacity: int,
    ) -> None:
        self._write = write
        self._close = close
        self._waiting: queue.Queue[Item] = queue.Queue(capacity)
        self._dropped = 0
        self._worker = Worker(name, self._run)
        self._worker.start()

    def write(self, item: Item) -> None:
        """Leave an item; never waits.

        Raises:
            OutputError: the sink failed on an earlier item.
        """
        self.raise_error()
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self._dropped += 1

    def raise_error(self) -> None:
        """Raise what the sink failed of.

        Raises:
            OutputError: it did.
        """
        self._worker.raise_error()

    def stop(self) -> None:
        """Let the thread write what is waiting and finish the sink; does not wait."""
        self._worker.stop()

    def close(self) -> None:
        """As `stop`, and wait for it.

        Raises:
            OutputError: the sink failed, or did not finish in time.
        """
        self.stop()
        if not self._worker.join(CLOSE_TIMEOUT_S):
            raise OutputError(
                f"the {self._worker.name} did not finish within {CLOSE_TIMEOUT_S:.0f} s; its end "
                "is missing; write to a faster disk"
            )
        self.raise_error()

    @property
    def dropped(self) -> int:
        """Items that did not fit."""
        return self._dropped

    def _run(self, stop: threading.Event) -> None:
        try:
            while not (stop.is_set() and self._waiting.empty()):
                try:
                    item = self._waiting.get(timeout=WAIT_S)
                except queue.Empty:
                    continue
                self._write(item)
        finally:
            self._close()
