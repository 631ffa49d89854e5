"""Options of the command line, and the configuration that they ask for.

Nothing heavy is imported before they are known to be right.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from realtime_mood import __version__
from realtime_mood.choices import DETECTOR_CHOICES, DEVICE_CHOICES
from realtime_mood.errors import UsageError, did_you_mean
from realtime_mood.faces.yunet_file import FACE_MODEL_VARIABLE

if TYPE_CHECKING:
    from realtime_mood.config import RunConfig

DESCRIPTION = "Name the facial expression in a webcam picture or a video, in real time."
EPILOG = """\
keys in the display: q or Esc quit, space pause, r record, s screenshot, h hide
numbers, n learn neutral faces (again: forget); recordings and screenshots go
into the current folder as realtime-mood-DATE.mp4 and .png

examples:
  realtime-mood                                    the first webcam
  realtime-mood --video clip.mp4                   play a file
  realtime-mood --video clip.mp4 --record out.mp4  write an annotated copy
  realtime-mood --video clip.mp4 --events out.csv  write what was seen

Everything runs on this machine; no picture leaves it. An expression is not a
feeling.
"""


class _Parser(argparse.ArgumentParser):
    """Reports bad usage the way every other error is reported: one line."""

    @property
    def option_names(self) -> list[str]:
        """All that there are, with their dashes."""
        return list(self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


class _Once(argparse.Action):
    """Keeps a value that only one can be given of."""

    _is_given = False

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        if self._is_given:
            parser.error(f"{option_string} is there twice; a run has one")
        self._is_given = True
        setattr(namespace, self.dest, values)


def _text(text: str) -> str:
    """What was given, which is nothing where a script's variable was not set."""
    if not text:
        raise argparse.ArgumentTypeError("the value is empty; give one, or leave the option out")
    return text


def _path(text: str) -> Path:
    return Path(_text(text))


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"'{text}' is no size; give one such as 1280x720")
    return int(width), int(height)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line.

    Raises:
        UsageError: an option is unknown or its value is of the wrong kind.
    """
    parser = _Parser(
        prog="realtime-mood",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    source = parser.add_argument_group("source")
    source.add_argument(
        "--camera",
        action=_Once,
        type=_text,
        metavar="N|PATH|URL",
        help="camera number, device path or stream URL (default: 0); 'pattern' is a test picture, "
        "drawn, in which no face is found",
    )
    source.add_argument(
        "--camera-size",
        type=_size,
        metavar="WxH",
        help="ask the camera for pictures of this size, such as 1280x720 (default: its own)",
    )
    source.add_argument(
        "--video",
        action=_Once,
        type=_path,
        metavar="FILE",
        help="read a video file, or a picture",
    )
    source.add_argument(
        "--duration", type=float, metavar="S", help="stop after this many seconds of video"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--record",
        action=_Once,
        type=_path,
        metavar="OUT.mp4",
        help="write the annotated video; replaces a file that is there. A --video with this or "
        "--events is worked through without a display",
    )
    output.add_argument(
        "--events",
        action=_Once,
        type=_text,
        metavar="OUT.jsonl|OUT.csv|-",
        help="write what is seen as JSON lines or CSV (predictions alone); replaces a file that is "
        "there; '-' is standard output",
    )
    output.add_argument("--headless", action="store_true", help="open no display")
    output.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        help="flip the picture left to right (default: for cameras)",
    )
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model",
        type=_text,
        default="default",
        metavar="DIR|ID",
        help="checkpoint folder or Hugging Face Hub id (default: the one that came along)",
    )
    model.add_argument(
        "--device",
        default="auto",
        choices=DEVICE_CHOICES,
        help="what runs the model (default: auto)",
    )
    model.add_argument(
        "--stride",
        type=float,
        metavar="S",
        help="seconds between two looks at a face (default: 0.2)",
    )
    model.add_argument(
        "--faces",
        default="auto",
        choices=DETECTOR_CHOICES,
        help="face detector; 'none' takes the centre of the picture (default: auto)",
    )
    model.add_argument(
        "--neutral-start",
        action="store_true",
        help="every face rests when it comes: learn its neutral expression from its first second "
        "and a half (default: when n is pressed)",
    )
    model.add_argument(
        "--max-faces",
        type=int,
        metavar="N",
        help="faces followed at the same time (default: 8)",
    )
    model.add_argument(
        "--face-model",
        type=_path,
        metavar="FILE",
        help=f"YuNet's ONNX file (default: {FACE_MODEL_VARIABLE}, else fetched once)",
    )
    parser.add_argument("--debug", action="store_true", help="log more; show tracebacks")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        files = [word for word in unknown if not word.startswith("-")]
        hint = did_you_mean(unknown, parser.option_names)
        if files and not hint:
            hint = f" (a file is named by --video {files[0]})"
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return options


def make_config(options: argparse.Namespace) -> RunConfig:
    """Turn options into a checked configuration.

    Raises:
        RealtimeMoodError: a value is out of range or contradicts another.
    """
    from realtime_mood.config import DEFAULT_STRIDE_S, RunConfig
    from realtime_mood.faces.tracker import MAX_FACES

    face_model = options.face_model
    if face_model is not None and options.faces in ("cascade", "none"):
        raise UsageError(f"--faces {options.faces} uses no --face-model; leave one of them out")
    if face_model is None and os.environ.get(FACE_MODEL_VARIABLE):
        face_model = Path(os.environ[FACE_MODEL_VARIABLE])
    has_source = options.camera is not None or options.video is not None
    return RunConfig(
        camera=options.camera if has_source else "0",
        camera_size=options.camera_size,
        video=options.video,
        record=options.record,
        events=options.events,
        model=options.model,
        device=options.device,
        stride_s=DEFAULT_STRIDE_S if options.stride is None else options.stride,
        faces=options.faces,
        face_model=face_model,
        max_faces=MAX_FACES if options.max_faces is None else options.max_faces,
        headless=options.headless,
        duration_s=options.duration,
        neutral_start=options.neutral_start,
        mirror=options.mirror,
    )
