"""Both decoders give the runtime's times and the same pixels."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.errors import SourceError
from tests.shared import shared_file
from tests.trainer.drawn import draw_video
from trainer import decode

RECORDING = "data/ravdess_reanimated/Actor_01/02-01-03-02-01-01-01.mp4"
PIXEL_TOLERANCE = 2
"""Grey levels by which the two libraries' colour conversions may differ."""


def decoded(name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times and pictures, from a fresh process: decord is to be loaded before OpenCV."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_decode_all, (name, path))


def _decode_all(name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    times_s, images = zip(*decode.DECODERS[name](path), strict=True)
    return np.array(times_s), np.stack(images)


def check_same(path: Path) -> None:
    times_s, images = decoded("pyav", path)
    decord_times_s, decord_images = decoded("decord", path)
    np.testing.assert_array_equal(times_s, decord_times_s)
    assert images.shape == decord_images.shape
    gap = np.abs(images.astype(np.int16) - decord_images)
    assert gap.max() <= PIXEL_TOLERANCE


@pytest.mark.skipif(decode.available_decoder() != "decord", reason="decord is not installed")
def test_decoders_agree_on_a_drawn_video(tmp_path: Path) -> None:
    path = tmp_path / "drawn.mp4"
    draw_video(path)
    check_same(path)


@pytest.mark.skipif(decode.available_decoder() != "decord", reason="decord is not installed")
def test_decoders_agree_on_a_recording() -> None:
    check_same(shared_file(RECORDING))


def test_times_are_the_files_own(tmp_path: Path) -> None:
    path = tmp_path / "drawn.mp4"
    draw_video(path)
    times_s = [time_s for time_s, _ in decode.pyav_frames(path)]
    np.testing.assert_allclose(times_s, np.arange(12) * 1001 / 30000, atol=1e-9)
    np.testing.assert_array_equal(times_s, decode.packet_times_s(path))


@pytest.mark.parametrize("read", [decode.pyav_frames, decode.packet_times_s])
def test_what_is_no_video_is_an_error(tmp_path: Path, read: object) -> None:
    path = tmp_path / "02-01-01-01-01-01-01.mp4"
    path.write_bytes(b"not a video" * 100)
    with pytest.raises(SourceError, match=r"02-01-01-01-01-01-01\.mp4 cannot be"):
        list(read(path))  # type: ignore[operator]
