"""Makes `picture.png` of the README out of the annotated demo: run `make demo` first.

python assets/make_picture.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime_mood.capture.file_source import FileSource
from realtime_mood.sinks.image import save_png


def main() -> None:
    """Save the frame of one moment as a PNG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, default=Path("out/demo.mp4"))
    parser.add_argument("--at", type=float, default=6.0, help="seconds (%(default)s)")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("picture.png"))
    options = parser.parse_args()
    source = FileSource(options.video)
    while (frame := source.read()) is not None:
        if frame.timestamp_s >= options.at:
            save_png(options.output, frame.image_bgr)
            print(options.output)
            break
    source.close()


if __name__ == "__main__":
    main()
