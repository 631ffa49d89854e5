"""Whether a face that talks is called what it is called when it does not.

    python benchmarks/talking_pictures.py faces.npz RAVDESS YUNET_FILE CACHE [--model DIR]
        [--output FILE]

Labelled video of real faces that talk is rare. Some held-out pictures of faces in the wild are made
to talk: warped as the landmarks of recorded faces move, of people that the default checkpoint did
not learn from (see `trainer.reanimate`). Once quietly, as those called calm or neutral do, once as
those do that are called what the picture is called. What is measured is the share of single clips
whose likeliest label is the picture's, talking and still, and of pictures that are called so by the
mean of `VIEWS` such clips, as a recording is; a neutral face may be called calm too.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from benchmarks.steady_motion import TEST_ACTORS, UNCHANGED, make_cutter, tell  # noqa: E402
from realtime_mood.model.checkpoint import (  # noqa: E402
    load_model,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.model.clip_spec import ClipSpec  # noqa: E402
from realtime_mood.model.forward import QuickForward  # noqa: E402
from realtime_mood.model.labels import LABELS  # noqa: E402
from trainer.augment import PAD  # noqa: E402
from trainer.corpora.images import index_images  # noqa: E402
from trainer.corpora.ravdess import index_folder  # noqa: E402
from trainer.corpora.recording import Recording  # noqa: E402
from trainer.corpora.splits import split_pictures  # noqa: E402
from trainer.crops import FaceCrops, cut_recordings  # noqa: E402
from trainer.dataset import Item, TrainingClips  # noqa: E402
from trainer.landmark_finder import Points  # noqa: E402
from trainer.landmarks import find_landmarks  # noqa: E402
from trainer.metrics import calibration_error  # noqa: E402
from trainer.reanimate import QUIET, Reanimator  # noqa: E402
from trainer.sampler import Draw  # noqa: E402

PICTURES = 1200
"""Drawn; those of faces that are turned away are left out."""
VIEWS = 5
"""Clips of each picture that talks, by any of the recordings."""
BATCH = 32
CALM, NEUTRAL = LABELS.index("calm"), LABELS.index("neutral")


def arguments(about: str | None) -> argparse.ArgumentParser:
    """What names pictures, recordings, the model, and where the result goes."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("yunet", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--model", default=str(ROOT / "assets" / "checkpoint"))
    parser.add_argument("--output", type=Path)
    return parser


def cut_faces(
    asked: argparse.Namespace,
    spec: ClipSpec,
    *,
    pictures: Sequence[Recording],
    actors: Collection[str],
) -> tuple[list[FaceCrops], Points]:
    """Crops of pictures and of some actors' recordings, and the pictures' landmarks."""
    cutter = make_cutter(asked, spec)
    talkers = [r for r in index_folder(asked.recordings).recordings if r.actor in actors]
    crops, _ = cut_recordings(
        [*pictures, *talkers],
        replace(cutter.padded(PAD), finds_landmarks=True),
        num_workers=2,
        timeout_s=120.0,
        progress=tell,
    )
    return crops, find_landmarks(crops, cutter, num_workers=2, progress=tell)


def main() -> None:
    """Measure and print JSON."""
    asked = arguments(__doc__).parse_args()
    folder = locate_checkpoint(asked.model)
    contract, model = read_contract(folder), load_model(folder)
    held_out = split_pictures(index_images(asked.pictures).recordings).test
    order = np.random.default_rng(0).permutation(len(held_out))
    pictures = [held_out[index] for index in order[:PICTURES]]
    crops, landmarks = cut_faces(asked, contract.spec, pictures=pictures, actors=TEST_ACTORS)

    def clips(chosen: Callable[[int], bool], talk: float = 1.0, view: int = 0) -> list[Item]:
        """Of pictures, which talk as the recordings do whose labels are chosen."""
        given = [c.is_still or chosen(c.recording.label) for c in crops]
        reanimator = Reanimator(list(compress(crops, given)), landmarks[given])
        recipe = replace(UNCHANGED, talk=talk)
        made = TrainingClips(crops, contract.spec, recipe=recipe, seed=0, reanimator=reanimator)
        return [made[Draw(index, view, index)] for index in range(len(pictures))]

    def answered(items: list[Item]) -> npt.NDArray[np.float64]:
        return answer(model, [item["pixel_values"] for item in items], contract.temperature)

    def talking(
        chosen: Callable[[int], bool],
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        """Which pictures talk, and the answers to each view of all, shape (VIEWS, pictures, 8)."""
        views, talks = [], np.zeros(len(pictures), dtype=bool)
        for view in range(VIEWS):
            items = clips(chosen, view=view)
            # Of a face that is turned away or was not found, no landmarks are right.
            talks = np.array([not item["shown"] for item in items])
            views.append(answered(items))
        return talks, np.stack(views)

    still = clips(lambda label: False, talk=0.0)
    labels, answers_still = np.array([item["labels"] for item in still]), answered(still)
    talks, answers = talking(lambda label: label in QUIET)
    talks_alike, answers_alike = talking(lambda label: label not in QUIET)
    write_result(
        {
            "machine": {"cpu": cpu_name(), "python": platform.python_version()},
            "pictures": int(talks.sum()),
            "talkers": len(crops) - len(pictures),
            "talking_quietly": _measured(answers[0, talks], labels[talks]),
            "talking_quietly_mean": _measured(answers[:, talks].mean(axis=0), labels[talks]),
            "still": _measured(answers_still[talks], labels[talks]),
            "talking_alike": _measured(answers_alike[0, talks_alike], labels[talks_alike]),
            "talking_alike_mean": _measured(
                answers_alike[:, talks_alike].mean(axis=0), labels[talks_alike]
            ),
            "still_of_those_alike": _measured(answers_still[talks_alike], labels[talks_alike]),
        },
        asked.output,
    )


@torch.no_grad()
def answer(
    model: torch.nn.Module, clips: list[torch.Tensor], temperature: float
) -> npt.NDArray[np.float64]:
    """Calibrated probabilities of clips, shape (clips, 8)."""
    found, forward = [], QuickForward(model)
    for start in range(0, len(clips), BATCH):
        logits = forward(torch.stack(clips[start : start + BATCH]))
        found.append((logits.double() / temperature).softmax(dim=-1).numpy())
    return np.concatenate(found)


def _measured(
    probabilities: npt.NDArray[np.float64], labels: npt.NDArray[np.intp]
) -> dict[str, object]:
    answers = probabilities.argmax(axis=1)
    right = (answers == labels) | ((answers == CALM) & (labels == NEUTRAL))
    return {
        "right": round(float(right.mean()), 3),
        "right_by_label": {
            LABELS[label]: round(float(right[labels == label].mean()), 3)
            for label in np.unique(labels)
        },
        "answers": {
            name: round(float((answers == label).mean()), 3) for label, name in enumerate(LABELS)
        },
        "calibration_error": round(calibration_error(probabilities, labels), 3),
    }


if __name__ == "__main__":
    main()
