"""Cross-entropy over the labels that a clip could have been given."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def label_loss(
    logits: Tensor, targets: Tensor, known_labels: Tensor, *, smoothing: float | Tensor = 0.0
) -> Tensor:
    """Cross-entropy of each clip.

    Labels that the clip's corpus does not have are left out of its softmax: FER2013 has no 'calm',
    and a face of it may well be calm, so it says nothing about that logit, and moves it not at all.

    Args:
        logits: shape (batch, labels).
        targets: shape (batch, labels): probabilities, 0 outside the known labels.
        known_labels: shape (batch, labels), bool: what each clip could have been given.
        smoothing: share of the target that is spread evenly over the known labels (Szegedy et al.
            2016, arXiv 1512.00567); one for all clips, or shape (batch, 1).

    Returns:
        Shape (batch,), float32.
    """
    out_of_question = ~known_labels
    scores = functional.log_softmax(
        logits.float().masked_fill(out_of_question, -torch.inf), dim=-1
    ).masked_fill(out_of_question, 0.0)
    even = known_labels / known_labels.sum(dim=-1, keepdim=True)
    wanted = (1.0 - smoothing) * targets + smoothing * even
    return -(wanted * scores).sum(dim=-1)


def batch_loss(
    logits: Tensor,
    batch: dict[str, Tensor],
    *,
    smoothing: float | Tensor = 0.0,
) -> Tensor:
    """Mean loss of a batch, mixed or not.

    A mixed clip's loss is the mean of the losses its two clips would have, weighted by their
    shares, so that each keeps its own known labels.

    Args:
        logits: shape (batch, labels).
        batch: `labels` and `known_labels`; of mixed clips `other_labels`, `other_known_labels` and
            `own_share`, shape (batch,), too.
        smoothing: see `label_loss`.
    """
    labels = logits.shape[-1]
    own = functional.one_hot(batch["labels"], labels).float()
    loss = label_loss(logits, own, batch["known_labels"], smoothing=smoothing)
    if "own_share" in batch:
        other = functional.one_hot(batch["other_labels"], labels).float()
        beside = label_loss(logits, other, batch["other_known_labels"], smoothing=smoothing)
        loss = batch["own_share"] * loss + (1.0 - batch["own_share"]) * beside
    return loss.mean()


def taught_loss(logits: Tensor, taught: Tensor, known_labels: Tensor, *, shown: Tensor) -> Tensor:
    """Mean cross-entropy of a batch against what a teacher makes of the same clips.

    Args:
        logits: shape (batch, labels).
        taught: the teacher's logits, the same shape.
        known_labels: see `label_loss`; of the others the teacher says nothing.
        shown: shape (batch,), bool: whether a clip is one of which the teacher can speak.
    """
    wanted = taught.float().masked_fill(~known_labels, -torch.inf).softmax(dim=-1)
    each = label_loss(logits, wanted, known_labels)
    return (each * shown).mean()
