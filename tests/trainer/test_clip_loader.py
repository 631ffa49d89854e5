"""Single frames are the pixels that decoding everything gives, however the file is coded."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime_mood.errors import SourceError
from tests.shared import shared_file
from trainer import decode
from trainer.clip_loader import read_frames


def encode(path: Path, codec: str, options: dict[str, str], frames: int = 60) -> None:
    rng = np.random.default_rng(0)
    still = rng.integers(256, size=(64, 96, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index in range(frames):
            image = np.roll(still, index, axis=1)
            cv2.circle(image, (index, 32), 9, (30, 200, 240), -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


def check(path: Path, indices: list[int]) -> None:
    expected = np.stack([image for _, image in decode.pyav_frames(path)])
    np.testing.assert_array_equal(read_frames(path, indices), expected[indices])


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"g": "250", "bf": "3", "b-pyramid": "normal"}),
        ("libx264", {"g": "10", "bf": "2"}),
        ("libx264", {"g": "12", "x264-params": "open-gop=1:bframes=3"}),
        ("libx264", {"g": "1"}),
        ("mpeg4", {"g": "12", "bf": "2"}),
    ],
)
@pytest.mark.parametrize(
    "indices", [[0], [59], [5, 11, 17, 23, 29, 35, 41, 47], [50, 3, 3, 58], list(range(60))]
)
def test_any_frames_of_any_coding(
    tmp_path: Path, codec: str, options: dict[str, str], indices: list[int]
) -> None:
    path = tmp_path / "v.mp4"
    encode(path, codec, options)
    check(path, indices)


def test_frames_of_a_recording() -> None:
    path = shared_file("data/ravdess_reanimated/Actor_01/02-01-03-02-01-01-01.mp4")
    count = len(decode.packet_times_s(path))
    for first in (0, 17, 40):
        check(path, [first + 6 * step for step in range(8)])
    check(path, [count - 1])


def test_packets_out_of_order() -> None:
    check(shared_file("media/odd/unordered.mov"), [3, 0, 2])


def test_what_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    encode(path, "libx264", {}, frames=5)
    with pytest.raises(SourceError, match="holds 5 frames"):
        read_frames(path, [5])
    path.write_bytes(b"no video")
    with pytest.raises(SourceError, match="cannot be decoded"):
        read_frames(path, [0])
    broken = shared_file("media/odd/corrupt_after_28_frames.mp4")
    with pytest.raises(SourceError, match="cannot be decoded"):
        read_frames(broken, [45])
