"""How steady, how quick and how often unsure the shown mood is, for several smoothing settings.

    python benchmarks/smoothing.py DATA [--model DIR] [--actors N,N] [--cache DIR] [--output FILE]

DATA is a folder of RAVDESS; take actors that chose nothing else, or those of the validation. Every
clip is classified once, then smoothed by each setting. Steadiness is measured on single recordings,
in which the label stays; the delay on recordings of one actor put together, where it changes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name  # noqa: E402
from realtime_mood.faces.detector import make_detector  # noqa: E402
from realtime_mood.model.checkpoint import (  # noqa: E402
    load_model,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.smoothing import SmoothingConfig  # noqa: E402
from trainer.corpora.ravdess import index_folder  # noqa: E402
from trainer.crops import Cutter, cut_recordings  # noqa: E402
from trainer.decode import available_decoder  # noqa: E402
from trainer.deployed import chains, summarise  # noqa: E402
from trainer.streams import Stream, play, smoothed_timeline  # noqa: E402

STRIDE_S = 0.2
TIME_CONSTANTS_S = (0.3, 0.5, 0.8, 1.2)
ENTER_THRESHOLDS = (0.3, 0.35, 0.4, 0.5)
EXIT_BELOW = 0.1
DWELLS_S = (0.4, 0.8)


def settings() -> list[SmoothingConfig]:
    """What is compared, today's defaults first."""
    grid = itertools.product(TIME_CONSTANTS_S, ENTER_THRESHOLDS, DWELLS_S)
    tried = [
        SmoothingConfig(
            time_constant_s=time_constant_s,
            enter_threshold=enter,
            exit_threshold=enter - EXIT_BELOW,
            dwell_s=dwell_s,
        )
        for time_constant_s, enter, dwell_s in grid
    ]
    return [SmoothingConfig(), *(one for one in tried if one != SmoothingConfig())]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=str(ROOT / "assets" / "checkpoint"))
    parser.add_argument("--actors", default="5,6", help="numbers (5,6)")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder = locate_checkpoint(asked.model)
    contract, model = read_contract(folder), load_model(folder)
    actors = {f"ravdess:{int(number):02d}" for number in asked.actors.split(",")}
    recordings = [r for r in index_folder(asked.data).recordings if r.actor in actors]
    with tempfile.TemporaryDirectory() as scratch:
        named = os.environ.get("REALTIME_MOOD_FACE_MODEL")
        face_model = Path(named) if named else None
        crops, _ = cut_recordings(
            recordings,
            Cutter(
                folder=asked.cache or Path(scratch),
                spec=contract.spec,
                detector=make_detector("auto", yunet_file=face_model).name,
                yunet_file=face_model,
                decoder=available_decoder(),
            ),
            num_workers=2,
            timeout_s=120.0,
            progress=lambda stage, done, total: None,
        )
        singles = [Stream((one,)) for one in crops]
        timelines = play(
            model,
            [*singles, *chains(crops)],
            contract.spec,
            temperature=contract.temperature,
            stride_s=STRIDE_S,
            smoothing=SmoothingConfig(),
            batch_size=32,
            num_workers=2,
        )
    rows = []
    for smoothing in settings():
        again = [
            smoothed_timeline(t.stream, t.ends_s, t.probabilities, smoothing) for t in timelines
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
        logging.info("%s", rows[-1])
    result = {
        "machine": {"cpu": cpu_name(), "python": platform.python_version()},
        "actors": sorted(actors),
        "recordings": len(crops),
        "stride_s": STRIDE_S,
        "temperature": contract.temperature,
        "settings": rows,
    }
    text = json.dumps(result, indent=2) + "\n"
    if asked.output:
        asked.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
