"""What it is worth to tell the runtime that a face rests (`realtime_mood.neutral`).

    python benchmarks/neutral_face.py faces.npz RAVDESS YUNET_FILE CACHE [--model DIR]
        [--output FILE]

Pictures of neutral faces in the wild are warped as the landmarks of recorded faces move, once by
each of the eight expressions. Of faces that are named calm or neutral at rest, and of those that
are not, it is measured how often a single clip is named as its motion is (calm and neutral count as
one), and how often a label is so likely that it is shown and is right, or not: as it is, and with
what the still picture says learned as its neutral face, for several measures of what is allowed at
rest. Such motion shows little; what a strong expression would be called on a face that was learned,
pictures of other people tell, each weighed as one of the faces that are named wrong at rest.
`validation` is of the pictures that choose epochs, with the two people that do so, `held_out` of
those held out, with four others.
"""

from __future__ import annotations

import argparse
import platform
import sys
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from benchmarks.steady_motion import TEST_ACTORS, UNCHANGED, VALIDATION_ACTORS  # noqa: E402
from benchmarks.talking_pictures import answer, arguments, cut_faces  # noqa: E402
from realtime_mood.model.checkpoint import (  # noqa: E402
    Contract,
    load_model,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.model.labels import LABELS  # noqa: E402
from realtime_mood.neutral import MOST_AT_REST, NEUTRAL, NeutralFace  # noqa: E402
from realtime_mood.smoothing import SmoothingConfig  # noqa: E402
from trainer.corpora.images import index_images  # noqa: E402
from trainer.corpora.recording import Recording  # noqa: E402
from trainer.corpora.splits import split_pictures  # noqa: E402
from trainer.crops import FaceCrops  # noqa: E402
from trainer.dataset import TrainingClips  # noqa: E402
from trainer.landmark_finder import Points  # noqa: E402
from trainer.reanimate import Reanimator  # noqa: E402
from trainer.sampler import Draw  # noqa: E402

PICTURES = 400
"""Of neutral faces, at most; those of faces that are turned away are left out."""
EXPRESSIONS = 900
"""Pictures of faces that are not neutral, at most."""
ALLOWED = (1.0, 0.5, 0.25, MOST_AT_REST, MOST_AT_REST / 2)
"""Of another label at rest, in parts of neutral."""
ALIKE = (LABELS.index("calm"), NEUTRAL)
"""Motion does not tell these apart."""
SHOWN = SmoothingConfig().enter_threshold

Array = npt.NDArray[np.float64]


def main() -> None:
    """Measure and print JSON."""
    asked = arguments(__doc__).parse_args()
    split = split_pictures(index_images(asked.pictures).recordings)
    groups = {
        "validation": _answers(asked, split.validation, VALIDATION_ACTORS),
        "held_out": _answers(asked, split.test, TEST_ACTORS),
    }
    write_result(
        {
            "machine": {"cpu": cpu_name(), "python": platform.python_version()},
            **{name: _compared(answers) for name, answers in groups.items()},
        },
        asked.output,
    )


@dataclass(frozen=True)
class _Answers:
    at_rest: Array
    """Of neutral pictures, shape (pictures, 8)."""
    moving: Array
    """Of the same, moved by recordings of each label, shape (8, pictures, 8)."""
    expressions: Array
    """Of pictures that are not neutral, shape (others, 8)."""
    labels: npt.NDArray[np.intp]
    """What these are called, shape (others,)."""


def _answers(
    asked: argparse.Namespace, pictures: tuple[Recording, ...], actors: tuple[str, ...]
) -> _Answers:
    folder = locate_checkpoint(asked.model)
    contract, model = read_contract(folder), load_model(folder)
    rng = np.random.default_rng(0)
    neutral, others = (
        [p for p in pictures if (p.label == NEUTRAL) == is_neutral] for is_neutral in (True, False)
    )
    drawn, strong = (
        [group[index] for index in rng.permutation(len(group))[:most]]
        for group, most in ((neutral, PICTURES), (others, EXPRESSIONS))
    )
    crops, landmarks = cut_faces(asked, contract.spec, pictures=drawn, actors=actors)
    still, _ = _clips(crops, landmarks, contract, label=None)
    moved = [_clips(crops, landmarks, contract, label=label) for label in range(len(LABELS))]
    # Of a face that is turned away or was not found, no landmarks are right.
    used = np.logical_and.reduce([moves for _, moves in moved])
    at_rest = answer(model, list(compress(still, used)), contract.temperature)
    moving = [answer(model, list(compress(c, used)), contract.temperature) for c, _ in moved]
    seen, unknown = cut_faces(asked, contract.spec, pictures=strong, actors=())
    stills, _ = _clips(seen, unknown, contract, label=None)
    return _Answers(
        at_rest,
        np.stack(moving),
        answer(model, stills, contract.temperature),
        np.array([c.recording.label for c in seen]),
    )


def _clips(
    crops: list[FaceCrops], landmarks: Points, contract: Contract, *, label: int | None
) -> tuple[list[torch.Tensor], npt.NDArray[np.bool_]]:
    """A clip of each picture that moves as recordings of a label do, or of none; and which do."""
    pictures = sum(c.is_still for c in crops)
    given = [c.is_still or c.recording.label == label for c in crops]
    # Pictures move with their own label alone if no others are given.
    called = [
        c if label is None else replace(c, recording=replace(c.recording, label=label))
        for c in crops
    ]
    reanimator = Reanimator(list(compress(called, given)), landmarks[given])
    recipe = replace(UNCHANGED, talk=0.0 if label is None else 1.0)
    made = TrainingClips(called, contract.spec, recipe=recipe, seed=0, reanimator=reanimator)
    items = [made[Draw(index, 0, index)] for index in range(pictures)]
    moves = np.array([not item["shown"] for item in items])
    return [item["pixel_values"] for item in items], moves


def _compared(answers: _Answers) -> dict[str, object]:
    at_rest, moving = answers.at_rest, answers.moving
    is_right = np.isin(at_rest.argmax(axis=1), ALIKE)
    wrong = np.flatnonzero(~is_right)
    others = np.random.default_rng(0).choice(wrong, len(answers.labels))
    figures: dict[str, object] = {
        "as_it_is": _measured(is_right, moving) | _strong(answers.expressions, answers.labels)
    }
    for most in ALLOWED:
        faces = [NeutralFace.learn(one[None], most=most) for one in at_rest]
        moves = np.stack([face.apply(moving[:, i]) for i, face in enumerate(faces)], axis=1)
        seen = zip(others, answers.expressions, strict=True)
        strong = np.stack([faces[other].apply(one) for other, one in seen])
        figures[f"allowed {most:.3f}"] = _measured(is_right, moves) | _strong(
            strong, answers.labels
        )
    return figures


def _strong(answers: Array, labels: npt.NDArray[np.intp]) -> dict[str, object]:
    """Of pictures that are not neutral."""
    right = answers.argmax(axis=1) == labels
    return {
        "strong_expressions": {
            "pictures": len(labels),
            "named_right": round(float(right.mean()), 3),
            "named_right_by_label": {
                LABELS[label]: round(float(right[labels == label].mean()), 3)
                for label in np.unique(labels)
            },
        }
    }


def _measured(is_right: npt.NDArray[np.bool_], moving: Array) -> dict[str, object]:
    """Of faces that are named right at rest as it is, and of the others."""
    answers = moving.argmax(axis=2)
    true = np.arange(len(LABELS))[:, None]
    is_quiet = np.isin(true, ALIKE)
    named = (answers == true) | (np.isin(answers, ALIKE) & is_quiet)
    shown = moving.max(axis=2) >= SHOWN

    def figures(faces: npt.NDArray[np.bool_]) -> dict[str, object]:
        by_label = named[:, faces].mean(axis=1)
        wrong = (shown & ~named)[:, faces]
        rests = np.isin(answers[:, faces], ALIKE)
        return {
            "faces": int(faces.sum()),
            "named_right": round(float(by_label.mean()), 3),
            "named_right_of_expressions": round(float(by_label[~is_quiet[:, 0]].mean()), 3),
            "named_right_by_label": {
                label: round(float(share), 3) for label, share in zip(LABELS, by_label, strict=True)
            },
            "quiet_and_shown_so": round(float((shown & named)[is_quiet[:, 0]][:, faces].mean()), 3),
            "shown_and_right": round(float((shown & named)[:, faces].mean()), 3),
            "shown_neutral_or_calm_and_wrong": round(float((wrong & rests).mean()), 3),
            "shown_another_and_wrong": round(float((wrong & ~rests).mean()), 3),
        }

    return {"right_at_rest": figures(is_right), "wrong_at_rest": figures(~is_right)}


if __name__ == "__main__":
    main()
