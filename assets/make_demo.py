"""Makes `demo.mp4` from one photograph: a slow camera move and gentle warps of mouth and brows.

The photograph is scikit-image's `astronaut()`: Eileen Collins, NASA, public domain. Run it with

    pip install -e '.[demo-assets]'
    python assets/make_demo.py

The warps move skin about as a smile, a closed mouth and raised brows do. They are there to give
the demo something to follow; they say nothing about the person or her feelings.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from skimage.data import astronaut

from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.sinks.recording import RecordingSink

SIZE = (640, 360)
FRAME_RATE = Fraction(30)
DURATION_S = 10.0

# Points of the face in the photograph, in its pixels.
MOUTH_LEFT, MOUTH_RIGHT = (199.0, 143.0), (240.0, 144.0)
MOUTH_MIDDLE, CHIN = (219.5, 147.0), (220.0, 168.0)
BROW_LEFT, BROW_RIGHT = (200.0, 92.0), (247.0, 93.0)

Shift = tuple[tuple[float, float], float, tuple[float, float]]
"""A point, the radius of what moves with it, and how far it moves; in pixels."""


def main() -> None:
    """Write the clip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("demo.mp4"))
    output = parser.parse_args().output
    photograph: ImageBGR = np.ascontiguousarray(astronaut()[..., ::-1])
    sink = RecordingSink(output, width=SIZE[0], height=SIZE[1], frame_rate=FRAME_RATE)
    for index in range(round(DURATION_S * FRAME_RATE)):
        time_s = float(index / FRAME_RATE)
        sink.write(Frame(picture_at(photograph, time_s), time_s, index))
    sink.close()
    print(f"{output}: {output.stat().st_size / 1024:.0f} KiB")


def picture_at(photograph: ImageBGR, time_s: float) -> ImageBGR:
    """The frame of one moment, shape (360, 640, 3)."""
    smile = _ramps(time_s, ((0.0, -0.8), (2.2, -0.8), (3.0, 0.5), (6.2, 0.5), (7.0, -0.9)))
    surprise = _ramps(time_s, ((7.0, 0.0), (7.6, 1.0), (9.2, 1.0), (9.8, 0.0)))
    zoom = 0.5 - 0.5 * math.cos(math.pi * min(1.0, time_s / 3.0))
    width = 430.0 - 115.0 * zoom
    sway = 4.0 * math.sin(2 * math.pi * time_s / 5.0)
    centre = (225.0 + sway, 124.0 - 10.0 * zoom + 1.5 * math.sin(2 * math.pi * time_s / 3.1))
    nod = 1.2 * math.sin(2 * math.pi * time_s / 2.3)
    shifts: list[Shift] = [
        (MOUTH_LEFT, 9.0, (-2.5 * smile, -3.5 * smile + nod / 3)),
        (MOUTH_RIGHT, 9.0, (2.5 * smile, -3.5 * smile + nod / 3)),
        (MOUTH_MIDDLE, 8.0, (0.0, 2.0 * surprise)),
        (CHIN, 14.0, (0.0, 4.0 * surprise)),
        (BROW_LEFT, 11.0, (0.0, -4.0 * surprise)),
        (BROW_RIGHT, 11.0, (0.0, -4.0 * surprise)),
    ]
    return _render(photograph, centre, width, shifts)


def _ramps(time_s: float, points: Sequence[tuple[float, float]]) -> float:
    """Straight lines between (seconds, value) points."""
    return float(np.interp(time_s, [point[0] for point in points], [point[1] for point in points]))


def _render(
    photograph: ImageBGR, centre: tuple[float, float], width: float, shifts: Sequence[Shift]
) -> ImageBGR:
    scale = width / SIZE[0]
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    x: npt.NDArray[np.float64] = centre[0] + (columns - SIZE[0] / 2) * scale
    y: npt.NDArray[np.float64] = centre[1] + (rows - SIZE[1] / 2) * scale
    from_x, from_y = x.copy(), y.copy()
    for (point_x, point_y), radius, (move_x, move_y) in shifts:
        weight = np.exp(-((x - point_x) ** 2 + (y - point_y) ** 2) / (2 * radius**2))
        from_x -= weight * move_x
        from_y -= weight * move_y
    return cv2.remap(  # type: ignore[return-value]
        photograph,
        from_x.astype(np.float32),
        from_y.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )


if __name__ == "__main__":
    main()
