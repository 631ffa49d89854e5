"""Pictures that show the same photograph, cut, scaled, mirrored or stored a little otherwise.

Collections from the web hold many. A model that has learned one answers for the other by heart, so
they are to lie on one side of a split (`benchmarks/near_copies.py` says what they are worth on
FER2013).

Two pictures are near copies where their thumbnails correlate, as they are and without the mean of
all, which is what faces that are cut alike have in common. None of a hundred pairs of FER2013 that
were looked at, just above both bounds, shows two people; of different actors before a white wall
thousands of pairs are above the first bound and none is above 0.72 of the second. Cut by more than
a pixel in 24, copies are seldom found: this is a sieve, no proof.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.corpora.recording import Index, Recording
from trainer.words import counted

logger = logging.getLogger(__name__)

LEAST_CORRELATION, LEAST_WITHOUT_MEAN = 0.92, 0.9
SIDE = 24
"""Pixels of a thumbnail."""
QUICK_SIDE, QUICK_CORRELATION = 12, 0.85
"""Of smaller thumbnails, which tell quickly what cannot be a copy."""
BLOCK_PAIRS = 2**25
"""Compared at a time."""
SLICE = 2**16
"""Pairs that are looked at more closely at a time."""
MANY = 10_000
"""Pictures that take seconds to compare; twice as many take four times as long."""
MOST_LEFT_OUT = 0.5
"""Of the pictures to learn from. Where more are near copies, all are kept, which a note tells."""

Thumbnails = npt.NDArray[np.float32]
"""Shape (pictures, pixels), each of mean 0 and length 1; all 0 where nothing is to be seen."""
Pairs = npt.NDArray[np.int32]
"""Shape (pairs, 2)."""
NO_PAIRS: Pairs = np.empty((0, 2), dtype=np.int32)


@lru_cache(maxsize=1)  # Each fold of a cross-validation reads the same.
def without_near_copies(index: Index) -> Index:
    """The same without pictures to learn from that are near copies of some that are kept apart.

    Of the others, near copies have the same `photograph` then. Files of more than `FACE_SIDE`
    pixels, in which the face is yet to be found, are not compared.
    """
    recordings = index.recordings
    places = [place for place, r in enumerate(recordings) if r.image is not None]
    images = [image for r in recordings if (image := r.image) is not None]
    pairs = np.array(places, dtype=np.int32)[np.concatenate([NO_PAIRS, *near_pairs(images)])]
    is_apart = np.array([r.is_held_out for r in recordings], dtype=bool)
    one_is = is_apart[pairs]
    crosses = one_is[:, 0] != one_is[:, 1]
    crossing = set(pairs[crosses][~one_is[crosses]].tolist())
    learned = sum(r.is_picture and not r.is_held_out for r in recordings)
    if len(crossing) > MOST_LEFT_OUT * learned:
        crossing = set()
    elif crossing:
        logger.info(
            "%s left out, near copies of some that are kept apart",
            counted(len(crossing), "picture"),
        )
    kept = grouped(recordings, pairs[~np.isin(pairs, list(crossing)).any(axis=1)])
    return replace(
        index,
        recordings=tuple(r for place, r in enumerate(kept) if place not in crossing),
        near_copies=tuple(recordings[place] for place in sorted(crossing)),
    )


def grouped(recordings: Sequence[Recording], pairs: Pairs) -> tuple[Recording, ...]:
    """The same, near copies and their near copies having the same `photograph`.

    Args:
        recordings: any.
        pairs: of positions.
    """
    owner = np.arange(len(recordings))

    def find(one: int) -> int:
        while owner[one] != one:
            one = int(owner[one])
        return one

    for start in range(0, len(pairs), SLICE):
        some = pairs[start : start + SLICE]
        # Of a crowd of copies nearly all pairs are of one group already.
        for pair in some[owner[some[:, 0]] != owner[some[:, 1]]].tolist():
            # Whatever order they are read in, it is called after the same one.
            first, second = sorted(map(find, pair), key=lambda place: recordings[place].take)
            owner[second] = first
        while not np.array_equal(owner, owner[owner]):
            owner = owner[owner]
    paired = set(pairs.ravel().tolist())
    return tuple(
        replace(r, photograph=recordings[int(owner[place])].take) if place in paired else r
        for place, r in enumerate(recordings)
    )


def near_pairs(images: Sequence[npt.NDArray[np.uint8]]) -> Iterator[Pairs]:
    """The positions of pictures that are near copies of each other, the lower one first.

    Args:
        images: each of shape (height, width) or (height, width, 3).

    Yields:
        Some of them; each pair is there at least once.
    """
    if not images:
        return
    if len(images) > MANY:
        logger.info("looking for near copies among %d pictures", len(images))
    fine, quick = thumbnails(images, SIDE), thumbnails(images, QUICK_SIDE)
    in_common, in_common_quick = fine.mean(axis=0), quick.mean(axis=0)
    apart, of_quick = _without(fine, in_common), _without(quick, in_common_quick)
    size = max(1, BLOCK_PAIRS // len(images))
    for turn in (lambda rows: rows, _mirrored):
        turned = turn(fine)
        turned_apart, to_quick = _without(turned, in_common), _without(turn(quick), in_common_quick)
        for start in range(0, len(images), size):
            likeness = of_quick[start : start + size] @ to_quick[start:].T
            hits = np.argwhere(likeness > QUICK_CORRELATION) + start
            hits = hits[hits[:, 0] < hits[:, 1]]
            for first in range(0, len(hits), SLICE):
                some = hits[first : first + SLICE]
                is_near = _correlations(fine, turned, some) > LEAST_CORRELATION
                is_near &= _correlations(apart, turned_apart, some) > LEAST_WITHOUT_MEAN
                yield some[is_near].astype(np.int32)


def thumbnails(images: Sequence[npt.NDArray[np.uint8]], side: int) -> Thumbnails:
    """Small grey versions that can be multiplied to correlate them."""
    rows = np.empty((len(images), side * side), dtype=np.float32)
    for row, image in zip(rows, images, strict=True):
        grey = image if image.ndim == 2 else image.mean(axis=2).astype(np.uint8)
        row[:] = np.asarray(
            Image.fromarray(grey).resize((side, side), Image.Resampling.BOX)
        ).ravel()
    rows -= rows.mean(axis=1, keepdims=True)
    # A picture without contrast is like any other.
    return _of_length_one(rows, least=float(side))


def _correlations(
    ones: Thumbnails, others: Thumbnails, pairs: npt.NDArray[np.intp]
) -> npt.NDArray[np.float32]:
    return np.asarray(np.einsum("ij,ij->i", ones[pairs[:, 0]], others[pairs[:, 1]]))


def _without(rows: Thumbnails, mean: Thumbnails) -> Thumbnails:
    return _of_length_one(rows - mean, least=0.1)


def _of_length_one(rows: Thumbnails, *, least: float) -> Thumbnails:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(lengths > least, rows / np.maximum(lengths, 1e-6), 0.0).astype(np.float32)


def _mirrored(rows: Thumbnails) -> Thumbnails:
    side = int(np.sqrt(rows.shape[1]))
    return np.ascontiguousarray(rows.reshape(-1, side, side)[:, :, ::-1].reshape(rows.shape))
