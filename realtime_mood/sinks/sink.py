"""What sinks of pictures and of events are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from realtime_mood.frame import Frame


class FrameSink(Protocol):
    """Takes the annotated picture of every frame, in order."""

    def write(self, frame: Frame) -> None:
        """Take the next frame; its timestamp is later than that of the one before.

        Raises:
            OutputError: it cannot be written. The sink can only be closed now.
        """
        ...

    def close(self) -> None:
        """Finish what was written; may be called twice.

        Raises:
            OutputError: the end cannot be written.
        """
        ...


class EventSink(Protocol):
    """Takes the events of `realtime_mood.events`, in order."""

    def write(self, event: Mapping[str, Any]) -> None:
        """Take the next event and hand it to the operating system before returning.

        Raises:
            OutputError: it cannot be written.
        """
        ...

    def close(self) -> None:
        """Finish what was written; may be called twice.

        Raises:
            OutputError: the end cannot be written.
        """
        ...
