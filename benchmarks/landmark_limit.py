"""What a linear model of the true motion of landmarks knows of recordings of people never seen.

    python benchmarks/landmark_limit.py RAVDESS YUNET_FILE CACHE [--output FILE]

A linear classifier (logistic regression) of how the 68 landmarks that dlib finds move against the
head, fitted to all actors but four, measured on those, for each four in turn. What it is given:

- of whole recordings, landmarks at 20 moments from beginning to end, in order, besides how far each
  moves: what is said when is the same in all recordings of a sentence, and tells much;
- of whole recordings, how far each landmark moves;
- of clips as the runtime makes them, evenly spread and so beginning anywhere in what is said, the
  same; a recording's answer is the mean of its clips' probabilities;
- that of fewer people;
- of such clips, where landmarks are against those of the recording's first frames, of another
  recording of the same person, and of all recordings of the person on average, which nobody has
  before a camera.

A baseline for models that see pixels: what whole recordings tell by their order, no clip does.
Cutting the crops takes a quarter of an hour, once.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from benchmarks.steady_motion import SPEC, arguments, cut  # noqa: E402
from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps, nearest_indices  # noqa: E402
from realtime_mood.model.labels import LABELS  # noqa: E402
from trainer.clip_times import fixed_ends_s  # noqa: E402
from trainer.motion import against_the_head  # noqa: E402

TEST_ACTORS = 4
MOMENTS = 20
CLIPS = 6
"""Of each recording, evenly spread."""
CLIP_SPECS = {
    "0.7 s": replace(SPEC, frame_interval_s=0.1),
    "1.4 s": replace(SPEC, frame_interval_s=0.2),
    "2.8 s": replace(SPEC, frame_interval_s=0.4),
    "1.8 s, growing intervals": replace(SPEC, frame_interval_s=0.1, interval_growth=1.3),
    "2.9 s, growing intervals": replace(SPEC, frame_interval_s=0.12, interval_growth=1.4),
}
CLIPS_OF_PEOPLE = "1.8 s, growing intervals"
PEOPLE = (6, 10, 13)
DRAWS = 3
"""Of fewer people."""
FIRST_FRAMES = 3
"""Of a recording, in which nothing is said yet."""
PENALTY = 0.02
STEPS = 60

Array = npt.NDArray[np.float32]


def spread(face: Array) -> Array:
    """How far landmarks move: deviation, least and most, against their mean."""
    moved = face - face.mean(axis=0)
    return np.concatenate([moved.std(axis=0), moved.min(axis=0), moved.max(axis=0)])


def in_order(face: Array) -> Array:
    """Landmarks at some moments against their mean, and how far they move."""
    moments = np.linspace(0, len(face) - 1, MOMENTS).round().astype(int)
    return np.concatenate([(face[moments] - face.mean(axis=0)).ravel(), spread(face)])


def places(face: Array) -> Array:
    """Where landmarks are: mean, deviation, least and most."""
    return np.concatenate([face.mean(axis=0), face.std(axis=0), face.min(axis=0), face.max(axis=0)])


def clips_of(
    face: Array,
    times_s: npt.NDArray[np.float64],
    spec: ClipSpec,
    told: Callable[[Array], Array] = spread,
) -> Array:
    """What is told of each clip, shape (CLIPS, …)."""
    clips_s = [clip_timestamps(spec, end_s=end_s) for end_s in fixed_ends_s(times_s, spec, CLIPS)]
    return np.stack([told(face[nearest_indices(times_s, clip_s)]) for clip_s in clips_s])


def usual_faces(faces: Sequence[Array], actors: Sequence[str]) -> dict[str, list[Array]]:
    """Of each recording a face of the same person to compare it with, by its name."""
    people: dict[str, list[int]] = {}
    for index, actor in enumerate(actors):
        people.setdefault(actor, []).append(index)
    first = [face[:FIRST_FRAMES].mean(axis=0) for face in faces]
    means = {
        actor: np.concatenate([faces[index] for index in indices]).mean(axis=0)
        for actor, indices in people.items()
    }
    rng = np.random.default_rng(0)
    others = [
        rng.choice([other for other in people[actor] if other != index])
        for index, actor in enumerate(actors)
    ]
    return {
        "first frames": first,
        "first frames of another recording": [first[other] for other in others],
        "mean of the person": [means[actor] for actor in actors],
    }


def fit_classifier(seen: Array, labels: npt.NDArray[np.int64]) -> Callable[[Array], Array]:
    """Logistic regression of what is seen, each in units of its spread."""
    mean, size = seen.mean(axis=0), seen.std(axis=0) + 1e-6
    inputs, wanted = torch.from_numpy((seen - mean) / size), torch.from_numpy(labels)
    weights = torch.zeros(seen.shape[1], len(LABELS), requires_grad=True)
    bias = torch.zeros(len(LABELS), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        off = functional.cross_entropy(inputs @ weights + bias, wanted)
        total = off + PENALTY * weights.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]

    def answer(other: Array) -> Array:
        logits = torch.from_numpy((other - mean) / size) @ weights + bias
        return np.asarray(logits.softmax(dim=-1).detach().numpy(), dtype=np.float32)

    return answer


def accuracy(
    seen: Array,
    labels: npt.NDArray[np.int64],
    actors: npt.NDArray[np.str_],
    people: int | None = None,
) -> dict[str, float]:
    """Shares of recordings of people never seen, and of their clips, that are named right.

    Args:
        seen: shape (recordings, clips, …).
        labels: shape (recordings,).
        actors: likewise.
        people: learned from; None: all who are not measured.
    """
    everybody: Sequence[str] = sorted(set(actors.tolist()))
    right: list[tuple[float, float]] = []
    for first in range(0, len(everybody), TEST_ACTORS):
        measured = everybody[first : first + TEST_ACTORS]
        others = [actor for actor in everybody if actor not in measured]
        for draw in range(DRAWS if people else 1):
            known = np.random.default_rng(draw).choice(others, people or len(others), replace=False)
            learned, test = np.isin(actors, known), np.isin(actors, measured)
            answer = fit_classifier(
                seen[learned].reshape(-1, seen.shape[2]),
                np.repeat(labels[learned], seen.shape[1]),
            )
            said = answer(seen[test].reshape(-1, seen.shape[2]))
            said = said.reshape(-1, seen.shape[1], len(LABELS))
            one = said.argmax(axis=2) == labels[test][:, None]
            mean = said.mean(axis=1).argmax(axis=1) == labels[test]
            right.append((float(mean.mean()), float(one.mean())))
    recordings_right, clips_right = np.mean(right, axis=0)
    return {"recordings": round(recordings_right, 3), "single_clips": round(clips_right, 3)}


def main() -> None:
    """Measure and print JSON."""
    asked = arguments(__doc__).parse_args()
    faces, times_s, labelled = [], [], []
    for crops in cut(asked, replace(SPEC, steady=True)):
        if crops.landmarks_file is not None:
            face = against_the_head(np.load(crops.landmarks_file))
            faces.append(face.reshape(len(face), -1))
            times_s.append(crops.times_s)
            labelled.append(crops.recording)
    labels = np.array([recording.label for recording in labelled])
    actors = np.array([recording.actor for recording in labelled])

    def measure(seen: list[Array], people: int | None = None) -> dict[str, float]:
        return accuracy(np.stack(seen), labels, actors, people)

    clips = {
        name: [clips_of(face, times, spec) for face, times in zip(faces, times_s, strict=True)]
        for name, spec in CLIP_SPECS.items()
    }
    spec = CLIP_SPECS[CLIPS_OF_PEOPLE]
    against = {
        name: [
            clips_of(face - usual, times, spec, places)
            for face, usual, times in zip(faces, found_faces, times_s, strict=True)
        ]
        for name, found_faces in usual_faces(faces, actors.tolist()).items()
    }
    result: dict[str, object] = {
        "machine": {"cpu": cpu_name(), "python": platform.python_version()},
        "recordings": len(faces),
        "whole_recordings_in_order": measure([in_order(face)[None] for face in faces]),
        "whole_recordings": measure([spread(face)[None] for face in faces]),
        "clips": {name: measure(seen) for name, seen in clips.items()},
        f"clips of {CLIPS_OF_PEOPLE}, by people": {
            str(people): measure(clips[CLIPS_OF_PEOPLE], people) for people in PEOPLE
        },
        f"clips of {CLIPS_OF_PEOPLE}, against": {
            name: measure(seen) for name, seen in against.items()
        },
    }
    write_result(result, asked.output)


if __name__ == "__main__":
    main()
