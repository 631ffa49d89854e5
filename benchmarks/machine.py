"""What a benchmark was run on, and where its result goes."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path


def cpu_name() -> str:
    """The processor, as well as it can be told."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor()
    lines = [line for line in path.read_text().splitlines() if line.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else platform.processor()


def write_result(result: Mapping[str, object], output: Path | None) -> None:
    """Print a result as JSON, and keep it in a file where one is named."""
    text = json.dumps(result, indent=2) + "\n"
    if output:
        output.write_text(text, encoding="utf-8")
    print(text)
