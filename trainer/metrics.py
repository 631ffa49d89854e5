"""Figures that say how good a classifier is; pure functions of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BOOTSTRAP_DRAWS = 2000
ECE_BINS = 10
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
GOLDEN_STEPS = 60


def softmax(logits: npt.ArrayLike, temperature: float = 1.0) -> FloatArray:
    """Probabilities along the last axis of logits divided by a temperature."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike, classes: int) -> IntArray:
    """Counts, shape (classes, classes): rows are true labels, columns predicted ones."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (np.asarray(labels), np.asarray(predicted)), 1)
    return matrix


def accuracy(confusion: IntArray) -> float:
    """Share of all that is right; weighted average recall, WAR."""
    return float(np.trace(confusion) / confusion.sum())


def recalls(confusion: IntArray) -> FloatArray:
    """Share of each true class that is right, shape (classes,); NaN where there is none of it."""
    totals = confusion.sum(axis=1)
    return np.where(totals > 0, np.diag(confusion) / np.maximum(totals, 1), np.nan)


def unweighted_recall(confusion: IntArray) -> float:
    """Mean of the recalls of the classes that occur; UAR."""
    return float(np.nanmean(recalls(confusion)))


def macro_f1(confusion: IntArray) -> float:
    """Mean over the classes that occur of the harmonic mean of precision and recall."""
    right = np.diag(confusion)
    total = confusion.sum(axis=0) + confusion.sum(axis=1)
    occurs = confusion.sum(axis=1) > 0
    return float((2 * right / np.maximum(total, 1))[occurs].mean())


def bootstrap_over_actors(
    is_right: npt.ArrayLike, actors: npt.ArrayLike, *, seed: int
) -> tuple[float, float]:
    """95 % interval of the accuracy, had other actors of the same kind been asked.

    Actors are drawn with replacement, with all their recordings; percentiles 2.5 and 97.5 of
    `BOOTSTRAP_DRAWS` draws (Efron & Tibshirani 1993). With few actors it is too narrow.

    Args:
        is_right: one truth value a recording.
        actors: whose it is.
        seed: of the draws.
    """
    right = np.asarray(is_right, dtype=np.float64)
    owners = np.asarray(actors)
    names = np.unique(owners)
    hits = np.array([right[owners == name].sum() for name in names])
    counts = np.array([(owners == name).sum() for name in names])
    drawn = np.random.default_rng(seed).integers(len(names), size=(BOOTSTRAP_DRAWS, len(names)))
    shares = hits[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(shares, (2.5, 97.5))
    return float(low), float(high)


def negative_log_likelihood(
    logits: npt.ArrayLike, labels: npt.ArrayLike, temperature: float
) -> float:
    """Mean over rows of −ln(probability of the true label)."""
    probabilities = softmax(logits, temperature)
    true = probabilities[np.arange(len(probabilities)), np.asarray(labels)]
    return float(-np.log(np.maximum(true, 1e-300)).mean())


def fit_temperature(logits: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """The temperature with the highest likelihood (Guo et al. 2017, arXiv 1706.04599).

    The likelihood has one maximum in ln(temperature); it is found by golden-section search.

    Args:
        logits: shape (count, classes).
        labels: shape (count,).
    """
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = np.log(LOWEST_TEMPERATURE), np.log(HIGHEST_TEMPERATURE)
    for _ in range(GOLDEN_STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        at_left = negative_log_likelihood(logits, labels, float(np.exp(left)))
        at_right = negative_log_likelihood(logits, labels, float(np.exp(right)))
        low, high = (low, right) if at_left < at_right else (left, high)
    return float(np.exp((low + high) / 2))


def calibration_error(probabilities: FloatArray, labels: npt.ArrayLike) -> float:
    """Expected calibration error (ECE): mean gap of confidence and accuracy.

    Args:
        probabilities: shape (count, classes).
        labels: shape (count,).

    Returns:
        The gap in `ECE_BINS` equal bins of the confidence, weighted by how many fall in each.
    """
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == np.asarray(labels)
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = [abs(confidence[bins == b].sum() - is_right[bins == b].sum()) for b in range(ECE_BINS)]
    return float(sum(gaps) / len(confidence))
