"""Learning from single frames, which costs an eighth of learning from clips.

What a face looks like can be learned from frames; what a clip adds is how it changes. A twin of the
TimeSformer without attention over time shares its weights with it, so what the twin learns from
frames, and from corpora that have nothing but pictures, the TimeSformer knows.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from transformers import TimesformerForVideoClassification

from realtime_mood.model.clip_spec import ClipSpec


def frame_twin(model: TimesformerForVideoClassification) -> TimesformerForVideoClassification:
    """A model of single frames whose weights are those of a model of clips.

    Args:
        model: attention over time is left out; everything else is shared, not copied.

    Returns:
        Takes pixel_values of shape (batch, 1, 3, image_size, image_size). Of a clip of one frame
        again and again, `model` says the same as long as its attention over time is off.
    """
    config = copy.deepcopy(model.config)
    config.attention_type = "space_only"
    config.num_frames = 1
    twin = TimesformerForVideoClassification(config)
    ours = dict(model.named_parameters())
    for name, _ in list(twin.named_parameters()):
        path, _, last = name.rpartition(".")
        owner: Any = twin.get_submodule(path)
        setattr(owner, last, ours[name])
    return twin


def frame_spec(spec: ClipSpec) -> ClipSpec:
    """The same pictures, one at a time."""
    return replace(spec, num_frames=1)


def pair_spec(spec: ClipSpec) -> ClipSpec:
    """The first and the last picture of a clip."""
    return replace(spec, num_frames=2, frame_interval_s=spec.span_s)
