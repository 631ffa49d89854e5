"""File names, twins, foreign files and unusable folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime_mood.errors import SourceError
from realtime_mood.model.labels import LABELS
from trainer.corpora.ravdess import index_folder, parse_name


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize(
    ("emotion", "label"),
    [
        ("01", "neutral"),
        ("02", "calm"),
        ("03", "happy"),
        ("04", "sad"),
        ("05", "angry"),
        ("06", "fearful"),
        ("07", "disgust"),
        ("08", "surprised"),
    ],
)
def test_name_gives_label_and_actor(emotion: str, label: str) -> None:
    recording = parse_name(Path(f"anywhere/02-01-{emotion}-01-02-01-13.mp4"))
    assert recording is not None
    assert LABELS[recording.label] == label
    assert recording.actor == "ravdess:13"
    assert recording.take == f"ravdess:01-{emotion}-01-02-01-13"
    assert recording.known_labels == tuple(range(8))


def test_nobody_sings_in_disgust_or_surprise() -> None:
    spoken = parse_name(Path("01-01-04-01-02-01-13.mp4"))
    sung = parse_name(Path("01-02-04-01-02-01-13.mp4"))
    assert spoken is not None
    assert sung is not None
    assert spoken.take != sung.take
    assert set(LABELS) - {LABELS[label] for label in sung.known_labels} == {"disgust", "surprised"}


@pytest.mark.parametrize(
    "name",
    [
        "holiday.mp4",
        "03-01-01-01-01-01-01.mp4",
        "02-01-09-01-01-01-01.mp4",
        "04-01-01-01-01-01-01.mp4",
        "02-03-01-01-01-01-01.mp4",
        "02-01-01-01-01-01-00.mp4",
        "02-01-01-01-01-01.mp4",
        "02-01-01-01-01-01-01-02.mp4",
    ],
)
def test_other_names_are_foreign(name: str) -> None:
    assert parse_name(Path(name)) is None


def test_of_twins_one_is_kept(tmp_path: Path) -> None:
    touch(tmp_path / "b", "01-01-03-01-01-01-01.mp4")
    touch(tmp_path / "a", "02-01-03-01-01-01-01.mp4", "02-01-03-01-01-02-01.mp4")
    index = index_folder(tmp_path)
    assert [r.name for r in index.recordings] == ["01-01-03-01-01-01-01", "02-01-03-01-01-02-01"]
    assert [f"{twin.name}.mp4" for twin in index.twins] == ["02-01-03-01-01-01-01.mp4"]


def test_audio_and_foreign_files_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(
        tmp_path / "deep" / "Actor_07",
        "02-01-05-01-01-01-07.mp4",
        "03-01-05-01-01-01-07.wav",
        "holiday.mp4",
        "notes.txt",
        "._02-01-05-01-01-01-07.mp4",
    )
    index = index_folder(tmp_path)
    assert len(index.recordings) == 1
    assert [path.name for path in index.audio] == ["03-01-05-01-01-01-07.wav"]
    assert [path.name for path in index.foreign] == ["holiday.mp4"]
    assert "holiday.mp4" in caplog.text


def test_folder_without_video_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "03-01-05-01-01-01-07.wav", "holiday.mp4")
    with pytest.raises(SourceError, match=r"no RAVDESS video in .*1 video with other names"):
        index_folder(tmp_path)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere does not exist"):
        index_folder(tmp_path / "nowhere")


def test_links_to_folders_are_followed_and_circles_left(tmp_path: Path) -> None:
    touch(tmp_path / "disk" / "Actor_01", "02-01-03-01-01-01-01.mp4", "._02-01-03-01-01-01-02.mp4")
    data = tmp_path / "data"
    data.mkdir()
    (data / "Actor_01").symlink_to(tmp_path / "disk" / "Actor_01")
    (tmp_path / "disk" / "Actor_01" / "up").symlink_to(data)
    (data / "02-01-04-01-01-01-01.mp4").symlink_to(tmp_path / "gone.mp4")
    (recording,) = index_folder(data).recordings
    assert recording.path == data / "Actor_01" / "02-01-03-01-01-01-01.mp4"


def test_pictures_in_folders_named_by_label_are_called_so(tmp_path: Path) -> None:
    (tmp_path / "Happiness").mkdir()
    with pytest.raises(SourceError, match=r"if these are pictures, give --data images:"):
        index_folder(tmp_path)
