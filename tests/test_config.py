import re
from pathlib import Path

import pytest

from realtime_mood.config import RunConfig
from realtime_mood.errors import SourceError, UsageError
from realtime_mood.live import open_source
from realtime_mood.options import make_config, parse_arguments


@pytest.mark.parametrize("name", ["missing.mp4", "file/v.mp4"])
def test_a_video_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=f"{name} does not exist; check the path"):
        RunConfig(video=tmp_path / name)


def test_a_name_that_no_file_can_have_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot be read \(File name too long\)"):
        RunConfig(video=tmp_path / f"{'x' * 300}.mp4")


def test_a_folder_that_may_not_be_looked_into_is_one_line(locked_folder: Path) -> None:
    with pytest.raises(SourceError, match=r"v\.mp4 cannot be read \(Permission denied\)"):
        RunConfig(video=locked_folder / "v.mp4")


def test_an_output_that_cannot_be_looked_at_is_left_to_its_sink(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").touch()
    config = RunConfig(video=tmp_path / "v.mp4", record=tmp_path / f"{'x' * 300}.mp4")
    assert config.is_offline


def test_an_output_never_overwrites_the_video(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.touch()
    (tmp_path / "link.jsonl").symlink_to(video)
    with pytest.raises(UsageError, match="--record would overwrite the video"):
        RunConfig(video=video, record=tmp_path / ".." / tmp_path.name / "v.mp4")
    with pytest.raises(UsageError, match="--events would overwrite the video"):
        RunConfig(video=video, events=str(tmp_path / "link.jsonl"))


def test_recording_and_events_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").symlink_to(tmp_path / "out.mp4")
    for events in (tmp_path / "out.mp4", tmp_path / "events.jsonl"):
        with pytest.raises(UsageError, match="--record and --events both name"):
            RunConfig(camera="0", record=tmp_path / "out.mp4", events=str(events))
    (tmp_path / "out.mp4").touch()
    (tmp_path / "hard.jsonl").hardlink_to(tmp_path / "out.mp4")
    with pytest.raises(UsageError, match="--record and --events both name"):
        RunConfig(camera="0", record=tmp_path / "out.mp4", events=str(tmp_path / "hard.jsonl"))
    other = str(tmp_path / "other.jsonl")
    assert RunConfig(camera="0", record=tmp_path / "out.mp4", events=other).events == other


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--camera-size big", "'big' is no size; give one such as 1280x720"),
        ("--camera-size 0x720", "--camera-size is 0x720; both must be from 1 to 8192"),
        ("--camera pattern --camera-size 640x480", "--camera-size is for cameras"),
        ("--camera rtsp://host/live --camera-size 640x480", "--camera-size is for cameras"),
    ],
)
def test_sizes_that_no_camera_can_be_asked_for(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        make_config(parse_arguments(words.split()))


def test_a_size_reaches_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(
        "realtime_mood.live.OpenCVSource", lambda target, **how: asked.update(how, target=target)
    )
    open_source(make_config(parse_arguments(["--camera-size", "1280x720"])))
    assert asked == {"target": "0", "size": (1280, 720)}
