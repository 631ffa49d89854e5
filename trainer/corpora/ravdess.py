"""RAVDESS: the file name is the label (Livingstone & Russo 2018, PLoS ONE 13(5): e0196391).

`MM-VC-EE-II-SS-RR-AA`: modality, vocal channel, emotion, intensity, statement, repetition, actor.
Every take is stored twice, as audio-video (01) and as video only (02): the same footage. One is
kept, or a random split would have the same take on both sides.
"""

from __future__ import annotations

import re
from pathlib import Path

from realtime_mood.model.labels import LABEL2ID
from trainer.corpora.recording import ALL_LABELS, Index, Recording
from trainer.corpora.videos import VideoCorpus, index_videos

EMOTION_LABELS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
SONG = "02"
SONG_LABELS = tuple(sorted(LABEL2ID[EMOTION_LABELS[f"{number:02d}"]] for number in range(1, 7)))
"""Nobody sings in disgust or surprise."""
NAME_PATTERN = re.compile(
    r"0[12]-"  # with sound or without: the same footage
    r"(?P<take>(?P<channel>0[12])-(?P<emotion>0[1-8])-0[12]-0[12]-0[12]-(?P<actor>[0-9]{2}))"
)


def parse_name(path: Path) -> Recording | None:
    """Read a file name.

    Args:
        path: any file; only its name is looked at.

    Returns:
        The recording; None when the name is not that of a RAVDESS video.
    """
    match = NAME_PATTERN.fullmatch(path.stem)
    if match is None or match["actor"] == "00":
        return None
    return Recording(
        path=path,
        name=path.stem,
        take=f"ravdess:{match['take']}",
        actor=f"ravdess:{match['actor']}",
        label=LABEL2ID[EMOTION_LABELS[match["emotion"]]],
        known_labels=SONG_LABELS if match["channel"] == SONG else ALL_LABELS,
    )


CORPUS = VideoCorpus(title="RAVDESS", example="01-01-03-02-01-01-07.mp4", parse_name=parse_name)


def index_folder(folder: Path) -> Index:
    """Find the recordings in a folder; see `index_videos`."""
    return index_videos(folder, CORPUS)
