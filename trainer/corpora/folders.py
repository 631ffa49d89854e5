"""Files in folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from realtime_mood.errors import SourceError


def files_below(folder: Path) -> Iterator[Path]:
    """The files in a folder and all its subfolders, links followed, without hidden files.

    Args:
        folder: a folder that links lead to several times is visited once.

    Raises:
        SourceError: a folder cannot be read, whose files would be missed silently.
    """

    def refuse(error: OSError) -> None:
        raise unreadable(error) from error

    seen = set()
    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        paths = (Path(place, name) for name in names if not name.startswith("."))
        yield from (path for path in paths if path.is_file())


def unreadable(error: OSError) -> SourceError:
    """What to raise when a folder cannot be read."""
    return SourceError(
        f"the folder {error.filename} cannot be read ({error.strerror}); check its permissions"
    )
