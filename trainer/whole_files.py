"""Files that are whole or not there: written beside their place, then moved there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path, *, mark: str = "") -> Iterator[IO[bytes]]:
    """A file to write to that gets its name at the end; if anything fails, the old one stays.

    Args:
        path: where it is to lie, in a folder that is there.
        mark: what tells several processes apart that may write it at the same time.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}{mark}.part")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a whole file, a text as UTF-8; what cannot be, as in odd file names, as escapes.

    Raises:
        OSError: it cannot be written.
    """
    with whole_file(path) as file:
        file.write(
            content.encode(errors="backslashreplace") if isinstance(content, str) else content
        )
