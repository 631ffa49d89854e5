from collections.abc import Callable, Sequence

import numpy as np
import pytest

from realtime_mood.faces.box import Box
from realtime_mood.faces.tracker import FaceTracker, TrackUpdate
from tests.fakes import ScriptedDetector, numbered_image, one_face

FACE = Box(10, 8, 24, 32)
ELSEWHERE = Box(50, 8, 10, 14)


def _follow(
    script: Callable[[int], Sequence[Box]], *, seconds: float, rate_hz: float = 30.0
) -> list[TrackUpdate]:
    tracker = FaceTracker(ScriptedDetector(script))
    return [
        tracker.update(numbered_image(index), index / rate_hz)
        for index in range(round(seconds * rate_hz))
    ]


def test_a_face_that_stays_is_one_track_on_every_frame() -> None:
    updates = _follow(one_face, seconds=2.0)
    assert {track.track_id for update in updates for track in update.tracks} == {1}
    assert all(len(update.tracks) == 1 for update in updates)
    assert [len(update.started) for update in updates] == [1] + [0] * 59
    assert updates[-1].tracks[0].box == FACE


@pytest.mark.parametrize("rate_hz", [15.0, 30.0, 60.0])
def test_detection_has_its_own_rate(rate_hz: float) -> None:
    detector = ScriptedDetector(one_face)
    tracker = FaceTracker(detector)
    for index in range(round(3 * rate_hz)):
        tracker.update(numbered_image(index), index / rate_hz)
    assert 24 <= detector.calls <= 31


def test_a_short_gap_keeps_the_id_and_a_long_one_ends_it() -> None:
    short = _follow(lambda call: () if 5 <= call < 10 else (FACE,), seconds=2.0)
    assert {track.track_id for update in short for track in update.tracks} == {1}
    long = _follow(lambda call: (FACE,) if call < 5 else (), seconds=2.0)
    ended = [ended for update in long for ended in update.ended]
    assert [(end.track.track_id, end.reason) for end in ended] == [(1, "lost")]
    assert long[-1].tracks == ()


def test_a_face_somewhere_else_is_another_face() -> None:
    updates = _follow(lambda call: (FACE,) if call < 5 else (ELSEWHERE,), seconds=1.0)
    assert [track.track_id for update in updates for track in update.started] == [1, 2]
    assert updates[-1].tracks[0].box == ELSEWHERE


def test_the_face_that_is_followed_is_kept_when_a_larger_one_comes() -> None:
    larger = Box(30, 0, 30, 40)
    updates = _follow(lambda call: (ELSEWHERE,) if call < 5 else (larger, ELSEWHERE), seconds=1.0)
    assert {track.track_id for update in updates for track in update.tracks} == {1}
    assert updates[-1].tracks[0].box == ELSEWHERE


def test_no_face_is_no_track() -> None:
    assert all(update == TrackUpdate() for update in _follow(lambda call: (), seconds=1.0))


def test_the_box_moves_smoothly_towards_what_is_found() -> None:
    moved = Box(14, 8, 24, 32)
    updates = _follow(lambda call: (FACE,) if call < 5 else (moved,), seconds=2.0)
    lefts = [update.tracks[0].box.x for update in updates]
    assert np.all(np.diff(lefts) >= 0)
    assert max(np.diff(lefts)) < 2.0
    assert lefts[-1] == pytest.approx(14.0, abs=0.01)
