import pytest

from realtime_mood.timing import LatencyMeter, RateMeter, next_due


def test_a_grid_is_kept_and_taken_up_anew_after_a_gap() -> None:
    assert next_due(1.0, 1.05, 0.2) == pytest.approx(1.2)
    assert next_due(1.0, 1.7, 0.2) == pytest.approx(1.9)
    assert next_due(float("-inf"), 0.0, 0.2) == pytest.approx(0.2)
    # Twice 0.1 past 0.1 is a little more than 0.3: that has come, and the next is one later.
    assert next_due(0.1 + 0.1 + 0.1 - 0.1, 0.3, 0.1) == pytest.approx(0.4)


def test_a_rate_counts_what_was_lately() -> None:
    meter = RateMeter()
    assert meter.rate_hz(0.0) == 0.0
    for step in range(31):
        meter.tick(step / 10)
    assert meter.rate_hz(3.0) == pytest.approx(10.0, rel=0.02)
    assert meter.rate_hz(60.0) == 0.0


def test_events_done_together_count_each() -> None:
    meter = RateMeter()
    for step in range(11):
        meter.tick(step / 10, 1 + step % 2)
    # Fifteen in the second after the first one.
    assert meter.rate_hz(1.0) == pytest.approx(15.0)


def test_percentiles_of_latencies() -> None:
    meter = LatencyMeter()
    assert meter.percentile_s(50) is None
    assert meter.latest_s is None
    for value in range(101):
        meter.add(value / 1000)
    assert meter.percentile_s(95) == pytest.approx(0.095)
    assert meter.latest_s == 0.1
