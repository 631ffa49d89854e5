"""`python -m realtime_mood`."""

from realtime_mood.cli import entry

if __name__ == "__main__":
    entry()
