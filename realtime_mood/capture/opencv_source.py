"""Cameras and network streams, by OpenCV. The only module that uses `cv2.VideoCapture`."""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime_mood.capture.fitting import fit_into
from realtime_mood.capture.source import MIN_STEP_S, SourceInfo
from realtime_mood.capture.target import CameraTarget
from realtime_mood.errors import SourceError, SourceLostError
from realtime_mood.frame import Frame, ImageBGR

logger = logging.getLogger(__name__)

OPEN_TIMEOUT_MS = 10_000
READ_TIMEOUT_MS = 10_000
RETRIES = 5
RETRY_WAIT_S = 0.2
ASK_TIMEOUT_S = 3.0
"""For a server to answer, each time that it is waited for."""
BAD_PACKETS = 8
"""In a row, of a stream that goes on: each is a failed read, and the next one comes by itself."""
BAD_PACKET_S = 1.0
"""A read that fails later than this has waited for the network in vain."""
DAMAGED_S = 1.0
"""A camera that gives nothing but damaged pictures for so long has stopped."""
DECODING_THREADS = 2
"""Of a stream. Each more holds a frame back, which nothing that is measured here can see."""
GIVE_UP_S = 10.0
"""A camera is given up after this many seconds without a frame, whatever number of tries is left:
one try alone can take the driver ten seconds."""
ASKED_TRIES = 8
ASKED_WAIT_S = 3.0
"""Between them, while a person may be asked whether the camera is allowed: twenty seconds."""
MAX_RATE = 240
"""An announced rate above this is a time base in disguise."""
BROKEN_SHARE = 0.75
BROKEN_TOLERANCE_S = 0.5
"""A finite stream that ends before this part of the announced length, less this, has broken."""
MAX_PACE_S = 1.0
"""A frame that is further from its time, because the network stalled or the stream's clock jumped,
is where that time begins anew."""


class OpenCVSource:
    """A camera or a stream, open and delivering.

    Frames carry the time at which they were taken from the driver, so a recording plays at the
    speed of life even when a camera gives fewer frames than it announces, as most do in the dark.
    A stream of a finite file, or in pieces that come at once (HLS, DASH), is held to its own speed;
    the former ends with the file.

    Args:
        target: camera number, device path or URL.
        size: wish for width and height in pixels; the camera has the last word. None leaves its
            own.
        clock: seconds, monotonic.
        retry_wait_s: seconds between two tries when a camera's driver gives nothing, or a stream
            does not begin.

    Raises:
        UsageError: the target is no number, device path or URL.
        SourceError: it cannot be opened, or delivers no frame.
    """

    _is_allowed = False
    """A camera has been opened in this process, so that nobody is asked any more."""

    def __init__(
        self,
        target: str,
        *,
        size: tuple[int, int] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        retry_wait_s: float = RETRY_WAIT_S,
    ) -> None:
        self._target = CameraTarget(target)
        self._clock = clock
        self._retry_wait_s = retry_wait_s
        self._closed = threading.Event()
        self._is_ended = False
        self._error: SourceError | None = None
        self._index = 0
        self._origin_s: float | None = None
        self._pace_origin_s: float | None = None
        self._last_s = 0.0
        self._position_s = 0.0
        self._size: tuple[int, int] | None = None
        first = self._open(size)
        self._next: Frame | None = first
        self.info = SourceInfo(
            width=first.width,
            height=first.height,
            is_live=True,
            frame_rate=_announced_rate(self._capture),
            has_end=self._is_finite,
        )

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        if self._next is not None:
            frame, self._next = self._next, None
            return frame
        if self._error is not None:
            raise self._error
        try:
            return self._grab()
        except SourceError as error:
            self._error = error
            raise

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._closed.set()
        self._next = None
        self._capture.release()

    def _open(self, size: tuple[int, int] | None) -> Frame:
        """Open the target by the first backend that delivers; answers the first frame."""
        # The first time, macOS asks the person, and opens no camera until they have answered.
        is_camera = not self._target.is_stream
        is_asked = sys.platform == "darwin" and is_camera and not OpenCVSource._is_allowed
        for number in range(ASKED_TRIES if is_asked else 1):
            if number == 1:
                logger.warning(
                    "%s does not open yet; where macOS asks whether this program may use the "
                    "camera, allow it",
                    self._target.name,
                )
            if number:
                time.sleep(ASKED_WAIT_S)
            silent: SourceError | None = None
            for backend in _backends(self._target):
                capture = _try_backend(self._target, backend)
                if capture is None:
                    continue
                try:
                    first = self._begin(capture, size)
                    OpenCVSource._is_allowed |= is_camera
                    return first
                except SourceError as error:
                    logger.debug("%s by backend %d", error, backend)
                    silent = error
                    capture.release()
                except BaseException:
                    capture.release()
                    raise
            if silent is not None:
                raise silent
        raise SourceError(f"{self._target.name} cannot be opened; {_remedy(self._target)}")

    def _begin(self, capture: cv2.VideoCapture, size: tuple[int, int] | None) -> Frame:
        self._capture = capture
        if not self._target.is_stream:
            _wish(capture, size)
        frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._is_finite = self._target.is_stream and frames > 0
        self._announced_s = frames / (capture.get(cv2.CAP_PROP_FPS) or math.inf)
        first = self._grab()
        if first is None:
            raise self._silent()
        return first

    def _grab(self) -> Frame | None:
        started_s = self._clock()
        # A stream that has begun goes on behind what cannot be decoded; where it ended, FFmpeg
        # stays.
        goes_on = self._target.is_stream and self._index > 0
        tries_left, wait_s, most_s = (
            (BAD_PACKETS, 0.0, BAD_PACKET_S)
            if goes_on
            else (RETRIES, self._retry_wait_s, GIVE_UP_S)
        )
        while not (self._closed.is_set() or self._is_ended):
            tried_s = self._clock()
            was_grabbed, image = self._try_once()
            if image is not None:
                return self._make_frame(image)
            logger.debug("%s gave no frame, %d tries left", self._target.name, tries_left)
            if self._is_finite and self._index:
                # Of many containers the length is a guess.
                least_s = BROKEN_SHARE * self._announced_s - BROKEN_TOLERANCE_S
                self._is_ended = not 0.0 < self._position_s < least_s
                break
            now_s = self._clock()
            if was_grabbed and now_s - started_s < DAMAGED_S:
                continue
            if now_s - (tried_s if goes_on else started_s) >= most_s or not tries_left:
                break
            tries_left -= 1
            self._closed.wait(wait_s)
        if self._closed.is_set() or self._is_ended:
            return None
        error = self._silent()
        if isinstance(error, SourceLostError) and _is_a_file(self._target):
            self._is_ended = True
            return None
        raise error

    def _try_once(self) -> tuple[bool, ImageBGR | None]:
        """Whether anything came, and the picture where it could be decoded."""
        try:
            if not self._capture.grab():
                return False, None
            self._grabbed_s = self._clock()
            is_good, image = self._capture.retrieve()
        except cv2.error as error:
            logger.debug("%s: %s", self._target.name, error)
            return False, None
        return True, _as_bgr(image) if is_good and image is not None else None

    def _make_frame(self, image_bgr: ImageBGR) -> Frame:
        if self._size is None:
            self._size = image_bgr.shape[1], image_bgr.shape[0]
        image_bgr = fit_into(image_bgr, self._size)
        if self._is_finite or self._target.is_playlist:
            self._keep_pace()
        if self._origin_s is None:
            self._origin_s = self._grabbed_s
        else:
            elapsed_s = self._grabbed_s - self._origin_s
            self._last_s = max(self._last_s + MIN_STEP_S, elapsed_s)
        frame = Frame(image_bgr, self._last_s, self._index, captured_s=self._grabbed_s)
        self._index += 1
        return frame

    def _keep_pace(self) -> None:
        self._position_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        if self._pace_origin_s is None:
            self._pace_origin_s = self._grabbed_s - self._position_s
        early_s = self._pace_origin_s + self._position_s - self._clock()
        if early_s > 0.0:
            self._closed.wait(min(early_s, MAX_PACE_S))
        self._grabbed_s = self._clock()
        if abs(early_s) > MAX_PACE_S:
            self._pace_origin_s = self._grabbed_s - self._position_s

    def _silent(self) -> SourceError:
        remedy = (
            "check the network and the camera"
            if self._target.is_stream
            else "check the cable, and that no other program uses it"
        )
        if self._index == 0:
            return SourceError(f"{self._target.name} was opened but delivers no frames; {remedy}")
        kind = SourceError if self._is_finite else SourceLostError
        return kind(f"{self._target.name} stopped delivering frames; {remedy}")


def _is_a_file(target: CameraTarget) -> bool:
    """True where a server says how long its answer is, as of files whose containers do not."""
    if not target.text.lower().startswith(("http:", "https:")) or target.is_playlist:
        return False
    import requests

    # It tells the whole address, with what is secret in it.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    try:
        with requests.get(target.text, stream=True, timeout=ASK_TIMEOUT_S) as answer:
            return answer.ok and "Content-Length" in answer.headers
    except (requests.RequestException, ValueError) as error:
        logger.debug("%s: %s", target.name, type(error).__name__)
        return False


def _try_backend(target: CameraTarget, backend: int) -> cv2.VideoCapture | None:
    address: Any = target.address
    try:
        if target.is_stream:
            wishes = [
                *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS),
                *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS),
                *(cv2.CAP_PROP_N_THREADS, DECODING_THREADS),
            ]
            capture = cv2.VideoCapture(address, backend, wishes)
        else:
            capture = cv2.VideoCapture(address, backend)
        if capture.isOpened():
            return capture
        capture.release()
    except cv2.error as error:
        logger.debug("%s: %s", target.name, error)
    return None


def _backends(target: CameraTarget) -> tuple[int, ...]:
    # Named, because the timeouts of a stream are ignored under CAP_ANY, and because CAP_ANY asks
    # backends for a camera that can only complain.
    if target.is_stream:
        return (cv2.CAP_FFMPEG,)
    if sys.platform.startswith("linux"):
        return (cv2.CAP_V4L2,)
    if sys.platform == "darwin":
        return (cv2.CAP_AVFOUNDATION,)
    if sys.platform == "win32":
        return cv2.CAP_MSMF, cv2.CAP_DSHOW
    return (cv2.CAP_ANY,)


def _wish(capture: cv2.VideoCapture, size: tuple[int, int] | None) -> None:
    # Motion JPEG first: asked for after the size, many USB cameras stay at 5 raw frames a second.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    # Two: into one alone the driver cannot write while a frame is decoded out of it. More would be
    # delay where decoding is slower than the camera.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)


def _remedy(target: CameraTarget) -> str:
    if target.is_stream:
        return "check the address, the password and the network"
    if sys.platform.startswith("linux"):
        device = Path(f"/dev/video{target.text}" if target.text.isdecimal() else target.text)
        if device.exists() and not os.access(device, os.R_OK | os.W_OK):
            return f"{device} may not be read; add yourself to its group, usually 'video'"
        present = sorted(str(path) for path in Path("/dev").glob("video*"))
        if not present:
            return "no camera is plugged in"
        if not device.exists():
            return f"what is there: {', '.join(present)}"
    if sys.platform == "darwin":
        return (
            "allow it to this terminal in System Settings, Privacy & Security, Camera; check that "
            "it is plugged in and not in use by another program"
        )
    return "check that it is plugged in, allowed, and not in use by another program"


def _announced_rate(capture: cv2.VideoCapture) -> Fraction | None:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return Fraction(rate).limit_denominator(1001) if 0.0 < rate <= MAX_RATE else None


def _as_bgr(image: np.ndarray[Any, np.dtype[Any]]) -> ImageBGR:
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    elif image.shape[2] == 4:
        image = cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)
    return np.asarray(image, dtype=np.uint8)
