"""What is wrong with data is told before anyone waits for training."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.shared import shared_file
from tests.trainer.drawn import draw_video
from trainer.cli import main
from trainer.inspection import look_into


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    draw_video(folder / "02-01-03-01-01-01-01.mp4", frames=60)
    draw_video(folder / "01-01-03-01-01-01-01.mp4", frames=60)
    draw_video(folder / "02-01-04-01-01-01-02.mp4", frames=60, shade=40)
    draw_video(folder / "02-01-05-01-01-01-02.mp4", frames=3)
    copied = (folder / "02-01-04-01-01-01-02.mp4").read_bytes()
    (folder / "02-01-06-01-01-01-02.mp4").write_bytes(copied)
    (folder / "02-01-07-01-01-01-02.mp4").write_bytes(b"broken")
    (folder / "holiday.mp4").touch()
    (folder / "03-01-03-01-01-01-01.wav").touch()
    return folder


def test_all_that_is_wrong_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--data", str(data), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["recordings"] == 5
    assert found["table"] == {
        "ravdess:01": {"happy": 1},
        "ravdess:02": {"sad": 1, "angry": 1, "fearful": 1, "disgust": 1},
    }
    assert list(found["unreadable"]) == ["02-01-07-01-01-01-02.mp4"]
    assert list(found["short"]) == ["02-01-05-01-01-01-02.mp4"]
    assert found["twins"] == ["02-01-03-01-01-01-01.mp4"]
    assert found["same_bytes"] == [["02-01-04-01-01-01-02.mp4", "02-01-06-01-01-01-02.mp4"]]
    assert found["foreign"] == ["holiday.mp4"]
    assert found["audio"] == 1
    assert found["sizes"] == {"96x64": 4}
    assert found["lies"] == {}


def test_it_can_be_read(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "--data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        *("angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised", "all")
    ]
    assert lines[2].split() == ["ravdess:02", "1", "0", "1", "1", "0", "0", "1", "0", "4"]
    assert lines[3].split()[-1] == "5"
    [line] = [line for line in lines if line.startswith("1 unreadable, skipped up to --allow-bad")]
    assert line.count("02-01-07") == line.count(str(data)) <= 2
    assert "1 twin, left out: 02-01-03-01-01-01-01.mp4" in lines
    assert "5 recordings, 0.00 h of video: 4 of 96x64" in lines
    assert any(line.startswith("1 file stored under several names: ") for line in lines)


def test_recordings_that_cannot_be_read_are_not_called_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "02-01-07-01-01-01-02.mp4").write_bytes(b"broken")
    assert main(["inspect", "--data", str(tmp_path)]) == 0
    assert "1 recording, 0.00 h of video: " in capsys.readouterr().out


def test_a_file_that_announces_more_than_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = shared_file("media/odd/corrupt_after_28_frames.mp4").read_bytes()
    (tmp_path / "02-01-03-01-01-01-01.mp4").write_bytes(broken)
    assert main(["inspect", "--data", str(tmp_path), "--json"]) == 0
    lies = json.loads(capsys.readouterr().out)["lies"]
    assert "28 of 50 frames" in lies["02-01-03-01-01-01-01.mp4"]


def test_a_video_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    draw_video(path, frames=40)
    facts = look_into(path)
    assert (facts.decoded, facts.announced, facts.size, facts.problem) == (40, 40, "96x64", "")
    assert facts.duration_s == pytest.approx(39 * 1001 / 30000)


def test_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, (label, size) in enumerate((("sad", 48), ("happy", 48), ("happy", 100))):
        image = np.full((size, size), 10 * number, dtype=np.uint8)
        (tmp_path / label).mkdir(exist_ok=True)
        assert cv2.imwrite(str(tmp_path / label / f"{number}.png"), image)
    (tmp_path / "sad" / "broken.png").write_bytes(b"no picture")
    assert main(["inspect", "--data", f"images:{tmp_path}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["table"] == {"images": {"happy": 2, "sad": 2}}
    assert found["sizes"] == {"48x48": 2, "100x100": 1}
    assert list(found["unreadable"]) == [f"{tmp_path.name}/sad/broken.png"]
    assert found["short"] == {}
    assert main(["inspect", "--data", f"images:{tmp_path}"]) == 0
    assert "\n4 pictures: 2 of 48x48, 1 of 100x100\n" in capsys.readouterr().out


def test_files_of_one_name_in_two_places_are_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [tmp_path / place / "faces" for place in ("mine", "yours")]
    for shade, source in enumerate(sources):
        (source / "happy").mkdir(parents=True)
        image = np.full((48, 48), shade, dtype=np.uint8)
        assert cv2.imwrite(str(source / "happy" / "1.png"), image)
        (source / "happy" / "2.png").write_bytes(b"no picture %d" % shade)
    data = [word for source in sources for word in ("--data", f"images:{source}")]
    assert main(["inspect", *data, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sizes"] == {"48x48": 2}
    assert list(found["unreadable"]) == [str(source / "happy" / "2.png") for source in sources]
