"""FER2013: 48×48 grey faces of many people, from an .npz file (ICML 2013 challenge, Kaggle).

Its seven labels are noisy (people agree on about 65 %) and there is no 'calm'. It serves to learn
what expressions look like on thousands of people before RAVDESS's two dozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import SourceError
from realtime_mood.model.labels import LABEL2ID

NAMES = {"fear": "fearful", "surprise": "surprised"}


@dataclass(frozen=True, eq=False)
class Stills:
    """Labelled grey pictures, each one face."""

    images: npt.NDArray[np.uint8]
    """Shape (count, side, side)."""
    labels: npt.NDArray[np.int64]
    """Ids in the label table, shape (count,)."""


def read_stills(path: Path) -> Stills:
    """Read the training images of a file.

    Args:
        path: .npz with `train_images` (count, side, side) uint8, `train_labels` and `labels`, the
            names of the label numbers.

    Raises:
        SourceError: the file is missing or is not of that form.
    """
    if not path.is_file():
        raise SourceError(f"the stills {path} do not exist; check --stills")
    try:
        with np.load(path, allow_pickle=False) as values:
            images, numbers = values["train_images"], values["train_labels"]
            names = [str(name) for name in values["labels"]]
        ids = np.array([LABEL2ID[NAMES.get(name, name)] for name in names], dtype=np.int64)
        labels = ids[numbers]
    except (OSError, ValueError, KeyError, IndexError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(
            f"{path} is not a file of labelled stills ({reason}); it must be an .npz with "
            "train_images, train_labels and labels"
        ) from error
    is_square = images.ndim == 3 and images.shape[1] == images.shape[2]
    if not is_square or images.dtype != np.uint8 or len(images) != len(labels):
        raise SourceError(
            f"{path}: train_images has shape {images.shape} and dtype {images.dtype} for "
            f"{len(labels)} labels; it must be (count, side, side) and uint8"
        )
    return Stills(images, labels)
