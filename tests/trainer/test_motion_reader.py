"""Layers that are written, not trained: what they read, and what they leave alone."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from realtime_mood.model.labels import LABELS
from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from trainer.dataset import Item, TrainingClips
from trainer.initial import look_at_neighbours
from trainer.motion_layers import write_layers
from trainer.motion_stage import LAYERS, MotionClips, add_motion_reader
from trainer.sampler import Draw

CLIP_SPEC = replace(SPEC, image_size=32, num_frames=4)
RECORDINGS = 48
MANY = 240
"""Of fewer, and as few pictures, it is learned by heart which is which."""


class Swaying:
    """A spot on a picture of noise that sways across (label 0) or up and down (label 1)."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, draw: Draw) -> Item:
        label = draw.index % 2
        clip = sway(label, seed=1000 * draw.epoch + draw.index)
        known = torch.zeros(len(LABELS), dtype=torch.bool)
        known[:2] = True
        return Item(pixel_values=clip, labels=label, known_labels=known, indices=draw.index)


def sway(label: int, *, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    picture = 0.3 * torch.randn(1, 3, 32, 32, generator=generator)
    clip = picture.repeat(4, 1, 1, 1)
    row, column = (int(place) for place in torch.randint(8, 16, (2,), generator=generator))
    for frame, off in enumerate((-4, 0, 4, 0)):
        down, right = (0, off) if label == 0 else (off, 0)
        clip[frame, :, row + down : row + down + 8, column + right : column + right + 8] += 2.0
    return clip


def untrained() -> Any:
    torch.manual_seed(0)
    model = tiny_timesformer(CLIP_SPEC)
    look_at_neighbours(model)
    return model.eval()


@pytest.fixture(scope="module")
def models() -> tuple[Any, Any]:
    """Without and with the layers."""
    return untrained(), with_reader(untrained(), views=4)


@pytest.fixture(scope="module")
def quiet() -> Any:
    """With the layers, that have seen pictures too."""
    return with_reader(untrained(), views=4, recordings=MANY, **PICTURES)


class Pictures:
    """What does not move, unless its middle is covered after the first frame; all of label 2."""

    def __init__(self, *, covers: bool) -> None:
        self._covers = covers

    def __len__(self) -> int:
        return MANY

    def __getitem__(self, draw: Draw) -> Item:
        clip = sway(0, seed=5000 + draw.index)[:1].repeat(4, 1, 1, 1)
        if self._covers:
            clip[1:, :, 8:24, 8:24] = -2.0
        known = torch.zeros(len(LABELS), dtype=torch.bool)
        known[:3] = True
        return Item(pixel_values=clip, labels=2, known_labels=known, indices=draw.index)


class Talking:
    """Pictures of label 0 whose spot sways as those of recordings of label 1."""

    def __len__(self) -> int:
        return MANY

    def __getitem__(self, draw: Draw) -> Item:
        item = Pictures(covers=False)[draw]
        return Item(**{**item, "pixel_values": sway(1, seed=5000 + draw.index), "labels": 0})


PICTURES = {
    "pictures": cast(TrainingClips, Pictures(covers=False)),
    "covered": cast(TrainingClips, Pictures(covers=True)),
}


def with_reader(
    model: Any,
    *,
    views: int,
    seed: int = 1,
    recordings: int = RECORDINGS,
    steps: int = 1500,
    **others: Any,
) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.motion_reader.MEMBERS", 2)
        patch.setattr("trainer.motion_reader.STEPS", steps)
        return add_motion_reader(
            model,
            MotionClips(recordings=cast(TrainingClips, Swaying(recordings)), **others),
            views=views,
            batch_size=16,
            dtype=torch.float32,
            num_workers=0,
            seed=seed,
            progress=lambda *_: None,
        )


def right(model: Any, precision: torch.dtype = torch.float32) -> float:
    clips = torch.stack([sway(index % 2, seed=10**6 + index) for index in range(40)])
    with torch.no_grad():
        logits = model(pixel_values=clips.to(precision)).logits[:, :2]
    return float((logits.argmax(dim=1) == torch.arange(40) % 2).float().mean())


def test_motion_of_clips_never_seen_is_read(models: tuple[Any, Any]) -> None:
    before, after = models
    assert after.config.num_hidden_layers == before.config.num_hidden_layers + LAYERS
    assert right(before) < 0.7
    assert right(after) > 0.9


def test_what_is_read_survives_the_precision_it_is_kept_and_run_in(models: tuple[Any, Any]) -> None:
    after = copy.deepcopy(models[1]).half().float()
    assert right(after) > 0.9
    assert right(after.to(torch.bfloat16), torch.bfloat16) > 0.9


@pytest.mark.parametrize(("precision", "off"), [(torch.float32, 0.15), (torch.bfloat16, 0.3)])
def test_a_clip_in_which_nothing_moves_is_answered_as_before(
    models: tuple[Any, Any], precision: torch.dtype, off: float
) -> None:
    before, after = (copy.deepcopy(model).to(precision) for model in models)
    still = torch.randn(8, 1, 3, 32, 32, dtype=precision).expand(-1, 4, -1, -1, -1)
    with torch.no_grad():
        was, now = (model(pixel_values=still).logits.float() for model in (before, after))
    assert float((now - was).abs().mean()) < off * float(was.std())


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_what_is_written_is_what_was_fitted_however_much_moves(
    precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, Any] = {}

    def write(model: Any, reader: Any, **what: Tensor) -> None:
        # As much as it is where rest tells something.
        reader.beside.weight.mul_(10.0)
        written.update(what, reader=reader)
        write_layers(model, reader, **what)

    monkeypatch.setattr("trainer.motion_stage.write_layers", write)
    before, after = untrained(), with_reader(untrained(), views=1)
    generator = torch.Generator().manual_seed(2)
    swaying = torch.stack([sway(index % 2, seed=index) for index in range(16)])
    # Each frame another picture: much more moves than in what the reader was fitted on.
    flashing = torch.randn(16, 4, 3, 1, 1, generator=generator) + swaying
    sizes = []
    with torch.no_grad():
        for clips in (swaying, flashing):
            hidden = before.timesformer.encoder(before.timesformer.embeddings(clips))[0]
            frames = hidden[:, 1:].unflatten(1, (-1, 4)).mean(dim=1)
            motion = (frames - frames.mean(dim=1, keepdim=True)) @ written["read"].T
            sizes.append(float(motion.square().mean().sqrt()))
            first = (
                hidden[:, 0]
                + written["reader"](motion, hidden[:, 0] @ written["rest"]) @ written["lift"].T
            )
            wanted = before.classifier(before.timesformer.layernorm(first))
            found = copy.deepcopy(after).to(precision)(pixel_values=clips.to(precision)).logits
            off = (found.float() - wanted).abs().mean() / wanted.std()
            assert float(off) < 0.12
    assert sizes[1] > 5 * sizes[0]


def test_what_does_not_show_an_expression_is_passed_over(
    models: tuple[Any, Any], quiet: Any
) -> None:
    before, talkative = models
    covered = torch.stack(
        [Pictures(covers=True)[Draw(100 + index, 0, 0)]["pixel_values"] for index in range(20)]
    )
    cut = torch.stack(
        [torch.cat([sway(0, seed=n)[:2], sway(1, seed=n + 1)[2:]]) for n in range(9000, 9020)]
    )
    with torch.no_grad():
        for clips in (covered, cut):
            rest = before(pixel_values=clips).logits[:, :2]
            spoken, said = (
                float((model(pixel_values=clips).logits[:, :2] - rest).diff(dim=1).abs().mean())
                for model in (talkative, quiet)
            )
            assert said < 0.6 * spoken
    assert right(quiet) > 0.9


def test_pictures_that_talk_are_called_what_they_are(quiet: Any) -> None:
    told = with_reader(
        untrained(),
        views=4,
        recordings=MANY,
        talking=cast(TrainingClips, Talking()),
        talk=0.4,
        **PICTURES,
    )
    talking = torch.stack([sway(1, seed=9000 + index) for index in range(40)])
    with torch.no_grad():
        without, with_talk = (
            float(model(pixel_values=talking).logits[:, :2].diff(dim=1).mean())
            for model in (quiet, told)
        )
    # The motion says 1; of a picture of label 0 that moves so, it must say less.
    assert without > 0.2
    assert with_talk < without - 0.5


def test_the_seed_alone_decides_what_is_written(models: tuple[Any, Any]) -> None:
    twins = []
    for others, seed in ((1, 0), (2, 0), (2, 5)):
        before = untrained()
        torch.manual_seed(others)
        state = torch.random.get_rng_state()
        twins.append(with_reader(before, views=1, seed=seed, steps=50, **PICTURES).state_dict())
        assert torch.equal(torch.random.get_rng_state(), state)
    first, second, other = twins
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
