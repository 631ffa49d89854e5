from fractions import Fraction

import numpy as np
import pytest

from realtime_mood.capture.pattern_source import PatternSource, read_frame_number
from realtime_mood.errors import UsageError
from tests.capture.fake_capture import FakeClock
from tests.media import read_all


@pytest.mark.parametrize("size", [(176, 144), (640, 480), (1921, 1081), (20, 4)])
def test_every_frame_says_its_number(size: tuple[int, int]) -> None:
    source = PatternSource(width=size[0], height=size[1], duration_s=0.5)
    numbers = [read_frame_number(frame.image_bgr) for frame in read_all(source)]
    assert numbers == list(range(15))


def test_two_sources_give_the_same_pixels() -> None:
    first, second = (read_all(PatternSource(duration_s=0.2)) for _ in range(2))
    assert all(np.array_equal(a.image_bgr, b.image_bgr) for a, b in zip(first, second, strict=True))


def test_the_length_is_exact() -> None:
    source = PatternSource(width=32, height=32, frame_rate=Fraction(30_000, 1001), duration_s=2.0)
    assert len(read_all(source)) == 60


def test_a_live_one_keeps_to_the_clock_and_skips_what_has_passed() -> None:
    clock = FakeClock()
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        clock.now_s += seconds

    source = PatternSource(width=32, height=32, is_live=True, clock=clock, wait=wait)
    assert [source.read().index for _ in range(3)] == [0, 1, 2]  # type: ignore[union-attr]
    assert waits == pytest.approx([1 / 30, 1 / 30])
    clock.now_s += 0.51
    late = source.read()
    assert late is not None
    assert late.index == 17
    assert late.timestamp_s == pytest.approx(17 / 30)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"height": -1}, {"frame_rate": Fraction(0)}])
def test_impossible_wishes(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        PatternSource(**wrong)  # type: ignore[arg-type]
