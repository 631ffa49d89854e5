from __future__ import annotations

import re
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.errors import SourceError
from realtime_mood.frame import Frame
from realtime_mood.media_libraries import (
    Interpolation,
    av,
    cv2,
    find_sound_stream,
    open_media_file,
)
from tests.media import read_all, times_of, write_video
from tests.shared import shared_file


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", count=30, rate=Fraction(30_000, 1001))
    info = FileSource(path).info
    assert (info.width, info.height) == (64, 48)
    assert info.frame_rate == Fraction(30_000, 1001)
    assert info.duration_s == pytest.approx(30 * 1001 / 30_000)
    assert info.path == path
    assert not info.is_live


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "mov", "ts"])
def test_every_frame_in_order_from_every_container(tmp_path: Path, suffix: str) -> None:
    # libx264 reorders frames and holds the last ones back until it is told that it is the end.
    path = write_video(tmp_path / f"v.{suffix}", count=40, white_at=[39], first_pts=50)
    frames = read_all(FileSource(path))
    assert len(frames) == 40
    assert [frame.timestamp_s for frame in frames] == pytest.approx(
        [index / 25 for index in range(40)], abs=0.001
    )
    assert [frame.image_bgr.mean() > 200 for frame in frames].index(True) == 39


def test_a_picture_that_changes_its_size_is_fitted_into_the_first(tmp_path: Path) -> None:
    parts = [
        write_video(tmp_path / f"{n}.ts", count=10, size=size, first_pts=10 * n)
        for n, size in enumerate([(64, 48), (48, 64)])
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = read_all(FileSource(path))
    assert len(frames) == 20
    assert {(frame.width, frame.height) for frame in frames} == {(64, 48)}
    # Upright between black bars.
    columns = frames[-1].image_bgr.mean(axis=(0, 2)) > 40
    assert columns.nonzero()[0].tolist() == list(range(14, 50))


@pytest.mark.parametrize(
    ("second", "white_columns"), [((64, Fraction(1)), 64), ((48, Fraction(1)), 48)]
)
def test_pixels_that_change_their_shape_stay_square(
    tmp_path: Path, second: tuple[int, Fraction], white_columns: int
) -> None:
    parts = []
    for number, (width, aspect) in enumerate([(48, Fraction(4, 3)), second]):
        part = tmp_path / f"{number}.ts"
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, 48, "yuv420p"
            stream.codec_context.sample_aspect_ratio = aspect
            for index in range(10):
                white = np.full((48, width, 3), 255, np.uint8)
                picture = av.VideoFrame.from_ndarray(white, format="bgr24")
                picture.pts, picture.time_base = 10 * number + index, Fraction(1, 25)
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        parts.append(part.read_bytes())
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    frames = read_all(FileSource(path))
    assert len(frames) == 20
    # The first is 64 x 48 in square pixels; what is narrower lies between black bars.
    assert {frame.image_bgr.shape for frame in frames} == {(48, 64, 3)}
    assert all(frame.image_bgr.min() > 200 for frame in frames[:5])
    for frame in frames[-5:]:
        assert (frame.image_bgr.min(axis=(0, 2)) > 200).sum() == white_columns


@pytest.mark.parametrize(
    ("aspect", "size"), [((4, 3), (85, 48)), ((1, 2), (64, 96)), ((100, 1), (64, 48))]
)
def test_pixels_become_square(
    tmp_path: Path, aspect: tuple[int, int], size: tuple[int, int]
) -> None:
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(*aspect)
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    source = FileSource(path)
    assert (source.info.width, source.info.height) == size
    [frame] = read_all(source)
    assert (frame.width, frame.height) == size


def _with_colours(path: Path, image: np.ndarray, pix_fmt: str, space: int, full: bool) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.colorspace = space
        stream.codec_context.color_range = 2 if full else 1
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(
            format=pix_fmt,
            dst_colorspace=space,
            dst_color_range=2 if full else 1,
            interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("space", [1, 5], ids=["bt709", "bt601"])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
def test_colours(tmp_path: Path, pix_fmt: str, space: int, full: bool) -> None:
    patches = [(40, 60, 210), (60, 200, 50), (220, 70, 30), (128, 128, 128), (15, 15, 15)]
    image = np.repeat(np.array([patches], np.uint8), 32, axis=0).repeat(32, axis=1)
    _with_colours(tmp_path / "v.mp4", image, pix_fmt, space, full)
    (frame,) = read_all(FileSource(tmp_path / "v.mp4"))
    for number, patch in enumerate(patches):
        middle = frame.image_bgr[8:24, number * 32 + 8 : number * 32 + 24].reshape(-1, 3)
        assert np.abs(middle.mean(axis=0) - patch).max() < 4.0


@pytest.mark.parametrize(("curve", "white"), [(16, 572), (18, 721)], ids=["PQ", "HLG"])
def test_hdr_white_is_white(tmp_path: Path, curve: int, white: int) -> None:
    # ITU-R BT.2408: a white page is at 58 % of PQ's range and at 75 % of HLG's.
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        codec = stream.codec_context
        codec.color_primaries, codec.colorspace, codec.color_trc = 9, 9, curve
        codec.color_range = 1
        picture = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, level in zip(picture.planes, (white, 512, 512), strict=True):
            plane.update(np.full(plane.buffer_size // 2, level, "<u2").tobytes())
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    (frame,) = read_all(FileSource(path))
    assert frame.image_bgr.min() > 245


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)
    picture[:, :, 3] = 0
    picture[:, 16:32] = (10, 20, 30, 255)
    picture[:, 32:48] = (0, 0, 0, 128)
    cv2.imwrite(str(tmp_path / "face.png"), picture)
    (frame,) = read_all(FileSource(tmp_path / "face.png"))
    assert (frame.image_bgr[:, :16] == 255).all()
    assert (frame.image_bgr[:, 16:32] == (10, 20, 30)).all()
    assert (frame.image_bgr[:, 32:48] == 127).all()
    assert (frame.image_bgr[:, 48:] == 255).all()


def test_of_several_pictures_and_sounds_the_default_ones_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as container:
        small, large = (container.add_stream("libx264", rate=25) for _ in range(2))
        sounds = [container.add_stream("aac", rate=44100, layout="mono") for _ in range(2)]
        for stream, side in ((small, 32), (large, 64)):
            stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        for stream in (small, sounds[0]):
            stream.disposition = av.stream.Disposition(0)
        for stream in (large, sounds[1]):
            stream.disposition = av.stream.Disposition.default
        for stream, side in ((small, 32), (large, 64)):
            image = np.zeros((side, side, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        for stream in sounds:
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            sound.sample_rate = 44100
            container.mux(stream.encode(sound))
        for stream in container.streams:
            container.mux(stream.encode(None))
    source = FileSource(path)
    assert (source.info.width, source.info.height) == (64, 64)
    source.close()
    with open_media_file(path) as container:
        sound_stream = find_sound_stream(container)
        assert sound_stream is not None
        assert sound_stream.index == 3


def _truncated(folder: Path, suffix: str, options: dict[str, str]) -> Path:
    path = write_video(folder / f"v.{suffix}", count=250, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6)])
    return path


def _read_into(frames: list[Frame], source: FileSource) -> None:
    while (frame := source.read()) is not None:
        frames.append(frame)


@pytest.mark.parametrize(
    ("suffix", "options"), [("mp4", {"movflags": "faststart"}), ("mkv", {}), ("avi", {})]
)
def test_a_file_that_was_cut_short_gives_what_is_there_then_says_so(
    tmp_path: Path, suffix: str, options: dict[str, str]
) -> None:
    source = FileSource(_truncated(tmp_path, suffix, options))
    frames: list[Frame] = []
    with pytest.raises(SourceError) as caught:
        _read_into(frames, source)
    found = re.search(r"breaks after (\d+) frames, at (\d+\.\d\d) s", str(caught.value))
    assert found is not None
    assert 20 < int(found[1]) == len(frames) < 240
    assert float(found[2]) == pytest.approx(frames[-1].timestamp_s, abs=0.01)
    with pytest.raises(SourceError):
        source.read()
    source.close()


def test_a_long_sound_track_does_not_make_a_file_look_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        for index in range(25):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(video.encode(frame))
        for start in range(0, 6 * 48_000, 1024):
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
            block.rate, block.pts, block.time_base = 48_000, start, Fraction(1, 48_000)
            container.mux(sound.encode(block))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    assert len(times_of(path)) == 25


def _bad_file(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path = folder / "notes.txt"
        path.write_text("not a video\n" * 200, encoding="utf-8")
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(1).bytes(50_000))
    elif kind == "headless":
        write_video(path)
        path.write_bytes(path.read_bytes()[:1500])
    elif kind == "playlist":
        path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", encoding="utf-8")
    elif kind == "pictureless":
        write_video(path)
        data = bytearray(path.read_bytes())
        start = data.index(b"mdat") + 4
        data[start : data.index(b"moov") - 4] = bytes(data.index(b"moov") - 4 - start)
        path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "does not exist; check the path"),
        ("folder", "is a folder; give the path of one video file"),
        ("empty", r"is empty \(0 bytes\); get the file again"),
        ("text", "is not a video that can be decoded here"),
        ("noise", "is not a video, or is damaged"),
        ("headless", "is not a video"),
        ("playlist", "is not a video"),
        ("pictureless", "cannot be decoded|holds no frame"),
    ],
)
def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path, kind: str, message: str) -> None:
    path = _bad_file(tmp_path, kind)
    with pytest.raises(SourceError, match=message) as caught:
        FileSource(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/null")
def test_a_device_is_not_a_file() -> None:
    with pytest.raises(SourceError, match="give a device to --camera"):
        FileSource(Path("/dev/null"))


# What each file of the collection gives: its frames, or the error after so many of them.
COLLECTION = {
    "faces/dark_cuts_1_to_5_faces.mp4": (275, None),
    "faces/four_faces_5_frames.mp4": (5, None),
    "faces/no_face_cartoon.mp4": (95, None),
    "faces/one_face_neutral_to_smile.mp4": (72, None),
    "faces/several_faces.jpg": (1, None),
    "faces/talking_with_audio_5s.mp4": (125, None),
    "faces/tiny_176x144_talking.mp4": (120, None),
    "odd/audio_only.mp4": (0, "has sound but no picture; give a file with video"),
    "odd/av1_video.mkv": (125, None),
    "odd/black_picture_with_speech.mp4": (50, None),
    "odd/bt709_full_range.mp4": (30, None),
    # One packet, the 29th, cannot be decoded.
    "odd/corrupt_after_28_frames.mp4": (49, None),
    "odd/h264_10bits.mp4": (30, None),
    "odd/h265_video.mp4": (10, None),
    "odd/long_10fps_139s.mp4": (1394, None),
    "odd/unordered.mov": (4, None),
    "odd/video_0.mov": (3, None),
    "odd/video_90.mov": (3, None),
    "odd/video_180.mov": (3, None),
    "odd/video_270.mov": (3, None),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", COLLECTION)
def test_the_collection(name: str) -> None:
    count, message = COLLECTION[name]
    path = shared_file(f"media/{name}")
    frames = 0
    error = None
    try:
        source = FileSource(path)
        while source.read() is not None:
            frames += 1
        source.close()
    except SourceError as caught:
        error = str(caught)
    assert frames == count
    assert (error is None) == (message is None)
    assert message is None or message in str(error)


@pytest.mark.timeout(60)
def test_files_that_joined_the_collection_later_work_or_fail_as_they_should() -> None:
    files = [path for path in shared_file("media").glob("*/*") if path.is_file()]
    joined = [path for path in files if f"{path.parent.name}/{path.name}" not in COLLECTION]
    if not joined:
        pytest.skip("no file has joined")
    for path in sorted(joined):
        with suppress(SourceError):
            assert read_all(FileSource(path)), path


def test_ffmpeg_keeps_quiet(tmp_path: Path) -> None:
    path = _truncated(tmp_path, "mp4", {"movflags": "faststart"})
    code = f"""
from pathlib import Path
from realtime_mood.capture.file_source import FileSource
from realtime_mood.errors import SourceError
source = FileSource(Path({str(path)!r}))
try:
    while source.read(): pass
except SourceError: pass
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    assert done.stdout == b""
