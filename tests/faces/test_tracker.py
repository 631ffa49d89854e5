from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from realtime_mood.faces.box import Box
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import FaceTracker, TrackUpdate
from tests.fakes import ScriptedDetector, numbered_image, one_face

FACE = Box(10, 8, 24, 32)
ELSEWHERE = Box(50, 8, 10, 14)


def _follow(
    script: Callable[[int], Sequence[Box]], *, seconds: float, rate_hz: float = 30.0
) -> list[TrackUpdate]:
    tracker = FaceTracker(InStepSearch(ScriptedDetector(script)))
    return [
        tracker.update(numbered_image(index), index / rate_hz)
        for index in range(round(seconds * rate_hz))
    ]


def test_a_face_that_stays_is_one_track_on_every_frame() -> None:
    updates = _follow(one_face, seconds=2.0)
    assert {track.track_id for update in updates for track in update.tracks} == {1}
    assert all(len(update.tracks) == 1 for update in updates)
    assert [len(update.started) for update in updates] == [1] + [0] * 59
    assert updates[-1].tracks[0].box.iou(FACE) > 0.999


@pytest.mark.parametrize("rate_hz", [15.0, 30.0, 60.0])
def test_detection_has_its_own_rate(rate_hz: float) -> None:
    detector = ScriptedDetector(one_face)
    tracker = FaceTracker(InStepSearch(detector))
    for index in range(round(3 * rate_hz)):
        tracker.update(numbered_image(index), index / rate_hz)
    assert 24 <= detector.calls <= 31


def test_a_short_gap_keeps_the_id_and_a_long_one_ends_it() -> None:
    short = _follow(lambda call: () if 5 <= call < 13 else (FACE,), seconds=2.0)
    assert {track.track_id for update in short for track in update.tracks} == {1}
    long = _follow(lambda call: (FACE,) if call < 5 else (), seconds=2.0)
    ended = [ended for update in long for ended in update.ended]
    assert [(end.track_id, end.reason) for end in ended] == [(1, "lost")]
    assert long[-1].tracks == ()


def test_a_face_that_two_searches_missed_may_be_there_and_after_three_it_is_hidden() -> None:
    def hidden_s(missed: range) -> float:
        updates = _follow(lambda call: () if call in missed else (FACE,), seconds=2.0)
        return sum(update.tracks[0].is_hidden for update in updates) / 30

    assert hidden_s(range(5, 7)) == 0
    assert hidden_s(range(5, 8)) == pytest.approx(0.1, abs=0.04)
    assert hidden_s(range(5, 14)) == pytest.approx(0.7, abs=0.04)


def test_a_mistake_of_the_detector_is_soon_forgotten() -> None:
    updates = _follow(lambda call: (FACE,) if call == 5 else (), seconds=2.0)
    assert sum(bool(update.tracks) for update in updates) / 30 < 0.4


def test_a_new_face_must_be_certain_and_a_known_one_need_not() -> None:
    doubtful = ScriptedDetector(one_face, score=lambda call: 0.65)
    assert FaceTracker(InStepSearch(doubtful)).update(numbered_image(0), 0.0).tracks == ()
    fading = ScriptedDetector(one_face, score=lambda call: 0.9 if call == 0 else 0.65)
    tracker = FaceTracker(InStepSearch(fading))
    for index in range(90):
        update = tracker.update(numbered_image(index), index / 30)
    assert [track.track_id for track in update.tracks] == [1]


def test_two_faces_keep_their_ids_and_a_third_one_gets_its_own() -> None:
    def script(call: int) -> list[Box]:
        third = [Box(25, 30, 9, 12)] if call >= 10 else []
        # The order in which a detector answers means nothing.
        return [ELSEWHERE, FACE, *third][:: 1 if call % 2 else -1]

    updates = _follow(script, seconds=3.0)
    for update in updates:
        boxes = {track.track_id: track.box for track in update.tracks}
        assert abs(boxes[1].centre[0] - ELSEWHERE.centre[0]) < 3 or boxes[1].w > 20
    assert [len(update.tracks) for update in (updates[0], updates[-1])] == [2, 3]
    last = {track.track_id: track.box for track in updates[-1].tracks}
    first = {track.track_id: track.box for track in updates[0].tracks}
    assert all(last[number].iou(first[number]) > 0.9 for number in (1, 2))
    assert last[3].iou(Box(25, 30, 9, 12)) > 0.9


def test_no_more_faces_are_followed_than_asked_for_and_those_are_the_largest() -> None:
    crowd = [Box(14 * i, 10, 10, 10 + (7 * i) % 20) for i in range(20)]
    largest = sorted(crowd, key=lambda box: -box.area)
    tracker = FaceTracker(InStepSearch(ScriptedDetector(lambda call: largest)), max_faces=3)
    for index in range(30):
        update = tracker.update(numbered_image(index, width=300), index / 30)
    assert [track.track_id for track in update.tracks] == [1, 2, 3]
    for track, box in zip(update.tracks, largest, strict=False):
        assert track.box.iou(box) > 0.99


def test_twenty_faces_are_twenty_tracks() -> None:
    crowd = [Box(30 * (i % 5), 40 * (i // 5), 20, 26) for i in range(20)]
    tracker = FaceTracker(InStepSearch(ScriptedDetector(lambda call: crowd)), max_faces=20)
    for index in range(30):
        update = tracker.update(numbered_image(index, width=300, height=200), index / 30)
    assert [track.track_id for track in update.tracks] == list(range(1, 21))


def test_a_face_that_moves_is_followed_and_one_that_is_hidden_is_looked_for_where_it_went() -> None:
    def script(call: int) -> list[Box]:
        return [] if 10 <= call < 15 else [Box(10 + 6 * call, 8, 24, 32)]

    updates = _follow(script, seconds=2.5)
    assert {track.track_id for update in updates for track in update.tracks} == {1}
    assert updates[-1].tracks[0].box.x == pytest.approx(10 + 6 * 24.5, abs=8)


def test_a_cut_ends_all_tracks_and_the_new_shot_begins_at_once() -> None:
    rng = np.random.default_rng(0)
    shots = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(2)]
    tracker = FaceTracker(InStepSearch(ScriptedDetector(one_face)))
    updates = [tracker.update(shots[index >= 20], index / 30) for index in range(40)]
    assert [(end.track_id, end.reason) for update in updates for end in update.ended] == [
        (1, "cut")
    ]
    assert updates[20].ended
    assert [track.track_id for track in updates[20].started] == [2]


def test_cuts_every_second_end_all_tracks_every_second() -> None:
    rng = np.random.default_rng(1)
    shots = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(5)]
    tracker = FaceTracker(InStepSearch(ScriptedDetector(one_face)))
    updates = [tracker.update(shots[index // 30], index / 30) for index in range(150)]
    ended = [index for index, update in enumerate(updates) if update.ended]
    assert ended == [30, 60, 90, 120]
    assert [track.track_id for update in updates for track in update.started] == [1, 2, 3, 4, 5]


def test_a_change_of_light_or_a_shaken_camera_is_no_cut() -> None:
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(40, 160, (9, 12, 3), dtype=np.uint8), (640, 480))
    tracker = FaceTracker(InStepSearch(ScriptedDetector(one_face)))
    for index in range(60):
        shaken = np.roll(picture, (index * 7) % 23, axis=1)
        lit = cv2.add(shaken, (60.0, 60.0, 60.0) if index % 20 > 10 else (0.0, 0.0, 0.0))
        update = tracker.update(np.asarray(lit, dtype=np.uint8), index / 30)
        assert update.ended == ()


@pytest.mark.parametrize("is_band", [False, True])
def test_a_flash_is_no_cut(is_band: bool) -> None:
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(20, 160, (9, 12, 3), dtype=np.uint8), (640, 480))
    upper, lower = picture.copy(), picture.copy()
    upper[:300] = lower[290:] = 255
    flash = [upper, lower] if is_band else [np.full_like(picture, 250)]
    tracker = FaceTracker(InStepSearch(ScriptedDetector(one_face)))
    frames = [picture] * 20 + flash + [picture] * 20
    updates = [tracker.update(np.asarray(f, np.uint8), i / 30) for i, f in enumerate(frames)]
    assert all(update.ended == () for update in updates)
    assert {track.track_id for update in updates for track in update.tracks} == {1}


def test_a_cut_to_a_white_picture_or_behind_a_flash_ends_all_tracks() -> None:
    rng = np.random.default_rng(0)
    shots = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(2)]
    white = np.full_like(shots[0], 255)
    for frames, cuts in (
        ([shots[0]] * 20 + [white] * 20, [22]),
        ([shots[0]] * 20 + [white] + [shots[1]] * 20, [21]),
        ([white] * 20 + [shots[0]] * 20, [20]),
    ):
        tracker = FaceTracker(InStepSearch(ScriptedDetector(one_face)))
        updates = [tracker.update(frame, index / 30) for index, frame in enumerate(frames)]
        assert [index for index, update in enumerate(updates) if update.ended] == cuts


def test_an_angle_follows_the_eyes_slowly() -> None:
    tilted = ScriptedDetector(one_face, roll_rad=lambda call: 0.0 if call < 5 else 0.5)
    tracker = FaceTracker(InStepSearch(tilted))
    rolls = [
        tracker.update(numbered_image(index), index / 30).tracks[0].roll_rad for index in range(90)
    ]
    assert rolls[0] == 0.0
    assert np.all(np.diff(rolls) >= 0)
    # A search each 0.1 s takes up at most 1 - exp(-0.1 / 0.3) of what is left.
    assert max(np.diff(rolls)) == pytest.approx(0.5 * 0.283, abs=0.02)
    assert rolls[19] < 0.4
    assert rolls[-1] == pytest.approx(0.5, abs=0.02)


def test_no_face_is_no_track() -> None:
    assert all(update == TrackUpdate() for update in _follow(lambda call: (), seconds=1.0))


def test_the_box_moves_smoothly_towards_what_is_found() -> None:
    moved = Box(14, 8, 24, 32)
    updates = _follow(lambda call: (FACE,) if call < 5 else (moved,), seconds=2.0)
    lefts = [update.tracks[0].box.x for update in updates]
    assert max(np.abs(np.diff(lefts))) < 2.0
    assert max(lefts) < 15.0
    assert lefts[-1] == pytest.approx(14.0, abs=0.05)


def test_what_is_found_twice_within_a_moment_moves_no_still_face() -> None:
    rng = np.random.default_rng(0)
    tracker = FaceTracker(
        InStepSearch(
            ScriptedDetector(
                lambda call: [Box(*(np.array([100.0, 80.0]) + rng.normal(0, 1, 2)), 100, 100)]
            )
        )
    )
    lefts = []
    for index in range(90):
        # A network camera that delivers two frames at a time, a little less often than searches.
        for late_s in (0.0, 0.002):
            now_s = index / 9.01 + late_s
            update = tracker.update(numbered_image(index, width=320, height=240), now_s)
            lefts += [track.box.x for track in update.tracks]
    assert len(lefts) == 180
    assert max(abs(left - 100.0) for left in lefts) < 5.0
