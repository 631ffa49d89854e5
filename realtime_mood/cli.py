"""The command line: a configuration is run, errors become one line and an exit code.

The only module of the runtime that prints or ends the process. Nothing heavy is imported before
the options are known to be right.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from realtime_mood.errors import (
    ReaderGoneError,
    RealtimeMoodError,
    explain_import_error,
    flush_standard_streams,
    printable,
    say,
)
from realtime_mood.options import make_config, parse_arguments

if TYPE_CHECKING:
    from realtime_mood.capture.source import SourceInfo
    from realtime_mood.config import RunConfig
    from realtime_mood.frame import Frame
    from realtime_mood.report import RunReport

INTERRUPTED_EXIT_CODE = 130
FAULT_EXIT_CODE = 1
LOG_FORMAT = "realtime-mood: %(message)s"
SHOW_CURSOR = b"\x1b[?25h"
STOPPING = b"\nrealtime-mood: stopping; Ctrl-C again quits at once\n"


def run(config: RunConfig, *, interrupt: threading.Event) -> int:
    """Run a configuration and print its summary; answers the exit code.

    Args:
        config: what to do.
        interrupt: set from outside to end it properly.

    Raises:
        RealtimeMoodError: something cannot be opened, read or written. Of a source that breaks
            half-way the summary tells what was done before.
    """
    if not config.headless and not config.is_offline:
        from realtime_mood.sinks.display import why_no_display

        if reason := why_no_display():
            say(f"realtime-mood: running without a display: {reason}")
            config = replace(config, headless=True)
    if config.is_offline:
        report = _run_offline(config, interrupt)
    else:
        from realtime_mood.live import run_live

        report = run_live(config, interrupt=interrupt)
    for line in report.lines():
        say(line)
    if config.events and config.events != "-" and report.has_started:
        say(f"events: {config.events}")
    if report.failure is not None:
        raise report.failure
    return INTERRUPTED_EXIT_CODE if config.is_offline and report.interrupted else 0


def _run_offline(config: RunConfig, interrupt: threading.Event) -> RunReport:
    from realtime_mood.offline import run_offline

    with _progress_bar(config) as on_progress:
        return run_offline(config, on_progress=on_progress, interrupt=interrupt)


@contextmanager
def _progress_bar(config: RunConfig) -> Iterator[Callable[[Frame, SourceInfo], None]]:
    """While active, a terminal shows how far a file is; it is told with each frame."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    # Events are bytes, which the bar does not see coming.
    shares_terminal = config.events == "-" and sys.stdout is not None and sys.stdout.isatty()
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[speed]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal or shares_terminal,
    )
    task = progress.add_task("loading the model", total=None, speed="")
    started_s: float | None = None

    def on_progress(frame: Frame, info: SourceInfo) -> None:
        nonlocal started_s
        # The model's loading is no part of the speed.
        started_s = progress.get_time() if started_s is None else started_s
        elapsed_s = progress.get_time() - started_s
        lengths_s = [length for length in (config.duration_s, info.duration_s) if length]
        progress.update(
            task,
            description=config.source_name,
            completed=frame.timestamp_s,
            total=min(lengths_s, default=None),
            speed=f"{frame.timestamp_s / elapsed_s:.1f} x real time" if elapsed_s else "",
        )

    progress.start()
    try:
        yield on_progress
    finally:
        # From a terminal that is gone the bar cannot be taken away.
        with suppress(OSError):
            progress.stop()


@contextmanager
def _interrupts_to(event: threading.Event) -> Iterator[None]:
    """While active, the first Ctrl-C or SIGTERM sets an event; a second one quits at once.

    A terminal that is closed sets it too, and quits nothing however often it says so. In another
    thread than the main one, where Python takes no signals, nothing is set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    hang_up = getattr(signal, "SIGHUP", None)

    def handle(number: int, frame: FrameType | None) -> None:
        if event.is_set() and number != hang_up:
            if sys.stderr is not None and sys.stderr.isatty():
                # By the system alone: a progress bar keeps lines back, and nobody writes them now.
                os.write(sys.stderr.fileno(), SHOW_CURSOR)
            os._exit(INTERRUPTED_EXIT_CODE)
        event.set()
        if number == signal.SIGINT and sys.stderr is not None and sys.stderr.isatty():
            # By the system alone: what was interrupted may be writing there.
            os.write(sys.stderr.fileno(), STOPPING)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        numbers.append(signal.SIGBREAK)
    if hang_up is not None and signal.getsignal(hang_up) != signal.SIG_IGN:  # As under nohup.
        numbers.append(hang_up)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class _ErrorLines(logging.Handler):
    """Writes to what standard error is by then: a progress bar takes its place while it lives, and
    lets a line come above it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        try:
            say(self.format(record))
        except Exception:
            self.handleError(record)


def exit_code_of(action: Callable[[], int], *, program: str, debug: bool) -> int:
    """Run an action; turn what it raises into one line on stderr and an exit code.

    Args:
        action: answers an exit code.
        program: the name in front of the line.
        debug: show tracebacks.
    """
    try:
        return action()
    except ReaderGoneError as error:
        return error.exit_code
    except RealtimeMoodError as error:
        if debug:
            say(traceback.format_exc().rstrip())
        say(f"{program}: {printable(str(error))}")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT_CODE
    except Exception as error:
        if debug:
            say(traceback.format_exc().rstrip())
        explained = explain_import_error(error) if isinstance(error, ImportError) else None
        if explained is not None:
            say(f"{program}: {explained}")
            return explained.exit_code
        text = " ".join(f"{type(error).__name__}: {error}".split())
        say(f"{program}: a fault in the program ({text}); run again with --debug for details")
        return FAULT_EXIT_CODE


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for.

    Args:
        arguments: without the program's name; None takes those of the process.

    Returns:
        The exit code.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    interrupt = threading.Event()

    def action() -> int:
        try:
            options = parse_arguments(given)
        except SystemExit:
            # --help and --version have printed what they print.
            return 0
        logging.basicConfig(
            level=logging.DEBUG if options.debug else logging.WARNING,
            format="%(levelname)s %(name)s: %(message)s" if options.debug else LOG_FORMAT,
            handlers=[_ErrorLines()],
        )
        return run(make_config(options), interrupt=interrupt)

    with _interrupts_to(interrupt):
        return exit_code_of(action, program="realtime-mood", debug="--debug" in given)


def entry() -> NoReturn:
    """The `realtime-mood` command: `main`, then the end of the process."""
    code = main()
    flush_standard_streams()
    # All is written and closed. To take PyTorch down in good order takes a second, and a thread
    # left behind in a driver or an import must not keep or crash the interpreter.
    os._exit(code)
