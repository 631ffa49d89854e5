"""Whole runs on corpora together, and on pictures alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trainer.cli import main

TINY = (
    "--base-model tiny --image-size 32 --faces none --num-workers 0 --batch-size 4 "
    "--frame-epochs 1 --epochs 1 --max-steps 2"
)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Forty different grey pictures of two labels, and ten that are kept apart."""
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "faces.npz",
        train_images=rng.integers(256, size=(40, 24, 24), dtype=np.uint8),
        train_labels=np.arange(40) % 2,
        validation_images=rng.integers(256, size=(10, 24, 24), dtype=np.uint8),
        validation_labels=np.arange(10) % 2,
        labels=np.array(["fear", "happy"]),
    )
    return tmp_path / "faces.npz"


def run(output: Path, *words: str) -> dict[str, object]:
    assert main(["train", *TINY.split(), "--output", str(output), *words]) == 0
    figures: dict[str, object] = json.loads((output / "checkpoint" / "metrics.json").read_text())
    return figures


def test_recordings_are_measured_and_pictures_help(
    corpus: Path, faces: Path, tmp_path: Path
) -> None:
    figures = run(tmp_path / "out", "--data", str(corpus), "--data", f"images:{faces}@0.5")
    assert figures["train_recordings"] == 8 + 36
    assert figures["train_actors"] == ["ravdess:01"]
    assert figures["test"]["actors"] == ["ravdess:03"]  # type: ignore[index]
    assert figures["pictures"]["recordings"] == 10  # type: ignore[index]
    assert "pictures: 10 recordings" in (tmp_path / "out" / "summary.txt").read_text()
    card = (tmp_path / "out" / "checkpoint" / "README.md").read_text()
    assert "| pictures | 10 |" in card
    assert "of the pictures." in card
    assert "Added pictures" in (tmp_path / "out" / "report" / "index.html").read_text()


def test_pictures_alone(faces: Path, tmp_path: Path) -> None:
    figures = run(tmp_path / "out", "--data", f"images:{faces}")
    assert figures["train_recordings"] == 36
    assert figures["test"]["recordings"] == 10  # type: ignore[index]


def test_without_crops_on_disk(corpus: Path, tmp_path: Path) -> None:
    run(tmp_path / "out", "--data", str(corpus), "--no-keep-crops")
    kept = list((tmp_path / "out" / "crops").rglob("*.npy"))
    assert len(kept) == 48
    assert sum(path.stat().st_size for path in kept) < 50_000


def test_a_random_split_says_that_it_leaks(corpus: Path, tmp_path: Path) -> None:
    figures = run(tmp_path / "out", "--data", str(corpus), "--protocol", "random", "--seed", "1")
    assert "LEAKS" in figures["notes"][0]  # type: ignore[index]
    assert "LEAKS" in (tmp_path / "out" / "summary.txt").read_text()
    assert "LEAKS" in (tmp_path / "out" / "checkpoint" / "README.md").read_text()
