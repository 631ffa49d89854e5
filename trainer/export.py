"""What a run leaves: the checkpoint folder with its figures and its model card."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from realtime_mood.errors import OutputError
from realtime_mood.model.checkpoint import Contract, save_checkpoint
from realtime_mood.model.labels import LABELS
from trainer.base import Model
from trainer.config import TINY, TrainConfig
from trainer.corpora.recording import list_actors
from trainer.evaluate import Measures, as_text, confusion_text

logger = logging.getLogger(__name__)

METRICS_FILE = "metrics.json"
CARD_FILE = "README.md"
SUMMARY_FILE = "summary.txt"


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
    """What is to be said of the split: leaks, folds that are missing, what is left out."""
    train_actors: tuple[str, ...]
    """Whom it was trained on."""
    train_recordings: int
    """How many recordings of them."""
    skipped: dict[str, str]
    """Recordings that could not be used, and why."""
    measures: dict[str, Measures]
    """Of the 'validation' and the 'test' actors."""

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return {
            "command": self.command,
            "data": self.config.data.name,
            "base_model": self.config.model.base_model,
            "parameters": self.parameters,
            "labels": list(LABELS),
            "temperature": self.contract.temperature,
            "protocol": self.protocol,
            "notes": list(self.notes),
            "train_actors": list(self.train_actors),
            "train_recordings": self.train_recordings,
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
        (folder / METRICS_FILE).write_text(metrics, encoding="utf-8")
        (folder / CARD_FILE).write_text(model_card(report), encoding="utf-8")
        summary = report.as_text() + "\n"
        (report.config.run.output / SUMMARY_FILE).write_text(summary, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"the checkpoint cannot be written to {folder} ({error}); make room or choose another "
            "--output"
        ) from error
    logger.info("checkpoint written to %s", folder)


def model_card(report: Report) -> str:
    """The checkpoint's README in the form of the Hugging Face Hub."""
    spec = report.contract.spec
    test = report.measures["test"]
    low, high = test.accuracy_interval
    data = report.config.data.name
    return CARD.format(
        name=report.config.run.output.name,
        data=data,
        parameters=f"{report.parameters / 1e6:.1f}",
        base=_base(report.config.model.base_model),
        spec=spec,
        span_s=f"{spec.span_s:g}",
        margin=f"{100 * spec.crop_margin:.0f} %",
        detector=report.contract.face_detector,
        train_recordings=report.train_recordings,
        train_actors=list_actors(report.train_actors),
        frames=FRAMES if report.config.recipe.frame_epochs else "",
        accuracy=f"{test.accuracy:.4f}",
        uar=f"{test.uar:.4f}",
        rows="\n".join(_row(name, measures) for name, measures in report.measures.items()),
        how="LEAKY, random over recordings" if report.protocol == "random" else "actor-disjoint",
        protocol=report.protocol,
        claim="the actors measured here WERE trained on"
        if report.protocol == "random"
        else "no actor measured here was trained on",
        notes="".join(f"\n**Note:** {note}.\n" for note in report.notes),
        interval=f"{low:.1%} to {high:.1%}",
        per_actor=", ".join(f"{actor}: {share:.1%}" for actor, share in test.per_actor.items()),
        shares=", ".join(f"{name} {share:.0%}" for name, share in test.predicted_share.items()),
        confusion=confusion_text(test.confusion),
        temperature=f"{report.contract.temperature:.3f}",
        ece=f"{test.calibration_error:.3f}",
        ece_plain=f"{test.calibration_error_uncalibrated:.3f}",
        skipped=len(report.skipped),
        command=report.command,
    )


def _base(name: str) -> str:
    if name == TINY:
        return "a small one (width 192, 6 layers, 12 heads) from random weights"
    return f"`{name}`, fine-tuned"


def _row(name: str, measures: Measures) -> str:
    low, high = measures.accuracy_interval
    return (
        f"| {name} (actors {list_actors(measures.actors)}) | {measures.recordings} | "
        f"{measures.accuracy:.1%} | {low:.1%} to {high:.1%} | {measures.uar:.1%} | "
        f"{measures.macro_f1:.1%} | {measures.clip_accuracy:.1%} |"
    )


FRAMES = """- **Order:** it learned expressions from single frames of these first, then from clips.
"""

CARD = """---
license: cc-by-nc-sa-4.0
library_name: transformers
pipeline_tag: video-classification
tags:
- timesformer
- facial-expression-recognition
- realtime-mood
model-index:
- name: {name}
  results:
  - task:
      type: video-classification
    dataset:
      name: {data}, {how} test split
      type: {data}
    metrics:
    - type: accuracy
      value: {accuracy}
    - type: recall
      name: UAR
      value: {uar}
---

# {name}

A TimeSformer that names one of eight facial expressions in a clip of {spec.num_frames} face crops:
{base}, {parameters} M parameters, half precision. Made for `realtime-mood --model`; transformers
alone loads it too.

## What it looks at

{spec.num_frames} frames {spec.frame_interval_s:g} s apart ({span_s} s in all), each the square
around the face, its side the height of the face box plus {margin}, scaled to {spec.image_size} px.
`clip_spec.json` holds this, the normalisation and the calibration temperature; feeding it anything
else gives meaningless answers.

## What it was trained on

- **Recordings:** {train_recordings} of `{data}`, actors {train_actors}; crops from the
  detector '{detector}'. {skipped} recordings could not be used.
{frames}
The recordings are RAVDESS or derive from it: Livingstone SR, Russo FA (2018), *The Ryerson
Audio-Visual Database of Emotional Speech and Song (RAVDESS)*, PLoS ONE 13(5): e0196391,
https://doi.org/10.1371/journal.pone.0196391, CC BY-NC-SA 4.0. So these weights are
**CC BY-NC-SA 4.0**: non-commercial use, with attribution, under the same licence.

## How good it is

On `{data}`, protocol `{protocol}`: {claim}.
{notes}
The epoch and the temperature
were chosen on the validation actors. A recording's answer is the mean of the probabilities of its
5 clips. Chance is 12.5 %. Intervals are 95 % bootstrap intervals over actors, too narrow with so
few of them.

| | recordings | accuracy (WAR) | interval | UAR | macro F1 | single clips |
|---|---|---|---|---|---|---|
{rows}

Test actors one by one: {per_actor}. Share of the answers: {shares}.

```
{confusion}
```

Calibration: temperature {temperature}, fitted on the validation actors; expected calibration error
of single clips of the test actors {ece} with it, {ece_plain} without.

## Limits

- It names an *expression*, not a feeling: expressions vary across people and situations
  (Barrett et al. 2019, https://doi.org/10.1177/1529100619832930).
- Acted expressions of few actors from one place, in one studio, looking into the camera. Other
  ages, faces, light, angles and spontaneous expressions were not measured; expect worse.
- EU law forbids inferring emotions at work and in education (AI Act, Art. 5(1)(f)).

## How it was made

```
{command}
```
"""
