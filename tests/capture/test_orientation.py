"""Upright pictures, from the matrix that cameras write beside them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.frame import ImageBGR
from realtime_mood.media_libraries import av
from tests.media import read_all
from tests.shared import shared_file

ONE = 65536
LAST = 1 << 30
WIDTH, HEIGHT = 96, 64


def _corners(image_bgr: ImageBGR) -> str:
    """The colours of the four corners, clockwise from the top left."""
    names = {(0, 0, 0): "k", (0, 0, 1): "r", (0, 1, 0): "g", (1, 0, 0): "b"}
    corners = (image_bgr[row, column] for row, column in ((4, 4), (4, -5), (-5, -5), (-5, 4)))
    return "".join(names[tuple(int(value > 110) for value in corner)] for corner in corners)


def _write(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """A video with corners red, green, blue, black, and a matrix in its track header."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[: HEIGHT // 2, : WIDTH // 2, 2] = 255
    image[: HEIGHT // 2, WIDTH // 2 :, 1] = 255
    image[HEIGHT // 2 :, WIDTH // 2 :, 0] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    # ISO/IEC 14496-12, 8.3.2: the matrix of a version 0 header begins 44 bytes after its name.
    at = data.index(b"tkhd") + 44
    a, b, c, d = matrix
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, LAST)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("matrix", "corners", "turned"),
    [
        ((ONE, 0, 0, ONE), "rgbk", False),
        ((0, ONE, -ONE, 0), "krgb", True),
        ((-ONE, 0, 0, -ONE), "bkrg", False),
        ((0, -ONE, ONE, 0), "gbkr", True),
        ((-ONE, 0, 0, ONE), "grkb", False),
        ((ONE, 0, 0, -ONE), "kbgr", False),
        ((0, ONE, ONE, 0), "rkbg", True),
        ((0, -ONE, -ONE, 0), "bgrk", True),
    ],
    ids=["0", "90", "180", "270", "mirror", "flip", "transpose", "transverse"],
)
def test_all_eight_orientations(
    tmp_path: Path, matrix: tuple[int, int, int, int], corners: str, turned: bool
) -> None:
    _write(tmp_path / "v.mp4", matrix)
    source = FileSource(tmp_path / "v.mp4")
    (frame,) = read_all(source)
    assert (frame.width, frame.height) == ((HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT))
    assert (source.info.width, source.info.height) == (frame.width, frame.height)
    assert _corners(frame.image_bgr) == corners


@pytest.mark.parametrize(
    ("angle", "size"), [(0, (568, 320)), (90, (320, 568)), (180, (568, 320)), (270, (320, 568))]
)
def test_recordings_of_a_phone_held_four_ways(angle: int, size: tuple[int, int]) -> None:
    frames = read_all(FileSource(shared_file(f"media/odd/video_{angle}.mov")))
    assert [(frame.width, frame.height) for frame in frames] == [size] * 3
