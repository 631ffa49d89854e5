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


def test_calibration_error() -> None:
    # Two answers with confidence 0.9, one right: gap 0.4. Two with 0.6, both right: gap 0.4.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    assert metrics.calibration_error(probabilities, [0, 1, 1, 1]) == pytest.approx(0.4)
    certain = np.array([[1.0, 0.0]])
    assert metrics.calibration_error(certain, [0]) == 0.0


def test_bootstrap_draws_whole_actors() -> None:
    # One actor all right, one all wrong: a draw is 0, a half or 1, each quarter, half, quarter.
    low, high = metrics.bootstrap_over_actors([1, 1, 0, 0], [1, 1, 2, 2], seed=3)
    assert (low, high) == (0.0, 1.0)
    assert metrics.bootstrap_over_actors([1, 0, 1, 0], [1, 1, 2, 2], seed=3) == (0.5, 0.5)
