import math
import threading

import pytest

from realtime_mood.ring_buffer import RingBuffer


def _filled(count: int, *, max_span_s: float = 100.0, max_bytes: int = 1000) -> RingBuffer[int]:
    ring: RingBuffer[int] = RingBuffer(max_span_s=max_span_s, max_bytes=max_bytes)
    for number in range(count):
        ring.append(float(number), number, size_bytes=10)
    return ring


def test_old_items_leave_by_time() -> None:
    ring = _filled(10, max_span_s=3.0)
    assert ring.timestamps_s().tolist() == [6, 7, 8, 9]


def test_old_items_leave_by_bytes_and_the_newest_always_stays() -> None:
    ring = _filled(10, max_bytes=35)
    assert ring.timestamps_s().tolist() == [7, 8, 9]
    ring.append(10.0, 10, size_bytes=1_000_000)
    assert ring.take([0]) == [10]
    assert ring.timestamps_s().tolist() == [10]


def test_time_must_rise() -> None:
    ring = _filled(2)
    with pytest.raises(ValueError, match="rise"):
        ring.append(1.0, 5, size_bytes=1)


def test_the_next_item_is_the_oldest_newer_one_unless_it_lags_too_far() -> None:
    ring = _filled(10)
    assert ring.wait_after(-math.inf, max_lag_s=100, timeout_s=0) == 0
    assert ring.wait_after(3.0, max_lag_s=100, timeout_s=0) == 4
    assert ring.wait_after(3.0, max_lag_s=2, timeout_s=0) == 7
    assert ring.wait_after(3.0, max_lag_s=0, timeout_s=0) == 9
    assert ring.wait_after(9.0, max_lag_s=100, timeout_s=0) is None


def test_an_empty_ring_has_nothing() -> None:
    ring = _filled(0)
    assert ring.timestamps_s().tolist() == []
    assert ring.wait_after(-math.inf, max_lag_s=1, timeout_s=0.01) is None


def test_a_waiting_reader_is_woken_by_the_next_item() -> None:
    ring = _filled(1)
    timer = threading.Timer(0.05, lambda: ring.append(5.0, 5, size_bytes=1))
    timer.start()
    assert ring.wait_after(0.0, max_lag_s=1, timeout_s=30) == 5
    timer.join()
