"""The second task on pairs of frames: how the parts of a face move."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from tests.shared import shared_file
from trainer.corpora.ravdess import parse_name
from trainer.corpora.recording import Recording
from trainer.crops import Cutter, FaceCrops, cut_recordings
from trainer.frame_learner import FrameLearner, motion_loss
from trainer.landmark_finder import MIRRORED, POINTS
from trainer.motion import DIRECTIONS, MotionTargets, against_the_head
from trainer.picture_teacher import PictureTeacher
from trainer.single_frames import frame_twin
from trainer.stills import StillCrops

CLIP_SPEC = replace(SPEC, image_size=32, num_frames=4)
FRAMES = 30
MOUTH = slice(48, 68)


def _face() -> np.ndarray:
    """Some face, symmetric, 100 pixels from eye to eye."""
    half = np.random.default_rng(0).uniform(-100, 100, (POINTS, 2))
    face = (half + half[list(MIRRORED)] * [-1, 1]) / 2
    face[36:42] = [-50, 0]
    face[42:48] = [50, 0]
    return face


def _nodding(face: np.ndarray) -> np.ndarray:
    """The face on a head that turns, comes and goes, shape (FRAMES, POINTS, 2)."""
    seen = []
    for time in np.linspace(0, 3, FRAMES):
        angle = 0.2 * np.sin(time)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        seen.append(face @ turn.T + [300 + 40 * np.cos(time), 200 - 20 * time])
    return np.stack(seen)


def _recording(folder: Path, points: np.ndarray | None, number: int = 0) -> FaceCrops:
    file = folder / f"{number}.npy"
    if points is not None:
        np.save(file, points.astype(np.float32))
    recording = parse_name(folder / f"02-01-03-01-01-01-{number + 1:02d}.mp4")
    assert isinstance(recording, Recording)
    return FaceCrops(
        recording, folder, np.arange(FRAMES) / 30, landmarks_file=None if points is None else file
    )


def test_a_head_that_moves_is_a_face_that_does_not() -> None:
    level = against_the_head(_nodding(_face()))
    np.testing.assert_allclose(level, np.broadcast_to(_face() / 100, level.shape), atol=1e-4)


def test_a_mouth_that_opens_is_what_is_left_and_the_mirror_knows_its_side(tmp_path: Path) -> None:
    points = _nodding(_face())
    opening = np.zeros_like(points)
    opening[:, 57, 1] = np.linspace(0, 20, FRAMES)
    opening[:, 48, 0] = np.linspace(0, -10, FRAMES)  # A corner of the mouth, on the left.
    targets = MotionTargets([_recording(tmp_path, _nodding(_face()) + opening)])
    frames = np.array([0, 10, 20, 29])
    plain = targets.of(0, frames, is_mirrored=False)
    assert plain.shape == (4, DIRECTIONS)
    np.testing.assert_allclose(plain.mean(axis=0), 0.0, atol=1e-3)
    moved = (plain * targets.scale @ targets.basis.T).reshape(4, POINTS, 2)
    assert moved[-1, 57, 1] - moved[0, 57, 1] == pytest.approx(0.2, abs=0.03)
    mirrored = targets.of(0, frames, is_mirrored=True)
    seen = (mirrored * targets.scale @ targets.basis.T).reshape(4, POINTS, 2)
    np.testing.assert_allclose(seen, moved[:, list(MIRRORED)] * [-1, 1], atol=2e-3)


def test_frames_teach_motion_and_landmarks_each_by_itself() -> None:
    torch.manual_seed(0)
    model = tiny_timesformer(CLIP_SPEC)
    learner = FrameLearner(frame_twin(model), landmarks=True, motion=True)
    pixels = torch.randn(2, 2, 3, 32, 32)
    motion, landmarks = torch.randn(2, 2, DIRECTIONS), torch.rand(2, POINTS, 2) - 0.5
    answer = learner(pixels, landmarks=landmarks, motion=motion - motion.mean(dim=1, keepdim=True))
    assert set(answer) == {"logits", "landmarks", "motion"}
    assert set(learner(pixels)) == {"logits"}
    (answer["landmarks"] + answer["motion"]).backward()
    assert learner.motion_head.weight.grad.any()
    assert learner.place_head.weight.grad.any()
    assert model.classifier.weight.grad is None
    assert model.timesformer.embeddings.patch_embeddings.projection.weight.grad.any()
    teacher = PictureTeacher().eval()
    taught = FrameLearner(frame_twin(model), teacher=teacher)
    torch.testing.assert_close(taught(pixels[:, :1])["taught"], teacher.teach(pixels[:, :1]))
    assert "taught" not in taught(pixels)
    nobody = torch.full_like(motion, torch.nan)
    assert learner(pixels, motion=nobody)["motion"] == 0.0


def test_what_is_said_of_two_frames_is_their_mean_and_their_difference() -> None:
    torch.manual_seed(0)
    learner = FrameLearner(frame_twin(tiny_timesformer(CLIP_SPEC)), motion=True).eval()
    pair = torch.randn(1, 2, 3, 32, 32)
    with torch.no_grad():
        both = learner(pair)["logits"]
        each = [learner(pair[:, n : n + 1])["logits"] for n in range(2)]
        torch.testing.assert_close(both, (each[0] + each[1]) / 2)
        # Of a face that is seen twice, nothing has moved, whoever it is.
        twice = pair[:, :1].expand(-1, 2, -1, -1, -1)
        assert learner(twice, motion=torch.zeros(1, 2, DIRECTIONS))["motion"] == 0.0
        assert learner(pair, motion=torch.zeros(1, 2, DIRECTIONS))["motion"] > 0.0


def test_pictures_do_not_move_and_of_other_recordings_nothing_is_known(tmp_path: Path) -> None:
    picture = replace(_recording(tmp_path, None).recording, image=np.zeros((8, 8), np.uint8))
    recordings = [StillCrops.of(picture, CLIP_SPEC), _recording(tmp_path, None)]
    targets = MotionTargets(recordings)
    frames = np.zeros(4, dtype=int)
    assert not targets.of(0, frames, is_mirrored=False).any()
    assert np.isnan(targets.of(1, frames, is_mirrored=True)).all()


def test_what_is_not_known_does_not_count() -> None:
    motion = torch.full((2, 4, DIRECTIONS), torch.nan)
    assert motion_loss(torch.ones(2, 4, DIRECTIONS), motion) == 0.0
    motion[0] = 1.0
    assert motion_loss(torch.ones(2, 4, DIRECTIONS), motion) == 0.0
    assert motion_loss(torch.zeros(2, 4, DIRECTIONS), motion) == 0.5


def test_landmarks_of_a_recording_follow_its_face(tmp_path: Path) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    video = shared_file("data/ravdess_reanimated/Actor_01/02-01-08-02-01-01-01.mp4")
    cutter = Cutter(
        folder=tmp_path,
        spec=CLIP_SPEC,
        detector="cascade",
        yunet_file=None,
        decoder="pyav",
        finds_landmarks=True,
    )
    crops, skipped = cut_recordings(
        [parse_name(video)], cutter, num_workers=1, timeout_s=120, progress=lambda *told: None
    )
    assert not skipped
    assert crops[0].landmarks_file is not None
    points = np.load(crops[0].landmarks_file)
    assert points.shape == (len(crops[0].times_s), POINTS, 2)
    eyes, mouth = points[:, 36:48].mean(axis=1), points[:, MOUTH].mean(axis=1)
    assert (eyes[:, 1] < mouth[:, 1] - 20).all()
    # A surprised face opens its mouth; landmarks that are not of this face would not.
    level = against_the_head(points)
    gap = level[:, 66, 1] - level[:, 62, 1]
    assert gap.max() - gap.min() > 0.05
    assert np.abs(np.diff(level, axis=0)).max() < 0.2
