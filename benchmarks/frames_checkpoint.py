"""A checkpoint of what a run learned from single frames, without the layers that read motion.

    python benchmarks/frames_checkpoint.py RUN BASE OUTPUT

RUN is the output folder of `trainer train`, BASE the checkpoint it began with. OUTPUT becomes one
that another run can begin with, whose recordings teach motion once more.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file


def main() -> None:
    """Write the checkpoint."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("run", "base", "output"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    learned = load_file(asked.run / "run" / "frames" / "finished.safetensors")
    # What single frames are asked for besides their label stands beside the model.
    weights = {name.removeprefix("model."): value for name, value in learned.items()}
    shutil.copytree(asked.base, asked.output)
    file = asked.output / "model.safetensors"
    kept = load_file(file)
    found = {name: weights.get(name, kept[name]).to(kept[name].dtype) for name in kept}
    save_file(found, file, metadata={"format": "pt"})


if __name__ == "__main__":
    main()
