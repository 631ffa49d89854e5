"""Frames of a video file, every one once, by PyAV."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np

from realtime_mood.capture.fitting import fit_into
from realtime_mood.capture.orientation import make_upright, quarter_turns
from realtime_mood.capture.source import SourceInfo
from realtime_mood.capture.timeline import Timeline
from realtime_mood.errors import SourceError
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.joins import joined_packets
from realtime_mood.media_libraries import (
    ColorPrimaries,
    ColorTrc,
    VideoReformatter,
    av,
    find_video_stream,
    open_media_file,
    presentation_time_s,
)

logger = logging.getLogger(__name__)

FALLBACK_RATE = Fraction(25)
"""Frames a second where neither the file nor its timestamps say."""
MAX_RATE = Fraction(1000)
"""An announced rate above this is a time base in disguise."""
TRUSTED_FORMATS = ("mov", "matroska", "avi")
"""Containers whose announced length was written by the recorder, not guessed from the bit rate."""
MOST_ANAMORPHIC = 4
"""What a file says of its pixels' shape beyond this is a mistake."""
TILED_BRANDS = ("heic", "heix", "mif1")
"""Kinds of MP4 that hold a picture (ISO/IEC 23008-12), often as tiles, each a stream of its own."""
HIGH_DYNAMIC_RANGE = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
"""How light is written in HDR, PQ and HLG, as phones do (ITU-R BT.2100)."""
BACKGROUND = 255
"""Behind what is transparent."""
MISSING_TOLERANCE_S = Fraction(1, 2)
MISSING_TOLERANCE_PART = Fraction(1, 20)
UNDECODABLE_S = 10
"""Of packets in a row: where none can be decoded for so long, the file breaks. Key frames, from
which a decoder finds back, seldom lie further apart."""


class FileSource:
    """A video file.

    Frames come in presentation order with the file's own times, counted from its first frame,
    upright, of square pixels, and all of the first one's size. Colours follow the file's matrix and
    range; where it names none, BT.601 in limited range, as FFmpeg, OpenCV and decord have it. HDR
    is brought to what screens without it show, and what is transparent lies on white.
    Packets that cannot be decoded are left out, and counted in a warning when it is closed.

    Args:
        path: of the file.

    Raises:
        SourceError: there is no such file, it is no video, or not even its first frame can be
            decoded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container = _open(path)
        self._next: Frame | None = None
        self._ahead: av.VideoFrame | None = None
        self._ahead_error: Exception | None = None
        self._decoded = 0
        self._undecodable = 0
        self._last_s = 0.0
        self._reached_s = Fraction(0)
        self._error: SourceError | None = None
        self._ended = False
        try:
            stream = find_video_stream(self._container)
            if stream is None:
                raise self._no_picture()
            if self._brand in TILED_BRANDS and len(self._container.streams.video) > 1:
                raise SourceError(
                    f"{path} is a picture of several parts, as phones make; save it as JPEG"
                )
            self._stream = stream
            self._stream.thread_type = "AUTO"
            self._rate = _announced_rate(self._stream)
            self._timeline = Timeline(interval_s=1 / (self._rate or FALLBACK_RATE))
            self._converter = VideoReformatter()
            self._coded: tuple[int, int, Fraction | None] = (0, 0, None)
            self._size: tuple[int, int] | None = None
            self._turns, self._flipped = 0, False
            self._frames = self._decode()
            self._decode_ahead()
            self._next = self._advance()
            self.is_picture = self._holds_one_picture()
            """Of a format for pictures, such as JPEG, and one."""
            if self._next is None:
                raise SourceError(f"{path} holds no frame that can be decoded; use another file")
        except BaseException:
            self._container.close()
            raise
        self.info = SourceInfo(
            width=self._next.width,
            height=self._next.height,
            is_live=False,
            frame_rate=self._rate,
            duration_s=_as_seconds(self._announced_s()),
            path=path,
        )

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        if self._next is not None:
            frame, self._next = self._next, None
            return frame
        if self._error is not None:
            raise self._error
        return self._advance()

    def close(self) -> None:
        """See `FrameSource.close`."""
        self._next = self._ahead = None
        self._ended = True
        self._frames = iter(())
        self._container.close()
        if self._undecodable and self._error is None:
            logger.warning(
                "%s cannot be decoded everywhere (left out: %d of its packets); get the file again",
                self._path.name,
                self._undecodable,
            )
            self._undecodable = 0

    def _advance(self) -> Frame | None:
        if self._ended:
            return None
        try:
            decoded = self._decode_ahead()
            image_bgr = None if decoded is None else self._convert(decoded)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._error = self._broken(str(getattr(error, "strerror", None) or error))
            raise self._error from error
        if decoded is None or image_bgr is None:
            self._ended = True
            self._check_length()
            return None
        self._last_s = self._timeline.next_s(self._time_of(decoded), self._time_of(self._ahead))
        is_last = self._ahead is None and self._ahead_error is None
        lasts_s = _length_s(decoded) if is_last else None
        frame = Frame(image_bgr, self._last_s, self._decoded, lasts_s=lasts_s)
        self._decoded += 1
        return frame

    def _holds_one_picture(self) -> bool:
        if self._ahead is not None or self._ahead_error is not None:
            return False
        name: str = self._container.format.name
        return (
            name in ("image2", "gif")
            or name.endswith("_pipe")
            or self._brand in ("avif", *TILED_BRANDS)
        )

    @property
    def _brand(self) -> str | None:
        return self._container.metadata.get("major_brand")

    def _decode_ahead(self) -> av.VideoFrame | None:
        """The frame that was decoded ahead; another one is: its time tells of this one's."""
        if self._ahead_error is not None:
            raise self._ahead_error
        decoded, self._ahead = self._ahead, None
        try:
            self._ahead = next(self._frames, None)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._ahead_error = error
        return decoded

    def _time_of(self, decoded: av.VideoFrame | None) -> Fraction | None:
        return None if decoded is None else presentation_time_s(decoded, self._container)

    def _decode(self) -> Iterator[av.VideoFrame]:
        # Packets of all streams, so that a long sound track shows that the file is whole. The last
        # packet of the picture is empty and makes the decoder hand out what it still holds.
        begun = False
        failed, error = 0, None
        rate = self._rate or FALLBACK_RATE
        for packet in joined_packets(self._container):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is not None and packet.time_base is not None:
                end_s = (stamp + (packet.duration or 0)) * packet.time_base
                self._reached_s = max(self._reached_s, end_s)
            if packet.stream is not self._stream:
                continue
            try:
                frames = self._stream.codec_context.decode(packet)
            except av.FFmpegError as caught:
                if isinstance(caught, av.BlockingIOError):
                    # It waits for ever to be rid of the rest of a packet that could not be decoded.
                    self._stream.codec_context.flush_buffers()
                # A stream cut out of a broadcast begins in the middle of a group of pictures.
                if begun:
                    failed, error = failed + 1, caught
                    self._undecodable += 1
                if failed >= UNDECODABLE_S * rate or not (begun or packet.size):
                    raise
                continue
            if frames:
                begun, failed = True, 0
            yield from frames
        if error is not None and failed > MISSING_TOLERANCE_S * rate:
            raise error

    def _convert(self, decoded: av.VideoFrame) -> ImageBGR:
        pixels = self._stream.codec_context.sample_aspect_ratio
        coded = decoded.width, decoded.height, pixels
        if self._size is None:
            # What the container says of its pixels goes before what is in the stream.
            pixels = self._stream.sample_aspect_ratio
            self._coded, self._size = coded, _square(decoded.width, decoded.height, pixels)
            self._turns, self._flipped = quarter_turns(decoded)
        width, height = self._size
        if coded != self._coded:
            # The container tells of its first pixels alone, the decoder of some frames further on.
            width, height = _square(*coded)
        image_bgr = fit_into(self._bgr(decoded, width, height), self._size)
        return make_upright(image_bgr, self._turns, self._flipped)

    def _bgr(self, decoded: av.VideoFrame, width: int, height: int) -> ImageBGR:
        is_hdr = decoded.color_trc in HIGH_DYNAMIC_RANGE
        has_alpha = decoded.format.has_palette or any(
            component.is_alpha for component in decoded.format.components
        )
        converted = self._converter.reformat(
            decoded,
            width=width,
            height=height,
            format="bgra" if has_alpha else "bgr24",
            dst_color_trc=ColorTrc.BT709 if is_hdr else None,
            dst_color_primaries=ColorPrimaries.BT709 if is_hdr else None,
            # Starting more costs more than the conversion of a 720p picture itself, but for HDR.
            threads=0 if is_hdr else 1,
        ).to_ndarray()
        if not has_alpha:
            return cast(ImageBGR, converted)
        opaque = converted[..., 3:].astype(np.uint16)
        laid = converted[..., :3] * opaque + BACKGROUND * (255 - opaque)
        return np.asarray((laid + 127) // 255, dtype=np.uint8)

    def _announced_s(self) -> Fraction | None:
        if self._stream.duration and self._stream.time_base:
            return self._stream.duration * self._stream.time_base
        if self._container.duration and self._container.duration > 0:
            return Fraction(self._container.duration, av.time_base)
        return None

    def _check_length(self) -> None:
        if not self._container.format.name.startswith(TRUSTED_FORMATS):
            return
        announced_s = Fraction(self._container.duration or 0, av.time_base)
        if self._container.format.name == "avi" and self._rate is not None:
            # FFmpeg measures what there is of an AVI; its header has only the number of frames.
            announced_s = max(announced_s, self._stream.frames / self._rate)
        tolerance_s = max(MISSING_TOLERANCE_S, MISSING_TOLERANCE_PART * announced_s)
        if announced_s - self._reached_s > tolerance_s:
            self._error = self._broken(f"the file ends there, {float(announced_s):.2f} s announced")
            raise self._error

    def _broken(self, reason: str) -> SourceError:
        if self._decoded == 0:
            # FFmpeg decodes WebP pictures, and of moving ones nothing.
            is_webp = self._container.format.name == "webp_pipe"
            remedy = "of a WebP that moves, make a GIF or MP4" if is_webp else "use another file"
            return SourceError(f"{self._path} cannot be decoded ({reason}); {remedy}")
        return SourceError(
            f"{self._path} breaks after {self._decoded} frames, at {self._last_s:.2f} s "
            f"({reason}); get the file again for the rest"
        )

    def _no_picture(self) -> SourceError:
        if self._container.streams.audio:
            return SourceError(f"{self._path} has sound but no picture; give a file with video")
        return SourceError(
            f"{self._path} is not a video that can be decoded here; check that it plays elsewhere"
        )


def _open(path: Path) -> av.container.InputContainer:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(f"the video {path} does not exist; check the path") from error
    except OSError as error:
        raise SourceError(f"the video {path} cannot be read ({error.strerror})") from error
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{path} is a folder; give the path of one video file")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path} is not an ordinary file; give a device to --camera")
    if status.st_size == 0:
        raise SourceError(f"{path} is empty (0 bytes); get the file again")
    try:
        return open_media_file(path)
    except PermissionError as error:
        raise SourceError(f"{path} may not be read; change its permissions") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(
            f"{path} is not a video, or is damaged ({reason}); check that it plays elsewhere"
        ) from error


def _announced_rate(stream: av.VideoStream) -> Fraction | None:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and 0 < rate <= MAX_RATE:
            return rate
    return None


def _square(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """The size in square pixels of a picture whose pixels are `aspect` times as wide as high."""
    if not aspect or not 1 / MOST_ANAMORPHIC <= aspect <= MOST_ANAMORPHIC:
        return width, height
    # Enlarged, never made smaller.
    if aspect > 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def _length_s(frame: av.VideoFrame) -> float:
    return float((frame.duration or 0) * (frame.time_base or 0))


def _as_seconds(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
