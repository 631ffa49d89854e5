"""Frames of a video file with exact times: decord where it is installed, else PyAV.

Both give the same frames at the same times: those of the file's own timestamps, as the runtime
counts them, the first frame being 0. decord announces times in single precision, which is too
coarse to be compared with the runtime's, so its times are read from the packets by PyAV.

decord must be loaded before OpenCV, or the process may crash; and it can hang for ever on a
damaged file. So it is used only in worker processes that can be killed (see `crops`).
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import SourceError
from trainer.corpora.images import IMAGE_FORMATS, IMAGE_SUFFIXES

logger = logging.getLogger(__name__)

ImageBGR = npt.NDArray[np.uint8]
FrameStream = Iterator[tuple[float, ImageBGR]]
"""Time in seconds since the first frame, rising strictly, and the picture."""


def pyav_frames(path: Path) -> FrameStream:
    """Decode a file with PyAV.

    Args:
        path: a video file.

    Yields:
        Time in seconds and picture, shape (height, width, 3), uint8, blue-green-red.

    Raises:
        SourceError: the file cannot be opened, has no video, or breaks while being read.
    """
    import av
    from av.video.reformatter import VideoReformatter

    # A converter made anew for each frame costs eight times what the conversion does.
    converter = VideoReformatter()
    first_s: float | None = None
    last_s = -1.0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SourceError(f"{path} has no video stream; leave it out of the data folder")
            for frame in container.decode(container.streams.video[0]):
                if frame.pts is None or frame.time_base is None:
                    continue
                time_s = float(frame.pts * frame.time_base)
                first_s = time_s if first_s is None else first_s
                if time_s - first_s <= last_s:
                    continue
                last_s = time_s - first_s
                converted = converter.reformat(frame, format="bgr24", threads=1)
                yield last_s, np.asarray(converted.to_ndarray(), dtype=np.uint8)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path} cannot be decoded ({error}); replace the file") from error
    if first_s is None:
        raise SourceError(f"{path} has no frame that can be decoded; replace the file")


def decord_frames(path: Path) -> FrameStream:
    """Decode a file with decord; where it counts other frames than the file, with PyAV.

    Args:
        path: a video file.

    Yields:
        As `pyav_frames`.

    Raises:
        SourceError: the file cannot be opened, has no video, or breaks while being read.
    """
    import decord

    times_s = packet_times_s(path)
    try:
        reader = decord.VideoReader(str(path), num_threads=1)
        if len(reader) == times_s.size:
            for time_s in times_s:
                frame_rgb = reader.next().asnumpy()
                yield float(time_s), np.ascontiguousarray(frame_rgb[..., ::-1])
            return
    except (RuntimeError, StopIteration) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "too few frames"
        raise SourceError(f"{path} cannot be decoded ({reason}); replace the file") from error
    logger.info("%s: decord counts %d frames, not %d", path, len(reader), times_s.size)
    yield from pyav_frames(path)


def packet_times_s(path: Path) -> npt.NDArray[np.float64]:
    """Times of a file's frames, read without decoding them.

    Returns:
        Rising times in seconds; the first is 0.

    Raises:
        SourceError: the file cannot be opened or has no video.
    """
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SourceError(f"{path} has no video stream; leave it out of the data folder")
            stream = container.streams.video[0]
            packets = container.demux(stream)
            pts = sorted({packet.pts for packet in packets if packet.pts is not None})
            if not pts or stream.time_base is None:
                raise SourceError(f"{path} has no frame that can be decoded; replace the file")
            # As `pyav_frames` and the runtime do it, so that the last bit is the same.
            times_s = [float(value * stream.time_base) for value in pts]
            return np.array([time_s - times_s[0] for time_s in times_s], dtype=np.float64)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path} cannot be opened ({error}); replace the file") from error


def still_frames(path: Path) -> FrameStream:
    """A picture as a video of one frame.

    Args:
        path: a picture file.

    Yields:
        As `pyav_frames`, once.

    Raises:
        SourceError: it cannot be read.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path, formats=IMAGE_FORMATS) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            pixels = np.asarray(upright, dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SourceError(f"{path} cannot be read ({error}); replace the file") from error
    yield 0.0, np.ascontiguousarray(pixels[..., ::-1])


DECODERS: dict[str, Callable[[Path], FrameStream]] = {
    "decord": decord_frames,
    "pyav": pyav_frames,
}


def load(decoder: str) -> None:
    """Load a decoder's library, which for decord has to be done before OpenCV's."""
    importlib.import_module({"decord": "decord", "pyav": "av"}[decoder])


def open_frames(path: Path, decoder: str) -> FrameStream:
    """The frames of a video by a decoder, or the one of a picture."""
    return still_frames(path) if path.suffix.lower() in IMAGE_SUFFIXES else DECODERS[decoder](path)


def available_decoder() -> str:
    """'decord' where it can be imported, else 'pyav'."""
    return "decord" if importlib.util.find_spec("decord") else "pyav"
