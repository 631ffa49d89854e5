"""What is shown of a face after nothing was seen for a while."""

import numpy as np

from realtime_mood.faces.box import Box
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.frame import Frame
from realtime_mood.model.labels import LABELS
from realtime_mood.session import FaceStage, Session
from realtime_mood.smoothing import UNSURE, SmoothingConfig
from tests.fakes import SPEC, LateSearch, ScriptedDetector, numbered_image

HAPPY = np.eye(len(LABELS))[LABELS.index("happy")]


class _Watched:
    """A session that sees one face, which is happy."""

    def __init__(self) -> None:
        self.session = Session(SmoothingConfig(), on_event=lambda _: None)
        search = LateSearch(ScriptedDetector(lambda call: [Box(0, 4, 20, 20)]), frames_late=0)
        self._stage = FaceStage(FaceTracker(search), SPEC, stride_s=0.2)
        self._index = 0

    def show(self, time_s: float, *, is_answered: bool = True) -> None:
        frame = Frame(numbered_image(0), time_s, self._index)
        self._index += 1
        update, clips = self._stage.process(frame)
        self.session.add_tracks(frame, update, clips)
        if is_answered and clips:
            rows = np.stack([HAPPY] * len(clips))
            self.session.add_predictions(clips, rows, latencies_s=[0.0] * len(clips))


def test_a_mood_lasts_between_the_pictures_of_a_time_lapse() -> None:
    watched = _Watched()
    for index in range(10):
        watched.show(2.0 * index)
    seconds = watched.session.finish(ended="end")["mood_seconds"]
    assert max(seconds, key=seconds.__getitem__) == "happy"


def test_a_mood_does_not_last_over_a_pause() -> None:
    watched = _Watched()
    for index in range(61):
        watched.show(index / 30)
    (before,) = watched.session.view(2.0).faces
    assert before.mood is not None
    assert before.mood.label == "happy"

    watched.show(60.0, is_answered=False)
    (after,) = watched.session.view(60.0).faces
    assert after.track_id == before.track_id
    assert after.mood is None
    assert after.label_age_s is None
    assert after.history[-1] == (2.0, UNSURE)

    watched.show(60.4)
    (later,) = watched.session.view(60.4).faces
    assert later.mood is not None
    assert later.history[-1] == (60.4, "happy")
