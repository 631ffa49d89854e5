"""Command line of the trainer; the only module that prints or decides the exit code."""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import realtime_mood
from realtime_mood.errors import (
    ReaderGoneError,
    RealtimeMoodError,
    UsageError,
    did_you_mean,
    flush_standard_streams,
    is_out_of_memory,
    printable,
    say,
    standard_output_failed,
)
from trainer.config.download import add_download_options, download_config
from trainer.config.evaluate import add_evaluate_options, evaluate_config
from trainer.config.inspect import add_inspect_options, inspect_config
from trainer.config.layers import EFFECTIVE_FILE, TrainConfig, add_train_options, train_config
from trainer.progress import Progress, shown_progress

logger = logging.getLogger(__name__)

INTERRUPTED = 130

NO_ROOM = (
    "the GPU has too little memory; training goes on with --resume and --accumulate 2 (or more, by "
    "which the batch can be divided), --precision bf16 or --gradient-checkpointing; 'evaluate' has "
    "--batch-size"
)
NO_SHARED_MEMORY = (
    "a process that prepares batches was ended by the system, as where shared memory is small (64 "
    "MB in a container of Docker's) or memory is short; go on with --num-workers 0, training with "
    "--resume, or give the container more (docker run --ipc=host)"
)
SHORT_OF_MEMORY = re.compile(r"DataLoader worker .* killed by signal: (Killed|Bus error)")
"""What PyTorch says of a process that the system ended, or that found no shared memory."""

TERMINATED = re.compile(r"DataLoader worker .* killed by signal: Terminated")
"""What it says where a whole group of processes was told to end, as by `timeout`."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Knows all there are: what is left over is told by the command that it was given to."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            hint = did_you_mean(unknown, list(self._option_string_actions))
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return options, []

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
    told_to_end = threading.Event()
    try:
        try:
            options = _parser().parse_args(words)
        except SystemExit:  # argparse's, after the help or the version.
            return 0
        with _termination_interrupts(told_to_end):
            _run(options, words)
    except ReaderGoneError as error:
        return error.exit_code
    except RealtimeMoodError as error:
        return _fail(error, error.exit_code, is_debug=is_debug)
    except KeyboardInterrupt:
        return _interrupted(words)
    except Exception as error:
        cause = f"{error.__cause__ or error}"
        if told_to_end.is_set() and TERMINATED.match(cause):
            return _interrupted(words)
        if is_out_of_memory(error):
            return _fail(UsageError(NO_ROOM), UsageError.exit_code, is_debug=is_debug)
        if SHORT_OF_MEMORY.match(cause):
            logger.debug("%s", cause)
            return _fail(UsageError(NO_SHARED_MEMORY), UsageError.exit_code, is_debug=is_debug)
        return _fail(error, 1, is_debug=is_debug)
    return 0


def entry() -> NoReturn:
    """The `trainer` command: `main`, then the end of the process."""
    code = main()
    if code == INTERRUPTED:
        # Told to end with it, processes that prepare batches end too, and PyTorch complains of each
        # for as long as the interpreter lives.
        flush_standard_streams()
        os._exit(code)
    sys.exit(code)


def _interrupted(words: Sequence[str]) -> int:
    ways = {
        "train": "; the same command with --resume goes on",
        "crossval": "; the same command with --resume goes on",
        "download": "; the same command goes on",
        "evaluate": "; the same command takes the faces cut so far",
    }
    say(f"trainer: interrupted{ways.get(words[0], '') if words else ''}")
    return INTERRUPTED


def _fail(error: Exception, code: int, *, is_debug: bool) -> int:
    if is_debug:
        logging.getLogger(__name__).debug("traceback", exc_info=error)
    text = printable(" ".join(_own_words(error).split())) or type(error).__name__
    if not isinstance(error, RealtimeMoodError):
        text = f"a fault in the program: {type(error).__name__}: {text} (--debug shows where)"
    say(f"trainer: {text}")
    return code


def _own_words(error: Exception) -> str:
    """The message; of an error in a data worker, without the traceback PyTorch puts into it."""
    text = str(error).strip()
    if "Original Traceback" in text:
        text = text.splitlines()[-1].partition(": ")[2]
    return text


def _run(options: argparse.Namespace, words: Sequence[str]) -> None:
    logging.basicConfig(
        level=logging.DEBUG if options.debug else logging.WARNING, format="%(message)s"
    )
    logging.getLogger("trainer").setLevel(logging.DEBUG if options.debug else logging.INFO)
    with shown_progress() as progress:
        if options.command == "train":
            _train(options, words, progress)
        elif options.command == "crossval":
            _crossval(options, words, progress)
        elif options.command == "download":
            _download(options, progress)
        elif options.command == "inspect":
            _inspect(options, progress)
        else:
            _evaluate(options, words, progress)


def _tell(text: str) -> None:
    """Print what was asked for; letters that the terminal does not have, as escapes."""
    letters = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(letters, "backslashreplace").decode(letters), flush=True)
    except OSError as error:
        raise standard_output_failed(error) from error


def _train(options: argparse.Namespace, words: Sequence[str], progress: Progress) -> None:
    config = train_config(options)
    _tell_of_new_run(config)
    from trainer.train import train

    command = shlex.join(["trainer", *words])
    report = train(config, command=command, progress=progress)
    if report is None:
        return
    _tell(report.as_text())
    words = ["realtime-mood", "--model", str(config.checkpoint_folder)]
    # Windows' own shell takes none of the others' quotes.
    quoted = subprocess.list2cmdline if sys.platform == "win32" else shlex.join
    _tell(f"\n{quoted(words)}")


def _tell_of_new_run(config: TrainConfig) -> None:
    """Of several processes, the first one tells."""
    is_begun = (config.run.output / EFFECTIVE_FILE).is_file()
    if config.run.resume and not is_begun and os.environ.get("RANK", "0") == "0":
        logger.info("%s holds no run to go on with; a new one begins", config.run.output)


def _evaluate(options: argparse.Namespace, words: Sequence[str], progress: Progress) -> None:
    config = evaluate_config(options)
    from trainer.evaluation import evaluate

    evaluation = evaluate(config, command=shlex.join(["trainer", *words]), progress=progress)
    if options.json:
        _tell(json.dumps(evaluation.to_dict(), indent=2))
    else:
        _tell(evaluation.as_text())


def _crossval(options: argparse.Namespace, words: Sequence[str], progress: Progress) -> None:
    config = train_config(options)
    _tell_of_new_run(config)
    from trainer.crossval import crossval

    summary = crossval(config, command=shlex.join(["trainer", *words]), progress=progress)
    _tell(json.dumps(summary.to_dict(), indent=2) if options.json else summary.as_text())


def _download(options: argparse.Namespace, progress: Progress) -> None:
    config = download_config(options)
    from trainer.download.zenodo import download

    videos = download(config, progress=progress)
    _tell(f"{videos} videos in {config.output}; now: trainer inspect --data {config.output}")


def _inspect(options: argparse.Namespace, progress: Progress) -> None:
    data, how = inspect_config(options)
    from trainer.corpora.sources import read_sources
    from trainer.inspection import inspect_index

    found = inspect_index(
        read_sources(data.sources),
        span_s=how.span_s,
        num_workers=how.num_workers,
        timeout_s=data.decode_timeout_s,
        progress=progress,
    )
    _tell(json.dumps(found.to_dict(), indent=2) if options.json else found.as_text())


@contextmanager
def _termination_interrupts(told_to_end: threading.Event) -> Iterator[None]:
    """Being told to end is answered as Ctrl-C is, here and not in processes begun from here."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python takes no signals there.
        return
    whose = os.getpid()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if os.getpid() != whose:
            os._exit(128 + number)
        told_to_end.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="trainer", description="Train and measure models for realtime-mood.")
    told = f"%(prog)s {realtime_mood.__version__}"
    parser.add_argument("--version", action="version", version=told)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, about: str, *examples: str) -> argparse.ArgumentParser:
        lines = "\n".join(f"  trainer {name} {example}" for example in examples)
        return commands.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}.",
            usage=f"trainer {name} [OPTION ...]",
            epilog=f"examples:\n{lines}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    train = add(
        "train",
        "make a checkpoint out of RAVDESS and other labelled recordings and pictures",
        "--data RAVDESS --recipe small --output runs/small",
        "--config runs/small/config.toml --output runs/again",
        "--data RAVDESS --data images:fer2013.npz@0.5 --output runs/mix",
        "--data RAVDESS --recipe small --output runs/small --resume",
    )
    add_train_options(train)
    measure = add(
        "evaluate",
        "measure a checkpoint on recordings of given actors",
        "--data RAVDESS --actors 21,22 --cache crops --report report",
        "--data RAVDESS --actors 21,22 --model runs/small/checkpoint",
    )
    add_evaluate_options(measure)
    measure.add_argument("--json", action="store_true", help="print the figures as JSON")
    fetch = add(
        "download",
        "fetch RAVDESS's videos from Zenodo; stopped, the same command goes on",
        "--output RAVDESS",
        "--output RAVDESS --actors 1,2,3",
    )
    add_download_options(fetch)
    inspect = add(
        "inspect",
        "show what is in the data and what is wrong with it",
        "--data RAVDESS",
        "--data cremad:CREMA-D --data images:fer2013.npz",
    )
    add_inspect_options(inspect)
    crossval = add(
        "crossval",
        "train and test every fold of a protocol",
        "--data RAVDESS --protocol 6fold --output runs/6fold",
        "--data RAVDESS --protocol 6fold --output runs/6fold --resume",
    )
    add_train_options(crossval)
    for command in (inspect, crossval):
        command.add_argument("--json", action="store_true", help="print the figures as JSON")
    for command in (train, measure, fetch, inspect, crossval):
        command.add_argument("--debug", action="store_true", help="show tracebacks and details")
    return parser
