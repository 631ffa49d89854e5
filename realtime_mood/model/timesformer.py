"""TimeSformer models to train from (Bertasius et al. 2021, arXiv 2102.05095)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import ID2LABEL, LABEL2ID

if TYPE_CHECKING:
    from transformers import TimesformerForVideoClassification

TINY_HIDDEN_SIZE = 144
TINY_LAYERS = 6
TINY_HEADS = 9
TINY_PATCH_SIZE = 8


def tiny_timesformer(spec: ClipSpec) -> TimesformerForVideoClassification:
    """A small TimeSformer with random weights: 2.2 M parameters at 64 px.

    Small enough that two CPU cores answer forty times a second. Heads are narrow, so that there is
    one for each of the nine neighbours of a patch (see `trainer.initial`).

    Args:
        spec: gives frames and image size; the image size must be a multiple of 8.
    """
    from transformers import TimesformerConfig, TimesformerForVideoClassification

    config = TimesformerConfig(
        image_size=spec.image_size,
        patch_size=TINY_PATCH_SIZE,
        num_channels=3,
        num_frames=spec.num_frames,
        hidden_size=TINY_HIDDEN_SIZE,
        num_hidden_layers=TINY_LAYERS,
        num_attention_heads=TINY_HEADS,
        intermediate_size=4 * TINY_HIDDEN_SIZE,
        attention_type="divided_space_time",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label=dict(ID2LABEL),
        label2id=dict(LABEL2ID),
        problem_type="single_label_classification",
    )
    return TimesformerForVideoClassification(config)
