"""What a run did, for the summary a person reads at its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from realtime_mood.events import Event

LEAST_WALL_S = 0.1
"""Shorter runs have no speed worth telling."""


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """Figures of one run."""

    summary: Event
    """The summary event."""
    wall_s: float
    """Seconds from the first frame to the last; of a shown file, from the moment it is played."""
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

    @property
    def interrupted(self) -> bool:
        """True when it was stopped before the source ended."""
        return bool(self.summary["ended"] == "stopped")

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        frames = self.summary["frames"]
        media_s = self.summary["media_time_s"]
        speed = ""
        if self.wall_s >= LEAST_WALL_S:
            speed = (
                f" ({frames / self.wall_s:.0f} frames/s, {media_s / self.wall_s:.1f} x real time)"
            )
        lines = [
            f"{frames} frames, {media_s:.1f} s of video in {self.wall_s:.1f} s{speed}",
            f"{self.summary['predictions']} predictions, "
            f"{self.summary['dropped_frames']} frames dropped, "
            f"{self.summary['skipped_clips']} clips skipped",
        ]
        if self.latency_p50_s is not None and self.latency_p95_s is not None:
            lines.append(
                f"{self.latency_name}: {1000 * self.latency_p50_s:.0f} ms median, "
                f"{1000 * self.latency_p95_s:.0f} ms p95"
            )
        for number, what in (
            (self.summary["dropped_recording_frames"], "frames came too fast to be recorded"),
            (self.dropped_events, "events came too fast to be written"),
        ):
            if number:
                lines.append(f"{number} {what}")
        shares = self._shares()
        if shares:
            lines.append("mood: " + ", ".join(f"{name} {share:.0%}" for name, share in shares))
        if frames and not (self.summary["predictions"] or self.summary["skipped_clips"]):
            lines.append("no expression was named: no face was in sight for long enough")
        lines += [f"recording: {path}" for path in self.recordings]
        return lines

    def _shares(self) -> list[tuple[str, float]]:
        seconds: dict[str, float] = self.summary["mood_seconds"]
        total_s = sum(seconds.values())
        if total_s <= 0.0:
            return []
        shares = [(name, value / total_s) for name, value in seconds.items() if value > 0.0]
        return sorted(shares, key=lambda pair: -pair[1])
