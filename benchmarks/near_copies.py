"""How much held-out pictures owe to near copies of them among the pictures learned from.

    python benchmarks/near_copies.py PICTURES --predictions FILE [--output JSON]

PICTURES is an npz file or a folder; FILE is the predictions.npz of `trainer evaluate --report` on
`images:PICTURES`. Since near copies are left out of training, a model that was trained before is
asked here what they were worth to it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from trainer.corpora.images import index_images  # noqa: E402
from trainer.corpora.near_copies import LEAST_CORRELATION, grouped  # noqa: E402
from trainer.metrics import wilson_interval  # noqa: E402
from trainer.predictions import Predictions  # noqa: E402


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--predictions", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    recordings = grouped(index_images(options.pictures).recordings)
    learned = {r.actor for r in recordings if not r.is_held_out}
    apart = {r.actor for r in recordings if r.is_held_out}
    has_copy = {r.name: r.actor in learned for r in recordings if r.is_held_out}
    said = Predictions.load(options.predictions)
    is_right = said.probabilities().argmax(axis=1) == said.labels
    is_copy = np.array([has_copy[name] for name in said.names])
    parts = {"all": np.ones_like(is_copy), "with a near copy": is_copy, "without": ~is_copy}
    result = {
        "machine": {"cpu": cpu_name()},
        "pictures": options.pictures.name,
        "least_correlation": LEAST_CORRELATION,
        "near_copies_learned_from": sum(r.actor in apart for r in recordings if not r.is_held_out),
        "right": {
            name: {
                "pictures": int(part.sum()),
                "share": round(float(is_right[part].mean()), 4),
                "interval": [
                    round(end, 4) for end in wilson_interval(int(is_right[part].sum()), part.sum())
                ],
            }
            for name, part in parts.items()
        },
    }
    write_result(result, options.output)


if __name__ == "__main__":
    main()
