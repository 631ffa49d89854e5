"""Holding the head still in the crops of a clip, so that what moves is the face.

A crop follows the box of a detector, which trembles by about as much as a brow rises, and the head
turns and nods in it by more. Here each frame is moved, turned and scaled until it lies on the last
one: the inverse compositional algorithm of Lucas and Kanade (Baker & Matthews 2004,
10.1023/B:VISI.0000011205.11775.fd), with a gain and an offset for changes of light. The eyes, the
nose and the cheeks beside it count, the mouth little, which moves by itself.

What it is worth (`benchmarks/results/steady_motion.json`): of four unseen people of RAVDESS
reanimated, linear regression from the differences between crops to how landmarks move against the
head explains 82, 84, 45, 59, 1, 39, 25 and 17 % of the variance along the eight commonest
directions without it, with it 85, 89, 64, 71, 29, 65, 37 and 32 %.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Clip = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]
Grey = npt.NDArray[np.float32]

LARGEST_PX = 64
"""Crops are made this small, where they are larger, to find how they lie."""
BLUR_SIGMA = 1.0
CENTRE = (0.5, 0.40)
REACH = (0.36, 0.28)
"""Of what counts, right and down, in sides of the crop."""
STEPS = 5
SMALLEST_STEP = 0.01
"""Pixels; when no pixel moves further, a frame lies well enough."""
MOST_A_STEP = 0.25
"""Of turn and zoom; a step from noise to noise may be any."""
MOST_SHIFT = 0.2
"""Sides of the crop. What seems to have moved further was not found."""
MOST_ZOOM = 0.2
"""Of the logarithm of the size."""
MOST_TURN = 0.35
"""Radians."""
LEAST_ALIKE = 0.88
"""Correlation with the last crop; less is another side of the head, something before it, or no
face. Of the frames of recordings 5 % have less, of a head that turned by 15 degrees most."""


def steady(crops_bgr: Clip) -> Clip:
    """Move the crops of a clip so that the head lies where it does in the last one.

    A frame that cannot be laid on the last one shows another side of the head, a hand, another
    face or none: how the face moved since is not known, and the frame is replaced by the one after
    it, as if the face had been still. What comes into a crop from outside repeats its border.

    Args:
        crops_bgr: shape (num_frames, side, side, 3), uint8, oldest first.

    Returns:
        The same shape; the last crop is the same.
    """
    if len(crops_bgr) == 1:
        return crops_bgr
    side = crops_bgr.shape[1]
    small = min(side, LARGEST_PX)
    last = _Reference(_grey(crops_bgr[-1], small))
    moved = crops_bgr.copy()
    lies = np.eye(3)
    for index in range(len(crops_bgr) - 2, -1, -1):
        # A face that moves has come most of the way already in the frame after this one.
        found = last.place(_grey(crops_bgr[index], small), lies)
        if found is None:
            moved[index] = moved[index + 1]
        else:
            lies = found
            moved[index] = _warp(crops_bgr[index], _scaled(lies, side / small), side)
    return moved


class _Reference:
    """A crop that others are laid on.

    Args:
        grey: shape (side, side).
    """

    def __init__(self, grey: Grey) -> None:
        self._grey = grey
        self._side = len(grey)
        across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8).ravel()
        down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8).ravel()
        x, y, self._weight = _plane(self._side)
        ones = np.ones_like(x)
        # What a pixel changes by: with x, y, turn and zoom, and with offset and gain of the light.
        slopes = (across, down, across * -y + down * x, across * x + down * y, ones, grey.ravel())
        design = np.stack(slopes, axis=1, dtype=np.float64)
        weighted = design * self._weight[:, None]
        self._seen = self._centred(grey)
        self._solve = np.linalg.pinv(weighted.T @ design, hermitian=True) @ weighted.T

    def place(self, grey: Grey, start: Matrix) -> Matrix | None:
        """How another crop has to be moved.

        Args:
            grey: shape (side, side).
            start: tried first.

        Returns:
            Where each pixel comes from, shape (3, 3); None where nothing makes the two alike.
        """
        as_it_is = np.eye(3)
        if np.array_equal(grey, self._grey):
            return as_it_is
        lies = start
        for _ in range(STEPS):
            off = _warp(grey, lies, self._side).ravel() - self._grey.ravel()
            right, down, turn, zoom = (self._solve @ off)[:4]
            turn, zoom = np.clip((turn, zoom), -MOST_A_STEP, MOST_A_STEP)
            lies = lies @ np.linalg.inv(_similarity(self._side, right, down, turn, zoom))
            if max(abs(right), abs(down), self._side / 2 * max(abs(turn), abs(zoom))) < (
                SMALLEST_STEP
            ):
                break
        likeness = self._likeness(grey)
        for found in (lies, start):
            alike = self._likeness(_warp(grey, found, self._side)) if self._is_sane(found) else 0.0
            if alike > max(likeness, LEAST_ALIKE):
                return found
        return as_it_is if likeness > LEAST_ALIKE else None

    def _is_sane(self, lies: Matrix) -> bool:
        """Whether a head could have moved so within a clip."""
        if not np.isfinite(lies).all():
            return False
        scale, turn = math.hypot(lies[0, 0], lies[1, 0]), math.atan2(lies[1, 0], lies[0, 0])
        middle = (self._side - 1) / 2 * np.ones(2)
        shift = lies[:2, :2] @ middle + lies[:2, 2] - middle
        return bool(
            math.hypot(*shift) <= MOST_SHIFT * self._side
            and abs(math.log(scale)) <= MOST_ZOOM
            and abs(turn) <= MOST_TURN
        )

    def _likeness(self, grey: Grey) -> float:
        """Weighted correlation, -1 to 1; 0 for a crop without contrast."""
        seen = self._centred(grey)
        sizes = (self._weight @ np.square(seen)) * (self._weight @ np.square(self._seen))
        return float(self._weight @ (seen * self._seen) / math.sqrt(sizes)) if sizes else 0.0

    def _centred(self, grey: Grey) -> Grey:
        flat = grey.ravel()
        return np.asarray(flat - np.average(flat, weights=self._weight), dtype=np.float32)


def _grey(crop_bgr: Clip, side: int) -> Grey:
    grey = cv2.cvtColor(crop_bgr, cv2.COLOR_BGR2GRAY)
    if len(grey) != side:
        grey = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), BLUR_SIGMA))


@cache
def _plane(side: int) -> tuple[Grey, Grey, Grey]:
    """Right and down from the middle, and how much each pixel counts, shape (side * side,)."""
    y, x = np.mgrid[:side, :side].astype(np.float32)
    far = sum(
        ((place / side - centre) / reach) ** 4
        for place, centre, reach in zip((x, y), CENTRE, REACH, strict=True)
    )
    middle = (side - 1) / 2
    return (x - middle).ravel(), (y - middle).ravel(), np.exp(-far).ravel()


def _similarity(side: int, right: float, down: float, turn: float, zoom: float) -> Matrix:
    """A small motion about the middle, shape (3, 3)."""
    middle = (side - 1) / 2
    linear = np.array([[1.0 + zoom, -turn], [turn, 1.0 + zoom]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = np.array([right, down]) + middle - linear @ np.array([middle, middle])
    return matrix


def _scaled(matrix: Matrix, factor: float) -> Matrix:
    """The same motion of crops `factor` times as large; a pixel's middle is half a pixel in."""
    grow = np.array([[factor, 0.0, (factor - 1.0) / 2.0], [0.0, factor, (factor - 1.0) / 2.0]])
    grow = np.vstack([grow, [0.0, 0.0, 1.0]])
    return np.asarray(grow @ matrix @ np.linalg.inv(grow))


def _warp(image: Any, matrix: Matrix, side: int) -> Any:
    return cv2.warpAffine(
        image,
        matrix[:2],
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
