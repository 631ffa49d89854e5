"""The window on the screen; the only file that calls OpenCV's GUI. Main thread only."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import cv2

from realtime_mood.errors import OutputError
from realtime_mood.frame import ImageBGR

TITLE = "realtime-mood"
MAX_START_SIZE = (1280, 800)
SMALL_PICTURE = 640
CONNECT_TIMEOUT_S = 1.0


def why_no_display() -> str | None:
    """The reason why no window can be opened here, in a few words; None when one can.

    Asked before the first GUI call, because Qt ends the whole process when it finds no screen.
    """
    if not cv2.currentUIFramework():
        return "this OpenCV has no windows (opencv-python-headless is installed; remove it)"
    if not sys.platform.startswith("linux"):
        return None
    name = os.environ.get("DISPLAY")
    if not name:
        return "there is no screen (DISPLAY is not set)"
    if not _answers(name):
        return f"the screen DISPLAY={name} does not answer"
    return None


def _answers(display_name: str) -> bool:
    host, _, number_and_screen = display_name.rpartition(":")
    number = number_and_screen.split(".")[0]
    if not number.isdigit():
        return False
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        # A socket in the abstract namespace has no file; both kinds are in use.
        return any(_connects(socket.AF_UNIX, address) for address in (path, f"\0{path}"))
    return _connects(socket.AF_INET, (host, 6000 + int(number)))


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT_S)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


class Display:
    """A resizable window that shows pictures and reads keys.

    Raises:
        OutputError: the window cannot be opened.
    """

    def __init__(self) -> None:
        self._picture_size: tuple[int, int] | None = None
        _quieten_qt()
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as error:
            raise OutputError(f"no window can be opened ({error.err}); use --headless") from error

    def show(self, image_bgr: ImageBGR) -> None:
        """Put a picture into the window; a picture of a new size gives the window its size."""
        height, width = image_bgr.shape[:2]
        if self._picture_size != (width, height):
            self._picture_size = (width, height)
            cv2.resizeWindow(TITLE, *_window_size(width, height))
        cv2.imshow(TITLE, image_bgr)

    def read_key(self) -> str | None:
        """Let the window system work for a moment; answer a key pressed, as its character."""
        code = cv2.waitKey(1) & 0xFF
        return None if code == 0xFF else chr(code)

    @property
    def is_open(self) -> bool:
        """False once the person has closed the window."""
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Close the window; may be called twice."""
        if self._picture_size and self.is_open:
            cv2.destroyWindow(TITLE)
            cv2.waitKey(1)
        self._picture_size = None


def _window_size(width: int, height: int) -> tuple[int, int]:
    factor = min(1.0, MAX_START_SIZE[0] / width, MAX_START_SIZE[1] / height)
    # Small pictures are shown larger, or else nobody could read the text in them.
    if max(width, height) < SMALL_PICTURE:
        factor = SMALL_PICTURE / max(width, height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _quieten_qt() -> None:
    """Tell the Qt inside OpenCV's wheel where fonts are, or else it prints a line for each."""
    for folder in ("/usr/share/fonts/truetype", "/usr/share/fonts"):
        if "QT_QPA_FONTDIR" not in os.environ and Path(folder).is_dir():
            os.environ["QT_QPA_FONTDIR"] = folder
