"""The label table: eight facial expressions, in alphabetical order; the index is the id."""

from __future__ import annotations

LABELS: tuple[str, ...] = (
    "angry",
    "calm",
    "disgust",
    "fearful",
    "happy",
    "neutral",
    "sad",
    "surprised",
)
ID2LABEL: dict[int, str] = dict(enumerate(LABELS))
LABEL2ID: dict[str, int] = {label: index for index, label in ID2LABEL.items()}

UNSURE = "unsure"
"""What is shown instead of a label when there is no clip yet or no confident answer."""
