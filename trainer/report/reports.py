"""The three reports: of a training run, of a measured checkpoint, of the folds of a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from realtime_mood.model.clip_spec import ClipSpec
from trainer.crops import FaceCrops
from trainer.deployed import Deployment
from trainer.evaluate import Measures
from trainer.predictions import Predictions
from trainer.report.curves import Curves
from trainer.report.page import Page, write_page
from trainer.report.sections import (
    accuracy_section,
    deployed_section,
    folds_section,
    learning_section,
    noun_of,
    wrong_section,
)
from trainer.report.strips import wrong_examples

PREDICTIONS_FILE = "predictions.npz"


def report_run(
    folder: Path,
    *,
    title: str,
    metrics: Mapping[str, Any],
    notes: Sequence[str],
    facts: Sequence[tuple[str, str]],
    measures: Mapping[str, Measures],
    predictions: Mapping[str, Predictions],
    recordings: Sequence[FaceCrops],
    spec: ClipSpec,
    curves: Sequence[Curves],
) -> None:
    """Report on a training run.

    Args:
        folder: written to; `predictions.npz` holds those of the test recordings.
        title: of the page.
        metrics: the content of `metrics.json`.
        notes: what a reader has to know before the figures.
        facts: names and values.
        measures: of the 'test' and the 'validation' recordings, and of 'pictures' where some were
            added.
        predictions: the same.
        recordings: those tested on, in the order of their predictions.
        spec: what a clip is.
        curves: of the stages.

    Raises:
        OutputError: it cannot be written.
    """
    test = accuracy_section(
        "Test recordings",
        measures["test"],
        predictions["test"],
        name="",
        text="Looked at once, at the end. A recording's answer is the mean over its clips.",
    )
    validation = accuracy_section(
        "Validation recordings",
        measures["validation"],
        predictions["validation"],
        name="validation",
        text="The temperature was chosen by these, and the epoch too unless the last was kept, so "
        "they look better than they are.",
    )
    pictures = None
    if "pictures" in measures:
        pictures = accuracy_section(
            "Added pictures",
            measures["pictures"],
            predictions["pictures"],
            name="pictures",
            text="Pictures that were held out, each as a clip in which nothing moves.",
        )
    wrong = wrong_section(wrong_examples(predictions["test"], recordings, spec))
    found = (test, pictures, learning_section(curves), wrong, validation)
    page = Page(
        title=title,
        lead="A training run: how good its model is, how it got there, and where it is wrong.",
        warnings=tuple(notes),
        facts=tuple(facts),
        sections=tuple(section for section in found if section is not None),
    )
    write_page(folder, page, metrics)
    predictions["test"].save(folder / PREDICTIONS_FILE)


def report_evaluation(
    folder: Path,
    *,
    title: str,
    metrics: Mapping[str, Any],
    notes: Sequence[str],
    facts: Sequence[tuple[str, str]],
    measures: Measures,
    predictions: Predictions,
    deployment: Deployment | None,
    recordings: Sequence[FaceCrops],
    spec: ClipSpec,
) -> None:
    """Report on a checkpoint that was measured.

    Args:
        folder: written to.
        title: of the page.
        metrics: the content of `metrics.json`.
        notes: what a reader has to know before the figures.
        facts: names and values.
        measures: of all recordings.
        predictions: the same.
        deployment: None where nothing moves.
        recordings: in the order of their predictions.
        spec: what a clip is.

    Raises:
        OutputError: it cannot be written.
    """
    answers = accuracy_section(
        f"{noun_of(measures).capitalize()}s",
        measures,
        predictions,
        name="",
        text="A recording's answer is the mean over its clips, spread evenly over it."
        if measures.actors
        else "Each as a clip in which nothing moves.",
    )
    wrong = wrong_section(wrong_examples(predictions, recordings, spec))
    found = (answers, deployed_section(deployment) if deployment else None, wrong)
    page = Page(
        title=title,
        lead="A checkpoint, measured on recordings, and as people meet it."
        if deployment
        else "A checkpoint, measured on pictures or short recordings.",
        warnings=tuple(notes),
        facts=tuple(facts),
        sections=tuple(section for section in found if section is not None),
    )
    write_page(folder, page, metrics)
    predictions.save(folder / PREDICTIONS_FILE)


def report_folds(
    folder: Path,
    *,
    title: str,
    notes: Sequence[str],
    facts: Sequence[tuple[str, str]],
    measures: Measures,
    predictions: Predictions,
    folds: Mapping[str, Measures],
    curves: Mapping[str, Sequence[Curves]],
) -> None:
    """Report on all folds of a protocol: pooled over folds, fold by fold, actor by actor.

    Args:
        folder: written to; `predictions.npz` holds the pooled predictions.
        title: of the page.
        notes: what a reader has to know before the figures, such as that the protocol leaks.
        facts: names and values; they go into `metrics.json` too.
        measures: pooled over folds.
        predictions: the same.
        folds: of each fold's test recordings, by its name.
        curves: of each fold's stages (`read_history` of its run folder).

    Raises:
        OutputError: it cannot be written.
    """
    page = Page(
        title=title,
        lead=f"{len(folds)} folds: each recording is answered by the model of the fold that tests "
        "on it.",
        warnings=tuple(notes),
        facts=tuple(facts),
        sections=(
            accuracy_section("All folds together", measures, predictions, name=""),
            folds_section(folds, curves),
        ),
    )
    metrics = {
        **dict(facts),
        "notes": list(notes),
        "pooled": measures.to_dict(),
        "folds": {name: fold.to_dict() for name, fold in folds.items()},
        "curves": {name: [asdict(stage) for stage in stages] for name, stages in curves.items()},
    }
    write_page(folder, page, metrics)
    predictions.save(folder / PREDICTIONS_FILE)
