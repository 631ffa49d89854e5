"""The parts of a report, from figures to what is shown of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from realtime_mood.model.labels import LABELS, UNSURE
from trainer import metrics
from trainer.deployed import Delay, Deployment
from trainer.evaluate import Measures
from trainer.predictions import Predictions
from trainer.report import pictures, words
from trainer.report.curves import Curves, folds_picture, learning_picture, shown_picture
from trainer.report.page import Card, Example, Panel, Section, Table
from trainer.report.words import percent, span, whole_percent
from trainer.words import counted


def accuracy_section(
    title: str, measures: Measures, predictions: Predictions, *, name: str, text: str = ""
) -> Section:
    """Figures and pictures of answers to whole recordings, or to pictures.

    Args:
        title: of the section.
        measures: the figures.
        predictions: what they were made of.
        name: prefix of the pictures' files; empty for none.
        text: what was measured.
    """
    prefix, unit = f"{name}-" if name else "", f"{noun_of(measures)}s"
    probabilities = predictions.probabilities()
    is_right = probabilities.argmax(axis=1) == predictions.labels
    curve = metrics.risk_coverage(probabilities.max(axis=1), is_right)
    panels = [
        Panel(
            name=f"{prefix}confusion",
            title="Confusion",
            note=f"Each row: what {unit} of one true label were taken for. Counts in brackets.",
            alt=f"right are {words.confusion_words(measures.confusion)}",
            picture=pictures.confusion_picture(measures.confusion, unit=unit),
            wide=True,
        ),
        Panel(
            name=f"{prefix}risk-coverage",
            title="Accuracy of the surest answers",
            note="What is gained when the answers with the least confidence are withheld.",
            alt=words.risk_coverage_words(curve),
            picture=pictures.risk_coverage_picture(curve),
        ),
        Panel(
            name=f"{prefix}reliability",
            title="Can the confidence be believed?",
            note="Single clips by the confidence of their likeliest label; a calibrated model's "
            f"bars end on the diagonal. Faint: fewer than {pictures.FEWEST_KEPT} clips.",
            alt=words.reliability_words(measures),
            picture=pictures.reliability_picture(predictions),
        ),
    ]
    if (bars := pictures.actors_picture(measures)) is not None:
        panels.append(
            Panel(
                name=f"{prefix}actors",
                title="Actor by actor",
                note=f"From best to worst; standard deviation {100 * measures.actor_spread:.1f} "
                "points."
                + (
                    " The interval tells how far the mean would move with other actors."
                    if measures.intervals.method != metrics.WILSON
                    else ""
                ),
                alt=words.bars_words(measures.per_actor),
                picture=bars,
                wide=True,
            )
        )
    return Section(
        title=title,
        text=text,
        cards=accuracy_cards(measures),
        panels=tuple(panels),
        tables=(label_table(measures), *([actor_table(measures)] if measures.per_actor else [])),
    )


def accuracy_cards(measures: Measures) -> tuple[Card, ...]:
    """The figures that are seen first."""
    found = measures.intervals
    calibrated, plain = measures.calibrated, measures.uncalibrated
    half = measures.accuracy_at_coverage["0.5"]
    return (
        Card(
            name="accuracy (WAR)",
            value=percent(measures.accuracy),
            note=f"95 %: {span(found.accuracy)}, {found.way}; chance {percent(measures.chance)}",
        ),
        Card(name="UAR", value=percent(measures.uar), note=_interval(found.uar)),
        Card(name="macro F1", value=percent(measures.macro_f1), note=_interval(found.macro_f1)),
        Card(
            name="single clips",
            value=percent(measures.clip_accuracy),
            note=counted(measures.recordings, noun_of(measures)),
        ),
        Card(
            name="calibration error (ECE)",
            value=f"{calibrated.calibration_error:.3f}",
            note=f"{plain.calibration_error:.3f} without the temperature",
        ),
        Card(name="of the surest half", value=percent(half), note="are right"),
    )


def label_table(measures: Measures) -> Table:
    """Recall, precision and share of each label."""
    confusion = np.asarray(measures.confusion)
    rows = []
    for number, label in enumerate(LABELS):
        answered = int(confusion[:, number].sum())
        precision = percent(confusion[number, number] / answered) if answered else "–"
        recall = measures.recall[label]
        rows.append(
            (
                label,
                str(int(confusion[number].sum())),
                "–" if recall is None else percent(recall),
                precision,
                percent(measures.predicted_share[label]),
            )
        )
    head = ("label", f"{noun_of(measures)}s", "recall", "precision", "share of the answers")
    return Table(title="Label by label", head=head, rows=tuple(rows))


def actor_table(measures: Measures) -> Table:
    """Accuracy of each actor."""
    rows = tuple((actor, percent(share)) for actor, share in measures.per_actor.items())
    return Table(title="Actors", head=("actor", "accuracy"), rows=rows)


def deployed_section(deployment: Deployment) -> Section:
    """What a viewer sees: sliding clips, smoothed."""
    found = deployment.measures
    return Section(
        title="As deployed",
        text=f"The runtime's own sliding clips, one each {found.stride_s:g} s, smoothed as "
        f"realtime-mood smooths them, over {found.recordings} recordings "
        f"({found.minutes:.1f} minutes). The wait for the first clip counts as unsure.",
        cards=(
            Card(
                name="time with the right label",
                value=percent(found.time_right),
                note=f"wrong {percent(found.time_wrong)}, unsure {percent(found.time_unsure)}",
            ),
            Card(
                name="right when a label is shown",
                value="–" if found.right_when_shown is None else percent(found.right_when_shown),
            ),
            Card(
                name="label switches per minute",
                value=f"{found.switches_per_minute:.1f}",
                note=f"{found.unsmoothed_switches_per_minute:.1f} without smoothing; "
                "a steady label has 0",
            ),
            _delay_card("start to the right label", found.from_start, "recordings"),
            _delay_card("step delay", found.step, "true changes"),
            Card(
                name="calibration error (ECE)",
                value=f"{found.calibration_error:.3f}",
                note="of the smoothed answers",
            ),
            Card(
                name="accuracy of whole recordings",
                value=percent(found.answers.accuracy),
                note=f"95 %: {span(found.answers.intervals.accuracy)}",
            ),
        ),
        panels=(
            Panel(
                name="deployed-time",
                title="What is shown over time",
                note="Share of the recordings that still run, from the first frame with a face, "
                "for as long as at least half of all do.",
                alt=words.shown_words(deployment.timelines),
                picture=shown_picture(deployment.timelines),
                wide=True,
            ),
            Panel(
                name="deployed-confusion",
                title="What is shown for each true label",
                note="Share of the time; seconds in brackets.",
                alt=f"of the time, shown is the right label: {words.confusion_words(found.shown)}",
                picture=pictures.confusion_picture(found.shown, (*LABELS, UNSURE), unit="seconds"),
                wide=True,
            ),
        ),
    )


def learning_section(stages: Sequence[Curves]) -> Section | None:
    """How training went; None where nothing was logged."""
    picture = learning_picture(stages)
    if picture is None:
        return None
    panel = Panel(
        name="learning",
        title="Learning curves",
        note="Upright: the epoch that does best on the validation recordings; dashed: chance.",
        alt=words.learning_words(stages),
        picture=picture,
        wide=True,
    )
    return Section(title="Training", panels=(panel,))


def folds_section(
    measures: Mapping[str, Measures], curves: Mapping[str, Sequence[Curves]]
) -> Section:
    """The folds of a protocol one by one.

    Args:
        measures: of the test actors of each fold.
        curves: of each fold's stages.
    """
    rows = tuple(
        (
            name,
            str(fold.recordings),
            percent(fold.accuracy),
            span(fold.intervals.accuracy),
            percent(fold.uar),
            percent(fold.macro_f1),
            f"{fold.calibrated.calibration_error:.3f}",
        )
        for name, fold in measures.items()
    )
    panels = [
        Panel(
            name="folds",
            title="Fold by fold",
            note="Accuracy on each fold's test actors with its own 95 % interval.",
            alt=words.bars_words({name: fold.accuracy for name, fold in measures.items()}),
            picture=pictures.folds_bars_picture(measures),
            wide=True,
        )
    ]
    if (picture := folds_picture(curves)) is not None:
        panels.append(
            Panel(
                name="folds-learning",
                title="Learning curves of the folds",
                note="On each fold's validation actors, who are never its test actors.",
                alt=words.folds_words(curves),
                picture=picture,
                wide=True,
            )
        )
    head = ("fold", "recordings", "WAR", "95 % interval", "UAR", "macro F1", "ECE")
    table = Table(title="Folds", head=head, rows=rows)
    return Section(title="Folds", panels=tuple(panels), tables=(table,))


def wrong_section(examples: tuple[Example, ...]) -> Section | None:
    """Strips of recordings that were answered wrongly; None without any."""
    if not examples:
        return None
    return Section(
        title="Wrong answers",
        text="The surest wrong answers, with the clip that spoke most for them as it was seen.",
        examples=examples,
    )


def noun_of(measures: Measures) -> str:
    """What was measured, 'recording' or 'picture': of pictures nobody knows the actors."""
    return "recording" if measures.actors else "picture"


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"95 %: {span(interval)}"


def _delay_card(name: str, delay: Delay, events: str) -> Card:
    """Its median, or where that is not reached, how often the right label is.

    Args:
        name: of the card.
        delay: what it tells.
        events: what the right label was waited for in, as '60 of these'.
    """
    if not delay.events:
        return Card(name=name, value="–", note="no actor has two labels here")
    if delay.median_s is None:
        note = f"of {delay.events} {events} reach the right label"
        return Card(name=name, value=whole_percent(delay.reached), note=note)
    return Card(name=name, value=f"{delay.median_s:.2f} s", note=f"{delay} {events}")
