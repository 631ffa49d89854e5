"""Command line of the trainer; the only module that prints or decides the exit code."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from realtime_mood.errors import RealtimeMoodError, UsageError
from trainer.config import PRECISIONS, EvaluateConfig, TrainConfig

FACES = ("auto", "yunet", "cascade", "none")
FACE_MODEL_VARIABLE = "REALTIME_MOOD_FACE_MODEL"
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trainer.

    Args:
        arguments: without the program's name; None: those of the process.

    Returns:
        The exit code: 0 done, 1 a fault in the program, 2 bad usage, 3 input, 4 model, 5 output.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    is_debug = "--debug" in words
    try:
        options = _parser().parse_args(words)
        _run(options, words)
    except RealtimeMoodError as error:
        return _fail(error, error.exit_code, is_debug=is_debug)
    except KeyboardInterrupt:
        print("trainer: interrupted; 'trainer train … --resume' goes on", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return _fail(error, 1, is_debug=is_debug)
    return 0


def _fail(error: Exception, code: int, *, is_debug: bool) -> int:
    if is_debug:
        logging.getLogger(__name__).debug("traceback", exc_info=error)
    text = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, RealtimeMoodError):
        text = f"a fault in the program: {type(error).__name__}: {text} (--debug shows where)"
    print(f"trainer: {text}", file=sys.stderr)
    return code


def _run(options: argparse.Namespace, words: Sequence[str]) -> None:
    logging.basicConfig(
        level=logging.DEBUG if options.debug else logging.WARNING, format="%(message)s"
    )
    logging.getLogger("trainer").setLevel(logging.DEBUG if options.debug else logging.INFO)
    with _progress() as progress:
        if options.command == "train":
            _train(options, words, progress)
        else:
            _evaluate(options, progress)


def _train(
    options: argparse.Namespace, words: Sequence[str], progress: Callable[[str, int, int], None]
) -> None:
    values = vars(options)
    config = TrainConfig(
        **{name: values[name] for name in TrainConfig.__dataclass_fields__ if name in values}
    )
    from trainer.train import train

    command = shlex.join(["trainer", *words])
    report = train(config, command=command, progress=progress)
    print(report.as_text())
    print(f"\nrealtime-mood --model {shlex.quote(str(config.checkpoint_folder))}")


def _evaluate(options: argparse.Namespace, progress: Callable[[str, int, int], None]) -> None:
    values = vars(options)
    config = EvaluateConfig(
        **{name: values[name] for name in EvaluateConfig.__dataclass_fields__ if name in values}
    )
    from trainer.evaluate import as_text
    from trainer.train import evaluate

    measures = evaluate(config, progress=progress)
    if options.json:
        print(json.dumps(measures.to_dict(), indent=2))
    else:
        print(as_text(str(config.data), measures))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    tasks: dict[str, TaskID] = {}
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bars:

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=total)

        yield show


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="trainer", description="Train and measure models for realtime-mood.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train = commands.add_parser(
        "train",
        help="make a checkpoint out of a folder of RAVDESS recordings",
    )
    _add_common(train)
    defaults = TrainConfig(data=Path(), output=Path())
    add = train.add_argument
    add("--output", type=Path, required=True, help="folder for the run and its checkpoint")
    add("--base-model", help="a Hub id, a folder or 'tiny', random weights (%(default)s)")
    add("--validation-actors", type=_actors, help="such as 15,16,17 (a sixth of the actors)")
    add("--test-actors", type=_actors, help="such as 18,19,20 (a sixth of the actors)")
    add("--num-frames", type=int, help="frames of a clip (%(default)s)")
    add("--frame-interval-s", type=float, help="seconds between frames of a clip (%(default)s)")
    add("--image-size", type=int, help="side of a crop in pixels (the base model's; tiny: 112)")
    add("--crop-margin", type=float, help="crop side = (1 + this) × face height (%(default)s)")
    add("--align-roll", action="store_true", help="turn crops so that the eyes are level")
    add("--motion-epochs", type=float, help="on motion, first; 'tiny' needs some (none)")
    add("--epochs", type=float, help="on clips (%(default)s)")
    add("--learning-rate", type=float, help="peak, on clips (%(default)s)")
    add("--motion-learning-rate", type=float, help="peak, on motion (%(default)s)")
    add("--precision", choices=PRECISIONS, help="bf16 is mixed precision (%(default)s)")
    add("--cache", type=Path, help="where face crops are kept (crops/ in --output)")
    add("--seed", type=int, help="of everything drawn (%(default)s)")
    add("--max-steps", type=int, help="bound on the steps of each stage, to try things out")
    add("--resume", action="store_true", help="go on with an interrupted run in --output")
    train.set_defaults(
        **{
            name: getattr(defaults, name)
            for name in TrainConfig.__dataclass_fields__
            if name not in ("data", "output", "face_model")
        }
    )
    measure = commands.add_parser(
        "evaluate",
        help="measure a checkpoint on recordings of given actors",
    )
    _add_common(measure)
    measure.add_argument("--model", default="default", help="a folder or a Hub id (%(default)s)")
    measure.add_argument(
        "--actors", type=_actors, default=(), help="such as 18,19,20 (all of them)"
    )
    measure.add_argument("--cache", type=Path, required=True, help="where face crops are kept")
    measure.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    named = os.environ.get(FACE_MODEL_VARIABLE)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder with RAVDESS recordings")
    add("--faces", choices=FACES, default="auto", help="face detector (%(default)s)")
    add(
        "--face-model",
        type=Path,
        default=Path(named) if named else None,
        help=f"YuNet's file ({FACE_MODEL_VARIABLE})",
    )
    add("--batch-size", type=int, default=16, help="clips at a time (%(default)s)")
    add("--num-workers", type=int, default=2, help="processes beside this (%(default)s)")
    add("--decode-timeout-s", type=float, default=120.0, help="skip slower files (%(default)s)")
    add("--debug", action="store_true", default=False, help="show tracebacks and details")


def _actors(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(word) for word in text.split(",")}))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of actor numbers such as 18,19,20"
        ) from None
