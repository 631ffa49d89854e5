"""How steady, how quick and how often unsure the shown mood is, for several smoothing settings.

    python benchmarks/smoothing.py faces.npz [--model DIR] [--faces N] [--output FILE]

Faces are pictures that the default checkpoint did not learn from (the tenth that chose its
temperature, or its epoch).
Each is looked at for four seconds by a camera before which it sways, with a box that trembles and a
sensor that is noisy: there the label should stay. Then a face of another label stands in its place:
there it should change; only pairs are counted whose single clips are mostly right of both faces, so
that the delay is not that of mistakes. Every clip is classified once and smoothed by each setting.
"""

from __future__ import annotations

import argparse
import itertools
import math
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from realtime_mood.model.checkpoint import (  # noqa: E402
    load_model,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.smoothing import SmoothingConfig  # noqa: E402
from trainer.corpora.images import index_images  # noqa: E402
from trainer.corpora.splits import split_pictures  # noqa: E402
from trainer.deployed import summarise  # noqa: E402
from trainer.stills import StillCrops  # noqa: E402
from trainer.streams import Stream, Timeline, play, smoothed_timeline  # noqa: E402

STRIDE_S = 0.2
WATCHED_S = 4.0
RATE_HZ = 15.0
SWAY = 0.03
TREMBLE = 0.01
"""Of the face in its crop, in sides of it: slowly, and from frame to frame."""
ROLL_DEG = 3.0
NOISE = 4.0
"""Standard deviation of the sensor's noise, of 255."""
TIME_CONSTANTS_S = (0.2, 0.3, 0.5, 0.8)
ENTER_THRESHOLDS = (0.35, 0.4, 0.45, 0.5)
EXIT_BELOW = 0.1
DWELLS_S = (0.4, 0.8)


@dataclass(frozen=True)
class SwayingCrops(StillCrops):
    """A picture that is watched for a while."""

    seed: int

    def read(self, indices: np.ndarray) -> np.ndarray:
        """See `FaceCrops.read`."""
        still = super().read(np.zeros(1, dtype=np.intp))[0]
        side = still.shape[0]
        path = np.random.default_rng(self.seed)
        phases, periods = path.uniform(0, 2 * math.pi, 3), path.uniform(2.0, 4.0, 3)
        seen = []
        for index in indices:
            rng = np.random.default_rng([self.seed, int(index)])
            sway = np.sin(phases + 2 * math.pi * self.times_s[index] / periods)
            middle = (side - 1) / 2
            matrix = cv2.getRotationMatrix2D((middle, middle), ROLL_DEG * sway[2], 1.0)
            matrix[:, 2] += side * (SWAY * sway[:2] + rng.normal(0.0, TREMBLE, 2))
            moved = cv2.warpAffine(still, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
            noisy = moved + rng.normal(0.0, NOISE, moved.shape)
            seen.append(noisy.clip(0, 255).astype(np.uint8))
        return np.stack(seen)


def settings() -> list[SmoothingConfig]:
    """What is compared, today's defaults first."""
    tried = [
        SmoothingConfig(
            time_constant_s=time_constant_s,
            enter_threshold=enter,
            exit_threshold=round(enter - EXIT_BELOW, 2),
            dwell_s=dwell_s,
        )
        for time_constant_s, enter, dwell_s in itertools.product(
            TIME_CONSTANTS_S, ENTER_THRESHOLDS, DWELLS_S
        )
    ]
    return [SmoothingConfig(), *(one for one in tried if one != SmoothingConfig())]


def is_mostly_right(timeline: Timeline) -> bool:
    """Whether most single clips of a face give its label."""
    label = timeline.stream.parts[0].recording.label
    return bool((timeline.probabilities.argmax(axis=1) == label).mean() > 0.5)


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=str(ROOT / "assets" / "checkpoint"))
    parser.add_argument("--faces", type=int, default=100)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    folder = locate_checkpoint(asked.model)
    contract, model = read_contract(folder), load_model(folder)
    validation = split_pictures(index_images(asked.data).recordings).validation
    rng = np.random.default_rng(0)
    chosen = [validation[n] for n in rng.permutation(len(validation))]
    times_s = np.arange(0.0, WATCHED_S, 1 / RATE_HZ)
    faces = [
        SwayingCrops(recording, recording.path, times_s, contract.spec, number)
        for number, recording in enumerate(chosen[: asked.faces])
    ]
    others = [
        next(o for o in faces[n:] + faces[:n] if o.recording.label != face.recording.label)
        for n, face in enumerate(faces)
    ]
    singles = [Stream((face,)) for face in faces]
    pairs = [Stream((other, face)) for other, face in zip(others, faces, strict=True)]
    timelines = play(
        model,
        [*singles, *pairs],
        contract.spec,
        temperature=contract.temperature,
        stride_s=STRIDE_S,
        smoothing=SmoothingConfig(),
        batch_size=32,
        num_workers=2,
    )
    right = [is_mostly_right(timeline) for timeline in timelines[: len(singles)]]
    number_of = {id(face): number for number, face in enumerate(faces)}
    counted = [
        timeline
        for timeline, pair in zip(timelines[len(singles) :], pairs, strict=True)
        if all(right[number_of[id(face)]] for face in pair.parts)
    ]
    timelines = [*timelines[: len(singles)], *counted]
    rows = []
    for smoothing in settings():
        again = [
            smoothed_timeline(seen.stream, seen.ends_s, seen.probabilities, smoothing)
            for seen in timelines
        ]
        found = summarise(
            again[: len(singles)],
            again[len(singles) :],
            stride_s=STRIDE_S,
            smoothing=smoothing,
            seed=0,
        )
        rows.append(
            asdict(smoothing)
            | {
                "switches_per_minute": round(found.switches_per_minute, 2),
                "unsmoothed_switches_per_minute": round(found.unsmoothed_switches_per_minute, 2),
                "time_right": round(found.time_right, 4),
                "time_wrong": round(found.time_wrong, 4),
                "time_unsure": round(found.time_unsure, 4),
                "delay_median_s": found.step.median_s,
                "delay_reached": round(found.step.reached, 4),
            }
        )
    result = {
        "machine": {"cpu": cpu_name(), "python": platform.python_version()},
        "faces": len(faces),
        "changes": len(counted),
        "stride_s": STRIDE_S,
        "clip_span_s": contract.spec.span_s,
        "temperature": contract.temperature,
        "settings": rows,
    }
    write_result(result, asked.output)


if __name__ == "__main__":
    main()
