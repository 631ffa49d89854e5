"""Each option reaches what it is for, in a run of either kind."""

import json
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.config import RunConfig
from realtime_mood.faces.detector import FaceDetector
from realtime_mood.frame import Frame
from realtime_mood.live import run_live
from realtime_mood.model.labels import UNSURE
from realtime_mood.offline import run_offline
from realtime_mood.options import make_config, parse_arguments
from realtime_mood.pipeline import LivePipeline
from realtime_mood.sinks.recording import RecordingSink
from realtime_mood.smoothing import SmoothingConfig
from tests.fakes import FakeClassifier, ScriptedDetector, dark_and_bright, two_faces
from tests.media import read_all

NEVER_SURE = SmoothingConfig(enter_threshold=0.99)
"""The stand-in for the model is sure by 0.93."""
LOOKED_AT_SO = ("--stride", 0.4, "--max-faces", 1, "--device", "cpu", "--faces", "cascade")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds, dark at the left."""
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    sink = RecordingSink(path, width=64, height=48, frame_rate=Fraction(25))
    for index in range(50):
        sink.write(Frame(dark_and_bright(index), index / 25, index))
    sink.close()
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the stand-ins for detector, model and pipeline are asked for, as it comes."""
    asked: dict[str, Any] = {}

    def make_detector(choice: str, **how: Any) -> FaceDetector:
        asked.update(how, detector=choice)
        return ScriptedDetector(two_faces)

    def load(folder: Path, contract: object, *, device: str) -> FakeClassifier:
        asked.update(device=device)
        return FakeClassifier()

    class Pipeline(LivePipeline):
        def __init__(self, *arguments: Any, **how: Any) -> None:
            asked.update(how)
            super().__init__(*arguments, **how)

    for module in ("offline", "live"):
        monkeypatch.setattr(f"realtime_mood.{module}.make_detector", make_detector)
    monkeypatch.setattr("realtime_mood.inference.torch_classifier.TorchClassifier", load)
    monkeypatch.setattr("realtime_mood.live.LivePipeline", Pipeline)
    return asked


def _config(*words: object) -> RunConfig:
    return make_config(parse_arguments([str(word) for word in words]))


def _is_flipped(recording: Path) -> bool:
    image = read_all(FileSource(recording))[0].image_bgr
    return bool(image[20:28, :4].mean() > image[20:28, -4:].mean())


def _read(events_file: Path, kind: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in events_file.read_text().splitlines()]
    return [event for event in events if event["type"] == kind]


def test_every_option_has_its_place_in_the_configuration(video: Path) -> None:
    words = ["--stride", 0.5, "--max-faces", 3, "--no-mirror", "--device", "cuda", "--headless"]
    outputs = ["--duration", 7.5, "--neutral-start", "--record", "o.mp4", "--events", "o.csv"]
    model = ["--model", "some/where", "--faces", "yunet", "--face-model", "y.onnx"]
    same = {
        "record": Path("o.mp4"),
        "events": "o.csv",
        "model": "some/where",
        "device": "cuda",
        "stride_s": 0.5,
        "faces": "yunet",
        "face_model": Path("y.onnx"),
        "max_faces": 3,
        "headless": True,
        "duration_s": 7.5,
        "neutral_start": True,
        "mirror": False,
    }
    options = [*words, *outputs, *model]
    assert _config("--video", video, *options) == RunConfig(video=video, **same)
    camera = ("--camera", "2", "--camera-size", "640x480")
    expected = RunConfig(camera="2", camera_size=(640, 480), **same)
    assert _config(*camera, *options) == expected


@pytest.mark.parametrize("flip", ["--mirror", "--no-mirror"])
def test_a_file_is_worked_through_as_the_options_say(
    checkpoint: Path, video: Path, tmp_path: Path, asked: dict[str, Any], flip: str
) -> None:
    out, events_file = tmp_path / "o.mp4", tmp_path / "o.jsonl"
    config = _config(
        *("--video", video, "--record", out, "--events", events_file, "--duration", 1.9, flip),
        *(*LOOKED_AT_SO, "--model", checkpoint, "--neutral-start"),
    )
    report = run_offline(
        replace(config, smoothing=NEVER_SURE),
        on_progress=lambda frame, info: None,
        interrupt=threading.Event(),
    )
    assert asked["detector"] == "cascade"
    assert asked["trained_on"] == "none"
    assert asked["device"] == "cpu"
    assert report.summary["frames"] == 48
    predictions = _read(events_file, "prediction")
    assert [event["media_time_s"] for event in predictions] == pytest.approx([0.4, 0.8, 1.2, 1.6])
    assert [event["media_time_s"] for event in _read(events_file, "neutral_learned")] == [1.2]
    assert {event["label"] for event in predictions} == {UNSURE}
    assert [event["track_id"] for event in _read(events_file, "track_started")] == [1]
    (start,) = _read(events_file, "start")
    named = [start[key] for key in ("source", "model", "engine", "detector")]
    assert named == ["v.mp4", str(checkpoint), "fake", "none"]
    assert _is_flipped(out) == (flip == "--mirror")


@pytest.mark.parametrize("flip", ["--mirror", "--no-mirror"])
def test_a_file_is_played_as_the_options_say(
    checkpoint: Path, video: Path, tmp_path: Path, asked: dict[str, Any], flip: str
) -> None:
    out, events_file = tmp_path / "o.mp4", tmp_path / "o.jsonl"
    config = _config(
        *("--video", video, "--record", out, "--events", events_file, "--headless"),
        *("--duration", 0.2, "--neutral-start", flip),
        *(*LOOKED_AT_SO, "--model", checkpoint),
    )
    report = run_live(replace(config, smoothing=NEVER_SURE), interrupt=threading.Event())
    expected = {
        "detector": "cascade",
        "trained_on": "none",
        "device": "cpu",
        "stride_s": 0.4,
        "max_faces": 1,
        "duration_s": 0.2,
        "neutral_start": True,
        "smoothing": NEVER_SURE,
        "source_name": "v.mp4",
        "model_name": str(checkpoint),
        # So that a file gives the same results played as worked through.
        "detects_in_step": True,
    }
    assert {key: asked[key] for key in expected} == expected
    assert report.summary["media_time_s"] < 0.2
    assert [event["track_id"] for event in _read(events_file, "track_started")] == [1]
    assert _is_flipped(out) == (flip == "--mirror")


def test_no_frame_of_a_camera_waits_for_the_detector(
    checkpoint: Path, asked: dict[str, Any]
) -> None:
    config = _config("--camera", "pattern", "--duration", 0.1, "--headless", "--model", checkpoint)
    run_live(config, interrupt=threading.Event())
    assert asked["detects_in_step"] is False
