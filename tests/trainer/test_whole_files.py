"""What is written anew is there whole, or what was there before is."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from realtime_mood.errors import OutputError
from tests.full_disk import files_at_most
from trainer import checkpoints, export
from trainer.cut_job import save_array
from trainer.export import write_checkpoint
from trainer.predictions import Predictions
from trainer.whole_files import whole_file, write_whole

LARGE = "x" * 20_000
ROOM = 10_000


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_gets_its_name_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as file:
        file.write(b"first")
        assert not path.exists()
    assert path.read_bytes() == b"first"
    write_whole(path, "zweité")
    assert path.read_bytes() == "zweité".encode()
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_was_there_stays_when_the_writer_fails(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")

    def fail() -> None:
        with whole_file(path) as file:
            file.write(b"half of")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_what_was_there_stays_when_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")
    with files_at_most(ROOM), pytest.raises(OSError, match="too large"):
        write_whole(path, LARGE)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_an_array_that_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "array.npy"
    save_array(path, np.arange(3))
    with files_at_most(ROOM), pytest.raises(OSError, match="requested and"):
        save_array(path, np.zeros(ROOM))
    assert np.load(path).tolist() == [0, 1, 2]
    assert names(tmp_path) == ["array.npy"]


def predictions(count: int) -> Predictions:
    return Predictions(
        names=tuple(map(str, range(count))),
        actors=np.array(["ravdess:01"] * count),
        labels=np.zeros(count, dtype=np.int64),
        logits=np.random.default_rng(0).normal(size=(count, 2, 8)),
        temperature=np.ones(count),
        known=np.ones((count, 8), dtype=bool),
    )


def test_predictions_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "predictions.npz"
    predictions(2).save(path)
    with files_at_most(ROOM), pytest.raises(OutputError, match="npz cannot be written"):
        predictions(1000).save(path)
    assert Predictions.load(path).names == ("0", "1")
    assert names(tmp_path) == ["predictions.npz"]


@pytest.mark.parametrize("large", ["metrics.json", "README.md", "summary.txt"])
def test_figures_of_a_checkpoint_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: str
) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()

    def report(size: dict[str, str]) -> Any:
        return SimpleNamespace(
            config=SimpleNamespace(checkpoint_folder=folder, run=SimpleNamespace(output=tmp_path)),
            contract=None,
            to_dict=lambda: {"text": size.get("metrics.json", "old")},
            as_text=lambda: size.get("summary.txt", "old"),
            card=size.get("README.md", "old"),
        )

    monkeypatch.setattr(export, "save_checkpoint", lambda *_: None)
    monkeypatch.setattr(export, "model_card", lambda report: report.card)
    model: Any = None
    write_checkpoint(model, report({}))
    path = (tmp_path if large == "summary.txt" else folder) / large
    before = path.read_bytes()
    with files_at_most(ROOM), pytest.raises(OutputError, match="the checkpoint cannot be written"):
        write_checkpoint(model, report({large: LARGE}))
    assert path.read_bytes() == before
    assert names(folder) == ["README.md", "metrics.json"]
    assert names(tmp_path) == ["checkpoint", "summary.txt"]


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        RuntimeError("CUDA error: unspecified launch failure"),
        torch.distributed.DistError("the other process is gone"),
    ],
)
def test_what_a_gpu_or_another_process_fails_of_is_no_full_disk(
    tmp_path: Path, failure: RuntimeError
) -> None:
    with pytest.raises(RuntimeError) as caught, checkpoints.explained(tmp_path):
        raise failure
    assert caught.value is failure


@pytest.mark.parametrize(("free", "reason"), [(0, "the disk is full"), (2**30, "unexpected pos")])
def test_a_checkpoint_that_does_not_fit_says_so_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, reason: str
) -> None:
    monkeypatch.setattr(checkpoints.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))

    def fail() -> str:
        with pytest.raises(OutputError) as caught, checkpoints.explained(tmp_path):
            raise RuntimeError("unexpected pos")
        return str(caught.value)

    assert f"({reason})" in fail()
    assert "there is none before it" in fail()
    (tmp_path / "checkpoint-3").mkdir()
    (tmp_path / "checkpoint-3" / "model").touch()
    assert "the one before is whole" in fail()


def test_files_are_pushed_to_the_disk_where_that_wants_to_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fcntl = pytest.importorskip("fcntl")
    pushed = []

    def push(descriptor: int) -> None:  # As Windows does it.
        assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        pushed.append(descriptor)

    monkeypatch.setattr(os, "fsync", push)
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "file").write_text("content")
    checkpoints.publish(tmp_path / "beside", tmp_path / "final")
    assert pushed
    assert (tmp_path / "final" / "file").read_text() == "content"
