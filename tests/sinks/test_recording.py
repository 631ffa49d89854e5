from __future__ import annotations

import errno
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.pattern_source import PatternSource, read_frame_number
from realtime_mood.errors import OutputError, SourceError, UsageError
from realtime_mood.frame import Frame
from realtime_mood.media_libraries import av
from realtime_mood.sinks.recording import FRAGMENT_S, RecordingSink
from tests.full_disk import files_at_most
from tests.media import read_all


def _frame(time_s: float, *, value: int = 90, size: tuple[int, int] = (64, 48)) -> Frame:
    return Frame(np.full((size[1], size[0], 3), value, np.uint8), time_s, 0)


def _record(path: Path, frames: list[Frame], rate: Fraction | None = Fraction(25)) -> None:
    sink = RecordingSink(path, width=frames[0].width, height=frames[0].height, frame_rate=rate)
    for frame in frames:
        sink.write(frame)
    sink.close()


def test_every_frame_is_there_in_order(tmp_path: Path) -> None:
    frames = read_all(PatternSource(duration_s=1.5))
    _record(tmp_path / "r.mp4", frames, Fraction(30))
    source = FileSource(tmp_path / "r.mp4")
    recorded = read_all(source)
    assert [read_frame_number(frame.image_bgr) for frame in recorded] == list(range(45))
    assert source.info.duration_s == pytest.approx(1.5, abs=0.001)
    assert source.info.frame_rate == 30


@pytest.mark.parametrize(
    ("rate", "times"),
    [
        (Fraction(30), [n / 30 for n in range(60)]),
        (Fraction(30_000, 1001), [n * 1001 / 30_000 for n in range(60)]),
        # Announces 30 and gives 8 to 14 a second, with a stop of two seconds.
        (Fraction(30), list(np.cumsum([0.0] + [0.07, 0.13, 0.09] * 10 + [2.0] + [0.1] * 10))),
        (None, [5.0 + n / 10 for n in range(30)]),
    ],
)
def test_times_are_true_whatever_is_announced(
    tmp_path: Path, rate: Fraction | None, times: list[float]
) -> None:
    _record(tmp_path / "r.mp4", [_frame(time_s) for time_s in times], rate)
    found = [frame.timestamp_s for frame in read_all(FileSource(tmp_path / "r.mp4"))]
    assert found == pytest.approx([time_s - times[0] for time_s in times], abs=0.001)


def test_times_that_fall_together_are_kept_apart(tmp_path: Path) -> None:
    _record(tmp_path / "r.mp4", [_frame(n * 1e-6) for n in range(20)])
    assert len(read_all(FileSource(tmp_path / "r.mp4"))) == 20


def test_a_keyframe_every_second(tmp_path: Path) -> None:
    frames = read_all(PatternSource(frame_rate=Fraction(10), duration_s=5.0))
    _record(tmp_path / "r.mp4", frames, Fraction(60))
    with av.open(str(tmp_path / "r.mp4")) as container:
        stream = container.streams.video[0]
        keys = [float(p.pts * p.time_base) for p in container.demux(stream) if p.is_keyframe]
    assert keys == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.0], abs=0.01)


def test_one_frame_alone(tmp_path: Path) -> None:
    _record(tmp_path / "r.mp4", [_frame(0.0)])
    assert len(read_all(FileSource(tmp_path / "r.mp4"))) == 1


@pytest.mark.parametrize("read_with", ["pyav", "opencv"])
def test_colours_come_back(tmp_path: Path, read_with: str) -> None:
    patches = [(40, 60, 210), (60, 200, 50), (220, 70, 30), (128, 128, 128), (15, 15, 15)]
    image = np.repeat(np.array([patches], np.uint8), 64, axis=0).repeat(64, axis=1)
    _record(tmp_path / "r.mp4", [Frame(image, n / 25, n) for n in range(5)])
    if read_with == "pyav":
        recorded = read_all(FileSource(tmp_path / "r.mp4"))[-1].image_bgr
    else:
        recorded = cv2.imdecode(_last_frame_by_opencv(tmp_path / "r.mp4"), cv2.IMREAD_COLOR)
    for number, patch in enumerate(patches):
        middle = recorded[16:48, number * 64 + 16 : number * 64 + 48].reshape(-1, 3)
        assert np.abs(middle.mean(axis=0) - patch).max() < 4.0


def _last_frame_by_opencv(path: Path) -> np.ndarray:
    # In a process of its own: tests are held to the rule that one module captures with OpenCV.
    code = f"""
import cv2, sys
capture = cv2.VideoCapture({str(path)!r})
while True:
    good, image = capture.read()
    if not good: break
    last = image
sys.stdout.buffer.write(cv2.imencode(".png", last)[1].tobytes())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    return np.frombuffer(done.stdout, np.uint8)


def test_the_colours_are_declared(tmp_path: Path) -> None:
    _record(tmp_path / "r.mp4", [_frame(0.0)])
    with av.open(str(tmp_path / "r.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 1, 1)
    assert frame.color_range == 1
    assert frame.format.name == "yuv420p"


@pytest.mark.parametrize("size", [(65, 48), (64, 49), (65, 49), (1, 1)])
def test_odd_sizes_repeat_the_border(tmp_path: Path, size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 200, np.uint8)
    _record(tmp_path / "r.mp4", [Frame(image, 0.0, 0)])
    (frame,) = read_all(FileSource(tmp_path / "r.mp4"))
    assert (frame.width, frame.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert np.abs(frame.image_bgr.astype(int) - 200).max() < 6


def test_frames_of_another_size_are_scaled(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48)
    sink.write(_frame(0.0, size=(64, 48)))
    sink.write(_frame(0.1, size=(128, 40)))
    sink.close()
    frames = read_all(FileSource(tmp_path / "r.mp4"))
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)] * 2


def test_an_older_file_stays_until_the_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "r.mp4"
    path.write_bytes(b"older")
    sink = RecordingSink(path, width=64, height=48)
    sink.close()
    assert path.read_bytes() == b"older"
    _record(path, [_frame(0.0)])
    assert len(read_all(FileSource(path))) == 1


def test_no_frame_no_file(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48)
    sink.close()
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_close_twice_then_no_more_frames(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48)
    sink.write(_frame(0.0))
    sink.close()
    sink.close()
    with pytest.raises(OutputError, match="is closed"):
        sink.write(_frame(0.1))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/r.mp4", r"the folder .*missing does not exist; create it"),
        ("folder.mp4", r"folder\.mp4 is a folder; name a file in it"),
        ("file/r.mp4", r"file is not a folder"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_at_once(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=message) as caught:
        RecordingSink(tmp_path / name, width=64, height=48)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["r.avi", "r", "-"])
def test_another_suffix_is_bad_usage(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=rf"written as .*{name}; end its name in \.mp4"):
        RecordingSink(tmp_path / name, width=64, height=48)


def test_a_folder_without_rights(read_only_folder: Path) -> None:
    with pytest.raises(OutputError, match="may not be written to"):
        RecordingSink(read_only_folder / "r.mp4", width=64, height=48)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_is_one_line_and_what_is_there_can_be_played(tmp_path: Path) -> None:
    path = tmp_path / "r.mp4"
    code = f"""
import resource
from pathlib import Path
import numpy as np
from realtime_mood.errors import OutputError
from realtime_mood.frame import Frame
from realtime_mood.sinks.recording import RecordingSink
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
noise = np.random.default_rng(0)
sink = RecordingSink(Path({str(path)!r}), width=320, height=240)
try:
    for n in range(200):
        sink.write(Frame(noise.integers(0, 255, (240, 320, 3), np.uint8), n / 25, n))
    sink.close()
except OutputError as error:
    print(n, error)
sink.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    written, _, error = line.partition(" ")
    assert error.startswith(f"the recording {path} cannot be written (File too large); choose")
    assert error.endswith("; what came before can be played")
    frames: list[Frame] = []
    with suppress(SourceError):
        source = FileSource(path)
        while (frame := source.read()) is not None:
            frames.append(frame)
    # All but what a fragment may hold.
    lost = FRAGMENT_S * 25 + 1
    assert int(written) > 10
    assert int(written) - lost <= len(frames) <= int(written)


def test_a_picture_that_no_encoder_takes_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="20000x10 cannot be recorded; make it 16384 pixels"):
        RecordingSink(tmp_path / "r.mp4", width=20_000, height=10)
    RecordingSink(tmp_path / "r.mp4", width=16_384, height=10).close()
    assert not (tmp_path / "r.mp4").exists()


def write_frames(sink: RecordingSink, count: int) -> None:
    for n in range(count):
        sink.write(Frame(np.full((48, 64, 3), n, np.uint8), n / 25, n))


@pytest.mark.skipif(sys.platform == "win32", reason="files that are open cannot be removed")
@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_recording_that_was_moved_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, is_replaced: bool
) -> None:
    sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48)
    write_frames(sink, 5)
    (tmp_path / "r.mp4").rename(tmp_path / "elsewhere.mp4")
    if is_replaced:
        (tmp_path / "r.mp4").touch()
    sink.close()
    assert "r.mp4 was moved while it was written" in caplog.text
    assert len(read_all(FileSource(tmp_path / "elsewhere.mp4"))) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_of_a_recording_that_failed_at_once_nothing_is_left(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48)
    with files_at_most(10), pytest.raises(OutputError, match=r"cannot be written .* place$"):
        write_frames(sink, 50)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="files that are open cannot be removed")
def test_a_recording_that_was_removed_is_not_called_made(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48)
    write_frames(sink, 5)
    (tmp_path / "r.mp4").unlink()
    with pytest.raises(OutputError, match=r"r\.mp4 was removed while it was written"):
        sink.close()


@pytest.mark.skipif(sys.platform == "win32", reason="files that are open cannot be moved")
def test_a_recording_that_fails_removes_no_other_file(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48)
    write_frames(sink, 2)
    (tmp_path / "r.mp4").rename(tmp_path / "elsewhere.mp4")
    (tmp_path / "r.mp4").write_bytes(b"somebody else's")
    with files_at_most(10), pytest.raises(OutputError, match=r"cannot be written .* place$"):
        write_frames(sink, 50)
    assert (tmp_path / "r.mp4").read_bytes() == b"somebody else's"


def test_a_recording_that_never_began_leaves_an_older_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> NoReturn:
        raise OSError(errno.EINVAL, "the encoder has its reasons")

    monkeypatch.setattr("realtime_mood.sinks.recording.refusing_idle_pipe", refuse)
    (tmp_path / "r.mp4").write_bytes(b"an older recording")
    sink = RecordingSink(tmp_path / "r.mp4", width=64, height=48)
    with pytest.raises(OutputError, match="cannot be written"):
        write_frames(sink, 1)
    assert (tmp_path / "r.mp4").read_bytes() == b"an older recording"
