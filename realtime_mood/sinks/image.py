"""Single pictures."""

from __future__ import annotations

from pathlib import Path

import cv2

from realtime_mood.errors import OutputError
from realtime_mood.frame import ImageBGR
from realtime_mood.sinks.output_path import check_writable


def save_png(path: Path, image_bgr: ImageBGR) -> None:
    """Write a picture; a file that is there already is replaced only by a whole new one.

    Args:
        path: of the file, ending in .png.
        image_bgr: shape (height, width, 3), uint8.

    Raises:
        OutputError: it cannot be written.
    """
    check_writable(path)
    _, encoded = cv2.imencode(".png", image_bgr)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(encoded.tobytes())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError(
            f"the picture {path} cannot be written ({error.strerror}); choose another place"
        ) from error
