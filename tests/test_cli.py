"""The command as people type it: exit codes and one line on stderr."""

import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import pytest

from realtime_mood import __version__
from realtime_mood.capture.file_source import FileSource
from realtime_mood.cli import exit_code_of, main
from realtime_mood.errors import (
    ModelError,
    OutputError,
    RealtimeMoodError,
    SourceError,
    UsageError,
)
from realtime_mood.faces.yunet_file import FACE_MODEL_VARIABLE
from realtime_mood.frame import Frame
from realtime_mood.options import make_config, parse_arguments
from realtime_mood.sinks.recording import RecordingSink
from tests.fakes import numbered_image
from tests.media import read_all, write_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "grey.mp4"
    sink = RecordingSink(path, width=64, height=48, frame_rate=Fraction(30))
    for index in range(60):
        sink.write(Frame(numbered_image(index * 4), index / 30, index))
    sink.close()
    return path


def _run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_a_bare_file_name_is_refused_with_how_it_is_given() -> None:
    with pytest.raises(UsageError, match=r"^unrecognized arguments: clip.mp4 .*--video clip.mp4"):
        parse_arguments(["clip.mp4"])
    with pytest.raises(UsageError, match=r"^unrecognized arguments: --xyz; see"):
        parse_arguments(["--xyz"])
    with pytest.raises(UsageError, match=r"--vidoe clip.mp4 \(did you mean --video\?\)"):
        parse_arguments(["--vidoe", "clip.mp4"])


@pytest.mark.parametrize("option", ["--camera", "--video", "--record", "--events"])
def test_what_a_run_has_one_of_is_not_taken_twice(option: str) -> None:
    with pytest.raises(UsageError, match=f"^{option} is there twice"):
        parse_arguments([option, "a.mp4", option, "b.mp4"])
    assert parse_arguments(["--max-faces", "2", "--max-faces", "3"]).max_faces == 3


def test_a_file_becomes_a_recording_and_events(
    checkpoint: Path, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, events = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    code = _run(
        *("--video", video, "--record", out, "--events", events),
        *("--model", checkpoint, "--faces", "none"),
    )
    assert code == 0
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    assert lines[0]["type"] == "start"
    assert lines[-1]["type"] == "summary"
    assert lines[-1]["frames"] == 60
    assert sum(line["type"] == "prediction" for line in lines) >= 3
    assert out.stat().st_size > 0
    written = capsys.readouterr()
    assert written.out == ""
    assert "60 frames" in written.err
    assert str(out) in written.err


def test_events_on_standard_output_are_nothing_but_events(
    checkpoint: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--events", "-", "--model", checkpoint, "--faces", "none")
    assert _run("--video", video, *options) == 0
    types = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert types[0] == "start"
    assert types[-1] == "summary"
    assert types.count("prediction") >= 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--video", "{tmp}/no.mp4", "--headless"), 3, ("no.mp4", "does not exist")),
        (("--video", "{tmp}", "--headless"), 3, ("{tmp}",)),
        (("--video", "{empty}", "--headless"), 3, ("empty.mp4",)),
        (("--video", "{video}", "--headless", "--model", "{tmp}/none"), 4, ("none", "--model")),
        (("--video", "{video}", "--headless", "--model", "{tmp}"), 4, ("clip_spec.json",)),
        (("--video", "{video}", "--record", "{tmp}/no/o.mp4"), 5, ("no", "create")),
        (("--video", "{video}", "--record", "{tmp}"), 5, ("{tmp}",)),
        (("--video", "{video}", "--events", "{tmp}/no/o.csv"), 5, ("no",)),
        (("--video", "{video}", "--events", "{tmp}/o.xml"), 2, ("o.xml", "jsonl")),
        (("--video", "{video}", "--record", "{video}"), 2, ("overwrite",)),
        (("--video", "{video}", "--camera", "0"), 2, ("--camera", "--video")),
        (("--video", "{video}", "--headless", "--stride", "0"), 2, ("--stride", "0.0")),
        (("--video", "{video}", "--headless", "--duration", "-1"), 2, ("--duration", "-1.0")),
        (("--video", "{video}", "--headless", "--stride", "fast"), 2, ("--stride", "fast")),
        (("--video", "rtsp://a/b", "--headless"), 2, ("--camera",)),
        (("--video", "{long}.mp4", "--headless"), 3, ("cannot be read", "too long")),
        (("--video", "{video}", "--record", "{long}.mp4"), 5, ("cannot be written", "too long")),
        (("--video", "{video}", "--events", "{long}.csv"), 5, ("cannot be written", "too long")),
        (("--video", "{video}", "--headless", "--model", "{long}"), 4, ("--model", "too long")),
        (("--video", "{video}", "--duration", "inf"), 2, ("--duration is inf", "finite")),
        (("--video", ""), 2, ("--video", "is empty")),
        (("--camera", ""), 2, ("--camera", "is empty")),
        (("--video", "{video}", "--record", ""), 2, ("--record", "is empty")),
        (("--video", "{video}", "--events", ""), 2, ("--events", "is empty")),
        (("--video", "{video}", "--model", ""), 2, ("--model", "is empty")),
        (("--video", "{video}", "--face-model", ""), 2, ("--face-model", "is empty")),
        (("--faces", "cascade", "--face-model", "{empty}"), 2, ("cascade", "--face-model")),
        (("--device", "tpu"), 2, ("tpu", "cuda")),
        (("--camera", "webcam"), 2, ("webcam", "/dev/video0")),
        (("--camera", "0", "--headless", "--record", "{tmp}/no/o.mp4"), 5, ("no", "create")),
        (("--camera", "0", "--headless", "--record", "{tmp}/o.avi"), 2, (".mp4",)),
        (("--video", "{video}", "--record", "{tmp}/o"), 2, (".mp4",)),
        (("--nonsense",), 2, ("--nonsense", "--help")),
        (("--video", "{video}", "--headless", "--faces", "yunet"), 4, ("--face-model",)),
        (("--video", "{video}", "--headless", "--face-model", "{empty}"), 4, ("empty.mp4",)),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(
    arguments: tuple[str, ...],
    code: int,
    words: tuple[str, ...],
    checkpoint: Path,
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    names = {"tmp": tmp_path, "video": video, "empty": empty, "long": tmp_path / ("x" * 300)}
    before = sorted(tmp_path.iterdir())
    given = [argument.format(**names) for argument in arguments]
    if "--model" not in given:
        given += ["--model", str(checkpoint)]
    assert _run(*given) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("realtime-mood: ")
    for word in words:
        assert word.format(**names) in lines[0]
    assert sorted(tmp_path.iterdir()) == before


def test_a_single_frame_is_told_that_it_is_too_short(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "v.mp4", count=1)
    code = _run("--video", video, "--headless", "--model", checkpoint, "--faces", "none")
    assert code == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("1 frame, 0.0 s of video")
    assert lines[-1] == "no expression was named: that takes a face in sight for 0.4 s"


def test_without_standard_error_nothing_is_said_among_the_events(
    checkpoint: Path,
    video: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    code = _run("--video", video, "--events", "-", "--model", checkpoint, "--faces", "none")
    assert code == 0
    types = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert (types[0], types[-1]) == ("start", "summary")


def test_a_picture_is_held_until_it_is_named(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, out = tmp_path / "face.png", tmp_path / "out.mp4"
    assert cv2.imwrite(str(picture), numbered_image(100))
    outputs = ("--record", out, "--events", "-")
    assert _run("--video", picture, *outputs, "--model", checkpoint, "--faces", "none") == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines()[0].startswith("20 frames, 1.9 s of video")
    types = [json.loads(line)["type"] for line in printed.out.splitlines()]
    assert types.count("prediction") > 5
    assert len(read_all(FileSource(out))) == 20


def test_a_video_that_breaks_half_way_keeps_what_was_decoded(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = write_video(tmp_path / "v.mp4", count=50, options={"movflags": "faststart"})
    broken.write_bytes(broken.read_bytes()[:-200])
    out, events = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    outputs = ("--record", out, "--events", events)
    assert _run("--video", broken, *outputs, "--model", checkpoint, "--faces", "none") == 3
    *summary, error = capsys.readouterr().err.splitlines()
    frames = int(summary[0].split(" frames, ")[0])
    assert 0 < frames < 50
    assert summary[-2:] == [f"recording: {out}", f"events: {events}"]
    assert error.startswith("realtime-mood: ")
    assert f"breaks after {frames} frames" in error
    assert json.loads(events.read_text().splitlines()[-1])["frames"] == frames
    assert out.stat().st_size > 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RealtimeMoodError("x"), 1),
        (UsageError("x"), 2),
        (SourceError("x"), 3),
        (ModelError("x"), 4),
        (OutputError("x"), 5),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_every_error_has_its_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> int:
        raise error

    assert exit_code_of(fail, program="test", debug=False) == code
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert exit_code_of(fail, program="test", debug=True) == code
    assert "Traceback" in capsys.readouterr().err


def test_no_option_means_the_first_camera() -> None:
    config = make_config(parse_arguments([]))
    assert config.camera == "0"
    assert config.shows_mirror
    assert not config.is_offline


def test_a_face_model_of_the_environment_is_no_contradiction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(FACE_MODEL_VARIABLE, "yunet.onnx")
    assert make_config(parse_arguments(["--faces", "cascade"])).face_model == Path("yunet.onnx")


def test_the_version_and_the_help_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--version") == 0
    assert __version__ in capsys.readouterr().out
    assert _run("--help") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "--camera" in told
    assert told.count("replaces a file that is there") == 2
    assert "current folder as realtime-mood-DATE.mp4 and .png" in told


def test_a_camera_that_is_not_there_is_one_line(checkpoint: Path) -> None:
    program = shutil.which("realtime-mood", path=str(Path(sys.executable).parent))
    assert program, "the console script is not installed"
    done = subprocess.run(
        [program, "--camera", "97", "--headless", "--model", str(checkpoint)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "camera 97" in line


def test_a_password_in_an_address_is_never_shown() -> None:
    config = make_config(parse_arguments(["--camera", "rtsp://me:secret@10.0.0.1/live?key=secret"]))
    assert config.source_name == "rtsp://10.0.0.1/live"
    assert not config.shows_mirror


def test_a_message_is_one_line_whatever_a_file_is_called(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--video", str(tmp_path / "x\n\x1b[31mred.mp4"), "--headless"]) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert r"x\n\x1b[31mred.mp4" in line
