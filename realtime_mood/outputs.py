"""The event sink that a configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realtime_mood.config import RunConfig
from realtime_mood.errors import ReaderGoneError
from realtime_mood.sinks.events import open_event_sink
from realtime_mood.sinks.sink import EventSink


def open_events(config: RunConfig) -> EventSink | None:
    """Open where events go; None when nobody asked for them.

    A reader of standard output that goes away ends the run, unless a recording is being made too:
    then the recording goes on.

    Raises:
        RealtimeMoodError: it cannot be opened.
    """
    if not config.events:
        return None
    sink = open_event_sink(config.events)
    return UntilReaderLeaves(sink) if config.record else sink


class UntilReaderLeaves:
    """Writes to another sink until its reader goes away, and to nowhere from then on.

    Args:
        sink: written to, and closed.
    """

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._has_reader = True

    def write(self, event: Mapping[str, Any]) -> None:
        """See `EventSink.write`."""
        if self._has_reader:
            try:
                self._sink.write(event)
            except ReaderGoneError:
                self._has_reader = False

    def close(self) -> None:
        """See `EventSink.close`."""
        try:
            self._sink.close()
        except ReaderGoneError:
            self._has_reader = False
