"""A classifier fitted to fixed features before everything is fine-tuned.

A random classifier sends noise through the whole model in the first steps and spoils what it has
learned; one that fits the features does not (Kumar et al. 2022, arXiv 2202.10054).
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from realtime_mood.model.labels import LABELS
from trainer.base import Model
from trainer.config import TrainConfig
from trainer.dataset import EvaluationClips, Item

logger = logging.getLogger(__name__)

PASSES = 4
"""How often the training clips are drawn."""
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Weights of the squared norm; the one that does best on the validation clips is taken."""
STEPS = 100


def fit_head(
    model: Model,
    data: Dataset[Item],
    validation: EvaluationClips,
    *,
    config: TrainConfig,
) -> None:
    """Fit the model's classifier, a logistic regression, in place; the rest is left alone.

    Args:
        model: its last token is what the classifier reads.
        data: training clips.
        validation: clips that the penalty is chosen by.
        config: the run's options.
    """
    classifier: Any = model.classifier
    drawn: ConcatDataset[Item] = ConcatDataset([data] * PASSES)
    read = partial(
        _features,
        model,
        batch_size=config.batch_size,
        num_workers=config.num_workers,
        is_mixed=config.precision == "bf16",
    )
    features, labels = read(drawn)
    unseen, unseen_labels = read(validation)
    mean, std = features.mean(dim=0), features.std(dim=0) + 1e-3
    best_share = -1.0
    for penalty in PENALTIES:
        weight, bias = _fit((features - mean) / std, labels, penalty)
        weight = weight / std
        bias = bias - weight @ mean
        probabilities = (unseen @ weight.T + bias).softmax(dim=-1)
        by_recording = probabilities.view(-1, validation.count, len(LABELS))
        predicted = by_recording.mean(dim=1).argmax(dim=-1)
        share = float((predicted == unseen_labels[:: validation.count]).float().mean())
        logger.info("classifier: penalty %g, validation: accuracy %.3f", penalty, share)
        if share > best_share:
            best_share = share
            classifier.load_state_dict({"weight": weight, "bias": bias})


def _features(
    model: Model, clips: Dataset[Item], *, batch_size: int, num_workers: int, is_mixed: bool
) -> tuple[Tensor, Tensor]:
    backbone: Any = model.timesformer
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    backbone.to(device).eval()
    rows, labels = [], []
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=is_mixed)
    with torch.inference_mode(), mixed:
        for batch in DataLoader(clips, batch_size=batch_size, num_workers=num_workers):
            rows.append(backbone(batch["pixel_values"].to(device))[0][:, 0].float().cpu())
            labels.append(batch["labels"])
    backbone.cpu()
    return torch.cat(rows), torch.cat(labels)


def _fit(features: Tensor, labels: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    weight = torch.zeros(len(LABELS), features.shape[1], requires_grad=True)
    bias = torch.zeros(len(LABELS), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = functional.cross_entropy(features @ weight.T + bias, labels)
        value = value + penalty * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()
