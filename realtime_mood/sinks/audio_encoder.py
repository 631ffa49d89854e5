"""Encoding sound as AAC, whatever form it comes in and changes to."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from realtime_mood.media_libraries import av

RATES_HZ = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000})
FALLBACK_RATE_HZ = 48_000
SILENCE_SAMPLES = 1024
"""At a time."""


class AudioEncoder:
    """A track of AAC in a recording, for the sound of one stream.

    Args:
        target: the recording; the track is added to it.
        stream: mono gives mono, anything else stereo; the rate is kept where AAC has it.
    """

    def __init__(self, target: av.container.OutputContainer, stream: av.AudioStream) -> None:
        rate = stream.rate if stream.rate in RATES_HZ else FALLBACK_RATE_HZ
        layout = "mono" if stream.channels == 1 else "stereo"
        self._track = target.add_stream("aac", rate=rate, layout=layout)
        self._form: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None

    def encode(
        self, frame: av.AudioFrame, start_s: Fraction
    ) -> Iterator[av.Packet[av.AudioStream]]:
        """Encode a frame of any format, layout and rate; a broadcast's programmes differ in them.

        Args:
            frame: as decoded; its time is changed.
            start_s: when it begins in the recording.
        """
        form = frame.format.name, frame.layout.name, frame.sample_rate
        if form != self._form or self._resampler is None:
            yield from self._encode_rest()
            # The one inside PyAV's encoder takes one form only.
            self._resampler = av.AudioResampler(
                format=self._track.format, layout=self._track.layout, rate=self._track.rate
            )
            self._form = form
        frame.time_base = Fraction(1, frame.sample_rate)
        frame.pts = round(start_s * frame.sample_rate)
        for converted in self._resampler.resample(frame):
            yield from self._track.encode(converted)

    def encode_silence(
        self, like: av.AudioFrame, end_s: Fraction
    ) -> Iterator[av.Packet[av.AudioStream]]:
        """Encode silence from the recording's beginning on, of the form of a frame."""
        count = round(end_s * like.sample_rate)
        for first in range(0, count, SILENCE_SAMPLES):
            silence = av.AudioFrame(
                format=like.format.name,
                layout=like.layout.name,
                samples=min(SILENCE_SAMPLES, count - first),
            )
            for plane in silence.planes:
                # Samples of 8 bits have their zero in the middle.
                plane.update(bytes([0x80 if like.format.bytes == 1 else 0]) * plane.buffer_size)
            silence.sample_rate = like.sample_rate
            yield from self.encode(silence, Fraction(first, like.sample_rate))

    def finish(self) -> Iterator[av.Packet[av.AudioStream]]:
        """Encode what is left."""
        yield from self._encode_rest()
        yield from self._track.encode(None)

    def _encode_rest(self) -> Iterator[av.Packet[av.AudioStream]]:
        if self._resampler is None:
            return
        for rest in self._resampler.resample(None):
            # A resampler that had nothing to do answers None.
            if rest is not None:
                yield from self._track.encode(rest)
