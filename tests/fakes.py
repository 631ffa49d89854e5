"""Stand-ins at the seams: sources, classifiers, sinks and screens that tests can see through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from realtime_mood.capture.source import SourceInfo
from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import Detection, FaceDetector
from realtime_mood.faces.search import Found
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.inference.classifier import Probabilities
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import LABEL2ID, LABELS
from realtime_mood.model.preprocess import PixelValues

SPEC = ClipSpec(
    num_frames=8,
    frame_interval_s=0.2,
    interval_growth=1.0,
    image_size=32,
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    crop_margin=0.1,
    interpolation="area",
    align_roll=False,
    steady=False,
    grey=False,
)


def dark_and_bright(number: int, *, width: int = 64, height: int = 48) -> ImageBGR:
    """A picture whose left half is dark and whose right half is bright."""
    image = np.full((height, width, 3), 40, dtype=np.uint8)
    image[:, width // 2 :] = 220
    return image


def numbered_image(number: int, *, width: int = 64, height: int = 48) -> ImageBGR:
    """A grey picture whose brightness is the number modulo 250."""
    return np.full((height, width, 3), number % 250, dtype=np.uint8)


class ListSource:
    """Frames at a fixed rate; then ends, or breaks with `error`."""

    def __init__(
        self,
        count: int,
        *,
        rate_hz: float = 30.0,
        is_live: bool = False,
        error: Exception | None = None,
        before_read: Callable[[int], None] = lambda index: None,
        picture: Callable[[int], ImageBGR] = numbered_image,
    ) -> None:
        height, width = picture(0).shape[:2]
        self.info = SourceInfo(
            width=width,
            height=height,
            is_live=is_live,
            frame_rate=Fraction(rate_hz),
            has_end=not is_live,
            duration_s=None if is_live else count / rate_hz,
        )
        self.is_closed = False
        self._count = count
        self._rate_hz = rate_hz
        self._error = error
        self._before_read = before_read
        self._picture = picture
        self._next = 0

    def read(self) -> Frame | None:
        index = self._next
        if index >= self._count:
            if self._error is not None:
                raise self._error
            return None
        self._before_read(index)
        self._next += 1
        return Frame(self._picture(index), index / self._rate_hz, index)

    def close(self) -> None:
        self.is_closed = True


class ScriptedDetector:
    """Answers what a function of the call number says."""

    name = "none"

    def __init__(
        self,
        script: Callable[[int], Sequence[Box]],
        *,
        score: Callable[[int], float] = lambda call: 1.0,
        roll_rad: Callable[[int], float] = lambda call: 0.0,
    ) -> None:
        self._script = script
        self._score = score
        self._roll_rad = roll_rad
        self.calls = 0

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        boxes = self._script(self.calls)
        score, roll_rad = self._score(self.calls), self._roll_rad(self.calls)
        self.calls += 1
        return [Detection(box, score, roll_rad) for box in boxes]


def one_face(call: int) -> Sequence[Box]:
    """The same box always."""
    return (Box(10, 8, 24, 32),)


def two_faces(call: int) -> Sequence[Box]:
    """One box in each half of a picture of 64 pixels' width."""
    return (Box(2, 8, 18, 24), Box(40, 8, 18, 24))


class LateSearch:
    """Knows what was found on a frame a fixed number of frames later."""

    def __init__(self, detector: FaceDetector, *, frames_late: int) -> None:
        self._detector = detector
        self._frames_late = frames_late
        self._waiting: Found | None = None
        self._frames = 0
        self.taken_s: list[float] = []

    def start(self, image_bgr: ImageBGR, timestamp_s: float) -> bool:
        if self._waiting is not None:
            return False
        self._waiting = Found(timestamp_s, self._detector.detect(image_bgr))
        self._frames = -1
        self.taken_s.append(timestamp_s)
        return True

    def found(self) -> Found | None:
        self._frames += 1
        if self._waiting is None or self._frames < self._frames_late:
            return None
        found, self._waiting = self._waiting, None
        return found


class FakeClassifier:
    """Answers one label with probability 0.93; notes what it was given."""

    name = "fake"

    def __init__(
        self,
        label: str | Callable[[int], str] = "happy",
        *,
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        self._label = label
        self._wait = wait
        self.batches: list[PixelValues] = []
        self.called = threading.Event()

    def classify(self, pixel_values: PixelValues) -> Probabilities:
        self.batches.append(pixel_values)
        self.called.set()
        self._wait()
        number = len(self.batches) - 1
        label = self._label if isinstance(self._label, str) else self._label(number)
        row = np.full(len(LABELS), 0.01)
        row[LABEL2ID[label]] = 0.93
        return np.tile(row, (len(pixel_values), 1))


class BrightnessClassifier(FakeClassifier):
    """Answers 'happy' for a clip that ends bright and 'sad' for one that ends dark; surer of both
    the further it is from grey.
    """

    def classify(self, pixel_values: PixelValues) -> Probabilities:
        rows = super().classify(pixel_values)
        brightness = pixel_values[:, -1].mean(axis=(1, 2, 3))
        rows[:, LABEL2ID["happy"]] = 0.47 + 0.1 * brightness
        rows[:, LABEL2ID["sad"]] = 0.47 - 0.1 * brightness
        return rows


class MemoryFrameSink:
    """Keeps frames."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.is_closed = False

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)

    def close(self) -> None:
        self.is_closed = True


class MemoryEventSink:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.is_closed = False

    def write(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)

    def of_type(self, kind: str) -> list[Mapping[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def close(self) -> None:
        self.is_closed = True


def without_clocks(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Events without what differs from run to run."""
    clocks = ("wall_time", "latency_s")
    return [{key: event[key] for key in event if key not in clocks} for event in events]


class FakeScreen:
    """Counts pictures; presses the keys it was given, one after a number of pictures each."""

    def __init__(
        self,
        keys: Mapping[int, str] | None = None,
        *,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._keys = dict(keys or {})
        self._clock = clock
        self.shown_s: list[float] = []
        self.last_image: ImageBGR | None = None
        self.is_open = True
        self.size: tuple[int, int] | None = None

    def fit(self, width: int, height: int) -> tuple[int, int]:
        return self.size or (width, height)

    def show(self, image_bgr: ImageBGR) -> None:
        self.shown_s.append(self._clock())
        self.last_image = image_bgr

    def read_key(self) -> str | None:
        return self._keys.pop(len(self.shown_s), None)
