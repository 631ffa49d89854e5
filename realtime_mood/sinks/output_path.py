"""Checks of a path that is about to be written, before any work is done."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from realtime_mood.errors import OutputError


def check_writable(path: Path) -> None:
    """Refuse a path that cannot become a file. Creates and changes nothing.

    Args:
        path: of the file to be written; it may exist.

    Raises:
        OutputError: its folder is missing or read-only, or the path is a folder or no name for a
            file.
    """
    folder = path.parent
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # Which of the two it is, is found out below.
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); choose another place or name"
        ) from error
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it")
    if not folder.exists():
        raise OutputError(f"the folder {folder} does not exist; create it")
    if not folder.is_dir():
        raise OutputError(f"{folder} is not a folder; choose another place for {path.name}")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"{path} may not be overwritten; change its permissions or the name")
    if not path.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"the folder {folder.absolute()} may not be written to; choose another one, or run in "
            "another"
        )


@contextmanager
def refusing_idle_pipe(path: Path) -> Iterator[None]:
    """Within, opening this path to write does not wait: a pipe that nobody reads is refused.

    Opening such a pipe waits for its reader, if need be for ever, and in PyAV all threads do.

    Args:
        path: of the file to be written; nothing is done about one that is no pipe.

    Raises:
        OSError: it is a pipe, and nobody reads it.
    """
    if not path.is_fifo():
        yield
        return
    try:
        # Kept until it is opened again: a reader takes the last writer that leaves for the end.
        held = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        raise OSError(error.errno, "nobody reads this pipe; start its reader first") from error
    try:
        yield
    finally:
        os.close(held)


def unused_path(path: Path, taken: Collection[Path] = ()) -> Path:
    """The path itself, or with -2, -3 … before its suffix where there is a file.

    Args:
        path: of the file to be written.
        taken: files that will be there.
    """
    number, candidate = 1, path
    while candidate in taken or candidate.exists():
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    return candidate
