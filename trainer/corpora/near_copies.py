"""Pictures that show the same photograph, cut, scaled or stored otherwise.

Collections from the web hold many. A model that has learned one answers for the other by heart:
on FER2013, 283 of 3563 pictures that are kept apart are such copies of others to learn from, and a
model that had learned those was right for 77 % of them and for 65 % of the rest. So they are to lie
on one side of a split.

Two pictures are near copies where their thumbnails correlate, mirrored or not. On FER2013 every
pair looked at above `LEAST_CORRELATION` was the same photograph, and half of those a little below.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.corpora.recording import Index, Recording
from trainer.words import counted

logger = logging.getLogger(__name__)

LEAST_CORRELATION = 0.92
SIDE = 24
"""Pixels of a thumbnail."""
QUICK_SIDE, QUICK_CORRELATION = 12, 0.9
"""Of smaller thumbnails, which tell quickly what cannot be a copy: of near copies in FER2013 they
correlate at least as much."""
BLOCK_PAIRS = 2**26
"""Compared at a time, in 256 MB."""
MANY = 10_000
"""Pictures that take seconds to compare; twice as many take four times as long."""

Thumbnails = npt.NDArray[np.float32]
"""Shape (pictures, pixels), each of mean 0 and length 1; all 0 where nothing is to be seen."""


def without_near_copies(index: Index) -> Index:
    """The same without pictures to learn from that are near copies of some that are kept apart.

    Those that are near copies of one another have the same `actor` then, so that no split parts
    them.
    """
    recordings = grouped(index.recordings)
    apart = {r.actor for r in recordings if r.is_picture and r.is_held_out}
    copies = tuple(r for r in recordings if not r.is_held_out and r.actor in apart)
    if copies:
        logger.info(
            "%s left out, near copies of some that are kept apart", counted(len(copies), "picture")
        )
    kept = tuple(r for r in recordings if r.is_held_out or r.actor not in apart)
    return replace(index, recordings=kept, near_copies=copies)


def grouped(recordings: Sequence[Recording]) -> tuple[Recording, ...]:
    """The same, pictures that are near copies of one another having the same `actor`.

    Args:
        recordings: any; of pictures, those kept in memory are compared.
    """
    places = [place for place, r in enumerate(recordings) if r.image is not None]
    images = [image for r in recordings if (image := r.image) is not None]
    owner = list(range(len(places)))

    def find(one: int) -> int:
        while owner[one] != one:
            owner[one] = owner[owner[one]]
            one = owner[one]
        return one

    for first, second in near_pairs(images):
        low, high = sorted((find(first), find(second)))
        owner[high] = low
    answer = list(recordings)
    for number, place in enumerate(places):
        if (root := find(number)) != number:
            answer[place] = replace(answer[place], actor=recordings[places[root]].actor)
    return tuple(answer)


def near_pairs(images: Sequence[npt.NDArray[np.uint8]]) -> Iterator[tuple[int, int]]:
    """The positions of pictures that are near copies of each other, each pair once or more.

    Args:
        images: each of shape (height, width) or (height, width, 3).
    """
    if len(images) < 2:
        return
    if len(images) > MANY:
        logger.info("looking for near copies among %d pictures", len(images))
    fine, quick = thumbnails(images, SIDE), thumbnails(images, QUICK_SIDE)
    size = max(1, BLOCK_PAIRS // len(images))
    for turned_fine, turned_quick in ((fine, quick), (_mirrored(fine), _mirrored(quick))):
        for start in range(0, len(images), size):
            block = slice(start, start + size)
            likeness = quick[block] @ turned_quick[start:].T
            rows, columns = np.nonzero(likeness > QUICK_CORRELATION)
            first, second = rows + start, columns + start
            is_pair = first < second
            first, second = first[is_pair], second[is_pair]
            exact = np.einsum("ij,ij->i", fine[first], turned_fine[second])
            is_near = exact > LEAST_CORRELATION
            yield from zip(first[is_near].tolist(), second[is_near].tolist(), strict=True)


def thumbnails(images: Sequence[npt.NDArray[np.uint8]], side: int) -> Thumbnails:
    """Small grey versions that can be multiplied to correlate them."""
    rows = np.empty((len(images), side * side), dtype=np.float32)
    for row, image in zip(rows, images, strict=True):
        grey = image if image.ndim == 2 else image.mean(axis=2).astype(np.uint8)
        row[:] = np.asarray(
            Image.fromarray(grey).resize((side, side), Image.Resampling.BOX)
        ).ravel()
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    # A picture without contrast is like any other.
    return np.where(lengths > side, rows / np.maximum(lengths, 1e-6), 0.0).astype(np.float32)


def _mirrored(rows: Thumbnails) -> Thumbnails:
    side = int(np.sqrt(rows.shape[1]))
    return np.ascontiguousarray(rows.reshape(-1, side, side)[:, :, ::-1].reshape(rows.shape))
