from pathlib import Path

import pytest

from realtime_mood.config import RunConfig
from realtime_mood.errors import SourceError, UsageError


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
