"""On what a model can run, and in which number format."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from realtime_mood.errors import first_line

logger = logging.getLogger(__name__)

NOT_BUILT_FOR = ("no kernel image", "unsupported toolchain")
"""What CUDA says on a GPU that PyTorch was not built for."""

FAST_BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""Instructions with which a small TimeSformer takes 0.7 of the time in bfloat16; without them
it takes longer than in float32."""


@cache
def has_cuda() -> bool:
    """Whether PyTorch can compute on a GPU through CUDA.

    It lists GPUs that are older than those it was built for, and fails when it is to use one; then
    this warns once. Whatever else fails is for whoever uses it to tell.
    """
    if not torch.cuda.is_available():
        return False
    try:
        torch.ones(1, device="cuda").add(1.0).cpu()
    except RuntimeError as error:
        if any(words in str(error) for words in NOT_BUILT_FOR):
            logger.warning(
                "the GPU is not used, for this build of PyTorch cannot compute on it (%s)",
                first_line(error),
            )
            return False
    return True


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
