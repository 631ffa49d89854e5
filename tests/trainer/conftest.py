"""What several of the trainer's tests need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.trainer.drawn import draw_video
from trainer.corpora.ravdess import EMOTION_LABELS


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Models this small only lose by threads, and much where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three actors, each with one recording of each of the eight emotions."""
    folder = tmp_path_factory.mktemp("corpus")
    for actor in (1, 2, 3):
        for number, emotion in enumerate(EMOTION_LABELS):
            name = f"02-01-{emotion}-01-01-01-{actor:02d}.mp4"
            draw_video(folder / f"Actor_{actor:02d}" / name, shade=20 + 25 * number)
    return folder
