"""The motion of recordings on the faces of pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import SPEC
from trainer.config import RecipeConfig
from trainer.corpora.ravdess import parse_name
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops
from trainer.dataset import Item, TrainingClips
from trainer.landmark_finder import POINTS
from trainer.motion import MotionTargets
from trainer.reanimate import Reanimator, at_rest
from trainer.sampler import Draw
from trainer.stills import StillCrops

SIDE = 64
PADDED = replace(SPEC, image_size=80, crop_margin=0.25, num_frames=4)
FRAMES = 20
MOUTH, CHIN, BROW = slice(48, 68), slice(4, 13), slice(17, 22)
"""Parts that move; what is looked at is the middle point of each."""
LIPS = (slice(60, 64), slice(64, 68))
RECIPE = RecipeConfig(
    flip=False,
    crop_jitter=0.0,
    randaugment_ops=0,
    tone=0.0,
    webcam=0.0,
    erase=0.0,
    frame_epochs=1.0,
    motion=1.0,
    reanimate=1.0,
)


def _face() -> np.ndarray:
    """A face from the front, -1 to 1 over the crop, its eyes 0.8 apart."""
    points = np.zeros((POINTS, 2), dtype=np.float32)
    angle = np.linspace(0, np.pi, 17)
    points[:17] = np.stack([-0.75 * np.cos(angle), 0.75 * np.sin(angle)], axis=1)
    points[17:22] = np.stack([np.linspace(-0.6, -0.2, 5), np.full(5, -0.55)], axis=1)
    points[22:27] = points[17:22] * [-1, 1]
    points[27:31] = np.stack([np.zeros(4), np.linspace(-0.3, 0.1, 4)], axis=1)
    points[31:36] = np.stack([np.linspace(-0.15, 0.15, 5), np.full(5, 0.15)], axis=1)
    around = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    eye = np.stack([0.12 * np.cos(around), 0.05 * np.sin(around)], axis=1)
    points[36:42] = np.add(eye, [-0.4, -0.3])
    points[42:48] = np.add(eye, [0.4, -0.3])
    turn = np.linspace(np.pi, 3 * np.pi, 12, endpoint=False)
    points[48:60] = np.stack([0.3 * np.cos(turn), 0.45 + 0.1 * np.sin(turn)], axis=1)
    inner = np.linspace(np.pi, 3 * np.pi, 8, endpoint=False)
    points[60:] = np.stack([0.2 * np.cos(inner), 0.45 + 0.01 * np.sin(inner)], axis=1)
    return points


def _pixels(points: np.ndarray) -> np.ndarray:
    """Of a padded crop."""
    return np.asarray((PADDED.image_size - 1) / 2 + points * SIDE / 2)


def _spot(point: np.ndarray) -> np.ndarray:
    """A picture that is bright at a point, -1 to 1 over it; 64 pixels wide, as it is cut."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    column, row = (SIDE - 1) / 2 + point * SIDE / 2
    light = 255 * np.exp(-((columns - column) ** 2 + (rows - row) ** 2) / 4)
    return np.asarray(light, dtype=np.uint8)


def _where(crop: np.ndarray) -> np.ndarray:
    """Middle of what is bright, pixels."""
    light = crop[..., 0].astype(float)
    rows, columns = np.mgrid[: len(light), : len(light)]
    return np.array([(columns * light).sum(), (rows * light).sum()]) / light.sum()


def _picture(image: np.ndarray, number: int = 0) -> StillCrops:
    recording = Recording(
        path=Path("faces.npz"),
        name=f"{number}",
        take=f"images:{number}",
        actor=f"images:{number}",
        label=4,
        image=image,
    )
    return StillCrops.of(recording, PADDED)


def _recording(folder: Path, moved: np.ndarray | None, emotion: str = "03") -> FaceCrops:
    """Of frames that are red, whose face moves, in distances of the eyes, as is told."""
    parsed = parse_name(folder / f"02-01-{emotion}-01-01-01-01.mp4")
    assert isinstance(parsed, Recording)
    shape = (FRAMES, PADDED.image_size, PADDED.image_size, 3)
    red = np.full(shape, 200, dtype=np.uint8) * np.array([0, 0, 1], dtype=np.uint8)
    np.save(folder / "crops.npy", red)
    if moved is not None:
        # The head of this recording is 125 pixels from eye to eye.
        np.save(folder / "points.npy", (300 + 125 * (_face() / 0.8 + moved)).astype(np.float32))
    return FaceCrops(
        parsed,
        folder / "crops.npy",
        np.arange(FRAMES) / 30,
        landmarks_file=None if moved is None else folder / "points.npy",
    )


def _reanimator(recording: FaceCrops, *pictures: tuple[StillCrops, np.ndarray]) -> Reanimator:
    landmarks = [np.full_like(_face(), np.nan), *(points for _, points in pictures)]
    return Reanimator([recording, *(picture for picture, _ in pictures)], np.stack(landmarks))


def _opening(part: slice, by: tuple[float, float]) -> np.ndarray:
    """Lips that part in the second half of a recording, and a part that moves with them."""
    moved = np.zeros((FRAMES, POINTS, 2))
    moved[FRAMES // 2 :, part] = by
    moved[FRAMES // 2 :, LIPS[1], 1] += 0.02
    return moved


def _middle(part: slice) -> int:
    return int((part.start + part.stop) // 2)


@pytest.mark.parametrize(
    ("part", "by"), [(MOUTH, (-0.2, -0.1)), (CHIN, (0.0, 0.2)), (BROW, (0.05, -0.15))]
)
def test_a_part_of_the_face_moves_as_far_as_the_recorded_one(
    part: slice, by: tuple[float, float], tmp_path: Path
) -> None:
    point = _middle(part)
    recording = _recording(tmp_path, _opening(part, by))
    reanimator = _reanimator(recording, (_picture(_spot(_face()[point])), _face()))
    frames = np.array([2, 5, 15, 18])
    clip = reanimator.reanimate(recording, frames, np.random.default_rng(0))
    assert clip is not None
    assert clip.shape == (4, 80, 80, 3)
    still = _pixels(_face()[point])
    for crop in clip[:2]:
        np.testing.assert_allclose(_where(crop), still, atol=0.4)
    # 0.8 of half the crop's side from eye to eye.
    moved = still + np.array(by) * 0.8 * SIDE / 2
    for crop in clip[2:]:
        np.testing.assert_allclose(_where(crop), moved, atol=1.2)


def test_a_face_that_is_turned_moves_along_its_own_eyes(tmp_path: Path) -> None:
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = (_face() @ turn.T).astype(np.float32)
    recording = _recording(tmp_path, _opening(CHIN, (0.0, 0.2)))
    reanimator = _reanimator(recording, (_picture(_spot(turned[_middle(CHIN)])), turned))
    clip = reanimator.reanimate(recording, np.array([0, 15]), np.random.default_rng(0))
    assert clip is not None
    moved = turn @ [0.0, 0.2 * 0.8 * SIDE / 2]
    np.testing.assert_allclose(_where(clip[1]) - _where(clip[0]), moved, atol=1.2)


def test_a_mouth_that_opens_is_dark_inside_and_the_border_stays(tmp_path: Path) -> None:
    moved = np.zeros((FRAMES, POINTS, 2))
    moved[FRAMES // 2 :, LIPS[1], 1] = 0.3
    recording = _recording(tmp_path, moved)
    bright = _picture(np.full((SIDE, SIDE), 220, dtype=np.uint8))
    reanimator = _reanimator(recording, (bright, _face()))
    clip = reanimator.reanimate(recording, np.array([0, 15]), np.random.default_rng(0))
    assert clip is not None
    shut, opened = clip[..., 0]
    assert (shut > 210).all()
    column, row = np.round(_pixels(np.array([0.0, 0.55]))).astype(int)
    assert opened[row, column] < 140
    assert (opened[[0, -1]] > 210).all()
    assert (opened[:, [0, -1]] > 210).all()


def test_a_face_at_rest_is_that_with_closed_lips() -> None:
    face = np.repeat(_face()[None], FRAMES, axis=0)
    face[4:, LIPS[1], 1] += 0.2
    face[4:, CHIN, 1] += 0.2
    np.testing.assert_allclose(at_rest(face), _face(), atol=1e-6)


def test_only_faces_from_the_front_are_moved(tmp_path: Path) -> None:
    aside = _face()
    aside[27:31, 0] += 0.3
    tiny, tilted = _face() * np.float32(0.2), _face()[:, ::-1]
    unknown = np.full((POINTS, 2), np.nan, dtype=np.float32)
    pictures = [
        (_picture(np.full((SIDE, SIDE), shade, np.uint8), shade), landmarks)
        for shade, landmarks in zip(
            (10, 20, 30, 40, 250), (aside, tiny, tilted, unknown, _face()), strict=True
        )
    ]
    recording = _recording(tmp_path, np.zeros((FRAMES, POINTS, 2)))
    frame, rng = np.array([3]), np.random.default_rng(0)
    for _ in range(8):
        clip = _reanimator(recording, *pictures).reanimate(recording, frame, rng)
        assert clip is not None
        assert (clip > 240).all()
    assert _reanimator(recording, *pictures[:4]).reanimate(recording, frame, rng) is None
    without = _recording(tmp_path, None)
    assert _reanimator(without, *pictures).reanimate(without, frame, rng) is None
    talker = _recording(tmp_path, _opening(CHIN, (0.0, 0.2)), emotion="02")
    reanimator = _reanimator(talker, *pictures)
    for picture, _ in pictures[:4]:
        assert reanimator.let_talk(picture, PADDED, RECIPE, rng) is None
        assert not reanimator.can_move(picture)
    assert reanimator.can_move(pictures[4][0])
    assert reanimator.can_move(talker)
    assert not _reanimator(without, *pictures).can_move(without)


def test_who_shows_nothing_or_the_same_lets_pictures_talk(tmp_path: Path) -> None:
    picture = _picture(_spot(_face()[_middle(CHIN)]))
    rng = np.random.default_rng(0)
    # The picture is a happy one.
    for emotion, talks in (("01", True), ("02", True), ("03", True), ("05", False)):
        recording = _recording(tmp_path, _opening(CHIN, (0.0, 0.2)), emotion=emotion)
        reanimator = _reanimator(recording, (picture, _face()))
        clips = [reanimator.let_talk(picture, PADDED, RECIPE, rng) for _ in range(12)]
        if not talks:
            assert clips == [None] * 12
            continue
        # Of a clip that lies across the middle of the recording, the chin moves.
        rows = np.array([[_where(crop)[1] for crop in clip] for clip in clips if clip is not None])
        assert rows.shape == (12, PADDED.num_frames)
        assert np.ptp(rows, axis=1).max() > 2.0


def test_half_of_the_pictures_talk_as_those_do_who_show_the_same(tmp_path: Path) -> None:
    picture = _picture(_spot(_face()[_middle(CHIN)]))
    unknown, rng = np.full_like(_face(), np.nan), np.random.default_rng(0)
    still = np.zeros((FRAMES, POINTS, 2))
    quiet, happy, angry = (
        _recording(_folder(tmp_path / emotion), moved, emotion=emotion)
        for emotion, moved in (("02", still), ("03", _opening(CHIN, (0.0, 0.2))), ("05", still))
    )

    def share_moved(*recordings: FaceCrops) -> float:
        """Of clips of the picture, which is a happy one."""
        landmarks = np.stack([*[unknown for _ in recordings], _face()])
        reanimator = Reanimator([*recordings, picture], landmarks)
        clips = [reanimator.let_talk(picture, PADDED, RECIPE, rng) for _ in range(200)]
        rows = [[_where(crop)[1] for crop in clip] for clip in clips if clip is not None]
        return float((np.ptp(rows, axis=1) > 2.0).mean())

    often = share_moved(happy)
    assert often > 0.4
    assert share_moved(quiet, happy, angry) == pytest.approx(often / 2, abs=0.1)
    assert share_moved(quiet, angry) == 0.0


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _clips(folder: Path, recipe: RecipeConfig, emotion: str = "03") -> TrainingClips:
    """Of a recording and a grey picture."""
    recording = _recording(folder, _opening(CHIN, (0.0, 0.2)), emotion=emotion)
    picture = _picture(np.tile(np.uint8([[90], [150]]), (SIDE // 2, SIDE)))
    landmarks = np.stack([np.full_like(_face(), np.nan), _face()])
    return TrainingClips(
        [recording, picture],
        replace(PADDED, image_size=SIDE, crop_margin=0.0),
        recipe=recipe,
        seed=1,
        motion=MotionTargets([recording, picture]),
        landmarks=landmarks,
        reanimator=Reanimator([recording, picture], landmarks),
    )


def _is_grey(item: Item) -> bool:
    pixels = item["pixel_values"]
    return bool((pixels[:, 0] - pixels[:, 2]).abs().max() < 0.2)


def test_the_share_of_recordings_that_pictures_stand_in_for(tmp_path: Path) -> None:
    for share in (0.0, 0.25, 1.0):
        clips = _clips(tmp_path, replace(RECIPE, reanimate=share))
        items = [clips[Draw(0, epoch, 0)] for epoch in range(60)]
        assert np.mean([_is_grey(item) for item in items]) == pytest.approx(share, abs=0.15)
        # What it is called and how it moves are the recording's.
        assert {item["labels"] for item in items} == {clips.recordings[0].recording.label}
        assert all(item["motion"].abs().max() > 0.0 for item in items)
        # A picture's own expression is another: nothing is asked of it but motion.
        assert all((int(item["known_labels"].sum()) == 1) is _is_grey(item) for item in items)
        still = clips[Draw(1, 0, 1)]
        assert still["labels"] == 4
        assert still["shown"]
        assert not still["motion"].any()


def test_pictures_that_talk_are_called_what_they_are(tmp_path: Path) -> None:
    for share in (0.0, 0.5, 1.0):
        clips = _clips(tmp_path, replace(RECIPE, talk=share, reanimate=0.0), emotion="01")
        items = [clips[Draw(1, epoch, 1)] for epoch in range(60)]
        talks = [not item["shown"] for item in items]
        assert np.mean(talks) == pytest.approx(share, abs=0.15)
        for item, talking in zip(items, talks, strict=True):
            assert item["labels"] == 4
            assert _is_grey(item)
            # A teacher of pictures as they are, landmarks and motion would be wrong.
            assert bool(item["motion"].isnan().all()) is talking
            assert bool(item["landmarks"].isnan().all()) is talking
        assert not _is_grey(clips[Draw(0, 0, 0)])


def test_whose_head_turns_is_called_what_they_are(tmp_path: Path) -> None:
    for share in (0.0, 0.5, 1.0):
        clips = _clips(tmp_path, replace(RECIPE, turn=share, reanimate=0.0))
        for index, label in ((0, clips.recordings[0].recording.label), (1, 4)):
            items = [clips[Draw(index, epoch, 1)] for epoch in range(60)]
            turns = [bool(item["motion"].isnan().all()) for item in items]
            assert np.mean(turns) == pytest.approx(share, abs=0.15)
            for item, turning in zip(items, turns, strict=True):
                assert item["labels"] == label
                assert bool(item["landmarks"].isnan().all()) or not turning
                assert item["shown"] is (index == 1 and not turning)


def test_what_is_drawn_follows_from_the_draw(tmp_path: Path) -> None:
    clips = _clips(tmp_path, replace(RECIPE, reanimate=0.5, talk=0.5), emotion="01")
    for epoch in range(4):
        for index in (0, 1):
            one, again = (clips[Draw(index, epoch, 0)] for _ in range(2))
            assert (one["pixel_values"] == again["pixel_values"]).all()
