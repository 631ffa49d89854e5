"""The colours, all (blue, green, red) from 0 to 255.

The eight label colours were searched for: each in a range of hues that suits its word, together
as far apart as they get in OKLab, both for normal sight and in Machado, Oliveira and Fernandes'
(2009) simulation of protanopia, deuteranopia and tritanopia. All are light enough for dark ink on
them and for use on a dark plate. What a colour means in the strip of the past, the panel of bars
tells.
"""

from __future__ import annotations

from realtime_mood.model.labels import UNSURE

Colour = tuple[int, int, int]
"""(blue, green, red), each from 0 to 255."""


def _from_hex(rgb: int) -> Colour:
    return rgb & 0xFF, rgb >> 8 & 0xFF, rgb >> 16


LABEL_COLOURS: dict[str, Colour] = {
    "angry": _from_hex(0xF45C71),
    "calm": _from_hex(0x5AE0E4),
    "disgust": _from_hex(0x7BA428),
    "fearful": _from_hex(0xB877DA),
    "happy": _from_hex(0xFCCC1A),
    "neutral": _from_hex(0xF8EFCC),
    "sad": _from_hex(0x3F9CFF),
    "surprised": _from_hex(0xED9A56),
    UNSURE: _from_hex(0xA3ACB8),
}
"""One colour for each of the eight labels, the same at every place and in every version of the
picture, and grey for 'unsure'."""

INK = _from_hex(0x0E1218)
"""Text on a light plate."""
PLATE = _from_hex(0x12161C)
"""Background of panels, mixed with the picture by `PLATE_OPACITY`."""
PLATE_OPACITY = 0.82
"""With it white text keeps a contrast above 7 : 1, quiet text above 4.5 : 1 and every bar above
3 : 1 against its track, over white."""
WHITE = _from_hex(0xFFFFFF)
"""Text that matters, on a dark plate."""
QUIET = _from_hex(0xD3D9E1)
"""Text that only explains, on a dark plate."""
RECORDING_RED = _from_hex(0xFF4545)
"""The dot beside the recorded time."""
