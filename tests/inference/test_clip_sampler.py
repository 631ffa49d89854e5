from dataclasses import replace

import numpy as np
import pytest

from realtime_mood.inference.clip_sampler import FIRST_CLIP_S, Clip, ClipSampler
from realtime_mood.model.clip_spec import clip_timestamps, nearest_indices
from tests.fakes import SPEC, numbered_image


def _sample(*, rate_hz: float, seconds: float, stride_s: float = 0.2) -> list[Clip]:
    sampler = ClipSampler(SPEC, stride_s=stride_s)
    clips = []
    for index in range(round(rate_hz * seconds)):
        crop = numbered_image(index, width=32, height=32)
        clip = sampler.add(crop, track_id=7, timestamp_s=index / rate_hz, frame_index=index)
        if clip:
            clips.append(clip)
    return clips


@pytest.mark.parametrize("rate_hz", [7.0, 15.0, 30.0, 50.0])
def test_the_first_clip_comes_soon_and_begins_with_the_first_crop(rate_hz: float) -> None:
    first = _sample(rate_hz=rate_hz, seconds=3.0)[0]
    assert FIRST_CLIP_S - 1e-6 <= first.end_s <= FIRST_CLIP_S + 1 / rate_hz
    assert first.track_id == 7
    assert first.frame_index == round(first.end_s * rate_hz)
    numbers = first.crops_bgr[:, 0, 0, 0].astype(int)
    assert numbers[0] == numbers[4] == 0
    assert numbers[-1] == first.frame_index


def test_a_clip_span_that_is_shorter_is_waited_for_alone() -> None:
    sampler = ClipSampler(replace(SPEC, frame_interval_s=0.02), stride_s=0.2)
    crop = numbered_image(0, width=32, height=32)
    came = [
        sampler.add(crop, track_id=1, timestamp_s=index / 50, frame_index=index) is not None
        for index in range(8)
    ]
    assert came == [False] * 7 + [True]


def test_frames_of_a_clip_are_the_ones_nearest_to_its_times() -> None:
    clip = _sample(rate_hz=30.0, seconds=2.0)[-1]
    numbers = clip.crops_bgr[:, 0, 0, 0].astype(int)
    assert np.diff(numbers).tolist() == [6] * 7
    assert numbers[-1] == clip.frame_index


def test_one_clip_comes_each_stride() -> None:
    clips = _sample(rate_hz=30.0, seconds=6.0, stride_s=0.5)
    np.testing.assert_allclose(np.diff([clip.end_s for clip in clips]), 0.5, atol=1 / 30)


@pytest.mark.parametrize("rate_hz", [5.0, 10.0, 30.0])
def test_no_clip_comes_late_for_the_rounding_of_sums(rate_hz: float) -> None:
    ends_s = [clip.end_s for clip in _sample(rate_hz=rate_hz, seconds=8.0)]
    np.testing.assert_allclose(ends_s, 0.4 + 0.2 * np.arange(len(ends_s)), atol=1e-9)
    assert len(ends_s) == 38


def test_frames_that_are_far_apart_make_clips_too() -> None:
    clips = _sample(rate_hz=1 / 5, seconds=25.0)
    assert [clip.end_s for clip in clips] == [5.0, 10.0, 15.0, 20.0]
    assert (clips[1].crops_bgr == clips[1].crops_bgr[-1]).all()


def test_a_stride_shorter_than_a_frame_gives_a_clip_a_frame() -> None:
    clips = _sample(rate_hz=10.0, seconds=3.0, stride_s=0.01)
    np.testing.assert_allclose(np.diff([clip.end_s for clip in clips]), 0.1)


def test_faces_do_not_mix_and_an_ended_face_is_forgotten() -> None:
    sampler = ClipSampler(SPEC, stride_s=0.2)
    clips: dict[int, Clip] = {}
    for index in range(60):
        for track_id in (1, 2):
            crop = numbered_image(index + 90 * track_id, width=32, height=32)
            clip = sampler.add(crop, track_id=track_id, timestamp_s=index / 30, frame_index=index)
            if clip:
                clips[track_id] = clip
    assert clips[1].crops_bgr.max() < 150
    assert clips[2].crops_bgr.min() >= 180
    sampler.end(1)
    crop = numbered_image(0, width=32, height=32)
    assert sampler.add(crop, track_id=1, timestamp_s=2.0, frame_index=60) is None


def test_a_clip_of_growing_intervals_holds_the_frames_that_training_takes() -> None:
    spec = replace(SPEC, frame_interval_s=0.1, interval_growth=1.3)
    sampler = ClipSampler(spec, stride_s=0.1)
    # A camera so slow that the frame nearest to the first wanted time is before it.
    times_s = np.arange(40) * 0.39
    for number, time_s in enumerate(times_s):
        crop = np.full((32, 32, 3), number, dtype=np.uint8)
        clip = sampler.add(crop, track_id=1, timestamp_s=float(time_s), frame_index=number)
    assert clip is not None
    wanted = nearest_indices(times_s, clip_timestamps(spec, end_s=float(times_s[-1])))
    assert clip.crops_bgr[:, 0, 0, 0].tolist() == wanted.tolist()
