"""What a report's page says, to those who see its pictures and to those who do not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.model.labels import LABELS
from realtime_mood.smoothing import SmoothingConfig
from tests.fakes import SPEC
from tests.trainer.answers import said, timeline
from tests.trainer.clips import make_crops
from trainer.crops import FaceCrops
from trainer.deployed import Delay, Deployment, summarise
from trainer.evaluate import measure
from trainer.metrics import risk_coverage
from trainer.report import words
from trainer.report.curves import Curves
from trainer.report.reports import report_evaluation
from trainer.report.sections import _delay_card, accuracy_section, folds_section

COMMAND = "trainer evaluate --cpu-only '5 %'"


@pytest.fixture
def crops(tmp_path: Path) -> FaceCrops:
    """A sad recording of 2 s."""
    return make_crops(tmp_path, frames=21, side=SPEC.image_size)


@pytest.fixture
def write(
    tmp_path: Path, crops: FaceCrops, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """Writes the report on two answers, one of them wrong, about an actor; answers the page.

    Nothing is drawn: that takes seconds.
    """
    monkeypatch.setattr("trainer.report.page.to_png", lambda *_: bytes(24))

    def page_about(actor: str) -> str:
        predictions = said([6, 0], [6, 6], actor=actor)
        watched = [timeline(crops, seconds=2.0, shown=label) for label in ("sad", "happy")]
        smoothing = SmoothingConfig()
        found = summarise(watched, [], stride_s=0.2, smoothing=smoothing, seed=0)
        report_evaluation(
            tmp_path / "report",
            title="it",
            metrics={},
            notes=(),
            facts=(("data", "d"), ("command", COMMAND)),
            measures=measure(predictions),
            predictions=predictions,
            deployment=Deployment(measures=found, timelines=watched),
            recordings=[crops, crops],
            spec=SPEC,
        )
        return (tmp_path / "report" / "index.html").read_text(encoding="utf-8")

    return page_about


def test_a_page_reads_well_without_its_pictures(write: Callable[[str], str]) -> None:
    page = re.sub(r"data:image/\w+;base64,[^\"]*", "", write("ravdess:01"))
    shown = re.findall(r'<img class="(\w+)" alt="([^"]*)"', page)
    assert [theme for theme, _ in shown] == ["light", "dark"] * (len(shown) // 2)
    assert ("light", "right are sad 50\u202f%") in shown
    assert ("dark", "right are sad 50\u202f%") in shown
    # Only on a screen: paper is white.
    assert set(re.findall(r"@media ([^{]*)prefers-color-scheme", page)) == {"screen and ("}
    assert all(figure.startswith("\n<figcaption><h3>") for figure in _inside("figure", page))
    assert re.findall(r"<h3>(?:<span[^>]*>\w+</span>| was taken for )+</h3>", page)
    tables = _inside("table", page)
    assert len(tables) == 3
    for table in tables:
        rows = _inside("tr", table[table.index("<tbody>") :])
        assert all(row.startswith('<th scope="row">') and row.count("<th") == 1 for row in rows)
    assert '<th scope="col">recall</th>' in tables[0]
    assert page.count('role="region"') == len(tables) + page.count("plate wide")


def _inside(tag: str, page: str) -> list[str]:
    return re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", page, re.DOTALL)


def test_a_figure_and_its_sign_are_on_one_line(write: Callable[[str], str]) -> None:
    page = write("ravdess:01")
    assert not re.findall(r"\d ?%", page.partition("</style>")[2].replace('%"', ""))
    assert '<div class="value">50.0\u202f%</div>' in page


def test_a_command_breaks_between_its_words(write: Callable[[str], str]) -> None:
    assert "<span>evaluate</span> <span>--cpu-only</span> " in write("ravdess:01")


def test_pictures_are_not_called_recordings(write: Callable[[str], str]) -> None:
    assert "<h2>Pictures</h2>" in write("images:faces")
    section = accuracy_section(
        "t", measure(said([6], [6], actor="images:x")), said([6], [6], actor="images:x"), name=""
    )
    told = [section.panels[0].note, *(card.note for card in section.cards)]
    assert "Each row: what pictures of one true label were taken for." in told[0]
    assert "1 picture" in told
    assert "recording" not in " ".join([*told, *section.tables[0].head])


def test_pictures_are_told_in_words() -> None:
    table = [[3, 1], [0, 0], [1, 0], *[[0, 0]] * 5]
    table = [row + [0] * (len(LABELS) - 2) for row in table]
    assert words.confusion_words(table) == "angry 75 %, disgust 0 %"
    curve = risk_coverage(np.linspace(1.0, 0.5, 40), [True] * 20 + [False] * 20)
    assert words.risk_coverage_words(curve) == (
        "accuracy is 100 % for the surest 25 % of the answers, 50 % for all"
    )
    assert words.bars_words({"a": 0.4, "b": 0.6}) == (
        "accuracy is highest for b, 60 %, and lowest for a, 40 %"
    )
    frames = Curves(
        name="frames", loss=((1, 2.0), (9, 1.0)), validation_loss=(), accuracy=(), uar=()
    )
    clips = replace(frames, name="clips", accuracy=((0, 0.9), (3, 0.5), (6, 0.4)))
    assert words.learning_words([frames, clips]) == (
        "frames: loss 2.00 first, 1.00 last; clips: best validation accuracy 50 % at step 3"
    )
    measures = measure(said([6], [6]))
    curves = {"fold 1": [frames, clips], "fold 2": [frames]}
    _, learning = folds_section({"fold 1": measures, "fold 2": measures}, curves).panels
    assert learning.alt == (
        "best validation accuracy is highest for fold 1, 90 %, and lowest for fold 1, 90 %"
    )


def test_what_is_shown_is_told_halfway_and_in_the_end(crops: FaceCrops) -> None:
    watched = [timeline(crops, seconds=2.0, shown=label) for label in ("sad", "happy", "unsure")]
    watched.append(timeline(crops, seconds=1.5, shown="happy"))
    told = "show the right label, {} % a wrong one, {} % none"
    assert words.shown_words(watched) == (
        f"after 1.0 s 25 % {told.format(50, 25)}; after 2.0 s 33 % {told.format(33, 33)}"
    )


def test_a_card_tells_how_often_the_right_label_is_reached_where_its_median_is_not() -> None:
    reached = Delay(events=60, reached=0.98, median_s=1.2, p95_s=3.4)
    card = _delay_card("start", reached, "recordings")
    assert (card.value, card.note) == ("1.20 s", f"{reached} recordings")
    rarely = Delay(events=60, reached=0.23, median_s=None, p95_s=None)
    card = _delay_card("start", rarely, "recordings")
    assert (card.value, card.note) == ("23 %", "of 60 recordings reach the right label")
    never = Delay(events=0, reached=0.0, median_s=None, p95_s=None)
    assert _delay_card("start", never, "recordings").value == "–"
