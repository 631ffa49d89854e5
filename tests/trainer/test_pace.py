"""How fast, and how much of it is waiting."""

from __future__ import annotations

import pytest

from trainer.pace import WARM_UP_STEPS, PaceMeter


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def run(meter: PaceMeter, clock: Clock, steps: int, *, wait_s: float, work_s: float) -> None:
    nothing = (None, None, None)
    for _ in range(steps):
        clock.now_s += wait_s
        meter.on_step_begin(*nothing)
        clock.now_s += work_s
        meter.on_step_end(*nothing)


def test_waiting_and_working_are_told_apart_and_measuring_is_left_out() -> None:
    clock = Clock()
    meter = PaceMeter(clock)
    meter.on_epoch_begin(None, None, None)
    run(meter, clock, WARM_UP_STEPS, wait_s=100.0, work_s=100.0)
    run(meter, clock, 5, wait_s=1.0, work_s=3.0)
    clock.now_s += 1000.0
    meter.on_evaluate(None, None, None)
    run(meter, clock, 5, wait_s=1.0, work_s=3.0)
    pace = meter.pace(8)
    assert pace is not None
    assert pace.clips_per_s == pytest.approx(2.0)
    assert pace.waiting_share == pytest.approx(0.25)
    assert str(pace) == "2 clips/s, 25% of it waiting for clips"


def test_too_few_steps_say_nothing() -> None:
    clock = Clock()
    meter = PaceMeter(clock)
    run(meter, clock, WARM_UP_STEPS, wait_s=1.0, work_s=1.0)
    assert meter.pace(8) is None
