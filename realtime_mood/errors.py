"""Every error that a user can cause, and the exit code it ends the program with.

    RealtimeMoodError           1  a fault in the program
    ├── UsageError              2  an option or a combination of options makes no sense
    ├── SourceError             3  input cannot be opened or decoded
    │   └── SourceLostError     3  a camera or stream without an end stopped; it may come back
    ├── ModelError              4  a checkpoint cannot be loaded or contradicts itself
    └── OutputError             5  output cannot be written
        └── ReaderGoneError     0  a pipe's reader has seen enough; the run ends without a word

The message is one line: what went wrong, the value that caused it, what to do about it. Errors of
other libraries are turned into these at the one place where that library is called.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

OPENCV_PACKAGES = "libgl1 libglib2.0-0"
"""Debian's and Ubuntu's names for what OpenCV's wheel needs and slim images lack."""

NO_GPU_MEMORY = re.compile("out of memory|ALLOC_FAILED", re.IGNORECASE)
"""In what CUDA, cuBLAS and Apple's GPUs say, for which PyTorch has no class of its own."""

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class RealtimeMoodError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the process returns."""

    exit_code = 1


class UsageError(RealtimeMoodError):
    """An option has a value outside its range, or options contradict each other."""

    exit_code = 2


class SourceError(RealtimeMoodError):
    """A camera, file, URL or data folder cannot be opened, or breaks while being read."""

    exit_code = 3


class SourceLostError(SourceError):
    """A camera or stream that has no end delivers no more frames; it may be opened again."""


class ModelError(RealtimeMoodError):
    """A checkpoint or a face-detector file is missing, unsafe or contradicts itself."""

    exit_code = 4


class OutputError(RealtimeMoodError):
    """A recording, an events file, a screenshot or a checkpoint cannot be written."""

    exit_code = 5


class ReaderGoneError(OutputError):
    """Whoever read standard output closed it (`… | head`): the run ends early, and well."""

    exit_code = 0


def standard_output_failed(error: OSError) -> OutputError:
    """What to raise when standard output could not be written; it leads nowhere from then on.

    Returns:
        A `ReaderGoneError` where whoever read it has left, else one that says why.
    """
    # What is left in the buffer is flushed at exit, and would fail again, with a traceback.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # Not a real file, as under a test.
    finally:
        os.close(nowhere)
    is_windows_pipe = sys.platform == "win32" and error.errno == errno.EINVAL
    if is_windows_pipe or isinstance(error, BrokenPipeError):
        return ReaderGoneError("nobody reads standard output any more")
    return OutputError(
        f"standard output cannot be written ({error.strerror}); write to a file instead"
    )


def say(line: str) -> None:
    """Write a line to standard error, where there is one; for the command lines and their progress.

    Where it cannot be written, on a full disk or a terminal that is gone, nothing is said from
    then on, and nothing else changes.
    """
    if sys.stderr is not None:
        try:
            sys.stderr.write(f"{line}\n")
        except (OSError, ValueError):
            sys.stderr = None


def flush_standard_streams() -> None:
    """Write what is left, where it can be written: before a process is ended by the system."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error of PyTorch's tells that a device has too little memory."""
    # By name: PyTorch is not imported for this.
    is_named_so = type(error).__name__ == "OutOfMemoryError"
    return is_named_so or (
        isinstance(error, RuntimeError) and NO_GPU_MEMORY.search(str(error)) is not None
    )


def did_you_mean(words: Iterable[str], options: Sequence[str]) -> str:
    """What to add to a message about unknown options; nothing where none is near.

    Args:
        words: as given.
        options: those that there are, with their dashes.
    """
    # Without their dashes, which make all of them alike.
    names = {option[2:]: option for option in options if option.startswith("--")}
    for word in words:
        name = word.partition("=")[0].removeprefix("--")
        if word.startswith("--") and (near := difflib.get_close_matches(name, names, n=1)):
            return f" (did you mean {names[near[0]]}?)"
    return ""


def printable(text: str) -> str:
    """A text for a line of its own: control characters, which file names can have, as escapes."""
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def one_line(error: BaseException) -> str:
    """All that an error of a library says, in one line; its type where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def first_line(error: BaseException) -> str:
    """What an error of a library says, in one line; its type where it says nothing."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def explain_import_error(error: ImportError) -> RealtimeMoodError | None:
    """What to tell the person when OpenCV cannot be imported for want of a system library.

    Args:
        error: of an import, wherever it happened.

    Returns:
        An error with the remedy; None when it is about something else.
    """
    library = re.match(r"(lib\S+): cannot open shared object file", str(error))
    if library is None or error.name != "cv2":
        return None
    return RealtimeMoodError(
        f"OpenCV needs the system library {library[1]}, which is missing; on Debian and Ubuntu "
        f"'apt-get install {OPENCV_PACKAGES}' installs it"
    )
