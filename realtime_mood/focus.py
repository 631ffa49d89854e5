"""Which of several faces the bars and the strip are about."""

from __future__ import annotations

from collections.abc import Sequence

from realtime_mood.view import FaceView

ALIKE_AREA = 0.6
"""Share of the largest face's area from which on a face counts as large too."""


class Focus:
    """The face that is shown in more detail, the same one for as long as it is followed.

    Then it goes to another whose mood is known, since bars without values tell nothing; a face
    whose mood is not known yet has it only while nobody's is.
    """

    def __init__(self) -> None:
        self._track_id: int | None = None

    def first(self, faces: Sequence[FaceView]) -> tuple[FaceView, ...]:
        """All faces of a moment, the one in focus first."""
        candidates = [face for face in faces if face.mood is not None] or faces
        if all(face.track_id != self._track_id for face in candidates):
            self._track_id = _largest(candidates)
        return tuple(sorted(faces, key=lambda face: face.track_id != self._track_id))


def _largest(faces: Sequence[FaceView]) -> int | None:
    """Of those about as large as the largest, the one that is followed longest."""
    least = ALIKE_AREA * max((face.box.area for face in faces), default=0.0)
    return min((face.track_id for face in faces if face.box.area > least), default=None)
