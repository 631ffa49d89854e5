"""Figures of two recordings, worked out by hand from what is said of their clips."""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from realtime_mood.errors import ModelError, OutputError, UsageError
from realtime_mood.model.checkpoint import default_checkpoint
from realtime_mood.model.labels import LABELS
from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from tests.trainer.clips import make_crops
from trainer import evaluation
from trainer.config.evaluate import add_evaluate_options, evaluate_config
from trainer.config.layers import EFFECTIVE_FILE
from trainer.corpora.recording import Index, Recording
from trainer.dataset import EvaluationClips
from trainer.evaluate import Measures, measure, note_of_temperature
from trainer.metrics import Intervals, fit_temperature
from trainer.predict import recording_logits
from trainer.predictions import Predictions
from trainer.report.card import _intervals
from trainer.run_folder import check_report_folder

HAPPY, SAD = LABELS.index("happy"), LABELS.index("sad")
HAPPY_SHARES = np.array([[0.35, 0.85], [0.24, 0.62]])
"""Calibrated probability of 'happy' in each clip; 'sad' has the rest."""
TEMPERATURE = 2.0


@pytest.fixture(scope="module")
def said() -> Predictions:
    """Of a happy and of a sad recording, in two clips each, by a model that is too sure."""
    logits = np.full((2, 2, len(LABELS)), 9.0)
    logits[:, :, HAPPY] = TEMPERATURE * np.log(HAPPY_SHARES)
    logits[:, :, SAD] = TEMPERATURE * np.log(1.0 - HAPPY_SHARES)
    known = np.zeros((2, len(LABELS)), dtype=bool)
    known[:, [HAPPY, SAD]] = True
    return Predictions(
        names=("one", "other"),
        actors=np.array(["ravdess:01", "ravdess:02"]),
        labels=np.array([HAPPY, SAD]),
        logits=logits,
        temperature=np.full(2, TEMPERATURE),
        known=known,
    )


@pytest.fixture(scope="module")
def measures(said: Predictions) -> Measures:
    return measure(said)


def mean_log_loss(*true_shares: float) -> float:
    return -sum(map(math.log, true_shares)) / len(true_shares)


def test_clips_are_calibrated_by_the_temperature(said: Predictions) -> None:
    np.testing.assert_allclose(said.clip_probabilities()[:, :, HAPPY], HAPPY_SHARES)
    np.testing.assert_allclose(said.clip_probabilities()[:, :, SAD], 1.0 - HAPPY_SHARES)
    # At half the temperature, probabilities are squared.
    raw = said.clip_probabilities(calibrated=False)
    assert raw[0, 0, HAPPY] == pytest.approx(0.1225 / (0.1225 + 0.4225))


def test_an_answer_is_the_mean_over_the_clips(said: Predictions, measures: Measures) -> None:
    np.testing.assert_allclose(said.probabilities()[:, [HAPPY, SAD]], [[0.6, 0.4], [0.43, 0.57]])
    assert measures.confusion[HAPPY][HAPPY] == measures.confusion[SAD][SAD] == 1
    assert measures.accuracy == measures.uar == measures.macro_f1 == 1.0
    assert measures.per_actor == {"ravdess:01": 1.0, "ravdess:02": 1.0}


def test_single_clips_are_counted_one_by_one(measures: Measures) -> None:
    assert measures.clip_accuracy == 0.5


def test_shares_and_recalls_are_of_the_labels_that_could_be(measures: Measures) -> None:
    others = [label for label in LABELS if label not in ("happy", "sad")]
    assert measures.impossible_labels == tuple(others)
    assert measures.chance == 0.5
    assert measures.predicted_share == dict.fromkeys(others, 0.0) | {"happy": 0.5, "sad": 0.5}
    assert measures.recall == dict.fromkeys(others) | {"happy": 1.0, "sad": 1.0}


def test_confidences_of_clips_with_the_temperature(measures: Measures) -> None:
    found = measures.calibrated
    assert found.log_loss == pytest.approx(mean_log_loss(0.35, 0.85, 0.76, 0.38))
    # Of those between 0.6 and 0.7, 0.65 and 0.62 are wrong; 0.85 and 0.76 are right.
    assert found.calibration_error == pytest.approx((0.65 + 0.62 + 0.15 + 0.24) / 4)
    assert found.brier_score == pytest.approx(2 * (0.65**2 + 0.15**2 + 0.24**2 + 0.62**2) / 4)


def test_confidences_of_clips_without_it(measures: Measures) -> None:
    found = measures.uncalibrated
    true = [p**2 / (p**2 + (1 - p) ** 2) for p in (0.35, 0.85, 0.76, 0.38)]
    np.testing.assert_allclose(true, [0.22477, 0.96980, 0.90932, 0.27307], atol=1e-5)
    assert found.log_loss == pytest.approx(mean_log_loss(*true))
    # 0.77523 and 0.72693 are wrong, 0.96980 and 0.90932 right.
    expected = (0.77523 + 0.72693 + 0.03020 + 0.09068) / 4
    assert found.calibration_error == pytest.approx(expected, abs=1e-5)


def test_chance_is_that_of_each_recordings_own_labels() -> None:
    known = np.ones((4, len(LABELS)), dtype=bool)
    known[3, [2, 7]] = False
    found = measure(
        Predictions(
            names=("a", "b", "c", "d"),
            actors=np.array(["ravdess:01"] * 4),
            labels=np.array([0, 2, 7, 0]),
            logits=np.zeros((4, 1, len(LABELS))),
            temperature=np.ones(4),
            known=known,
        )
    )
    assert found.chance == pytest.approx((3 / 8 + 1 / 6) / 4)
    assert found.to_dict()["chance"] == found.chance
    assert found.impossible_labels == ()


def test_a_card_says_of_each_figure_how_its_interval_was_found(measures: Measures) -> None:
    drawn = Intervals(method="bootstrap over actors", accuracy=(0.4, 0.6), uar=None, macro_f1=None)
    many = replace(measures, intervals=drawn)
    few = replace(many, intervals=replace(drawn, are_too_narrow=True))
    assert _intervals({"validation": measures, "test": few, "pictures": measures}) == (
        "of validation, pictures by Wilson's method, which says nothing of other people; "
        "of test by bootstrap over actors, too narrow with so few"
    )
    assert _intervals({"test": many}) == "of test by bootstrap over actors"


@pytest.mark.parametrize(("actor", "is_told"), [("ravdess:01", True), ("cremad:1001", False)])
def test_a_checkpoint_of_protocol_random_knows_its_own_actors_alone(
    monkeypatch: pytest.MonkeyPatch, measures: Measures, actor: str, is_told: bool
) -> None:
    people = SimpleNamespace(protocol="random", trained_on=("ravdess:01",), chosen_by=())
    monkeypatch.setattr(evaluation, "read_people", lambda folder: people)
    measured = SimpleNamespace(actors=(actor,))
    notes = evaluation._notes(Path("checkpoint"), measured)  # type: ignore[arg-type]
    assert any("has seen these actors" in note for note in notes) is is_told


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="every folder can be written to")
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_measured() -> None:
    with pytest.raises(OutputError, match="the report cannot be written to /proc/nope/report"):
        check_report_folder(Path("/proc/nope/report"))


def test_a_report_does_not_replace_the_figures_of_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "clip_spec.json").touch()
    with pytest.raises(UsageError, match="is a checkpoint; choose another folder for --report"):
        check_report_folder(tmp_path)


def test_people_and_pictures_are_measured_apart(tmp_path: Path) -> None:
    person = Recording(path=tmp_path, name="a", take="a", actor="ravdess:01", label=0)
    picture = replace(person, name="b", take="b", actor="images:b")
    index = Index(recordings=(person, picture))
    with pytest.raises(UsageError, match="measured one at a time"):
        evaluation._measured(index, set())
    assert evaluation._measured(index, {"ravdess:01"}) == [person]


def test_a_model_that_answers_no_numbers_is_not_measured(tmp_path: Path) -> None:
    model = tiny_timesformer(SPEC)
    torch.nn.init.constant_(model.classifier.bias, float("nan"))
    clips = EvaluationClips([make_crops(tmp_path, frames=30, side=SPEC.image_size)], SPEC)
    with pytest.raises(ModelError, match="answers what is no number"):
        recording_logits(model, clips, batch_size=4, num_workers=0)


def test_it_is_told_how_many_clips_are_measured(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=30, side=SPEC.image_size)
    told: list[tuple[str, int, int]] = []
    recording_logits(
        tiny_timesformer(SPEC),
        EvaluationClips([crops], SPEC),
        batch_size=2,
        num_workers=0,
        progress=lambda *what: told.append(what),
    )
    assert told == [("measuring clips", done, 5) for done in (2, 4, 5)]


def test_spread_is_that_of_people_not_of_these(said: Predictions) -> None:
    measures = replace(measure(said), per_actor={"a": 0.2, "b": 0.4, "c": 0.9})
    assert measures.actor_spread == pytest.approx(statistics.stdev([0.2, 0.4, 0.9]))
    assert replace(measures, per_actor={"a": 0.2}).actor_spread == 0.0


def test_a_model_that_knows_nothing_is_called_so() -> None:
    assert note_of_temperature(1.3) == ()
    worthless = fit_temperature(
        np.random.default_rng(0).normal(size=(64, 8)) * 5, np.arange(64) % 8
    )
    assert "hardly better than chance" in note_of_temperature(worthless)[0]


def test_a_run_keeps_the_crops_that_it_is_measured_with(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_evaluate_options(parser)
    words = ["--data", "d", "--model", str(tmp_path / "checkpoint")]
    with pytest.raises(UsageError, match="--cache is missing"):
        evaluate_config(parser.parse_args(words))
    for name in ("crops", "checkpoint"):
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="--cache is missing"):
        evaluate_config(parser.parse_args(words))
    (tmp_path / "config.toml").touch()
    assert evaluate_config(parser.parse_args(words)).crops_folder == tmp_path / "crops"
    other = evaluate_config(parser.parse_args([*words, "--cache", str(tmp_path / "other")]))
    assert other.crops_folder == tmp_path / "other"


def test_a_checkpoint_of_a_run_is_called_as_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "smiles" / "checkpoint"
    folder.mkdir(parents=True)
    assert evaluation._short_name(str(folder)) == "checkpoint"
    (folder.parent / EFFECTIVE_FILE).touch()
    assert evaluation._short_name(str(folder)) == "smiles"
    assert evaluation._short_name("owner/name") == "name"
    assert evaluation._short_name(str(default_checkpoint())) == "default"
    assert evaluation._short_name("default") == "default"
