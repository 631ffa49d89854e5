"""Copying the sound of a file into a recording, step by step with the picture."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from realtime_mood.joins import joined_packets
from realtime_mood.media_libraries import (
    av,
    find_sound_stream,
    find_video_stream,
    open_media_file,
    presentation_time_s,
)
from realtime_mood.sinks.audio_encoder import FALLBACK_RATE_HZ, AudioEncoder

logger = logging.getLogger(__name__)

MP3_CODECS = frozenset({"mp3", "mp3float"})
MP3_MIN_RATE_HZ = 16_000
"""MP4 has no code for MP3 that is sampled more slowly."""
HEADED_CODECS = frozenset({"aac", "alac", "opus", "libopus"})
"""Codecs that an MP4 describes by a header of theirs, which a broadcast stream does not have."""
RUN_UP_S = Fraction(1, 10)
"""Sound from before the first picture that is kept, unheard: decoders need a packet to get going,
and the first packets of a whole file are such a run-up (up to 64 ms in the files seen)."""
STEP_S = Fraction(1, 2)
"""By which the time of sound steps back where files were glued together, at least; cameras that
time their sound by the wall clock are off by less."""
NUDGE_S = Fraction(1, 1000)
"""By which what is encoded begins after what came before, at least: the encoder insists."""
LATE_S = Fraction(1)
"""Sound that begins later than this after the recording is encoded after silence: until the first
packet of each track is there, the muxer writes nothing, and a kill would cost everything."""
MAX_SAMPLES = 2**31 - 1
"""That a packet may last."""
SEEK_FROM_S = 5.0
"""A recording that starts later than this in the file seeks there; an earlier one reads on."""


class AudioCopy:
    """Sound on its way from one file to another.

    Make one with `AudioCopy.open` before the first packet is muxed.
    """

    def __init__(
        self,
        source: av.container.InputContainer,
        stream: av.AudioStream,
        target: av.container.OutputContainer,
        *,
        origin_s: Fraction,
        begins_s: Fraction,
    ) -> None:
        self._source = source
        self._target = target
        self._origin_s = origin_s
        if begins_s <= LATE_S and _can_be_copied(stream):
            copy = target.add_stream_from_template(stream)
            packets = self._copied(stream, copy)
        else:
            packets = self._encoded(stream, AudioEncoder(target, stream))
        longest_s = Fraction(MAX_SAMPLES, max(stream.rate, FALLBACK_RATE_HZ))
        self._packets = _closing_gaps(packets, longest_s=longest_s)
        self._next: av.Packet[av.AudioStream] | None = None
        self._is_ended = False

    @classmethod
    def open(
        cls, path: Path, target: av.container.OutputContainer, *, start_s: float
    ) -> AudioCopy | None:
        """Add a file's sound to a recording.

        Args:
            path: a video file.
            target: the recording, to which the picture has been added.
            start_s: time of the recording's first frame, counted from the file's first frame.

        Returns:
            The copy; None when the file has no sound from there on. When the sound cannot be used,
            that is logged as a warning, and None too.
        """
        source = None
        try:
            source = open_media_file(path)
            stream = find_sound_stream(source)
            if stream is None:
                if source.streams.audio:
                    logger.warning("the sound of %s has a codec unknown here; left out", path.name)
                source.close()
                return None
            origin_s = _first_picture_s(path) + Fraction(start_s)
            begins_s = _first_sound_s(path, stream.index, origin_s, start_s)
            if begins_s is None:
                source.close()
                return None
            _go_to(source, origin_s, start_s)
            return cls(source, stream, target, origin_s=origin_s, begins_s=begins_s)
        except (av.FFmpegError, OSError, ValueError) as error:
            if source is not None:
                source.close()
            logger.warning("the sound of %s cannot be recorded (%s); left out", path.name, error)
            return None

    def copy_until(self, end_s: Fraction | float) -> None:
        """Mux all sound that begins before a time of the recording, which may be infinite.

        Raises:
            av.FFmpegError: the recording cannot be written. A source that breaks is logged and
                ends the sound.
        """
        while not self._is_ended:
            if self._next is None:
                self._next = self._read()
            packet = self._next
            if packet is None or packet.pts is None or packet.time_base is None:
                return
            if packet.pts * packet.time_base >= end_s:
                return
            self._next = None
            self._target.mux(packet)

    def close(self) -> None:
        """Release the source; may be called twice."""
        self._is_ended = True
        self._source.close()

    def _read(self) -> av.Packet[av.AudioStream] | None:
        try:
            packet = next(self._packets, None)
        except (av.FFmpegError, ValueError) as error:
            logger.warning("the sound breaks off (%s); the rest of the recording is silent", error)
            packet = None
        self._is_ended = packet is None
        return packet

    def _copied(
        self, stream: av.AudioStream, copy: av.AudioStream
    ) -> Iterator[av.Packet[av.AudioStream]]:
        last_dts: int | None = None
        times = _Onward()
        for packet in joined_packets(self._source, stream):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            start_s = packet.dts * packet.time_base - self._origin_s
            if start_s < -RUN_UP_S and last_dts is None:
                continue
            placed_s = times.place(start_s, (packet.duration or 0) * packet.time_base)
            if placed_s is None:
                continue
            shift = packet.dts - round(placed_s / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            # The muxer refuses a packet that does not come later than the one before.
            if last_dts is not None and packet.dts <= last_dts:
                continue
            last_dts = packet.dts
            packet.stream = copy
            yield packet

    def _encoded(
        self, stream: av.AudioStream, encoder: AudioEncoder
    ) -> Iterator[av.Packet[av.AudioStream]]:
        last_s: Fraction | None = None
        times = _Onward()
        packets: Iterator[av.Packet[av.AudioStream]] = joined_packets(self._source, stream)
        for packet in packets:
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is None or frame.time_base is None:
                    continue
                start_s = frame.pts * frame.time_base - self._origin_s
                if start_s < 0 and last_s is None:
                    continue
                placed_s = times.place(start_s, Fraction(frame.samples, frame.sample_rate))
                if placed_s is None:
                    continue
                if last_s is None and placed_s > LATE_S:
                    yield from encoder.encode_silence(frame, placed_s)
                last_s = placed_s if last_s is None else max(placed_s, last_s + NUDGE_S)
                yield from encoder.encode(frame, last_s)
        yield from encoder.finish()


class _Onward:
    """Times of sound where files were glued together, or a counter wrapped.

    Sound whose time steps back by `STEP_S` or more goes on at the end of what came before it, and
    all that follows is moved along, as `capture.timeline` does with pictures. Of what steps back
    alone, one mistaken time, nothing is kept.
    """

    def __init__(self) -> None:
        self._offset_s = Fraction(0)
        self._last_s: Fraction | None = None
        self._end_s = Fraction(0)
        self._back_s: Fraction | None = None

    def place(self, start_s: Fraction, length_s: Fraction) -> Fraction | None:
        """When sound that says it begins then does begin, seconds; None: it is left out."""
        if self._last_s is not None and start_s <= self._last_s - STEP_S:
            if self._back_s is None:
                self._back_s = start_s
                return None
            self._offset_s = self._end_s - self._back_s
        self._back_s = None
        self._last_s = start_s
        placed_s = start_s + self._offset_s
        self._end_s = placed_s + length_s
        return placed_s


def _closing_gaps(
    packets: Iterator[av.Packet[av.AudioStream]], *, longest_s: Fraction
) -> Iterator[av.Packet[av.AudioStream]]:
    """Let each packet last until the next one begins.

    The muxer places the first packet of a fragment where the last one's duration ends, whatever
    time the packet carries; a gap in the sound would be lost there.

    Raises:
        ValueError: it would last longer than `longest_s`.
    """
    held = next(packets, None)
    for packet in packets:
        assert held is not None
        if packet.dts is not None and held.dts is not None and held.time_base is not None:
            held.duration = packet.dts - held.dts
            lasts_s = held.duration * held.time_base
            if lasts_s > longest_s:
                raise ValueError(f"it pauses for {float(lasts_s) / 3600:.0f} h")
        yield held
        held = packet
    if held is not None:
        yield held


def _can_be_copied(stream: av.AudioStream) -> bool:
    decoder = stream.codec_context
    if decoder.name in MP3_CODECS:
        return stream.rate >= MP3_MIN_RATE_HZ
    return decoder.name in HEADED_CODECS and decoder.extradata_size > 0


def _go_to(source: av.container.InputContainer, origin_s: Fraction, start_s: float) -> None:
    if start_s > SEEK_FROM_S:
        source.seek(int(origin_s * av.time_base))


def _first_sound_s(path: Path, index: int, origin_s: Fraction, start_s: float) -> Fraction | None:
    """When the first sound from a time of the file on begins, counted from it; None: there is none.

    In a container of its own, because not every file can be read from the beginning again.
    """
    with open_media_file(path) as container:
        _go_to(container, origin_s, start_s)
        for packet in joined_packets(container, container.streams[index]):
            if packet.dts is None or packet.time_base is None:
                continue
            begins_s = packet.dts * packet.time_base - origin_s
            if begins_s >= -RUN_UP_S:
                return begins_s
    return None


def _first_picture_s(path: Path) -> Fraction:
    """The time that the file gives its first picture, which is time 0 of the frames."""
    with open_media_file(path) as container:
        stream = find_video_stream(container)
        # AVI times its first picture by when the decoder is done with it; sound counts from 0.
        if stream is None or container.format.name == "avi":
            return Fraction(0)
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                return presentation_time_s(frame, container) or Fraction(0)
    return Fraction(0)
