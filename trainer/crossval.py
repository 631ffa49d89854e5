"""`trainer crossval`: every fold of a protocol is trained and tested, and one summary made of all.

Each fold is a whole run in `fold-N/` of the output folder; face crops are shared. What is left of a
finished fold for the summary are the predictions of its report and `fold-N/result.json`, written
last: with `--resume` such folds are read, an interrupted one goes on, the others are begun.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import replace
from pathlib import Path

from realtime_mood.errors import OutputError, SourceError, UsageError
from trainer.base import silence_libraries
from trainer.config import TrainConfig
from trainer.corpora.protocols import Fold, Folds, make_folds
from trainer.corpora.sources import read_sources
from trainer.people import note_of_choosers, people_of_base, refuse_known
from trainer.pooled import FoldResult, Summary
from trainer.predictions import Predictions
from trainer.progress import Progress
from trainer.report.curves import read_history
from trainer.report.reports import PREDICTIONS_FILE, report_folds
from trainer.run_detector import find_detector
from trainer.run_folder import (
    FOLDS,
    REPORT_FOLDER,
    check_data,
    holds_run,
    open_run,
    settle_precision,
    write_text,
)
from trainer.train import train

logger = logging.getLogger(__name__)

RESULT_FILE = "result.json"
SUMMARY_JSON = "crossval.json"
SUMMARY_TEXT = "crossval.txt"


def crossval(config: TrainConfig, *, command: str, progress: Progress) -> Summary:
    """Train and test every fold of a protocol.

    Args:
        config: of every fold, save for what differs between them.
        command: how it was asked for.
        progress: told what is done of each stage.

    Returns:
        The summary, which also lies in the output folder as JSON and as text.

    Raises:
        RealtimeMoodError: as `train` does; the folds finished so far are kept.
    """
    protocol = config.split.protocol
    if protocol == "actor-split" or config.split.fold != 1:
        raise UsageError(
            f"--protocol {protocol}, --fold {config.split.fold}: crossval runs all folds of "
            "--protocol 6fold, 5fold or random; 'trainer train' runs one"
        )
    if config.run.push_to_hub:
        raise UsageError(
            "--push-to-hub is for one checkpoint, and crossval makes one of each fold; push the "
            "one that 'trainer train' makes"
        )
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "crossval runs in one process; train fold by fold with 'trainer train --fold N' in "
            "several"
        )
    silence_libraries()
    index = read_sources(config.data.sources)
    if index.recordings[0].is_picture:
        raise UsageError("crossval measures actors, and pictures have none; name a corpus first")
    folds = make_folds(index, protocol=protocol, seed=config.run.seed)
    base_model = config.model.base_model
    before, unknown = people_of_base(base_model)
    choosers: list[str] = []
    for fold in folds.folds:
        refuse_known(fold.split, base_model, before)
        choosers += note_of_choosers(fold.split, base_model, before)
    output = config.run.output
    is_begun = any(output.glob(f"{FOLDS}/{RESULT_FILE}")) or any(
        holds_run(_fold_config(config, fold)) for fold in folds.folds
    )
    if not config.run.resume and is_begun:
        raise OutputError(
            f"{output} holds folds of an earlier run; go on with it by --resume or choose another "
            "--output"
        )
    config = settle_precision(config)
    lock = open_run(config)
    try:
        begun = sorted(output.glob(FOLDS)) if config.run.resume else []
        detector = find_detector(config.data, begun)
        results = [
            _run_fold(fold, folds, config, command, progress, detector) for fold in folds.folds
        ]
        summary = Summary(
            command=command,
            data=config.data.name,
            protocol=protocol,
            notes=(*folds.notes, *unknown, *dict.fromkeys(choosers)),
            folds=tuple(results),
            seed=config.run.seed,
        )
        write_text(output / SUMMARY_JSON, json.dumps(summary.to_dict(), indent=2) + "\n")
        write_text(output / SUMMARY_TEXT, summary.as_text() + "\n")
        _report(summary, output)
    finally:
        lock.release()
    return summary


def _run_fold(
    fold: Fold,
    folds: Folds,
    config: TrainConfig,
    command: str,
    progress: Progress,
    detector: str,
) -> FoldResult:
    folder = config.run.output / fold.name
    if finished := _finished(fold, folder):
        logger.info("%s: finished before, read from %s", fold.name, folder)
        return finished
    logger.info("%s of %s: %d folds in all", fold.name, folds.protocol, len(folds.folds))
    started_s = time.monotonic()

    def show(stage: str, done: int, total: int) -> None:
        progress(f"{fold.name}: {stage}", done, total)

    report = train(_fold_config(config, fold), command=command, progress=show, detector=detector)
    assert report is not None
    logger.info("%s: accuracy %.1f %%", fold.name, 100 * report.measures["test"].accuracy)
    kept = {
        "skipped": report.skipped,
        "duration_s": round(time.monotonic() - started_s, 1),
    }
    write_text(folder / RESULT_FILE, json.dumps(kept, indent=2) + "\n")
    return _read_result(fold, folder)


def _finished(fold: Fold, folder: Path) -> FoldResult | None:
    """What an earlier start left of a fold; None where it is not all there."""
    if not (folder / RESULT_FILE).is_file():
        return None
    check_data(folder, fold.split)
    try:
        return _read_result(fold, folder)
    except SourceError as error:
        logger.warning("%s goes on, although it was finished: %s", fold.name, error)
        return None


def _read_result(fold: Fold, folder: Path) -> FoldResult:
    # Earlier versions wrote figures beside these, which follow from the predictions.
    path = folder / RESULT_FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        skipped, duration_s = dict(kept["skipped"]), float(kept["duration_s"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} cannot be read ({error!r})") from error
    return FoldResult(
        number=fold.number,
        predictions=Predictions.load(folder / REPORT_FOLDER / PREDICTIONS_FILE),
        skipped=skipped,
        duration_s=duration_s,
    )


def _fold_config(config: TrainConfig, fold: Fold) -> TrainConfig:
    return replace(
        config,
        data=replace(config.data, cache=config.crops_folder),
        split=replace(config.split, fold=fold.number),
        run=replace(config.run, output=config.run.output / fold.name),
    )


def _report(summary: Summary, output: Path) -> None:
    """The page over all folds."""
    names = [f"fold {fold.number}" for fold in summary.folds]
    report_folds(
        output / REPORT_FOLDER,
        title=f"{summary.data}: {summary.protocol}, cross-validated",
        notes=summary.notes,
        facts=(
            ("data", summary.data),
            ("protocol", summary.protocol),
            ("could not be used", str(len(summary.skipped))),
            ("hours", f"{sum(fold.duration_s for fold in summary.folds) / 3600:.2f}"),
            ("command", summary.command),
        ),
        measures=summary.measures,
        predictions=summary.predictions,
        folds=dict(zip(names, summary.by_fold, strict=True)),
        curves={
            name: read_history(output / f"fold-{fold.number}" / "run")
            for name, fold in zip(names, summary.folds, strict=True)
        },
    )
