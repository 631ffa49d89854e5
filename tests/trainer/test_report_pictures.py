"""What can be read of a report's pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from realtime_mood.model.labels import LABELS, UNSURE
from tests.trainer.answers import said, timeline
from tests.trainer.clips import make_crops
from trainer.report.curves import shown_shares
from trainer.report.pictures import confusion_picture, reliability_picture
from trainer.report.theme import DARK, LIGHT, Theme, contrast, ink_on

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


@THEMES
def test_every_share_of_a_heat_map_can_be_read(theme: Theme) -> None:
    seen = set()
    for first in range(0, 101, len(LABELS)):
        counts = [[n % 101, 100 - n % 101] for n in range(first, first + len(LABELS))]
        (axes,) = confusion_picture(counts, ("a", "b"))(theme).axes
        mesh = axes.collections[0]
        cells = mesh.to_rgba(mesh.get_array())
        for text in axes.texts:
            column, row = map(int, text.get_position())
            assert contrast(text.get_color(), to_rgb(cells[row, column])) >= 4.5
            seen.add(text.get_text().partition("\u202f")[0])
    assert seen == {str(n) for n in range(1, 101)}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21.0)
    # https://webaim.org/resources/contrastchecker
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert (ink_on("#777777"), ink_on("#767676"), ink_on("#123f8c")) == (
        "#000000",
        "#000000",
        "#ffffff",
    )


def test_less_than_a_second_is_not_none() -> None:
    (axes,) = confusion_picture([[0.4, 99.6], *[[0.0, 0.0]] * 7], ("a", "b"))(LIGHT).axes
    assert [text.get_text() for text in axes.texts] == ["<1\u202f%\n(<1)", "100\u202f%\n(100)"]


def test_bars_of_few_clips_are_faint() -> None:
    predictions = said([6] * 12, [6] * 12)
    predictions.logits[9:, 0, 6] = 9.0
    above = reliability_picture(predictions)(LIGHT).axes[0]
    bars = above.containers[0]
    assert [bars[n].get_alpha() for n in (0, 5, 9)] == [None, pytest.approx(0.35), 0.35]
    predictions.logits[:, 0, 6] = 9.0
    assert reliability_picture(predictions)(LIGHT).axes[0].containers[0][9].get_alpha() is None


def test_what_is_shown_is_told_while_half_of_the_recordings_run(tmp_path: Path) -> None:
    crops = make_crops(tmp_path, frames=1)
    watched = [
        timeline(crops, seconds=1.0, shown="happy"),
        timeline(crops, seconds=2.0, shown=UNSURE),
        timeline(crops, seconds=2.0, shown="sad"),
        timeline(crops, seconds=9.0, shown="sad"),
        timeline(crops, seconds=9.0, shown="sad"),
    ]
    times_s, shares = shown_shares(watched)
    assert times_s[-1] == pytest.approx(2.0)
    np.testing.assert_allclose(shares.sum(axis=0), 1.0)
    assert (shares[2, times_s < 0.45] == 1.0).all()
    np.testing.assert_allclose(shares[:, -1], [3 / 4, 0.0, 1 / 4])
