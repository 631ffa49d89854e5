"""Labelled still pictures: folders named by label, or arrays as FER2013 is often kept.

    PATH/angry/*.png …                       or  PATH/train/angry/*.png, PATH/test/angry/*.png …
    PATH.npz: train_images, train_labels, labels (names), validation_images, validation_labels

Pictures in arrays, and files of at most `FACE_SIDE` pixels, are faces as they are (YuNet's box on
FER2013's pictures is the whole picture in the median) and are kept in memory; in larger files the
face is looked for, as in a video. What the corpus itself keeps apart (validation, test) is never
trained on. The same picture is often stored twice; one is kept, before all the one kept apart.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import SourceError
from realtime_mood.model.labels import LABEL2ID, LABELS
from trainer.corpora.folders import files_below, unreadable
from trainer.corpora.recording import Index, Recording, merged
from trainer.words import counted

logger = logging.getLogger(__name__)

FACE_SIDE = 64
"""Pixels up to which a picture is taken for a face without looking for one."""
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm")
IMAGE_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "PPM")
"""Pillow's names for what these are; of others it would start programs, as Ghostscript."""
DAMAGED = (zipfile.BadZipFile, zlib.error, MemoryError)
"""What a damaged npz file raises besides; MemoryError where it announces what no memory holds."""
TRAINED_ON = ("train", "training")
KEPT_APART = ("validation", "valid", "val", "test", "testing")
SYNONYMS = {
    "anger": "angry",
    "afraid": "fearful",
    "disgusted": "disgust",
    "fear": "fearful",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "scared": "fearful",
    "surprise": "surprised",
}


def label_id(name: str) -> int | None:
    """The id of a label, however it is spelt; None when it is none of ours."""
    plain = name.strip().lower()
    return LABEL2ID.get(SYNONYMS.get(plain, plain))


def index_images(path: Path) -> Index:
    """Find the labelled pictures of a folder or of an npz file.

    Returns:
        One recording for each different picture; those kept apart first.

    Raises:
        SourceError: there is no such folder or file, or it is not made as described above.
    """
    if path.is_dir():
        found = _in_folder(path)
    elif path.is_file():
        found = _in_arrays(path)
    else:
        raise SourceError(
            f"the pictures {path} do not exist; --data images:PATH wants a folder or an npz file, "
            "with --resume too where they have moved"
        )
    found.sort(key=lambda recording: not recording.is_held_out)
    if not found:
        raise SourceError(
            f"there is no picture in {path}; --data images:PATH wants folders named "
            f"{', '.join(LABELS)} with pictures in them, or an npz file"
        )
    index = merged([Index(recordings=tuple(found))])
    logger.info(
        "%s: %s (%s left out), labels %s",
        path,
        counted(len(index.recordings), "picture"),
        counted(len(index.twins), "twin"),
        ", ".join(LABELS[label] for label in found[0].known_labels),
    )
    return index


def _in_arrays(path: Path) -> list[Recording]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (*DAMAGED, OSError, ValueError, AttributeError, TypeError, EOFError) as error:
        raise SourceError(
            f"{path} is no npz file of plain arrays ({error}); --data images:PATH wants "
            "train_images, train_labels and labels in it"
        ) from error
    if missing := {"train_images", "train_labels", "labels"} - set(arrays):
        raise SourceError(f"{path} lacks the arrays {', '.join(sorted(missing))}; add them")
    found = _of_part(path, arrays, "train")
    if "validation_images" in arrays:
        found += [replace(r, is_held_out=True) for r in _of_part(path, arrays, "validation")]
    ids = {label_id(str(name)) for name in arrays["labels"].ravel()}
    known = tuple(sorted(label for label in ids if label is not None))
    return [replace(recording, known_labels=known) for recording in found]


def _of_part(
    path: Path, arrays: Mapping[str, npt.NDArray[np.generic]], part: str
) -> list[Recording]:
    names = [str(name) for name in arrays["labels"].ravel()]
    ids = [label_id(name) for name in names]
    images, labels = arrays[f"{part}_images"], arrays.get(f"{part}_labels")
    shape = images.shape
    is_right = len(shape) in (3, 4) and shape[3:] in ((), (3,)) and all(shape[1:])
    if images.dtype != np.uint8 or not is_right:
        raise SourceError(
            f"{path}: {part}_images has shape {images.shape} and type {images.dtype}; it must be "
            "uint8 of shape (count, height, width), or (count, height, width, 3) in red-green-blue"
        )
    if labels is None or labels.shape != images.shape[:1] or labels.dtype.kind not in "ui":
        raise SourceError(f"{path}: {part}_labels must hold one whole number for each picture")
    recordings = []
    for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        known = ids[label] if 0 <= label < len(ids) else None
        if known is None:
            spelt = repr(names[label]) if 0 <= label < len(names) else "not in 'labels'"
            raise SourceError(
                f"{path}: {part}_labels has {label}, which is {spelt}; labels are "
                f"{', '.join(LABELS)}"
            )
        plain = _plain(np.asarray(image, dtype=np.uint8))
        recordings.append(
            _picture(path, f"{path.stem}/{part}-{number:05d}", known, plain.tobytes(), plain)
        )
    return recordings


def _in_folder(folder: Path) -> list[Recording]:
    parts = {child for child in _folders(folder) if child.name.lower() in TRAINED_ON + KEPT_APART}
    found = [] if parts else list(_of_folder(folder, folder))
    for part in sorted(parts):
        is_held_out = part.name.lower() in KEPT_APART
        found += [replace(r, is_held_out=is_held_out) for r in _of_folder(part, folder)]
    known = tuple(sorted({recording.label for recording in found}))
    return [replace(recording, known_labels=known) for recording in found]


def _of_folder(folder: Path, root: Path) -> Iterator[Recording]:
    for child in _folders(folder):
        files = sorted(p for p in files_below(child) if p.suffix.lower() in IMAGE_SUFFIXES)
        label = label_id(child.name)
        if label is None:
            if not files:
                continue
            raise SourceError(
                f"{child} holds {counted(len(files), 'picture')}, but '{child.name}' is no label; "
                f"labels are {', '.join(LABELS)}; rename the folder or take it out"
            )
        for file in files:
            name = f"{root.name}/{file.relative_to(root).with_suffix('').as_posix()}"
            pixels = _small(file)
            content = _content(file) if pixels is None else pixels.tobytes()
            yield _picture(file, name, label, content, pixels)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError as error:
        raise unreadable(error) from error


def _content(file: Path) -> bytes:
    """What tells a picture from others; one that cannot be read is skipped when it is cut."""
    try:
        return file.read_bytes()
    except OSError:
        return os.fsencode(file)


def _small(file: Path) -> npt.NDArray[np.uint8] | None:
    """A picture small enough to be a face as it is; None where it is not, or cannot be read."""
    from PIL import Image

    try:
        with Image.open(file, formats=IMAGE_FORMATS) as image:
            if max(image.size) > FACE_SIDE:
                return None
            grey = image.mode in ("1", "L", "I", "I;16")
            pixels = np.asarray(image.convert("L" if grey else "RGB"), dtype=np.uint8)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return _plain(pixels)


def _plain(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Blue-green-red, or of one channel where all are alike: stored either way it is a twin."""
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        return np.ascontiguousarray(pixels[..., 0])
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])


def _picture(
    path: Path, name: str, label: int, content: bytes, image: npt.NDArray[np.uint8] | None
) -> Recording:
    digest = f"images:{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"
    return Recording(
        path=path,
        name=name,
        take=digest,
        # Pictures of two sources may have one name.
        actor=digest,
        label=label,
        image=image,
    )
