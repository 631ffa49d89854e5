"""How much of a face's motion can be read from its crops, with and without holding the head still.

    python benchmarks/steady_motion.py RAVDESS YUNET_FILE CACHE [--output FILE]

Linear (ridge) regression from the differences between the frames of a clip and their mean, grey and
averaged to 32 pixels, to how landmarks move against the head along the eight commonest directions;
fitted to all actors but four, measured on those. What a model has to learn is not linear; how well
the line fits tells how much else there is in the differences. Cutting the crops takes a quarter of
an hour, once.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from realtime_mood.model.clip_spec import ClipSpec  # noqa: E402
from trainer.augment import PAD  # noqa: E402
from trainer.base import INTERPOLATION, TINY_IMAGE_SIZE, TINY_MEAN, TINY_STD  # noqa: E402
from trainer.config import RecipeConfig  # noqa: E402
from trainer.corpora.ravdess import index_folder  # noqa: E402
from trainer.crops import Cutter, FaceCrops, cut_recordings  # noqa: E402
from trainer.dataset import TrainingClips  # noqa: E402
from trainer.decode import available_decoder  # noqa: E402
from trainer.motion import MotionTargets  # noqa: E402
from trainer.sampler import Draw  # noqa: E402

TEST_ACTORS = ("ravdess:01", "ravdess:02", "ravdess:03", "ravdess:04")
VALIDATION_ACTORS = ("ravdess:05", "ravdess:06")
CLIPS = 3
"""Of each recording."""
SIDE = 32
DIRECTIONS = 8
PENALTIES = (1.0, 10.0, 30.0, 100.0, 300.0)
"""The best on the four actors is taken, for both alike."""
UNCHANGED = RecipeConfig(
    flip=False,
    crop_jitter=0.0,
    tone=0.0,
    webcam=0.0,
    randaugment_ops=0,
    erase=0.0,
    speed_jitter=0.0,
    time_jitter=0.0,
)
SPEC = ClipSpec(
    num_frames=8,
    frame_interval_s=0.1,
    interval_growth=1.0,
    image_size=TINY_IMAGE_SIZE,
    mean=TINY_MEAN,
    std=TINY_STD,
    crop_margin=0.0,
    interpolation=INTERPOLATION,
    align_roll=False,
    steady=False,
    grey=False,
)

Array = npt.NDArray[np.float32]


def arguments(about: str | None) -> argparse.ArgumentParser:
    """What names recordings, and where the result goes."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("yunet", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--output", type=Path)
    return parser


def make_cutter(asked: argparse.Namespace, spec: ClipSpec) -> Cutter:
    """Cuts faces that YuNet finds, and keeps them."""
    cv2.setNumThreads(1)
    return Cutter(
        folder=asked.cache,
        spec=spec,
        detector="yunet",
        yunet_file=asked.yunet,
        decoder=available_decoder(),
    )


def tell(what: str, done: int, total: int) -> None:
    """Progress, in one line."""
    print(f"\r{what} {done}/{total}", end="", file=sys.stderr)


def cut(
    asked: argparse.Namespace, spec: ClipSpec, *, actors: Collection[str] | None = None
) -> list[FaceCrops]:
    """Crops and landmarks of the recordings that are named, of some actors or of all."""
    cutter = make_cutter(asked, spec)
    crops, _ = cut_recordings(
        [r for r in index_folder(asked.data).recordings if actors is None or r.actor in actors],
        replace(cutter.padded(PAD), finds_landmarks=True),
        num_workers=2,
        timeout_s=120.0,
        progress=tell,
    )
    return crops


def main() -> None:
    """Measure and print JSON."""
    asked = arguments(__doc__).parse_args()
    crops = cut(asked, SPEC)
    targets = MotionTargets(crops)
    explained = {
        name: _explained(crops, targets, replace(SPEC, steady=steady))
        for name, steady in (("as_cut", False), ("steady", True))
    }
    result = {
        "machine": {"cpu": cpu_name(), "python": platform.python_version()},
        "recordings": len(crops),
        "test_actors": TEST_ACTORS,
        "clips": CLIPS * len(crops),
        "share_of_variance_explained": explained,
    }
    write_result(result, asked.output)


def _explained(crops: list[FaceCrops], targets: MotionTargets, spec: ClipSpec) -> list[float]:
    """Of each direction's motion, on the test actors."""
    data = TrainingClips(crops, spec, recipe=UNCHANGED, seed=0, motion=targets)
    seen: list[Array] = []
    moved: list[Array] = []
    for position in range(CLIPS * len(crops)):
        item = data[Draw(position % len(crops), 0, position)]
        grey = item["pixel_values"].mean(dim=1, keepdim=True)
        small = torch.nn.functional.adaptive_avg_pool2d(grey, SIDE).flatten(1)
        seen.append((small - small.mean(dim=0)).numpy())
        moved.append(item["motion"][:, :DIRECTIONS].numpy())
    x, y = np.concatenate(seen), np.concatenate(moved)
    actors = np.array([each.recording.actor for each in crops] * CLIPS).repeat(spec.num_frames)
    is_test = np.isin(actors, TEST_ACTORS)
    gram, against = x[~is_test].T @ x[~is_test], x[~is_test].T @ y[~is_test]
    best = np.full(DIRECTIONS, -np.inf)
    for penalty in PENALTIES:
        weights = np.linalg.solve(gram + penalty * np.eye(len(gram), dtype=np.float32), against)
        missed = np.square(x[is_test] @ weights - y[is_test]).sum(axis=0)
        shares = 1.0 - missed / np.square(y[is_test]).sum(axis=0)
        best = max(best, shares, key=lambda found: float(found.mean()))
    return [round(float(share), 2) for share in best]


if __name__ == "__main__":
    main()
