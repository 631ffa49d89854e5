"""Small videos with known content, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.source import FrameSource
from realtime_mood.frame import Frame
from realtime_mood.media_libraries import av

SIZE = (64, 48)
RATE = Fraction(25)


def write_video(
    path: Path,
    *,
    count: int = 25,
    rate: Fraction = RATE,
    size: tuple[int, int] = SIZE,
    codec: str = "libx264",
    first_pts: int = 0,
    white_at: Sequence[int] = (),
    audio: str | None = None,
    audio_rate: int = 48_000,
    audio_layout: str = "mono",
    audio_from_s: float = 0.0,
    beep_at_s: float | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write grey frames, white ones where asked, and a silent track with a beep where asked."""
    with av.open(str(path), "w", options=options or {}) as container:
        video = container.add_stream(codec, rate=rate)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        sound = container.add_stream(audio, rate=audio_rate, layout=audio_layout) if audio else None
        for index in range(count):
            grey = 255 if index in white_at else 80
            image = np.full((size[1], size[0], 3), grey, np.uint8)
            picture = av.VideoFrame.from_ndarray(image, format="bgr24")
            picture.pts, picture.time_base = index + first_pts, 1 / rate
            container.mux(video.encode(picture))
        if sound is not None:
            first = round(first_pts / rate * audio_rate)
            end = round(count / rate * audio_rate)
            for start in range(round(audio_from_s * audio_rate), end, 1024):
                times_s = (start + np.arange(1024)) / audio_rate
                samples = np.zeros((1, 1024), np.int16)
                if beep_at_s is not None:
                    loud = (times_s >= beep_at_s) & (times_s < beep_at_s + 0.05)
                    samples[0] = np.where(loud, 20_000 * np.sin(times_s * 6000.0), 0)
                block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                block.rate, block.pts = audio_rate, start + first
                block.time_base = Fraction(1, audio_rate)
                container.mux(sound.encode(block))
        container.mux(video.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))
    return path


def read_all(source: FrameSource) -> list[Frame]:
    """Every frame of a source, which is closed."""
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def times_of(path: Path) -> list[float]:
    """The time of every frame of a file."""
    return [frame.timestamp_s for frame in read_all(FileSource(path))]


def audio_packets(path: Path) -> list[tuple[float, float]]:
    """Time and duration of every packet of a file's sound, in seconds."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        return [
            (float(packet.pts * packet.time_base), float(packet.duration * packet.time_base))
            for packet in container.demux(container.streams.audio[0])
            if packet.pts is not None
        ]


def beep_time_s(path: Path) -> float:
    """When the beep begins, counted from the first picture."""
    with av.open(str(path)) as container:
        first_s = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        for block in container.decode(audio=0):
            samples = block.to_ndarray().astype(float)[0]
            scale = 1.0 if block.format.name.startswith("flt") else 32768.0
            loud = np.nonzero(np.abs(samples) / scale > 0.2)[0]
            if len(loud):
                return float(block.time + loud[0] / block.rate - first_s)
    raise AssertionError(f"no beep in {path}")
