"""A file that was begun under a name, and what became of it while it was written."""

from __future__ import annotations

import logging
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from realtime_mood.errors import OutputError

logger = logging.getLogger(__name__)


class BegunFile:
    """Knows the file that a library writes, which does not tell, whatever happens to its name.

    Args:
        path: of a file that is about to be begun; an older one may be there.
        what: it is, for messages.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._before = _state(path)
        self._held: int | None = None

    def hold(self) -> None:
        """Called once it is there: from now on it is known by itself, not by its name."""
        # On Windows it could not be moved then, and nobody can remove what is open.
        if self._path.is_file() and sys.platform != "win32":
            self._held = os.open(self._path, os.O_RDONLY)

    def is_here(self) -> bool:
        """Whether what has its name is what was begun."""
        state = _state(self._path)
        if self._held is None:
            return state != self._before
        return state[:2] == _identity(os.fstat(self._held))

    def remove(self) -> None:
        """Remove it, of which nothing can be used, but never another one."""
        if self.is_here() and self._path.is_file() and not self._path.is_symlink():
            with suppress(OSError):
                self._path.unlink()

    def check(self) -> None:
        """Tell where it is not where it was begun any more.

        Raises:
            OutputError: it was removed.
        """
        if self._held is not None:
            refuse_removed(os.fstat(self._held), self._path, self._what)
            if not self.is_here():
                logger.warning("%s %s was moved while it was written", self._what, self._path)

    def let_go(self) -> None:
        """Hold it no longer; may be called twice."""
        held, self._held = self._held, None
        if held is not None:
            os.close(held)


def refuse_removed(status: os.stat_result, path: Path, what: str) -> None:
    """Refuse to call written what has no name any more.

    Args:
        status: of the open file.
        path: where it was begun.
        what: it is, for the message.

    Raises:
        OutputError: it was removed.
    """
    if stat.S_ISREG(status.st_mode) and not status.st_nlink:
        raise OutputError(
            f"{what} {path} was removed while it was written, and is lost; write to another place"
        )


def _state(path: Path) -> tuple[int, ...]:
    """Tells a file from another one of its name by the first two, and whether it was written to."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return *_identity(status), status.st_size, status.st_mtime_ns


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
