"""Who a checkpoint has seen: people that it knows tell nothing about people that it does not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from realtime_mood.errors import UsageError
from realtime_mood.model.checkpoint import METRICS_FILE
from trainer.base import own_folder
from trainer.config import TINY
from trainer.corpora.recording import known_actors, list_actors
from trainer.corpora.splits import Split


@dataclass(frozen=True, kw_only=True)
class People:
    """Actors that a checkpoint has seen; pictures of nobody knows whom are none."""

    trained_on: tuple[str, ...] = ()
    """By the last run or one of those that it began with."""
    chosen_by: tuple[str, ...] = ()
    """The last run's temperature, and its epoch where the last one was not kept."""
    protocol: str = ""
    """How the last run split them."""


def read_people(folder: Path) -> People | None:
    """Who a checkpoint has seen; None: it does not say.

    Args:
        folder: of a checkpoint, or of what a run leaves for a further one to begin with.
    """
    try:
        figures = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        return People(
            trained_on=tuple(str(actor) for actor in figures["train_actors"]),
            chosen_by=tuple(str(a) for a in figures.get("validation", {}).get("actors", ())),
            protocol=str(figures.get("protocol", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def people_of_base(base_model: str) -> tuple[People, tuple[str, ...]]:
    """Who a base model has seen, as far as its folder says.

    Returns:
        The people, and what a reader has to know: that a checkpoint of ours does not say.

    Raises:
        ModelError: see `own_folder`.
    """
    if base_model == TINY:
        return People(), ()
    ours = own_folder(base_model)
    if people := read_people(ours or Path(base_model)):
        return people, ()
    note = f"--base-model {base_model} does not say whom it has learned from"
    return People(), (note,) if ours else ()


def note_of_choosers(split: Split, base_model: str, people: People) -> tuple[str, ...]:
    """What a reader has to know where a base model's epoch was chosen by people tested on now."""
    tested = known_actors(split.test)
    if known := [actor for actor in tested if actor in people.chosen_by]:
        return (
            f"what --base-model {base_model} kept of its own training was chosen by "
            f"{list_actors(known)}, who are tested on here",
        )
    return ()


def refuse_known(split: Split, base_model: str, people: People) -> None:
    """Refuse to measure a model on people that what it begins with was trained on.

    Raises:
        UsageError: some of those who are to choose or to be tested on are known to it.
    """
    if split.crosses_actors:
        return
    measured = known_actors(split.validation + split.test)
    if known := [actor for actor in measured if actor in people.trained_on]:
        raise UsageError(
            f"--base-model {base_model} was trained on {list_actors(known)}, who are to be "
            "measured here and would look better than strangers; measure others (actor-split: by "
            "--validation-actors and --test-actors), or begin with another model"
        )
