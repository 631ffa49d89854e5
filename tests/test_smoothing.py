import numpy as np
import pytest

from realtime_mood.errors import UsageError
from realtime_mood.model.labels import LABEL2ID, LABELS, UNSURE
from realtime_mood.smoothing import MoodSmoother, MoodState, SmoothingConfig

CONFIG = SmoothingConfig(time_constant_s=0.5, enter_threshold=0.6, exit_threshold=0.4, dwell_s=1.0)


def _towards(label: str, probability: float = 1.0) -> np.ndarray:
    row = np.full(len(LABELS), (1 - probability) / (len(LABELS) - 1))
    row[LABEL2ID[label]] = probability
    return row


def _run(smoother: MoodSmoother, row: np.ndarray, *, start_s: float, seconds: float) -> MoodState:
    for time_s in np.arange(start_s, start_s + seconds, 0.1):
        state = smoother.update(row, float(time_s))
    return state


def test_the_first_answer_counts_in_full() -> None:
    state = MoodSmoother(CONFIG).update(_towards("happy", 0.9), 1.4)
    assert (state.label, state.confidence) == ("happy", pytest.approx(0.9))


def test_one_time_constant_moves_the_average_by_one_over_e() -> None:
    smoother = MoodSmoother(CONFIG)
    smoother.update(_towards("happy"), 0.0)
    state = smoother.update(_towards("sad"), 0.5)
    assert state.probabilities[LABEL2ID["happy"]] == pytest.approx(np.exp(-1))
    assert sum(state.probabilities) == pytest.approx(1.0)


@pytest.mark.parametrize("rate_hz", [2, 5, 30])
def test_the_result_does_not_depend_on_the_rate_of_clips(rate_hz: int) -> None:
    smoother = MoodSmoother(CONFIG)
    smoother.update(_towards("happy"), 0.0)
    for step in range(1, 2 * rate_hz + 1):
        state = smoother.update(_towards("sad"), step / rate_hz)
    assert state.probabilities[LABEL2ID["happy"]] == pytest.approx(np.exp(-4))


def test_a_label_enters_high_and_leaves_low() -> None:
    smoother = MoodSmoother(CONFIG)
    assert smoother.update(_towards("happy", 0.55), 0.0).label == UNSURE
    assert _run(smoother, _towards("happy", 0.65), start_s=0.1, seconds=5).label == "happy"
    assert _run(smoother, _towards("happy", 0.45), start_s=6, seconds=5).label == "happy"
    low = _run(smoother, _towards("happy", 0.35), start_s=12, seconds=5)
    assert low.label == UNSURE
    assert low.confidence == pytest.approx(0.35, abs=0.01)


def test_a_label_is_kept_for_its_dwell() -> None:
    config = SmoothingConfig(
        time_constant_s=0.01, enter_threshold=0.5, exit_threshold=0.01, dwell_s=1.0
    )
    smoother = MoodSmoother(config)
    smoother.update(_towards("happy", 0.9), 0.0)
    assert smoother.update(_towards("sad", 0.9), 0.9).label == "happy"
    assert smoother.update(_towards("sad", 0.9), 1.1).label == "sad"
    # The dwell begins once, however often the label is seen again.
    assert smoother.update(_towards("sad", 0.9), 2.2).label == "sad"
    assert smoother.update(_towards("happy", 0.9), 2.3).label == "happy"


def test_a_label_that_is_hardly_likely_any_more_is_left_at_once() -> None:
    config = SmoothingConfig(
        time_constant_s=0.01, enter_threshold=0.5, exit_threshold=0.3, dwell_s=10.0
    )
    for last, expected in (
        (_towards("happy", 0.25), UNSURE),
        (_towards("happy", 0.35), "happy"),
        (_towards("sad", 0.9), "sad"),
    ):
        smoother = MoodSmoother(config)
        assert smoother.update(_towards("happy", 0.9), 0.0).label == "happy"
        assert smoother.update(last, 1.0).label == expected


def test_the_confidence_is_that_of_the_label_that_is_shown() -> None:
    smoother = MoodSmoother(
        SmoothingConfig(time_constant_s=0.01, enter_threshold=0.5, exit_threshold=0.05, dwell_s=1.0)
    )
    smoother.update(_towards("happy", 0.9), 0.0)
    row = np.full(len(LABELS), 0.05)
    row[LABEL2ID["happy"]], row[LABEL2ID["sad"]] = 0.1, 0.6
    state = smoother.update(row, 0.9)
    assert (state.label, state.confidence) == ("happy", pytest.approx(0.1))


def test_a_lone_outlier_does_not_change_the_label() -> None:
    smoother = MoodSmoother(CONFIG)
    _run(smoother, _towards("neutral", 0.8), start_s=0, seconds=3)
    assert smoother.update(_towards("angry"), 3.1).label == "neutral"


def test_time_running_backwards_and_a_wrong_shape_are_refused() -> None:
    smoother = MoodSmoother(CONFIG)
    smoother.update(_towards("happy"), 1.0)
    with pytest.raises(ValueError, match="backwards"):
        smoother.update(_towards("happy"), 0.9)
    with pytest.raises(ValueError, match="shape"):
        smoother.update(np.ones(7) / 7, 2.0)


@pytest.mark.parametrize(
    "values",
    [
        {"time_constant_s": 0.0},
        {"exit_threshold": 0.7, "enter_threshold": 0.6},
        {"enter_threshold": 1.1},
        {"dwell_s": -1.0},
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(values))):
        SmoothingConfig(**values)
