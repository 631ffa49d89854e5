"""Pictures as sources; what every source must do is in test_sources."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.still_source import STILL_S, held
from realtime_mood.capture.worker import CaptureWorker
from realtime_mood.config import RunConfig
from realtime_mood.errors import SourceError
from realtime_mood.live import open_source
from realtime_mood.media_libraries import av
from tests.fakes import numbered_image
from tests.media import write_video


def test_a_picture_stays_for_two_seconds(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    assert cv2.imwrite(str(path), numbered_image(7))
    source = held(FileSource(path), is_endless=False)
    frames = list(iter(source.read, None))
    assert (source.info.duration_s, len(frames)) == (2.0, 20)
    assert frames[-1].timestamp_s == 1.9
    assert all(np.array_equal(frame.image_bgr, numbered_image(7)) for frame in frames)


def test_an_endless_picture_stays_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    assert cv2.imwrite(str(path), numbered_image(7))
    source = held(FileSource(path), is_endless=True)
    assert source.info.duration_s is None
    assert len(list(islice(iter(source.read, None), 1000))) == 1000
    source.close()
    assert source.read() is None


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff", "gif", "avif"])
def test_photographs_stand_upright(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p.{suffix}"
    turned = Image.Exif()
    turned[0x112] = 6
    exif = {"exif": turned} if suffix == "jpg" else {}
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(path, **exif)
    frame = held(FileSource(path), is_endless=False).read()
    assert frame is not None
    assert (frame.width, frame.height) == ((48, 64) if suffix == "jpg" else (64, 48))


def test_a_picture_is_played_until_the_duration_is_over(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    assert cv2.imwrite(str(path), numbered_image(7))
    config = RunConfig(video=path)
    capture = CaptureWorker(
        lambda: open_source(config), clock=time.monotonic, duration_s=STILL_S + 0.5
    )
    capture.release()
    capture.worker.start()
    assert capture.worker.join(30.0)
    capture.worker.raise_error()
    newest = capture.frames.wait_after(-1.0, max_lag_s=0.0, timeout_s=0.0)
    assert newest is not None
    assert newest.timestamp_s == STILL_S + 0.4


def test_a_gif_that_moves_is_a_video(tmp_path: Path) -> None:
    pictures = [Image.fromarray(numbered_image(index)) for index in (0, 200)]
    path = tmp_path / "v.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    assert len(list(iter(held(FileSource(path), is_endless=True).read, None))) == 2


def test_a_picture_of_several_parts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.mp4"
    with av.open(str(path), "w", options={"brand": "heic"}) as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        tile = av.VideoFrame.from_ndarray(numbered_image(7), format="bgr24")
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = tile.width, tile.height, "yuv420p"
        for stream in streams:
            container.mux([*stream.encode(tile), *stream.encode(None)])
    with pytest.raises(SourceError, match=r"several parts.*save it as JPEG"):
        held(FileSource(path), is_endless=True)


def test_a_video_of_one_frame_is_no_picture(tmp_path: Path) -> None:
    source = held(FileSource(write_video(tmp_path / "v.mp4", count=1)), is_endless=True)
    assert isinstance(source, FileSource)
    assert len(list(iter(source.read, None))) == 1
