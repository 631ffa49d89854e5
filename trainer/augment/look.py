"""Light, colour and camera: what rooms and webcams do to a face; nothing moves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from trainer.augment.policy import Changes
from trainer.config.recipe import RecipeConfig

# What `tone` 1 is.
CONTRAST = 0.3
BRIGHTNESS = 0.12
GAMMA = 0.35
TINT = 0.05
# What a change of strength 1 is.
MOST_CONTRAST = 0.6
MOST_BRIGHTNESS = 0.3
MOST_GAMMA = 0.7
MOST_TINT = 0.15
MOST_SATURATION = 0.8
MOST_SHARPNESS = 1.5
FEWEST_LEVELS = 8
AUTOCONTRAST_PERCENT = 5.0
# Webcams.
BLUR_SIGMA = (0.3, 1.6)
DOWNSCALE = (0.25, 0.75)
NOISE_STD = (2.0, 12.0)
JPEG_QUALITY = (15, 75)
GREY_OF_BGR = np.array([0.114, 0.587, 0.299])
"""Luma of ITU-R BT.601."""

Clip = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What is done to every frame, in this order."""

    saturation: float
    """0 is grey, 1 leaves colours as they are."""
    table: npt.NDArray[np.uint8]
    """Look-up of tones, shape (1, 256, 3)."""
    sharpness: float
    """Above 0 sharpens, below 0 softens."""
    blur_sigma: float
    """Pixels; 0: none."""
    downscale: float
    """Of the side, before it is scaled up again; 1: none."""
    noise_std: float
    """Of 255; 0: none."""
    jpeg_quality: int | None
    """None: not compressed."""


def recolour_clip(
    crops_bgr: Clip, rng: np.random.Generator, recipe: RecipeConfig, changes: Changes
) -> Clip:
    """Change the look of a clip.

    Args:
        crops_bgr: shape (num_frames, size, size, 3), uint8, blue-green-red.
        rng: everything but the sensor's noise is drawn from it once for the whole clip.
        recipe: `tone` and `webcam` are used.
        changes: further ones.

    Returns:
        The same shape, uint8.
    """
    look = _draw_look(crops_bgr, rng, recipe, changes)
    frames = [_apply(crop, look, rng) for crop in crops_bgr]
    return np.asarray(frames, dtype=np.uint8)


def _draw_look(
    crops_bgr: Clip, rng: np.random.Generator, recipe: RecipeConfig, changes: Changes
) -> _Look:
    table = _draw_tones(crops_bgr, rng, recipe.tone, changes)
    # Everything is drawn whether it is used or not: one option does not change the others' draws.
    is_on = rng.random(5) < recipe.webcam
    sigma, downscale = rng.uniform(*BLUR_SIGMA), rng.uniform(*DOWNSCALE)
    noise_std, quality = rng.uniform(*NOISE_STD), int(rng.integers(*JPEG_QUALITY))
    return _Look(
        saturation=0.0 if is_on[0] else 1.0 + MOST_SATURATION * changes.get("saturation", 0.0),
        table=table,
        sharpness=MOST_SHARPNESS * changes.get("sharpness", 0.0),
        blur_sigma=sigma if is_on[1] else 0.0,
        downscale=downscale if is_on[2] else 1.0,
        noise_std=noise_std if is_on[3] else 0.0,
        jpeg_quality=quality if is_on[4] else None,
    )


def _draw_tones(
    crops_bgr: Clip, rng: np.random.Generator, tone: float, changes: Changes
) -> npt.NDArray[np.uint8]:
    """Gamma, contrast, brightness, tint and number of levels as a look-up, shape (1, 256, 3)."""
    level = np.arange(256) / 255.0
    if "autocontrast" in changes:
        percent = AUTOCONTRAST_PERCENT * abs(changes["autocontrast"])
        low, high = np.percentile(crops_bgr, (percent, 100.0 - percent)) / 255.0
        level = np.clip((level - low) / max(high - low, 0.1), 0.0, 1.0)
    drawn = tone * rng.uniform(-1.0, 1.0, size=6)
    gamma = math.exp(GAMMA * drawn[0] + MOST_GAMMA * changes.get("gamma", 0.0))
    contrast = math.exp(CONTRAST * drawn[1] + MOST_CONTRAST * changes.get("contrast", 0.0))
    brightness = BRIGHTNESS * drawn[2] + MOST_BRIGHTNESS * changes.get("brightness", 0.0)
    tint = TINT * drawn[3:] + MOST_TINT * changes.get("tint", 0.0) * np.array([1.0, 0.0, -1.0])
    curve = (level[:, None] ** gamma - 0.5) * contrast + 0.5 + brightness + tint
    levels = 255.0
    if "posterize" in changes:
        levels = FEWEST_LEVELS ** abs(changes["posterize"]) * 255.0 ** (
            1.0 - abs(changes["posterize"])
        )
    steps = (np.clip(curve, 0.0, 1.0) * levels).round() / levels
    return np.asarray((steps * 255.0).round().astype(np.uint8)[None])


def _apply(crop: Clip, look: _Look, rng: np.random.Generator) -> Clip:
    image = crop
    if look.saturation != 1.0:
        matrix = look.saturation * np.eye(3) + (1.0 - look.saturation) * GREY_OF_BGR
        image = np.asarray(cv2.transform(image, matrix), dtype=np.uint8)
    image = np.asarray(cv2.LUT(image, look.table), dtype=np.uint8)
    if look.sharpness:
        soft = cv2.GaussianBlur(image, (0, 0), 1.0)
        weight = look.sharpness if look.sharpness > 0 else max(look.sharpness, -1.0)
        image = np.asarray(cv2.addWeighted(image, 1.0 + weight, soft, -weight, 0.0))
    if look.blur_sigma:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), look.blur_sigma))
    if look.downscale < 1.0:
        side = image.shape[0]
        small = max(4, round(look.downscale * side))
        coarse = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
        image = np.asarray(coarse, dtype=np.uint8)
    if look.noise_std:
        noise = rng.normal(0.0, look.noise_std, (*image.shape[:2], 1))
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if look.jpeg_quality is not None:
        _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, look.jpeg_quality])
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), dtype=np.uint8)
    return np.asarray(image, dtype=np.uint8)
