"""How long one clip takes the classifier, and by what it is quicker than it might be.

    python benchmarks/classifier_speed.py [--model DIR] [--clips N] [--output FILE]

Three take every clip in turn, in one process: what runs, the same in float32, and what runs by the
model's own `forward` in transformers, which computes what the answer does not depend on too. On a
CPU without instructions for bfloat16 the first two are the same. Before them, crops become what a
model takes (`preprocess`), which is timed by itself: a blurred picture of noise that moves by a
pixel from frame to frame, as a face does in its box.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
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
    with mock.patch("realtime_mood.inference.torch_classifier.QuickForward", _own_forward):
        own = TorchClassifier(folder, contract, device="cpu")
    spec = contract.spec
    rng = np.random.default_rng(0)
    side = spec.image_size
    taken_s: dict[str, list[float]] = {"prepared": [], "plain": [], "own": [], "chosen": []}
    furthest = np.zeros(2)
    for number in range(WARMUP_CLIPS + asked.clips):
        noise = rng.integers(0, 256, (side, side + spec.num_frames, 3), dtype=np.uint8)
        picture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3.0), None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
        crops = np.stack([picture[:, place : place + side] for place in range(spec.num_frames)])
        start_s = time.perf_counter()
        clip = preprocess(crops, spec)[None]
        if number >= WARMUP_CLIPS:
            taken_s["prepared"].append(time.perf_counter() - start_s)
        answers = []
        for name, classifier in (("plain", plain), ("own", own), ("chosen", chosen)):
            start_s = time.perf_counter()
            answers.append(classifier.classify(clip))
            if number >= WARMUP_CLIPS:
                taken_s[name].append(time.perf_counter() - start_s)
        furthest = np.maximum(furthest, [np.abs(answers[2] - other).max() for other in answers[:2]])
    prepared_ms, plain_ms, own_ms, chosen_ms = (
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
        "own_forward_median_ms": round(own_ms, 1),
        "chosen_median_ms": round(chosen_ms, 1),
        "ratio_to_plain": round(chosen_ms / plain_ms, 2) if plain.name != chosen.name else None,
        "ratio_to_own_forward": round(chosen_ms / own_ms, 2),
        "largest_difference_of_probabilities_to_plain": float(f"{furthest[0]:.1g}"),
        "largest_difference_of_probabilities_to_own_forward": float(f"{furthest[1]:.1g}"),
    }
    write_result(result, asked.output)


def _own_forward(model: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda pixel_values: model(pixel_values=pixel_values).logits


if __name__ == "__main__":
    main()
