"""What a benchmark was run on."""

from __future__ import annotations

import platform
from pathlib import Path


def cpu_name() -> str:
    """The processor, as well as it can be told."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor()
    lines = [line for line in path.read_text().splitlines() if line.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else platform.processor()
