"""Where a face is between detections, and how much of a detection is jitter."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from realtime_mood.faces.box import Box

POSITION_GAIN = 0.7
VELOCITY_GAIN = 0.25
VELOCITY_TIME_CONSTANT_S = 1.0
OUTPUT_TIME_CONSTANT_S = 0.05

State = npt.NDArray[np.float64]


class BoxFilter:
    """An alpha-beta filter (a Kalman filter with fixed gains) on centre, log width and log height.

    Detections correct it, time carries it on with a velocity that fades, so that a face that is
    hidden for a moment is looked for where it went and not far beyond. What is handed out moves
    towards the filter's state with a short time constant, so that corrections do not jump.

    Args:
        box: first detection.
        timestamp_s: its time.
    """

    def __init__(self, box: Box, timestamp_s: float) -> None:
        self._state = _to_state(box)
        self._velocity = np.zeros(4)
        self._shown = self._state.copy()
        self._time_s = timestamp_s
        self._corrected_s = timestamp_s

    def advance(self, timestamp_s: float) -> None:
        """Carry the box on to a later time."""
        elapsed_s = timestamp_s - self._time_s
        if elapsed_s <= 0.0:
            return
        fade = math.exp(-elapsed_s / VELOCITY_TIME_CONSTANT_S)
        # The integral of a velocity that fades exponentially.
        self._state = self._state + self._velocity * VELOCITY_TIME_CONSTANT_S * (1.0 - fade)
        self._velocity *= fade
        weight = 1.0 - math.exp(-elapsed_s / OUTPUT_TIME_CONSTANT_S)
        self._shown += weight * (self._state - self._shown)
        self._time_s = timestamp_s

    def correct(self, box: Box) -> None:
        """Take a detection of the time last advanced to."""
        since_s = self._time_s - self._corrected_s
        error = _to_state(box) - self._state
        self._state = self._state + POSITION_GAIN * error
        if since_s > 0.0:
            self._velocity += VELOCITY_GAIN * error / since_s
            # Sizes change slowly; a velocity learnt from their jitter would only add to it.
            self._velocity[2:] = 0.0
        self._corrected_s = self._time_s

    @property
    def box(self) -> Box:
        """The box to cut and to draw."""
        return _to_box(self._shown)

    @property
    def expected(self) -> Box:
        """Where the next detection is expected."""
        return _to_box(self._state)


def _to_state(box: Box) -> State:
    return np.array([*box.centre, math.log(box.w), math.log(box.h)])


def _to_box(state: State) -> Box:
    x, y, log_w, log_h = (float(value) for value in state)
    return Box.around((x, y), math.exp(log_w), math.exp(log_h))
