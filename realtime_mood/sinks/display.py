"""The display; the only file that calls OpenCV's GUI. Main thread only."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from realtime_mood.errors import OutputError
from realtime_mood.frame import ImageBGR

TITLE = "realtime-mood"
MAX_START_SIZE = (1280, 800)
SMALL_PICTURE = 960
"""Shorter ones are enlarged from the start, or else nobody could read the text in them."""
CONNECT_TIMEOUT_S = 1.0
X11_PORT = 6000
SCREEN_ATTEMPTS = 3
SCREEN_PAUSE_S = 0.2
KEYSYM_BITS = 0xFFFF
"""GTK sets the bits above these for NumLock and the like; Windows puts keys without a character
there; Qt uses these alone."""
LAST_ASCII = 0x7F


def why_no_display() -> str | None:
    """The reason why no display can be opened here, in a few words; None when one can.

    Asked before the first GUI call, because Qt ends the whole process when it finds no screen.
    """
    if not cv2.currentUIFramework():
        return "this OpenCV has no display (opencv-python-headless is installed; remove it)"
    if not sys.platform.startswith("linux"):
        return None
    name = os.environ.get("DISPLAY")
    if not name:
        return "there is no screen (DISPLAY is not set)"
    if not _answers(name):
        return f"the screen DISPLAY={name} does not answer"
    if not _lets_us_in(name):
        return f"the screen DISPLAY={name} refuses this program; see XAUTHORITY, or use xhost"
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
    return _connects(socket.AF_INET, (host, X11_PORT + int(number)))


def _lets_us_in(display_name: str) -> bool:
    """Open the screen as Qt will, by the library that OpenCV's wheel is linked with on Linux.

    A server that nobody else uses begins anew when its last program leaves it, as the question
    whether it answers has just done, and may refuse everybody for a moment. So it is asked again,
    and what has been opened stays open until the process ends: Qt shall not find it so.
    """
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    for attempt in range(SCREEN_ATTEMPTS):
        time.sleep(SCREEN_PAUSE_S if attempt else 0.0)
        with _no_stderr():  # The library repeats there what the server says.
            connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display_name), None))
        if not xcb.xcb_connection_has_error(connection):
            return True
        xcb.xcb_disconnect(connection)
    return False


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Silence what a library writes to file descriptor 2."""
    try:
        kept = os.dup(2)
    except OSError:  # It is closed.
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT_S)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


class Display:
    """A resizable display that shows pictures and reads keys.

    Raises:
        OutputError: it cannot be opened.
    """

    def __init__(self) -> None:
        self._picture_size: tuple[int, int] | None = None
        _prepare_qt()
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as error:
            raise OutputError(
                f"the display cannot be opened ({error.err}); use --headless"
            ) from error

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """How large a picture is shown; pictures of a new size give the display its size.

        Text that is drawn before the display scales a picture cannot be read, so whoever draws any
        scales it first.

        Returns:
            Width and height in pixels, in the proportions of the picture; of a display that was
            made larger than `MAX_START_SIZE`, and than the picture, no more than fits in there.
        """
        start = _display_size(width, height)
        if self._picture_size != (width, height):
            self._picture_size = (width, height)
            cv2.resizeWindow(TITLE, *start)
            return start
        try:
            _, _, shown_width, shown_height = cv2.getWindowImageRect(TITLE)
        except cv2.error:
            return start  # The person has closed it.
        if min(shown_width, shown_height) < 1:
            return start
        largest = max(1.0, _largest_factor(width, height))
        factor = min(shown_width / width, shown_height / height, largest)
        return max(1, round(width * factor)), max(1, round(height * factor))

    def show(self, image_bgr: ImageBGR) -> None:
        """Put a picture on the display."""
        cv2.imshow(TITLE, image_bgr)

    def read_key(self) -> str | None:
        """Let the window system work for a moment; answer a key pressed, as its character.

        Keys that have no ASCII character, such as the arrows, are not answered.
        """
        code = cv2.waitKeyEx(1) & KEYSYM_BITS
        return chr(code) if 0 < code <= LAST_ASCII else None

    @property
    def is_open(self) -> bool:
        """False once the person has closed the display."""
        try:
            visible = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE)
            # On macOS a display that is minimised is not visible; one that is gone is -1.
            return visible >= (0 if sys.platform == "darwin" else 1)
        except cv2.error:
            return False  # Qt has nobody to ask once it has no window left.

    def close(self) -> None:
        """Close the display; may be called twice."""
        if self.is_open:
            cv2.destroyWindow(TITLE)
            cv2.waitKeyEx(1)


def _display_size(width: int, height: int) -> tuple[int, int]:
    least = max(1.0, SMALL_PICTURE / max(width, height))
    factor = min(least, _largest_factor(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _largest_factor(width: int, height: int) -> float:
    """By how much a picture is enlarged or made smaller to fill `MAX_START_SIZE`."""
    return min(MAX_START_SIZE[0] / width, MAX_START_SIZE[1] / height)


def _prepare_qt() -> None:
    """Tell the Qt inside OpenCV's wheel where fonts are, or else it prints a line for each.

    On Linux it knows X11 alone, and ends the process where it is asked for Wayland, as many
    desktops ask of every program.
    """
    asked = os.environ.get("QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and asked and "xcb" not in asked.split(";"):
        os.environ["QT_QPA_PLATFORM"] = "xcb"
    for folder in ("/usr/share/fonts/truetype", "/usr/share/fonts"):
        if "QT_QPA_FONTDIR" not in os.environ and Path(folder).is_dir():
            os.environ["QT_QPA_FONTDIR"] = folder
