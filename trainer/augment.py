"""Random changes to the crops of a clip, the same for all its frames; uint8 in, uint8 out."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

PAD = 0.25
"""Training crops are kept this much wider than the spec's, so that moving them shows picture."""

ROTATION_DEG = 4.0
ZOOM = 0.06
STRETCH = 0.03
SHIFT = 0.03
CONTRAST = 0.3
BRIGHTNESS = 0.12
GAMMA = 0.35
TINT = 0.05
GREY_SHARE = 0.2
BLUR_SHARE = 0.2
BLUR_SIGMA = (0.3, 1.4)
NOISE_SHARE = 0.2
NOISE_STD = (2.0, 8.0)

Clip = npt.NDArray[np.uint8]


def move_clip(crops_bgr: Clip, image_size: int, rng: np.random.Generator) -> Clip:
    """Flip, turn, zoom, stretch and shift a clip.

    Args:
        crops_bgr: shape (num_frames, side, side, 3), uint8, blue-green-red, cut `1 + PAD` times as
            wide as the spec's crop.
        image_size: side of the answer, pixels.
        rng: everything is drawn from it, once for the whole clip.

    Returns:
        Shape (num_frames, image_size, image_size, 3), uint8.
    """
    matrix = _draw_affine(crops_bgr.shape[1], image_size, rng)
    size = (image_size, image_size)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = [
        cv2.warpAffine(crop, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        for crop in crops_bgr
    ]
    return np.asarray(moved, dtype=np.uint8)


def recolour_clip(crops_bgr: Clip, rng: np.random.Generator) -> Clip:
    """Change light, colour, sharpness and noise of a clip; nothing moves.

    Args:
        crops_bgr: shape (num_frames, size, size, 3), uint8, blue-green-red.
        rng: everything but the sensor's noise is drawn from it once for the whole clip.

    Returns:
        The same shape, uint8.
    """
    table = _draw_tone_curve(rng)
    is_grey = rng.random() < GREY_SHARE
    sigma = rng.uniform(*BLUR_SIGMA) if rng.random() < BLUR_SHARE else 0.0
    noise_std = rng.uniform(*NOISE_STD) if rng.random() < NOISE_SHARE else 0.0
    answer = np.empty_like(crops_bgr)
    for position, crop in enumerate(crops_bgr):
        image = crop
        if is_grey:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        image = cv2.LUT(image, table)
        if sigma:
            image = cv2.GaussianBlur(image, (0, 0), sigma)
        if noise_std:
            noise = rng.normal(0.0, noise_std, (*crop.shape[:2], 1))
            image = np.clip(image + noise, 0, 255).astype(np.uint8)
        answer[position] = image
    return answer


def _draw_affine(side: int, image_size: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """From pixels of the answer to pixels of the padded crop, shape (2, 3)."""
    angle = math.radians(rng.uniform(-ROTATION_DEG, ROTATION_DEG))
    stretch = math.exp(rng.uniform(-STRETCH, STRETCH))
    wanted = side / (1.0 + PAD) * math.exp(rng.uniform(-ZOOM, ZOOM))
    scale = wanted / image_size
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    turn = np.array(
        [[cos * mirror * stretch, -sin / stretch], [sin * mirror * stretch, cos / stretch]]
    )
    middle = np.array([(image_size - 1) / 2] * 2)
    centre = (side - 1) / 2 + rng.uniform(-SHIFT, SHIFT, size=2) * wanted
    return np.hstack([turn, (centre - turn @ middle)[:, None]])


def _draw_tone_curve(rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Gamma, contrast, brightness and tint as a look-up table, shape (1, 256, 3)."""
    level = np.arange(256) / 255.0
    gamma = math.exp(rng.uniform(-GAMMA, GAMMA))
    contrast = math.exp(rng.uniform(-CONTRAST, CONTRAST))
    offset = 0.5 + rng.uniform(-BRIGHTNESS, BRIGHTNESS) + rng.uniform(-TINT, TINT, size=3)
    curve = (level[:, None] ** gamma - 0.5) * contrast + offset
    return (np.clip(curve, 0.0, 1.0) * 255.0).round().astype(np.uint8)[None]
