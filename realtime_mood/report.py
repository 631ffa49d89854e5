"""What a run did, for the summary a person reads at its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from realtime_mood.errors import SourceError
from realtime_mood.events import NO_FACE, Event
from realtime_mood.inference.clip_sampler import FIRST_CLIP_S

LEAST_WALL_S = 0.1
"""Shorter runs have no speed worth telling."""


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """Figures of one run."""

    summary: Event
    """The summary event."""
    wall_s: float | None
    """Seconds from the first frame to the last; None live, where they tell nothing of speed."""
    latency_name: str
    """What the latencies measure: 'inference' offline, 'capture to label' live."""
    latency_p50_s: float | None
    """Median; None when nothing was classified."""
    latency_p95_s: float | None
    """What 95 of 100 did not exceed."""
    recordings: tuple[Path, ...] = ()
    """Files that were recorded."""
    dropped_events: int = 0
    """Events that came too fast to be written."""
    has_model: bool = True
    """Whether the model was loaded before it ended."""
    has_started: bool = True
    """Whether an event was sent: an events file is not touched before the first one."""
    failure: SourceError | None = None
    """What the source broke of; the rest is of what was done before."""

    @property
    def interrupted(self) -> bool:
        """True when it was stopped before the source ended."""
        return bool(self.summary["ended"] == "stopped")

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        frames = self.summary["frames"]
        media_s = self.summary["media_time_s"]
        speed = ""
        if self.wall_s is not None:
            speed = f" in {self.wall_s:.1f} s"
            if self.wall_s >= LEAST_WALL_S:
                rate, factor = frames / self.wall_s, media_s / self.wall_s
                speed += f" ({rate:.0f} frames/s, {factor:.1f} x real time)"
        lines = [
            f"{_count(frames, 'frame')}, {media_s:.1f} s of video{speed}",
            f"{_count(self.summary['predictions'], 'prediction')}, "
            f"{_count(self.summary['dropped_frames'], 'frame')} dropped, "
            f"{_count(self.summary['skipped_clips'], 'clip')} skipped",
        ]
        if self.latency_p50_s is not None and self.latency_p95_s is not None:
            lines.append(
                f"{self.latency_name}: {1000 * self.latency_p50_s:.0f} ms median, "
                f"{1000 * self.latency_p95_s:.0f} ms p95"
            )
        for number, what, done in (
            (self.summary["dropped_recording_frames"], "frame", "recorded"),
            (self.dropped_events, "event", "written"),
        ):
            if number:
                lines.append(f"{_count(number, what)} came too fast to be {done}")
        if shares := self._shares():
            lines.append("shown: " + ", ".join(f"{mood} {_percent(part)}" for mood, part in shares))
        if frames and not (self.summary["predictions"] or self.summary["skipped_clips"]):
            lines.append(f"no expression was named: {self._why_none()}")
        lines += [f"recording: {path}" for path in self.recordings]
        return lines

    def _why_none(self) -> str:
        if not self.has_model:
            return "it ended before the model was loaded"
        if [mood for mood, _ in self._shares()] == [NO_FACE]:
            return "no face was found"
        return f"that takes a face in sight for {FIRST_CLIP_S} s"

    def _shares(self) -> list[tuple[str, float]]:
        seconds: dict[str, float] = self.summary["mood_seconds"]
        total_s = sum(seconds.values())
        if total_s <= 0.0:
            return []
        shares = [(name, value / total_s) for name, value in seconds.items() if value > 0.0]
        return sorted(shares, key=lambda pair: -pair[1])


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _percent(share: float) -> str:
    """In whole percent; a share that is there is never 0."""
    return "<1%" if share <= 0.005 else f"{share:.0%}"
