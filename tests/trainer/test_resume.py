"""Runs that go on where something else is not as it was when they were begun."""

from __future__ import annotations

import gc
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from realtime_mood.errors import ModelError
from realtime_mood.faces.yunet_file import FACE_MODEL_VARIABLE, FILE_NAME
from tests.shared import shared_file
from trainer import checkpoints
from trainer.cli import main

TINY = (
    "--base-model tiny --image-size 32 --num-workers 0 --batch-size 4 --epochs 2 "
    "--head-epochs 0 --report-to none"
)


def words(data: object, output: Path, *more: str) -> list[str]:
    return ["train", *TINY.split(), "--data", str(data), "--output", str(output), *more]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """Begins a run that ends as by Ctrl-C once its first checkpoint is published."""
    publish = checkpoints.publish

    def published(beside: Path, final: Path) -> None:
        publish(beside, final)
        raise KeyboardInterrupt

    def run(arguments: list[str]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("trainer.checkpoints.publish", published)
            assert main(arguments) == 130
        # The process goes on here, and what is left of the run would hold its lock.
        gc.collect()

    return run


@pytest.mark.timeout(400)
def test_a_run_begun_in_fp16_goes_on_in_another_precision(
    corpus: Path, tmp_path: Path, begin: Callable[[list[str]], None]
) -> None:
    begin(words(corpus, tmp_path, "--faces", "none"))
    [checkpoint] = (tmp_path / "run" / "clips").glob("checkpoint-*")
    # What fp16 leaves, which itself needs a GPU.
    state = {"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5}
    torch.save({**state, "growth_interval": 2000, "_growth_tracker": 0}, checkpoint / "scaler.pt")
    assert main(["train", "--output", str(tmp_path), "--resume", "--precision", "bf16"]) == 0
    # How it was made is how it was begun.
    card = (tmp_path / "checkpoint" / "README.md").read_text()
    assert f"trainer {shlex.join(words(corpus, tmp_path, '--faces', 'none'))}" in card


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    """Twenty faces as they are, which no detector looks at."""
    file = tmp_path / "faces.npz"
    images = np.random.default_rng(0).integers(256, size=(20, 24, 24), dtype=np.uint8)
    labels = np.array(["happy", "sad"])
    np.savez(file, train_images=images, train_labels=np.arange(20) % 2, labels=labels)
    return f"images:{file}"


def offer_yunet(monkeypatch: pytest.MonkeyPatch, *, has_it: bool) -> None:
    """Nobody names YuNet's file; it can be fetched or not."""
    file = shared_file(f"data/face_detector/{FILE_NAME}")

    def fetch() -> Path:
        if not has_it:
            raise ModelError("the Hub does not answer")
        return file

    monkeypatch.delenv(FACE_MODEL_VARIABLE, raising=False)
    monkeypatch.setattr("realtime_mood.faces.detector.fetch_yunet_file", fetch)
    # pytest keeps what is logged, and by the error in it the lock of the run.
    monkeypatch.setattr("realtime_mood.faces.detector.log.disabled", True)


def detector_of(output: Path) -> str:
    spec = json.loads((output / "checkpoint" / "clip_spec.json").read_text())
    return str(spec["face_detector"])


@pytest.mark.timeout(400)
def test_a_run_goes_on_with_the_detector_it_was_begun_with(
    pictures: str,
    tmp_path: Path,
    begin: Callable[[list[str]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    resume = ["train", "--output", str(tmp_path), "--resume"]
    offer_yunet(monkeypatch, has_it=True)
    begin(words(pictures, tmp_path))
    capsys.readouterr()
    offer_yunet(monkeypatch, has_it=False)
    assert main(resume) == 4
    said = capsys.readouterr().err.splitlines()[-1]
    assert "the run was begun with faces found by 'yunet': the Hub does not answer" in said
    assert f"name {FILE_NAME} with --face-model" in said
    named = shared_file(f"data/face_detector/{FILE_NAME}")
    assert main([*resume, "--face-model", str(named)]) == 0
    assert detector_of(tmp_path) == "yunet"


@pytest.fixture
def begun_with_cascade(
    pictures: str,
    tmp_path: Path,
    begin: Callable[[list[str]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The folder of a run that YuNet came within reach of after it was begun."""
    offer_yunet(monkeypatch, has_it=False)
    begin(words(pictures, tmp_path))
    offer_yunet(monkeypatch, has_it=True)
    return tmp_path


@pytest.mark.timeout(400)
def test_the_cascade_stays_where_yunet_comes_within_reach(begun_with_cascade: Path) -> None:
    assert main(["train", "--output", str(begun_with_cascade), "--resume"]) == 0
    assert detector_of(begun_with_cascade) == "cascade"


@pytest.mark.timeout(400)
def test_a_run_of_an_earlier_version_goes_on_whatever_found_its_faces(
    begun_with_cascade: Path,
) -> None:
    file = begun_with_cascade / "data.json"
    begun = json.loads(file.read_text())
    assert begun.pop("detector") == "cascade"
    file.write_text(json.dumps(begun))
    assert main(["train", "--output", str(begun_with_cascade), "--resume"]) == 0
    assert detector_of(begun_with_cascade) == "yunet"
