"""Cutting faces: what is kept, what is skipped, what is not done twice."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from realtime_mood.errors import SourceError
from realtime_mood.faces.centre import CentreDetector
from realtime_mood.faces.crop import crop_face
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.model.clip_spec import ClipSpec
from tests.trainer.drawn import draw_video
from trainer import decode
from trainer.box_crops import BoxCrops
from trainer.corpora.images import index_images
from trainer.corpora.ravdess import index_folder
from trainer.corpora.recording import Recording
from trainer.corpora.sources import DataSource, read_sources
from trainer.crops import CACHE_FORMAT, Cutter, cut_recordings
from trainer.pool import run_jobs

DEMO = Path(__file__).resolve().parents[2] / "assets" / "demo.mp4"
SPEC = ClipSpec(
    num_frames=4,
    frame_interval_s=0.1,
    interval_growth=1.0,
    image_size=32,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    crop_margin=0.1,
    interpolation="area",
    align_roll=False,
    steady=False,
    grey=False,
)


def cutter(folder: Path, *, detector: str = "none") -> Cutter:
    return Cutter(folder=folder, spec=SPEC, detector=detector, yunet_file=None, decoder="pyav")


def cut(
    data: Path, how: Cutter, *, bad_allowed: int | None = None
) -> tuple[list, dict[str, str], list[int]]:
    done: list[int] = []
    crops, skipped = cut_recordings(
        index_folder(data).recordings,
        how,
        num_workers=1,
        timeout_s=60.0,
        progress=lambda stage, count, total: done.append(count),
        bad_allowed=bad_allowed,
    )
    return crops, skipped, done


def test_crops_are_those_of_the_runtime(tmp_path: Path) -> None:
    video = tmp_path / "data" / "02-01-04-01-01-01-01.mp4"
    draw_video(video)
    [crops], skipped, done = cut(tmp_path / "data", cutter(tmp_path / "crops"))
    assert skipped == {}
    assert done == [1]
    tracker = FaceTracker(InStepSearch(CentreDetector()))
    expected = []
    for time_s, image_bgr in decode.pyav_frames(video):
        [track] = tracker.update(image_bgr, time_s).tracks
        expected.append(crop_face(image_bgr, track.box, SPEC))
    np.testing.assert_array_equal(crops.read(np.arange(12)), np.stack(expected))
    np.testing.assert_allclose(crops.times_s, np.arange(12) * 1001 / 30000, atol=1e-9)


def test_nothing_is_cut_twice_until_the_file_changes(tmp_path: Path) -> None:
    video = tmp_path / "data" / "02-01-04-01-01-01-01.mp4"
    draw_video(video)
    how = cutter(tmp_path / "crops")
    assert cut(tmp_path / "data", how)[2] == [1]
    assert cut(tmp_path / "data", how)[2] == []
    os.utime(video, ns=(1, 1))
    assert cut(tmp_path / "data", how)[2] == [1]


def test_what_cannot_be_used_is_skipped_and_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    draw_video(data / "02-01-04-01-01-01-01.mp4")
    (data / "02-01-04-01-01-02-01.mp4").write_bytes(b"not a video")
    (data / "02-01-04-01-02-01-01.mp4").touch()
    crops, skipped, _ = cut(data, cutter(tmp_path / "crops"))
    assert [c.recording.name for c in crops] == ["02-01-04-01-01-01-01"]
    names = ("02-01-04-01-01-02-01.mp4", "02-01-04-01-02-01-01.mp4")
    assert sorted(skipped) == [str(data / name) for name in names]
    assert not list((tmp_path / "crops").rglob("*.part"))


@pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="this OpenCV has no cascade")
def test_a_recording_without_a_face_is_skipped(tmp_path: Path) -> None:
    draw_video(tmp_path / "data" / "02-01-04-01-01-01-01.mp4")
    crops, skipped, _ = cut(tmp_path / "data", cutter(tmp_path / "crops", detector="cascade"))
    assert crops == []
    assert list(skipped.values()) == ["no face was found in it"]


@pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="this OpenCV has no cascade")
def test_faces_are_where_this_format_of_the_cache_says(tmp_path: Path) -> None:
    """Where this fails, faces are cut otherwise than before: count `CACHE_FORMAT` up."""
    assert CACHE_FORMAT == 3
    boxes = replace(cutter(tmp_path, detector="cascade"), keeps_crops=False)
    [crops], _ = cut_recordings(
        [Recording(path=DEMO, name="demo", take="demo", actor="ravdess:01", label=0)],
        boxes,
        num_workers=1,
        timeout_s=60.0,
        progress=lambda *_: None,
    )
    assert isinstance(crops, BoxCrops)
    wanted = [
        (0, 257.7, 86.5, 119.8, 159.5),
        (20, 249.7, 82.8, 125.8, 167.6),
        (40, 243.8, 81.7, 134.7, 179.4),
        (60, 234.1, 78.5, 154.7, 205.9),
        (80, 235.7, 75.6, 164.7, 219.3),
    ]
    np.testing.assert_allclose(crops.boxes[::20, :5][: len(wanted)], wanted, atol=0.5)


def test_a_hanging_worker_is_killed_and_the_rest_goes_on() -> None:
    started_s = time.monotonic()
    outcomes = list(run_jobs(_sleep, [0.0, 60.0, 0.0], num_workers=1, timeout_s=4.0))
    assert time.monotonic() - started_s < 50.0
    assert [(o.job, o.answer, o.problem) for o in outcomes] == [
        (0.0, "slept", ""),
        (60.0, None, "took longer than 4 s"),
        (0.0, "slept", ""),
    ]


def test_a_dying_worker_is_replaced() -> None:
    outcomes = list(run_jobs(_exit, [7, 0], num_workers=1, timeout_s=60.0))
    assert [o.problem for o in outcomes] == ["its worker ended with 7", ""]


def _sleep(duration_s: float) -> str:
    time.sleep(duration_s)
    return "slept"


def _exit(code: int) -> None:
    if code:
        os._exit(code)


def test_a_damaged_cache_is_cut_anew_and_named_when_it_breaks_later(tmp_path: Path) -> None:
    draw_video(tmp_path / "data" / "02-01-04-01-01-01-01.mp4")
    how = cutter(tmp_path / "crops")
    [crops], _, _ = cut(tmp_path / "data", how)
    whole = crops.crops_file.read_bytes()
    crops.crops_file.write_bytes(whole[:1000])
    with pytest.raises(SourceError, match=r"02-01-04-01-01-01-01 .* start again with --resume"):
        crops.read(np.arange(2))
    assert cut(tmp_path / "data", how)[2] == [1]
    assert crops.crops_file.read_bytes() == whole


def test_too_many_bad_recordings_stop_the_run(tmp_path: Path) -> None:
    data = tmp_path / "data"
    draw_video(data / "02-01-04-01-01-01-01.mp4")
    for repetition in ("01", "02"):
        (data / f"02-01-04-01-02-{repetition}-01.mp4").write_bytes(b"not a video")
    with pytest.raises(SourceError, match=r"2 files cannot be used, and --allow-bad allows 1"):
        cut(data, cutter(tmp_path / "crops"), bad_allowed=1)
    assert len(cut(data, cutter(tmp_path / "crops"), bad_allowed=2)[1]) == 2


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for label in ("sad", "happy"):
        (tmp_path / "faces" / label).mkdir(parents=True)
    Image.new("RGB", (80, 80), (10, 20, 200)).save(tmp_path / "faces" / "sad" / "a.png")
    (tmp_path / "faces" / "happy" / "a.png").write_bytes(b"no picture")
    crops, skipped = cut_recordings(
        index_images(tmp_path / "faces").recordings,
        cutter(tmp_path / "crops"),
        num_workers=1,
        timeout_s=60.0,
        progress=lambda *_: None,
    )
    assert list(skipped) == [str(tmp_path / "faces" / "happy" / "a.png")]
    assert [c.recording.name for c in crops] == ["faces/sad/a"]
    assert crops[0].is_still
    np.testing.assert_array_equal(crops[0].read(np.array([0]))[0, 5, 5], (200, 20, 10))


def test_boxes_alone_give_the_same_crops_of_any_size(tmp_path: Path) -> None:
    data = tmp_path / "data"
    draw_video(data / "02-01-04-01-01-01-01.mp4")
    kept = cutter(tmp_path / "crops").padded(0.25)
    [whole], _, _ = cut(data, kept)
    boxes = replace(cutter(tmp_path / "crops"), keeps_crops=False)
    [small], _, done = cut(data, boxes)
    assert done == [1]
    [padded], _, done = cut(data, boxes.padded(0.25))
    assert done == []  # of another size, the face is where it was
    indices = np.array([11, 0, 5])
    np.testing.assert_array_equal(padded.read(indices), whole.read(indices))
    assert small.read(indices).shape == (3, 32, 32, 3)
    assert sum(f.stat().st_size for f in boxes.subfolder.iterdir()) < 2000


def test_files_of_pictures_are_cut_for_each_size(tmp_path: Path) -> None:
    (tmp_path / "faces" / "sad").mkdir(parents=True)
    Image.new("RGB", (100, 100), (10, 20, 200)).save(tmp_path / "faces" / "sad" / "a.png")
    boxes = replace(cutter(tmp_path / "crops"), keeps_crops=False)
    for how in (boxes.padded(0.25), boxes):
        [crops], _ = cut_recordings(
            index_images(tmp_path / "faces").recordings,
            how,
            num_workers=1,
            timeout_s=60.0,
            progress=lambda *_: None,
        )
        side = how.spec.image_size
        assert crops.read(np.array([0])).shape == (1, side, side, 3)


def test_of_two_sources_with_one_name_the_broken_file_alone_is_skipped(tmp_path: Path) -> None:
    sources = [tmp_path / part / "faces" for part in ("one", "two")]
    for source in sources:
        (source / "sad").mkdir(parents=True)
    Image.new("RGB", (80, 80), (10, 20, 200)).save(sources[0] / "sad" / "a.png")
    (sources[1] / "sad" / "a.png").write_bytes(b"no picture")
    index = read_sources([DataSource("images", source) for source in sources])
    crops, skipped = cut_recordings(
        index.recordings,
        cutter(tmp_path / "crops"),
        num_workers=1,
        timeout_s=60.0,
        progress=lambda *_: None,
    )
    assert [c.recording.path for c in crops] == [sources[0] / "sad" / "a.png"]
    assert list(skipped) == [str(sources[1] / "sad" / "a.png")]


def test_too_little_room_is_told_before_it_is_used_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for take in range(1, 5):
        draw_video(tmp_path / "data" / f"02-01-04-01-01-01-{take:02}.mp4", frames=4)
    monkeypatch.setattr("trainer.crops.SAMPLED", 2)

    def told(free: int) -> bool:
        monkeypatch.setattr("trainer.crops.shutil.disk_usage", lambda folder: usage(10, 0, free))
        caplog.clear()
        _, skipped, done = cut(tmp_path / "data", cutter(tmp_path / f"crops-{free}"))
        assert (skipped, len(done)) == ({}, 4)
        return "face crops will need some 0.0 GB more" in caplog.text

    usage = type(shutil.disk_usage(tmp_path))
    two = 2 * 4 * 32 * 32 * 3
    assert told(two)
    assert not told(two + 2 * 1024)


def test_names_as_long_as_they_can_be_have_crops(tmp_path: Path) -> None:
    long = "é" * 110
    for name in (f"{long}-1", f"{long}-2"):
        path = tmp_path / "data" / "happy" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (80, 80), (90, int(name[-1]), 7)).save(path)
    recordings = index_images(tmp_path / "data").recordings
    crops, skipped = cut_recordings(
        recordings,
        cutter(tmp_path / "crops"),
        num_workers=1,
        timeout_s=60.0,
        progress=lambda *_: None,
    )
    assert skipped == {}
    assert len({one.crops_file for one in crops}) == 2
