"""Which clips are drawn, how often, and in which order."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from trainer.sampler import ClipSampler, Draw, draw_order, draw_weights


def draws(sampler: ClipSampler, epoch: int = 0) -> list[Draw]:
    sampler.epoch = epoch
    return list(sampler)


def test_equal_weights_draw_everybody_once() -> None:
    order = draw_order(np.ones(50), 50, np.random.default_rng(0))
    assert sorted(order) == list(range(50))
    assert list(order) != list(range(50))


def test_weights_are_met_give_or_take_one() -> None:
    weights = np.array([0.5, 1.0, 2.5, 4.0])
    counts = Counter(draw_order(weights, 80, np.random.default_rng(3)).tolist())
    expected = 80 * weights / weights.sum()
    for index, wanted in enumerate(expected):
        assert abs(counts[index] - wanted) < 1.0


@pytest.mark.parametrize(("balance", "rare_share"), [(0.0, 0.1), (0.5, 0.25), (1.0, 0.5)])
def test_balance_lifts_the_rare_label(balance: float, rare_share: float) -> None:
    labels = [0] * 90 + [1] * 10
    weights = draw_weights(labels, [1.0] * 100, corpora=["one"] * 100, balance=balance)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[90:].sum() / 100 == pytest.approx(rare_share, abs=0.01)


def test_a_corpus_that_counts_twice_is_drawn_twice_as_often() -> None:
    weights = draw_weights([3, 3, 3], [2.0, 1.0, 1.0], corpora=["one"] * 3, balance=1.0)
    assert weights[0] == pytest.approx(2 * weights[1])


def test_epochs_are_whole_batches_that_differ_and_repeat_with_the_seed() -> None:
    sampler = ClipSampler(np.ones(10), batch_size=4, repeats=1, seed=7)
    first = draws(sampler)
    assert len(sampler) == len(first) == 12
    assert {draw.index for draw in first} == set(range(10))
    assert [draw.position for draw in first] == list(range(12))
    assert first == draws(ClipSampler(np.ones(10), batch_size=4, repeats=1, seed=7))
    assert [d.index for d in first] != [d.index for d in draws(sampler, epoch=1)]
    assert [d.index for d in first] != [
        d.index for d in draws(ClipSampler(np.ones(10), batch_size=4, repeats=1, seed=8))
    ]


def test_repeats_of_a_recording_are_in_one_batch_but_not_beside_each_other() -> None:
    found = draws(ClipSampler(np.ones(8), batch_size=8, repeats=2, seed=0))
    assert len(found) == 16
    for start in (0, 8):
        batch = [draw.index for draw in found[start : start + 8]]
        assert set(Counter(batch).values()) == {2}
        assert all(a != b for a, b in zip(batch[::2], batch[1::2], strict=True))


@pytest.mark.parametrize("balance", [0.5, 1.0])
def test_a_label_that_another_corpus_lacks_is_not_drawn_more_often(balance: float) -> None:
    labels = [0] * 50 + [1] * 50 + [0] * 900
    weights = [1.0] * 100 + [0.5] * 900
    corpora = ["one"] * 100 + ["other"] * 900
    drawn = draw_weights(labels, weights, corpora=corpora, balance=balance)
    # Within the first corpus, labels are as frequent as each other, whatever is beside it.
    assert drawn[50:100].sum() == pytest.approx(drawn[:50].sum())
    # Each corpus is drawn as often as its recordings are wanted.
    assert drawn[:100].sum() / drawn.sum() == pytest.approx(100 / 550)
