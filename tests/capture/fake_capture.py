"""Stands in for `cv2.VideoCapture`, for the tests of the one module that uses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import cv2
import numpy as np

from realtime_mood.frame import ImageBGR


class FakeClock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class FakeCapture:
    """A camera that delivers what it is given: pictures, and None where a read fails.

    What is "damaged" comes, but cannot be decoded.
    """

    def __init__(
        self,
        script: Sequence[ImageBGR | Literal["damaged"] | None] = (),
        *,
        opens: bool = True,
        properties: dict[int, float] | None = None,
        on_grab: Callable[[], None] = lambda: None,
    ) -> None:
        self.script = list(script)
        self.opens = opens
        self.properties = properties or {}
        self.on_grab = on_grab
        self.asked: list[tuple[int, float]] = []
        self.opened_with: tuple[Any, ...] = ()
        self.released = 0
        self._given: ImageBGR | Literal["damaged"] | None = None

    def __call__(self, *arguments: Any) -> FakeCapture:
        """Take the place of the class itself."""
        self.opened_with = arguments
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def set(self, name: int, value: float) -> bool:
        self.asked.append((name, value))
        return True

    def get(self, name: int) -> float:
        return self.properties.get(name, 0.0)

    def grab(self) -> bool:
        self.on_grab()
        self._given = self.script.pop(0) if self.script else None
        return self._given is not None

    def retrieve(self) -> tuple[bool, ImageBGR | None]:
        return (True, self._given) if isinstance(self._given, np.ndarray) else (False, None)

    def release(self) -> None:
        self.released += 1


def picture(value: int = 90, *, width: int = 32, height: int = 24) -> ImageBGR:
    """An even picture."""
    return np.full((height, width, 3), value, np.uint8)


FINITE = {cv2.CAP_PROP_FRAME_COUNT: 3.0}
