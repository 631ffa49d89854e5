"""A run's configuration out of its layers: flags over TOML file over preset over defaults."""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from realtime_mood.errors import OutputError, UsageError
from trainer.config.data import DataConfig, SplitConfig, data_from_environment
from trainer.config.model import TINY, ModelConfig
from trainer.config.options import Options, add_options, flag_of, given, options_of, require
from trainer.config.recipe import RECIPES, RecipeConfig
from trainer.config.run import RunConfig
from trainer.config.tables import from_toml, to_toml, unknown
from trainer.whole_files import write_whole

TABLES: dict[str, type[Options]] = {
    "data": DataConfig,
    "split": SplitConfig,
    "model": ModelConfig,
    "recipe": RecipeConfig,
    "run": RunConfig,
}
"""Tables of a TOML file, and groups of the command line's help."""
PRESET_KEY = "preset"
EFFECTIVE_FILE = "config.toml"
MARK = "# The options of this run, as the trainer writes them.\n"
NOT_KEPT = ("resume", "push_to_hub")
"""Options of a run that are asked for each time."""
GONE: dict[str, tuple[object, ...]] = {
    "motion_epochs": (0.0,),
    "motion_learning_rate": (6e-4,),
    "teacher_labels": (0.0,),
    "add_layers": (0,),
    "frozen_layers": (0,),
    "restart_time": (False,),
    "still_frames": (0,),
}
"""Options that earlier versions wrote into a run's folder, and values by which they did nothing."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Options of `trainer train`, by subject.

    Raises:
        UsageError: options of different subjects contradict each other.
    """

    data: DataConfig
    """What is learned from."""
    split: SplitConfig
    """Who is on which side."""
    model: ModelConfig
    """What is trained, and on what clips."""
    recipe: RecipeConfig
    """How."""
    run: RunConfig
    """Where to, and with what."""

    def __post_init__(self) -> None:
        self._check_names()
        recipe = self.recipe
        if recipe.base_share and self.model.base_model == TINY:
            raise UsageError(
                f"--base-share is {recipe.base_share:g}, but --base-model {TINY} knows nothing; "
                "name another base model, or leave it out"
            )
        if self.run.gradient_checkpointing and recipe.motion:
            raise UsageError(
                f"--motion is {recipe.motion:g}, by which a batch has clips of one frame and of "
                "two, which --gradient-checkpointing cannot tell apart; leave one of them out"
            )

    def _check_names(self) -> None:
        # What began a run is written down as TOML, which is UTF-8.
        for name in TABLES:
            part: Options = getattr(self, name)
            for option in options_of(type(part)):
                value = getattr(part, option.name)
                for text in map(str, value if option.is_list else (value,)):
                    if text.encode(errors="ignore").decode() != text:
                        raise UsageError(
                            f"{option.flag} is {text!a}, which is no UTF-8; rename what it names"
                        )

    @property
    def crops_folder(self) -> Path:
        """Where face crops are kept."""
        return self.data.cache or self.run.output / "crops"

    @property
    def checkpoint_folder(self) -> Path:
        """What `realtime-mood --model` loads."""
        return self.run.output / "checkpoint"

    @property
    def frames_folder(self) -> Path:
        """Where the model of single frames is written to which layers of motion are added."""
        return self.run.output / "single_frames"

    @property
    def run_folder(self) -> Path:
        """Intermediate states, needed only to resume."""
        return self.run.output / "run"


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser all options of `trainer train`."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML file with any of these options, in the tables named below; flags go first",
    )
    parser.add_argument(
        "--recipe", choices=tuple(RECIPES), help="preset that the rest goes out from (base)"
    )
    for name, owner in TABLES.items():
        add_options(parser, owner, title=f"[{name}]")


def train_config(values: argparse.Namespace) -> TrainConfig:
    """The configuration that a command line asks for.

    Args:
        values: of a parser made by `add_train_options`.

    Raises:
        UsageError: the TOML file cannot be used, something is missing or outside its range.
    """
    tables: dict[str, dict[str, Any]] = {}
    preset = None
    if values.config is not None:
        content = _load(values.config, "--config", "it must be TOML")
        if is_effective(values.config):
            _drop_gone(content, f"{values.config} is of a run that was begun with")
        tables, preset = _read(content, values.config)
    elif getattr(values, "resume", False) and "output" in values:
        # An interrupted run goes on as it was begun.
        begun: Path = values.output / EFFECTIVE_FILE
        if begun.is_file():
            tables, preset = _read(begun_tables(begun), begun)
    preset = values.recipe or preset or "base"
    made: dict[str, Any] = {}
    for name, owner in TABLES.items():
        merged = dict(RECIPES[preset].get(name, {}))
        merged |= data_from_environment() if name == "data" else {}
        merged |= tables.get(name, {})
        merged |= given(values, owner)
        require(owner, merged, f"give it, or name it in [{name}] of a --config file")
        made[name] = owner(**merged)
    return TrainConfig(**made)


def write_effective(config: TrainConfig, path: Path) -> None:
    """Write a configuration as a TOML file that makes the same run again.

    Raises:
        OutputError: it cannot be written.
    """
    import tomli_w

    tables = {field.name: to_toml(getattr(config, field.name)) for field in fields(config)}
    # What a run is does not depend on whether it was interrupted, nor on who is given it. Nobody
    # shall push another run's checkpoint over this one's by beginning with this file.
    for name in NOT_KEPT:
        tables["run"].pop(name, None)
    try:
        write_whole(path, MARK + tomli_w.dumps(tables))
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); choose another --output"
        ) from error


def is_effective(path: Path) -> bool:
    """Whether `write_effective` wrote a file; earlier versions did not mark it."""
    try:
        return path.read_bytes().startswith(MARK.encode())
    except OSError:
        return False


def begun_tables(path: Path) -> dict[str, Any]:
    """What `write_effective` wrote when a run was begun, perhaps by an earlier version.

    Raises:
        UsageError: it cannot be read, or the run was begun with what is no option any more.
    """
    content = _load(path, "the run's", "put it right, or choose another --output")
    _drop_gone(content, f"the run in {path.parent} was begun with")
    return content


def _drop_gone(content: dict[str, Any], begun: str) -> None:
    """Take out what earlier versions wrote and this one does not have, where it did nothing."""
    tables = {
        name: table for name, table in content.items() if name in TABLES and isinstance(table, dict)
    }
    recipe = tables.get("recipe", {})
    if "restart_time" in recipe and recipe.get("motion") and recipe.get("epochs"):
        # Up to then, clips were asked for motion too.
        raise _gone(begun, f"--motion {recipe['motion']} and --epochs {recipe['epochs']}")
    for name, table in tables.items():
        for key in NOT_KEPT:
            table.pop(key, None)
        gone = table.keys() - {option.name for option in options_of(TABLES[name])}
        idle = {key for key in gone if table[key] in GONE.get(key, ())}
        if lost := sorted(gone - idle):
            raise _gone(begun, f"{flag_of(lost[0])} {table[lost[0]]}")
        for key in idle:
            del table[key]


def _gone(begun: str, what: str) -> UsageError:
    return UsageError(
        f"{begun} {what}, which this version does not have; go on with the version that began it, "
        "or begin another run"
    )


def _load(path: Path, whose: str, remedy: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{whose} {path} cannot be read ({reason}); {remedy}") from error


def _read(content: dict[str, Any], path: Path) -> tuple[dict[str, dict[str, Any]], str | None]:
    """Values by table and the preset's name."""
    preset = content.pop(PRESET_KEY, None)
    if preset is not None and preset not in RECIPES:
        known = ", ".join(RECIPES)
        raise UsageError(f"{path}: {PRESET_KEY} is {preset!r}; it must be one of {known}")
    tables: dict[str, dict[str, Any]] = {}
    for name, table in content.items():
        if name not in TABLES:
            raise UsageError(unknown(f"{path}: {name}", name, (*TABLES, PRESET_KEY)))
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {name} is {table!r}; it must be a table, [{name}]")
        tables[name] = from_toml(TABLES[name], table, where=f"{path}: [{name}]")
    return tables, preset
