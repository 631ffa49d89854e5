"""What a face is taken to show at rest, and how that is taken off its answers. Pure.

Some faces look sad or angry to the model when they rest. Once it was told that a face rests, no
other label may be more than a given part as likely as neutral, at rest; what exceeds that is
divided away, then and later. What such a face does not show at rest is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime_mood.model.labels import LABELS

NEUTRAL = LABELS.index("neutral")
MOST_AT_REST = 1.0 / (len(LABELS) - 1)
"""The most that another label may be at rest, in parts of neutral: so neutral is at least half.
`benchmarks/neutral_face.py` tells what more and less would do."""
LEAST = 1e-6
"""A probability below this says no more than this."""


@dataclass(frozen=True)
class NeutralFace:
    """What one face's probabilities are multiplied by."""

    factors: tuple[float, ...]
    """In label order; from 0 to 1, of neutral 1."""

    @classmethod
    def learn(cls, answers: npt.ArrayLike, *, most: float = MOST_AT_REST) -> NeutralFace:
        """Learn from a face at rest.

        Args:
            answers: calibrated probabilities of some clips of it, shape (clips, 8).
            most: what another label may be, in parts of neutral.
        """
        mean = np.maximum(answers, LEAST).mean(axis=0)
        factors = np.minimum(1.0, most * mean[NEUTRAL] / mean)
        factors[NEUTRAL] = 1.0
        return cls(tuple(float(factor) for factor in factors))

    def apply(self, probabilities: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """An answer as it is by this face's measure, shape (..., 8), summing to 1."""
        weighed = np.maximum(probabilities, LEAST) * np.asarray(self.factors)
        return np.asarray(weighed / weighed.sum(axis=-1, keepdims=True))
