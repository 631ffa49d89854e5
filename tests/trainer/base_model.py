"""A base model folder as the Hub has them, with random weights: the Hub may be out of reach."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from transformers import TimesformerConfig, TimesformerForVideoClassification

KINETICS_CLASSES = 400


def write_base_model(folder: Path, *, layers: int = 12, image_size: int = 224) -> None:
    """A folder like `facebook/timesformer-base-finetuned-k400`: 121 M parameters at 12 layers.

    Args:
        folder: made where it is not there.
        layers: fewer make it smaller.
        image_size: side of a frame in pixels.
    """
    torch.manual_seed(0)
    config = TimesformerConfig(
        num_hidden_layers=layers,
        image_size=image_size,
        num_frames=8,
        attention_type="divided_space_time",
        num_labels=KINETICS_CLASSES,
    )
    model = TimesformerForVideoClassification(config)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    values = {"image_mean": [0.45] * 3, "image_std": [0.225] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(values), encoding="utf-8")
