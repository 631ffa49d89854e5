"""A synthetic moving picture, for tests and for a machine without a camera."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np

from realtime_mood.capture.source import SourceInfo
from realtime_mood.errors import UsageError
from realtime_mood.frame import Frame, ImageBGR

CODE_BITS = 20
"""Bits of the frame's number that are drawn as squares along the lower edge."""
FACE_PERIOD_S = 8.0
SKIN, DARK, WHITE = (150, 190, 235), (40, 40, 60), (245, 245, 245)


class PatternSource:
    """A drawn face that wanders and changes its mouth, with the frame's number as text and bits.

    The pixels of a frame depend on its number, the size and the rate alone. A live source hands a
    frame out when its time has come, and skips those whose time has passed, as a camera does; any
    other one hands out every frame at once.

    Args:
        width: pixels from left to right.
        height: pixels from top to bottom.
        frame_rate: frames a second.
        duration_s: end before this time; None goes on for ever.
        is_live: keep to the clock.
        clock: seconds, monotonic.
        wait: waits for so many seconds; None waits on the clock of the machine, until `close`.

    Raises:
        UsageError: a value is outside its range.
    """

    def __init__(
        self,
        *,
        width: int = 640,
        height: int = 480,
        frame_rate: Fraction = Fraction(30),
        duration_s: float | None = None,
        is_live: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        if width < 1 or height < 1:
            raise UsageError(f"a pattern of {width}x{height} is too small; both must be above 0")
        if frame_rate <= 0:
            raise UsageError(f"the pattern's frame rate is {frame_rate}; it must be above 0")
        self._clock = clock
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._origin_s: float | None = None
        self._index = 0
        self._count = None
        if duration_s is not None:
            # Microseconds, so that 0.4 s at 30 Hz is 12 frames and not 13.
            self._count = math.ceil(Fraction(duration_s).limit_denominator(10**6) * frame_rate)
        self._background = _draw_background(width, height)
        self.info = SourceInfo(
            width=width,
            height=height,
            is_live=is_live,
            frame_rate=frame_rate,
            duration_s=None if is_live else duration_s,
        )

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        if self.info.is_live:
            self._await_turn()
        if self._closed.is_set() or (self._count is not None and self._index >= self._count):
            return None
        index = self._index
        self._index += 1
        time_s = float(index / self._rate)
        return Frame(self._draw(index, time_s), time_s, index)

    def close(self) -> None:
        """See `FrameSource.close`; also ends the wait of a `read` in another thread."""
        self._closed.set()

    @property
    def _rate(self) -> Fraction:
        assert self.info.frame_rate is not None
        return self.info.frame_rate

    def _await_turn(self) -> None:
        now_s = self._clock()
        if self._origin_s is None:
            self._origin_s = now_s
        newest = math.floor(Fraction(now_s - self._origin_s) * self._rate)
        self._index = max(self._index, newest)
        early_s = self._origin_s + float(self._index / self._rate) - now_s
        if early_s > 0.0:
            self._wait(early_s)

    def _draw(self, index: int, time_s: float) -> ImageBGR:
        height, width = self._background.shape[:2]
        image = np.roll(self._background, index * max(1, width // 160), axis=1)
        unit = min(width, height) / 100.0
        turn = 2.0 * math.pi * time_s / FACE_PERIOD_S
        centre = (
            round(width * (0.5 + 0.15 * math.sin(turn))),
            round(height * (0.47 + 0.06 * math.sin(2.0 * turn))),
        )
        _draw_face(image, centre, unit, smile=math.cos(turn))
        cv2.putText(
            image,
            f"{index}  {time_s:.2f} s",
            (round(2 * unit), round(9 * unit)),
            cv2.FONT_HERSHEY_SIMPLEX,
            max(0.3, unit / 5.0),
            WHITE,
            max(1, round(unit / 3.0)),
            cv2.LINE_AA,
        )
        _draw_code(image, index)
        return image


def read_frame_number(image_bgr: ImageBGR) -> int:
    """The number that a `PatternSource` drew into a frame, whatever codec it went through.

    Args:
        image_bgr: shape (height, width, 3); neither cropped nor flipped.
    """
    height, width = image_bgr.shape[:2]
    middle = height - max(1, _code_height(height) // 2)
    edges = np.linspace(0, width, CODE_BITS + 1)
    columns = ((edges[:-1] + edges[1:]) / 2).astype(int)
    bits = image_bgr[middle, columns].mean(axis=1) > 127
    return int(sum(1 << place for place, bit in enumerate(bits) if bit))


def _draw_code(image: ImageBGR, index: int) -> None:
    height, width = image.shape[:2]
    edges = np.linspace(0, width, CODE_BITS + 1).astype(int)
    for place in range(CODE_BITS):
        is_set = (index >> place) & 1
        image[-_code_height(height) :, edges[place] : edges[place + 1]] = 255 if is_set else 0


def _code_height(height: int) -> int:
    return max(1, height // 20)


def _draw_background(width: int, height: int) -> ImageBGR:
    across = np.abs(np.linspace(-1.0, 1.0, width, endpoint=False))[None, :]
    down = np.linspace(0.0, 1.0, height)[:, None]
    channels = (120 - 50 * across + 30 * down, 90 + 40 * across + 0 * down, 60 + 60 * across * down)
    return np.stack(channels, axis=2).astype(np.uint8)


def _draw_face(image: ImageBGR, centre: tuple[int, int], unit: float, *, smile: float) -> None:
    def at(right: float, down: float) -> tuple[int, int]:
        return round(centre[0] + right * unit), round(centre[1] + down * unit)

    def size(across: float, along: float) -> tuple[int, int]:
        return max(1, round(across * unit)), max(1, round(along * unit))

    line = max(1, round(1.2 * unit))
    cv2.ellipse(image, centre, size(22, 29), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.ellipse(image, at(9 * side, -7), size(4.5, 3), 0, 0, 360, WHITE, -1, cv2.LINE_AA)
        cv2.circle(image, at(9 * side, -7), size(2.2, 1)[0], DARK, -1, cv2.LINE_AA)
        cv2.line(image, at(4 * side, -14), at(14 * side, -14 - smile), DARK, line, cv2.LINE_AA)
    cv2.line(image, at(0, -4), at(-2, 5), DARK, line, cv2.LINE_AA)
    mouth = [at(x, 14 + smile * 4.0 * (1.0 - (x / 9.0) ** 2)) for x in range(-9, 10)]
    cv2.polylines(image, [np.array(mouth, np.int32)], False, DARK, line, cv2.LINE_AA)
