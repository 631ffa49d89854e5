import threading

import pytest

from realtime_mood.errors import OutputError
from realtime_mood.sinks.threaded import ThreadedSink
from realtime_mood.threads import Worker


def test_a_worker_runs_until_it_is_asked_to_stop() -> None:
    worker = Worker("test", lambda stop: stop.wait() and None)
    worker.start()
    assert worker.is_running
    worker.stop()
    assert worker.join(10)
    assert worker.error is None


def test_a_dead_worker_says_what_it_died_of() -> None:
    def fail(stop: threading.Event) -> None:
        raise OutputError("disk full")

    worker = Worker("test", fail)
    worker.start()
    worker.join(10)
    with pytest.raises(OutputError, match="disk full"):
        worker.raise_error()


def test_a_stuck_worker_is_left_behind_in_bounded_time(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    worker = Worker("stuck", lambda stop: release.wait() and None)
    worker.start()
    worker.stop()
    with caplog.at_level("INFO"):
        assert not worker.join(0.05)
    assert "stuck" in caplog.text
    release.set()
    assert worker.join(10)


def test_a_worker_that_never_started_joins_at_once() -> None:
    assert Worker("test", lambda stop: None).join(0.0)


def test_a_threaded_sink_writes_everything_before_it_closes() -> None:
    written: list[int | str] = []
    sink: ThreadedSink[int] = ThreadedSink(
        written.append, lambda: written.append("closed"), name="test", capacity=100
    )
    for number in range(50):
        sink.write(number)
    sink.close()
    assert written == [*range(50), "closed"]
    assert sink.dropped == 0


def test_a_slow_sink_loses_its_own_items_and_counts_them() -> None:
    release = threading.Event()
    written: list[int] = []

    def write(number: int) -> None:
        release.wait()
        written.append(number)

    sink: ThreadedSink[int] = ThreadedSink(write, lambda: None, name="test", capacity=2)
    for number in range(10):
        sink.write(number)
    release.set()
    sink.close()
    assert len(written) + sink.dropped == 10
    assert sink.dropped >= 7


def test_a_failed_sink_raises_on_the_next_write_and_on_close() -> None:
    failed = threading.Event()

    def write(number: int) -> None:
        failed.set()
        raise OutputError("disk full")

    sink: ThreadedSink[int] = ThreadedSink(write, lambda: None, name="test", capacity=2)
    sink.write(1)
    assert failed.wait(10)
    with pytest.raises(OutputError, match="disk full"):
        sink.close()
    with pytest.raises(OutputError, match="disk full"):
        sink.write(2)
