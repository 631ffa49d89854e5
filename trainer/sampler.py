"""In which order clips are drawn: a function of seed and epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler


@dataclass(frozen=True, slots=True)
class Draw:
    """One clip to be made."""

    index: int
    """Of the recording."""
    epoch: int
    """Counted from 0."""
    position: int
    """In the epoch; with seed and epoch, everything random about the clip follows from it."""


def draw_weights(
    labels: Sequence[int], weights: Sequence[float], *, corpora: Sequence[str], balance: float
) -> npt.NDArray[np.float64]:
    """How often each recording is drawn, relative to the others.

    Labels are balanced within each corpus, which is drawn as often as without: a label that another
    corpus lacks is not rare for that.

    Args:
        labels: of the recordings.
        weights: what they are wanted with apart from their labels.
        corpora: what they are of.
        balance: 0 leaves the labels as frequent as they are, 1 makes them equally frequent.

    Returns:
        Shape (recordings,), with mean 1.
    """
    ids, names = np.asarray(labels), np.asarray(corpora)
    wanted = np.asarray(weights, dtype=np.float64)
    drawn = np.empty_like(wanted)
    for name in np.unique(names):
        own = names == name
        totals = np.bincount(ids[own], weights=wanted[own])
        lifted = wanted[own] * totals[ids[own]] ** -balance
        drawn[own] = lifted * (wanted[own].sum() / lifted.sum())
    return np.asarray(drawn / drawn.mean())


def draw_order(
    weights: npt.NDArray[np.float64], count: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Indices in random order, each as often as its weight says, give or take one.

    Systematic resampling (Kitagawa 1996): equal weights give a plain permutation.

    Args:
        weights: shape (recordings,).
        count: how many to draw.
        rng: decides.
    """
    shuffled = rng.permutation(len(weights))
    edges = np.cumsum(weights[shuffled]) * (count / weights.sum())
    picks = np.searchsorted(edges, np.arange(count) + rng.random(), side="right")
    order: npt.NDArray[np.intp] = rng.permutation(shuffled[np.minimum(picks, len(weights) - 1)])
    return order


class ClipSampler(Sampler[Draw]):
    """Whole batches of draws, epoch by epoch, the same however many processes share them.

    Args:
        weights: how often each recording is drawn.
        batch_size: clips of one step of all processes together; an epoch is a multiple of it.
        repeats: clips drawn from a recording when it is its turn; they are in the same batch.
        seed: of the order.
    """

    def __init__(
        self, weights: npt.NDArray[np.float64], *, batch_size: int, repeats: int, seed: int
    ) -> None:
        self._weights = weights
        self._group = batch_size // repeats
        self._repeats = repeats
        self._seed = seed
        self._groups = -(-len(weights) // self._group)
        self.epoch = 0
        """The epoch that the next iteration is for."""

    def __len__(self) -> int:
        return self._groups * self._group * self._repeats

    def __iter__(self) -> Iterator[Draw]:
        epoch = self.epoch
        rng = np.random.default_rng([self._seed, epoch])
        order = draw_order(self._weights, self._groups * self._group, rng)
        groups = order.reshape(self._groups, self._group)
        # Neighbours may be mixed with each other: a recording's clips are kept apart.
        batches = np.tile(groups, (1, self._repeats)).ravel()
        for position, index in enumerate(batches.tolist()):
            yield Draw(index, epoch, position)
