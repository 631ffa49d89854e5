"""What `--camera` names: a number, a device path or a stream. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from realtime_mood.errors import UsageError

STREAM_MARK = "://"
PLAYLISTS = (".m3u8", ".mpd")
"""How the names of HLS and DASH playlists end."""
SECRET = re.compile(r"(user\w*|pass\w*|psw|pwd?)=[^&]*", re.IGNORECASE)
"""Cameras that take who looks, and the password, in the path."""
HIDDEN = "…"
PATTERN = "pattern"
"""In place of a camera: a drawn face that moves."""


@dataclass(frozen=True)
class CameraTarget:
    """A camera or stream, told apart and named for people.

    Raises:
        UsageError: the text names neither.
    """

    text: str
    """As given; may hold a password."""

    def __post_init__(self) -> None:
        if not (self.is_device or self.is_stream or self.is_pattern):
            raise UsageError(
                f"there is no camera called {self.name}; give a number such as 0, a device path "
                "such as /dev/video0 or a URL, and video files to --video"
            )

    @property
    def is_device(self) -> bool:
        """True for a camera's number or device path."""
        return self.text.isdecimal() or self.text.startswith("/dev/")

    @property
    def is_stream(self) -> bool:
        """True for a URL."""
        return STREAM_MARK in self.text

    @property
    def is_playlist(self) -> bool:
        """True for a stream that comes in pieces of several seconds, each at once."""
        # A password may hold what begins a query.
        ends = (self.text.partition("?")[0], self.text.rpartition("@")[2].partition("?")[0])
        return self.is_stream and any(
            end.partition("#")[0].lower().endswith(PLAYLISTS) for end in ends
        )

    @property
    def is_pattern(self) -> bool:
        """True for the synthetic picture."""
        return self.text == PATTERN

    @property
    def address(self) -> int | str:
        """What OpenCV opens."""
        return int(self.text) if self.text.isdecimal() else self.text

    @property
    def name(self) -> str:
        """For messages, events and the display; of a URL, no user, password or query."""
        if self.is_stream:
            scheme, _, rest = self.text.partition(STREAM_MARK)
            before, _, after = rest.replace("#", "?").partition("?")
            # A password with a question mark in it, or a query with an @? Nothing is told of these.
            public = HIDDEN if "@" in after else before.rpartition("@")[2]
            public = SECRET.sub(lambda found: f"{found[1]}={HIDDEN}", public)
            return f"{scheme}{STREAM_MARK}{public}"
        return f"camera {self.text}" if self.text.isdecimal() else self.text
