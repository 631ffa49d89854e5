"""An HTTP download that goes on where it was cut, for pooch, which starts again from nothing."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from realtime_mood.errors import OutputError, SourceError

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 14
"""What is lost of the last chunk when a connection breaks: so it is small."""
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 15.0, 60.0
ATTEMPTS = 6
"""In a row that bring not one byte; after that it is given up."""
LONGEST_PAUSE_S = 30.0
WORTH_TRYING_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class ResumingDownloader:
    """Called by pooch with a URL and the file it wants.

    What has come so far lies in `part` until the file is whole, and stays there when the process
    ends.

    Args:
        part: where the bytes are gathered.
        size: bytes of the whole file.
        show: told the bytes that are there.
        pause: waits for so many seconds.
    """

    def __init__(
        self,
        part: Path,
        size: int,
        *,
        show: Callable[[int], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._part = part
        self._size = size
        self._show = show
        self._pause = pause

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download a file.

        Raises:
            SourceError: the server does not have it, or cannot be reached.
            OutputError: it cannot be written.
        """
        vain = 0
        while (before := self._have()) < self._size:
            problem = ""
            try:
                self._go_on(url, before)
            except requests.RequestException as error:
                problem = _reason(error)
            except OSError as error:
                raise OutputError(
                    f"{self._part} cannot be written ({error.strerror}); make room; the same "
                    "command goes on"
                ) from error
            now = self._have()
            vain = 0 if now > before else vain + 1
            if vain >= ATTEMPTS:
                raise SourceError(
                    f"{url} gave nothing in {ATTEMPTS} attempts ({problem or 'no bytes'}); "
                    f"{now} of {self._size} bytes are kept; the same command goes on later"
                )
            if now < self._size:
                logger.info("%s: cut after %d of %d bytes", self._part.name, now, self._size)
            if vain:
                self._pause(min(LONGEST_PAUSE_S, 2.0 ** (vain - 1)))
        self._part.replace(output_file)

    def _have(self) -> int:
        size = self._part.stat().st_size if self._part.is_file() else 0
        if size > self._size:
            self._part.unlink()  # Of another file: begin again.
            return 0
        return size

    def _go_on(self, url: str, have: int) -> None:
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        timeouts = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        with requests.get(url, headers=headers, stream=True, timeout=timeouts) as answer:
            if answer.status_code >= 400 and answer.status_code not in WORTH_TRYING_AGAIN:
                raise SourceError(f"{url} answers {answer.status_code} {answer.reason}")
            answer.raise_for_status()
            fits = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            goes_on = have > 0 and answer.status_code == requests.codes.partial_content and fits
            if have and not goes_on:
                logger.info("%s: the server cannot go on, it begins again", self._part.name)
            done = have if goes_on else 0
            with self._part.open("ab" if goes_on else "wb") as file:
                for chunk in answer.iter_content(CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    self._show(done)


def _reason(error: requests.RequestException) -> str:
    text = str(error)
    with contextlib.suppress(IndexError, AttributeError):
        text = str(error.args[0].reason)
    return " ".join(text.split())[:200]
