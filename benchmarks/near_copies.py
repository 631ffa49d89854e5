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
from trainer.corpora.near_copies import (  # noqa: E402
    LEAST_CORRELATION,
    LEAST_WITHOUT_MEAN,
    near_pairs,
)
from trainer.metrics import wilson_interval  # noqa: E402
from trainer.predictions import Predictions  # noqa: E402


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--predictions", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    recordings = index_images(options.pictures).recordings
    images = [r.image for r in recordings if r.image is not None]
    if len(images) < len(recordings):
        sys.exit(f"{options.pictures} holds pictures whose face is yet to be found")
    crossing = {
        (a, b) if recordings[a].is_held_out else (b, a)
        for some in near_pairs(images)
        for a, b in some.tolist()
        if recordings[a].is_held_out != recordings[b].is_held_out
    }
    copied = {recordings[held_out].name for held_out, _ in crossing}
    said = Predictions.load(options.predictions)
    is_right = said.probabilities().argmax(axis=1) == said.labels
    is_copy = np.array([name in copied for name in said.names])
    parts = {"all": np.ones_like(is_copy), "with a near copy": is_copy, "without": ~is_copy}
    result = {
        "machine": {"cpu": cpu_name()},
        "pictures": options.pictures.name,
        "least_correlations": [LEAST_CORRELATION, LEAST_WITHOUT_MEAN],
        "near_copies_learned_from": len({learned for _, learned in crossing}),
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
