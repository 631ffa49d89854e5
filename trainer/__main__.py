"""`python -m trainer`."""

from __future__ import annotations

from trainer.cli import entry

if __name__ == "__main__":
    entry()
