"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number of things, as '1 recording' and '2 recordings'."""
    return f"{number} {noun}{'s'[: number != 1]}"
