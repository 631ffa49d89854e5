"""The tracker on real video."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.faces.box import Box
from realtime_mood.faces.detector import FaceDetector, make_detector
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import FaceTracker
from tests.fakes import ScriptedDetector
from tests.shared import shared_file

YUNET = "data/face_detector/face_detection_yunet_2023mar.onnx"
CUT_FRAMES = (20, 82, 211)
"""Where `dark_cuts_1_to_5_faces` cuts, by eye."""


@dataclass
class _Followed:
    frames: int = 0
    with_face: int = 0
    lives: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    cuts: list[int] = field(default_factory=list)


def _follow(name: str, detector: str) -> _Followed:
    tracker = FaceTracker(InStepSearch(_detector(detector)))
    source = FileSource(shared_file(f"media/faces/{name}.mp4"))
    followed = _Followed()
    while (frame := source.read()) is not None:
        update = tracker.update(frame.image_bgr, frame.timestamp_s)
        followed.frames += 1
        followed.with_face += bool(update.tracks)
        for track in update.tracks:
            followed.lives[track.track_id].append(frame.timestamp_s)
        if any(ended.reason == "cut" for ended in update.ended):
            followed.cuts.append(frame.index)
    source.close()
    return followed


def _detector(name: str) -> FaceDetector:
    return make_detector(name, yunet_file=shared_file(YUNET) if name == "yunet" else None)


@pytest.mark.parametrize("detector", ["yunet", "cascade"])
def test_one_face_is_one_track_from_start_to_end(detector: str) -> None:
    followed = _follow("one_face_neutral_to_smile", detector)
    assert list(followed.lives) == [1]
    assert followed.with_face == followed.frames == 72


def test_four_faces_are_found_in_five_frames() -> None:
    followed = _follow("four_faces_5_frames", "yunet")
    assert sum(len(times_s) == 5 for times_s in followed.lives.values()) >= 3


@pytest.mark.parametrize("detector", ["yunet", "cascade"])
def test_a_cartoon_without_faces_has_no_track_for_long(detector: str) -> None:
    followed = _follow("no_face_cartoon", detector)
    assert all(times_s[-1] - times_s[0] <= 0.5 for times_s in followed.lives.values())


def test_tracks_end_at_the_cuts() -> None:
    followed = _follow("dark_cuts_1_to_5_faces", "yunet")
    assert followed.cuts == list(CUT_FRAMES)


def test_small_faces_of_a_wide_shot_are_followed_up_to_the_cut() -> None:
    followed = _follow("talking_with_audio_5s", "yunet")
    # Frame 92 is white, which might have been a flash; 93 is the first of another shot.
    assert followed.cuts == [93]
    wide, close = [], []
    for times_s in followed.lives.values():
        (wide if times_s[0] < 93 / 25 else close).append(len(times_s))
    # The smaller one is 17 pixels wide at first; the other turns to the camera later.
    assert sorted(wide, reverse=True)[0] == 93
    assert len(wide) == 2
    assert close == [125 - 93]


def test_a_tiny_picture_has_one_track() -> None:
    followed = _follow("tiny_176x144_talking", "yunet")
    assert len(followed.lives) == 1
    assert followed.with_face >= 0.95 * followed.frames


@pytest.mark.parametrize("detector", ["yunet", "cascade"])
def test_black_frames_show_nobody(detector: str) -> None:
    tracker = FaceTracker(InStepSearch(_detector(detector)))
    black = np.zeros((480, 640, 3), dtype=np.uint8)
    assert all(not tracker.update(black, index / 30).tracks for index in range(30))


def test_a_face_that_fills_the_picture_is_followed() -> None:
    image = cv2.imread(str(shared_file("media/faces/several_faces.jpg")))
    assert image is not None
    detector = _detector("yunet")
    box = max(detector.detect(np.asarray(image, np.uint8)), key=lambda d: d.box.area).box
    left, top = max(0, round(box.x)), max(0, round(box.y))
    face = image[top : round(box.y + box.h), left : round(box.x + box.w)]
    filled = np.asarray(cv2.resize(face, (480, 640), interpolation=cv2.INTER_CUBIC), np.uint8)
    tracker = FaceTracker(InStepSearch(detector))
    for index in range(10):
        update = tracker.update(filled, index / 30)
    assert len(update.tracks) == 1
    assert update.tracks[0].box.area > 0.4 * 480 * 640


def _walk_out(call: int) -> Sequence[Box]:
    return [Box(20 + 8 * call, 10, 20, 26)] if call < 6 else []


def test_a_face_that_leaves_the_picture_ends() -> None:
    tracker = FaceTracker(InStepSearch(ScriptedDetector(_walk_out)))
    grey = np.full((48, 64, 3), 90, dtype=np.uint8)
    reasons = []
    for index in range(90):
        reasons += [ended.reason for ended in tracker.update(grey, index / 30).ended]
    assert reasons == ["lost"]
