"""The folder of a run: one run at a time, and never one over another."""

from __future__ import annotations

import json
import tempfile
from dataclasses import MISSING, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from realtime_mood.errors import OutputError, UsageError, first_line
from realtime_mood.model.checkpoint import CONTRACT_FILE
from realtime_mood.model.precision import fastest_dtype, has_cuda
from trainer.config import TrainConfig
from trainer.config.layers import EFFECTIVE_FILE, begun_tables, is_effective, write_effective
from trainer.config.options import flag_of, options_of
from trainer.config.tables import to_toml
from trainer.corpora.sources import parse_source
from trainer.corpora.splits import Split
from trainer.whole_files import write_whole

LOCK_FILE = ".lock"
DATA_FILE = "data.json"
"""What a run learns from and measures, told by its digest, what found the faces, and what began it.
"""
COMMAND = "command"
"""Its name there; earlier versions did not write it."""
REPORT_FOLDER = "report"
"""In the folder of a run."""
FOLDS = "fold-*"
"""The runs of a cross-validation, in its own folder."""
MAY_CHANGE = {
    "data": {"cache", "keep_crops", "face_model", "decode_timeout_s", "allow_bad"},
    "run": {
        "output",
        "resume",
        "num_workers",
        "precision",
        "accumulate",
        "gradient_checkpointing",
        "checkpoint_every",
        "report_to",
        "push_to_hub",
    },
}
"""Options by table with which an interrupted run may go on although they are others."""


def settle_precision(config: TrainConfig) -> TrainConfig:
    """With the precision that 'auto' is on this machine.

    On CPUs it is not bfloat16: in training, that is not always the faster one there.
    """
    if config.run.precision != "auto":
        return config
    device = torch.device("cuda")
    is_fast = has_cuda() and fastest_dtype(device) == torch.bfloat16
    return replace(config, run=replace(config.run, precision="bf16" if is_fast else "fp32"))


def open_run(
    config: TrainConfig, split: Split | None = None, *, command: str | None = None
) -> FileLock:
    """Take hold of the output folder, and write the effective configuration into it.

    Args:
        config: its `run.output` is made where it is not there.
        split: what is learned and measured; None: that of each fold is looked at later.
        command: how the run was asked for; kept where it begins here.

    Returns:
        A lock that the system releases when the process ends, however it ends.

    Raises:
        OutputError: the folder cannot be written, another run is writing to it, or it holds a run
            and `resume` is not set.
        UsageError: the run it holds was begun with other options or other data.
    """
    output = config.run.output
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = FileLock(output / LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise OutputError(
            f"another run is writing to --output {output}; wait for it or choose another folder"
        ) from error
    except OSError as error:
        raise OutputError(
            f"--output {output} cannot be written ({error.strerror}); choose another folder"
        ) from error
    try:
        _check_kind(output, is_of_folds=split is None)
        _check_options_file(config)
        _check(config)
        if split is not None:
            if config.run.resume:
                check_data(output, split)
            if not (config.run.resume and (output / DATA_FILE).is_file()):
                values = {**_data(split), COMMAND: command}
                write_text(output / DATA_FILE, json.dumps(values, indent=2) + "\n")
        config.run_folder.mkdir(exist_ok=True)
        write_effective(config, output / EFFECTIVE_FILE)
    except BaseException as error:
        lock.release()
        if isinstance(error, OSError):
            raise OutputError(
                f"--output {output} cannot be written ({error.strerror}); choose another folder"
            ) from error
        raise
    return lock


def holds_run(config: TrainConfig) -> Path | None:
    """The part of the output folder in which an earlier run left something, if it did."""
    parts = (config.checkpoint_folder, config.frames_folder, config.run_folder)
    return next((part for part in parts if part.is_dir() and any(part.iterdir())), None)


def check_report_folder(folder: Path) -> None:
    """Refuse a folder for a report that holds something else, or cannot be written; makes it.

    Raises:
        UsageError: it is the report of a run, from which its cross-validation is put together, or
            a checkpoint, which has figures of its own by the same name.
        OutputError: it cannot be written.
    """
    if (folder / CONTRACT_FILE).is_file():
        raise UsageError(f"{folder} is a checkpoint; choose another folder for --report")
    run = folder.resolve().parent
    is_run = (run / DATA_FILE).is_file() or _holds_folds(run)
    if folder.resolve().name == REPORT_FOLDER and is_run:
        raise UsageError(f"{folder} is the run's own report; choose another folder for --report")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"the report cannot be written to {folder} ({error.strerror}); choose another folder"
        ) from error


def check_data(output: Path, split: Split) -> None:
    """Refuse to go on with a run whose data is not what it was.

    Who is on which side follows from who is there: those trained on so far could be tested on.

    Raises:
        UsageError: other recordings are there, or on other sides.
    """
    begun, now = read_data(output), _data(split)
    if begun and begun.get("digest") != now["digest"]:
        before, after = (
            " + ".join(str(values.get(name)) for name in ("train", "validation", "test"))
            for values in (begun, now)
        )
        raise UsageError(
            f"the data is not what the run in {output} was begun with (train + validation + test: "
            f"{before} recordings then, {after} now, or others, or split otherwise by an earlier "
            "version); put it back, or choose another --output"
        )


def read_data(output: Path) -> dict[str, Any]:
    """What a run's folder says of its data; empty where it says nothing.

    Raises:
        UsageError: what it says cannot be read.
    """
    path = output / DATA_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, first_line(error)) from error
    if not isinstance(values, dict):
        raise _unreadable(path, "it holds no JSON object")
    return values


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path}, which tells what data the run was begun with, cannot be read ({why}); begin in "
        "another --output"
    )


def write_text(path: Path, text: str) -> None:
    """Write a text into the folder of a run, all of it or nothing.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        write_whole(path, text)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); make room") from error


def _check_kind(output: Path, *, is_of_folds: bool) -> None:
    """Refuse a run in the folder of a cross-validation, and the other way round."""
    if is_of_folds and (output / DATA_FILE).is_file():
        raise OutputError(f"{output} holds a run of 'trainer train'; choose another --output")
    if not is_of_folds and _holds_folds(output):
        raise OutputError(
            f"{output} holds the folds of a cross-validation; choose another --output"
        )


def _check_options_file(config: TrainConfig) -> None:
    """Refuse to write over options that somebody else wrote."""
    output = config.run.output
    file = output / EFFECTIVE_FILE
    is_of_run = (output / DATA_FILE).exists() or any(output.glob(FOLDS)) or holds_run(config)
    if file.exists() and not is_of_run and not is_effective(file):
        raise OutputError(
            f"{file} would be written over by the options of this run; choose another --output"
        )


def _holds_folds(folder: Path) -> bool:
    """Whether it is the folder of a cross-validation, which is no run itself."""
    is_begun = (folder / EFFECTIVE_FILE).is_file() and any(folder.glob(FOLDS))
    return is_begun and not (folder / DATA_FILE).is_file()


def _data(split: Split) -> dict[str, Any]:
    return {
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
        "digest": split.digest,
    }


def _check(config: TrainConfig) -> None:
    """Refuse to write over a run, and to go on with one as if it were another."""
    if not config.run.resume and (folder := holds_run(config)):
        raise OutputError(
            f"{folder} holds an earlier run; go on with it by --resume or choose another --output"
        )
    begun = config.run.output / EFFECTIVE_FILE
    if config.run.resume and begun.is_file():
        for name, table in begun_tables(begun).items():
            part = getattr(config, name)
            # An option that did not exist then was what it is by default.
            usual = {o.name: o.default for o in options_of(type(part)) if o.default is not MISSING}
            _compare(name, usual | table, to_toml(part), where=str(config.run.output))


def _compare(name: str, before: dict[str, Any], now: dict[str, Any], *, where: str) -> None:
    for key in sorted((before.keys() | now.keys()) - MAY_CHANGE.get(name, set())):
        if not _are_same(key, before.get(key), now.get(key)):
            shown, begun = (
                "not given" if value is None else value for value in (now.get(key), before.get(key))
            )
            raise UsageError(
                f"{flag_of(key)} is {shown}, but the run in {where} was begun with {begun}; "
                "--resume alone goes on with it as it was"
            )


def _are_same(key: str, before: Any, now: Any) -> bool:
    if key == "data" and before and now:
        # It may have moved: what is there is told by its digest.
        return _kinds(before) == _kinds(now)
    return bool(before == now)


def _kinds(data: list[str]) -> list[tuple[str, float]]:
    """What `--data` says besides where it is."""
    return [(source.corpus, source.weight) for source in map(parse_source, data)]
