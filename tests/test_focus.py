"""Which face the bars and the strip are about."""

from realtime_mood.events import Event
from realtime_mood.faces.box import Box
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.focus import Focus
from realtime_mood.frame import Frame
from realtime_mood.model.labels import LABELS
from realtime_mood.session import FaceStage, Session
from realtime_mood.smoothing import MoodState, SmoothingConfig
from realtime_mood.view import FaceView
from tests.fakes import SPEC, LateSearch, ScriptedDetector, numbered_image

MOOD = MoodState("happy", 0.9, tuple(1 / len(LABELS) for _ in LABELS))


def _face(track_id: int, side: float, *, known: bool = True) -> FaceView:
    return FaceView(track_id, Box(0, 0, side, side), MOOD if known else None)


def _first(focus: Focus, *faces: FaceView) -> int:
    shown = focus.first(faces)
    assert sorted(face.track_id for face in shown) == sorted(face.track_id for face in faces)
    return shown[0].track_id


def test_without_a_face_there_is_none() -> None:
    assert Focus().first([]) == ()


def test_it_begins_with_the_largest_and_of_two_alike_with_the_older() -> None:
    assert _first(Focus(), _face(1, 100), _face(2, 200)) == 2
    assert _first(Focus(), _face(1, 190), _face(2, 200)) == 1


def test_it_stays_until_somebody_known_is_much_nearer() -> None:
    focus = Focus()
    assert _first(focus, _face(1, 100), _face(2, 50)) == 1
    assert _first(focus, _face(1, 100), _face(2, 125)) == 1
    assert _first(focus, _face(1, 100), _face(2, 300, known=False)) == 1
    assert _first(focus, _face(1, 100), _face(2, 150)) == 2
    assert _first(focus, _face(1, 125), _face(2, 100)) == 2
    assert _first(focus, _face(2, 100), _face(3, 500, known=False)) == 2


def test_it_moves_only_to_a_face_whose_mood_is_known_where_there_is_one() -> None:
    focus = Focus()
    assert _first(focus, _face(1, 100), _face(2, 50), _face(3, 200, known=False)) == 1
    assert _first(focus, _face(2, 50), _face(3, 200, known=False)) == 2


def test_of_new_faces_it_goes_to_the_one_known_first() -> None:
    focus = Focus()
    new = _face(2, 200, known=False)
    assert _first(focus, _face(1, 100, known=False), new) == 2
    assert _first(focus, _face(1, 210, known=False), new) == 2
    assert _first(focus, _face(1, 100), new) == 1


def test_a_session_keeps_it_from_one_picture_to_the_next() -> None:
    """A face comes a little nearer than the one beside it."""

    def script(call: int) -> list[Box]:
        return [Box(0, 4, 20, 20), Box(26, 4, 12 + call / 2, 12 + call / 2)]

    events: list[Event] = []
    session = Session(SmoothingConfig(), on_event=events.append)
    search = LateSearch(ScriptedDetector(script), frames_late=0)
    stage = FaceStage(FaceTracker(search), SPEC, stride_s=0.2)
    firsts = []
    for index in range(60):
        frame = Frame(numbered_image(0), index / 30, index)
        session.add_tracks(frame, stage.process(frame)[0])
        if faces := session.view(frame.timestamp_s).faces:
            firsts.append(faces[0].track_id)
    small, large = (session.view(2.0).faces[i].box.area for i in (0, 1))
    assert large > small
    assert set(firsts) == {1}
