"""The command line: options to a configuration, errors to one line and an exit code.

The only module of the runtime that prints or ends the process. Nothing heavy is imported before
the options are known to be right.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from realtime_mood import __version__
from realtime_mood.choices import DETECTOR_CHOICES, DEVICE_CHOICES
from realtime_mood.errors import (
    ReaderGoneError,
    RealtimeMoodError,
    UsageError,
    explain_import_error,
)

if TYPE_CHECKING:
    from realtime_mood.config import RunConfig
    from realtime_mood.report import RunReport

FACE_MODEL_VARIABLE = "REALTIME_MOOD_FACE_MODEL"
INTERRUPTED_EXIT_CODE = 130
FAULT_EXIT_CODE = 1
LOG_FORMAT = "realtime-mood: %(message)s"
SHOW_CURSOR = "\x1b[?25h"

DESCRIPTION = "Name the facial expression in a webcam picture or a video, in real time."
EPILOG = """\
keys in the display: q or Esc quit, space pause, r record, s screenshot, h numbers on or off;
recordings and screenshots go into the current folder as realtime-mood-DATE.mp4 and .png

examples:
  realtime-mood                                     the first webcam
  realtime-mood --video clip.mp4                    play a file with the expression on it
  realtime-mood --video clip.mp4 --record out.mp4   write an annotated copy, sound included
  realtime-mood --video clip.mp4 --events out.csv   write what was seen as a table

Everything runs on this machine; no picture leaves it. An expression is not a feeling.
"""


class _Parser(argparse.ArgumentParser):
    """Reports bad usage the way every other error is reported: one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def _text(text: str) -> str:
    """What was given, which is nothing where a script's variable was not set."""
    if not text:
        raise argparse.ArgumentTypeError("the value is empty; give one, or leave the option out")
    return text


def _path(text: str) -> Path:
    return Path(_text(text))


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line.

    Raises:
        UsageError: an option is unknown or its value is of the wrong kind.
    """
    parser = _Parser(
        prog="realtime-mood",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    source = parser.add_argument_group("source")
    source.add_argument(
        "--camera",
        type=_text,
        metavar="N|PATH|URL",
        help="camera number, device path or stream URL; 'pattern' is a test picture (default: 0)",
    )
    source.add_argument("--video", type=_path, metavar="FILE", help="read a video file")
    source.add_argument(
        "--duration", type=float, metavar="S", help="stop after this many seconds of video"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--record",
        type=_path,
        metavar="OUT.mp4",
        help="write the annotated video; replaces a file that is there",
    )
    output.add_argument(
        "--events",
        type=_text,
        metavar="OUT.jsonl|OUT.csv|-",
        help="write what is seen as JSON lines or CSV (predictions alone); replaces a file that is "
        "there; '-' is standard output",
    )
    output.add_argument("--headless", action="store_true", help="open no display")
    output.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        help="flip the picture left to right (default: for cameras)",
    )
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model",
        type=_text,
        default="default",
        metavar="DIR|ID",
        help="checkpoint folder or Hugging Face Hub id (default: the one that came along)",
    )
    model.add_argument(
        "--device",
        default="auto",
        choices=DEVICE_CHOICES,
        help="what runs the model (default: auto)",
    )
    model.add_argument(
        "--stride",
        type=float,
        metavar="S",
        help="seconds between two looks at a face (default: 0.2)",
    )
    model.add_argument(
        "--faces",
        default="auto",
        choices=DETECTOR_CHOICES,
        help="face detector; 'none' takes the centre of the picture (default: auto)",
    )
    model.add_argument(
        "--max-faces",
        type=int,
        metavar="N",
        help="faces followed at the same time (default: 8)",
    )
    model.add_argument(
        "--face-model",
        type=_path,
        metavar="FILE",
        help=f"YuNet's ONNX file (default: {FACE_MODEL_VARIABLE}, else fetched once)",
    )
    parser.add_argument("--debug", action="store_true", help="log more; show tracebacks")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        files = [word for word in unknown if not word.startswith("-")]
        hint = f" (a file is named by --video {files[0]})" if files else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return options


def make_config(options: argparse.Namespace) -> RunConfig:
    """Turn options into a checked configuration.

    Raises:
        RealtimeMoodError: a value is out of range or contradicts another.
    """
    from realtime_mood.config import DEFAULT_STRIDE_S, RunConfig
    from realtime_mood.faces.tracker import MAX_FACES

    face_model = options.face_model
    if face_model is not None and options.faces in ("cascade", "none"):
        raise UsageError(f"--faces {options.faces} uses no --face-model; leave one of them out")
    if face_model is None and os.environ.get(FACE_MODEL_VARIABLE):
        face_model = Path(os.environ[FACE_MODEL_VARIABLE])
    has_source = options.camera is not None or options.video is not None
    return RunConfig(
        camera=options.camera if has_source else "0",
        video=options.video,
        record=options.record,
        events=options.events,
        model=options.model,
        device=options.device,
        stride_s=DEFAULT_STRIDE_S if options.stride is None else options.stride,
        faces=options.faces,
        face_model=face_model,
        max_faces=MAX_FACES if options.max_faces is None else options.max_faces,
        headless=options.headless,
        duration_s=options.duration,
        mirror=options.mirror,
    )


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
            _say(f"realtime-mood: running without a display: {reason}")
            config = replace(config, headless=True)
    if config.is_offline:
        report = _run_offline(config, interrupt)
    else:
        from realtime_mood.live import run_live

        report = run_live(config, interrupt=interrupt)
    for line in report.lines():
        _say(line)
    if config.events and config.events != "-" and Path(config.events).exists():
        _say(f"events: {config.events}")
    if report.failure is not None:
        raise report.failure
    return INTERRUPTED_EXIT_CODE if config.is_offline and report.interrupted else 0


def _run_offline(config: RunConfig, interrupt: threading.Event) -> RunReport:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from realtime_mood.capture.source import SourceInfo
    from realtime_mood.frame import Frame
    from realtime_mood.offline import run_offline

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[speed]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
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

        return run_offline(config, on_progress=on_progress, interrupt=interrupt)


@contextmanager
def _interrupts_to(event: threading.Event) -> Iterator[None]:
    """While active, the first Ctrl-C or SIGTERM sets an event; a second one quits at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        if event.is_set():
            if sys.stderr is not None and sys.stderr.isatty():
                sys.stderr.write(SHOW_CURSOR)
            os._exit(INTERRUPTED_EXIT_CODE)
        event.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


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
            traceback.print_exc()
        _say(f"{program}: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT_CODE
    except Exception as error:
        if debug:
            traceback.print_exc()
        explained = explain_import_error(error) if isinstance(error, ImportError) else None
        if explained is not None:
            _say(f"{program}: {explained}")
            return explained.exit_code
        text = " ".join(f"{type(error).__name__}: {error}".split())
        _say(f"{program}: a fault in the program ({text}); run again with --debug for details")
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
        )
        return run(make_config(options), interrupt=interrupt)

    with _interrupts_to(interrupt):
        return exit_code_of(action, program="realtime-mood", debug="--debug" in given)


def entry() -> NoReturn:
    """The `realtime-mood` command: `main`, then the end of the process."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    if threading.active_count() > 1:
        # A thread left behind in a driver or an import must not keep or crash the interpreter.
        os._exit(code)
    sys.exit(code)
