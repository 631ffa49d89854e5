"""CREMA-D: 91 actors, twelve sentences, six emotions (Cao et al. 2014, 10.1109/TAFFC.2014.2336244).

File names are `1001_DFA_ANG_XX`: actor, sentence, emotion, level. There is no calm and no
surprise. Database: Open Database Licence.
"""

from __future__ import annotations

import re
from pathlib import Path

from realtime_mood.model.labels import LABEL2ID
from trainer.corpora.recording import Index, Recording
from trainer.corpora.videos import VideoCorpus, index_videos

EMOTION_LABELS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
KNOWN_LABELS = tuple(sorted(LABEL2ID[label] for label in EMOTION_LABELS.values()))
NAME_PATTERN = re.compile(
    r"(?P<actor>10[0-9]{2})_[A-Z]{3}_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(LO|MD|HI|XX?)"
)


def parse_name(path: Path) -> Recording | None:
    """Read a file name.

    Args:
        path: any file; only its name is looked at.

    Returns:
        The recording; None when the name is not that of a CREMA-D video.
    """
    match = NAME_PATTERN.fullmatch(path.stem)
    if match is None:
        return None
    return Recording(
        path=path,
        name=path.stem,
        take=f"cremad:{path.stem}",
        actor=f"cremad:{match['actor']}",
        label=LABEL2ID[EMOTION_LABELS[match["emotion"]]],
        known_labels=KNOWN_LABELS,
    )


CORPUS = VideoCorpus(title="CREMA-D", example="1001_DFA_ANG_XX.flv", parse_name=parse_name)


def index_folder(folder: Path) -> Index:
    """Find the recordings in a folder; see `index_videos`."""
    return index_videos(folder, CORPUS)
