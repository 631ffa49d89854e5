"""The bars of the panel: each one beside its own word, and as long as it is likely."""

import numpy as np
import pytest

from realtime_mood.faces.box import Box
from realtime_mood.model.labels import LABELS
from realtime_mood.overlay.geometry import Rect, Scale
from realtime_mood.overlay.mood import draw_panel, panel_variants
from realtime_mood.overlay.palette import LABEL_COLOURS, WHITE
from realtime_mood.overlay.text import Run, baseline_in, draw_line
from realtime_mood.smoothing import MoodState
from realtime_mood.view import FaceView

SIZES = panel_variants(Scale(1280, 720), titled=False)[0]
PLACE = Rect(10, 10, *SIZES.size)


def _rows(
    label: str, probabilities: dict[str, float], *, has_neutral: bool = False
) -> list[np.ndarray]:
    """The panel of a face that shows a label, cut into the rows that begin with its words."""
    image = np.zeros((PLACE.bottom + 10, PLACE.right + 10, 3), dtype=np.uint8)
    mood = MoodState(
        label, probabilities[label], tuple(probabilities.get(name, 0.0) for name in LABELS)
    )
    face = FaceView(1, Box(0, 0, 9, 9), mood, has_neutral=has_neutral)
    draw_panel(image, face, PLACE, SIZES)
    top = PLACE.y + SIZES.pad
    left = PLACE.x + SIZES.pad + SIZES.swatch
    return [image[top + n * SIZES.row :][: SIZES.row, left:] for n in range(len(LABELS))]


def _bright_pixels(word: str) -> np.ndarray:
    image = np.zeros((SIZES.row, SIZES.names, 3), dtype=np.uint8)
    run = Run(word, SIZES.text, WHITE, bold=True)
    draw_line(image, (run,), 0, baseline_in(0, SIZES.row, SIZES.text))
    return np.asarray((image == WHITE).all(axis=-1))


def _length(row: np.ndarray, label: str) -> int:
    """Columns in which the colour of a label is."""
    return int((row == LABEL_COLOURS[label]).all(axis=-1).any(axis=0).sum())


@pytest.mark.parametrize("label", LABELS)
def test_a_certain_label_has_the_only_bar_in_full_length_beside_its_bright_word(label: str) -> None:
    rows = _rows(label, {label: 1.0})
    words = [row[:, : SIZES.names] for row in rows]
    bright = [(word == WHITE).all(axis=-1) for word in words]
    assert [bool(pixels.any()) for pixels in bright] == [name == label for name in LABELS]
    np.testing.assert_array_equal(bright[LABELS.index(label)], _bright_pixels(label))
    for name, row in zip(LABELS, rows, strict=True):
        expected = SIZES.bars if name == label else 0
        assert _length(row, label) == pytest.approx(expected, abs=2)


def test_each_label_has_a_square_of_its_colour() -> None:
    image = np.zeros((PLACE.bottom + 10, PLACE.right + 10, 3), dtype=np.uint8)
    certain = MoodState("calm", 1.0, tuple(float(name == "calm") for name in LABELS))
    draw_panel(image, FaceView(1, Box(0, 0, 9, 9), certain), PLACE, SIZES)
    squares = image[:, PLACE.x + SIZES.pad :][:, : SIZES.swatch]
    for label in LABELS:
        assert (squares == LABEL_COLOURS[label]).all(axis=-1).sum() >= 9


def test_bars_are_as_long_as_their_labels_are_likely() -> None:
    probabilities = {"happy": 0.5, "sad": 0.3, "calm": 0.2}
    rows = _rows("happy", probabilities)
    lengths = [_length(row, name) for name, row in zip(LABELS, rows, strict=True)]
    expected = [SIZES.bars * probabilities.get(name, 0.0) for name in LABELS]
    assert lengths == pytest.approx(expected, abs=3)


def test_a_dot_beside_neutral_says_that_it_was_learned() -> None:
    plain, marked = (_rows("happy", {"happy": 1.0}, has_neutral=known) for known in (False, True))
    differs = [bool((a != b).any()) for a, b in zip(plain, marked, strict=True)]
    assert differs == [label == "neutral" for label in LABELS]
    row = LABELS.index("neutral")
    changed = (plain[row] != marked[row]).any(axis=(0, 2)).nonzero()[0]
    word = Run("neutral", SIZES.text, WHITE).width
    assert word <= changed.min()
    assert changed.max() < SIZES.names
