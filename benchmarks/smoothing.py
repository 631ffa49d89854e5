"""How steady, how quick and how often unsure the shown mood is, for several smoothing settings.

    python benchmarks/smoothing.py faces.npz RAVDESS YUNET_FILE CACHE [--model DIR] [--output FILE]

Faces are pictures that the default checkpoint did not learn from (the tenth that chose its
temperature, or its epoch).
Each is looked at for four seconds by a camera before which it sways, with a box that trembles and a
sensor that is noisy: there the label should stay. Then a face of another label stands in its place:
there it should change; only pairs are counted whose single clips are mostly right of both faces, so
that the delay is not that of mistakes. Those that show a face from the front besides talk quietly:
they sway likewise, warped as the landmarks of recorded faces move (see `trainer.reanimate`), of the
two people that chose the temperature. Every clip is classified once and smoothed by each setting.
"""

from __future__ import annotations

import argparse
import itertools
import math
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from benchmarks.steady_motion import VALIDATION_ACTORS  # noqa: E402
from benchmarks.talking_pictures import arguments, cut_faces  # noqa: E402
from realtime_mood.model.checkpoint import (  # noqa: E402
    load_model,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.model.clip_spec import ClipSpec  # noqa: E402
from realtime_mood.smoothing import SmoothingConfig  # noqa: E402
from trainer.augment import PAD  # noqa: E402
from trainer.corpora.images import index_images  # noqa: E402
from trainer.corpora.recording import Recording  # noqa: E402
from trainer.corpora.splits import split_pictures  # noqa: E402
from trainer.crops import FaceCrops  # noqa: E402
from trainer.deployed import DeployedMeasures, summarise  # noqa: E402
from trainer.reanimate import QUIET, Reanimator  # noqa: E402
from trainer.stills import StillCrops  # noqa: E402
from trainer.streams import Stream, Timeline, play, smoothed_timeline  # noqa: E402

FACES = 100
STRIDE_S = 0.2
WATCHED_S = 4.0
RATE_HZ = 15.0
SWAY = 0.03
TREMBLE = 0.01
"""Of the face in its crop, in sides of it: slowly, and from frame to frame."""
ROLL_DEG = 3.0
NOISE = 4.0
"""Standard deviation of the sensor's noise, of 255."""
TIME_CONSTANTS_S = (0.2, 0.3, 0.5)
ENTER_THRESHOLDS = (0.35, 0.4, 0.45, 0.5)
EXITS_BELOW = (0.1, 0.15, 0.2, 0.25)
"""How far the exit threshold lies below the other."""
DWELLS_S = (0.4, 0.8)


@dataclass(frozen=True)
class SwayingCrops(StillCrops):
    """A picture that is watched for a while."""

    seed: int

    def read(self, indices: np.ndarray) -> np.ndarray:
        """See `FaceCrops.read`."""
        path = np.random.default_rng(self.seed)
        phases, periods = path.uniform(0, 2 * math.pi, 3), path.uniform(2.0, 4.0, 3)
        seen = []
        for index, face in zip(indices, self.faces(indices), strict=True):
            side = face.shape[0]
            rng = np.random.default_rng([self.seed, int(index)])
            sway = np.sin(phases + 2 * math.pi * self.times_s[index] / periods)
            middle = (side - 1) / 2
            matrix = cv2.getRotationMatrix2D((middle, middle), ROLL_DEG * sway[2], 1.0)
            matrix[:, 2] += side * (SWAY * sway[:2] + rng.normal(0.0, TREMBLE, 2))
            moved = cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
            noisy = moved + rng.normal(0.0, NOISE, moved.shape)
            seen.append(noisy.clip(0, 255).astype(np.uint8))
        return np.stack(seen)

    def faces(self, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """What sways at some moments, shape (indices, side, side, 3)."""
        return super().read(indices)


@dataclass(frozen=True)
class TalkingCrops(SwayingCrops):
    """A picture that is watched while it talks."""

    picture: FaceCrops
    """The picture's face."""
    talker: FaceCrops
    """The recording that it talks as."""
    reanimator: Reanimator
    """Knows both."""

    def faces(self, indices: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
        """See `SwayingCrops.faces`."""
        padded = self.reanimator.moved(self.picture, self.talker, indices)
        side = self.spec.image_size
        edge = round(side * PAD / 2)
        return padded[:, edge : edge + side, edge : edge + side]


def settings() -> list[SmoothingConfig]:
    """What is compared, today's defaults first."""
    tried = [
        SmoothingConfig(
            time_constant_s=time_constant_s,
            enter_threshold=enter,
            exit_threshold=round(enter - below, 2),
            dwell_s=dwell_s,
        )
        for time_constant_s, enter, below, dwell_s in itertools.product(
            TIME_CONSTANTS_S, ENTER_THRESHOLDS, EXITS_BELOW, DWELLS_S
        )
    ]
    return [SmoothingConfig(), *(one for one in tried if one != SmoothingConfig())]


def is_mostly_right(timeline: Timeline) -> bool:
    """Whether most single clips of a face give its label."""
    label = timeline.stream.parts[0].recording.label
    return bool((timeline.probabilities.argmax(axis=1) == label).mean() > 0.5)


def talking(
    asked: argparse.Namespace, pictures: Sequence[Recording], spec: ClipSpec
) -> list[Stream]:
    """Those of the pictures that can, each as a recording of somebody who shows no expression."""
    crops, landmarks = cut_faces(asked, spec, pictures=pictures, actors=VALIDATION_ACTORS)
    reanimator = Reanimator(crops, landmarks)
    movable = [one for one in crops if reanimator.can_move(one)]
    quiet = [one for one in movable if not one.is_still and one.recording.label in QUIET]
    rng = np.random.default_rng(0)
    found = []
    for number, picture in enumerate(one for one in movable if one.is_still):
        talker = quiet[int(rng.integers(len(quiet)))]
        taken, times_s = picture.recording, talker.times_s
        seen = TalkingCrops(taken, taken.path, times_s, spec, number, picture, talker, reanimator)
        found.append(Stream((seen,)))
    return found


def changes_per_minute(timelines: Sequence[Timeline]) -> float:
    """How often what is shown changes, to `unsure` and from it too."""
    changes = sum(one != other for seen in timelines for one, other in pairwise(seen.shown))
    watched_s = sum(float(seen.ends_s[-1] - seen.ends_s[0]) for seen in timelines)
    return 60.0 * changes / watched_s


def figures(timelines: Sequence[Timeline], found: DeployedMeasures) -> dict[str, float]:
    """Of what is shown of single faces."""
    return {
        "switches_per_minute": round(found.switches_per_minute, 2),
        "unsmoothed_switches_per_minute": round(found.unsmoothed_switches_per_minute, 2),
        "changes_per_minute": round(changes_per_minute(timelines), 2),
        "time_right": round(found.time_right, 4),
        "time_wrong": round(found.time_wrong, 4),
        "time_unsure": round(found.time_unsure, 4),
    }


def main() -> None:
    """Measure and print JSON."""
    asked = arguments(__doc__).parse_args()
    folder = locate_checkpoint(asked.model)
    contract, model = read_contract(folder), load_model(folder)
    validation = split_pictures(index_images(asked.pictures).recordings).validation
    order = np.random.default_rng(0).permutation(len(validation))
    chosen = [validation[index] for index in order[:FACES]]
    times_s = np.arange(0.0, WATCHED_S, 1 / RATE_HZ)
    faces = [
        SwayingCrops(recording, recording.path, times_s, contract.spec, number)
        for number, recording in enumerate(chosen)
    ]
    others = [
        next(o for o in faces[n:] + faces[:n] if o.recording.label != face.recording.label)
        for n, face in enumerate(faces)
    ]
    singles = [Stream((face,)) for face in faces]
    pairs = [Stream((other, face)) for other, face in zip(others, faces, strict=True)]
    talkers = talking(asked, chosen, contract.spec)
    resting, changing, speaking = (
        play(
            model,
            streams,
            contract.spec,
            temperature=contract.temperature,
            stride_s=STRIDE_S,
            smoothing=SmoothingConfig(),
            batch_size=32,
            num_workers=2,
        )
        for streams in (singles, pairs, talkers)
    )
    right = {id(face): is_mostly_right(seen) for face, seen in zip(faces, resting, strict=True)}
    counted = [
        seen
        for seen, pair in zip(changing, pairs, strict=True)
        if all(right[id(face)] for face in pair.parts)
    ]
    rows = []
    for smoothing in settings():
        rests, steps, talks = (
            [smoothed_timeline(t.stream, t.ends_s, t.probabilities, smoothing) for t in seen]
            for seen in (resting, counted, speaking)
        )
        found, of_talk = (
            summarise(alone, together, stride_s=STRIDE_S, smoothing=smoothing, seed=0)
            for alone, together in ((rests, steps), (talks, []))
        )
        rows.append(
            asdict(smoothing)
            | figures(rests, found)
            | {
                "delay_median_s": found.step.median_s,
                "delay_reached": round(found.step.reached, 4),
                "talking": figures(talks, of_talk),
            }
        )
    result = {
        "machine": {"cpu": cpu_name(), "python": platform.python_version()},
        "faces": len(faces),
        "changes": len(counted),
        "talking": len(talkers),
        "stride_s": STRIDE_S,
        "clip_span_s": contract.spec.span_s,
        "temperature": contract.temperature,
        "settings": rows,
    }
    write_result(result, asked.output)


if __name__ == "__main__":
    main()
