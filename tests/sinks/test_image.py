from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_mood.errors import OutputError
from realtime_mood.sinks.image import save_png

IMAGE = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)


def test_what_is_saved_is_what_was_given(tmp_path: Path) -> None:
    path = tmp_path / "ä b.png"
    save_png(path, IMAGE)
    saved = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(saved, IMAGE)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_older_picture_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(b"older")

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match=r"p\.png cannot be written \(No space left"):
        save_png(path, IMAGE)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist; create it"):
        save_png(tmp_path / "missing" / "p.png", IMAGE)
