"""Running a detector on frames: in step with them, or beside them in a thread of its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol

import cv2

from realtime_mood.faces.detector import Detection, FaceDetector
from realtime_mood.frame import ImageBGR
from realtime_mood.threads import Worker

JOIN_TIMEOUT_S = 2.0
"""Less than the thread that waits here is given to end."""


@dataclass(frozen=True)
class Found:
    """What a detector found in one frame."""

    timestamp_s: float
    """The frame's time."""
    detections: list[Detection]
    """All faces in it, largest first."""


class FaceSearch(Protocol):
    """Searches one frame at a time for faces."""

    def start(self, image_bgr: ImageBGR, timestamp_s: float) -> bool:
        """Search a frame.

        Returns:
            False when it was not taken, because what was found in the one before is not known yet
            or was not asked for.
        """
        ...

    def found(self) -> Found | None:
        """What was found in the frame last taken, once; None while that is not known."""
        ...


class InStepSearch:
    """Searches while the caller waits, so that the same frames give the same answers at the same
    time on each run.

    Args:
        detector: finds the faces.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._found: Found | None = None

    def start(self, image_bgr: ImageBGR, timestamp_s: float) -> bool:
        """See `FaceSearch.start`; always taken."""
        self._found = Found(timestamp_s, self._detector.detect(image_bgr))
        return True

    def found(self) -> Found | None:
        """See `FaceSearch.found`; known as soon as a frame was taken."""
        found, self._found = self._found, None
        return found


class ThreadedSearch:
    """Searches in a thread of its own, so that no frame waits for it. A context: it runs inside,
    and leaving it raises what the thread died of.

    While it runs, OpenCV's own threads are switched off: every stage has its thread, and OpenCV's
    would take a tenth of a core by waiting for work in a loop.

    Args:
        detector: finds the faces; used in the thread alone.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._waiting: SimpleQueue[tuple[ImageBGR, float] | None] = SimpleQueue()
        self._found: Found | None = None
        self._is_taken = False
        self._opencv_threads = 1
        self._worker = Worker("detector", self._run)

    def __enter__(self) -> ThreadedSearch:
        self._opencv_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        self._worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._worker.stop()
        self._waiting.put(None)
        self._worker.join(JOIN_TIMEOUT_S)
        cv2.setNumThreads(self._opencv_threads)
        if error is None:
            self._worker.raise_error()

    def start(self, image_bgr: ImageBGR, timestamp_s: float) -> bool:
        """See `FaceSearch.start`.

        Raises:
            Exception: what the thread died of.
        """
        self._worker.raise_error()
        if self._is_taken:
            return False
        self._is_taken = True
        self._waiting.put((image_bgr, timestamp_s))
        return True

    def found(self) -> Found | None:
        """See `FaceSearch.found`.

        Raises:
            Exception: what the thread died of.
        """
        self._worker.raise_error()
        found = self._found
        if found is not None:
            # The thread writes again only after the next start.
            self._found = None
            self._is_taken = False
        return found

    def _run(self, stop: threading.Event) -> None:
        while (taken := self._waiting.get()) is not None and not stop.is_set():
            image_bgr, timestamp_s = taken
            self._found = Found(timestamp_s, self._detector.detect(image_bgr))
