"""`trainer evaluate`, top to bottom: index, cut, classify, watch as the runtime does, report."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime_mood.errors import ModelError, SourceError, UsageError
from realtime_mood.faces.detector import make_detector
from realtime_mood.model.checkpoint import (
    DEFAULT_CHECKPOINT_NAME,
    default_checkpoint,
    load_model,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.model.labels import LABELS
from trainer.config import EvaluateConfig
from trainer.config.layers import EFFECTIVE_FILE
from trainer.corpora.recording import Index, Recording, list_actors, note_of_labels
from trainer.corpora.sources import read_sources
from trainer.corpora.splits import find_actors
from trainer.crops import Cutter, cut_recordings, most_bad
from trainer.dataset import EvaluationClips
from trainer.decode import available_decoder
from trainer.deployed import DeployedMeasures, measure_deployed
from trainer.evaluate import Measures, as_text, measure
from trainer.people import read_people
from trainer.predict import recording_logits
from trainer.predictions import Predictions
from trainer.progress import Progress
from trainer.report.reports import report_evaluation
from trainer.run_folder import check_report_folder
from trainer.words import counted

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All that was measured of a checkpoint."""

    model: str
    """As it was named."""
    data: str
    """Names the data."""
    temperature: float
    """The checkpoint's, which all probabilities were made with."""
    notes: tuple[str, ...]
    """What a reader has to know before the figures."""
    skipped: dict[str, str]
    """Paths of recordings that could not be used, and why."""
    recordings: Measures
    """Clips spread over each recording, averaged."""
    as_deployed: DeployedMeasures | None
    """Sliding clips, smoothed; None for pictures, and where all recordings are too short."""

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return {
            "model": self.model,
            "data": self.data,
            "labels": list(LABELS),
            "temperature": self.temperature,
            "notes": list(self.notes),
            "skipped": self.skipped,
            "recordings": self.recordings.to_dict(),
            "as_deployed": self.as_deployed.to_dict() if self.as_deployed else None,
        }

    def as_text(self) -> str:
        """The figures for people."""
        parts = [as_text(self.data, self.recordings)]
        if self.skipped:
            parts.append(
                f"{counted(len(self.skipped), 'recording')} could not be used: see the log above"
            )
        if found := self.as_deployed:
            shown = "–" if found.right_when_shown is None else f"{found.right_when_shown:.1%}"
            parts.append(
                "\n".join(
                    (
                        f"as deployed (a clip each {found.stride_s:g} s, smoothed): shown is the "
                        f"right label {found.time_right:.1%} of the time, a wrong one "
                        f"{found.time_wrong:.1%}, unsure {found.time_unsure:.1%}",
                        f"  right when a label is shown {shown}, "
                        f"{found.switches_per_minute:.1f} label switches a minute "
                        f"({found.unsmoothed_switches_per_minute:.1f} unsmoothed)",
                        f"  from the start to the right label: {found.from_start}",
                        f"  after a true change: {found.step}",
                        f"  accuracy of whole recordings {found.answers.accuracy:.1%}, "
                        f"calibration error {found.calibration_error:.3f}",
                    )
                )
            )
        return "\n\n".join([*parts, *(f"Note: {note}" for note in self.notes)])


def evaluate(config: EvaluateConfig, *, command: str, progress: Progress) -> Evaluation:
    """Measure a checkpoint on recordings of given actors.

    Args:
        config: the options.
        command: how it was asked for.
        progress: told what is done.

    Raises:
        SourceError: the data cannot be used.
        UsageError: recordings and pictures are named together, an actor is not there, or the
            report's folder holds something else.
        ModelError: the checkpoint or the face detector cannot be loaded.
        OutputError: face crops cannot be kept, or the report cannot be written.
    """
    asked = config.measure
    if asked.report is not None:
        check_report_folder(asked.report)
    folder = locate_checkpoint(asked.model)
    contract = read_contract(folder)
    index = read_sources(config.data.sources)
    wanted = find_actors(asked.actors, index.actors, option="--actors")
    recordings = _measured(index, wanted)
    detector = make_detector(
        config.data.faces,
        yunet_file=config.data.face_model,
        trained_on=contract.face_detector,
    ).name
    crops, skipped = cut_recordings(
        recordings,
        Cutter(
            folder=config.crops_folder,
            spec=contract.spec,
            detector=detector,
            yunet_file=config.data.face_model,
            decoder=available_decoder(),
            keeps_crops=config.data.keep_crops,
        ),
        num_workers=asked.num_workers,
        timeout_s=config.data.decode_timeout_s,
        progress=progress,
        bad_allowed=most_bad(recordings, config.data.allow_bad),
    )
    if not crops:
        raise SourceError(
            f"no recording in {config.data.name} could be used; see the messages above"
        )
    model = load_model(folder)
    logits = recording_logits(
        model,
        EvaluationClips(crops, contract.spec),
        batch_size=asked.batch_size,
        num_workers=asked.num_workers,
        progress=progress,
    )
    predictions = Predictions.of(logits, crops, temperature=contract.temperature)
    measures = measure(predictions)
    notes = [
        *_notes(folder, measures),
        *_notes_of_pictures(recordings),
        *note_of_labels(one.recording for one in crops),
    ]
    deployment = None
    if moving := [one for one in crops if not one.is_still]:
        deployment = measure_deployed(
            model,
            moving,
            contract,
            stride_s=asked.stride_s,
            batch_size=asked.batch_size,
            num_workers=asked.num_workers,
            progress=progress,
        )
        if deployment is None:
            notes.append(
                "no recording is long enough for a clip: nothing is told of the model as deployed"
            )
    evaluation = Evaluation(
        model=asked.model,
        data=config.data.name,
        temperature=contract.temperature,
        notes=tuple(notes),
        skipped=skipped,
        recordings=measures,
        as_deployed=deployment.measures if deployment else None,
    )
    if asked.report is not None:
        report_evaluation(
            asked.report,
            title=f"{_short_name(asked.model)} on {config.data.name}",
            metrics=evaluation.to_dict(),
            notes=notes,
            facts=(
                ("model", asked.model),
                ("data", config.data.name),
                ("actors", list_actors(measures.actors) or "unknown"),
                ("recordings", f"{len(crops)}, and {len(skipped)} that could not be used"),
                ("face detector", f"{detector}; trained on {contract.face_detector}"),
                ("clip", f"{contract.spec.num_frames} frames, {contract.spec.span_s:.3g} s"),
                ("temperature", f"{contract.temperature:.3f}"),
                ("command", command),
            ),
            measures=measures,
            predictions=predictions,
            deployment=deployment,
            recordings=crops,
            spec=contract.spec,
        )
    return evaluation


def _short_name(model: str) -> str:
    """What to call a checkpoint: a run's by the run, since the folder's name says nothing there."""
    path = Path(model).expanduser().resolve()
    with suppress(ModelError):  # An installation need not have one.
        if path == default_checkpoint():
            return DEFAULT_CHECKPOINT_NAME
    is_of_run = path.name == "checkpoint" and (path.parent / EFFECTIVE_FILE).is_file()
    return path.parent.name if is_of_run else path.name


def _measured(index: Index, actors: set[str]) -> list[Recording]:
    """The recordings of the actors named, or all of them, or the pictures.

    Of pictures, where a corpus keeps some apart, those alone.
    """
    if actors:
        return [r for r in index.recordings if r.actor in actors]
    if len({r.is_picture for r in index.recordings}) > 1:
        raise UsageError(
            "--data names recordings and pictures, which are measured one at a time; leave one of "
            "them out"
        )
    keeps_apart = any(r.is_held_out for r in index.recordings)
    return [r for r in index.recordings if not r.is_picture or r.is_held_out or not keeps_apart]


def _notes(folder: Path, measures: Measures) -> list[str]:
    """What the checkpoint's own figures say against these."""
    people = read_people(folder)
    if people is None:
        return ["the checkpoint does not say whom it was trained on: these may be among them"]
    known = {*people.trained_on, *people.chosen_by}
    if people.protocol == "random" and known.intersection(measures.actors):
        return ["the checkpoint was trained with protocol 'random': it has seen these actors"]
    notes = []
    if both := [actor for actor in measures.actors if actor in people.trained_on]:
        notes.append(
            f"the model was trained on actors measured here ({list_actors(both)}): it LEAKS"
        )
    if both := [actor for actor in measures.actors if actor in people.chosen_by]:
        notes.append(
            f"actors measured here ({list_actors(both)}) chose the model's temperature, and the "
            "epoch where the last one was not kept: it looks better than it is"
        )
    return notes


def _notes_of_pictures(recordings: Sequence[Recording]) -> list[str]:
    pictures = [r for r in recordings if r.is_picture]
    if not pictures:
        return []
    if all(r.is_held_out for r in pictures):
        return [f"only the {len(pictures)} pictures that their corpus keeps apart are used"]
    return ["the corpus keeps no pictures apart: the model may have been trained on these"]
