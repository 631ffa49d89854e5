"""The tracker when what was found on a frame is known some frames later."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import Detection
from realtime_mood.faces.search import FaceSearch, Found, InStepSearch
from realtime_mood.faces.tracker import FaceTracker, TrackUpdate
from realtime_mood.frame import ImageBGR
from tests.fakes import LateSearch, numbered_image

RATE_HZ = 30.0
SPEED = 90.0
"""Pixels a second."""


class _NumberReader:
    """Reads a frame's number off its grey and answers where the face is on that frame."""

    name = "none"

    def __init__(self, place: Callable[[int], list[Box]]) -> None:
        self._place = place

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        return [Detection(box, 1.0) for box in self._place(int(image_bgr[0, 0, 0]))]


def _walking(index: int) -> list[Box]:
    return [Box(40 + SPEED * index / RATE_HZ, 30, 60, 80)]


def _follow(search: FaceSearch, *, frames: int = 90) -> list[TrackUpdate]:
    tracker = FaceTracker(search)
    return [tracker.update(numbered_image(index), index / RATE_HZ) for index in range(frames)]


def test_known_by_the_next_frame_it_gives_the_boxes_of_a_search_in_step() -> None:
    in_step = _follow(InStepSearch(_NumberReader(_walking)))
    late = _follow(LateSearch(_NumberReader(_walking), frames_late=1))
    assert [len(update.tracks) for update in (in_step[0], late[0], late[1])] == [1, 0, 1]
    for one, other in zip(in_step[1:], late[1:], strict=True):
        assert vars(other.tracks[0].box) == pytest.approx(vars(one.tracks[0].box), abs=1e-9)
        assert other.tracks[0].track_id == 1


@pytest.mark.parametrize("frames_late", [2, 3, 6, 10])
def test_a_late_detection_corrects_the_past_and_is_carried_on_to_now(frames_late: int) -> None:
    def behind(frames_late: int) -> float:
        updates = _follow(LateSearch(_NumberReader(_walking), frames_late=frames_late))
        boxes = [(index, updates[index].tracks[0].box) for index in range(45, 90)]
        return float(np.mean([_walking(index)[0].x - box.x for index, box in boxes]))

    walked = SPEED * frames_late / RATE_HZ
    assert abs(behind(frames_late) - behind(0)) < 0.6 * walked


def test_a_face_is_not_hidden_while_a_slow_search_goes_on() -> None:
    updates = _follow(LateSearch(_NumberReader(_walking), frames_late=12))
    assert not any(track.is_hidden for update in updates for track in update.tracks)


def test_the_detector_gets_the_newest_frame_once_it_is_free() -> None:
    search = LateSearch(_NumberReader(_walking), frames_late=10)
    _follow(search)
    frames = [round(time_s * RATE_HZ) for time_s in search.taken_s]
    assert frames == [0, 10, 20, 30, 40, 50, 60, 70, 80]


def test_what_was_found_before_a_cut_is_discarded() -> None:
    rng = np.random.default_rng(0)
    shots = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(2)]
    before, after = Box(5, 5, 20, 26), Box(35, 15, 20, 26)

    class Shots:
        name = "none"

        def detect(self, image_bgr: ImageBGR) -> list[Detection]:
            return [Detection(before if image_bgr is shots[0] else after, 1.0)]

    search = LateSearch(Shots(), frames_late=2)
    tracker = FaceTracker(search)
    # What was found in frame 6 is known at 8, and 7 is the first after the cut.
    updates = [tracker.update(shots[index >= 7], index / RATE_HZ) for index in range(20)]
    assert [(e.track_id, e.reason) for update in updates for e in update.ended] == [(1, "cut")]
    assert [len(update.tracks) for update in updates[6:12]] == [1, 0, 0, 0, 1, 1]
    assert [update.is_searched for update in updates] == [
        2 <= index < 7 or index >= 10 for index in range(20)
    ]
    assert 6 / RATE_HZ in search.taken_s
    assert 8 / RATE_HZ in search.taken_s
    assert {track.track_id for update in updates[10:] for track in update.tracks} == {2}
    assert updates[10].tracks[0].box.iou(after) > 0.99


def test_a_slow_detector_gives_up_no_face_that_it_finds_again() -> None:
    still = [Box(40, 30, 60, 80)]
    search = LateSearch(_NumberReader(lambda index: still), frames_late=15)
    updates = _follow(search)
    assert all(update.ended == () for update in updates)
    assert {track.track_id for update in updates for track in update.tracks} == {1}


def test_a_face_that_came_and_went_between_two_frames_was_never_there() -> None:
    class Hurried:
        """What is in frame 0 is known at 1; what is in 1 as soon as it is taken."""

        def __init__(self) -> None:
            self.taken: list[Found] = []
            self.asked = 0

        def start(self, image_bgr: ImageBGR, timestamp_s: float) -> bool:
            seen = [] if self.taken else [Detection(Box(40, 30, 60, 80), 1.0)]
            self.taken.append(Found(timestamp_s, seen))
            return True

        def found(self) -> Found | None:
            self.asked += 1
            return self.taken[-1] if self.asked > 2 else None

    tracker = FaceTracker(Hurried())
    # Further apart than a young face is followed without being found.
    first, second = (tracker.update(numbered_image(index), 0.5 * index) for index in range(2))
    assert first == TrackUpdate(is_searched=False)
    assert second == TrackUpdate()
