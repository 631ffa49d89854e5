"""What a run leaves: the checkpoint folder with its figures and its model card."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from realtime_mood.errors import OutputError
from realtime_mood.model.checkpoint import METRICS_FILE, Contract, save_checkpoint
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import LABELS
from trainer.base import Model
from trainer.checkpoints import explained
from trainer.config import TrainConfig
from trainer.corpora.recording import Recording, count_kinds, list_actors
from trainer.evaluate import Measures, as_text
from trainer.report.card import model_card
from trainer.whole_files import write_whole

logger = logging.getLogger(__name__)

CARD_FILE = "README.md"
SUMMARY_FILE = "summary.txt"
MOST_SKIPPED_TOLD = 20


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that is known of a finished run."""

    command: str
    """How it was asked for."""
    config: TrainConfig
    """Its options."""
    contract: Contract
    """What is saved beside the weights."""
    parameters: int
    """Weights of the model."""
    protocol: str
    """How actors were split."""
    notes: tuple[str, ...]
    """What is to be said of the data: leaks, folds that are missing, labels that nothing has."""
    train_actors: tuple[str, ...]
    """Whom it was trained on, what it began with included."""
    trained_on: tuple[Recording, ...]
    """What it was trained on."""
    skipped: dict[str, str]
    """Paths of recordings that could not be used, and why."""
    measures: dict[str, Measures]
    """Of the 'validation' and the 'test' actors, and of held-out 'pictures' that were added."""

    @property
    def name(self) -> str:
        """Names the model."""
        return self.config.run.output.resolve().name

    @property
    def data(self) -> str:
        """Names the data."""
        return self.config.data.name

    def facts(self) -> tuple[tuple[str, str], ...]:
        """What a reader of the figures wants to know besides, as names and values."""
        spec = self.contract.spec
        return (
            ("data", self.data),
            ("protocol", self.protocol),
            (
                "base model",
                f"{self.config.model.base_model}, {self.parameters / 1e6:.1f} M parameters",
            ),
            ("trained on", f"{count_kinds(self.trained_on)}; {list_actors(self.train_actors)}"),
            *(
                (f"{name} actors", list_actors(m.actors))
                for name, m in self.measures.items()
                if m.actors
            ),
            ("clip", f"{spec.num_frames} frames, {spec.span_s:.3g} s, {spec.image_size} px"),
            ("face detector", self.contract.face_detector),
            (
                "temperature",
                f"{self.contract.temperature:.3f}, fitted on the validation recordings"
                + (", and as much on pictures" if "pictures" in self.measures else ""),
            ),
            ("could not be used", str(len(self.skipped))),
            *((name, why) for name, why in list(self.skipped.items())[:MOST_SKIPPED_TOLD]),
            ("command", self.command),
        )

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return {
            "command": self.command,
            "data": self.data,
            "base_model": self.config.model.base_model,
            "parameters": self.parameters,
            "labels": list(LABELS),
            "temperature": self.contract.temperature,
            "protocol": self.protocol,
            "notes": list(self.notes),
            "train_actors": list(self.train_actors),
            "train_recordings": sum(not one.is_picture for one in self.trained_on),
            "train_pictures": sum(one.is_picture for one in self.trained_on),
            "skipped": self.skipped,
            **{name: measures.to_dict() for name, measures in self.measures.items()},
        }

    def as_text(self) -> str:
        """The figures for people."""
        parts = [as_text(name, measures) for name, measures in self.measures.items()]
        return "\n\n".join([*parts, *(f"Note: {note}" for note in self.notes)])


def write_checkpoint(model: Model, report: Report) -> None:
    """Write weights, contract, figures and card.

    Args:
        model: saved in the precision it has.
        report: of the run.

    Raises:
        OutputError: the folder cannot be written.
    """
    folder = report.config.checkpoint_folder
    try:
        save_checkpoint(model, report.contract, folder)
        metrics = json.dumps(report.to_dict(), indent=2) + "\n"
        write_whole(folder / METRICS_FILE, metrics)
        write_whole(folder / CARD_FILE, model_card(report))
        write_whole(report.config.run.output / SUMMARY_FILE, report.as_text() + "\n")
    except (OSError, SafetensorError) as error:
        raise OutputError(
            f"the checkpoint cannot be written to {folder} ({error}); make room or choose another "
            "--output"
        ) from error
    logger.info("checkpoint written to %s", folder)


def write_frames_model(
    model: Model, spec: ClipSpec, detector: str, folder: Path, *, train_actors: Sequence[str]
) -> None:
    """Write a model of single frames, with which a further run can begin.

    Args:
        model: not measured, and left as it is.
        spec: what it looks at.
        detector: that found the faces.
        folder: made where it is missing.
        train_actors: see `Report`.

    Raises:
        OutputError: the folder cannot be written.
    """
    half: Any = copy.deepcopy(model)
    with explained(folder):
        save_checkpoint(
            half.half(), Contract(spec=spec, temperature=1.0, face_detector=detector), folder
        )
        people = json.dumps({"train_actors": list(train_actors)}, indent=2) + "\n"
        write_whole(folder / METRICS_FILE, people)
