"""How good a model is as people meet it: sliding clips, smoothed, label by label over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from realtime_mood.model.checkpoint import Contract
from realtime_mood.model.labels import LABELS, UNSURE
from realtime_mood.smoothing import SmoothingConfig
from trainer import metrics
from trainer.corpora.recording import known_actors
from trainer.crops import FaceCrops
from trainer.evaluate import COVERAGES, Measures, measure
from trainer.predictions import Predictions
from trainer.progress import Progress, tell_nobody
from trainer.streams import Stream, Timeline, play

CHAIN_LENGTH = 16
"""Recordings of one actor that are put together to see changes of the label."""


@dataclass(frozen=True, kw_only=True)
class Delay:
    """How long it takes until the right label is shown."""

    events: int
    """How often there was something to wait for."""
    reached: float
    """Share of them in which the right label came before the recording's end."""
    median_s: float | None
    """Of all events, those not reached counting as longest; None where it was not reached."""
    p95_s: float | None
    """As the median: the time within which 95 of 100 are reached; None where they are not."""

    def __str__(self) -> str:
        if not self.events:
            return "nothing to wait for"
        median = "" if self.median_s is None else f"median {self.median_s:.2f} s"
        p95 = "" if self.p95_s is None else f", 95 % within {self.p95_s:.2f} s"
        reached = f"reached in {100 * self.reached:.0f} % of {self.events}"
        return f"{median}{p95}; {reached}" if median else reached


@dataclass(frozen=True, kw_only=True)
class DeployedMeasures:
    """Figures of the shown label over recordings, as the runtime shows it."""

    stride_s: float
    """Seconds between two clips."""
    smoothing: dict[str, float]
    """Of `SmoothingConfig`."""
    recordings: int
    """How many were watched."""
    too_short: int
    """How many of them ended before their first clip; they count as unsure throughout."""
    minutes: float
    """How long all of them are."""
    clips: int
    """Sliding clips classified."""
    time_right: float
    """Share of the time in which the right label was shown."""
    time_wrong: float
    """Share in which a wrong one was."""
    time_unsure: float
    """Share without a label, the wait for the first clip included."""
    time_waiting: float
    """Share of the wait for the first clip."""
    right_when_shown: float | None
    """Of the time in which a label was shown, the share in which it was right."""
    switches_per_minute: float
    """How often another label than the one before was shown, from the first clip on."""
    unsmoothed_switches_per_minute: float
    """How often the likeliest label of single clips changes."""
    from_start: Delay
    """From the first frame of a recording to the right label."""
    step: Delay
    """From a true change to the right label: recordings of different labels put together."""
    calibration_error: float
    """ECE of the smoothed probability of the likeliest label."""
    accuracy_at_coverage: dict[str, float]
    """Share of the smoothed answers that is right when only the surest ones are kept."""
    shown: list[list[float]]
    """Seconds: rows true label, columns shown label in the order of the table, then 'unsure'."""
    answers: Measures
    """Of whole recordings: the answer is the likeliest label on average over time."""

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return asdict(self) | {"answers": self.answers.to_dict()}


@dataclass(frozen=True, eq=False, kw_only=True)
class Deployment:
    """A model's figures as deployed, and what they were made of."""

    measures: DeployedMeasures
    """The figures."""
    timelines: list[Timeline]
    """Of single recordings."""


def measure_deployed(
    model: nn.Module,
    recordings: Sequence[FaceCrops],
    contract: Contract,
    *,
    stride_s: float,
    smoothing: SmoothingConfig | None = None,
    batch_size: int,
    num_workers: int,
    progress: Progress = tell_nobody,
    seed: int = 0,
) -> Deployment | None:
    """Watch recordings as the runtime does; None where none is long enough for a clip.

    Args:
        model: answers logits.
        recordings: their crops are exactly the contract's.
        contract: the checkpoint's.
        stride_s: seconds between two clips.
        smoothing: None: the runtime's defaults.
        batch_size: clips at a time.
        num_workers: processes that prepare them.
        progress: told the clips.
        seed: of the bootstrap.
    """
    smooth = smoothing or SmoothingConfig()
    singles = [Stream((crops,)) for crops in recordings]
    streams = [*singles, *chains(recordings)]
    timelines = play(
        model,
        streams,
        contract.spec,
        temperature=contract.temperature,
        stride_s=stride_s,
        smoothing=smooth,
        batch_size=batch_size,
        num_workers=num_workers,
        progress=progress,
    )
    alone, together = timelines[: len(singles)], timelines[len(singles) :]
    if not any(len(timeline.ends_s) for timeline in alone):
        return None
    return Deployment(
        measures=summarise(alone, together, stride_s=stride_s, smoothing=smooth, seed=seed),
        timelines=alone,
    )


def chains(recordings: Sequence[FaceCrops]) -> list[Stream]:
    """For each actor with several labels, recordings put together so that each changes the label.

    Labels take turns in the order of the table, up to `CHAIN_LENGTH` recordings.
    """
    found = []
    for actor in known_actors(crops.recording for crops in recordings):
        own = [crops for crops in recordings if crops.recording.actor == actor]
        chain: list[FaceCrops] = []
        while own and len(chain) < CHAIN_LENGTH:
            last = chain[-1].recording.label if chain else -1
            others = [crops for crops in own if crops.recording.label != last]
            if not others:
                break
            chosen = min(others, key=lambda c: (c.recording.label - last - 1) % len(LABELS))
            chain.append(chosen)
            own.remove(chosen)
        if len(chain) > 1:
            found.append(Stream(tuple(chain)))
    return found


def summarise(
    alone: Sequence[Timeline],
    together: Sequence[Timeline],
    *,
    stride_s: float,
    smoothing: SmoothingConfig,
    seed: int,
) -> DeployedMeasures:
    """Compute all figures.

    Args:
        alone: timelines of single recordings.
        together: timelines of recordings put together.
        stride_s: seconds between two clips.
        smoothing: how steady moods were.
        seed: of the bootstrap.

    Raises:
        ValueError: no recording is long enough for a clip.
    """
    answered = [timeline for timeline in alone if len(timeline.ends_s)]
    if not answered:
        raise ValueError("no recording is long enough for a clip")
    shown = np.sum([shown_seconds(timeline) for timeline in alone], axis=0)
    total_s = float(shown.sum())
    right_s = float(np.trace(shown))
    unsure_s = float(shown[:, -1].sum())
    watched_s = sum(float(t.stream.times_s[-1] - t.ends_s[0]) for t in answered)
    labels = np.concatenate([np.full(len(t.ends_s), _label(t)) for t in answered])
    smoothed = np.concatenate([t.smoothed for t in answered])
    is_right = smoothed.argmax(axis=1) == labels
    kept = metrics.risk_coverage(smoothed.max(axis=1), is_right)
    steps = [delay for timeline in together for delay in right_label_delays(timeline)[1:]]
    return DeployedMeasures(
        stride_s=stride_s,
        smoothing=asdict(smoothing),
        recordings=len(alone),
        too_short=len(alone) - len(answered),
        minutes=total_s / 60,
        clips=len(labels),
        time_right=right_s / total_s,
        time_wrong=(total_s - right_s - unsure_s) / total_s,
        time_unsure=unsure_s / total_s,
        time_waiting=(total_s - watched_s) / total_s,
        right_when_shown=right_s / (total_s - unsure_s) if total_s > unsure_s else None,
        switches_per_minute=60 * sum(count_switches(t.shown) for t in answered) / watched_s,
        unsmoothed_switches_per_minute=60
        * sum(count_switches([LABELS[n] for n in t.probabilities.argmax(axis=1)]) for t in answered)
        / watched_s,
        from_start=_delay([right_label_delays(timeline)[0] for timeline in alone]),
        step=_delay(steps),
        calibration_error=metrics.reliability(smoothed.max(axis=1), is_right).error,
        accuracy_at_coverage={f"{share:g}": kept.accuracy_at(share) for share in COVERAGES},
        shown=shown.tolist(),
        answers=measure(_answers(answered), seed=seed),
    )


def count_switches(shown: Sequence[str]) -> int:
    """How often a label follows another one; 'unsure' between two is no label."""
    labels = [label for label in shown if label != UNSURE]
    return sum(one != other for one, other in pairwise(labels))


def shown_seconds(timeline: Timeline) -> npt.NDArray[np.float64]:
    """Seconds each label was shown in a single recording.

    Returns:
        Shape (labels, labels + 1): the true label's row is filled; the last column is 'unsure'.
    """
    seconds = np.zeros((len(LABELS), len(LABELS) + 1))
    end_s = float(timeline.stream.times_s[-1])
    edges = [0.0, *timeline.ends_s, end_s]
    row = seconds[_label(timeline)]
    for label, start_s, stop_s in zip(
        (UNSURE, *timeline.shown), edges[:-1], edges[1:], strict=True
    ):
        row[len(LABELS) if label == UNSURE else LABELS.index(label)] += stop_s - start_s
    return seconds


def right_label_delays(timeline: Timeline) -> list[float]:
    """For each part of a stream, seconds from its start until its label is shown; else infinity.

    A label that stood there already, before the change, answers nothing: it must be shown anew.
    """
    starts = timeline.stream.starts_s
    delays = []
    for number, part in enumerate(timeline.stream.parts):
        wanted = LABELS[part.recording.label]
        begins, ends = starts[number], starts[number + 1]
        is_last = number + 1 == len(timeline.stream.parts)
        before = (UNSURE, *timeline.shown)
        times = [
            float(end_s - begins)
            for end_s, label, last in zip(timeline.ends_s, timeline.shown, before, strict=False)
            if label == wanted != last and begins <= end_s and (end_s < ends or is_last)
        ]
        delays.append(times[0] if times else float("inf"))
    return delays


def _delay(delays: Sequence[float]) -> Delay:
    if not delays:
        return Delay(events=0, reached=0.0, median_s=None, p95_s=None)
    values = np.sort(delays)
    # The lower of two neighbours is never infinite while the wanted share is reached.
    median, p95 = (values[int(np.ceil(share * len(values))) - 1] for share in (0.5, 0.95))
    return Delay(
        events=len(values),
        reached=float(np.isfinite(values).mean()),
        median_s=float(median) if np.isfinite(median) else None,
        p95_s=float(p95) if np.isfinite(p95) else None,
    )


def _label(timeline: Timeline) -> int:
    return timeline.stream.parts[0].recording.label


def _answers(timelines: Sequence[Timeline]) -> Predictions:
    means = np.stack([timeline.smoothed.mean(axis=0) for timeline in timelines])
    recordings = [timeline.stream.parts[0] for timeline in timelines]
    return Predictions.of(np.log(np.maximum(means, 1e-300))[:, None], recordings, temperature=1.0)
