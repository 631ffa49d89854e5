"""Taking the videos, and nothing else, out of an archive of RAVDESS."""

from __future__ import annotations

import logging
import lzma
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from realtime_mood.errors import OutputError, SourceError
from trainer.corpora import ravdess
from trainer.corpora.videos import VIDEO_SUFFIXES
from trainer.whole_files import whole_file

logger = logging.getLogger(__name__)

DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
LARGEST_GROWTH = 2.0
"""Video is packed as it is: what unpacks to more than this many times is something else."""


def unpack(archive: Path, folder: Path) -> list[Path]:
    """Write the videos of an archive to `Actor_XX/` below a folder.

    A file's place follows from its RAVDESS name alone, never from the path in the archive; each is
    written beside and renamed when it is whole and its checksum right.

    Returns:
        The files, sorted.

    Raises:
        SourceError: it is no archive, is damaged, or unpacks to far more than it should.
        OutputError: a file cannot be written.
    """
    written: list[Path] = []
    ignored = 0
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            total = sum(member.file_size for member in members)
            if total > LARGEST_GROWTH * archive.stat().st_size + 1e6:
                raise SourceError(
                    f"{archive} of {archive.stat().st_size} bytes unpacks to {total}, which no "
                    "archive of videos does; delete it"
                )
            for member in members:
                target = _target(member, folder)
                if target is None:
                    ignored += not member.is_dir()
                    continue
                _write(opened, member, target)
                written.append(target)
    except (*DAMAGED, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceError(
            f"{archive} cannot be unpacked ({error}); delete it and start again"
        ) from error
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror}); make room; the same command goes on"
        ) from error
    if ignored:
        logger.warning("%s: %d files are no RAVDESS videos and stay packed", archive.name, ignored)
    if not written:
        raise SourceError(f"there is no RAVDESS video in {archive}")
    return sorted(written)


def _target(member: zipfile.ZipInfo, folder: Path) -> Path | None:
    name = Path(PurePosixPath(member.filename.replace("\\", "/")).name)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    recording = ravdess.parse_name(name)
    if member.is_dir() or is_link or recording is None or name.suffix not in VIDEO_SUFFIXES:
        return None
    return folder / f"Actor_{recording.actor.rpartition(':')[2]}" / name.name


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, whole_file(target) as file:
        shutil.copyfileobj(source, file)
