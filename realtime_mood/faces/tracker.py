"""Following faces from frame to frame: detection now and then, a box for every frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from realtime_mood.faces.box import Box
from realtime_mood.faces.cuts import CutDetector
from realtime_mood.faces.detector import Detection
from realtime_mood.faces.motion import Motion
from realtime_mood.faces.search import FaceSearch
from realtime_mood.frame import ImageBGR
from realtime_mood.timing import is_due, next_due

DETECT_INTERVAL_S = 0.1
MAX_FACES = 8

START_SCORE = 0.75
"""A new face must be this certain; one that is followed is kept by any detection."""
GRACE_S = 1.0
"""A face that was found often enough is given up after this long without being found."""
YOUNG_GRACE_S = 0.25
YOUNG_HITS = 3
"""Until it was found so many times a face may be a mistake, and is given up sooner."""
HIDDEN_S = 0.25
"""After so long without being found a face is taken to be hidden or turned away."""

GATE = 0.7
"""A detection this many face sizes from where the face is expected may still be it."""
GATE_GROWTH_PER_S = 0.8
MAX_SIZE_RATIO = 1.8
SIZE_WEIGHT = 0.5
ROLL_TIME_CONSTANT_S = 0.3


@dataclass(frozen=True)
class FaceTrack:
    """One followed face at one moment."""

    track_id: int
    """Counts from 1; never used again for another face."""
    box: Box
    """Where it is, in pixels of the source picture."""
    roll_rad: float = 0.0
    """How far the line through the eyes is turned clockwise; 0 where the detector does not say."""
    is_hidden: bool = False
    """True while it is followed though searches find it no more: its box may hold anything."""


@dataclass(frozen=True)
class EndedTrack:
    """A face that is no longer followed."""

    track_id: int
    """Whose."""
    reason: str
    """'lost': it could not be found any more; 'cut': the picture changed to another shot."""


@dataclass(frozen=True)
class TrackUpdate:
    """What one frame changed."""

    tracks: tuple[FaceTrack, ...] = ()
    """All faces followed now, oldest first."""
    started: tuple[FaceTrack, ...] = ()
    """Those of `tracks` that this frame began."""
    ended: tuple[EndedTrack, ...] = ()
    """Those that this frame ended."""
    is_searched: bool = True
    """False while it is not known yet what a first search of this shot finds."""


@dataclass(eq=False)
class _Face:
    track_id: int
    motion: Motion
    searched: Motion
    """The motion as of the frame that was given to the detector last."""
    seen_s: float
    roll_rad: float
    hits: int = 1
    is_hidden: bool = False

    def unseen_s(self, now_s: float) -> float:
        return now_s - self.seen_s

    def is_lost(self, now_s: float) -> bool:
        grace_s = GRACE_S if self.hits >= YOUNG_HITS else YOUNG_GRACE_S
        return self.unseen_s(now_s) > grace_s

    def take(self, detection: Detection) -> None:
        self.searched = self.searched.corrected(detection.box)
        self.motion = self.motion.with_past(self.searched)
        weight = 1.0 - math.exp(-self.unseen_s(self.searched.time_s) / ROLL_TIME_CONSTANT_S)
        self.roll_rad += weight * (detection.roll_rad - self.roll_rad)
        self.seen_s = self.searched.time_s
        self.hits += 1

    def as_track(self) -> FaceTrack:
        return FaceTrack(self.track_id, self.motion.box, self.roll_rad, self.is_hidden)


@dataclass(eq=False)
class _Changes:
    started: list[_Face] = field(default_factory=list)
    ended: list[EndedTrack] = field(default_factory=list)

    def end(self, faces: Sequence[_Face], reason: str) -> None:
        # Of a face that came and went within one update nobody is told.
        self.ended += [
            EndedTrack(face.track_id, reason) for face in faces if face not in self.started
        ]
        self.started = [face for face in self.started if face not in faces]


class FaceTracker:
    """Follows faces, each under an id of its own.

    A frame is searched every `DETECT_INTERVAL_S` of media time and right after a cut. Detections
    are given to the faces whose expected place and size they fit best, the best pair first; what
    is left over begins new faces, the largest first.

    A search may take longer than a frame. Its detections then correct each face as it was on the
    frame that was searched, and are carried on to now; after a cut they are worth nothing. Where
    the search is done in step, the answer depends on the frames and their times alone, so that the
    trainer and the runtime see the same boxes.

    Args:
        search: finds the faces.
        max_faces: how many are followed at the same time.
    """

    def __init__(self, search: FaceSearch, *, max_faces: int = MAX_FACES) -> None:
        self._search = search
        self._max_faces = max_faces
        self._cuts = CutDetector()
        self._faces: list[_Face] = []
        self._next_id = 1
        self._search_due_s = -math.inf
        self._shot_began_s = -math.inf
        self._is_shot_searched = False

    def update(self, image_bgr: ImageBGR, timestamp_s: float) -> TrackUpdate:
        """Take the next frame.

        Args:
            image_bgr: the frame, shape (height, width, 3), uint8.
            timestamp_s: its time; later than that of the frame before.
        """
        changes = _Changes()
        if self._cuts.is_cut(image_bgr):
            changes.end(self._faces, "cut")
            self._faces.clear()
            self._shot_began_s = self._search_due_s = timestamp_s
            self._is_shot_searched = False
        # Of an earlier frame, while the faces still are as they were on the frame before this.
        self._take_found(changes)
        for face in self._faces:
            face.motion = face.motion.advanced(timestamp_s)
        if is_due(self._search_due_s, timestamp_s) and self._search.start(image_bgr, timestamp_s):
            self._search_due_s = next_due(self._search_due_s, timestamp_s, DETECT_INTERVAL_S)
            for face in self._faces:
                face.searched = face.motion
            # In step, it is known what is in this frame.
            self._take_found(changes)
        return TrackUpdate(
            tracks=tuple(face.as_track() for face in self._faces),
            started=tuple(face.as_track() for face in changes.started),
            ended=tuple(changes.ended),
            is_searched=self._is_shot_searched,
        )

    def _take_found(self, changes: _Changes) -> None:
        """Give what a search has found, if it is known by now, to the faces."""
        found = self._search.found()
        if found is None or found.timestamp_s < self._shot_began_s:
            return
        self._is_shot_searched = True
        unmatched = self._match(found.detections, found.timestamp_s)
        lost = [face for face in self._faces if face.is_lost(found.timestamp_s)]
        changes.end(lost, "lost")
        self._faces = [face for face in self._faces if face not in lost]
        for face in self._faces:
            face.is_hidden = face.unseen_s(found.timestamp_s) > HIDDEN_S
        changes.started += self._start(unmatched, found.timestamp_s)

    def _match(self, detections: list[Detection], now_s: float) -> list[Detection]:
        """Give detections to faces; answers those that fit none, largest first."""
        pairs = sorted(
            (cost, face_number, detection_number)
            for face_number, face in enumerate(self._faces)
            for detection_number, detection in enumerate(detections)
            if (cost := _cost(face, detection.box, now_s)) is not None
        )
        taken_faces: set[int] = set()
        taken_detections: set[int] = set()
        for _, face_number, detection_number in pairs:
            if face_number in taken_faces or detection_number in taken_detections:
                continue
            taken_faces.add(face_number)
            taken_detections.add(detection_number)
            self._faces[face_number].take(detections[detection_number])
        return [
            detection
            for number, detection in enumerate(detections)
            if number not in taken_detections
        ]

    def _start(self, detections: list[Detection], now_s: float) -> list[_Face]:
        started = []
        for detection in detections:
            if len(self._faces) >= self._max_faces:
                break
            if detection.score < START_SCORE:
                continue
            motion = Motion.starting(detection.box, now_s)
            face = _Face(self._next_id, motion, motion, now_s, detection.roll_rad)
            self._next_id += 1
            self._faces.append(face)
            started.append(face)
        return started


def _cost(face: _Face, box: Box, now_s: float) -> float | None:
    """How badly a detection fits a face, 0 at best; None when it cannot be that face."""
    expected = face.searched.expected
    size = (expected.longer_side + box.longer_side) / 2
    distance = math.dist(expected.centre, box.centre) / size
    size_ratio = abs(math.log(box.longer_side / expected.longer_side))
    # After a pause of the source a face is not looked for any further away than within its grace.
    unseen_s = min(face.unseen_s(now_s), GRACE_S)
    gate = GATE + GATE_GROWTH_PER_S * max(0.0, unseen_s - DETECT_INTERVAL_S)
    if distance > gate or size_ratio > math.log(MAX_SIZE_RATIO):
        return None
    return distance + SIZE_WEIGHT * size_ratio
