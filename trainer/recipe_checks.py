"""Options of a recipe that a model or the data contradicts, told before anything is cut."""

from __future__ import annotations

from collections.abc import Sequence

from realtime_mood.errors import UsageError
from trainer.base import Model
from trainer.config import RecipeConfig
from trainer.config.options import flag_of
from trainer.corpora.images import FACE_SIDE
from trainer.corpora.splits import Split
from trainer.motion_stage import why_not

FOR_RECORDINGS = ("motion_clips", "reanimate", "talk")
FOR_PICTURES = ("teacher_epochs", "hide")
FOR_SMALL_PICTURES = ("landmarks", "reanimate", "talk")
NO_RECORDINGS = "the data has pictures alone, which do not move; add recordings by --data"
NO_PICTURES = "the data has no pictures, which it is for; add some by --data images:PATH"
NO_SMALL_PICTURES = (
    f"it is for pictures that are a face as they are, and none is at most {FACE_SIDE} pixels wide "
    "and high; make them smaller"
)


def check_against_model(recipe: RecipeConfig, model: Model) -> None:
    """Refuse what the model has not.

    Raises:
        UsageError: an option asks for it.
    """
    if recipe.motion_clips and (reason := why_not(model)):
        raise UsageError(
            f"--motion-clips is {recipe.motion_clips}, but {reason}; give a model of single "
            "frames that began as 'tiny', or leave it out"
        )


def check_against_data(recipe: RecipeConfig, split: Split) -> None:
    """Refuse what is for kinds of data that are not there.

    Raises:
        UsageError: an option asks for it.
    """
    learned = split.train
    if all(r.is_picture for r in learned):
        _refuse(recipe, FOR_RECORDINGS, NO_RECORDINGS)
    if all(not r.is_picture for r in learned):
        _refuse(recipe, FOR_PICTURES + FOR_SMALL_PICTURES, NO_PICTURES)
    if all(r.image is None for r in learned):
        _refuse(recipe, FOR_SMALL_PICTURES, NO_SMALL_PICTURES)


def _refuse(recipe: RecipeConfig, names: Sequence[str], why: str) -> None:
    for name in names:
        if value := getattr(recipe, name):
            raise UsageError(f"{flag_of(name)} is {value:g}, but {why}, or leave it out")
