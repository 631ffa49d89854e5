"""Turning heads: a picture's face laid on an ellipsoid, and that turned.

No nose sticks out, and of the back of the head, which no picture shows, its sides are drawn out.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

MOST_YAW_RAD = math.radians(50.0)
MOST_PITCH_RAD = math.radians(15.0)
SECONDS = (0.15, 0.8)
"""That a turn takes."""
FACES_US_SHARE = 0.5
"""Of the turns, those that begin or end with a face as the picture shows it."""
HALF_WIDTH = (0.32, 0.42)
HALF_HEIGHT = (0.45, 0.55)
"""Of a head, in sides of the padded crop."""
ABOVE = 0.05
"""Its middle lies above the crop's, in sides of it."""

Picture = npt.NDArray[np.uint8]


def turn_head(
    crops_bgr: Picture, times_s: npt.NDArray[np.float64], rng: np.random.Generator
) -> Picture:
    """Let a head turn and nod once, some time in a clip, as fast as people do.

    Args:
        crops_bgr: padded crops, shape (num_frames, side, side, 3), uint8.
        times_s: of the frames, rising, seconds.
        rng: decides.

    Returns:
        The same shape.
    """
    most = np.array([MOST_YAW_RAD, MOST_PITCH_RAD])
    ends = rng.uniform(-most, most, size=(2, 2))
    if rng.random() < FACES_US_SHARE:
        ends[rng.integers(2)] = 0.0
    takes_s = rng.uniform(*SECONDS)
    begins_s = rng.uniform(times_s[0] - takes_s, times_s[-1])
    done = np.clip((times_s - begins_s) / takes_s, 0.0, 1.0)
    # Speeds up and slows down again.
    done = done**2 * (3.0 - 2.0 * done)
    side = crops_bgr.shape[1]
    half_size = (rng.uniform(*HALF_WIDTH) * side, rng.uniform(*HALF_HEIGHT) * side)
    centre = ((side - 1) / 2, (side - 1) / 2 - ABOVE * side)
    turned = [
        turn(crop, centre, half_size, *(ends[0] + share * (ends[1] - ends[0])))
        for crop, share in zip(crops_bgr, done, strict=True)
    ]
    return np.stack(turned)


def turn(
    image_bgr: Picture,
    centre: tuple[float, float],
    half_size: tuple[float, float],
    yaw_rad: float,
    pitch_rad: float,
) -> Picture:
    """A picture in which the head is turned.

    Args:
        image_bgr: shape (height, width, 3), uint8.
        centre: of the head, x and y in pixels.
        half_size: half its width and height, pixels.
        yaw_rad: to the right of the picture.
        pitch_rad: downwards.

    Returns:
        The same shape; what lies around the head is as it was.
    """
    rows, columns = np.indices(image_bgr.shape[:2], dtype=np.float64)
    x, y = (columns - centre[0]) / half_size[0], (rows - centre[1]) / half_size[1]
    is_head = x**2 + y**2 < 1.0
    z = np.sqrt(np.clip(1.0 - x**2 - y**2, 0.0, None))
    y, z = (
        math.cos(pitch_rad) * y - math.sin(pitch_rad) * z,
        math.sin(pitch_rad) * y + math.cos(pitch_rad) * z,
    )
    x, z = (
        math.cos(yaw_rad) * x - math.sin(yaw_rad) * z,
        math.sin(yaw_rad) * x + math.cos(yaw_rad) * z,
    )
    # What was behind the rim takes what is on it.
    away = np.where(z < 0.0, np.maximum(np.hypot(x, y), 1e-6), 1.0)
    from_x = np.where(is_head, x / away * half_size[0] + centre[0], columns).astype(np.float32)
    from_y = np.where(is_head, y / away * half_size[1] + centre[1], rows).astype(np.float32)
    turned = cv2.remap(image_bgr, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.uint8)
