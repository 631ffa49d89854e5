"""Recording to MP4 with true timestamps, the source's sound, and no fear of a kill."""

from __future__ import annotations

import errno
import logging
import math
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import numpy as np

from realtime_mood.errors import OutputError, UsageError
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.media_libraries import (
    ColorRange,
    Colorspace,
    Interpolation,
    VideoReformatter,
    av,
    cv2,
)
from realtime_mood.sinks.audio_copy import AudioCopy
from realtime_mood.sinks.begun_file import BegunFile
from realtime_mood.sinks.output_path import check_writable, refusing_idle_pipe

logger = logging.getLogger(__name__)

SUFFIX = ".mp4"
TIME_BASE = Fraction(1, 90_000)
"""Divides the frame times of 24, 25, 30, 50 and 60 Hz exactly, and 29.97 Hz within 6 µs."""
FALLBACK_RATE = Fraction(30)
KEYFRAME_INTERVAL_S = 1.0
MAX_SIDE = 16384
"""Pixels; libx264 takes no more."""
FRAGMENT_S = 0.3
"""Seconds that a kill can cost at most, and about one frame."""
KEPT_FROM_S = 1
"""Of a recording that is broken off later than this, something can be played, with sound or not."""
MAX_STEP_S = 6 * 3600
"""From a picture to the next; a packet's duration must fit in 31 bits (6.6 hours). In a longer gap
the picture is repeated."""
MAX_GAP_S = 10 * 24 * 3600
"""Longer ones are mistakes, and made so long."""
EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND
"""Without exact rounding blue and red come out 1.5 levels darker, on average."""
BT709 = 1
LIMITED_RANGE = 1

MUXER_OPTIONS = {
    # Fragments while recording, an ordinary MP4 once closed. The header waits for the first
    # packets, to say in it when each track begins.
    "movflags": "hybrid_fragmented+delay_moov",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    # Hand each fragment to the operating system as soon as it is whole.
    "flush_packets": "1",
    # Packets are muxed in the order of their times already; waiting for a sound track that has
    # ended would hold ten seconds of picture back.
    "max_interleave_delta": "1",
}
ENCODER_OPTIONS = {
    "preset": "veryfast",
    "crf": "20",
    # No look-ahead and no B-frames: nothing stays in the encoder, where a kill would lose it.
    "tune": "zerolatency",
    "forced-idr": "1",
}


def check_recording_path(path: Path) -> None:
    """Refuse a path that cannot become a recording. Creates and changes nothing.

    Raises:
        UsageError: it has another suffix than .mp4.
        OutputError: it cannot be written.
    """
    check_writable(path)
    if path.suffix.lower() != SUFFIX:
        raise UsageError(f"a recording cannot be written as {path}; end its name in {SUFFIX}")


class RecordingSink:
    """An MP4 file with H.264.

    The file is created by the first frame, under its own name, so that an early failure leaves an
    older file alone; it can be played up to the last third of a second whenever the process ends,
    once its sound has begun, or a second has passed.
    Frames of another size are scaled to the recording's; odd sizes are made even by repeating the
    last row or column. Time 0 of the recording is the first frame written. A file's last frame is
    held for as long as in the file, and the file's sound copied to its end then.

    Args:
        path: of the file; ends in .mp4.
        width: pixels from left to right.
        height: pixels from top to bottom.
        frame_rate: what to announce; frames keep their own times whatever it says. None announces
            30.
        audio_from: a video file whose sound is copied, in step with the frames' timestamps, which
            are taken to count from that file's first frame. Sound that MP4 cannot hold, or that
            begins a second later or more, is encoded anew as AAC; when that fails too, a warning is
            logged and the recording is silent.
        until_s: the frames' time at which picture and sound end at the latest; None: no limit.

    Raises:
        UsageError: the path has another suffix than .mp4.
        OutputError: it cannot be written, or is the file that the sound comes from.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        frame_rate: Fraction | None = None,
        audio_from: Path | None = None,
        until_s: float | None = None,
    ) -> None:
        check_recording_path(path)
        if audio_from is not None and path.exists() and path.samefile(audio_from):
            raise OutputError(f"the recording {path} would overwrite its source; name another file")
        if max(width, height) > MAX_SIDE:
            raise OutputError(
                f"a picture of {width}x{height} cannot be recorded; make it {MAX_SIDE} pixels wide "
                "and high at most"
            )
        self.path = path
        self._size = width, height
        self._rate = frame_rate or FALLBACK_RATE
        self._audio_from = audio_from
        self._until_s = math.inf if until_s is None else until_s
        self._audio: AudioCopy | None = None
        self._container: av.container.OutputContainer | None = None
        self._is_finished = False
        self._converter = VideoReformatter()
        self._origin_s = 0.0
        self._last_pts = -1
        self._shown: av.VideoFrame | None = None
        self._held: av.Packet[av.VideoStream] | None = None
        self._interval = max(1, round(1 / self._rate / TIME_BASE))
        self._lasts_s: float | None = None
        self._keyframe_due = 0

    def write(self, frame: Frame) -> None:
        """See `FrameSink.write`."""
        if self._is_finished:
            raise OutputError(f"the recording {self.path} is closed; start another one")
        try:
            self._encode(frame, self._container or self._start(frame.timestamp_s))
            self._lasts_s = frame.lasts_s
        except (av.FFmpegError, OSError) as error:
            self._fail(error)

    def close(self) -> None:
        """See `FrameSink.close`."""
        if self._is_finished:
            return
        self._is_finished = True
        container, self._container = self._container, None
        if container is None:
            return
        try:
            for packet in self._stream.encode(None):
                self._mux(packet, container)
            self._mux(None, container)
            if self._audio is not None and self._lasts_s is not None:
                self._audio.copy_until(self._until_s - self._origin_s)
            container.close()
        except (av.FFmpegError, OSError) as error:
            self._container = container
            self._fail(error)
        finally:
            self._close_audio()
        try:
            self._file.check()
        finally:
            self._file.let_go()

    def _start(self, origin_s: float) -> av.container.OutputContainer:
        self._origin_s = origin_s
        self._file = BegunFile(self.path, "the recording")
        container = av.open(
            str(self.path.absolute()), "w", format="mp4", options=dict(MUXER_OPTIONS)
        )
        self._container = container
        stream = container.add_stream(
            "libx264", rate=self._rate, options=dict(ENCODER_OPTIONS), time_base=TIME_BASE
        )
        width, height = self._size
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = TIME_BASE
        encoder = stream.codec_context
        encoder.gop_size = 10 * max(1, round(self._rate))
        encoder.colorspace = encoder.color_primaries = encoder.color_trc = BT709
        encoder.color_range = LIMITED_RANGE
        self._stream = stream
        if self._audio_from is not None:
            self._audio = AudioCopy.open(self._audio_from, container, start_s=origin_s)
        with refusing_idle_pipe(self.path):
            container.start_encoding()
        self._file.hold()
        return container

    def _encode(self, frame: Frame, container: av.container.OutputContainer) -> None:
        elapsed_s = frame.timestamp_s - self._origin_s
        excess_s = elapsed_s - float(self._last_pts * TIME_BASE) - MAX_GAP_S
        if excess_s > 0:
            self._origin_s += excess_s
            elapsed_s -= excess_s
        pts = max(self._last_pts + 1, round(Fraction(elapsed_s) / TIME_BASE))
        picture = av.VideoFrame.from_ndarray(self._fit(frame.image_bgr), format="bgr24")
        picture = self._converter.reformat(
            picture,
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=EXACT,
            threads=1,
        )
        picture.time_base = TIME_BASE
        max_step = round(MAX_STEP_S / TIME_BASE)
        while self._shown is not None and pts - self._last_pts > max_step:
            self._encode_at(self._last_pts + max_step, self._shown, container)
        self._encode_at(pts, picture, container)

    def _encode_at(
        self, pts: int, picture: av.VideoFrame, container: av.container.OutputContainer
    ) -> None:
        picture.pts = pts
        if pts >= self._keyframe_due:
            picture.pict_type = av.video.frame.PictureType.I
            self._keyframe_due = pts + round(KEYFRAME_INTERVAL_S / TIME_BASE)
        self._last_pts, self._shown = pts, picture
        for packet in self._stream.encode(picture):
            self._mux(packet, container)

    def _mux(
        self,
        packet: av.Packet[av.VideoStream] | None,
        container: av.container.OutputContainer,
    ) -> None:
        # The muxer takes a packet's duration for the truth wherever a fragment ends, so a packet
        # waits until the next one says when that is. The last one lasts as long as the one before,
        # or as its file says.
        held, self._held = self._held, packet
        if held is None or held.pts is None:
            return
        if packet is not None and packet.pts is not None:
            self._interval = packet.pts - held.pts
        elif self._lasts_s:
            left_s = self._until_s - self._origin_s - float(held.pts * TIME_BASE)
            self._interval = max(1, round(min(self._lasts_s, left_s, MAX_STEP_S) / TIME_BASE))
        held.duration = self._interval
        container.mux(held)
        if self._audio is not None:
            self._audio.copy_until((held.pts + self._interval) * TIME_BASE)

    def _fit(self, image_bgr: ImageBGR) -> ImageBGR:
        width, height = self._size
        if image_bgr.shape[:2] != (height, width):
            scaled = cv2.resize(image_bgr, (width, height), interpolation=cv2.INTER_AREA)
            image_bgr = np.asarray(scaled, dtype=np.uint8)
        if width % 2 or height % 2:
            image_bgr = np.pad(image_bgr, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return np.ascontiguousarray(image_bgr)

    def _fail(self, error: Exception) -> NoReturn:
        self._is_finished = True
        container, self._container = self._container, None
        if container is not None:
            with suppress(av.FFmpegError, OSError):
                container.close()
        self._close_audio()
        reason = getattr(error, "strerror", None) or error
        is_full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free some space or choose another place" if is_full else "choose another place"
        kept = ""
        if self._last_pts * TIME_BASE <= KEPT_FROM_S:
            self._file.remove()
        elif self._file.is_here():
            kept = "; what came before can be played"
        self._file.let_go()
        raise OutputError(
            f"the recording {self.path} cannot be written ({reason}); {remedy}{kept}"
        ) from error

    def _close_audio(self) -> None:
        if self._audio is not None:
            self._audio.close()
            self._audio = None
