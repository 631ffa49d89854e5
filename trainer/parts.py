"""The face crops of a split, cut once: what is learned from, and what is measured."""

from __future__ import annotations

import logging
from dataclasses import replace

from realtime_mood.errors import SourceError
from trainer import processes
from trainer.augment import PAD
from trainer.config import TrainConfig
from trainer.corpora.recording import Recording, count_kinds
from trainer.corpora.splits import Split
from trainer.crops import Cutter, FaceCrops, cut_recordings, most_bad
from trainer.landmark_finder import Points, model_file
from trainer.landmarks import find_landmarks
from trainer.progress import Progress
from trainer.reanimate import Reanimator

logger = logging.getLogger(__name__)

PICTURES = "pictures"
"""What is said of held-out pictures that were added to another corpus."""


class SplitCrops:
    """The face crops of a split: padded for training, exactly the spec's for the rest.

    Args:
        split: of the corpus that is measured.
        pictures: of pictures that are added to it; None: there are none.
        cutter: of the spec's crops.
        config: of the run.
        progress: told what is done.
    """

    def __init__(
        self,
        split: Split,
        pictures: Split | None,
        cutter: Cutter,
        config: TrainConfig,
        progress: Progress,
    ) -> None:
        self.skipped: dict[str, str] = {}
        self._cutter = cutter
        measured = split.validation + split.test
        if pictures:
            measured += pictures.validation + pictures.test
        self._bad_allowed = most_bad(split.train + measured, config.data.allow_bad)
        self._config = config
        self._progress = progress
        to_move = replace(cutter.padded(PAD), finds_landmarks=config.recipe.uses_motion)
        if to_move.finds_landmarks or config.recipe.landmarks:
            model_file()
        self.train = self._cut(split.train, to_move, "train")
        self.validation = self._cut(split.validation, cutter, "validation")
        self.test = self._cut(split.test, cutter, "test")
        self.pictures_validation: list[FaceCrops] = []
        self.pictures: list[FaceCrops] = []
        if pictures:
            self.pictures_validation = self._cut(pictures.validation, cutter, "pictures validation")
            self.pictures = self._cut(pictures.test, cutter, PICTURES)
        self.reanimator: Reanimator | None = None
        """Makes training pictures move as training recordings do; None: nothing asks for it."""
        if config.recipe.reanimate or config.recipe.talk:
            self.reanimator = Reanimator(self.train, self.landmarks())
            if not self.reanimator.has_pictures:
                raise SourceError(
                    "no picture can be made to move, for none shows a face from the front; add "
                    "some by --data images:PATH, or leave --reanimate and --talk out"
                )
            if config.recipe.talk and not self.reanimator.has_talkers:
                raise SourceError(
                    f"--talk is {config.recipe.talk:g}, but no training recording is called calm "
                    "or neutral; add some, or leave it out"
                )

    @property
    def moving(self) -> list[FaceCrops]:
        """What is learned from, without pictures."""
        return [crops for crops in self.train if not crops.is_still]

    @property
    def stills(self) -> list[FaceCrops]:
        """The pictures that are learned from."""
        return [crops for crops in self.train if crops.is_still]

    def landmarks(self) -> Points:
        """Those of what is learned from; of recordings, they are not known."""
        return processes.from_first(
            lambda: find_landmarks(
                self.train,
                self._cutter,
                num_workers=self._config.run.num_workers,
                progress=self._progress,
            )
        )

    def _cut(self, recordings: tuple[Recording, ...], cutter: Cutter, name: str) -> list[FaceCrops]:
        bad_allowed = self._bad_allowed - len(self.skipped)
        crops, skipped = processes.from_first(
            lambda: cut_recordings(
                recordings,
                cutter,
                num_workers=self._config.run.num_workers,
                timeout_s=self._config.data.decode_timeout_s,
                progress=self._progress,
                bad_allowed=bad_allowed,
            )
        )
        self.skipped |= skipped
        if not crops:
            raise SourceError(
                f"none of the {len(recordings)} {name} recordings can be used "
                f"({next(iter(skipped))}: {next(iter(skipped.values()))})"
            )
        logger.info(
            "%s: %s, %d skipped", name, count_kinds(one.recording for one in crops), len(skipped)
        )
        return crops
