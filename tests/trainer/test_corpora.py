"""CREMA-D, pictures, and which corpora a run is given."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_mood.errors import SourceError, UsageError
from realtime_mood.model.labels import LABELS
from tests.shared import shared_file
from trainer.corpora import cremad, images
from trainer.corpora.folders import files_below
from trainer.corpora.recording import list_actors
from trainer.corpora.sources import DataSource, parse_source, read_sources
from trainer.corpora.splits import split_pictures
from trainer.decode import still_frames

NAMES = np.array(["angry", "fear", "surprise"])


def labels_of(ids: tuple[int, ...]) -> set[str]:
    return {LABELS[label] for label in ids}


def picture(shade: int, size: int = 48) -> np.ndarray:
    return np.full((size, size), shade, dtype=np.uint8)


def arrays(path: Path, **changes: object) -> Path:
    values: dict[str, object] = {
        "train_images": np.stack([picture(1), picture(2), picture(1), picture(9)]),
        "train_labels": np.array([0, 1, 0, 2], dtype=np.uint8),
        "validation_images": np.stack([picture(9), picture(7)]),
        "validation_labels": np.array([2, 1], dtype=np.uint8),
        "labels": NAMES,
    } | changes
    np.savez(path, **{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("name", "label"),
    [("1001_DFA_ANG_XX", "angry"), ("1091_WSI_SAD_X", "sad"), ("1002_IEO_FEA_HI", "fearful")],
)
def test_cremad_names(name: str, label: str) -> None:
    recording = cremad.parse_name(Path(f"{name}.flv"))
    assert recording is not None
    assert LABELS[recording.label] == label
    assert recording.actor == f"cremad:{name[:4]}"
    assert labels_of(recording.known_labels) == set(LABELS) - {"calm", "surprised"}


@pytest.mark.parametrize("name", ["1001_DFA_SUR_XX", "2001_DFA_ANG_XX", "1001_DFA_ANG"])
def test_other_names_are_not_cremad(name: str) -> None:
    assert cremad.parse_name(Path(f"{name}.flv")) is None


def test_cremad_twins_of_two_containers(tmp_path: Path) -> None:
    for name in ("1001_DFA_ANG_XX.flv", "1001_DFA_ANG_XX.mp4", "1002_DFA_HAP_XX.flv"):
        (tmp_path / name).touch()
    index = cremad.index_folder(tmp_path)
    assert [r.path.name for r in index.recordings] == ["1001_DFA_ANG_XX.flv", "1002_DFA_HAP_XX.flv"]
    assert [r.path.name for r in index.twins] == ["1001_DFA_ANG_XX.mp4"]


def test_a_folder_of_another_corpus_is_named(tmp_path: Path) -> None:
    (tmp_path / "02-01-03-01-01-01-01.mp4").touch()
    with pytest.raises(SourceError, match=r"no CREMA-D video in .*1 video with other names"):
        read_sources([DataSource("cremad", tmp_path)])


def test_arrays_keep_one_of_a_twin_and_what_is_kept_apart(tmp_path: Path) -> None:
    index = images.index_images(arrays(tmp_path / "faces.npz"))
    found = {r.name: (LABELS[r.label], r.is_held_out) for r in index.recordings}
    assert found == {
        "faces/validation-00000": ("surprised", True),
        "faces/validation-00001": ("fearful", True),
        "faces/train-00000": ("angry", False),
        "faces/train-00001": ("fearful", False),
    }
    assert [r.name for r in index.twins] == ["faces/train-00002", "faces/train-00003"]
    assert len(index.actors) == 4
    for recording in index.recordings:
        assert labels_of(recording.known_labels) == {"angry", "fearful", "surprised"}
        assert recording.image is not None
        assert recording.image.shape == (48, 48)


def test_a_label_that_the_corpus_has_but_no_picture_is_known(tmp_path: Path) -> None:
    path = arrays(tmp_path / "f.npz", labels=np.array(["angry", "fear", "surprise", "sad"]))
    [recording, *_] = images.index_images(path).recordings
    assert "sad" in labels_of(recording.known_labels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": None}, "lacks the arrays labels"),
        ({"labels": np.array(["angry", "contempt", "sad"])}, "has 1, which is 'contempt'"),
        ({"train_labels": np.array([0, 1, 0, 3])}, "has 3, which is not in 'labels'"),
        ({"train_labels": np.array([0, 1, 0])}, "one whole number for each picture"),
        ({"train_labels": np.array([0.0, 1, 0, 1])}, "one whole number for each picture"),
        ({"validation_labels": None}, "validation_labels must hold"),
        ({"train_images": np.zeros((4, 48))}, "train_images has shape"),
    ],
)
def test_arrays_that_are_wrong(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        images.index_images(arrays(tmp_path / "f.npz", **changes))


def test_what_is_no_npz(tmp_path: Path) -> None:
    (tmp_path / "f.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(SourceError, match="no npz file of plain arrays"):
        images.index_images(tmp_path / "f.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.save(tmp_path / "one.npy", np.zeros(3))
    for name in ("empty.npz", "one.npy"):
        with pytest.raises(SourceError, match="no npz file of plain arrays"):
            images.index_images(tmp_path / name)
    with pytest.raises(SourceError, match="do not exist"):
        images.index_images(tmp_path / "nowhere")


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def test_folders_named_by_label(tmp_path: Path) -> None:
    save(tmp_path / "train" / "Happiness" / "a.png", picture(3))
    save(tmp_path / "train" / "sad" / "large.png", picture(4, size=65))
    save(tmp_path / "test" / "sad" / "b.png", picture(5))
    (tmp_path / "train" / "sad" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "train" / "notes").mkdir()
    recordings = {r.name: r for r in images.index_images(tmp_path).recordings}
    root = tmp_path.name
    assert set(recordings) == {
        f"{root}/train/Happiness/a",
        f"{root}/train/sad/large",
        f"{root}/train/sad/broken",
        f"{root}/test/sad/b",
    }
    assert LABELS[recordings[f"{root}/train/Happiness/a"].label] == "happy"
    assert recordings[f"{root}/test/sad/b"].is_held_out
    # Where a face has to be looked for, and what cannot be read, is left to the cutting.
    assert recordings[f"{root}/train/sad/large"].image is None
    assert recordings[f"{root}/train/sad/broken"].image is None
    small = recordings[f"{root}/train/Happiness/a"].image
    assert small is not None
    np.testing.assert_array_equal(small, picture(3))


def test_a_folder_that_is_no_label(tmp_path: Path) -> None:
    save(tmp_path / "contempt" / "a.png", picture(3))
    with pytest.raises(SourceError, match="holds 1 picture, but 'contempt' is no label"):
        images.index_images(tmp_path)


def test_fer2013() -> None:
    index = images.index_images(shared_file("data/fer2013_train_val.npz"))
    held_out = [r for r in index.recordings if r.is_held_out]
    # 27 473 and 3 563 different pictures, 270 of them on both sides.
    assert (len(index.recordings), len(held_out)) == (27473 + 3563 - 270, 3563)
    assert labels_of(index.recordings[0].known_labels) == set(LABELS) - {"calm"}


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("DIR", DataSource("ravdess", Path("DIR"))),
        ("ravdess:DIR", DataSource("ravdess", Path("DIR"))),
        ("cremad:a/b", DataSource("cremad", Path("a/b"))),
        ("images:f.npz@0.5", DataSource("images", Path("f.npz"), 0.5)),
        ("images:me@home", DataSource("images", Path("me@home"))),
        ("images:me@home@2", DataSource("images", Path("me@home"), 2.0)),
        (r"C:\data", DataSource("ravdess", Path(r"C:\data"))),
    ],
)
def test_data_options(text: str, source: DataSource) -> None:
    assert parse_source(text) == source
    assert parse_source(str(source)) == source


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fer:DIR", "there is no corpus 'fer'; there are ravdess, cremad, images"),
        ("images:", "the path is missing"),
        ("images:f.npz@0", "the weight is 0"),
        ("images:f.npz@nan", "the weight is nan"),
        ("images:f.npz@101", "the weight is 101"),
    ],
)
def test_data_options_that_make_no_sense(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_source(text)


def test_corpora_are_mixed_with_their_weights(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "02-01-03-01-01-01-01.mp4").touch()
    faces = arrays(tmp_path / "f.npz")
    index = read_sources([DataSource("ravdess", tmp_path / "r"), DataSource("images", faces, 0.25)])
    assert [r.corpus for r in index.recordings] == ["ravdess", *["images"] * 4]
    assert [r.weight for r in index.recordings] == [1.0, *[0.25] * 4]
    assert list_actors(index.actors) == "4 pictures; ravdess 01"
    twice = read_sources([DataSource("images", faces), DataSource("images", faces)])
    assert len(twice.recordings) == 4


def test_sources_of_one_name_can_be_split_together(tmp_path: Path) -> None:
    sources = []
    for number, part in enumerate(("one", "two")):
        folder = tmp_path / part
        folder.mkdir()
        rng = np.random.default_rng(number)
        np.savez(
            folder / "faces.npz",
            train_images=rng.integers(256, size=(30, 8, 8), dtype=np.uint8),
            train_labels=np.zeros(30, dtype=np.int64),
            labels=np.array(["happy"]),
        )
        sources.append(DataSource("images", folder / "faces.npz"))
    index = read_sources(sources)
    assert len({r.name for r in index.recordings}) == 30
    assert len({r.actor for r in index.recordings}) == 60
    split = split_pictures(index.recordings)
    assert len(split.train + split.validation + split.test) == 60


def test_which_pictures_of_fer2013_are_held_out() -> None:
    index = read_sources([DataSource("images", shared_file("data/fer2013_train_val.npz"))])
    # They are always the same; runs go on by this digest.
    assert split_pictures(index.recordings).digest == (
        "9c0f0cd8f195237bb09d59d80adee21eabeb90ddb96437161deca5e7c7cff1f3"
    )


def test_damaged_arrays_and_pictures_without_pixels(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "f.npz", train_images=np.arange(10_000))
    content = bytearray((tmp_path / "f.npz").read_bytes())
    content[200:240] = bytes(40)
    (tmp_path / "f.npz").write_bytes(content)
    with pytest.raises(SourceError, match="no npz file of plain arrays"):
        images.index_images(tmp_path / "f.npz")
    empty = arrays(tmp_path / "empty.npz", train_images=np.zeros((4, 0, 0), np.uint8))
    with pytest.raises(SourceError, match=r"train_images has shape \(4, 0, 0\)"):
        images.index_images(empty)


def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the folder .*nowhere cannot be read \(No such file"):
        list(files_below(tmp_path / "nowhere"))


def test_a_grey_picture_is_a_twin_of_itself_in_colours(tmp_path: Path) -> None:
    save(tmp_path / "train" / "happy" / "grey.png", picture(3))
    save(tmp_path / "test" / "happy" / "colours.png", np.repeat(picture(3)[..., None], 3, axis=2))
    index = images.index_images(tmp_path)
    assert [r.path.name for r in index.recordings] == ["colours.png"]
    assert [r.path.name for r in index.twins] == ["grey.png"]


def test_no_program_is_started_for_what_only_calls_itself_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "angry" / "face.png"
    file.parent.mkdir()
    file.write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 48 48\n%%EndComments\nshowpage\n"
    )
    [recording] = images.index_images(tmp_path).recordings
    assert recording.image is None
    with pytest.raises(SourceError, match="cannot identify image file"):
        next(still_frames(file))
