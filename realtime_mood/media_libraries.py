"""The one place that imports PyAV, after OpenCV.

On Linux a display hangs for ever when PyAV was imported before OpenCV (PyAV #978, opencv #29195).
Everything in this package that needs PyAV takes it from here.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

# isort: off
import cv2 as cv2
import av as av
from av.video.reformatter import ColorPrimaries as ColorPrimaries
from av.video.reformatter import ColorRange as ColorRange
from av.video.reformatter import Colorspace as Colorspace
from av.video.reformatter import ColorTrc as ColorTrc
from av.video.reformatter import Interpolation as Interpolation
from av.video.reformatter import VideoReformatter as VideoReformatter
# isort: on

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Without this a library that turned FFmpeg's own messages on would have them on stderr.
av.logging.set_level(None)

TEXT_CODECS = frozenset({"ansi", "bintext", "idf", "xbin"})
"""FFmpeg shows text files as a picture of text; nobody means that by a video."""


def open_media_file(path: Path) -> InputContainer:
    """Open a file of picture or sound to read.

    Args:
        path: of a file; read from this machine alone, whatever it says in it.

    Raises:
        av.FFmpegError: it cannot be read, or is no such file.
        OSError: the same.
        ValueError: the same.
    """
    # An absolute path, which FFmpeg cannot take for a protocol; files only, so that a playlist
    # posing as a video fetches nothing.
    return av.open(
        str(path.absolute()),
        container_options={"protocol_whitelist": "file"},
        metadata_errors="replace",
    )


def find_video_stream(container: InputContainer) -> VideoStream | None:
    """The stream to show: the one that FFmpeg would, if it is a picture and no album's cover.

    That is the one the file calls its default, of its first programme with picture and sound; else
    the first that is none of these.

    Args:
        container: an opened file.

    Returns:
        The stream; None when there is none, or no decoder for it.
    """
    best = container.streams.best("video", None)
    for stream in sorted(container.streams.video, key=lambda stream: stream is not best):
        is_cover = bool(stream.disposition & av.stream.Disposition.attached_pic)
        decoder = stream.codec_context
        if decoder is not None and not is_cover and decoder.name not in TEXT_CODECS:
            return stream
    return None


def find_sound_stream(container: InputContainer) -> AudioStream | None:
    """The sound to hear: the default one of the picture's programme, as FFmpeg chooses it.

    Else the first that there is a decoder for.

    Args:
        container: an opened file.
    """
    best = container.streams.best("audio", find_video_stream(container))
    streams = sorted(container.streams.audio, key=lambda stream: stream is not best)
    return next((stream for stream in streams if stream.codec_context is not None), None)


def presentation_time_s(frame: VideoFrame, container: InputContainer) -> Fraction | None:
    """The time at which a file wants a frame to be shown.

    Args:
        frame: as decoded.
        container: the file it came from.

    Returns:
        Seconds, exactly; None when the file does not say.
    """
    # AVI has decoding times alone. FFmpeg makes presentation times up, and gets their order wrong.
    stamp = frame.dts if container.format.name == "avi" else frame.pts
    if stamp is None or frame.time_base is None:
        return None
    return stamp * frame.time_base
