"""Options as fields of dataclasses: one definition for check, help, command line and TOML.

    @dataclass(frozen=True, kw_only=True)
    class RecipeConfig(Options):
        epochs: Annotated[float, Range(0.0, 1e5)] = 15.0
        '''Epochs on clips.'''

gives `--epochs`, the key `epochs` of a table, a check when it is made, and its help. Types are bool
(`--flip`, `--no-flip`), int, float, str, Path, each also `| None`; `tuple[int, ...]` is given as
`1,2,3`, `tuple[str, ...]` by repeating its flag; in TOML both are lists.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import textwrap
import types
from collections.abc import Collection
from dataclasses import MISSING, Field, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from realtime_mood.errors import UsageError


@dataclass(frozen=True)
class Range:
    """Bounds of a number, both inclusive."""

    low: float
    """Least value."""
    high: float
    """Greatest value."""
    unit: str = ""
    """Named in messages."""
    above: bool = False
    """Leave out the least value itself."""

    def accepts(self, value: float) -> bool:
        """Whether a value is within the bounds; NaN never is."""
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.above:
            return f"above {self.low:.10g} and at most {self.high:.10g}{unit}"
        return f"from {self.low:.10g} to {self.high:.10g}{unit}"


@dataclass(frozen=True)
class Choice:
    """The only values a text can have."""

    names: tuple[str, ...]
    """All of them."""

    def accepts(self, value: str) -> bool:
        """Whether a value is one of them."""
        return value in self.names

    def __str__(self) -> str:
        return ", ".join(self.names[:-1]) + f" or {self.names[-1]}"


@dataclass(frozen=True)
class Option:
    """What a field says about itself."""

    name: str
    """Of the field, and of the key in a TOML table."""
    kind: type
    """bool, int, float, str, Path, or the type of a tuple's elements."""
    is_list: bool
    """Whether it is a tuple."""
    rule: Range | Choice | None
    """What its value, or each element of it, must be."""
    help: str
    """The first sentence under the field."""
    default: Any
    """MISSING where one must be given."""

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return flag_of(self.name)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of the dataclasses whose fields are options.

    Raises:
        UsageError: a value is outside its range.
    """

    def __post_init__(self) -> None:
        for option in options_of(type(self)):
            value = getattr(self, option.name)
            values = value if option.is_list else (value,)
            for element in values:
                if element is not None and option.rule and not option.rule.accepts(element):
                    raise UsageError(f"{option.flag} is {element}; it must be {option.rule}")


def flag_of(name: str) -> str:
    """How an option of that name is written on the command line."""
    return "--" + name.replace("_", "-")


def options_of(owner: type[Options]) -> tuple[Option, ...]:
    """The options that a dataclass defines, in order."""
    # typeshed has it that a class with its own __eq__ cannot be a key.
    key: Any = owner
    return _options_of(key)


@cache
def _options_of(owner: Any) -> tuple[Option, ...]:
    hints = get_type_hints(owner, include_extras=True)
    texts = _texts_under_fields(owner)
    return tuple(_option(f, hints[f.name], texts.get(f.name, "")) for f in fields(owner))


def add_options(
    parser: argparse.ArgumentParser,
    owner: type[Options],
    *,
    title: str | None = None,
    only: Collection[str] | None = None,
) -> None:
    """Give a parser the flags of a dataclass; those not given stay out of its namespace.

    Args:
        parser: given the flags, whose destinations are the fields' names.
        owner: its fields are the options.
        title: groups them in the help; None: no group.
        only: names of the fields that are given; None: all.
    """
    group = parser.add_argument_group(title) if title else parser
    for option in options_of(owner):
        if only is None or option.name in only:
            _add_option(group, option)


def _add_option(group: argparse._ActionsContainer, option: Option) -> None:
    default = option.default
    if isinstance(default, bool):
        default = "on" if default else "off"
    shown = "" if default in (None, ()) else f" ({'needed' if default is MISSING else default})"
    values: dict[str, Any] = {
        "dest": option.name,
        "default": argparse.SUPPRESS,
        "help": (option.help.rstrip(".") + shown).replace("%", "%%"),
    }
    if option.kind is bool:
        values["action"] = argparse.BooleanOptionalAction
    elif option.is_list and option.kind is str:
        values["action"] = "append"
    elif option.is_list:
        values["type"] = _numbers(option.kind)
    elif isinstance(option.rule, Choice):
        values["choices"] = option.rule.names
    else:
        values["type"] = option.kind if option.kind is not Path else _path
    if option.kind is not bool and not isinstance(option.rule, Choice):
        values["metavar"] = {int: "N", float: "X", Path: "PATH"}.get(option.kind, "TEXT")
        if option.is_list and option.kind is not str:
            values["metavar"] += "," + values["metavar"] + ",..."
    group.add_argument(option.flag, **values)


def _path(text: str) -> Path:
    if not text:
        # As a script's variable that was not set; to Path it is the current folder.
        raise argparse.ArgumentTypeError("the value is empty; give one, or leave the option out")
    return Path(text)


def _numbers(kind: type) -> Any:
    def parse(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(word) for word in text.split(","))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a list of numbers such as 18,19,20"
            ) from None

    return parse


def _option(field: Field[Any], hint: Any, text: str) -> Option:
    rule: Range | Choice | None = None
    if get_origin(hint) is Annotated:
        hint, rule = get_args(hint)[:2]
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Annotated:
        hint, rule = get_args(hint)[:2]
    is_list = get_origin(hint) is tuple
    if is_list:
        hint = get_args(hint)[0]
    default = field.default
    if field.default_factory is not MISSING:
        default = field.default_factory()
    return Option(field.name, hint, is_list, rule, text, default)


def _texts_under_fields(owner: type[Any]) -> dict[str, str]:
    """The string below each field, on one line; none where there is no source to read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    except OSError:
        return {}
    definition = tree.body[0]
    assert isinstance(definition, ast.ClassDef)
    texts: dict[str, str] = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(below, ast.Expr), f"{owner.__name__}.{field.target.id} has no text"
            texts[field.target.id] = " ".join(ast.literal_eval(below.value).split())
    return texts


def given(values: argparse.Namespace, owner: type[Options]) -> dict[str, Any]:
    """Of what was parsed, the options of one dataclass that were given.

    Args:
        values: of a parser made by `add_options`.
        owner: whose options.
    """
    found = {o.name: getattr(values, o.name) for o in options_of(owner) if o.name in values}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in found.items()}


def require(owner: type[Options], values: dict[str, Any], where: str) -> None:
    """Refuse values that leave out an option without a default.

    Args:
        owner: its fields are the options.
        values: what was given.
        where: where it can be given besides the command line; may be empty.

    Raises:
        UsageError: one is missing.
    """
    for option in options_of(owner):
        if option.default is MISSING and option.name not in values:
            raise UsageError(f"{option.flag} is missing; {where or 'it must be given'}")
