"""`trainer inspect`: what is there and what is wrong with it, before anyone waits for training.

Every video is decoded once, without converting its pictures, in worker processes that a broken file
cannot freeze.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from realtime_mood.errors import SourceError
from realtime_mood.model.labels import LABELS
from trainer.corpora.images import IMAGE_SUFFIXES
from trainer.corpora.recording import Index, Recording
from trainer.decode import still_frames
from trainer.pool import run_jobs
from trainer.progress import Progress
from trainer.words import counted

NAMES_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What decoding a file has shown."""

    decoded: int
    """Frames that could be decoded."""
    announced: int
    """Frames that the container announces; 0 where it announces nothing."""
    duration_s: float
    """From the first frame to the last."""
    size: str
    """Width and height, '640x360'."""
    problem: str = ""
    """Why not all of it could be decoded; empty when it could."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found in the data of a run; files by name."""

    recordings: int
    """Usable ones as far as names tell."""
    pictures: int
    """How many of these are pictures."""
    table: dict[str, dict[str, int]]
    """Recordings by actor and label; pictures by the part of their corpus."""
    sizes: dict[str, int]
    """How many files have each width and height; of pictures in memory, all."""
    hours: float
    """Of video in all."""
    unreadable: dict[str, str]
    """Files that training will skip, and why."""
    lies: dict[str, str]
    """Files that announce more frames than can be decoded, or break on the way."""
    short: dict[str, str]
    """Files that end before one clip does."""
    twins: list[str]
    """Second copies of a take, left out."""
    near_copies: list[str]
    """Pictures of which near copies are kept apart, left out."""
    same_bytes: list[list[str]]
    """Different recordings whose files are the same."""
    audio: int
    """Files without picture."""
    foreign: list[str]
    """Files with names that are not of the corpus."""

    def to_dict(self) -> dict[str, Any]:
        """The values as JSON can hold them."""
        return asdict(self)

    def as_text(self) -> str:
        """The same for people."""
        total: Counter[str] = Counter()
        for row in self.table.values():
            total.update(row)
        width = max(len(name) for name in [*self.table, "all"])
        lines = [f"{'':{width}} " + " ".join(f"{label:>9}" for label in [*LABELS, "all"])]
        for name, row in {**self.table, "all": dict(total)}.items():
            counts = [*(row.get(label, 0) for label in LABELS), sum(row.values())]
            lines.append(f"{name:{width}} " + " ".join(f"{count:>9}" for count in counts))
        sizes = ", ".join(f"{count} of {size}" for size, count in self.sizes.items())
        moving, held = self.recordings - self.pictures, []
        if moving:
            held.append(f"{counted(moving, 'recording')}, {self.hours:.2f} h of video")
        if self.pictures:
            held.append(counted(self.pictures, "picture"))
        lines += ["", f"{', and '.join(held)}: {sizes}"]
        same = [" = ".join(group) for group in self.same_bytes]
        parts = (
            (f"{len(self.unreadable)} unreadable, skipped up to --allow-bad", self.unreadable),
            (f"{len(self.lies)} with less than announced", self.lies),
            (f"{len(self.short)} shorter than a clip", self.short),
            (f"{counted(len(self.twins), 'twin')}, left out", self.twins),
            (
                f"{counted(len(self.near_copies), 'picture')} of which near copies are kept apart, "
                "left out",
                self.near_copies,
            ),
            (f"{counted(len(same), 'file')} stored under several names", same),
            (f"{counted(len(self.foreign), 'name')} of no corpus, left out", self.foreign),
        )
        for title, found in parts:
            if found:
                names = (
                    [w if n in w else f"{n} ({w})" for n, w in found.items()]
                    if isinstance(found, dict)
                    else found
                )
                more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
                lines.append(f"{title}: {'; '.join(names[:NAMES_SHOWN])}{more}")
        if self.audio:
            lines.append(f"{counted(self.audio, 'audio file')}, left out")
        if not (self.unreadable or self.lies or self.short or self.same_bytes):
            lines.append("nothing is wrong with the files")
        return "\n".join(lines)


def inspect_index(
    index: Index,
    *,
    span_s: float,
    num_workers: int,
    timeout_s: float,
    progress: Progress,
) -> Inspection:
    """Look into every file.

    Args:
        index: what was found by name.
        span_s: of a clip; shorter recordings are named.
        num_workers: processes at the same time, at least one.
        timeout_s: a file that takes longer counts as unreadable.
        progress: told how many are done.
    """
    names = _names([r for r in index.recordings if r.image is None])
    facts: dict[Path, FileFacts] = {}
    unreadable: dict[str, str] = {}
    outcomes = run_jobs(
        look_into, list(names), num_workers=max(1, num_workers), timeout_s=timeout_s
    )
    for done, outcome in enumerate(outcomes, start=1):
        if outcome.answer is None:
            unreadable[names[outcome.job]] = outcome.problem
        else:
            facts[outcome.job] = outcome.answer
        progress("looking into files", done, len(names))
    named = {names[path]: fact for path, fact in sorted(facts.items())}
    sizes = Counter(fact.size for fact in named.values())
    in_memory = [r.image for r in index.recordings if r.image is not None]
    sizes.update(f"{image.shape[1]}x{image.shape[0]}" for image in in_memory)
    videos = {names[path] for path in names if path.suffix.lower() not in IMAGE_SUFFIXES}
    return Inspection(
        recordings=len(index.recordings),
        pictures=sum(recording.is_picture for recording in index.recordings),
        table=_table(index.recordings),
        sizes=dict(sizes.most_common()),
        hours=sum(fact.duration_s for fact in named.values()) / 3600,
        unreadable=dict(sorted(unreadable.items())),
        lies={name: _lie(fact) for name, fact in named.items() if _lie(fact)},
        short={
            name: f"{fact.duration_s:.2f} s, {fact.decoded} frames"
            for name, fact in named.items()
            if name in videos and fact.duration_s < span_s
        },
        twins=[_name(twin) for twin in index.twins],
        near_copies=[_name(copy) for copy in index.near_copies],
        same_bytes=_same_bytes(names),
        audio=len(index.audio),
        foreign=[path.name for path in index.foreign],
    )


def look_into(path: Path) -> FileFacts:
    """Decode a file; runs in a worker process.

    Raises:
        SourceError: nothing of it can be decoded.
    """
    if path.suffix.lower() in IMAGE_SUFFIXES:
        [(_, image)] = still_frames(path)
        size = f"{image.shape[1]}x{image.shape[0]}"
        return FileFacts(decoded=1, announced=1, duration_s=0.0, size=size)
    import av

    decoded, problem, size = 0, "", ""
    times_s: list[float] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SourceError("it has no video stream")
            stream = container.streams.video[0]
            announced = stream.frames
            try:
                for frame in container.decode(stream):
                    decoded += 1
                    size = f"{frame.width}x{frame.height}"
                    if frame.pts is not None and frame.time_base is not None:
                        times_s.append(float(frame.pts * frame.time_base))
            except (av.FFmpegError, OSError) as error:
                problem = str(error)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"it cannot be opened ({error})") from error
    if not decoded:
        raise SourceError(f"no frame of it can be decoded {problem}".strip())
    return FileFacts(
        decoded=decoded,
        announced=announced,
        duration_s=max(times_s) - min(times_s) if times_s else 0.0,
        size=size,
        problem=problem,
    )


def _lie(fact: FileFacts) -> str:
    if fact.problem:
        return f"breaks after {fact.decoded} of {fact.announced or '?'} frames: {fact.problem}"
    if fact.decoded < fact.announced:
        return f"announces {fact.announced} frames and holds {fact.decoded}"
    return ""


def _name(recording: Recording) -> str:
    return recording.name if recording.image is not None else recording.name + recording.path.suffix


def _names(recordings: Sequence[Recording]) -> dict[Path, str]:
    """What each file is called; where two sources have files of one name, by their paths."""
    names = {recording.path: _name(recording) for recording in recordings}
    counts = Counter(names.values())
    return {path: name if counts[name] == 1 else str(path) for path, name in names.items()}


def _table(recordings: Sequence[Recording]) -> dict[str, dict[str, int]]:
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for recording in recordings:
        row = recording.actor
        if recording.is_picture:
            row = f"images{', kept apart' if recording.is_held_out else ''}"
        table[row][LABELS[recording.label]] += 1
    return {name: dict(row) for name, row in sorted(table.items())}


def _same_bytes(names: dict[Path, str]) -> list[list[str]]:
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in names:
        by_size[path.stat().st_size].append(path)
    by_content: dict[str, list[str]] = defaultdict(list)
    for paths in by_size.values():
        for path in paths if len(paths) > 1 else ():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            by_content[digest].append(names[path])
    return sorted(sorted(same) for same in by_content.values() if len(same) > 1)
