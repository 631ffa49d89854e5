"""Following a face from frame to frame: detection now and then, a box for every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import Detection, FaceDetector
from realtime_mood.frame import ImageBGR
from realtime_mood.timing import next_due

DETECT_INTERVAL_S = 0.1
BOX_TIME_CONSTANT_S = 0.1
GRACE_S = 0.7
SAME_FACE_IOU = 0.2


@dataclass(frozen=True)
class FaceTrack:
    """One followed face at one moment."""

    track_id: int
    """Counts from 1; never used again for another face."""
    box: Box
    """Where it is, in pixels of the source picture."""


@dataclass(frozen=True)
class EndedTrack:
    """A face that is no longer followed."""

    track: FaceTrack
    """As it was last seen."""
    reason: str
    """'lost': it could not be found any more."""


@dataclass(frozen=True)
class TrackUpdate:
    """What one frame changed."""

    tracks: tuple[FaceTrack, ...] = ()
    """All faces followed now."""
    started: tuple[FaceTrack, ...] = ()
    """Those of `tracks` that this frame began."""
    ended: tuple[EndedTrack, ...] = ()
    """Those that this frame ended."""


class FaceTracker:
    """Follows the largest face.

    Detection runs every `DETECT_INTERVAL_S` of media time; the box moves towards what was found
    with a time constant, which takes the detector's jitter out of the crops. A face that is not
    found again within `GRACE_S` is lost. The answer depends on the frames and their times alone,
    so that the trainer and the runtime see the same boxes.

    Args:
        detector: finds the faces.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._next_id = 1
        self._track: FaceTrack | None = None
        self._target: Box | None = None
        self._last_update_s = -math.inf
        self._last_seen_s = -math.inf
        self._next_detection_s = -math.inf

    def update(self, image_bgr: ImageBGR, timestamp_s: float) -> TrackUpdate:
        """Take the next frame.

        Args:
            image_bgr: the frame, shape (height, width, 3), uint8.
            timestamp_s: its time; later than that of the frame before.
        """
        started: list[FaceTrack] = []
        ended: list[EndedTrack] = []
        if timestamp_s >= self._next_detection_s:
            self._next_detection_s = next_due(
                self._next_detection_s, timestamp_s, DETECT_INTERVAL_S
            )
            self._detect(image_bgr, timestamp_s, started, ended)
        if self._track and timestamp_s - self._last_seen_s > GRACE_S:
            ended.extend(self._end("lost"))
        if self._track and self._target:
            weight = 1.0 - math.exp(-(timestamp_s - self._last_update_s) / BOX_TIME_CONSTANT_S)
            box = self._track.box.towards(self._target, weight)
            self._track = FaceTrack(self._track.track_id, box)
        self._last_update_s = timestamp_s
        tracks = (self._track,) if self._track else ()
        return TrackUpdate(tracks, tuple(started), tuple(ended))

    def _detect(
        self,
        image_bgr: ImageBGR,
        timestamp_s: float,
        started: list[FaceTrack],
        ended: list[EndedTrack],
    ) -> None:
        detections = self._detector.detect(image_bgr)
        if not detections:
            return
        found = self._same_face(detections)
        if found is None:
            ended.extend(self._end("lost"))
            found = detections[0]
            self._track = FaceTrack(self._next_id, found.box)
            self._next_id += 1
            started.append(self._track)
        self._target = found.box
        self._last_seen_s = timestamp_s

    def _same_face(self, detections: list[Detection]) -> Detection | None:
        target = self._target
        if self._track is None or target is None:
            return None
        best = max(detections, key=lambda detection: detection.box.iou(target))
        return best if best.box.iou(target) >= SAME_FACE_IOU else None

    def _end(self, reason: str) -> tuple[EndedTrack, ...]:
        if self._track is None:
            return ()
        ended = EndedTrack(self._track, reason)
        self._track = self._target = None
        return (ended,)
