from pathlib import Path
from typing import Any

import pytest
import torch

from realtime_mood.model.checkpoint import load_model
from realtime_mood.model.forward import QuickForward, most_rows
from tests.fakes import SPEC


@pytest.fixture
def model(checkpoint: Path) -> Any:
    """Every parameter counts for something, and tokens differ enough for attention to tell."""
    torch.manual_seed(1)
    model = load_model(checkpoint)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.fixture
def clips() -> torch.Tensor:
    side = SPEC.image_size
    generator = torch.Generator().manual_seed(2)
    return torch.randn(3, SPEC.num_frames, 3, side, side, generator=generator)


@torch.inference_mode()
def test_it_answers_as_the_model_itself_does(model: Any, clips: torch.Tensor) -> None:
    # Who is asked is the model, also if it becomes another one.
    quick = QuickForward(model)
    clips = clips.double()
    wanted = model.double()(pixel_values=clips).logits
    assert wanted.std(dim=0).min() > 0.01
    torch.testing.assert_close(quick(clips), wanted)


@torch.inference_mode()
def test_more_rows_than_a_kernel_takes_are_answered_in_parts(
    model: Any, clips: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = QuickForward(model)
    wanted = quick(clips)
    monkeypatch.setattr("realtime_mood.model.forward.most_rows", lambda *_: 5)
    asked: list[int] = []
    whole = torch.nn.functional.scaled_dot_product_attention

    def ask(query: torch.Tensor, *others: torch.Tensor, **further: Any) -> torch.Tensor:
        asked.append(len(query))
        return whole(query, *others, **further)

    monkeypatch.setattr("torch.nn.functional.scaled_dot_product_attention", ask)
    torch.testing.assert_close(quick(clips), wanted)
    assert max(asked) == 5
    assert min(asked) < 5


def test_kernels_for_attention_take_as_many_rows_as_their_numbers_hold() -> None:
    # The large model's attention over time in bfloat16: 109 clips of 196 patches, not 112.
    assert 109 * 196 < most_rows(12, 8, 64) < 112 * 196
    assert most_rows(1, 8, 16) == 65535
    assert most_rows(64, 4096, 4096) == 1


@torch.inference_mode()
@pytest.mark.parametrize("kind", ["space_only", "joint_space_time"])
def test_attention_that_is_not_divided_is_the_models_own(
    model: Any, clips: torch.Tensor, kind: str
) -> None:
    config = type(model.config)(**{**model.config.to_dict(), "attention_type": kind})
    other = type(model)(config).eval()
    assert torch.equal(QuickForward(other)(clips), other(pixel_values=clips).logits)


@torch.inference_mode()
def test_what_nothing_depends_on_is_not_computed(
    model: Any, clips: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = model.timesformer.encoder.layer
    assert len(layers) > 3
    for number in (0, 1, 2):
        torch.nn.init.zeros_(layers[number].temporal_dense.weight)
        torch.nn.init.zeros_(layers[number].temporal_dense.bias)
    # Either alone is not nothing.
    torch.nn.init.ones_(layers[1].temporal_dense.bias)
    torch.nn.init.zeros_(layers[3].temporal_dense.bias)
    wanted = model(pixel_values=clips).logits
    seen: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Any:
        return lambda _, given: seen.update({name: tuple(given[0].shape)})

    for number, layer in enumerate(layers):
        layer.temporal_dense.register_forward_pre_hook(note(f"time {number}"))
        layer.intermediate.register_forward_pre_hook(note(f"tokens {number}"))
    asked: list[int] = []
    fused = torch.nn.functional.scaled_dot_product_attention

    def count(query: torch.Tensor, *others: Any, **options: Any) -> torch.Tensor:
        asked.append(query.shape[2])
        return fused(query, *others, **options)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", count)
    found = QuickForward(model)(clips)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
    assert asked[-1] == 1
    assert 1 not in asked[:-1]
    times = {name for name in seen if name.startswith("time")}
    assert times == {"time 1", *(f"time {number}" for number in range(3, len(layers)))}
    width = model.config.hidden_size
    patches = (SPEC.image_size // model.config.patch_size) ** 2 * SPEC.num_frames
    assert seen["tokens 0"] == (len(clips), 1 + patches, width)
    assert seen[f"tokens {len(layers) - 1}"] == (len(clips), 1, width)
