"""RAVDESS's videos from Zenodo (10.5281/zenodo.1188976): one archive for each actor."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from realtime_mood.errors import OutputError, SourceError
from trainer.config.download import FIRST_ACTOR, LAST_ACTOR, DownloadConfig
from trainer.download.resume import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, ResumingDownloader
from trainer.download.unpack import unpack
from trainer.progress import Progress
from trainer.whole_files import write_whole
from trainer.words import counted

logger = logging.getLogger(__name__)

RECORD = 1188976
WORK_FOLDER = ".download"
GIGABYTE = 1e9


@dataclass(frozen=True)
class Archive:
    """One file of the record."""

    name: str
    """Such as 'Video_Speech_Actor_01.zip'."""
    size: int
    """Bytes."""
    checksum: str
    """Such as 'md5:0cc1…'."""
    url: str
    """Where it is."""


def download(config: DownloadConfig, *, progress: Progress) -> int:
    """Fetch, check and unpack what is not there yet.

    Args:
        config: what and where to.
        progress: told each archive's bytes.

    Returns:
        How many videos of the archives asked for lie in the folder.

    Raises:
        SourceError: the server cannot be reached, or what it sends is damaged.
        OutputError: the folder cannot be written, or the disk has too little room.
    """
    wanted = choose(list_archives(config.base_url), actors=config.actors, songs=config.songs)
    work = config.output / WORK_FOLDER
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"--output {config.output} cannot be written ({error.strerror}); choose another folder"
        ) from error
    todo = [archive for archive in wanted if not _unpacked(archive, config.output)]
    _check_room(todo, config)
    for archive in todo:
        try:
            packed = _fetch(archive, work, progress)
            files = unpack(packed, config.output)
            _note(archive, files, config.output)
            if not config.keep_archives:
                packed.unlink()
        except OSError as error:
            raise OutputError(
                f"--output {config.output} cannot be written ({error.strerror}); make room; the "
                "same command goes on"
            ) from error
        logger.info("%s: %s", archive.name, counted(len(files), "video"))
    return sum(len(_unpacked(archive, config.output)) for archive in wanted)


def list_archives(base_url: str) -> dict[str, Archive]:
    """The files of the record, by name.

    Raises:
        SourceError: the server cannot be reached or answers something else.
    """
    url = f"{base_url.rstrip('/')}/api/records/{RECORD}"
    try:
        with requests.get(url, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)) as answer:
            answer.raise_for_status()
            files = answer.json()["files"]
        found = [
            Archive(str(f["key"]), int(f["size"]), str(f["checksum"]), str(f["links"]["self"]))
            for f in files
        ]
    except requests.RequestException as error:
        raise SourceError(
            f"{url} cannot be read ({type(error).__name__}); look at the connection and start again"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{url} answers no list of files ({error}); try again later") from error
    # What the server calls a file decides where it is written.
    return {archive.name: archive for archive in found if Path(archive.name).name == archive.name}


def choose(
    archives: dict[str, Archive], *, actors: Sequence[int], songs: bool
) -> tuple[Archive, ...]:
    """The archives of some actors.

    Args:
        archives: all there are.
        actors: their numbers; none: all.
        songs: the sung takes too; actor 18 has none.

    Raises:
        SourceError: the record lacks an archive.
    """
    numbers = sorted(set(actors)) or range(FIRST_ACTOR, LAST_ACTOR + 1)
    names = [f"Video_Speech_Actor_{number:02d}.zip" for number in numbers]
    if absent := [name for name in names if name not in archives]:
        raise SourceError(f"the record lacks {absent[0]}; it may have been renamed")
    if songs:
        sung = [f"Video_Song_Actor_{number:02d}.zip" for number in numbers]
        names += [name for name in sung if name in archives]
    return tuple(archives[name] for name in names)


def _fetch(archive: Archive, work: Path, progress: Progress) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = ResumingDownloader(
        work / f"{archive.name}.part",
        archive.size,
        show=lambda done: progress(archive.name, done, archive.size),
    )
    store = pooch.create(
        path=work,
        base_url="",
        registry={archive.name: archive.checksum},
        urls={archive.name: archive.url},
    )
    try:
        return Path(store.fetch(archive.name, downloader=downloader))
    except ValueError as error:
        raise SourceError(
            f"{archive.name} is not what the record announces ({archive.checksum}); start again, "
            "it will be fetched anew"
        ) from error


def _check_room(todo: Sequence[Archive], config: DownloadConfig) -> None:
    """Videos are as large as their archives; an archive is deleted as soon as it is unpacked."""
    if not todo:
        return
    sizes = [archive.size for archive in todo]
    parts = (config.output / WORK_FOLDER).glob("*.part")
    there = sum(part.stat().st_size for part in parts)
    needed = sum(sizes) + (sum(sizes) if config.keep_archives else max(sizes)) - there
    free = shutil.disk_usage(config.output).free
    if needed > free:
        raise OutputError(
            f"{len(todo)} archives need {needed / GIGABYTE:.1f} GB, and {config.output} has "
            f"{free / GIGABYTE:.1f} GB free; make room, or name fewer --actors"
        )


def _note(archive: Archive, files: Sequence[Path], output: Path) -> None:
    sizes = {file.relative_to(output).as_posix(): file.stat().st_size for file in files}
    text = json.dumps({"checksum": archive.checksum, "files": sizes}, indent=1)
    write_whole(output / WORK_FOLDER / f"{archive.name}.json", text)


def _unpacked(archive: Archive, output: Path) -> list[Path]:
    """The videos of an archive, when all of them lie in the folder as they were unpacked."""
    try:
        text = (output / WORK_FOLDER / f"{archive.name}.json").read_text(encoding="utf-8")
        note = json.loads(text)
        sizes = {output / name: size for name, size in note["files"].items()}
    except (OSError, ValueError, KeyError):
        return []
    whole = all(path.is_file() and path.stat().st_size == size for path, size in sizes.items())
    return list(sizes) if whole and note["checksum"] == archive.checksum else []
