"""What a session makes of faces and answers: the view that is drawn, and the events."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from realtime_mood.faces.box import Box
from realtime_mood.faces.crop import crop_face
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import EndedTrack, FaceTrack, FaceTracker, TrackUpdate
from realtime_mood.frame import Frame
from realtime_mood.inference.classifier import Probabilities
from realtime_mood.inference.clip_sampler import Clip
from realtime_mood.model.labels import LABEL2ID, LABELS, UNSURE
from realtime_mood.session import MAX_GAP_S, FaceStage, Session
from realtime_mood.smoothing import SmoothingConfig
from tests.fakes import SPEC, MemoryEventSink, ScriptedDetector, dark_and_bright, one_face

FACE = FaceTrack(1, Box(10, 8, 24, 32))
OTHER = FaceTrack(2, Box(40, 8, 18, 24))
NO_PIXELS = np.zeros((1, 2, 2, 3), dtype=np.uint8)


class _Told:
    """A session at 10 frames a second, and what it said."""

    def __init__(self, *, neutral_start: bool = False) -> None:
        self.events = MemoryEventSink()
        self.session = Session(
            SmoothingConfig(), neutral_start=neutral_start, on_event=self.events.write
        )

    def frame(
        self,
        index: int,
        tracks: Sequence[FaceTrack],
        *,
        started: Sequence[FaceTrack] = (),
        ended: Sequence[int] = (),
        clips: Sequence[Clip] = (),
    ) -> None:
        update = TrackUpdate(
            tuple(tracks), tuple(started), tuple(EndedTrack(track_id, "lost") for track_id in ended)
        )
        self.session.add_tracks(Frame(dark_and_bright(0), index / 10, index), update, clips)

    def look(self, index: int, *tracks: FaceTrack, label: str) -> None:
        """A frame of which each of the faces has a clip, that shows this label."""
        clips = [_clip(index, track) for track in tracks]
        self.frame(index, tracks, clips=clips)
        self.answer(clips, *[label] * len(clips))

    def labels(self) -> list[str]:
        """Of each answer, as it is shown."""
        return [event["label"] for event in self.events.of_type("prediction")]

    def answer(self, clips: Sequence[Clip], *labels: str) -> None:
        self.session.add_predictions(clips, _rows(*labels), latencies_s=[0.1] * len(clips))


def _clip(index: int, track: FaceTrack = FACE) -> Clip:
    return Clip(track.track_id, index, index / 10, NO_PIXELS)


def _rows(*labels: str) -> Probabilities:
    rows = np.full((len(labels), len(LABELS)), 0.01)
    for row, label in zip(rows, labels, strict=True):
        row[LABEL2ID[label]] = 0.93
    return rows


def test_a_view_has_the_mood_its_past_and_its_age() -> None:
    told = _Told()
    told.frame(0, [FACE], started=[FACE])
    (before,) = told.session.view(0.0).faces
    assert (before.mood, before.history, before.label_age_s) == (None, (), None)
    for index, label in ((4, "happy"), (14, "sad")):
        told.frame(index, [FACE], clips=[_clip(index)])
        told.answer([_clip(index)], label)
    told.frame(17, [FACE])
    (after,) = told.session.view(1.7).faces
    assert after.mood is not None
    assert after.mood.label == "sad"
    assert after.history == ((0.4, "happy"), (1.4, "sad"))
    assert after.label_age_s == pytest.approx(0.3)


def test_of_faces_that_are_answered_together_each_has_its_own_answer() -> None:
    told = _Told()
    clips = [_clip(4, FACE), _clip(4, OTHER)]
    told.frame(0, [FACE, OTHER], started=[FACE, OTHER])
    told.frame(4, [FACE, OTHER], clips=clips)
    told.answer(clips, "happy", "sad")
    predictions = told.events.of_type("prediction")
    assert [(p["track_id"], p["label"]) for p in predictions] == [(1, "happy"), (2, "sad")]
    assert [p["raw_probabilities"]["happy"] for p in predictions] == [0.93, 0.01]
    assert [p["box_xywh"] for p in predictions] == [FACE.box.to_xywh(), OTHER.box.to_xywh()]
    assert [
        (face.track_id, face.mood.label if face.mood else None)
        for face in told.session.view(0.4).faces
    ] == [(1, "happy"), (2, "sad")]


def test_a_late_answer_is_about_the_face_as_it_was_in_its_clip() -> None:
    told = _Told()
    moved = FaceTrack(1, Box(30, 12, 24, 32), is_hidden=True)
    told.frame(0, [FACE], started=[FACE])
    told.frame(12, [FACE], clips=[_clip(12)])
    told.frame(20, [moved])
    told.answer([_clip(12)], "happy")
    (prediction,) = told.events.of_type("prediction")
    assert prediction["box_xywh"] == FACE.box.to_xywh()
    assert prediction["label"] == "happy"
    assert (prediction["frame_index"], prediction["media_time_s"]) == (12, 1.2)


def test_of_a_face_that_was_hidden_in_its_clip_nothing_is_known_though_it_is_back() -> None:
    told = _Told()
    hidden = replace(FACE, is_hidden=True)
    told.frame(0, [FACE], started=[FACE])
    told.frame(12, [hidden], clips=[_clip(12)])
    told.frame(20, [FACE])
    told.answer([_clip(12)], "happy")
    assert [event["label"] for event in told.events.of_type("prediction")] == [UNSURE]


def test_each_time_that_nobody_is_left_is_told_once_and_before_the_next_face() -> None:
    told = _Told()
    told.frame(0, [FACE], started=[FACE])
    told.frame(1, [FACE])
    told.frame(2, [], ended=[1])
    for index in range(3, 8):
        told.frame(index, [])
    told.frame(8, [OTHER], started=[OTHER])
    told.frame(9, [], ended=[2])
    told.frame(10, [])
    assert [(event["type"], event["media_time_s"]) for event in told.events.events] == [
        ("track_started", 0.0),
        ("track_ended", 0.2),
        ("no_face", 0.2),
        ("track_started", 0.8),
        ("track_ended", 0.9),
        ("no_face", 0.9),
    ]


def test_a_long_silence_of_the_source_is_hardly_counted() -> None:
    told = _Told()
    told.frame(0, [])
    told.frame(5, [])
    told.frame(605, [])
    told.frame(610, [])
    summary = told.session.finish(ended="end")
    assert summary["media_time_s"] == 61.0
    assert summary["mood_seconds"] == {"no face": 0.5 + MAX_GAP_S + 0.5}


def test_a_turned_head_is_cut_out_level() -> None:
    spec = replace(SPEC, align_roll=True)
    turned = ScriptedDetector(one_face, roll_rad=lambda call: 0.5)
    stage = FaceStage(FaceTracker(InStepSearch(turned)), spec, stride_s=0.2)
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    clips = [clip for i in range(8) for clip in stage.process(Frame(picture, i / 10, i))[1]]
    level = crop_face(picture, one_face(0)[0], spec, roll_rad=0.5)
    assert (level != crop_face(picture, one_face(0)[0], spec)).any()
    np.testing.assert_array_equal(clips[0].crops_bgr[-1], level)


def test_a_face_that_is_taken_for_neutral_is_so_until_it_shows_something_else() -> None:
    told = _Told()
    told.frame(0, [FACE], started=[FACE])
    for index in (4, 6, 8, 10, 12):
        told.look(index, FACE, label="sad")
    assert not told.session.view(1.2).faces[0].has_neutral
    assert told.session.learn_neutral() == 1
    assert told.session.view(1.2).faces[0].has_neutral
    told.look(14, FACE, label="sad")
    told.look(16, FACE, label="happy")
    told.look(18, FACE, label="happy")
    assert told.labels()[:5] == ["sad"] * 5
    assert told.labels()[-1] == "happy"
    after = told.events.of_type("prediction")[5]
    # What the model says is told as it is; what is shown is by this face's measure.
    assert after["raw_probabilities"]["sad"] == 0.93
    assert after["label"] == "neutral"
    assert after["probabilities"]["neutral"] == pytest.approx(0.5, abs=1e-4)
    (learned,) = told.events.of_type("neutral_learned")
    assert (learned["media_time_s"], learned["track_id"]) == (1.2, 1)
    assert learned["factors"]["sad"] == pytest.approx(0.01 / 7 / 0.93, abs=1e-4)
    assert learned["factors"]["neutral"] == 1.0


def test_a_neutral_expression_is_learned_from_the_last_second_alone() -> None:
    told = _Told()
    told.frame(0, [FACE], started=[FACE])
    told.look(3, FACE, label="happy")
    for index in range(6, 16, 2):
        told.look(index, FACE, label="neutral")
    told.session.learn_neutral()
    (learned,) = told.events.of_type("neutral_learned")
    assert learned["factors"]["happy"] == 1.0
    told.look(16, FACE, label="happy")
    told.look(18, FACE, label="happy")
    assert told.labels()[-1] == "happy"


def test_what_was_learned_is_forgotten_and_learned_anew_from_what_the_model_says() -> None:
    told = _Told()
    told.frame(0, [FACE], started=[FACE])
    told.look(4, FACE, label="happy")
    assert told.session.learn_neutral() == 1
    assert told.session.learn_neutral() == 0
    told.look(6, FACE, label="happy")
    assert told.labels()[-1] == "neutral"
    told.frame(7, [FACE])
    assert told.session.forget_neutral() == 1
    assert told.session.forget_neutral() == 0
    assert told.session.view(0.6).faces[0].label == "happy"
    assert not told.session.view(0.6).faces[0].has_neutral
    (forgotten,) = told.events.of_type("neutral_forgotten")
    assert (forgotten["media_time_s"], forgotten["track_id"]) == (0.6, 1)
    told.look(24, FACE, label="neutral")
    assert told.session.learn_neutral() == 1
    told.look(26, FACE, label="happy")
    told.look(30, FACE, label="happy")
    assert told.labels()[-1] == "happy"


def test_each_face_has_its_own_and_a_new_one_has_none() -> None:
    told = _Told()
    told.frame(0, [FACE, OTHER], started=[FACE, OTHER])
    told.look(4, FACE, label="sad")
    told.look(5, OTHER, label="happy")
    assert told.session.learn_neutral() == 2
    told.look(6, FACE, label="happy")
    told.look(7, OTHER, label="sad")
    assert told.labels()[-2:] == ["happy", "sad"]
    new = replace(FACE, track_id=3)
    told.frame(8, [new], started=[new], ended=[1, 2])
    told.look(12, new, label="sad")
    assert told.labels()[-1] == "sad"


def test_what_is_learned_is_seen_at_once() -> None:
    told = _Told()
    told.frame(0, [FACE], started=[FACE])
    for index in (4, 6, 8):
        told.look(index, FACE, label="sad")
    assert told.session.view(0.8).faces[0].label == "sad"
    told.session.learn_neutral()
    assert told.session.view(0.8).faces[0].label == "neutral"
    assert told.session.view(0.8).faces[0].history[-1] == (0.8, "neutral")


@pytest.mark.parametrize("why", ["new", "hidden then", "hidden now", "paused"])
def test_of_a_face_of_which_nothing_is_known_nothing_is_learned(why: str) -> None:
    told = _Told()
    hidden = replace(FACE, is_hidden=True)
    told.frame(0, [FACE], started=[FACE])
    if why != "new":
        told.look(4, FACE, label="sad")
    if why == "hidden then":
        told.look(6, hidden, label="sad")
        told.frame(7, [FACE])
    if why == "hidden now":
        told.frame(6, [hidden])
    if why == "paused":
        told.frame(200, [FACE])
    assert told.session.learn_neutral() == 0
    assert told.events.of_type("neutral_learned") == []


def test_an_answer_to_a_clip_of_before_a_pause_comes_too_late() -> None:
    told = _Told()
    told.frame(0, [FACE], started=[FACE])
    told.frame(4, [FACE], clips=[_clip(4)])
    told.frame(200, [FACE])
    told.answer([_clip(4)], "sad")
    assert told.events.of_type("prediction") == []
    assert told.session.view(20.0).faces[0].mood is None
    assert told.session.learn_neutral() == 0


def test_the_first_second_of_each_face_is_neutral_where_that_is_asked_for() -> None:
    told = _Told(neutral_start=True)
    told.frame(0, [FACE], started=[FACE])
    for index in (4, 6, 8, 10, 12):
        told.look(index, FACE, label="sad")
    assert told.events.of_type("neutral_learned") == []
    told.look(15, FACE, label="sad")
    assert told.labels() == ["sad"] * 5 + ["neutral"]
    # Once forgotten, it is not learned by itself again.
    told.session.forget_neutral()
    told.look(17, FACE, label="sad")
    assert told.labels()[-1] == "sad"
    told.frame(18, [FACE, OTHER], started=[OTHER])
    for index in range(20, 42, 2):
        told.look(index, FACE, label="happy")
        told.look(index, OTHER, label="surprised")
    # Once for each, and of its own first second.
    learned = [(e["track_id"], e["media_time_s"]) for e in told.events.of_type("neutral_learned")]
    assert learned == [(1, 1.2), (2, 2.8)]
    predictions = told.events.of_type("prediction")
    shown = {(event["media_time_s"], event["track_id"]): event["label"] for event in predictions}
    assert (shown[4.0, 1], shown[4.0, 2]) == ("happy", "neutral")


def test_a_face_that_was_hidden_in_its_first_second_begins_anew() -> None:
    told = _Told(neutral_start=True)
    told.frame(0, [FACE], started=[FACE])
    for index in (4, 6, 8):
        told.look(index, FACE, label="sad")
    told.look(10, replace(FACE, is_hidden=True), label="sad")
    for index in range(12, 22, 2):
        told.look(index, FACE, label="happy")
    assert told.events.of_type("neutral_learned") == []
    told.look(23, FACE, label="happy")
    (learned,) = told.events.of_type("neutral_learned")
    assert learned["factors"]["happy"] < learned["factors"]["sad"]


def test_where_looks_are_far_between_the_last_one_is_learned() -> None:
    told = _Told(neutral_start=True)
    told.frame(0, [FACE], started=[FACE])
    for index in (4, 24, 44):
        told.look(index, FACE, label="sad")
    assert told.labels() == ["sad", "neutral", "neutral"]


def test_what_was_shown_before_a_long_pause_is_not_held_after_it() -> None:
    told = _Told()
    told.frame(0, [FACE], started=[FACE])
    told.look(4, FACE, label="sad")
    row = np.full((1, len(LABELS)), 0.055)
    row[0, LABEL2ID["sad"]], row[0, LABEL2ID["happy"]] = 0.31, 0.36
    told.frame(300, [FACE], clips=[_clip(300)])
    told.session.add_predictions([_clip(300)], row, latencies_s=[0.1])
    assert told.labels() == ["sad", UNSURE]


def test_a_key_learns_of_faces_that_have_none_and_then_forgets_all() -> None:
    told = _Told()
    told.frame(0, [FACE, OTHER], started=[FACE, OTHER])
    told.look(4, FACE, label="sad")
    assert told.session.learn_neutral() == 1
    told.look(6, OTHER, label="sad")
    assert told.session.learn_neutral() == 1
    assert told.session.learn_neutral() == 0
    assert told.session.forget_neutral() == 2
