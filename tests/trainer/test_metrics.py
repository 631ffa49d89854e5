"""Figures against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer import metrics

# Three labels; of five recordings of label 0 four are right, of two of label 1 one, none of 2.
LABELS = [0, 0, 0, 0, 0, 1, 1, 2]
PREDICTED = [0, 0, 0, 0, 1, 1, 0, 0]


def test_confusion_matrix() -> None:
    confusion = metrics.confusion_matrix(LABELS, PREDICTED, 3)
    assert confusion.tolist() == [[4, 1, 0], [1, 1, 0], [1, 0, 0]]


def test_accuracy_recall_and_f1() -> None:
    confusion = metrics.confusion_matrix(LABELS, PREDICTED, 3)
    assert metrics.accuracy(confusion) == 5 / 8
    assert metrics.unweighted_recall(confusion) == pytest.approx((4 / 5 + 1 / 2 + 0) / 3)
    # F1: label 0 has precision 4/6 and recall 4/5, label 1 has 1/2 and 1/2, label 2 nothing.
    assert metrics.macro_f1(confusion) == pytest.approx((8 / 11 + 1 / 2 + 0) / 3)


def test_labels_that_do_not_occur_do_not_count() -> None:
    confusion = metrics.confusion_matrix([0, 1], [0, 0], 3)
    assert metrics.unweighted_recall(confusion) == 0.5
    assert np.isnan(metrics.recalls(confusion)[2])
    # Label 0 has precision 1/2 and recall 1; label 1 is never answered.
    assert metrics.macro_f1(confusion) == pytest.approx((2 / 3 + 0) / 2)


def test_softmax_with_temperature() -> None:
    probabilities = metrics.softmax([[math.log(1.0), math.log(3.0)]])
    np.testing.assert_allclose(probabilities, [[0.25, 0.75]])
    flatter = metrics.softmax([[math.log(1.0), math.log(9.0)]], 2.0)
    np.testing.assert_allclose(flatter, [[0.25, 0.75]])
    assert np.isfinite(metrics.softmax([[1e4, 0.0]])).all()


def test_temperature_undoes_a_known_scale() -> None:
    # At temperature 1 each row says 0.75 for label 0, which is right three times out of four.
    logits = np.tile([math.log(3.0), 0.0], (4, 1))
    assert metrics.fit_temperature(logits * 2.5, [0, 0, 0, 1]) == pytest.approx(2.5, rel=1e-4)


def test_temperature_of_weighted_answers() -> None:
    # Two of three are right, and count three quarters.
    logits = np.tile([math.log(3.0), 0.0], (3, 1))
    found = metrics.fit_temperature(logits * 2.5, [0, 0, 1], weights=[1.5, 1.5, 1.0])
    assert found == pytest.approx(2.5, rel=1e-4)


def test_calibration_error() -> None:
    # Two answers with confidence 0.9, one right: gap 0.4. Two with 0.6, both right: gap 0.4.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    assert metrics.calibration_error(probabilities, [0, 1, 1, 1]) == pytest.approx(0.4)
    certain = np.array([[1.0, 0.0]])
    assert metrics.calibration_error(certain, [0]) == 0.0


def test_reliability_bins() -> None:
    found = metrics.reliability([0.95, 0.93, 0.12, 1.0], [True, False, True, True])
    assert found.counts.tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 3]
    assert found.accuracy[9] == pytest.approx(2 / 3)
    assert found.confidence[9] == pytest.approx(2.88 / 3)
    assert np.isnan(found.accuracy[0])
    # (3 · (0.96 − 0.6667) + 1 · (1 − 0.12)) / 4
    assert found.error == pytest.approx((0.88 + 0.88) / 4)


def test_log_loss_and_brier_score() -> None:
    probabilities = np.array([[0.8, 0.2], [0.5, 0.5]])
    assert metrics.log_loss(probabilities, [0, 1]) == pytest.approx(
        -(math.log(0.8) + math.log(0.5)) / 2
    )
    # (0.2² + 0.2²) and (0.5² + 0.5²)
    assert metrics.brier_score(probabilities, [0, 1]) == pytest.approx((0.08 + 0.5) / 2)
    guesses = np.full((1, 8), 1 / 8)
    assert metrics.brier_score(guesses, [3]) == pytest.approx(0.875)


def test_risk_coverage_withholds_the_least_sure() -> None:
    curve = metrics.risk_coverage([0.5, 0.9, 0.7, 0.6], [False, True, True, False])
    assert curve.kept.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(curve.accuracy, [1, 1, 2 / 3, 1 / 2])
    assert curve.accuracy_at(0.5) == 1.0
    assert curve.accuracy_at(0.75) == pytest.approx(2 / 3)
    assert curve.accuracy_at(1.0) == 0.5


def test_equally_sure_answers_are_withheld_together() -> None:
    curve = metrics.risk_coverage([0.5, 0.5, 0.5], [True, False, False])
    assert curve.kept.tolist() == [3]
    assert curve.accuracy_at(0.25) == pytest.approx(1 / 3)


def test_bootstrap_draws_whole_actors() -> None:
    # One actor all right, one all wrong: of 27 draws one is all of the one, one all of the other.
    labels, actors = [0] * 6, ["a", "a", "b", "b", "c", "c"]
    found = metrics.intervals(labels, [0, 0, 1, 1, 0, 1], actors, 2, seed=3)
    assert found.way == "bootstrap over actors, too narrow with so few"
    assert found.accuracy == (0.0, 1.0)
    assert found.uar == (0.0, 1.0)
    same = metrics.intervals(labels, [0, 1, 0, 1, 0, 1], actors, 2, seed=3)
    assert same.accuracy == (0.5, 0.5)
    # Precision 1, recall 1/2 in every draw.
    assert same.macro_f1 == pytest.approx((2 / 3, 2 / 3))


@pytest.mark.parametrize(("answer", "span"), [(0, (0.7575, 1.0)), (1, (0.0, 0.2425))])
def test_where_all_is_right_or_wrong_draws_tell_nothing(
    answer: int, span: tuple[float, float]
) -> None:
    found = metrics.intervals([0] * 12, [answer] * 12, ["a", "b", "c", "d"] * 3, 2, seed=0)
    assert found.method == "Wilson"
    assert found.accuracy == pytest.approx(span, abs=1e-4)


@pytest.mark.parametrize("actors", [["one"] * 24, ["one", "two"] * 12])
def test_one_or_two_actors_have_a_wilson_interval(actors: list[str]) -> None:
    # 22 of 24, as often quoted for one actor of RAVDESS: 74 to 98 %.
    labels, answers = [0] * 24, [0] * 22 + [1] * 2
    found = metrics.intervals(labels, answers, actors, 2, seed=0)
    assert found.method == "Wilson"
    assert found.accuracy == pytest.approx((0.7415, 0.9768), abs=1e-4)
    assert found.uar is None
    assert metrics.wilson_interval(0, 5)[0] == 0.0
    assert metrics.wilson_interval(5, 5)[1] == 1.0
