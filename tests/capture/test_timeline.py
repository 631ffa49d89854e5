from fractions import Fraction
from itertools import pairwise

import pytest

from realtime_mood.capture.timeline import Timeline

TICK = Fraction(1, 25)


@pytest.mark.parametrize(
    ("name", "stamps", "times"),
    [
        ("kept exactly", [7, 8, 9.5, 20], [0, 1, 2.5, 13]),
        ("none at all", [None, None, None], [0, 1, 2]),
        ("one missing", [3, None, 5], [0, 1, 2]),
        ("first missing", [None, 40, 41], [0, 1, 2]),
        ("same twice", [0, 1, 1, 2], [0, 1, 1.025, 2]),
        ("back a little", [0, 1, 0.5, 2], [0, 1, 1.025, 2]),
        ("started again", [50, 51, 0, 1, 2], [0, 1, 2, 3, 4]),
        ("before zero", [-2, -1, 0], [0, 1, 2]),
        ("one far ahead", [0, 1, 2, 25_000, 4, 5], [0, 1, 2, 3, 4, 5]),
        ("one far back", [0, 1, 2, -125, 4, 5], [0, 1, 2, 3, 4, 5]),
        ("one ahead of the next", [0, 1, 3, 2, 3], [0, 1, 1.5, 2, 3]),
        ("glued, slower", [0, 1, 2, 3, 0, 50, 100], [0, 1, 2, 3, 4, 54, 104]),
        ("a gap", [0, 1, 25_000, 25_001], [0, 1, 25_000, 25_001]),
        ("a gap before the last", [0, 1, 25_000], [0, 1, 25_000]),
        ("started again after a gap", [50, 90, 0, 1], [0, 40, 41, 42]),
    ],
)
def test_times(name: str, stamps: list[float | None], times: list[float]) -> None:
    timeline = Timeline(interval_s=TICK)
    given = [None if s is None else Fraction(s) * TICK for s in stamps]
    found = [timeline.next_s(*pair) for pair in pairwise([*given, None])]
    assert found == [float(Fraction(str(t)) * TICK) for t in times]


def test_a_rate_that_seconds_cannot_hold_does_not_drift() -> None:
    timeline = Timeline(interval_s=Fraction(1001, 30_000))
    times = [timeline.next_s(index * Fraction(1001, 30_000)) for index in range(20_000)]
    assert times[-1] == float(19_999 * Fraction(1001, 30_000))
