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
    assert after[SAD] == pytest.approx(MOST_AT_REST * (after[NEUTRAL] + after[CALM]))
    assert LABELS[int(after.argmax())] == "neutral"
    # Between those that are not too likely at rest nothing changes.
    assert after[HAPPY] / after[NEUTRAL] == pytest.approx(rest[HAPPY] / rest[NEUTRAL])
    assert after[CALM] / after[NEUTRAL] == pytest.approx(rest[CALM] / rest[NEUTRAL])


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


def test_what_was_never_seen_at_rest_divides_by_nothing() -> None:
    certain = np.zeros(len(LABELS))
    certain[NEUTRAL] = 1.0
    assert NeutralFace.learn([certain]).factors == (1.0,) * len(LABELS)
