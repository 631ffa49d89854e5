"""Which of several faces the bars and the strip are about."""

from __future__ import annotations

from collections.abc import Sequence

from realtime_mood.view import FaceView

ALIKE_AREA = 0.6
"""Share of the largest face's area from which on a face counts as large too."""


class Focus:
    """The face that is shown in more detail: the same one while it is about as large as any.

    Somebody much nearer takes over, but not before his mood is known, since bars without values
    tell nothing; a face whose mood is not known yet has it only while nobody's is.
    """

    def __init__(self) -> None:
        self._track_id: int | None = None

    def first(self, faces: Sequence[FaceView]) -> tuple[FaceView, ...]:
        """All faces of a moment, the one in focus first."""
        candidates = [face for face in faces if face.mood is not None] or faces
        least = ALIKE_AREA * max((face.box.area for face in candidates), default=0.0)
        large = [face.track_id for face in candidates if face.box.area > least]
        if self._track_id not in large:
            # Of several, the one that is followed longest.
            self._track_id = min(large, default=None)
        return tuple(sorted(faces, key=lambda face: face.track_id != self._track_id))
