"""In which number format a model runs, and is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

FAST_BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""Instructions with which a small TimeSformer takes 0.7 of the time in bfloat16; without them
it takes longer than in float32."""


def fastest_dtype(device: torch.device) -> torch.dtype:
    """The number format in which a model runs on a device."""
    if device.type == "cuda":
        # Emulated by older GPUs, bfloat16 is slow; float16 has no room for the default model's
        # largest numbers.
        able = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if able else torch.float32
    # Older releases of PyTorch do not say what a CPU can do.
    capabilities: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    able = device.type == "cpu" and any(capabilities().get(name) for name in FAST_BFLOAT16)
    return torch.bfloat16 if able else torch.float32
