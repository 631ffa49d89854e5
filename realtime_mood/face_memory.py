"""What a session knows of one face: where it is, what the model said of it, and what is shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy.typing as npt

from realtime_mood.faces.tracker import FaceTrack
from realtime_mood.inference.classifier import Probabilities
from realtime_mood.model.labels import UNSURE
from realtime_mood.neutral import NeutralFace
from realtime_mood.smoothing import UNKNOWN, MoodSmoother, MoodState, SmoothingConfig
from realtime_mood.view import HISTORY_S, FaceView

NEUTRAL_S = 1.0
"""The neutral expression of a face is learned from the answers of this time."""


class FaceMemory:
    """One face, from its first frame to its last.

    Args:
        track: where it is.
        smoothing: how steady its mood is.
    """

    def __init__(self, track: FaceTrack, smoothing: SmoothingConfig) -> None:
        self.track = track
        self.mood: MoodState | None = None
        self._smoothing = smoothing
        self._smoother = MoodSmoother(smoothing)
        self._asked: dict[int, FaceTrack] = {}
        self._history: deque[tuple[float, str]] = deque()
        self._neutral: NeutralFace | None = None
        self._answers: deque[tuple[float, Probabilities]] = deque()
        self._known_since_s = 0.0
        self._was_neutral_learned = False

    def ask(self, frame_index: int) -> None:
        """A clip that ends with this frame is on its way to the model."""
        self._asked[frame_index] = self.track

    def take_asked(self, frame_index: int) -> FaceTrack | None:
        """Where it was when that clip ended; None where its answer is of no use any more.

        Clips that were to end before it are not waited for any longer.
        """
        track = self._asked.get(frame_index)
        self._asked = {index: t for index, t in self._asked.items() if index > frame_index}
        return track

    def answer(self, row: Probabilities, end_s: float, *, is_hidden: bool) -> MoodState:
        """Take the model's answer; of a hidden face nothing is known, whatever the model saw.

        Args:
            row: calibrated probabilities, shape (8,).
            end_s: time of the clip's last frame.
            is_hidden: it could not be seen on that frame.
        """
        if is_hidden:
            self._answers.clear()
            return self._show([(end_s, UNKNOWN)])
        if not self._answers:
            self._known_since_s = end_s
        self._answers.append((end_s, row))
        while self._answers[0][0] <= end_s - NEUTRAL_S:
            self._answers.popleft()
        return self._show([(end_s, self._measured(row))])

    @property
    def has_neutral(self) -> bool:
        """Whether its neutral expression is known."""
        return self._neutral is not None

    @property
    def is_known(self) -> bool:
        """Whether there are answers of what it shows now."""
        return bool(self._answers) and not self.track.is_hidden

    def is_neutral_due(self, now_s: float) -> bool:
        """Whether its first `NEUTRAL_S` are over and nothing was ever learned of it."""
        is_new = bool(self._answers) and not self._was_neutral_learned
        return is_new and now_s - self._known_since_s >= NEUTRAL_S

    def learn_neutral(self) -> tuple[float, NeutralFace]:
        """Take its newest answers for its neutral expression, for which some have to be there.

        Returns:
            Time of the newest of them, and what was learned.
        """
        neutral = NeutralFace.learn([row for _, row in self._answers])
        self._was_neutral_learned = True
        self._measure_by(neutral)
        return self._answers[-1][0], neutral

    def forget_neutral(self) -> float:
        """Take its answers as they are again; answers the time of the newest of them."""
        self._measure_by(None)
        return self._history[-1][0]

    def forget(self, since_s: float) -> None:
        """Nobody has seen it since then."""
        self.mood = None
        self._smoother = MoodSmoother(self._smoothing)
        self._asked.clear()
        self._answers.clear()
        self._remember(since_s, UNSURE)

    def view(self, now_s: float) -> FaceView:
        """What is drawn of it."""
        age_s = max(0.0, now_s - self._history[-1][0]) if self.mood else None
        return FaceView(
            track_id=self.track.track_id,
            box=self.track.box,
            mood=self.mood,
            label_age_s=age_s,
            history=tuple(self._history),
            has_neutral=self.has_neutral,
        )

    def _measure_by(self, neutral: NeutralFace | None) -> None:
        self._neutral = neutral
        # What was smoothed so far is by another measure.
        self._smoother = MoodSmoother(self._smoothing)
        if self._answers:
            self._show((end_s, self._measured(row)) for end_s, row in self._answers)

    def _measured(self, row: Probabilities) -> Probabilities:
        return row if self._neutral is None else self._neutral.apply(row)

    def _show(self, answers: Iterable[tuple[float, npt.ArrayLike]]) -> MoodState:
        for end_s, row in answers:
            mood = self._smoother.update(row, end_s)
        self.mood = mood
        self._remember(end_s, mood.label)
        return mood

    def _remember(self, start_s: float, label: str) -> None:
        if self._history and self._history[-1][0] == start_s:
            self._history.pop()
        self._history.append((start_s, label))
        # The entry before the oldest one shown still holds at the strip's left end.
        while len(self._history) > 1 and self._history[1][0] < start_s - HISTORY_S:
            self._history.popleft()
