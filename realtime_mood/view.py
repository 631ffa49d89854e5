"""What is drawn over a frame: plain values, gathered by a session, drawn by `overlay`."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_mood.faces.box import Box
from realtime_mood.model.labels import UNSURE
from realtime_mood.smoothing import MoodState

HISTORY_S = 30.0
"""Seconds of past mood that are kept for the strip."""
STALE_S = 2.0
"""An answer this old says little of what is to be seen now."""


@dataclass(frozen=True)
class FaceView:
    """One face as it is drawn."""

    track_id: int
    """The face's number."""
    box: Box
    """Where it is, in pixels of the source picture."""
    mood: MoodState | None
    """None while there is no clip of it yet."""
    label_age_s: float | None = None
    """How old the newest answer is; None while there is none."""
    history: tuple[tuple[float, str], ...] = ()
    """(media time in seconds, label or 'unsure') of each clip of the past `HISTORY_S`, oldest
    first."""
    has_neutral: bool = False
    """Whether its neutral expression was learned."""

    @property
    def label(self) -> str:
        """What is shown of it: one of the eight labels, or 'unsure', also without a mood."""
        return UNSURE if self.mood is None else self.mood.label

    @property
    def is_stale(self) -> bool:
        """Whether its newest answer is too old to be shown as what is seen now."""
        return self.label_age_s is not None and self.label_age_s >= STALE_S


@dataclass(frozen=True, kw_only=True)
class HudView:
    """The numbers in the corner; None where there is nothing to tell."""

    capture_hz: float | None = None
    """Frames a second from the source."""
    display_hz: float | None = None
    """Frames a second shown."""
    inference_hz: float | None = None
    """Clips a second classified."""
    age_s: float | None = None
    """From the capture of the newest classified frame to its label."""
    dropped_frames: int = 0
    """Frames captured but never shown."""
    skipped_clips: int = 0
    """Clips replaced by a newer one before the model took them."""
    engine: str | None = None
    """What runs the model, such as 'cpu float32'; None while it is loading."""


@dataclass(frozen=True, kw_only=True)
class View:
    """Everything drawn over one frame."""

    media_time_s: float
    """The frame's time; the right end of the history strip."""
    faces: tuple[FaceView, ...] = ()
    """Faces on the frame; the first one in the picture is shown in more detail."""
    is_searched: bool = True
    """False while nobody has looked for faces yet, so that 'no face' would be a guess."""
    hud: HudView | None = None
    """None hides it."""
    recording_s: float | None = None
    """Seconds recorded so far; None when not recording. Not part of a recording's own picture."""
    message: str | None = None
    """One short line for the person: 'loading the model', 'paused', 'saved screenshot.png'."""
