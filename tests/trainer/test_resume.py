"""Runs that go on where something else is not as it was when they were begun."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trainer import checkpoints
from trainer.cli import main

TINY = (
    "--base-model tiny --image-size 32 --faces none --num-workers 0 --batch-size 4 --epochs 2 "
    "--head-epochs 0 --report-to none"
)


def words(corpus: Path, output: Path, *more: str) -> list[str]:
    return ["train", *TINY.split(), "--data", str(corpus), "--output", str(output), *more]


def interrupt(monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    """Runs end as by Ctrl-C once they have published so many checkpoints."""
    publish, count = checkpoints.publish, 0

    def published(beside: Path, final: Path) -> None:
        nonlocal count
        publish(beside, final)
        count += 1
        if count == after:
            raise KeyboardInterrupt

    monkeypatch.setattr("trainer.checkpoints.publish", published)


@pytest.mark.timeout(400)
def test_a_run_begun_in_fp16_goes_on_in_another_precision(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, after=1)
        assert main(words(corpus, tmp_path)) == 130
    [checkpoint] = (tmp_path / "run" / "clips").glob("checkpoint-*")
    # What fp16 leaves, which itself needs a GPU.
    state = {"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5}
    torch.save({**state, "growth_interval": 2000, "_growth_tracker": 0}, checkpoint / "scaler.pt")
    assert main(["train", "--output", str(tmp_path), "--resume", "--precision", "bf16"]) == 0
