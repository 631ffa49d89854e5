"""How long one clip takes the classifier, in float32 and in the number format that is chosen.

    python benchmarks/classifier_speed.py [--model DIR] [--clips N] [--output FILE]

Both take every clip in turn, in one process. On a CPU without instructions for bfloat16 the two are
the same.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# Torch after the package, which says how its threads wait.
from benchmarks.machine import cpu_name, write_result  # noqa: E402
from realtime_mood.inference.torch_classifier import TorchClassifier  # noqa: E402
from realtime_mood.model import precision  # noqa: E402
from realtime_mood.model.checkpoint import locate_checkpoint, read_contract  # noqa: E402

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
    spec = contract.spec
    rng = np.random.default_rng(0)
    shape = (1, spec.num_frames, 3, spec.image_size, spec.image_size)
    taken_s: dict[str, list[float]] = {"plain": [], "chosen": []}
    furthest = 0.0
    for number in range(WARMUP_CLIPS + asked.clips):
        clip = rng.normal(size=shape).astype(np.float32)
        answers = []
        for name, classifier in (("plain", plain), ("chosen", chosen)):
            start_s = time.perf_counter()
            answers.append(classifier.classify(clip))
            if number >= WARMUP_CLIPS:
                taken_s[name].append(time.perf_counter() - start_s)
        furthest = max(furthest, float(np.abs(answers[0] - answers[1]).max()))
    plain_ms, chosen_ms = (1e3 * float(np.median(taken)) for taken in taken_s.values())
    result = {
        "machine": {
            "cpu": cpu_name(),
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "clips": asked.clips,
        "plain": plain.name,
        "chosen": chosen.name,
        "plain_median_ms": round(plain_ms, 1),
        "chosen_median_ms": round(chosen_ms, 1),
        "ratio": round(chosen_ms / plain_ms, 2),
        "largest_difference_of_probabilities": round(furthest, 4),
    }
    write_result(result, asked.output)


if __name__ == "__main__":
    main()
