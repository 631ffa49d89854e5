"""Corpora of video files whose names are their labels: what they have in common."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime_mood.errors import SourceError
from trainer.corpora.folders import files_below
from trainer.corpora.images import label_id
from trainer.corpora.recording import Index, Recording
from trainer.words import counted

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".flv")
AUDIO_SUFFIXES = (".wav", ".mp3", ".flac", ".m4a")


@dataclass(frozen=True, kw_only=True)
class VideoCorpus:
    """A corpus that is a folder of videos."""

    title: str
    """As its authors write it."""
    example: str
    """One of its file names."""
    parse_name: Callable[[Path], Recording | None]
    """Reads a file's name alone; None when it is not one of the corpus."""


def index_videos(folder: Path, corpus: VideoCorpus) -> Index:
    """Find the recordings in a folder, however its subfolders are arranged.

    Args:
        folder: searched through all its subfolders.
        corpus: what is looked for.

    Returns:
        One recording for each take; of twins, the first in the order of file names is kept.

    Raises:
        SourceError: there is no such folder, or no video of this corpus in it.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise SourceError(
            f"the data folder {folder} {what}; --data wants the folder the actors lie in, with "
            "--resume too where it has moved"
        )
    by_take: dict[str, Recording] = {}
    twins: list[Recording] = []
    audio: list[Path] = []
    foreign: list[Path] = []
    # By name first: which twin is kept must not depend on the folders' names.
    for path in sorted(files_below(folder), key=lambda path: (path.name, path)):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            audio.append(path)
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            recording = corpus.parse_name(path)
            if recording is None:
                foreign.append(path)
            elif by_take.setdefault(recording.take, recording) is not recording:
                twins.append(recording)
    if not by_take:
        if any(label_id(child.name) is not None for child in folder.iterdir() if child.is_dir()):
            raise SourceError(
                f"{folder} holds folders named by label; if these are pictures, give "
                f"--data images:{folder}"
            )
        raise SourceError(
            f"there is no {corpus.title} video in {folder} ({counted(len(foreign), 'video')} "
            f"with other names, {counted(len(audio), 'audio file')}); --data wants files such as "
            f"{corpus.example}"
        )
    index = Index(
        recordings=tuple(sorted(by_take.values(), key=lambda r: (r.actor, r.name))),
        twins=tuple(twins),
        audio=tuple(audio),
        foreign=tuple(foreign),
    )
    _log(folder, corpus.title, index)
    return index


def _log(folder: Path, title: str, index: Index) -> None:
    logger.info(
        "%s: %s of %s (%s and %s left out)",
        folder,
        counted(len(index.recordings), "recording"),
        counted(len(index.actors), "actor"),
        counted(len(index.twins), "twin"),
        counted(len(index.audio), "audio file"),
    )
    if index.foreign:
        names = ", ".join(path.name for path in index.foreign[:5])
        more = f" and {len(index.foreign) - 5} more" if len(index.foreign) > 5 else ""
        logger.warning(
            "%d video files have no %s name and are left out: %s%s",
            len(index.foreign),
            title,
            names,
            more,
        )
