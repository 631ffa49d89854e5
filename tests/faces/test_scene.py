"""The tracker on a picture with known faces, by the standard measures of tracking."""

from collections.abc import Sequence

import numpy as np
import pytest
from trackeval.metrics import CLEAR, Identity

from realtime_mood.faces.box import Box
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.faces.yunet import YuNetDetector
from tests.faces.scene import CROSSINGS_S, CUT_S, HIDDEN_S, SECONDS, scene
from tests.fakes import LateSearch
from tests.shared import shared_file

YUNET = "data/face_detector/face_detection_yunet_2023mar.onnx"
CLIP = "data/ravdess_reanimated/Actor_{0:02d}/02-01-05-02-01-01-{0:02d}.mp4"
ACTORS = (1, 2, 3)

Numbered = list[tuple[int, Box]]


class _Scored:
    """What is known and what was tracked on every frame."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.known: list[Numbered] = []
        self.tracked: list[Numbered] = []
        self.endings: list[tuple[float, str]] = []

    def measures(self) -> dict[str, float]:
        known_ids = _dense_ids(self.known)
        track_ids = _dense_ids(self.tracked)
        data = {
            "num_timesteps": len(self.known),
            "num_gt_ids": len(known_ids),
            "num_tracker_ids": len(track_ids),
            "num_gt_dets": sum(map(len, self.known)),
            "num_tracker_dets": sum(map(len, self.tracked)),
            "gt_ids": [np.array([known_ids[n] for n, _ in f], int) for f in self.known],
            "tracker_ids": [np.array([track_ids[n] for n, _ in f], int) for f in self.tracked],
            "similarity_scores": [
                np.array([[box.iou(other) for _, other in tracked] for _, box in known]).reshape(
                    len(known), len(tracked)
                )
                for known, tracked in zip(self.known, self.tracked, strict=True)
            ],
        }
        quiet = {"PRINT_CONFIG": False}
        return {**Identity(quiet).eval_sequence(data), **CLEAR(quiet).eval_sequence(data)}

    def switches_s(self) -> list[float]:
        """When a person's face went on under another id, by the nearest track of each frame."""
        last: dict[int, int] = {}
        times_s = []
        for time_s, known, tracked in zip(self.times_s, self.known, self.tracked, strict=True):
            for person, box in known:
                best = max(tracked, key=lambda pair: pair[1].iou(box), default=None)
                if best is None or best[1].iou(box) < 0.5:
                    continue
                if last.get(person, best[0]) != best[0]:
                    times_s.append(time_s)
                last[person] = best[0]
        return times_s


def _dense_ids(frames: Sequence[Numbered]) -> dict[int, int]:
    numbers = sorted({number for frame in frames for number, _ in frame})
    return {number: index for index, number in enumerate(numbers)}


FRAMES_LATE = {"in step": 0, "in a thread": 2}
"""How many frames later it is known what a search has found."""


@pytest.fixture(scope="module")
def scores() -> dict[str, _Scored]:
    yunet_file = shared_file(YUNET)
    detector = YuNetDetector(yunet_file)
    trackers = {
        name: FaceTracker(LateSearch(detector, frames_late=frames))
        for name, frames in FRAMES_LATE.items()
    }
    results = {name: _Scored() for name in trackers}
    for time_s, picture, known in scene([shared_file(CLIP.format(a)) for a in ACTORS], yunet_file):
        for name, result in results.items():
            update = trackers[name].update(picture, time_s)
            result.times_s.append(time_s)
            result.known.append([(face.person, face.box) for face in known])
            result.tracked.append([(track.track_id, track.box) for track in update.tracks])
            result.endings += [(time_s, ended.reason) for ended in update.ended]
    return results


@pytest.fixture(params=list(FRAMES_LATE))
def scored(scores: dict[str, _Scored], request: pytest.FixtureRequest) -> _Scored:
    return scores[request.param]


def test_identities_are_kept(scored: _Scored) -> None:
    measures = scored.measures()
    assert measures["IDF1"] >= 0.95
    assert measures["MOTA"] >= 0.9


def test_ids_are_switched_at_most_in_the_crossings(scored: _Scored) -> None:
    outside = [
        time_s
        for time_s in scored.switches_s()
        if not any(start <= time_s <= stop for start, stop in CROSSINGS_S)
    ]
    assert outside == []


def test_a_face_behind_a_pillar_comes_back_under_its_id(scored: _Scored) -> None:
    def ids_at(time_s: float) -> set[int]:
        frame = min(range(len(scored.times_s)), key=lambda i: abs(scored.times_s[i] - time_s))
        return {number for number, _ in scored.tracked[frame]}

    assert ids_at(HIDDEN_S[0] - 0.1) == ids_at(HIDDEN_S[1] + 0.3)


def test_the_cut_ends_all_tracks_and_nothing_else_does(scored: _Scored) -> None:
    assert scored.endings == [(pytest.approx(CUT_S), "cut")] * 3
    assert scored.times_s[-1] > SECONDS - 0.1
