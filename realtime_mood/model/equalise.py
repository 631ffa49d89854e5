"""Taking out of a clip what light, exposure and the colour of skin do to it.

FER2013 as it is published, and many collections of faces like it, are grey pictures whose histogram
was equalised: each level of grey is as frequent as any other. A webcam's picture is coloured, warm
under a lamp, and paler or darker. What is treated likewise looks alike (Gonzalez & Woods, *Digital
Image Processing*, on histogram equalisation), whatever the light.

How far neighbouring levels are drawn apart is bounded, as in CLAHE (Zuiderveld 1994, *Graphics Gems
IV*, VIII.5), so that noise in the dark does not become a picture.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Clip = npt.NDArray[np.uint8]

LEVELS = 256
MOST_FREQUENT = 10.0
"""A level counts as so many times as frequent as the average one at most, and so is drawn apart
from the next by about as many levels. Of a face whose levels have a standard deviation of 14, which
is a dark one, the commonest counts 8 times."""


def equalise(crops_bgr: Clip) -> Clip:
    """Make a clip grey, and its levels equally frequent over all its frames.

    All frames are changed alike: light that changes within the clip still does.

    Args:
        crops_bgr: shape (num_frames, side, side, 3), uint8, blue-green-red.

    Returns:
        The same shape; the three channels are the same.
    """
    frames, height, width, channels = crops_bgr.shape
    below = np.ascontiguousarray(crops_bgr).reshape(frames * height, width, channels)
    grey = cv2.cvtColor(below, cv2.COLOR_BGR2GRAY)
    even = cv2.LUT(grey, _even_levels(np.bincount(grey.ravel(), minlength=LEVELS)))
    return np.asarray(cv2.cvtColor(even, cv2.COLOR_GRAY2BGR).reshape(crops_bgr.shape))


def _even_levels(counts: npt.NDArray[np.intp]) -> Clip:
    """What each level becomes, shape (LEVELS,); the darkest one that there is becomes 0."""
    average = counts.sum() / LEVELS
    bounded = np.minimum(counts, MOST_FREQUENT * average)
    bounded += average - bounded.mean()
    up_to = np.cumsum(bounded)
    darkest = up_to[np.flatnonzero(counts)[0]]
    share = (up_to - darkest) / max(up_to[-1] - darkest, 1.0)
    return np.asarray((np.clip(share, 0.0, 1.0) * (LEVELS - 1)).round().astype(np.uint8))
