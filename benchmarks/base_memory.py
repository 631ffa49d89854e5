"""What training the base model takes: 121 M parameters, 8 x 224 x 224, gradient checkpointing.

    python benchmarks/base_memory.py [--steps N] [--batch-size N] [--output FILE]

Random weights and drawn videos: the figures depend on neither. `trainer train` runs in a process of
its own, whose greatest resident memory is measured; then `realtime-mood` annotates a video with the
checkpoint that came out. Prints JSON; what else the machine is doing does not change it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.trainer.base_model import write_base_model  # noqa: E402
from tests.trainer.drawn import draw_video  # noqa: E402

LIMIT_GIB = 12.0


def measure(folder: Path, *, steps: int, batch_size: int) -> dict[str, object]:
    """Train for a few steps, then run the checkpoint; answers what it took."""
    write_base_model(folder / "base")
    for actor in (1, 2, 3):
        draw_video(folder / "data" / f"02-01-03-01-01-01-{actor:02d}.mp4", frames=60)
    words = f"--faces none --num-workers 0 --report-to none --max-steps {steps}"
    words += f" --batch-size {batch_size} --head-epochs 0 --gradient-checkpointing"
    paths = ("--data", "data", "--base-model", "base", "--output", "out")
    run(folder, "-m", "trainer", "train", *words.split(), *paths)
    # In KiB on Linux, in bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    peak_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 2**30
    video = next((folder / "data").iterdir())
    events = folder / "events.jsonl"
    run(
        folder,
        *("-m", "realtime_mood", "--video", str(video), "--model", "out/checkpoint"),
        *("--faces", "none", "--headless", "--stride", "1", "--events", str(events)),
    )
    kinds = [json.loads(line)["type"] for line in events.read_text().splitlines()]
    return {
        "peak_gib": round(peak_gib, 2),
        "limit_gib": LIMIT_GIB,
        "predictions_of_the_result": kinds.count("prediction"),
    }


def run(folder: Path, *arguments: str) -> None:
    """Run a program of the project; what it says is shown when it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description="What training the base model takes.")
    parser.add_argument("--steps", type=int, default=3, help="steps of training")
    parser.add_argument("--batch-size", type=int, default=4, help="clips of a step")
    parser.add_argument("--output", type=Path, help="write the JSON here instead of to stdout")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), steps=arguments.steps, batch_size=arguments.batch_size)
    report = {
        "benchmark": "base_memory",
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "steps": arguments.steps,
        "batch_size": arguments.batch_size,
        **figures,
    }
    text = json.dumps(report, indent=2) + "\n"
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
