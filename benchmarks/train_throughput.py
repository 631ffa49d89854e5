"""Clips a second in training, how much of it is waiting for the loader, and how busy the GPU is.

    python benchmarks/train_throughput.py [--output-file FILE] [any option of `trainer train`]

such as `--precision bf16 --batch-size 32 --num-workers 14`, or `--base-model tiny`.

Crops are random and lie in a cache, as they do after the first run; 'base' is a model of the size
of `facebook/timesformer-base-finetuned-k400` with random weights. The recipe is the default one,
with all its augmentation. The loader is not the bottleneck where `waiting_share` is near 0. Prints
JSON; on a GPU the median of its utilisation, sampled by nvidia-smi twice a second.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from realtime_mood.model.labels import LABELS  # noqa: E402
from tests.trainer.base_model import write_base_model  # noqa: E402
from trainer.augment import PAD  # noqa: E402
from trainer.base import load_base  # noqa: E402
from trainer.config.layers import add_train_options, train_config  # noqa: E402
from trainer.corpora.recording import Recording  # noqa: E402
from trainer.crops import FaceCrops  # noqa: E402
from trainer.dataset import TrainingClips  # noqa: E402
from trainer.fit import Stage, fit  # noqa: E402

RECORDINGS = 64
FRAMES = 110
RATE_HZ = 29.97
ROUNDS = 256
"""How often an epoch goes through them: none ends within the run, where checkpoints are written."""


def random_crops(folder: Path, image_size: int) -> list[FaceCrops]:
    """Recordings of noise, in the form the cache has."""
    side = round(image_size * (1.0 + PAD))
    crops = []
    rng = np.random.default_rng(0)
    for number in range(RECORDINGS):
        path = folder / f"{number}.npy"
        np.save(path, rng.integers(256, size=(FRAMES, side, side, 3), dtype=np.uint8))
        recording = Recording(
            path=path,
            name=path.stem,
            take=path.stem,
            actor=f"noise:{number}",
            label=number % len(LABELS),
        )
        crops.append(FaceCrops(recording, path, np.arange(FRAMES) / RATE_HZ))
    return crops


@contextmanager
def gpu_utilisation() -> Iterator[list[float]]:
    """Percentages, filled in when the block ends; empty where there is no GPU."""
    found: list[float] = []
    program = shutil.which("nvidia-smi") if torch.cuda.is_available() else None
    if program is None:
        yield found
        return
    query = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "500"]
    with subprocess.Popen([program, *query], stdout=subprocess.PIPE, text=True) as watcher:
        try:
            yield found
        finally:
            watcher.terminate()
            text, _ = watcher.communicate()
            found += [float(line) for line in text.split() if line.strip().isdigit()]


def main() -> None:
    """Measure and report."""
    logging.basicConfig(level=logging.WARNING)
    parser = argparse.ArgumentParser(description="Clips a second in training.")
    parser.add_argument("--output-file", type=Path, help="write the JSON here, not to stdout")
    add_train_options(parser)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parser.set_defaults(
            data=["-"], output=folder / "out", report_to="none", max_steps=30, base_model="base"
        )
        options = parser.parse_args()
        if options.base_model == "base":
            options.base_model = str(folder / "base")
            write_base_model(folder / "base")
        config = train_config(options)
        model, spec = load_base(config.model)
        clips = TrainingClips(
            random_crops(folder, spec.image_size) * ROUNDS, spec, recipe=config.recipe, seed=0
        )
        stage = Stage(
            name="clips", epochs=config.recipe.epochs, learning_rate=config.recipe.learning_rate
        )
        with gpu_utilisation() as percentages:
            pace = fit(model, stage, config, data=clips, validation=None, progress=lambda *_: None)
    if pace is None:
        raise SystemExit("too few steps to tell; give a larger --max-steps")
    report = {
        "benchmark": "train_throughput",
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
        "parameters_m": round(model.num_parameters() / 1e6, 1),
        "image_size": spec.image_size,
        "batch_size": config.recipe.batch_size,
        "precision": config.run.precision,
        "gradient_checkpointing": config.run.gradient_checkpointing,
        "num_workers": config.run.num_workers,
        "steps": config.run.max_steps,
        "clips_per_s": round(pace.clips_per_s, 3),
        "waiting_share": round(pace.waiting_share, 3),
        "gpu_utilisation_percent": statistics.median(percentages) if percentages else None,
        "gpu_memory_gib": (
            round(torch.cuda.max_memory_allocated() / 2**30, 2)
            if torch.cuda.is_available()
            else None
        ),
    }
    text = json.dumps(report, indent=2) + "\n"
    if options.output_file is None:
        sys.stdout.write(text)
    else:
        options.output_file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
