"""`python -m realtime_mood`."""

from realtime_mood.cli import main

if __name__ == "__main__":
    main()
