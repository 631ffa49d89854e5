from dataclasses import replace

import numpy as np
import pytest

from realtime_mood.errors import ModelError
from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps, nearest_indices
from tests.fakes import SPEC


def test_a_clip_ends_at_its_end_and_reaches_back_its_span() -> None:
    times_s = clip_timestamps(SPEC, end_s=2.0)
    np.testing.assert_allclose(times_s, [0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0])
    assert pytest.approx(1.4) == SPEC.span_s


def test_intervals_may_grow_from_the_newest_to_the_oldest() -> None:
    spec = replace(SPEC, num_frames=4, frame_interval_s=0.1, interval_growth=2.0)
    np.testing.assert_allclose(clip_timestamps(spec, end_s=2.0), [1.3, 1.7, 1.9, 2.0])
    assert spec.span_s == pytest.approx(0.7)
    assert spec.longest_interval_s == pytest.approx(0.4)
    assert replace(spec, num_frames=1).span_s == 0.0


@pytest.mark.parametrize("rate_hz", [5.0, 12.5, 29.97, 60.0])
def test_the_span_does_not_depend_on_the_frame_rate(rate_hz: float) -> None:
    available_s = np.arange(0, 4, 1 / rate_hz)
    chosen = nearest_indices(available_s, clip_timestamps(SPEC, end_s=3.0))
    span_s = available_s[chosen[-1]] - available_s[chosen[0]]
    assert abs(span_s - SPEC.span_s) <= 1 / rate_hz


def test_the_nearest_time_is_taken_and_the_earlier_of_two_equally_near() -> None:
    chosen = nearest_indices([0.0, 1.0, 2.0], [-5.0, 0.4, 0.5, 0.6, 1.5, 9.0])
    assert chosen.tolist() == [0, 0, 0, 1, 1, 2]


def test_a_source_slower_than_the_clip_repeats_frames() -> None:
    chosen = nearest_indices([0.0, 1.0], clip_timestamps(SPEC, end_s=1.0))
    assert set(chosen.tolist()) == {0, 1}


def test_choosing_from_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no frame"):
        nearest_indices([], [0.0])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_frames", 0),
        ("num_frames", 8.7),
        ("num_frames", True),
        ("frame_interval_s", 0.0),
        ("frame_interval_s", float("nan")),
        ("interval_growth", 0.9),
        ("interval_growth", float("nan")),
        ("image_size", 8),
        ("image_size", 112.0),
        ("mean", (0.5, 0.5)),
        ("std", (0.5, 0.0, 0.5)),
        ("crop_margin", -0.1),
        ("interpolation", "lanczos"),
        ("steady", 1),
        ("steady", "yes"),
        ("grey", 1),
    ],
)
def test_a_value_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(ModelError, match=field):
        replace(SPEC, **{field: value})


def test_a_spec_survives_its_dictionary() -> None:
    assert ClipSpec.from_dict(SPEC.to_dict()) == SPEC


def test_a_missing_and_an_unknown_value_are_named() -> None:
    values = SPEC.to_dict()
    del values["mean"]
    with pytest.raises(ModelError, match="mean missing"):
        ClipSpec.from_dict(values)
    with pytest.raises(ModelError, match="colour unknown"):
        ClipSpec.from_dict({**SPEC.to_dict(), "colour": "grey"})
    with pytest.raises(ModelError, match="wrong kind"):
        ClipSpec.from_dict({**SPEC.to_dict(), "crop_margin": "much"})


@pytest.mark.parametrize("name", ["num_frames", "image_size"])
@pytest.mark.parametrize("value", [8.7, 32.0, "32", None, True])
def test_a_number_that_is_not_whole_is_refused_and_not_rounded(name: str, value: object) -> None:
    with pytest.raises(ModelError, match=f"{name} is {value!r}; it must be a whole number"):
        ClipSpec.from_dict({**SPEC.to_dict(), name: value})


@pytest.mark.parametrize("name", ["steady", "grey"])
def test_a_spec_from_before_there_was_a_choice_has_it_not(name: str) -> None:
    values = replace(SPEC, steady=True, grey=True).to_dict()
    assert getattr(ClipSpec.from_dict(values), name)
    del values[name]
    assert not getattr(ClipSpec.from_dict(values), name)


def test_a_spec_from_before_intervals_could_grow_has_equal_ones() -> None:
    values = replace(SPEC, interval_growth=1.5).to_dict()
    assert ClipSpec.from_dict(values).interval_growth == 1.5
    del values["interval_growth"]
    assert ClipSpec.from_dict(values).interval_growth == 1.0
