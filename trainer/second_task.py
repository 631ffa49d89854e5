"""What a small model is asked for besides the label, so that it learns what labels alone teach too
slowly: where the parts of the face are (`landmarks`), how they move (`motion`)."""

from __future__ import annotations

from typing import Any

from torch import nn

from trainer.base import Model


class SecondTask(nn.Module):
    """A TimeSformer with what it needs beside it to be asked for more than logits.

    Called with `pixel_values` and, in training, with what is asked for by its name in
    `trainer.config.recipe.SECOND_TASKS`; answers `logits`, shape (batch, labels), by the same names
    the loss of each, a number, and in training may answer `taught`: the logits of a teacher.

    Args:
        model: trained in place.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model


def timesformer_of(learner: nn.Module) -> Any:
    """The TimeSformer that is trained: the learner itself, or the one a `SecondTask` holds.

    None where the learner is no TimeSformer.
    """
    model = learner.model if isinstance(learner, SecondTask) else learner
    return model if isinstance(model, Model) else None
