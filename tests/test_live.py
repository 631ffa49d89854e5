"""The live loop with a synthetic source; real threads, real time, generous bounds."""

import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.errors import ModelError, OutputError, SourceError
from realtime_mood.faces.box import Box
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import FaceTrack, FaceTracker, TrackUpdate
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.live_screen import KEYS
from realtime_mood.model.checkpoint import Contract
from realtime_mood.offline import analyse
from realtime_mood.recorder import Recorder
from realtime_mood.session import Session
from realtime_mood.smoothing import SmoothingConfig
from tests.fakes import (
    SPEC,
    BrightnessClassifier,
    FakeClassifier,
    FakeScreen,
    ListSource,
    MemoryEventSink,
    ScriptedDetector,
    dark_and_bright,
    numbered_image,
    one_face,
    two_faces,
    without_clocks,
)
from tests.live_run import CONTRACT, LiveRun, shown_views, told_messages
from tests.media import read_all


def test_the_picture_does_not_wait_for_a_slow_model() -> None:
    taken: list[tuple[int, int]] = []

    def take_half_a_second() -> None:
        # The grey of a frame is its number, see `numbered_image`.
        last_frame = classifier.batches[-1][0, -1, 0, 0, 0]
        frames = live.pipeline.capture.frames
        newest = frames.wait_after(-math.inf, max_lag_s=0.0, timeout_s=0.0)
        assert newest is not None
        taken.append((round((float(last_frame) * 0.25 + 0.5) * 255), newest.index))
        time.sleep(0.5)

    classifier = FakeClassifier(wait=take_half_a_second)
    live = LiveRun(ListSource(150), classifier)
    report = live.run()
    # 30 Hz for 5 s: nearly all frames are shown although the model takes 15 frames' time.
    assert len(live.screen.shown_s) >= 140
    assert np.median(np.diff(live.screen.shown_s[1:])) == pytest.approx(1 / 30, abs=0.005)
    # One clip is due every 6 frames, so the newest is at most about that old when it is taken.
    assert len(taken) >= 5
    assert all(newest - last <= 6 + 3 for last, newest in taken)
    # 19 clips were due, 7 could be served.
    assert report.summary["skipped_clips"] >= 8
    assert report.summary["predictions"] == len(taken)


def test_frames_of_a_camera_do_not_wait_for_a_slow_detector() -> None:
    frames = 135
    last_is_near = threading.Event()

    def find_once_then_hang(call: int) -> Sequence[Box]:
        assert call == 0 or last_is_near.wait(60)
        return one_face(call)

    def take_a_picture(index: int) -> None:
        time.sleep(1 / 30)
        if index == frames - 1:
            last_is_near.set()

    source = ListSource(frames, is_live=True, before_read=take_a_picture)
    live = LiveRun(source, FakeClassifier(), detector=find_once_then_hang)
    live.run()
    predictions = live.events.of_type("prediction")
    # Of 4.5 s the first clip takes 0.4 s; a frame that waited would be the last but one.
    assert len(predictions) >= 5
    assert {event["track_id"] for event in predictions} == {1}
    # Before the first detection nobody knows whether there is a face.
    assert live.events.of_type("no_face") == []


def test_what_the_detectors_thread_died_of_reaches_the_caller() -> None:
    def fail(call: int) -> Sequence[Box]:
        raise ModelError("no memory")

    source = ListSource(3000, is_live=True, before_read=lambda index: time.sleep(1 / 30))
    with pytest.raises(ModelError, match="no memory"):
        LiveRun(source, FakeClassifier(), detector=fail).run()


def test_a_detector_that_answers_after_the_end_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime_mood.pipeline.JOIN_TIMEOUT_S", 0.1)
    hangs, let = threading.Event(), threading.Event()

    def find_once_then_hang(call: int) -> Sequence[Box]:
        if call > 0:
            hangs.set()
            assert let.wait(60)
        return one_face(call)

    class Screen(FakeScreen):
        def read_key(self) -> str | None:
            return "q" if hangs.is_set() else None

    screen = Screen(clock=time.monotonic)
    live = LiveRun(ListSource(3000), FakeClassifier(), screen=screen, detector=find_once_then_hang)
    live.run()
    assert live.events.events[-1]["type"] == "summary"
    let.set()
    assert live.pipeline._faces.join(60)
    live.pipeline.raise_errors()


def test_a_picture_is_shown_with_its_own_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    # So long that a busy machine makes it too; not waiting at all fails more than half.
    monkeypatch.setattr("realtime_mood.main_loop.FACES_WAIT_S", 20.0)
    had_boxes: list[bool] = []

    class Screen(FakeScreen):
        def show(self, image_bgr: ImageBGR) -> None:
            super().show(image_bgr)
            if image_bgr.shape == (48, 64, 3):
                # The grey of a frame is its number, see `numbered_image`.
                time_s = float(image_bgr[0, 0, 0]) / 30
                had_boxes.append(live.pipeline.session.wait_for_frame(time_s, timeout_s=0.0))

    live = LiveRun(ListSource(90), FakeClassifier(), screen=Screen(clock=time.monotonic))
    live.run()
    assert had_boxes
    assert all(had_boxes)


@pytest.mark.parametrize("neutral_start", [False, True])
def test_a_live_run_that_skips_nothing_equals_the_offline_run(neutral_start: bool) -> None:
    def two_shots(number: int) -> ImageBGR:
        image = dark_and_bright(number)
        return image if number < 30 else np.ascontiguousarray(image[:, ::-1])

    def script(call: int) -> Sequence[Box]:
        # Moves into the light, and comes back a little after the cut.
        return [] if 10 <= call < 13 else [Box(2 + 4 * min(call, 10), 8, 18, 24)]

    def wait_for_faces(index: int) -> None:
        if index > 0:
            assert live.pipeline.session.wait_for_frame((index - 1) / 30, timeout_s=60)

    frames = 84 if neutral_start else 60
    # A busy machine may skip a clip; that is not what is tested here.
    for _ in range(4):
        source = ListSource(frames, before_read=wait_for_faces, picture=two_shots)
        shown = BrightnessClassifier()
        live = LiveRun(source, shown, detector=script, stride_s=0.1, neutral_start=neutral_start)
        report = live.run()
        if report.summary["skipped_clips"] == 0:
            break
    assert report.summary["skipped_clips"] == 0
    offline, worked_through = MemoryEventSink(), BrightnessClassifier()
    analyse(
        ListSource(frames, picture=two_shots),
        FaceTracker(InStepSearch(ScriptedDetector(script))),
        worked_through,
        SPEC,
        stride_s=0.1,
        smoothing=SmoothingConfig(),
        neutral_start=neutral_start,
        event_sink=offline,
    )
    np.testing.assert_array_equal(
        np.concatenate(shown.batches), np.concatenate(worked_through.batches)
    )
    kinds = ["track_started", "prediction", "track_ended", "no_face"]
    for kind in [*kinds, "neutral_learned"] if neutral_start else kinds:
        events = without_clocks(live.events.of_type(kind))
        assert events == without_clocks(offline.of_type(kind))
        assert events, kind
    predictions = offline.of_type("prediction")
    assert {event["label"] for event in predictions} >= {"happy", "sad"}
    assert {event["track_id"] for event in predictions} == {1, 2}
    assert len({event["box_xywh"][0] for event in predictions}) > 3


def _late_model(loading: threading.Event) -> Callable[[], tuple[Path, Contract]]:
    def locate() -> tuple[Path, Contract]:
        loading.wait(30)
        return Path("fake"), CONTRACT

    return locate


def test_a_live_picture_moves_before_the_model_is_there() -> None:
    loading = threading.Event()
    screen = FakeScreen({10: "q"}, clock=time.monotonic)
    source = ListSource(3000, is_live=True, before_read=lambda index: time.sleep(1 / 30))
    live = LiveRun(source, FakeClassifier(), screen=screen, locate=_late_model(loading))
    live.run()
    assert len(screen.shown_s) >= 10
    assert live.events.of_type("prediction") == []
    loading.set()


def test_a_file_stands_at_its_first_frame_until_the_model_is_there() -> None:
    loading = threading.Event()
    live = LiveRun(ListSource(60), FakeClassifier(), locate=_late_model(loading))
    release = threading.Timer(0.7, loading.set)
    release.start()
    report = live.run()
    assert len(live.screen.shown_s) >= 55
    # The placeholder, the first frame, then nothing new for as long as the model takes.
    assert live.screen.shown_s[1] - live.screen.shown_s[0] < 0.5
    assert live.screen.shown_s[2] - live.screen.shown_s[1] > 0.3
    assert report.summary["frames"] == 60
    # What the model took to load does not count as slowness.
    assert report.lines()[0] == "60 frames, 2.0 s of video"
    assert len(live.events.of_type("prediction")) >= 3


def test_the_first_events_tell_of_the_run_and_its_engine() -> None:
    live = LiveRun(ListSource(10), FakeClassifier())
    live.run()
    kinds = [event["type"] for event in live.events.events]
    assert kinds[0] == "start"
    (start,), (engine,) = (live.events.of_type(kind) for kind in ("start", "engine"))
    named = [start[key] for key in ("source", "model", "engine", "detector")]
    assert named == ["list", "fake", "loading", "none"]
    assert engine["engine"] == "fake"
    assert {"engine", "track_started", "track_ended", "summary"} <= set(kinds)
    assert kinds[-1] == "summary"


@pytest.mark.parametrize("key", ["q", "Q", "\x1b"])
def test_a_key_quits(key: str) -> None:
    screen = FakeScreen({5: key}, clock=time.monotonic)
    live = LiveRun(ListSource(3000), FakeClassifier(), screen=screen)
    live.run()
    assert len(screen.shown_s) <= 8


def test_closing_the_window_quits() -> None:
    screen = FakeScreen(clock=time.monotonic)
    live = LiveRun(ListSource(3000), FakeClassifier(), screen=screen)
    timer = threading.Timer(0.3, lambda: setattr(screen, "is_open", False))
    timer.start()
    assert live.run().summary["frames"] < 150


@pytest.mark.parametrize("way", ["key", "button"])
def test_the_display_is_served_while_a_slow_model_ends(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    views = shown_views(monkeypatch)
    release = threading.Event()

    class Screen(FakeScreen):
        """Is left as soon as it says what is waited for."""

        def read_key(self) -> str | None:
            if views[-1].message != "classifying the last clips: q quits":
                return None
            self.is_open = way == "key"
            return "q" if way == "key" else None

    live = LiveRun(
        ListSource(20),
        FakeClassifier(wait=lambda: release.wait(60) and None),
        screen=Screen(clock=time.monotonic),
    )
    started_s = time.monotonic()
    report = live.run()
    assert time.monotonic() - started_s < 20.0
    assert report.summary["ended"] == "end"
    release.set()


def test_a_picture_is_drawn_as_large_as_it_is_shown() -> None:
    screen = FakeScreen({20: "q"}, clock=time.monotonic)
    screen.size = (128, 96)
    LiveRun(ListSource(90), FakeClassifier(), screen=screen).run()
    assert screen.last_image is not None
    assert screen.last_image.shape == (96, 128, 3)


def test_space_holds_a_file_and_goes_on_where_it_was() -> None:
    screen = FakeScreen({10: " "}, clock=time.monotonic)
    live = LiveRun(ListSource(40), FakeClassifier(), screen=screen)
    resume = threading.Timer(0.6, lambda: screen._keys.update({len(screen.shown_s): " "}))
    resume.start()
    started_s = time.monotonic()
    report = live.run()
    assert time.monotonic() - started_s > 1.3 + 0.2
    assert report.summary["frames"] == 40
    assert report.summary["dropped_frames"] <= 2


def test_space_before_the_first_picture_pauses_nothing() -> None:
    keys = iter(" ")

    class Screen(FakeScreen):
        def read_key(self) -> str | None:
            return next(keys, None)

    def open_slowly() -> ListSource:
        time.sleep(0.3)
        return source

    source = ListSource(20)
    screen = Screen(clock=time.monotonic)
    live = LiveRun(source, FakeClassifier(), screen=screen, open_source=open_slowly)
    timer = threading.Timer(20.0, live.interrupt.set)
    timer.start()
    assert live.run().summary["ended"] == "end"
    timer.cancel()


def test_keys_are_answered_while_paused_and_then_the_pause_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("realtime_mood.live_screen.MESSAGE_S", 0.8)
    messages = told_messages(monkeypatch)

    paused = "paused: space goes on"
    keys = iter([" ", "s", "r", "r", "q"])

    class Screen(FakeScreen):
        """Pauses, and then presses a key whenever the pause is told."""

        def read_key(self) -> str | None:
            return next(keys) if messages[-1:] in ([None], [paused]) else None

    live = LiveRun(ListSource(3000), FakeClassifier(), screen=Screen(clock=time.monotonic))
    live.run()
    answers = [str(message).partition(" realtime-mood-")[0] for message in messages[-6:-1:2]]
    assert answers == ["saved", "recording", "not recording"]
    assert messages[-7::2] == [paused] * 4


def test_keys_are_told_when_the_model_is_there_and_after_any_other_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime_mood.live_screen.KEYS_S", 0.5)
    monkeypatch.setattr("realtime_mood.live_screen.READING_SPEED", 1000.0)
    monkeypatch.setattr("realtime_mood.live_screen.MESSAGE_S", 0.5)
    paused = "paused: space goes on"
    messages = told_messages(monkeypatch)
    keys = iter(["x", " ", "?", "q"])

    class Screen(FakeScreen):
        """Presses the next key whenever nothing is told but a pause."""

        def read_key(self) -> str | None:
            told = messages[-1:]
            return next(keys) if told in ([None], [paused]) else None

    LiveRun(ListSource(3000), FakeClassifier(), screen=Screen(clock=time.monotonic)).run()
    assert "n learn neutral" in KEYS.replace("\u00a0", " ")
    shown = messages[messages.index(KEYS) :]
    assert shown == [KEYS, None, KEYS, None, paused, KEYS, paused]


@pytest.mark.parametrize(
    ("detector", "said"),
    [
        (one_face, "neutral expression learned"),
        (two_faces, "neutral expressions of 2 faces learned"),
    ],
)
def test_a_key_learns_the_neutral_faces_and_forgets_them(
    monkeypatch: pytest.MonkeyPatch, detector: Callable[[int], Sequence[Box]], said: str
) -> None:
    messages = told_messages(monkeypatch)
    faces = len(detector(0))
    answers = 0

    class Screen(FakeScreen):
        """Presses n before faces are known, after that, and when none is sad any more."""

        def read_key(self) -> str | None:
            nonlocal answers
            known = live.events.of_type("prediction")
            if not known:
                return "n"
            if live.events.of_type("neutral_forgotten"):
                return "q"
            if "sad" not in {event["label"] for event in known[-faces:]}:
                return "n"
            answers, before = len(known), answers
            return "N" if len(known) >= 2 * faces and answers > before else None

    screen = Screen(clock=time.monotonic)
    live = LiveRun(ListSource(3000), FakeClassifier("sad"), screen=screen, detector=detector)
    assert live.run().summary["ended"] == "stopped"
    refusals = ("press n when the model", "nothing is known of", "no face to")
    assert any(str(m).startswith(refusals) for m in messages)
    assert any(str(m).startswith(said) for m in messages)
    assert messages[-1] == "neutral expressions forgotten"
    learned = {event["track_id"] for event in live.events.of_type("neutral_learned")}
    assert learned == set(range(1, faces + 1))


def test_why_nothing_can_be_learned_is_said() -> None:
    loop = LiveRun(ListSource(1), FakeClassifier()).loop
    session = Session(SmoothingConfig(), on_event=lambda event: None)

    def said(engine: str | None) -> str:
        loop._pipeline = SimpleNamespace(session=session, engine=engine)  # type: ignore[assignment]
        return loop._toggle_neutral()

    assert said(None).startswith("press n when the model is there")
    assert said("cpu") == "no face to learn from"
    track = FaceTrack(1, Box(0, 0, 9, 9))
    session.add_tracks(
        Frame(numbered_image(0), 0.0, 0), TrackUpdate(tracks=(track,), started=(track,))
    )
    assert said("cpu").startswith("nothing is known of a face yet")


def test_a_picture_that_stands_has_no_speeds(monkeypatch: pytest.MonkeyPatch) -> None:
    views = shown_views(monkeypatch)

    class Screen(FakeScreen):
        """Pauses, goes on, hides the numbers and leaves, each once it shows what was before."""

        def read_key(self) -> str | None:
            last = views[-1]
            if last.message == "numbers hidden":
                return "q"
            if last.message == "paused: space goes on":
                return " "
            if last.hud is None:
                return None
            return "h" if any(view.message == "paused: space goes on" for view in views) else " "

    LiveRun(ListSource(3000), FakeClassifier(), screen=Screen(clock=time.monotonic)).run()
    paused = [view for view in views if view.message == "paused: space goes on"]
    assert paused
    assert all(view.hud is None for view in paused)
    assert views[-1].message == "numbers hidden"
    assert views[-1].hud is None


def test_the_interrupt_ends_it_properly() -> None:
    live = LiveRun(ListSource(3000), FakeClassifier())
    threading.Timer(0.4, live.interrupt.set).start()
    assert live.run().summary["frames"] < 90
    assert live.events.events[-1]["type"] == "summary"


def test_the_duration_ends_it() -> None:
    report = LiveRun(ListSource(3000), FakeClassifier(), duration_s=0.5).run()
    assert report.summary["frames"] == 15


def test_what_a_thread_died_of_reaches_the_caller() -> None:
    def locate() -> tuple[Path, Contract]:
        raise ModelError("no such model")

    with pytest.raises(ModelError, match="no such model"):
        LiveRun(ListSource(300), FakeClassifier(), locate=locate).run()


def test_a_source_that_cannot_be_opened_is_all_there_is_to_tell() -> None:
    has_model = threading.Event()

    def locate() -> tuple[Path, Contract]:
        has_model.set()
        return Path("fake"), CONTRACT

    def fail() -> ListSource:
        assert has_model.wait(60)
        time.sleep(0.3)
        raise SourceError("no camera")

    live = LiveRun(ListSource(0), FakeClassifier(), locate=locate, open_source=fail)
    made: list[Contract] = []
    live.pipeline._make_detector = made.append  # type: ignore[assignment]
    with pytest.raises(SourceError, match="no camera"):
        live.run()
    assert made == []
    assert live.events.events == []


def test_a_source_that_breaks_reaches_the_caller_with_what_was_done() -> None:
    live = LiveRun(ListSource(10, error=SourceError("unplugged")), FakeClassifier())
    report = live.run()
    assert str(report.failure) == "unplugged"
    assert report.summary["frames"] > 0
    assert live.events.events[-1] == report.summary
    assert report.summary["ended"] == "broken"


def _forget_the_hold(monkeypatch: pytest.MonkeyPatch, *, stall_s: float) -> None:
    monkeypatch.setattr("realtime_mood.main_loop.STALL_S", stall_s)


def test_a_long_pause_is_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    _forget_the_hold(monkeypatch, stall_s=0.4)
    screen = FakeScreen({10: " "}, clock=time.monotonic)
    live = LiveRun(ListSource(40), FakeClassifier(), screen=screen)
    resume = threading.Timer(1.5, lambda: screen._keys.update({len(screen.shown_s): " "}))
    resume.start()
    assert live.run().summary["frames"] == 40


def test_a_slow_model_is_no_stall_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    _forget_the_hold(monkeypatch, stall_s=0.4)
    loading = threading.Event()
    live = LiveRun(ListSource(30), FakeClassifier(), locate=_late_model(loading))
    threading.Timer(1.0, loading.set).start()
    summary = live.run().summary
    # A busy machine may drop some.
    assert (summary["ended"], summary["frames"] + summary["dropped_frames"]) == ("end", 30)


def test_a_file_whose_next_frame_is_far_is_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    _forget_the_hold(monkeypatch, stall_s=0.3)
    source = ListSource(12, before_read=lambda index: time.sleep(1.0 if index == 6 else 0.0))
    report = LiveRun(source, FakeClassifier()).run()
    assert report.failure is None
    assert report.summary["ended"] == "end"


def test_a_camera_that_was_suspended_with_the_program_is_no_stall() -> None:
    at_frame_6 = threading.Event()

    def before_read(index: int) -> None:
        if index == 6:
            at_frame_6.set()
            time.sleep(0.5)

    def clock() -> float:
        return time.perf_counter() + (100.0 if at_frame_6.is_set() else 0.0)

    source = ListSource(12, is_live=True, before_read=before_read)
    report = LiveRun(source, FakeClassifier(), clock=clock).run()
    assert report.failure is None
    assert report.summary["ended"] == "end"


def test_ctrl_c_is_obeyed_while_the_model_is_waited_for() -> None:
    loading = threading.Event()
    live = LiveRun(ListSource(6, is_live=True), FakeClassifier(), locate=_late_model(loading))
    threading.Timer(1.0, live.interrupt.set).start()
    started_s = time.monotonic()
    report = live.run()
    assert time.monotonic() - started_s < 10.0
    assert not report.has_model
    assert not report.has_started
    loading.set()


def test_a_silent_camera_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    _forget_the_hold(monkeypatch, stall_s=0.3)
    release = threading.Event()
    source = ListSource(
        3000, is_live=True, before_read=lambda index: release.wait(20) if index > 5 else None
    )
    live = LiveRun(source, FakeClassifier())
    monkeypatch.setattr("realtime_mood.pipeline.JOIN_TIMEOUT_S", 0.1)
    assert "has sent no picture" in str(live.run().failure)
    release.set()


def test_a_model_that_fails_after_the_source_has_ended_is_still_an_error() -> None:
    loading = threading.Event()

    def locate() -> tuple[Path, Contract]:
        loading.wait(20)
        raise ModelError("damaged")

    source = ListSource(5, is_live=True)
    live = LiveRun(source, FakeClassifier(), locate=locate)
    threading.Timer(0.5, loading.set).start()
    with pytest.raises(ModelError, match="damaged"):
        live.run()


def test_quitting_while_the_model_loads_leaves_no_events_out_of_order() -> None:
    loading = threading.Event()
    screen = FakeScreen({3: "q"}, clock=time.monotonic)
    source = ListSource(3000, is_live=True, before_read=lambda index: time.sleep(1 / 30))
    live = LiveRun(source, FakeClassifier(), screen=screen, locate=_late_model(loading))
    live.run()
    loading.set()
    for worker in live.pipeline._workers:
        assert worker.join(60)
    assert live.events.events == []


def test_frames_of_a_pause_are_not_counted_as_dropped() -> None:
    screen = FakeScreen({10: " "}, clock=time.monotonic)
    source = ListSource(60, is_live=True, before_read=lambda index: time.sleep(1 / 30))
    live = LiveRun(source, FakeClassifier(), screen=screen)
    resume = threading.Timer(0.9, lambda: screen._keys.update({len(screen.shown_s): " "}))
    resume.start()
    report = live.run()
    assert report.summary["frames"] < 50
    assert report.summary["dropped_frames"] <= 3


def test_frames_that_came_while_one_was_drawn_are_counted_as_dropped() -> None:
    shown = {0: threading.Event(), 5: threading.Event()}
    has_come = threading.Event()

    class Screen(FakeScreen):
        def show(self, image_bgr: ImageBGR) -> None:
            super().show(image_bgr)
            # The grey of a frame is its number, see `numbered_image`.
            number = int(image_bgr[0, 0, 0])
            if image_bgr.shape == (48, 64, 3) and number in shown:
                shown[number].set()
                assert has_come.wait(20)

    def before_read(index: int) -> None:
        if index == 1:
            assert shown[0].wait(20)
        elif index == 6:
            has_come.set()
            assert shown[5].wait(20)

    source = ListSource(7, is_live=True, before_read=before_read)
    summary = LiveRun(source, FakeClassifier(), screen=Screen()).run().summary
    # Drawn are the first one, the newest of five that came meanwhile, and the last one.
    assert (summary["frames"], summary["dropped_frames"]) == (3, 4)


def test_every_face_has_its_own_clip_and_mood() -> None:
    source = ListSource(30, picture=dark_and_bright)
    live = LiveRun(source, BrightnessClassifier(), detector=two_faces)
    live.run()
    predictions = live.events.of_type("prediction")
    assert {(event["track_id"], event["box_xywh"][0], event["label"]) for event in predictions} == {
        (1, 2, "sad"),
        (2, 40, "happy"),
    }


def test_the_inference_rate_counts_the_clips_of_all_faces() -> None:
    rates_hz: list[float] = []

    class Screen(FakeScreen):
        def show(self, image_bgr: ImageBGR) -> None:
            super().show(image_bgr)
            hud = live.pipeline.hud(display_hz=None, dropped_frames=0)
            rates_hz.append(hud.inference_hz or 0.0)

    live = LiveRun(
        ListSource(75, picture=dark_and_bright),
        BrightnessClassifier(),
        detector=two_faces,
        screen=Screen(clock=time.monotonic),
    )
    live.run()
    # Two faces, each with a clip every 0.2 s; batches alone make 5 a second, if often of both.
    assert max(rates_hz) > 7.0


def test_the_model_does_not_work_for_faces_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def a_new_face_every_half_second(call: int) -> list[Box]:
        # None of these is so near to another that it could be the same face.
        number = call // 5
        return [Box(2 + 40 * (number % 2), 2 + 28 * (number // 2 % 2), 10, 13)]

    monkeypatch.setattr("realtime_mood.pipeline.LOAD_TIMEOUT_S", 3.0)
    classifier = FakeClassifier(wait=lambda: time.sleep(1.0))
    live = LiveRun(ListSource(180), classifier, detector=a_new_face_every_half_second)
    waiting: list[int] = []
    discard = live.pipeline._mailbox.discard

    def count(track_id: int) -> None:
        discard(track_id)
        waiting.append(len(live.pipeline._mailbox._clips))

    monkeypatch.setattr(live.pipeline._mailbox, "discard", count)
    report = live.run()
    assert len(waiting) >= 8
    # Those that are there at the same time: one that came and two that are not given up yet.
    assert max(waiting) <= 3
    assert report.summary["skipped_clips"] >= 8


def test_a_model_that_is_slower_than_patience_is_not_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime_mood.pipeline.LOAD_TIMEOUT_S", 0.2)
    release = threading.Event()
    live = LiveRun(ListSource(20), FakeClassifier(wait=lambda: release.wait(20)))
    report = live.run()
    release.set()
    assert report.summary["ended"] == "end"
    assert report.summary["predictions"] == 0


def test_a_recording_asked_for_is_made_and_one_by_key_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    screen = FakeScreen({20: "r", 40: "r", 60: "r"}, clock=time.monotonic)
    recorder = Recorder(tmp_path / "asked.mp4")
    live = LiveRun(ListSource(90), FakeClassifier(), screen=screen, recorder=recorder)
    report = live.run()
    assert [path.exists() for path in report.recordings] == [True, True]
    assert report.recordings[0] == tmp_path / "asked.mp4"
    counts = [len(read_all(FileSource(path))) for path in report.recordings]
    assert counts[0] == pytest.approx(19, abs=4)
    assert counts[1] == pytest.approx(20, abs=4)


def test_events_end_with_a_summary_when_the_recording_asked_for_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OutputError("the disk is full")

    recorder = Recorder(tmp_path / "asked.mp4")
    live = LiveRun(ListSource(90), FakeClassifier(), recorder=recorder)
    monkeypatch.setattr(recorder, "write", fail)
    with pytest.raises(OutputError, match="the disk is full"):
        live.run()
    assert live.events.events[-1]["type"] == "summary"
    assert live.events.events[-1]["ended"] == "broken"


def test_a_recording_by_key_that_fails_is_told_and_the_picture_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    screen = FakeScreen({10: "r"}, clock=time.monotonic)
    live = LiveRun(ListSource(60), FakeClassifier(), screen=screen)
    monkeypatch.setattr(
        "realtime_mood.live_screen.time.strftime", lambda form: "no/such/folder.mp4"
    )
    monkeypatch.setattr("realtime_mood.recorder.time.strftime", lambda form: "no/such/folder.mp4")
    report = live.run()
    assert report.summary["frames"] >= 55
    assert report.recordings == ()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be deleted")
@pytest.mark.parametrize("keys", [{10: "r"}, {10: "r", 12: "r"}])
def test_a_recording_that_was_never_written_is_not_listed_but_told(
    keys: dict[int, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    live = LiveRun(ListSource(60), FakeClassifier(), screen=FakeScreen(keys, clock=time.monotonic))
    report = live.run()
    assert report.summary["frames"] >= 55
    assert report.recordings == ()
    (record,) = caplog.records
    assert "cannot be written (No such file or directory)" in record.message


def test_an_output_that_fails_while_nothing_happens_ends_the_run() -> None:
    slowly = ListSource(3000, is_live=True, before_read=lambda index: time.sleep(0.002))
    live = LiveRun(slowly, FakeClassifier())

    def fail() -> None:
        if len(live.screen.shown_s) > 5:
            raise OutputError("the disk is full")

    live.loop._raise_output_errors = fail
    with pytest.raises(OutputError, match="the disk is full"):
        live.run()
    assert live.events.events[-1]["ended"] == "broken"


def test_a_model_that_comes_after_the_source_has_ended_was_there() -> None:
    loading = threading.Event()
    live = LiveRun(ListSource(5, is_live=True), FakeClassifier(), locate=_late_model(loading))
    threading.Timer(0.5, loading.set).start()
    assert live.run().has_model


def test_a_recording_that_is_asked_for_in_a_pause_says_when_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    messages = told_messages(monkeypatch)
    keys = iter([" ", "r", "q"])

    class Screen(FakeScreen):
        """Pauses, asks for a recording and leaves."""

        def read_key(self) -> str | None:
            told = messages[-1:]
            ready = told in ([None], ["paused: space goes on"]) or "space" in str(told)
            return next(keys) if ready else None

    LiveRun(ListSource(3000), FakeClassifier(), screen=Screen(clock=time.monotonic)).run()
    assert str(messages[-1]).startswith("recording realtime-mood-")
    assert str(messages[-1]).endswith(".mp4, from when space is pressed")
