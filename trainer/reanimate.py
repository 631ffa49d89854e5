"""The motion of recordings on the faces of pictures.

A few actors' recordings tell how faces move, but hardly what that looks like on a face that was
never recorded. Thousands of pictures show such faces, and where their parts are (see `landmarks`);
warped as a recorded face moved, they show its motion, and nobody's looks go with an expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import cv2
import numpy as np
import numpy.typing as npt

from realtime_mood.model.clip_spec import ClipSpec, nearest_indices
from realtime_mood.model.labels import LABELS
from trainer.augment import in_padded
from trainer.clip_times import jittered_times_s
from trainer.config import RecipeConfig
from trainer.crops import FaceCrops
from trainer.landmark_finder import POINTS, Points
from trainer.motion import EYES, recorded_faces

QUIET = (LABELS.index("calm"), LABELS.index("neutral"))
"""What recordings are called in which somebody talks and shows as good as no expression."""
ALIKE_SHARE = 0.5
"""Of the pictures that talk, those that do so as somebody with their own expression does."""
NOSE = slice(27, 31)
INNER_LIPS = (slice(61, 64), slice(65, 68))
CLOSED_SHARE = 0.2
"""Of a recording's frames, those whose lips are least apart show its face at rest."""
LEAST_EYES_APART = 0.25
MOST_EYES_APART = 0.8
"""Between the eyes of a picture that is used, in sides of the crop."""
MOST_OFF_CENTRE = 0.25
"""How far the nose of a picture that is used lies beside the middle of the eyes, in distances of
the eyes: others are turned away, and their landmarks are wrong."""
MOST_ROLL_DEG = 30.0
GRID = 2
"""Pixels of the crop at which motion is computed; between them it is interpolated."""
SMOOTHING = 0.5
"""Of the motion between points, pixels."""
MOUTH = slice(60, 68)
MOUTH_BRIGHTNESS = 0.35
"""Of the inside of a mouth that opened, in parts of the lips' that were there."""


class Reanimator:
    """Makes faces of pictures move as recorded ones did.

    Args:
        crops: recordings, of which those with landmarks tell how to move, and pictures.
        landmarks: of the pictures, in the order of `crops`; see
            `trainer.landmarks.find_landmarks`.
    """

    def __init__(self, crops: Sequence[FaceCrops], landmarks: Points) -> None:
        faces = zip(crops, recorded_faces(crops), strict=True)
        self._moves = {
            c.recording.take: face - at_rest(face) for c, face in faces if face is not None
        }
        self._talkers: dict[int, list[FaceCrops]] = {}
        for recording in crops:
            if recording.recording.take in self._moves:
                self._talkers.setdefault(recording.recording.label, []).append(recording)
        self._quiet = [talker for label in QUIET for talker in self._talkers.get(label, [])]
        usable = [c.is_still for c in crops] & _usable(landmarks)
        self._pictures = list(compress(crops, usable))
        takes = (picture.recording.take for picture in self._pictures)
        self._landmarks = dict(zip(takes, landmarks[usable], strict=True))

    @property
    def has_pictures(self) -> bool:
        """Whether any picture can move."""
        return bool(self._pictures)

    @property
    def has_talkers(self) -> bool:
        """Whether anybody talks who shows no expression."""
        return bool(self._quiet)

    def reanimate(
        self, recording: FaceCrops, frames: npt.NDArray[np.intp], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8] | None:
        """Some picture's face that moves as a recording's does.

        Args:
            recording: one of `crops`.
            frames: of a clip of it, shape (num_frames,).
            rng: the picture is drawn from it.

        Returns:
            Padded crops, shape (num_frames, side, side, 3), uint8; None where the recording's
            landmarks are not known, or no picture can be used.
        """
        if not (self._pictures and self.can_move(recording)):
            return None
        return self.moved(self._pictures[int(rng.integers(len(self._pictures)))], recording, frames)

    def let_talk(
        self, picture: FaceCrops, spec: ClipSpec, recipe: RecipeConfig, rng: np.random.Generator
    ) -> npt.NDArray[np.uint8] | None:
        """A picture's face that talks, as somebody does who shows no expression, or its own.

        Where there is nobody of the one kind, as somebody of the other.

        Args:
            picture: one of `crops`.
            spec: what a clip is.
            recipe: how clips vary in time.
            rng: recording and time are drawn from it.

        Returns:
            See `reanimate`; None where the picture cannot be used, or nobody talks so.
        """
        talkers = [self._talkers.get(picture.recording.label, []), self._quiet]
        if rng.random() >= ALIKE_SHARE:
            talkers.reverse()
        chosen = talkers[0] or talkers[1]
        if not (chosen and self.can_move(picture)):
            return None
        recording = chosen[int(rng.integers(len(chosen)))]
        times_s = jittered_times_s(recording.times_s, spec, recipe, rng)
        return self.moved(picture, recording, nearest_indices(recording.times_s, times_s))

    def can_move(self, crops: FaceCrops) -> bool:
        """Whether a picture shows a face from the front, or a recording tells how to move."""
        return crops.recording.take in (self._landmarks if crops.is_still else self._moves)

    def moved(
        self, picture: FaceCrops, recording: FaceCrops, frames: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.uint8]:
        """A picture's face in frames of a recording, both of which can move; see `reanimate`."""
        image = picture.read(np.zeros(1, dtype=np.intp))[0]
        points = in_padded(self._landmarks[picture.recording.take], image.shape[0])
        left, right = (points[eye].mean(axis=0) for eye in EYES)
        across = right - left
        # From distances of the eyes, level, to pixels of the picture.
        turn = np.array([across, [-across[1], across[0]]])
        steps = self._moves[recording.recording.take][frames] @ turn
        return np.stack([_opened(_warp(image, points, step), points, step) for step in steps])


def at_rest(face: Points) -> Points:
    """A recorded face as it is while its lips are closed, shape (POINTS, 2)."""
    upper, lower = (face[:, lip, 1].mean(axis=1) for lip in INNER_LIPS)
    apart = lower - upper
    closed = apart <= np.quantile(apart, CLOSED_SHARE)
    return np.asarray(face[closed].mean(axis=0), dtype=np.float32)


def _usable(landmarks: Points) -> npt.NDArray[np.bool_]:
    """Which pictures show a face from the front, shape (pictures,)."""
    left, right = (landmarks[:, eye].mean(axis=1) for eye in EYES)
    across = right - left
    distance = np.linalg.norm(across, axis=1)
    nose = landmarks[:, NOSE].mean(axis=1) - (left + right) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs((nose * across).sum(axis=1)) / distance**2
        roll = np.abs(np.degrees(np.arctan2(across[:, 1], across[:, 0])))
        return np.asarray(
            (distance > 2 * LEAST_EYES_APART)
            & (distance < 2 * MOST_EYES_APART)
            & (off < MOST_OFF_CENTRE)
            & (roll < MOST_ROLL_DEG)
        )


def _warp(
    picture: npt.NDArray[np.uint8], points: npt.NDArray[np.floating], step: Points
) -> npt.NDArray[np.uint8]:
    """A picture whose points were moved, and nothing at its border.

    The motion between points is the sum of cones around them that is right at each point (radial
    basis functions, Hardy 1971, 10.1029/JB076i008p01905).
    """
    side = picture.shape[0]
    edge = np.linspace(0, side - 1, 5)
    low, high = np.zeros(5), np.full(5, side - 1.0)
    border = np.concatenate(
        [np.stack(pair, axis=1) for pair in ((edge, low), (edge, high), (low, edge), (high, edge))]
    )
    knots = np.concatenate([points + step, np.unique(border, axis=0)])
    known = np.zeros_like(knots)
    known[:POINTS] = step
    # A little smoothing: lips that touch are two points at one place.
    weights = np.linalg.solve(_apart(knots, knots) - SMOOTHING * np.eye(len(knots)), known)
    axis = np.arange(0, side + GRID, GRID, dtype=np.float64)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    coarse = _apart(grid, knots) @ weights
    field = coarse.reshape(len(axis), len(axis), 2).astype(np.float32)
    where = np.arange(side, dtype=np.float32)
    lookup_x, lookup_y = np.meshgrid(where / GRID, where / GRID)
    fine = cv2.remap(field, lookup_x, lookup_y, cv2.INTER_LINEAR)
    xs, ys = np.meshgrid(where, where)
    warped = cv2.remap(
        picture,
        xs - fine[..., 0],
        ys - fine[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, dtype=np.uint8)


def _apart(
    one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]
) -> npt.NDArray[np.floating]:
    """Distances of points, shape (points of one, points of the other)."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _opened(
    warped: npt.NDArray[np.uint8], points: npt.NDArray[np.floating], step: Points
) -> npt.NDArray[np.uint8]:
    """With the inside of a mouth, as dark as far as it has opened, where there were lips."""
    now = points[MOUTH] + step[MOUTH]
    before, area = (cv2.contourArea(outline.astype(np.float32)) for outline in (points[MOUTH], now))
    if area <= before:
        return warped
    outline = np.round(now * 16).astype(np.int32)
    filled = cv2.fillPoly(np.zeros(warped.shape[:2], np.uint8), [outline], 255, cv2.LINE_AA, 4)
    inside = cv2.GaussianBlur(filled, (3, 3), 0) / 255.0
    shade = 1.0 - (1.0 - MOUTH_BRIGHTNESS) * (1.0 - before / area) * inside
    return np.asarray(warped * shade[..., None], dtype=np.uint8)
