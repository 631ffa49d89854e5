"""Recordings that were answered wrongly, as strips of the frames that the model saw."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import LABELS
from trainer.clip_times import fixed_ends_s
from trainer.crops import FaceCrops
from trainer.dataset import read_clip
from trainer.predictions import Predictions
from trainer.report.page import Example

MOST_EXAMPLES = 16
MOST_OF_A_PAIR = 2
"""Examples of one true label taken for one other."""
FRAME_PX = 84
JPEG_QUALITY = 85
BARS = 4


def wrong_examples(
    predictions: Predictions, recordings: Sequence[FaceCrops], spec: ClipSpec
) -> tuple[Example, ...]:
    """The recordings with the surest wrong answers, not too many of one kind.

    Args:
        predictions: of the recordings, in their order.
        recordings: their crops are exactly the spec's.
        spec: what a clip is.
    """
    probabilities = predictions.probabilities()
    answers = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != predictions.labels)
    order = wrong[np.argsort(-probabilities[wrong, answers[wrong]], kind="stable")]
    seen: dict[tuple[int, int], int] = {}
    examples: list[Example] = []
    for index in order:
        pair = (int(predictions.labels[index]), int(answers[index]))
        seen[pair] = seen.get(pair, 0) + 1
        if seen[pair] > MOST_OF_A_PAIR or len(examples) == MOST_EXAMPLES:
            continue
        likeliest = np.argsort(-probabilities[index], kind="stable")[:BARS]
        examples.append(
            Example(
                name=predictions.names[index],
                actor=_actor(str(predictions.actors[index])),
                truth=LABELS[pair[0]],
                answer=LABELS[pair[1]],
                bars=tuple((LABELS[n], float(probabilities[index, n])) for n in likeliest),
                jpeg=film_strip(
                    recordings[index],
                    spec,
                    end_s=telling_end_s(predictions, index, recordings[index], spec),
                ),
            )
        )
    return tuple(examples)


def telling_end_s(predictions: Predictions, index: int, crops: FaceCrops, spec: ClipSpec) -> float:
    """When the clip of a recording ends that speaks most for its answer, seconds.

    Args:
        predictions: of several recordings.
        index: which of them.
        crops: its crops.
        spec: what a clip is.
    """
    answer = predictions.probabilities()[index].argmax()
    clip = predictions.clip_probabilities()[index, :, answer].argmax()
    return float(fixed_ends_s(crops.times_s, spec, predictions.logits.shape[1])[clip])


def film_strip(crops: FaceCrops, spec: ClipSpec, *, end_s: float) -> bytes:
    """The frames of a clip side by side, oldest first, as JPEG."""
    frames = read_clip(crops, spec, end_s=end_s)
    if crops.is_still:
        frames = frames[:1]
    size = (FRAME_PX, FRAME_PX)
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
    strip = np.concatenate(small, axis=1)
    if crops.is_still:
        padded = np.full((FRAME_PX, 5 * FRAME_PX, 3), 127, dtype=np.uint8)
        padded[:, :FRAME_PX] = strip
        strip = padded
    done, jpeg = cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done
    return jpeg.tobytes()


def _actor(actor: str) -> str:
    corpus, _, name = actor.partition(":")
    return "a picture" if corpus == "images" else f"{corpus} actor {name}"
