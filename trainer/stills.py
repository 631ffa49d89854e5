"""Pictures as recordings of one frame, and the camera that makes a clip of one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from realtime_mood.faces.box import Box
from realtime_mood.faces.crop import crop_face
from realtime_mood.model.clip_spec import ClipSpec
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops

STEADY_SHARE = 0.2
"""Of the clips, in which nothing moves, as before a camera on a desk."""
DRIFT = 0.06
ZOOM = 0.05
ROLL_DEG = 3.0
"""Greatest change from the first frame of a clip to its last; drift in sides of the crop."""


@dataclass(frozen=True)
class StillCrops(FaceCrops):
    """A picture in memory that is a face as it is."""

    spec: ClipSpec
    """Size and margin of the crop."""

    @classmethod
    def of(cls, recording: Recording, spec: ClipSpec) -> StillCrops:
        """The crops of a recording whose `image` is there."""
        return cls(recording, recording.path, np.zeros(1), spec)

    def read(self, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """The one crop, as often as it is asked for; see `FaceCrops.read`."""
        image = self.recording.image
        assert image is not None
        if image.ndim == 2:
            image = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
        height, width = image.shape[:2]
        crop = crop_face(image, Box(0.0, 0.0, float(width), float(height)), self.spec)
        return np.repeat(crop[None], len(indices), axis=0)


def move_camera(
    crops_bgr: npt.NDArray[np.uint8], rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Let a camera drift, zoom and roll slowly and evenly over a still.

    Args:
        crops_bgr: the same crop again and again, shape (num_frames, side, side, 3), uint8.
        rng: the camera's path is drawn from it.

    Returns:
        The same shape; the middle of the path is the crop itself.
    """
    side = crops_bgr.shape[1]
    drift = rng.uniform(-DRIFT, DRIFT, size=2) * side
    zoom = rng.uniform(-ZOOM, ZOOM)
    roll_deg = rng.uniform(-ROLL_DEG, ROLL_DEG)
    is_steady = rng.random() < STEADY_SHARE
    if is_steady or len(crops_bgr) == 1:
        return crops_bgr
    middle = (side - 1) / 2
    moved = np.empty_like(crops_bgr)
    for index, share in enumerate(np.linspace(-0.5, 0.5, len(crops_bgr))):
        scale = math.exp(share * zoom)
        matrix = np.array(cv2.getRotationMatrix2D((middle, middle), share * roll_deg, scale))
        matrix[:, 2] += share * drift
        moved[index] = cv2.warpAffine(
            crops_bgr[index], matrix, (side, side), borderMode=cv2.BORDER_REPLICATE
        )
    return moved
