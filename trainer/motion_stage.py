"""The stage that adds to a model of single frames two layers that read motion."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from realtime_mood.model.labels import LABELS
from realtime_mood.model.precision import has_cuda
from trainer.base import Model
from trainer.dataset import TrainingClips
from trainer.initial import why_no_places
from trainer.motion_layers import INNER_PARTS, constant_of, write_layers
from trainer.motion_reader import FEATURES, ClassifierHead, fit_reader
from trainer.motion_seen import DIRECTIONS, Idle, Motion, Seen
from trainer.progress import Progress
from trainer.sampler import Draw

LAYERS = 2


@dataclass(frozen=True, kw_only=True)
class MotionClips:
    """What a network of motion is fitted on."""

    recordings: TrainingClips
    """Whose labels tell expressions that move."""
    pictures: TrainingClips | None = None
    """As clips that a camera makes; None: there are none."""
    covered: TrainingClips | None = None
    """The same, some frames of each covered or dark."""
    talking: TrainingClips | None = None
    """The same, whose faces talk; None: they do not."""
    talk: float = 0.0
    """Share of pictures that talk while the network is fitted."""


def why_not(model: Model) -> str:
    """Why a model cannot be given a reader; empty where it can."""
    config = model.config
    if reason := why_no_places(model):
        return reason
    knows_time = [
        name
        for name, weights in model.named_parameters()
        if ("time_embeddings" in name or "temporal_dense" in name) and weights.any()
    ]
    if knows_time:
        return "the model compares frames already"
    # u and a clip's h, beside four constants, a mean, and what the classifier looks at.
    least = DIRECTIONS + FEATURES + 5 + len(LABELS)
    if (width := config.hidden_size) < least:
        return f"the model has {width} channels instead of {least} or more"
    if config.intermediate_size < INNER_PARTS * FEATURES:
        return (
            f"its inner layers have {config.intermediate_size} channels instead of "
            f"{INNER_PARTS * FEATURES} or more"
        )
    return ""


def add_motion_reader(
    model: Model,
    clips: MotionClips,
    *,
    views: int,
    batch_size: int,
    dtype: torch.dtype,
    num_workers: int,
    seed: int,
    progress: Progress,
) -> Model:
    """A model with two layers more, which read expressions from motion.

    Args:
        model: of single frames so far, for which `why_not` knows no reason. Not used any more.
        clips: what is learned from.
        views: clips of each recording; of pictures there are at most half as many in all.
        batch_size: clips at a time.
        dtype: in which products of matrices are computed.
        num_workers: processes that prepare clips.
        seed: of everything drawn; torch's random numbers on the CPU stay as they are.
        progress: told the clips.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        deeper = deepened(model, LAYERS)

        def see(part: TrainingClips, draws: list[Draw], name: str) -> Seen:
            loader: DataLoader[Any] = DataLoader(
                part, batch_size=batch_size, sampler=draws, num_workers=num_workers
            )
            return _see(deeper, loader, dtype, lambda done: progress(name, done, len(draws)))

        count = len(clips.recordings)
        draws = [Draw(index, view, index) for view in range(views) for index in range(count)]
        recordings = see(clips.recordings, draws, "motion")
        constant = constant_of(deeper, recordings.first)
        motion = Motion.of(recordings, constant)
        moved = motion.along(recordings.frames)
        idle, first, patches = None, recordings.first, recordings.patches
        if clips.pictures is not None and clips.covered is not None:
            chosen = torch.randperm(len(clips.pictures))[: max(1, len(draws) // 2)].tolist()
            drawn = [Draw(index, 0, index) for index in chosen]
            pictures = see(clips.pictures, drawn, "motion of pictures")
            covered = see(clips.covered, drawn[::2], "motion of covered pictures")
            talking = None
            if clips.talking is not None:
                talking = see(clips.talking, drawn, "motion of talking pictures")
            idle = Idle(motion, recordings.frames, moved, pictures, covered, talking, clips.talk)
            first = torch.cat([first, pictures.first])
            patches = (patches + pictures.patches) / 2
        deeper.requires_grad_(False)
        head = ClassifierHead.of(deeper, recordings, constant)
        reader = fit_reader(head, moved, recordings, idle)
        write_layers(
            deeper,
            reader,
            constant=constant,
            read=motion.read,
            lift=head.lift,
            rest=head.rest,
            first=first,
            patches=patches,
        )
    return deeper.requires_grad_(True)


def deepened(model: Model, count: int) -> Model:
    """A model with more layers, copies of its last whose branches add nothing yet.

    It answers what the given one does.
    """
    config = copy.deepcopy(model.config)
    layers = config.num_hidden_layers
    config.num_hidden_layers = layers + count
    deeper = Model(config)
    weights = model.state_dict()
    last = f"timesformer.encoder.layer.{layers - 1}."
    added = {
        name.replace(last, f"timesformer.encoder.layer.{number}."): value
        for number in range(layers, layers + count)
        for name, value in weights.items()
        if name.startswith(last)
    }
    deeper.load_state_dict({**weights, **added})
    encoder: Any = deeper.timesformer.encoder
    for layer in encoder.layer[layers:]:
        for end in (layer.temporal_dense, layer.attention.output.dense, layer.output.dense):
            nn.init.zeros_(end.weight)
            nn.init.zeros_(end.bias)
    return deeper


@torch.no_grad()
def _see(
    model: Model, loader: DataLoader[Any], dtype: torch.dtype, progress: Callable[[int], None]
) -> Seen:
    timesformer: Any = model.timesformer
    frames_of_clip = model.config.num_frames
    kept: list[Tensor] = []
    layer = timesformer.encoder.layer[-LAYERS]
    handle = layer.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    device = torch.device("cuda" if has_cuda() else "cpu")
    cast(nn.Module, model).to(device).eval()
    rows: list[tuple[Tensor, ...]] = []
    moments = torch.zeros(model.config.hidden_size, model.config.hidden_size, device=device)
    done = 0
    for batch in loader:
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            model(pixel_values=batch["pixel_values"].to(device))
        tokens = kept.pop().float()
        patch = tokens[:, 1:]
        moments += torch.einsum("bpi,bpj->ij", patch, patch) / patch.shape[1]
        frames = patch.view(len(patch), -1, frames_of_clip, patch.shape[-1]).mean(dim=1)
        rows.append((frames.cpu(), tokens[:, 0].cpu(), batch["labels"], batch["known_labels"]))
        done += len(patch)
        progress(done)
    handle.remove()
    cast(nn.Module, model).cpu()
    frames, first, labels, known = (torch.cat(row) for row in zip(*rows, strict=True))
    patches = moments.cpu() / done
    return Seen(frames=frames, first=first, patches=patches, labels=labels, known=known)
