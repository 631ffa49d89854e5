"""What a classifier is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from realtime_mood.model.preprocess import PixelValues

Probabilities = npt.NDArray[np.float64]


class Classifier(Protocol):
    """Turns preprocessed clips into calibrated probabilities."""

    @property
    def name(self) -> str:
        """What runs the model, such as 'cpu float32'."""
        ...

    def classify(self, pixel_values: PixelValues) -> Probabilities:
        """Classify a batch of clips.

        Args:
            pixel_values: shape (clips, num_frames, 3, image_size, image_size), float32.

        Returns:
            Shape (clips, 8), each row summing to 1, in label order.
        """
        ...
