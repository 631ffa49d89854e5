"""What is shown of a face after nothing was seen for a while."""

import numpy as np

from realtime_mood.events import Event
from realtime_mood.faces.box import Box
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.frame import Frame
from realtime_mood.model.labels import LABELS
from realtime_mood.session import FaceStage, Session
from realtime_mood.smoothing import UNSURE, SmoothingConfig
from tests.fakes import SPEC, LateSearch, ScriptedDetector, numbered_image

HAPPY = np.eye(len(LABELS))[LABELS.index("happy")]


def test_a_mood_lasts_between_the_pictures_of_a_time_lapse() -> None:
    session = Session(SmoothingConfig(), on_event=lambda _: None)
    search = LateSearch(ScriptedDetector(lambda call: [Box(0, 4, 20, 20)]), frames_late=0)
    stage = FaceStage(FaceTracker(search), SPEC, stride_s=0.2)
    for index in range(10):
        frame = Frame(numbered_image(0), 2.0 * index, index)
        update, clips = stage.process(frame)
        session.add_tracks(frame, update, clips)
        rows = np.stack([HAPPY] * len(clips)) if clips else np.empty((0, len(LABELS)))
        session.add_predictions(clips, rows, latencies_s=[0.0] * len(clips))
    seconds = session.finish(ended="end")["mood_seconds"]
    assert max(seconds, key=seconds.__getitem__) == "happy"


def test_a_mood_does_not_last_over_a_pause() -> None:
    events: list[Event] = []
    session = Session(SmoothingConfig(), on_event=events.append)
    search = LateSearch(ScriptedDetector(lambda call: [Box(0, 4, 20, 20)]), frames_late=0)
    stage = FaceStage(FaceTracker(search), SPEC, stride_s=0.2)

    def show(index: int, time_s: float, *, is_answered: bool = True) -> None:
        frame = Frame(numbered_image(0), time_s, index)
        update, clips = stage.process(frame)
        session.add_tracks(frame, update, clips)
        if is_answered and clips:
            rows = np.stack([HAPPY] * len(clips))
            session.add_predictions(clips, rows, latencies_s=[0.0] * len(clips))

    for index in range(61):
        show(index, index / 30)
    (before,) = session.view(2.0).faces
    assert before.mood is not None
    assert before.mood.label == "happy"

    show(61, 60.0, is_answered=False)
    (after,) = session.view(60.0).faces
    assert after.track_id == before.track_id
    assert after.mood is None
    assert after.label_age_s is None
    assert after.history[-1] == (2.0, UNSURE)

    show(62, 60.4)
    (later,) = session.view(60.4).faces
    assert later.mood is not None
    assert later.history[-1] == (60.4, "happy")
