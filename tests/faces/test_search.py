"""Running a detector in step and in a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import pytest

from realtime_mood.errors import ModelError
from realtime_mood.faces.detector import FaceDetector
from realtime_mood.faces.search import FaceSearch, Found, InStepSearch, ThreadedSearch
from tests.fakes import ScriptedDetector, numbered_image, one_face

PATIENCE_S = 20.0


@contextmanager
def _in_step(detector: FaceDetector) -> Iterator[FaceSearch]:
    yield InStepSearch(detector)


def _wait_for_found(search: FaceSearch) -> Found:
    tick = threading.Event()
    for _ in range(round(PATIENCE_S / 0.005)):
        if (found := search.found()) is not None:
            return found
        tick.wait(0.005)
    raise AssertionError("nothing was found")


class _BlockedDetector(ScriptedDetector):
    """Detects once it is let, or fails."""

    def __init__(self, *, error: Exception | None = None) -> None:
        super().__init__(one_face)
        self._error = error
        self.called = threading.Event()
        self.let = threading.Event()

    def detect(self, image_bgr):  # type: ignore[no-untyped-def]
        self.called.set()
        assert self.let.wait(PATIENCE_S)
        if self._error is not None:
            raise self._error
        return super().detect(image_bgr)


@pytest.mark.parametrize("running", [_in_step, ThreadedSearch])
def test_what_was_found_is_told_once_with_the_time_of_its_frame(
    running: Callable[[FaceDetector], object],
) -> None:
    with running(ScriptedDetector(one_face)) as search:  # type: ignore[attr-defined]
        assert search.found() is None
        for time_s in (1.5, 2.5):
            assert search.start(numbered_image(0), time_s)
            found = _wait_for_found(search)
            assert found.timestamp_s == time_s
            assert [detection.box for detection in found.detections] == list(one_face(0))
            assert search.found() is None


def test_in_step_the_answer_is_there_at_once() -> None:
    search = InStepSearch(ScriptedDetector(one_face))
    search.start(numbered_image(0), 0.0)
    assert search.found() is not None


def test_in_a_thread_nobody_waits_and_no_second_frame_is_taken_before_the_first_is_known() -> None:
    detector = _BlockedDetector()
    with ThreadedSearch(detector) as search:
        assert search.start(numbered_image(0), 0.0)
        assert search.found() is None
        assert not search.start(numbered_image(1), 0.1)
        detector.let.set()
        assert _wait_for_found(search).timestamp_s == 0.0
        assert search.start(numbered_image(2), 0.2)
        assert _wait_for_found(search).timestamp_s == 0.2
    assert detector.calls == 2


def test_what_the_detector_dies_of_reaches_the_caller() -> None:
    detector = _BlockedDetector(error=ModelError("no memory"))
    detector.let.set()

    def search_twice() -> None:
        with ThreadedSearch(detector) as search:
            search.start(numbered_image(0), 0.0)
            with pytest.raises(ModelError, match="no memory"):
                _wait_for_found(search)
            search.start(numbered_image(1), 0.1)

    with pytest.raises(ModelError, match="no memory"):
        search_twice()


@pytest.mark.parametrize("callers_error", [None, KeyError("first")])
def test_what_it_dies_of_on_the_last_frame_is_not_lost(callers_error: Exception | None) -> None:
    detector_error = ModelError("no memory")
    detector = _BlockedDetector(error=detector_error)

    def leave_while_it_searches() -> None:
        with ThreadedSearch(detector) as search:
            search.start(numbered_image(0), 0.0)
            assert detector.called.wait(PATIENCE_S)
            assert search.found() is None
            detector.let.set()
            if callers_error is not None:
                raise callers_error

    with pytest.raises((ModelError, KeyError)) as raised:
        leave_while_it_searches()
    assert raised.value is (callers_error or detector_error)


def test_a_detector_that_hangs_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("realtime_mood.faces.search.JOIN_TIMEOUT_S", 0.05)
    detector = _BlockedDetector()
    with caplog.at_level("INFO"), ThreadedSearch(detector) as search:
        search.start(numbered_image(0), 0.0)
        assert detector.called.wait(PATIENCE_S)
    assert "the detector thread did not end" in caplog.text
    detector.let.set()


def test_opencvs_own_threads_rest_meanwhile() -> None:
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(2)
        with ThreadedSearch(ScriptedDetector(one_face)):
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
