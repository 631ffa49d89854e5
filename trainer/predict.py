"""A model's logits for fixed clips, on the best device there is.

In float32, whatever the runtime takes: figures are not to depend on the machine. In bfloat16
recordings whose answers are close are named otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from realtime_mood.errors import ModelError
from realtime_mood.model.forward import QuickForward
from realtime_mood.model.labels import LABELS
from realtime_mood.model.precision import has_cuda
from trainer.dataset import EvaluationClips, Item
from trainer.progress import Progress, tell_nobody


def recording_logits(
    model: nn.Module,
    clips: EvaluationClips,
    *,
    batch_size: int,
    num_workers: int,
    progress: Progress = tell_nobody,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Logits, shape (recordings, clips a recording, labels); arguments as of `clip_logits`."""
    logits = clip_logits(
        model,
        clips,
        batch_size=batch_size,
        num_workers=num_workers,
        progress=progress,
        stage="measuring clips",
    )
    return logits.reshape(len(clips.recordings), clips.count, len(LABELS))


def clip_logits(
    model: nn.Module,
    clips: Dataset[Item],
    *,
    batch_size: int,
    num_workers: int,
    progress: Progress,
    stage: str,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Logits, shape (clips, labels).

    Args:
        model: a `TimesformerForVideoClassification`; put into evaluation mode, and on the CPU
            again afterwards.
        clips: their labels are not looked at.
        batch_size: clips at a time.
        num_workers: processes that prepare them; 0: this one does.
        progress: told the clips.
        stage: what is told of is called so.

    Raises:
        ModelError: it answers what is no number.
    """
    device = torch.device("cuda" if has_cuda() else "cpu")
    loader = DataLoader(clips, batch_size=batch_size, num_workers=num_workers)
    model.to(device).eval()
    answer = QuickForward(model)
    total = len(loader.sampler)  # type: ignore[arg-type]
    with torch.inference_mode():
        rows = []
        for batch in loader:
            rows.append(answer(batch["pixel_values"].to(device)).cpu().numpy())
            progress(stage, min(len(rows) * batch_size, total), total)
    model.cpu()
    logits = np.concatenate(rows).astype(np.float64)
    if not np.isfinite(logits).all():
        raise ModelError(
            "the model answers what is no number; its weights are broken, train or copy it again"
        )
    return logits
