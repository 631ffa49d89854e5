"""Where a face is between detections, and how much of a detection is jitter."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from realtime_mood.faces.box import Box

POSITION_GAIN = 0.7
VELOCITY_GAIN = 0.25
"""Where detections are `GAIN_INTERVAL_S` or less apart; more where their jitter matters less."""
GAIN_INTERVAL_S = 0.1
VELOCITY_TIME_CONSTANT_S = 1.0
OUTPUT_TIME_CONSTANT_S = 0.05

State = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Motion:
    """Where a face is and where it goes, at one time.

    An alpha-beta filter (a Kalman filter with fixed gains) on centre, log width and log height.
    Detections correct it, time carries it on with a velocity that fades, so that a face that is
    hidden for a moment is looked for where it went and not far beyond. What is handed out moves
    towards the filter's state with a short time constant, so that corrections do not jump.
    """

    time_s: float
    """When all this holds."""
    state: State
    """Centre, log width and log height, shape (4,)."""
    velocity: State
    """What `state` changes by in a second."""
    shown: State
    """As `state`, smoothed."""
    corrected_s: float
    """Time of the last detection."""

    @classmethod
    def starting(cls, box: Box, timestamp_s: float) -> Motion:
        """The motion of a face that was first found now."""
        state = _to_state(box)
        return cls(timestamp_s, state, np.zeros(4), state, timestamp_s)

    def advanced(self, timestamp_s: float) -> Motion:
        """The motion at a later time; unchanged where the time is not later."""
        elapsed_s = timestamp_s - self.time_s
        if elapsed_s <= 0.0:
            return self
        fade = math.exp(-elapsed_s / VELOCITY_TIME_CONSTANT_S)
        # The integral of a velocity that fades exponentially.
        state = self.state + self.velocity * VELOCITY_TIME_CONSTANT_S * (1.0 - fade)
        weight = 1.0 - math.exp(-elapsed_s / OUTPUT_TIME_CONSTANT_S)
        return Motion(
            timestamp_s,
            state,
            self.velocity * fade,
            self.shown + weight * (state - self.shown),
            self.corrected_s,
        )

    def corrected(self, box: Box) -> Motion:
        """The motion with a detection of this very time taken in."""
        since_s = self.time_s - self.corrected_s
        error = _to_state(box) - self.state
        velocity = self.velocity
        if since_s > 0.0:
            gain = 1.0 - (1.0 - VELOCITY_GAIN) ** max(1.0, since_s / GAIN_INTERVAL_S)
            # The jitter of detections that are close together tells nothing of velocity.
            velocity = velocity + gain * error / max(since_s, GAIN_INTERVAL_S)
            # Sizes change slowly; a velocity learnt from their jitter would only add to it.
            velocity[2:] = 0.0
        state = self.state + POSITION_GAIN * error
        return Motion(self.time_s, state, velocity, self.shown, self.time_s)

    def with_past(self, past: Motion) -> Motion:
        """This motion as it follows from an earlier one that has been corrected.

        What is shown goes on from where it is, so that a late correction does not jump.
        """
        return replace(past.advanced(self.time_s), shown=self.shown)

    @property
    def box(self) -> Box:
        """The box to cut and to draw."""
        return _to_box(self.shown)

    @property
    def expected(self) -> Box:
        """Where the next detection is expected."""
        return _to_box(self.state)


def _to_state(box: Box) -> State:
    return np.array([*box.centre, math.log(box.w), math.log(box.h)])


def _to_box(state: State) -> Box:
    x, y, log_w, log_h = (float(value) for value in state)
    return Box.around((x, y), math.exp(log_w), math.exp(log_h))
