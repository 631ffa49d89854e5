"""What a model said of recordings: all that figures and pictures are made of, kept in one file."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import OutputError, SourceError
from realtime_mood.model.labels import LABELS
from trainer import metrics
from trainer.crops import FaceCrops
from trainer.whole_files import whole_file


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """Logits of clips of recordings; a recording's answer is the mean over its clips.

    Raises:
        ValueError: the shapes do not fit together.
    """

    names: tuple[str, ...]
    """Of the recordings."""
    actors: npt.NDArray[np.str_]
    """Who is seen, shape (recordings,)."""
    labels: npt.NDArray[np.int64]
    """Id of the true label, shape (recordings,)."""
    logits: npt.NDArray[np.float64]
    """Shape (recordings, clips a recording, labels)."""
    temperature: npt.NDArray[np.float64]
    """Of the model that answered, shape (recordings,)."""
    known: npt.NDArray[np.bool_]
    """Shape (recordings, labels): the labels that the recording's corpus has. The others are not
    answers: their probability is 0."""

    def __post_init__(self) -> None:
        count = len(self.names)
        shapes = (
            self.actors.shape == (count,),
            self.labels.shape == (count,),
            self.logits.ndim == 3,
            self.logits.shape[::2] == (count, len(LABELS)),
            self.temperature.shape == (count,),
            self.known.shape == (count, len(LABELS)),
            self.labels.dtype.kind in "ui",
            self.actors.dtype.kind == "U",
        )
        if not count or not all(shapes):
            raise ValueError(f"the predictions of {count} recordings do not fit together: {shapes}")

    def possible_logits(self) -> npt.NDArray[np.float64]:
        """The logits, minus infinity for labels that are no answers."""
        return np.where(self.known[:, None, :], self.logits, -np.inf)

    def clip_probabilities(self, *, calibrated: bool = True) -> npt.NDArray[np.float64]:
        """Shape (recordings, clips a recording, labels)."""
        temperature = self.temperature[:, None, None] if calibrated else 1.0
        return metrics.softmax(self.possible_logits() / temperature)

    def probabilities(self) -> npt.NDArray[np.float64]:
        """Calibrated, mean over the clips of each recording, shape (recordings, labels)."""
        return np.asarray(self.clip_probabilities().mean(axis=1))

    def save(self, path: Path) -> None:
        """Write a compressed file of numpy arrays, all of it or nothing.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            with whole_file(path) as file:
                np.savez_compressed(
                    file,
                    names=np.array(self.names),
                    actors=self.actors,
                    labels=self.labels,
                    logits=self.logits,
                    temperature=self.temperature,
                    known=self.known,
                )
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({error.strerror}); make room") from error

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """What `save` wrote.

        Raises:
            SourceError: there is no such file, or it holds something else.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as values:
                return cls(
                    names=tuple(str(name) for name in values["names"]),
                    actors=values["actors"],
                    labels=values["labels"],
                    logits=values["logits"],
                    temperature=values["temperature"],
                    known=values["known"],
                )
        except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error) as error:
            raise SourceError(
                f"{path} holds no predictions ({error}); measure the model again"
            ) from error

    @classmethod
    def of(
        cls, logits: npt.NDArray[np.float64], recordings: Sequence[FaceCrops], *, temperature: float
    ) -> Predictions:
        """The answers of one model.

        Args:
            logits: shape (recordings, clips a recording, labels).
            recordings: in the same order.
            temperature: the model's.
        """
        return cls(
            names=tuple(crops.recording.name for crops in recordings),
            actors=np.array([crops.recording.actor for crops in recordings]),
            labels=np.array([crops.recording.label for crops in recordings], dtype=np.int64),
            logits=np.asarray(logits, dtype=np.float64),
            temperature=np.full(len(recordings), temperature, dtype=np.float64),
            known=np.array(
                [
                    [label in crops.recording.known_labels for label in range(len(LABELS))]
                    for crops in recordings
                ]
            ),
        )

    @classmethod
    def pooled(cls, parts: Sequence[Predictions]) -> Predictions:
        """The answers of several models to different recordings, as of the folds of a protocol."""
        return cls(
            names=tuple(name for part in parts for name in part.names),
            actors=np.concatenate([part.actors for part in parts]),
            labels=np.concatenate([part.labels for part in parts]),
            logits=np.concatenate([part.logits for part in parts]),
            temperature=np.concatenate([part.temperature for part in parts]),
            known=np.concatenate([part.known for part in parts]),
        )
