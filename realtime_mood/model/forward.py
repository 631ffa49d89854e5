"""What a TimeSformer answers, with little computed that the answer does not depend on."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class QuickForward:
    """The logits of a model as its own `forward` gives them, to rounding, in less time and memory.

    Attention goes through PyTorch's fused kernels, for which transformers has no path here. The one
    token that belongs to all frames is computed once and not once a frame. Of the last layer it
    alone goes on, for nothing else is asked for. And attention over time of which nothing is used
    is left out: a model that learned from single frames keeps layers whose attention over time
    ends in weights that are 0, so that nothing is added, whatever it sees.

    Args:
        model: a `TimesformerForVideoClassification` in evaluation mode, with its final weights; it
            may be moved or given another number format later. Attention other than divided
            (Bertasius et al. 2021, arXiv 2102.05095) goes through its own `forward`.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model: Any = model
        config: Any = self._model.config
        self._is_divided = config.attention_type == "divided_space_time"
        ends = [layer.temporal_dense for layer in self._layers] if self._is_divided else []
        self._looks_over_time = [bool(end.weight.any() or end.bias.any()) for end in ends]

    def __call__(self, pixel_values: Tensor) -> Tensor:
        """Logits, shape (clips, labels).

        Args:
            pixel_values: shape (clips, frames, 3, side, side), as the configuration says.
        """
        if not self._is_divided:
            own: Tensor = self._model(pixel_values=pixel_values).logits
            return own
        # One token of the whole clip, then those of the first frame, of the second, ...
        tokens = self._embed(pixel_values)
        frames = pixel_values.shape[1]
        last = self._layers[-1]
        for layer, looks_over_time in zip(self._layers, self._looks_over_time, strict=True):
            if looks_over_time:
                tokens = _after_time(layer, tokens, frames)
            tokens = _after_space(layer, tokens, frames, of_the_clip=layer is last)
            inner = layer.intermediate(layer.layernorm_after(tokens))
            tokens = tokens + layer.output(inner)
        answer = self._model.timesformer.layernorm(tokens[:, 0])
        logits: Tensor = self._model.classifier(answer)
        return logits

    @property
    def _layers(self) -> Any:
        return self._model.timesformer.encoder.layer

    def _embed(self, pixel_values: Tensor) -> Tensor:
        given = self._model.timesformer.embeddings
        patches = given.patch_embeddings(pixel_values)[0] + given.position_embeddings[:, 1:]
        patches = patches.view(*pixel_values.shape[:2], *patches.shape[1:])
        patches = patches + given.time_embeddings[:, :, None]
        of_the_clip = given.cls_token + given.position_embeddings[:, :1]
        return torch.cat((of_the_clip.expand(len(patches), -1, -1), patches.flatten(1, 2)), dim=1)


def attend(
    attention: Any, projected: Tensor, *, asking: int | None = None, dropout: float = 0.0
) -> Tensor:
    """What tokens see in one another, by a fused kernel.

    Args:
        attention: a `TimesformerSelfAttention`.
        projected: its queries, keys and values of every token, shape (rows, tokens, 3 * width).
        asking: so many of the first tokens ask; None: all do.
        dropout: the share of probabilities left out.

    Returns:
        Shape (rows, asking tokens, width).
    """
    rows, tokens, _ = projected.shape
    heads = projected.view(rows, tokens, 3, attention.num_heads, -1)
    query, key, value = heads.permute(2, 0, 3, 1, 4).unbind(0)
    query = query[:, :, :asking]
    if projected.device.type == "mps":
        # Some releases of PyTorch read parts of a larger tensor wrongly there, at some sizes
        # (pytorch issues 163597 and 181133).
        query, key, value = query.contiguous(), key.contiguous(), value.contiguous()
    each = min(rows, most_rows(attention.num_heads, tokens, query.shape[-1]))
    seen = [
        functional.scaled_dot_product_attention(
            query[row : row + each],
            key[row : row + each],
            value[row : row + each],
            dropout_p=dropout,
            scale=attention.scale,
        )
        for row in range(0, rows, each)
    ]
    whole = torch.cat(seen) if len(seen) > 1 else seen[0]
    return whole.transpose(1, 2).flatten(2)


def most_rows(heads: int, tokens: int, depth: int) -> int:
    """Rows that CUDA's kernels for attention take at once.

    Attention over time has as many as there are patches in all clips. PyTorch's kernels number rows
    with 16 bits (its issue 146704), and backwards what they add up with 31, tokens counted in steps
    of 128 and a head's numbers as 32 at least (flash-attention's pull request 1500).

    Args:
        heads: of the attention.
        tokens: that look at one another in each row.
        depth: numbers of a head.
    """
    added_up = heads * math.ceil(tokens / 128) * 128 * max(depth, 32)
    return max(1, min(2**16 - 1, (2**31 - 1) // added_up))


def _after_time(layer: Any, tokens: Tensor, frames: int) -> Tensor:
    """Every patch looks at the same place in all frames."""
    part = layer.temporal_attention
    patches = tokens[:, 1:]
    clips, _, width = patches.shape
    by_frame = (clips, frames, -1, width)
    normed = layer.temporal_layernorm(patches).view(by_frame)
    by_place = normed.transpose(1, 2).reshape(-1, frames, width)
    seen = attend(part.attention, part.attention.qkv(by_place))
    seen = layer.temporal_dense(part.output(seen)).view(clips, -1, frames, width)
    added = seen.transpose(1, 2).reshape(patches.shape)
    return torch.cat((tokens[:, :1], patches + added), dim=1)


def _after_space(layer: Any, tokens: Tensor, frames: int, *, of_the_clip: bool) -> Tensor:
    """Every token looks at its frame; that of the clip at each, and takes the mean.

    Args:
        of_the_clip: the clip's token alone is wanted.
    """
    part = layer.attention
    projected = part.attention.qkv(layer.layernorm_before(tokens))
    clips, _, width = projected.shape
    everywhere = projected[:, None, :1].expand(-1, frames, -1, -1)
    by_frame = torch.cat((everywhere, projected[:, 1:].view(clips, frames, -1, width)), dim=2)
    asking = 1 if of_the_clip else None
    seen = attend(part.attention, by_frame.flatten(0, 1), asking=asking)
    seen = seen.view(clips, frames, -1, tokens.shape[2])
    found = seen[:, :, 0].mean(dim=1, keepdim=True)
    if of_the_clip:
        tokens = tokens[:, :1]
    else:
        found = torch.cat((found, seen[:, :, 1:].flatten(1, 2)), dim=1)
    added: Tensor = part.output(found)
    return tokens + added
