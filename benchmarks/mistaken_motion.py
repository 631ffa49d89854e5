"""Draws recordings that a checkpoint names wrong beside such that it names right, as landmarks.

    python benchmarks/mistaken_motion.py RAVDESS YUNET_FILE CACHE --predictions FILE --output PNG

FILE is the predictions.npz of `trainer evaluate --report`. Of each pair of labels that is confused
the surest mistake is drawn, by the clip that speaks most for it: where the 68 landmarks that dlib
finds lie in the clip's frames, the head held still, how far they are from where they lie in the
recording on average (grey) drawn twice as large.
No picture of anybody is in it. Cutting the crops takes four minutes, once.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.steady_motion import SPEC, TEST_ACTORS, arguments, cut  # noqa: E402
from realtime_mood.model.checkpoint import read_contract  # noqa: E402
from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps, nearest_indices  # noqa: E402
from realtime_mood.model.labels import LABELS  # noqa: E402
from trainer.crops import FaceCrops  # noqa: E402
from trainer.landmark_finder import Points  # noqa: E402
from trainer.motion import against_the_head  # noqa: E402
from trainer.predictions import Predictions  # noqa: E402
from trainer.report.strips import telling_end_s  # noqa: E402
from trainer.report.theme import LIGHT, Theme, new_figure, to_png  # noqa: E402

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHECKPOINT = ROOT / "assets" / "checkpoint"
ROWS = (
    ("calm", "calm"),
    ("neutral", "calm"),
    ("sad", "calm"),
    ("surprised", "surprised"),
    ("fearful", "surprised"),
    ("sad", "surprised"),
)
"""True label and answer."""
MAGNIFIED = 2.0
COLOURS = 32
"""A quarter of the bytes."""
EYES = ((36, 37, 38, 39, 40, 41, 36), (42, 43, 44, 45, 46, 47, 42))
LIPS = ((*range(48, 60), 48), (*range(60, 68), 60))
OPEN_LINES = (range(17), range(17, 22), range(22, 27), range(27, 31), range(31, 36))
LINES = (*OPEN_LINES, *EYES, *LIPS)
"""Landmarks of iBUG 300-W that make the jaw, the brows, the nose, the eyes and the lips."""


def surest(predictions: Predictions, truth: str, answer: str) -> int:
    """The test recording of this label whose answer it is with the highest probability."""
    probabilities = predictions.probabilities()
    is_one = (
        np.isin(predictions.actors, TEST_ACTORS)
        & (predictions.labels == LABELS.index(truth))
        & (probabilities.argmax(axis=1) == LABELS.index(answer))
    )
    return int(np.where(is_one, probabilities[:, LABELS.index(answer)], -1.0).argmax())


def clip_of(
    crops: FaceCrops, predictions: Predictions, index: int, spec: ClipSpec
) -> tuple[Points, Points]:
    """The recording's mean face, and those of the clip that speaks most for its answer."""
    assert crops.landmarks_file is not None
    moments = clip_timestamps(spec, end_s=telling_end_s(predictions, index, crops, spec))
    face = against_the_head(np.load(crops.landmarks_file))
    return face.mean(axis=0), face[nearest_indices(crops.times_s, moments)]


def draw_face(axes: Axes, points: Points, colour: str, width: float) -> None:
    """Lines between the landmarks of one face."""
    for line in LINES:
        part = points[list(line)]
        axes.plot(part[:, 0], -part[:, 1], color=colour, linewidth=width)


def draw(theme: Theme, rows: Sequence[tuple[str, bool, Points, Points]], spec: ClipSpec) -> Figure:
    """A row for each clip: its name, whether it is right, the mean face and the clip's faces."""
    figure = new_figure(theme, 9.0, 7.8, hspace=0.14)
    layout = figure.get_layout_engine()
    assert layout is not None
    # Room for the first row's name.
    layout.set(rect=(0.0, 0.0, 1.0, 0.97))
    grid = figure.subplots(len(rows), spec.num_frames, sharex=True, sharey=True)
    ago_s = clip_timestamps(spec, end_s=0.0)
    for axes_of_row, (name, is_right, mean, faces) in zip(grid, rows, strict=True):
        for axes, face in zip(axes_of_row, faces, strict=True):
            axes.set_aspect("equal")
            axes.axis("off")
            draw_face(axes, mean, theme.grid, 0.9)
            colour = theme.main if is_right else theme.wrong
            draw_face(axes, mean + MAGNIFIED * (face - mean), colour, 1.1)
        first = axes_of_row[0]
        first.text(
            0.0,
            1.06,
            name,
            transform=first.transAxes,
            fontsize=9.5,
            color=theme.text,
            in_layout=False,
        )
    for axes, second in zip(grid[-1], ago_s, strict=True):
        words = "now" if second == 0 else f"{-second:.1f} s before"
        axes.text(
            *(0.5, -0.06), words, transform=axes.transAxes, ha="center", va="top", fontsize=8,
            color=theme.quiet,
        )  # fmt: skip
    return figure


def main() -> None:
    """Draw and write the picture."""
    parser = arguments(__doc__)
    parser.add_argument("--predictions", type=Path, required=True)
    asked = parser.parse_args()
    predictions = Predictions.load(asked.predictions)
    spec = read_contract(CHECKPOINT).spec
    found = {
        crops.recording.name: crops
        for crops in cut(asked, replace(SPEC, steady=True), actors=TEST_ACTORS)
    }
    rows = []
    for truth, answer in ROWS:
        index = surest(predictions, truth, answer)
        crops = found[predictions.names[index]]
        sure = predictions.probabilities()[index].max()
        is_right = truth == answer
        name = f"{truth}, named so" if is_right else f"{truth}, taken for {answer}"
        words = f"{name} ({sure:.0%}; actor {crops.recording.actor.rpartition(':')[2]})"
        rows.append((words, is_right, *clip_of(crops, predictions, index, spec)))
    picture = Image.open(io.BytesIO(to_png(lambda theme: draw(theme, rows, spec), LIGHT)))
    picture.convert("RGB").quantize(COLOURS).save(asked.output, optimize=True)


if __name__ == "__main__":
    main()
