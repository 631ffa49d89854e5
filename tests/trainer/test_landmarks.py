"""The second task on single frames: where the parts of a face are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from realtime_mood.errors import UsageError
from realtime_mood.faces.crop import crop_face
from realtime_mood.faces.detector import make_detector
from tests.fakes import SPEC
from trainer.augment import draw_move
from trainer.config import RecipeConfig
from trainer.corpora.recording import Recording
from trainer.crops import Cutter, FaceCrops
from trainer.landmarks import (
    MIRRORED,
    POINTS,
    find_landmarks,
    landmark_loss,
    move_landmarks,
)
from trainer.single_frames import frame_spec
from trainer.stills import StillCrops

ROOT = Path(__file__).resolve().parents[2]
CLIP_SPEC = replace(SPEC, image_size=32, num_frames=4)
PLAIN = RecipeConfig(flip=False, crop_jitter=0.0, randaugment_ops=0)


def test_mirrored_twice_is_the_face_itself() -> None:
    assert sorted(MIRRORED) == list(range(POINTS))
    assert [MIRRORED[point] for point in MIRRORED] == list(range(POINTS))


@pytest.mark.parametrize("seed", range(8))
def test_points_move_with_the_picture(seed: int) -> None:
    recipe = RecipeConfig(crop_jitter=3.0, randaugment_ops=4, randaugment_magnitude=5)
    changes = {"rotate": 0.4, "shear": -0.3}
    move = draw_move(80, 64, np.random.default_rng(seed), recipe, changes)
    points = np.array([[0.2, -0.3], [-0.4, 0.1], [0.0, 0.45]])
    # A spot drawn at each point of the padded crop, of which the inner 64 pixels are the spec's.
    for point in points:
        column, row = 39.5 + 32 * point
        place = np.hypot(np.arange(80) - column, (np.arange(80) - row)[:, None])
        spot = np.clip(255 * np.exp(-((place / 2.5) ** 2)), 0, 255).astype(np.uint8)
        seen = move.of_clip(np.repeat(spot[None, :, :, None], 3, axis=3))[0, ..., 0].astype(float)
        found = [(seen.sum(axis=axis) @ np.arange(64)) / seen.sum() for axis in (0, 1)]
        expected = move.of_points(point[None])[0]
        np.testing.assert_allclose((2 * np.array(found) + 1) / 64 - 1, expected, atol=0.02)


def test_a_mirrored_face_has_its_points_exchanged() -> None:
    recipe = replace(PLAIN, flip=True)
    moves = [draw_move(80, 64, np.random.default_rng(seed), recipe, {}) for seed in range(20)]
    mirrored = next(move for move in moves if move.mirrors)
    plain = next(move for move in moves if not move.mirrors)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (POINTS, 2)).astype(np.float32)
    np.testing.assert_allclose(move_landmarks(points, plain), points, atol=1e-6)
    moved = move_landmarks(points, mirrored)
    np.testing.assert_allclose(moved, points[list(MIRRORED)] * [-1, 1], atol=1e-6)


def test_the_loss_is_least_where_the_points_are_and_unknown_points_do_not_count() -> None:
    landmarks = torch.full((1, POINTS, 2), torch.nan)
    landmarks[0, 5] = torch.tensor([0.25, -0.75])  # The middle of patch (row 0, column 2) of four.
    right, wrong = torch.zeros(2, 1, POINTS, 16)
    right[0, 5, 2] = 20.0
    wrong[0, 5, 7] = 20.0
    places = torch.zeros(1, POINTS, 2)
    places[0, 5] = landmarks[0, 5]
    assert landmark_loss(right, places, landmarks) < 1e-3
    assert landmark_loss(wrong, places, landmarks) > 1.0
    assert landmark_loss(right, places + 0.5, landmarks) > 1.0
    nothing = torch.full((1, POINTS, 2), torch.nan)
    assert landmark_loss(wrong, places, nothing) == 0.0


def _real_face() -> np.ndarray:
    """The face of the demo's first frame, 64 pixels wide."""
    reader = cv2.VideoCapture(str(ROOT / "assets" / "demo.mp4"))
    _, frame = reader.read()
    reader.release()
    found = make_detector("cascade", yunet_file=None).detect(frame)[0]
    return crop_face(frame, found.box, replace(CLIP_SPEC, image_size=64))


def _picture(image: np.ndarray, number: int) -> StillCrops:
    recording = Recording(
        path=Path("faces.npz"),
        name=f"{number}",
        take=f"images:{number}",
        actor=f"images:{number}",
        label=0,
        image=image,
    )
    return StillCrops.of(recording, frame_spec(CLIP_SPEC))


def _cutter(folder: Path) -> Cutter:
    return Cutter(folder=folder, spec=CLIP_SPEC, detector="none", yunet_file=None, decoder="pyav")


def test_landmarks_of_a_real_face_are_where_its_parts_are(tmp_path: Path) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    face = _real_face()
    film = FaceCrops(_picture(face, 2).recording, tmp_path, np.zeros(3))
    film = replace(film, recording=replace(film.recording, image=None))
    told: list[str] = []
    found = find_landmarks(
        [_picture(face, 0), film, _picture(face[:, ::-1].copy(), 1)],
        _cutter(tmp_path / "not" / "there yet"),
        num_workers=1,
        progress=lambda stage, done, total: told.append(stage),
    )
    assert found.shape == (3, POINTS, 2)
    assert np.isnan(found[1]).all()
    points = found[0]
    eyes, nose, mouth = points[36:48].mean(axis=0), points[30], points[48:68].mean(axis=0)
    assert eyes[1] < nose[1] < mouth[1]
    assert points[36:42, 0].mean() < nose[0] < points[42:48, 0].mean()
    np.testing.assert_allclose(found[2][list(MIRRORED)] * [-1, 1], points, atol=0.12)
    told.clear()
    again = find_landmarks(
        [_picture(face, 0), _picture(face[:, ::-1].copy(), 1)],
        _cutter(tmp_path / "not" / "there yet"),
        num_workers=1,
        progress=lambda stage, done, total: told.append(stage),
    )
    assert not told
    np.testing.assert_array_equal(again, found[[0, 2]])


def test_without_dlib_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install dlib-bin"):
        find_landmarks(
            [_picture(np.zeros((48, 48), dtype=np.uint8), 0)],
            _cutter(tmp_path),
            num_workers=1,
            progress=lambda *told: None,
        )
