"""How long one clip takes the classifier, and by what it is quicker than it might be.

    python benchmarks/classifier_speed.py [--model DIR] [--clips N] [--output FILE]

Three take every clip in turn, in one process: what runs, the same in float32, and the same with all
attention over time computed, of which nothing may be used. On a CPU without instructions for
bfloat16 the first two are the same. Before them, crops become what a model takes (`preprocess`),
which is timed by itself: a blurred picture of noise that moves by a pixel from frame to frame, as a
face does in its box.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# Torch after the package, which says how its threads wait.
from benchmarks.machine import cpu_name, write_result  # noqa: E402
from realtime_mood.inference.torch_classifier import TorchClassifier  # noqa: E402
from realtime_mood.model import precision  # noqa: E402
from realtime_mood.model.checkpoint import locate_checkpoint, read_contract  # noqa: E402
from realtime_mood.model.preprocess import preprocess  # noqa: E402

import torch  # noqa: E402  isort:skip

WARMUP_CLIPS = 5


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=str(ROOT / "assets" / "checkpoint"))
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    folder = locate_checkpoint(asked.model)
    contract = read_contract(folder)
    chosen = TorchClassifier(folder, contract, device="cpu")
    with mock.patch.object(precision, "FAST_BFLOAT16", ()):
        plain = TorchClassifier(folder, contract, device="cpu")
    leave_out = "realtime_mood.inference.torch_classifier._leave_out_idle"
    with mock.patch(leave_out):
        whole = TorchClassifier(folder, contract, device="cpu")
    spec = contract.spec
    rng = np.random.default_rng(0)
    side = spec.image_size
    taken_s: dict[str, list[float]] = {"prepared": [], "plain": [], "whole": [], "chosen": []}
    furthest = 0.0
    for number in range(WARMUP_CLIPS + asked.clips):
        noise = rng.integers(0, 256, (side, side + spec.num_frames, 3), dtype=np.uint8)
        picture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3.0), None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
        crops = np.stack([picture[:, place : place + side] for place in range(spec.num_frames)])
        start_s = time.perf_counter()
        clip = preprocess(crops, spec)[None]
        if number >= WARMUP_CLIPS:
            taken_s["prepared"].append(time.perf_counter() - start_s)
        answers = []
        for name, classifier in (("plain", plain), ("whole", whole), ("chosen", chosen)):
            start_s = time.perf_counter()
            answers.append(classifier.classify(clip))
            if number >= WARMUP_CLIPS:
                taken_s[name].append(time.perf_counter() - start_s)
        furthest = max(furthest, float(np.abs(answers[0] - answers[2]).max()))
        assert (answers[1] == answers[2]).all()
    prepared_ms, plain_ms, whole_ms, chosen_ms = (
        1e3 * float(np.median(taken)) for taken in taken_s.values()
    )
    result = {
        "machine": {
            "cpu": cpu_name(),
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "clips": asked.clips,
        "prepared_median_ms": round(prepared_ms, 1),
        "plain": plain.name,
        "chosen": chosen.name,
        "plain_median_ms": round(plain_ms, 1),
        "whole_median_ms": round(whole_ms, 1),
        "chosen_median_ms": round(chosen_ms, 1),
        "ratio_to_plain": round(chosen_ms / plain_ms, 2),
        "ratio_to_whole": round(chosen_ms / whole_ms, 2),
        "largest_difference_of_probabilities": round(furthest, 4),
    }
    write_result(result, asked.output)


if __name__ == "__main__":
    main()
