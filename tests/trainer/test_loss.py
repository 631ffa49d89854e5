"""What a clip could not have been called is left out of its softmax."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from trainer.augment.mix import mix_pairs
from trainer.config import RecipeConfig
from trainer.loss import batch_loss, label_loss, taught_loss

LABELS = 8
CALM = 1


def batch(count: int = 4) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "pixel_values": torch.randn(count, 2, 3, 8, 8, generator=generator),
        "labels": torch.tensor([0, 4, 2, 7, 5][:count]),
        "known_labels": torch.ones(count, LABELS, dtype=torch.bool),
        "keys": torch.arange(count) + 100,
    }


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_with_all_labels_known_it_is_ordinary_cross_entropy(smoothing: float) -> None:
    logits = torch.randn(4, LABELS, generator=torch.Generator().manual_seed(1))
    expected = functional.cross_entropy(logits, batch()["labels"], label_smoothing=smoothing)
    torch.testing.assert_close(batch_loss(logits, batch(), smoothing=smoothing), expected)


def test_what_nobody_could_tell_may_be_anything() -> None:
    logits = torch.zeros(4, LABELS, requires_grad=True)
    hidden = torch.tensor([True, True, False, False])[:, None]
    batch_loss(logits, batch(), smoothing=torch.where(hidden, 1.0, 0.1)).backward()
    assert logits.grad is not None
    # All labels alike is what is wanted of the first two, whatever they are called.
    torch.testing.assert_close(logits.grad[:2], torch.zeros(2, LABELS))
    assert (logits.grad[2:].abs().sum(dim=1) > 0.1).all()


def test_a_corpus_without_calm_says_nothing_about_calm() -> None:
    items = batch()
    items["known_labels"][:, CALM] = False
    logits = torch.zeros(4, LABELS, requires_grad=True)
    batch_loss(logits, items, smoothing=0.1).backward()
    assert logits.grad is not None
    assert not logits.grad[:, CALM].any()
    assert logits.grad[:, 0].any()
    with torch.no_grad():
        before = batch_loss(logits, items, smoothing=0.1)
        logits[:, CALM] = 50.0
        torch.testing.assert_close(batch_loss(logits, items, smoothing=0.1), before)


def test_a_teacher_is_followed_in_what_it_knows() -> None:
    generator = torch.Generator().manual_seed(2)
    taught = torch.randn(3, LABELS, generator=generator)
    known = torch.ones(3, LABELS, dtype=torch.bool)
    known[0, CALM] = False
    # The third has but one label: nothing is asked of it.
    known[2] = False
    known[2, 4] = True
    logits = torch.zeros(3, LABELS, requires_grad=True)
    shown = torch.tensor([True, False, True])
    optimizer = torch.optim.SGD([logits], lr=10.0)
    for _ in range(2000):
        optimizer.zero_grad()
        taught_loss(logits, taught, known, shown=shown).backward()
        optimizer.step()
    others = [label for label in range(LABELS) if label != CALM]
    found = logits.detach()
    torch.testing.assert_close(
        found[0, others].softmax(-1), taught[0, others].softmax(-1), rtol=0.0, atol=1e-4
    )
    assert found[0, CALM] == 0.0
    assert not found[1:].any()
    # Of all that are shown, the second too.
    taught_loss(logits, taught, known, shown=torch.ones(3, dtype=torch.bool)).backward()
    assert logits.grad is not None
    assert logits.grad[1].any()


def test_soft_targets() -> None:
    logits = torch.tensor([[2.0, 0.0, 1.0]])
    targets = torch.tensor([[0.25, 0.0, 0.75]])
    known = torch.tensor([[True, False, True]])
    expected = -(0.25 * torch.tensor([2.0, 1.0]).log_softmax(0)[0]) - (
        0.75 * torch.tensor([2.0, 1.0]).log_softmax(0)[1]
    )
    torch.testing.assert_close(label_loss(logits, targets, known)[0], expected)


def test_mixup_mixes_pictures_and_losses_in_the_same_shares() -> None:
    items, plain = batch(), batch()
    mixed = mix_pairs(items, RecipeConfig(mixup=0.8))
    share = mixed["own_share"]
    assert share[0] == share[1]
    assert share[0] != share[2]
    expected = share[0] * plain["pixel_values"][0] + (1 - share[0]) * plain["pixel_values"][1]
    torch.testing.assert_close(mixed["pixel_values"][0], expected)
    assert mixed["other_labels"].tolist() == [4, 0, 7, 2]
    # With all labels known, the mean of two losses is the loss of the mixed target.
    logits = torch.randn(4, LABELS, generator=torch.Generator().manual_seed(1))
    own = functional.one_hot(plain["labels"], LABELS)
    other = functional.one_hot(mixed["other_labels"], LABELS)
    soft = share[:, None] * own + (1 - share[:, None]) * other
    torch.testing.assert_close(
        batch_loss(logits, mixed), functional.cross_entropy(logits, soft.float())
    )


def test_cutmix_shares_are_areas() -> None:
    items, plain = batch(), batch()
    mixed = mix_pairs(items, RecipeConfig(cutmix=1.0))
    for index, other in ((0, 1), (1, 0), (2, 3), (3, 2)):
        is_own = mixed["pixel_values"][index] == plain["pixel_values"][index]
        is_other = mixed["pixel_values"][index] == plain["pixel_values"][other]
        assert (is_own | is_other).all()
        assert is_own.float().mean() == pytest.approx(float(mixed["own_share"][index]))


def test_pairs_are_mixed_alike_wherever_they_are() -> None:
    recipe = RecipeConfig(mixup=0.8, cutmix=1.0)
    together = mix_pairs(batch(), recipe)
    apart = mix_pairs({name: values[2:] for name, values in batch().items()}, recipe)
    for name, values in apart.items():
        torch.testing.assert_close(values, together[name][2:])


def test_an_odd_clip_and_those_beyond_the_share_stay_as_they_are() -> None:
    mixed = mix_pairs(batch(5), RecipeConfig(mixup=0.8))
    assert mixed["own_share"][4] == 1.0
    torch.testing.assert_close(mixed["pixel_values"][4], batch(5)["pixel_values"][4])
    none = mix_pairs(batch(), replace(RecipeConfig(mixup=0.8), mix_share=0.0))
    assert none["own_share"].tolist() == [1.0] * 4
