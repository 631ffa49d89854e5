"""What a face shows at rest is taken off its answers; what it does not show then is left alone."""

import numpy as np
import pytest

from realtime_mood.model.labels import LABEL2ID, LABELS
from realtime_mood.neutral import MOST_AT_REST, NeutralFace

CALM, HAPPY, NEUTRAL, SAD = (LABEL2ID[name] for name in ("calm", "happy", "neutral", "sad"))


def _answer(**shares: float) -> np.ndarray:
    """Probabilities of the labels named; the others share what is left."""
    left = (1.0 - sum(shares.values())) / (len(LABELS) - len(shares))
    return np.array([shares.get(label, left) for label in LABELS])


def test_a_face_that_looks_sad_at_rest_rests_afterwards() -> None:
    rest = _answer(sad=0.6, neutral=0.2, calm=0.08)
    after = NeutralFace.learn([rest]).apply(rest)
    assert after.sum() == pytest.approx(1.0)
    assert after[SAD] == pytest.approx(MOST_AT_REST * after[NEUTRAL])
    assert after[CALM] == pytest.approx(MOST_AT_REST * after[NEUTRAL])
    # Between those that are not too likely at rest nothing changes.
    assert after[HAPPY] / after[NEUTRAL] == pytest.approx(rest[HAPPY] / rest[NEUTRAL])


def test_at_rest_neutral_is_at_least_half_whatever_the_face() -> None:
    for rest in np.random.default_rng(0).dirichlet(np.full(len(LABELS), 0.3), size=500):
        assert NeutralFace.learn([rest]).apply(rest)[NEUTRAL] >= 0.5 - 1e-9


def test_a_face_that_looks_neutral_at_rest_stays_as_it_is() -> None:
    face = NeutralFace.learn([_answer(neutral=0.7)])
    assert face.factors == (1.0,) * len(LABELS)
    smile = _answer(happy=0.9)
    np.testing.assert_allclose(face.apply(smile), smile)


def test_an_expression_that_is_stronger_than_at_rest_is_seen() -> None:
    face = NeutralFace.learn([_answer(sad=0.5, neutral=0.3)])
    assert LABELS[int(face.apply(_answer(sad=0.5, neutral=0.3)).argmax())] == "neutral"
    assert LABELS[int(face.apply(_answer(sad=0.9, neutral=0.05)).argmax())] == "sad"
    assert LABELS[int(face.apply(_answer(happy=0.6, sad=0.2)).argmax())] == "happy"


def test_it_is_learned_from_the_mean_of_the_answers() -> None:
    answers = [_answer(sad=0.9, neutral=0.05), _answer(sad=0.3, neutral=0.6)]
    face = NeutralFace.learn(answers)
    assert face.factors == NeutralFace.learn([np.mean(answers, axis=0)]).factors


@pytest.mark.parametrize("label", LABELS)
def test_a_model_that_is_certain_is_no_exception(label: str) -> None:
    certain = np.zeros(len(LABELS))
    certain[LABEL2ID[label]] = 1.0
    after = NeutralFace.learn([certain]).apply(certain)
    assert after[NEUTRAL] >= 0.5 - 1e-9
    assert after.sum() == pytest.approx(1.0)
