"""What a network of motion is fitted on: clips as the layers before it see them, and how they move.

Of recordings the motion tells an expression; of pictures, whatever moves does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from realtime_mood.model.labels import LABELS

DIRECTIONS = 24
"""Along which motion is read."""
LEAST_SIZE = 0.04
"""Of motion along a direction, in sizes of a patch; those with less are enlarged no further."""
FAINT = 0.3
"""Of the motion of recordings, what a face at rest may have."""
UNLIKE = (1.5, 4.0)
"""Times the motion of recordings, some directions reversed, is what no recording shows."""

NEUTRAL = LABELS.index("neutral")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the layers that are there make of clips."""

    frames: Tensor
    """Mean of each frame's patches, shape (clips, frames, channels)."""
    first: Tensor
    """First token, shape (clips, channels)."""
    patches: Tensor
    """Second moments of patches, shape (channels, channels)."""
    labels: Tensor
    """Shape (clips,)."""
    known: Tensor
    """Shape (clips, labels), bool."""


@dataclass(frozen=True)
class Motion:
    """How motion is read from what is seen."""

    read: Tensor
    """From a patch, shape (DIRECTIONS, channels)."""
    ours: Tensor
    """Channels that may be read, shape (channels,), bool."""

    @classmethod
    def of(cls, seen: Seen, constant: Tensor) -> Motion:
        """Along the directions in which what is seen varies most within clips."""
        ours = constant == 0
        flat = _moved(seen.frames, ours).flatten(0, 1)
        variance, directions = torch.linalg.eigh(flat.T @ flat / len(flat))
        least = LEAST_SIZE**2 * seen.patches.trace() / len(constant)
        size = variance.flip(0)[:DIRECTIONS].clamp(min=float(least)).sqrt()
        return cls((directions.flip(1)[:, :DIRECTIONS] / size).T, ours)

    def along(self, frames: Tensor) -> Tensor:
        """Shape (clips, frames, DIRECTIONS), of shape (clips, frames, channels)."""
        return _moved(frames, self.ours) @ self.read.T


def _moved(frames: Tensor, ours: Tensor) -> Tensor:
    moved = (frames - frames.mean(dim=1, keepdim=True)) * ours
    # Norms subtract the mean of the channels, and put it where none was: it must not count.
    return moved - moved.sum(dim=2, keepdim=True) / ours.sum() * ours


class Idle:
    """Pictures, and motion that says nothing of an expression.

    Args:
        motion: how it is read.
        frames: of recordings, see `Seen`.
        moved: their motion, which says something.
        pictures: as clips that a camera makes.
        covered: likewise, some frames covered or dark.
        talking: likewise, whose faces talk; None: there are none.
        talk: their share.
    """

    def __init__(
        self,
        motion: Motion,
        frames: Tensor,
        moved: Tensor,
        pictures: Seen,
        covered: Seen,
        talking: Seen | None = None,
        talk: float = 0.0,
    ) -> None:
        shown = [pictures] if talking is None else [pictures, talking]
        self.first = torch.cat([seen.first for seen in shown])
        self.labels = torch.cat([seen.labels for seen in shown])
        self.known = torch.cat([seen.known for seen in shown])
        if talking is not None:
            # Who talks with an expression is not calm; who has none may be.
            self.known[len(pictures.known) :] |= talking.labels[:, None] != NEUTRAL
        self._motion = motion
        self._frames = frames
        self._recordings = moved
        self._camera = motion.along(pictures.frames)
        self._covered = motion.along(covered.frames)
        self._talk = talk
        self._talking = None if talking is None else motion.along(talking.frames)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Indices of pictures, shape (count,), and the motion each is seen with.

        Of the camera that made a clip of it, of one that was covered, of a cut from a face to
        another, a little of that of a recording, much that is like that of none, or of talk.
        """
        chosen = torch.randint(len(self._camera), (count,))
        one, other, faint, strange = torch.randint(len(self._frames), (4, count))
        length = self._frames.shape[1]
        before_cut = torch.arange(length) < torch.randint(1, length, (count, 1))
        cut = torch.where(before_cut[..., None], self._frames[one], self._frames[other])
        signs = 2.0 * torch.randint(2, (count, 1, DIRECTIONS)) - 1.0
        kinds = torch.stack(
            [
                self._camera[chosen],
                self._covered[torch.randint(len(self._covered), (count,))],
                self._motion.along(cut),
                self._recordings[faint] * torch.rand(count, 1, 1) * FAINT,
                self._recordings[strange] * torch.empty(count, 1, 1).uniform_(*UNLIKE) * signs,
            ]
        )
        said = kinds[torch.randint(len(kinds), (count,)), torch.arange(count)]
        if self._talking is not None:
            talks = torch.rand(count) < self._talk
            who = torch.randint(len(self._talking), (count,))
            said = torch.where(talks[:, None, None], self._talking[who], said)
            chosen = torch.where(talks, len(self._camera) + who, chosen)
        return chosen, said
