"""A live run whose camera is lost; real threads, real time, generous bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.errors import SourceError, SourceLostError
from realtime_mood.live_screen import KEYS
from realtime_mood.model.checkpoint import Contract
from realtime_mood.recorder import Recorder
from realtime_mood.view import View
from tests.fakes import FakeClassifier, FakeScreen, ListSource
from tests.live_run import CONTRACT, LiveRun, shown_views, told_messages
from tests.media import read_all

LOST = "camera lost, trying again"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_mood.capture.lasting_source.WAITS_S", (0.3,))


def _camera(count: int, *, is_lost: bool = True) -> ListSource:
    return ListSource(
        count,
        is_live=True,
        before_read=lambda index: time.sleep(1 / 30),
        error=SourceLostError("list stopped delivering frames") if is_lost else None,
    )


def _opening(*sources: ListSource | None) -> Callable[[], ListSource]:
    waiting: Iterator[ListSource | None] = iter(sources)

    def open_next() -> ListSource:
        source = next(waiting, None)
        if source is None:
            raise SourceError("list cannot be opened")
        return source

    return open_next


def _age_s(view: View) -> float:
    """Of what the first face is called."""
    age_s = view.faces[0].label_age_s
    assert age_s is not None
    return age_s


def test_the_display_the_recording_and_the_events_go_on_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = told_messages(monkeypatch)
    cameras = (_camera(45), None, _camera(45, is_lost=False))
    live = LiveRun(
        cameras[0],
        FakeClassifier(),
        open_source=_opening(*cameras),
        recorder=Recorder(tmp_path / "r.mp4"),
    )
    report = live.run()
    assert report.failure is None
    assert report.summary["ended"] == "end"
    assert report.summary["frames"] + report.summary["dropped_frames"] == 90
    assert cameras[0].is_closed
    assert LOST in messages
    assert "camera lost" not in str(messages[-1])
    (lost,), (restored,) = (live.events.of_type(f"source_{w}") for w in ("lost", "restored"))
    assert lost["media_time_s"] == pytest.approx(44 / 30, abs=0.001)
    gap_s = restored["media_time_s"] - lost["media_time_s"]
    assert gap_s >= 0.6
    times_s = [event["media_time_s"] for event in live.events.of_type("prediction")]
    assert times_s == sorted(times_s)
    assert not [t for t in times_s if lost["media_time_s"] < t < restored["media_time_s"]]
    assert times_s[-1] > restored["media_time_s"]
    recorded_s = [frame.timestamp_s for frame in read_all(FileSource(tmp_path / "r.mp4"))]
    assert recorded_s[-1] == pytest.approx(89 / 30 + gap_s, abs=0.6)
    assert max(b - a for a, b in pairwise(recorded_s)) == pytest.approx(gap_s, abs=0.3)


def test_one_that_does_not_come_back_ends_the_run_as_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime_mood.capture.lasting_source.GIVE_UP_S", 0.5)
    camera = _camera(10)
    report = LiveRun(camera, FakeClassifier(), open_source=_opening(camera)).run()
    assert str(report.failure) == "list stopped delivering frames"
    assert report.failure is not None
    assert report.failure.exit_code == 3
    assert report.summary["ended"] == "broken"


def test_that_it_is_back_is_told_to_whom_its_loss_was_told() -> None:
    cameras = (_camera(3), _camera(60, is_lost=False))
    live: LiveRun

    def locate() -> tuple[Path, Contract]:
        # Until then, the start event cannot be written.
        while not live.pipeline.capture.is_lost:
            time.sleep(0.01)
        return Path("fake"), CONTRACT

    live = LiveRun(cameras[0], FakeClassifier(), open_source=_opening(*cameras), locate=locate)
    assert live.run().failure is None
    kinds = [event["type"] for event in live.events.events]
    assert kinds[0] == "start"
    assert not {"source_lost", "source_restored"} & set(kinds)


def test_nothing_is_tried_any_more_when_the_time_of_the_run_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages = told_messages(monkeypatch)
    camera = _camera(10)
    live = LiveRun(camera, FakeClassifier(), open_source=_opening(camera), duration_s=1.0)
    assert live.run().failure is None
    assert LOST in messages
    assert not live.pipeline.capture.is_lost


def test_it_is_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime_mood.main_loop.STALL_S", 0.3)
    cameras = (_camera(10), None, None, _camera(10, is_lost=False))
    report = LiveRun(cameras[0], FakeClassifier(), open_source=_opening(*cameras)).run()
    assert report.failure is None


def test_a_driver_that_hangs_while_it_is_opened_again_is_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime_mood.main_loop.LOST_STALL_S", 1.0)
    release = threading.Event()
    camera = _camera(10)
    sources = iter([camera])

    def open_next() -> ListSource:
        source = next(sources, None)
        if source is None:
            release.wait(20)
            raise SourceError("at last")
        return source

    started_s = time.monotonic()
    report = LiveRun(camera, FakeClassifier(), open_source=open_next).run()
    assert "has sent no picture for 1 s" in str(report.failure)
    assert time.monotonic() - started_s < 10.0
    release.set()


@pytest.mark.parametrize("by_key", [True, False])
def test_it_ends_at_once_while_a_camera_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, *, by_key: bool
) -> None:
    monkeypatch.setattr("realtime_mood.capture.lasting_source.WAITS_S", (25.0,))
    asked_s: list[float] = []

    class Screen(FakeScreen):
        def read_key(self) -> str | None:
            if live.pipeline.capture.is_lost and not asked_s:
                asked_s.append(time.monotonic())
                if by_key:
                    return "q"
                live.interrupt.set()
            return None

    camera = _camera(10)
    live = LiveRun(
        camera, FakeClassifier(), open_source=_opening(camera), screen=Screen(clock=time.monotonic)
    )
    report = live.run()
    assert report.summary["ended"] == "stopped"
    assert time.monotonic() - asked_s[0] < 2.0


def test_what_is_known_ages_while_the_camera_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    views = shown_views(monkeypatch)
    cameras = (_camera(45), *[None] * 5, _camera(5, is_lost=False))

    class Screen(FakeScreen):
        """Asks for the keys just before the loss, which are told for seconds."""

        def read_key(self) -> str | None:
            shown = len(self.shown_s)
            return "x" if shown == 40 else None

    screen = Screen(clock=time.monotonic)
    LiveRun(cameras[0], FakeClassifier(), screen=screen, open_source=_opening(*cameras)).run()
    assert any(view.message == KEYS for view in views[38:46])
    waiting = [view for view in views if view.message == "camera lost for 1 s, trying again"]
    assert waiting
    for view in waiting:
        # Rates of a picture that stands would tell nothing.
        assert view.hud is None
        assert _age_s(view) >= 1.0
        assert view.media_time_s >= 44 / 30 + 1.0
    assert views[-1].hud is not None


def test_a_camera_that_stalls_is_told_long_before_it_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views = shown_views(monkeypatch)
    monkeypatch.setattr("realtime_mood.live_screen.STANDS_S", 0.6)
    camera = ListSource(
        60, is_live=True, before_read=lambda index: time.sleep(1.8 if index == 45 else 1 / 30)
    )
    LiveRun(camera, FakeClassifier()).run()
    standing = [view for view in views if str(view.message).startswith("no picture for")]
    assert [view.message for view in standing] == ["no picture for 1 s", "no picture for 2 s"]
    for view in standing:
        assert view.hud is None
        assert _age_s(view) >= 0.6
    assert views[-1].message != standing[-1].message
    assert views[-1].hud is not None


def test_answers_stay_old_when_a_camera_that_stalled_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views = shown_views(monkeypatch)
    monkeypatch.setattr("realtime_mood.live_screen.STANDS_S", 0.6)

    def stall(index: int) -> None:
        time.sleep(1 / 30)
        if index == 45:
            time.sleep(1.2)
            raise SourceLostError("list stopped delivering frames")

    camera = ListSource(60, is_live=True, before_read=stall)
    opened = _opening(camera, None, None, _camera(5, is_lost=False))
    LiveRun(camera, FakeClassifier(), open_source=opened).run()
    lost = [view for view in views if str(view.message).startswith("camera lost")]
    assert lost
    for view in lost:
        assert _age_s(view) >= 1.2
