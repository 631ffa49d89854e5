"""Options in the tables of a TOML file."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime_mood.errors import UsageError
from trainer.config.options import Option, Options, options_of


def from_toml(owner: type[Options], table: dict[str, Any], *, where: str) -> dict[str, Any]:
    """Values of a TOML table as the fields take them.

    Args:
        owner: its fields are the options.
        table: as `tomllib` reads it.
        where: names file and table in messages.

    Raises:
        UsageError: a key is unknown or its value is of another type.
    """
    known = {option.name: option for option in options_of(owner)}
    answer: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise UsageError(unknown(f"{where} {name}", name, tuple(known)))
        answer[name] = _from_toml(known[name], value, where=f"{where} {name}")
    return answer


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """A message for a name that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{what} is unknown; {hint}"


def _from_toml(option: Option, value: Any, *, where: str) -> Any:
    words = {bool: "true or false", int: "a whole number", float: "a number"}
    wanted = words.get(option.kind, "a text")
    elements = value if option.is_list else [value]
    if not isinstance(elements, list):
        raise UsageError(f"{where} is {value!r}; it must be a list")
    answer = []
    for element in elements:
        python_type: tuple[type, ...] = {bool: (bool,), int: (int,), float: (int, float)}.get(
            option.kind, (str,)
        )
        is_odd_bool = isinstance(element, bool) and option.kind is not bool
        if not isinstance(element, python_type) or is_odd_bool:
            raise UsageError(f"{where} is {element!r}; it must be {wanted}")
        if option.kind is Path and not element:
            raise UsageError(f"{where} is empty; give a path, or leave it out")
        try:
            answer.append(option.kind(element))
        except OverflowError:
            raise UsageError(f"{where} is too large a number; {option.rule}") from None
    return tuple(answer) if option.is_list else answer[0]


def to_toml(values: Options) -> dict[str, Any]:
    """The values as a TOML table; what is None is left out."""
    table: dict[str, Any] = {}
    for option in options_of(type(values)):
        value = getattr(values, option.name)
        if value is None:
            continue
        if option.is_list:
            table[option.name] = [str(v) if isinstance(v, Path) else v for v in value]
        else:
            table[option.name] = str(value) if isinstance(value, Path) else value
    return table
