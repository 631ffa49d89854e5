"""The model card of a checkpoint, in the form of the Hugging Face Hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_mood.model.labels import LABELS
from realtime_mood.model.timesformer import TINY_HEADS, TINY_HIDDEN_SIZE, TINY_LAYERS
from trainer.config import TINY
from trainer.corpora.recording import count_kinds, list_actors
from trainer.evaluate import Measures
from trainer.metrics import WILSON
from trainer.report.words import percent, span

if TYPE_CHECKING:
    from trainer.export import Report

LEAKY = "random"
CORPORA = {
    "ravdess": "RAVDESS, or derived from it: Livingstone SR, Russo FA (2018), *The Ryerson "
    "Audio-Visual Database of Emotional Speech and Song*, PLoS ONE 13(5): e0196391, "
    "https://doi.org/10.1371/journal.pone.0196391, CC BY-NC-SA 4.0.",
    "cremad": "CREMA-D: Cao H et al. (2014), *Crowd-sourced Emotional Multimodal Actors Dataset*, "
    "IEEE Transactions on Affective Computing 5(4), https://doi.org/10.1109/TAFFC.2014.2336244, "
    "ODbL 1.0.",
    "images": "Pictures (`{name}`). FER2013 and most collections of faces from the web have no "
    "clear licence: research use.",
}
SHARE_ALIKE = (
    "So these weights are **CC BY-NC-SA 4.0**: non-commercial use, with attribution, under the "
    "same licence."
)
NO_LICENCE = (
    "What may be done with these weights follows from the licences above and that of the base "
    "model; treat them as for research, non-commercial use."
)


def model_card(report: Report) -> str:
    """The checkpoint's README: the Hub's metadata, then text for people.

    Args:
        report: of a finished run.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trainer.report"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    config, spec = report.config, report.contract.spec
    test, pictures = report.measures["test"], report.measures.get("pictures")
    sources: dict[str, list[str]] = {}
    for source in config.data.sources:
        sources.setdefault(source.corpus, []).append(source.path.name)
    body = environment.get_template("card.md.j2").render(
        name=report.name,
        spec=spec,
        base=_base(config.model.base_model),
        parameters=f"{report.parameters / 1e6:.1f}",
        margin=f"{100 * spec.crop_margin:.0f} %",
        data=report.data,
        learned=count_kinds(report.trained_on),
        train_actors=list_actors(report.train_actors),
        detector=report.contract.face_detector,
        skipped=len(report.skipped),
        frames=bool(config.recipe.frame_epochs),
        clips=bool(config.recipe.epochs),
        asks_clips=config.recipe.asks_clips,
        epochs=max(config.recipe.epochs, config.recipe.frame_epochs),
        best=config.recipe.keep == "best",
        reanimated=_share(config.recipe.reanimate),
        talking=_share(config.recipe.talk),
        turning=_share(config.recipe.turn),
        hidden=_share(config.recipe.hide) if pictures else "",
        taught=bool(config.recipe.teacher_epochs),
        landmarks=bool(config.recipe.frame_epochs and config.recipe.landmarks),
        motion=bool(config.recipe.motion),
        reads_motion=config.recipe.motion_clips,
        corpora=[CORPORA[c].format(name="`, `".join(names)) for c, names in sources.items()],
        licence_text=SHARE_ALIKE if "ravdess" in sources else NO_LICENCE,
        protocol=report.protocol,
        claim="**LEAKY**, the actors measured here WERE trained on"
        if report.protocol == LEAKY
        else "no actor measured here was trained on"
        if test.actors
        else "no picture measured here was trained on",
        chance=percent(test.chance),
        intervals=_intervals(report.measures),
        notes=report.notes,
        rows=[_row(name, measures) for name, measures in report.measures.items()],
        per_actor=[(actor, percent(share)) for actor, share in test.per_actor.items()],
        spread=f"{100 * test.actor_spread:.1f}",
        labels=LABELS,
        confusions={
            "test recordings": _confusion(test),
            **({"pictures": _confusion(pictures)} if pictures else {}),
        },
        pictures=pictures is not None,
        pictures_ece=f"{pictures.calibrated.calibration_error:.3f}" if pictures else "",
        temperature=f"{report.contract.temperature:.3f}",
        ece=f"{test.calibrated.calibration_error:.3f}",
        ece_plain=f"{test.uncalibrated.calibration_error:.3f}",
        half=percent(test.accuracy_at_coverage["0.5"]),
        command=report.command,
    )
    return f"---\n{_metadata(report, 'ravdess' in sources)}\n---\n\n{body}"


def _hub_name(data: str) -> str:
    """Without what the Hub takes no dataset's name with."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", data).strip("-") or "data"


def _metadata(report: Report, share_alike: bool) -> str:
    """What the Hub reads, as YAML."""
    from huggingface_hub import EvalResult, ModelCardData

    test = report.measures["test"]
    split = "random split, LEAKS" if report.protocol == LEAKY else f"{report.protocol}, test"
    found = (
        ("accuracy", "accuracy (WAR)", test.accuracy),
        ("recall", "UAR", test.uar),
        ("f1", "macro F1", test.macro_f1),
    )
    results = [
        EvalResult(
            task_type="video-classification",
            dataset_type=_hub_name(report.data),
            dataset_name=f"{report.data} ({split})",
            dataset_split="test",
            metric_type=kind,
            metric_name=name,
            metric_value=round(value, 4),
        )
        for kind, name, value in found
    ]
    base = report.config.model.base_model
    is_hub_id = base.count("/") == 1 and base[0] not in "./~" and not Path(base).is_dir()
    data = ModelCardData(
        license="cc-by-nc-sa-4.0" if share_alike else "other",
        license_name=None if share_alike else "see-model-card",
        library_name="transformers",
        base_model=base if is_hub_id else None,
        tags=["timesformer", "facial-expression-recognition", "realtime-mood"],
        model_name=report.name,
        eval_results=results,
    )
    return str(data.to_yaml()).strip()


def _base(name: str) -> str:
    if name == TINY:
        size = f"width {TINY_HIDDEN_SIZE}, {TINY_LAYERS} layers, {TINY_HEADS} heads"
        return f"a small one ({size}) from random weights"
    return f"`{name}`, fine-tuned"


def _share(value: float) -> str:
    """Empty for none."""
    return f"{100 * value:.0f} %" if value else ""


def _intervals(measures: Mapping[str, Measures]) -> str:
    """How the intervals of these were found, and what they do not tell."""
    ways: dict[str, list[str]] = {}
    for name, found in measures.items():
        way = f"by {found.intervals.way}"
        if found.intervals.method == WILSON:
            way = "by Wilson's method, which says nothing of other people"
        ways.setdefault(way, []).append(name)
    return "; ".join(f"of {', '.join(names)} {way}" for way, names in ways.items())


def _row(name: str, measures: Measures) -> tuple[str, ...]:
    who = f"{name} ({list_actors(measures.actors)})" if measures.actors else name
    return (
        who,
        str(measures.recordings),
        percent(measures.accuracy),
        span(measures.intervals.accuracy),
        percent(measures.uar),
        percent(measures.macro_f1),
        percent(measures.clip_accuracy),
    )


def _confusion(measures: Measures) -> list[tuple[str, ...]]:
    return [
        (f"**{label}**", *map(str, counts), _recall(measures.recall[label]))
        for label, counts in zip(LABELS, measures.confusion, strict=True)
    ]


def _recall(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
