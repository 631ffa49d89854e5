"""RAVDESS: the file name is the label (Livingstone & Russo 2018, PLoS ONE 13(5): e0196391).

`MM-VC-EE-II-SS-RR-AA`: modality, vocal channel, emotion, intensity, statement, repetition, actor.
Every take is stored twice, as audio-video (01) and as video only (02): the same footage. One is
kept, or a random split would have the same take on both sides.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

from realtime_mood.errors import SourceError
from realtime_mood.model.labels import LABEL2ID
from trainer.corpora.recording import VIDEO_SUFFIXES, Index, Recording

logger = logging.getLogger(__name__)

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
AUDIO_ONLY = "03"
NAME_PATTERN = re.compile(
    r"(?P<modality>0[1-3])-(?P<take>0[12]-(?P<emotion>0[1-8])-0[12]-0[12]-0[12]-(?P<actor>\d\d))"
)


def parse_name(path: Path) -> tuple[str, Recording] | None:
    """Read a file name.

    Args:
        path: any file; only its name is looked at.

    Returns:
        The modality ('01', '02' or '03') and the recording; None when the name is not RAVDESS's.
    """
    match = NAME_PATTERN.fullmatch(path.stem)
    if match is None or match["actor"] == "00":
        return None
    recording = Recording(
        path=path,
        name=path.stem,
        take=match["take"],
        actor=int(match["actor"]),
        label=LABEL2ID[EMOTION_LABELS[match["emotion"]]],
    )
    return match["modality"], recording


def index_folder(folder: Path) -> Index:
    """Find the recordings in a folder, however its subfolders are arranged.

    Args:
        folder: searched through all its subfolders.

    Returns:
        One recording for each take; of twins, the smaller modality in name order is kept.

    Raises:
        SourceError: there is no such folder, or no RAVDESS video in it.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise SourceError(
            f"the data folder {folder} {what}; --data wants the folder the actors lie in"
        )
    by_take: dict[str, Recording] = {}
    twins: list[Path] = []
    audio: list[Path] = []
    foreign: list[Path] = []
    files = (path for path in folder.rglob("*") if path.is_file())
    # By name first: which twin is kept must not depend on the folders' names.
    for path in sorted(files, key=lambda path: (path.name, path)):
        parsed = parse_name(path)
        if parsed is None:
            if path.suffix.lower() in VIDEO_SUFFIXES:
                foreign.append(path)
            continue
        modality, recording = parsed
        if modality == AUDIO_ONLY or path.suffix.lower() not in VIDEO_SUFFIXES:
            audio.append(path)
        elif recording.take in by_take:
            twins.append(path)
        else:
            by_take[recording.take] = recording
    if not by_take:
        raise SourceError(
            f"there is no RAVDESS video in {folder} ({len(foreign)} videos with other names, "
            f"{len(audio)} audio files); --data wants files such as 01-01-03-02-01-01-07.mp4"
        )
    recordings = sorted(by_take.values(), key=lambda recording: (recording.actor, recording.name))
    index = Index(
        recordings=tuple(recordings),
        twins=tuple(twins),
        audio=tuple(audio),
        foreign=tuple(foreign),
    )
    _log_index(folder, index)
    return index


def _log_index(folder: Path, index: Index) -> None:
    logger.info(
        "%s: %d recordings of %d actors (%d twins and %d audio files left out)",
        folder,
        len(index.recordings),
        len(index.actors),
        len(index.twins),
        len(index.audio),
    )
    if index.foreign:
        names = ", ".join(path.name for path in index.foreign[:5])
        more = f" and {len(index.foreign) - 5} more" if len(index.foreign) > 5 else ""
        logger.warning(
            "%d video files have no RAVDESS name and are left out: %s%s",
            len(index.foreign),
            names,
            more,
        )
