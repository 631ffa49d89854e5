"""When the frames of clips are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from realtime_mood.model.clip_spec import ClipSpec
from tests.fakes import SPEC
from trainer.clip_times import fixed_ends_s, jittered_times_s
from trainer.config import RecipeConfig

FOUR_FRAMES = replace(SPEC, num_frames=4)
"""A clip of 0.6 s."""
TIMES_S = np.arange(601) / 30.0
"""A recording of 20 s."""


def drawn(recipe: RecipeConfig, *, spec: ClipSpec = FOUR_FRAMES) -> np.ndarray:
    """Frame times of 300 training clips of the recording, shape (300, num_frames)."""
    rng = np.random.default_rng(0)
    return np.array([jittered_times_s(TIMES_S, spec, recipe, rng) for _ in range(300)])


def test_evaluation_clips_are_spread_over_the_recording() -> None:
    times_s = np.arange(21) / 10.0
    np.testing.assert_allclose(fixed_ends_s(times_s, FOUR_FRAMES, 3), [0.6, 1.3, 2.0])
    np.testing.assert_allclose(fixed_ends_s(times_s, FOUR_FRAMES, 1), [1.3])


def test_a_recording_shorter_than_the_span_has_one_clip_many_times() -> None:
    times_s = np.arange(3) / 10.0
    np.testing.assert_allclose(fixed_ends_s(times_s, FOUR_FRAMES, 2), [0.2, 0.2])


def test_training_clips_are_from_anywhere_in_the_recording() -> None:
    steady = replace(RecipeConfig(), speed_jitter=0.0, time_jitter=0.0)
    times_s = drawn(steady)
    np.testing.assert_allclose(np.diff(times_s, axis=1), 0.2)
    assert times_s.min() >= 0.0
    assert times_s.max() <= 20.0
    ends_s = times_s[:, -1]
    assert ends_s.min() == pytest.approx(0.6, abs=0.3)
    assert ends_s.max() == pytest.approx(20.0, abs=0.3)
    assert ends_s.mean() == pytest.approx(10.3, abs=1.0)


def test_training_times_vary_around_the_interval() -> None:
    times_s = drawn(replace(RecipeConfig(), speed_jitter=0.2, time_jitter=0.1))
    gaps = np.diff(times_s, axis=1)
    assert (gaps > 0).all()
    assert gaps.mean() == pytest.approx(0.2, rel=0.03)
    assert times_s.max() <= 20.0 + 0.1 * 0.2
    spans = np.ptp(times_s, axis=1)
    assert spans.min() > 0.6 / 1.2 - 0.05
    assert spans.max() < 0.6 * 1.2 + 0.05
