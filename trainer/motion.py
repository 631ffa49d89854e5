"""A second task that teaches a small model to see how a face moves.

Few hundred people and takes are told apart by looks long before they are by motion, and looks say
nothing of the expression of somebody else. What says much is how landmarks move against the head
(see the model card for figures), so that is what the model is asked for, of each of two frames. The
head's own motion is greater and says less; it is taken out by the eyes.

Here is what is asked for; `frame_learner` asks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trainer.crops import FaceCrops
from trainer.landmark_finder import MIRRORED, POINTS, Points

EYES = (slice(36, 42), slice(42, 48))
DIRECTIONS = 24
"""Of motion, the commonest first; more than 99.9 % of it on 1200 reanimated recordings."""
LEAST_SCALE = 0.1
"""Of the scale of the first direction; directions with less are not enlarged further."""


def against_the_head(points: Points) -> Points:
    """Landmarks of a recording as if the head did not move.

    Args:
        points: shape (frames, POINTS, 2), pixels.

    Returns:
        The same shape: the origin is between the eyes, which are level, and their mean distance in
        the recording is 1; a mean over three frames.
    """
    left, right = (points[:, eye].mean(axis=1) for eye in EYES)
    across = right - left
    unit = across / np.linalg.norm(across, axis=1, keepdims=True)
    turn = np.stack([unit, np.stack([-unit[:, 1], unit[:, 0]], axis=1)], axis=1)
    centred = points - ((left + right) / 2)[:, None]
    level = np.einsum("fij,fpj->fpi", turn, centred) / np.median(np.linalg.norm(across, axis=1))
    longer = np.concatenate([level[:1], level, level[-1:]])
    return np.asarray((longer[:-2] + longer[1:-1] + longer[2:]) / 3, dtype=np.float32)


class MotionTargets:
    """What a model is asked of the motion of training clips.

    Args:
        recordings: learned from; those with landmarks say what motion is like. Of pictures it is
            known that nothing moves but the camera; of others without landmarks, nothing.
    """

    def __init__(self, recordings: Sequence[FaceCrops]) -> None:
        self._still = [crops.is_still for crops in recordings]
        self._faces = recorded_faces(recordings)
        self.basis, self.scale = _directions([face for face in self._faces if face is not None])

    def of(self, index: int, frames: npt.NDArray[np.intp], *, is_mirrored: bool) -> Points:
        """Of a clip's frames against their mean.

        Args:
            index: of the recording.
            frames: of the clip, shape (num_frames,).
            is_mirrored: whether the clip's crops were mirrored.

        Returns:
            Shape (num_frames, DIRECTIONS), in units of their usual size; NaN: not known.
        """
        face = self._faces[index]
        if face is None:
            unknown = 0.0 if self._still[index] else np.nan
            return np.full((len(frames), len(self.scale)), unknown, dtype=np.float32)
        seen = face[frames]
        if is_mirrored:
            seen = _mirrored(seen)
        return self._along(seen - seen.mean(axis=0))

    def _along(self, moved: Points) -> Points:
        """Displacements of landmarks, along the directions."""
        flat = moved.reshape(len(moved), -1)
        return np.asarray(flat @ self.basis / self.scale, dtype=np.float32)


def recorded_faces(recordings: Sequence[FaceCrops]) -> list[Points | None]:
    """What `against_the_head` makes of each recording's landmarks; None: they are not known."""
    files = [crops.landmarks_file for crops in recordings]
    return [None if file is None else against_the_head(np.load(file)) for file in files]


def _mirrored(faces: Points) -> Points:
    return np.asarray(faces[:, list(MIRRORED)] * np.array([-1.0, 1.0]), dtype=np.float32)


def _directions(
    faces: Sequence[Points],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Principal directions of motion, shape (2 * POINTS, DIRECTIONS), and its size along them."""
    spread = np.zeros((2 * POINTS, 2 * POINTS))
    count = 0
    for face in faces:
        for seen in (face, _mirrored(face)):
            moved = (seen - seen.mean(axis=0)).reshape(len(seen), -1).astype(np.float64)
            spread += moved.T @ moved
            count += len(moved)
    if not count:
        return np.zeros((2 * POINTS, DIRECTIONS), np.float32), np.ones(DIRECTIONS, np.float32)
    variance, directions = np.linalg.eigh(spread / count)
    scale = np.sqrt(variance[::-1][:DIRECTIONS].clip(min=0.0))
    basis = directions[:, ::-1][:, :DIRECTIONS].astype(np.float32)
    return basis, scale.clip(min=max(LEAST_SCALE * scale[0], 1e-6)).astype(np.float32)
