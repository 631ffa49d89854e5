"""Crops that are not kept: the boxes are, and the frames of a clip are decoded when it is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime_mood.faces.box import Box
from realtime_mood.faces.crop import crop_face
from realtime_mood.model.clip_spec import ClipSpec
from trainer.clip_loader import read_frames
from trainer.crops import FaceCrops


@dataclass(frozen=True)
class BoxCrops(FaceCrops):
    """A recording whose crops are cut anew for each clip; thirty times slower than reading them."""

    boxes: npt.NDArray[np.float64]
    """One row a crop: number of the frame in the file, x, y, width, height, roll in radians."""
    spec: ClipSpec
    """Size and margin of the crop."""

    def read(self, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """See `FaceCrops.read`."""
        rows = self.boxes[indices]
        frames_bgr = read_frames(self.recording.path, rows[:, 0].astype(int).tolist())
        crops = [
            crop_face(frame, Box(x, y, w, h), self.spec, roll_rad=roll_rad)
            for frame, (_, x, y, w, h, roll_rad) in zip(frames_bgr, rows.tolist(), strict=True)
        ]
        return np.stack(crops)
