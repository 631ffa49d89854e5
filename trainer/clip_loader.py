"""Some frames of a video, for as little decoding as they need.

What saves time over decoding the whole file, in order of what it brings: only the frames that are
wanted are converted, by one converter that is kept (a new one for each frame costs more than the
conversion itself); frames that no other depends on are not decoded unless they are wanted; decoding
begins at the last keyframe before a wanted frame and ends with it, group by group.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from realtime_mood.errors import SourceError

if TYPE_CHECKING:
    from av import Packet, VideoStream


def read_frames(path: Path, indices: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Decode single frames of a file on one core.

    Args:
        path: a video file.
        indices: of frames in the order they are shown, counted as `decode.packet_times_s` counts
            them; any order, repeats allowed.

    Returns:
        Shape (len(indices), height, width, 3), uint8, blue-green-red; the same pixels that
        `decode.pyav_frames` gives.

    Raises:
        SourceError: the file cannot be opened, or one of the frames cannot be decoded.
    """
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SourceError(f"{path} has no video stream; leave it out of the data folder")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            packets = [p for p in container.demux(stream) if p.pts is not None]
            shown = sorted({int(p.pts) for p in packets if p.pts is not None})
            if not shown or min(indices) < 0 or max(indices) >= len(shown):
                raise SourceError(f"{path} holds {len(shown)} frames; replace the file")
            wanted = {shown[index] for index in indices}
            pictures = _decode(stream.codec_context, packets, wanted)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path} cannot be decoded ({error}); replace the file") from error
    if len(pictures) < len(wanted):
        raise SourceError(f"{path}: frames that it announces cannot be decoded; replace the file")
    return np.stack([pictures[shown[index]] for index in indices])


def _decode(
    decoder: object, packets: Sequence[Packet[VideoStream]], wanted: set[int]
) -> dict[int, npt.NDArray[np.uint8]]:
    """Pictures by presentation time."""
    from av.video.codeccontext import VideoCodecContext
    from av.video.reformatter import VideoReformatter

    assert isinstance(decoder, VideoCodecContext)
    converter = VideoReformatter()
    pictures: dict[int, npt.NDArray[np.uint8]] = {}
    position = 0
    for own, packet in enumerate(packets):
        if packet.pts not in wanted:
            continue
        start = _start(packets, own)
        if start > position:
            if position:
                decoder.flush_buffers()
            position = start
        while packet.pts not in pictures and position <= len(packets):
            here = packets[position] if position < len(packets) else None
            is_wanted = here is None or here.pts in wanted
            decoder.skip_frame = "DEFAULT" if is_wanted else "NONREF"
            for frame in decoder.decode(here):
                if frame.pts in wanted:
                    converted = converter.reformat(frame, format="bgr24", threads=1)
                    pictures[int(frame.pts)] = np.asarray(converted.to_ndarray(), dtype=np.uint8)
            position += 1
    return pictures


def _start(packets: Sequence[Packet[VideoStream]], own: int) -> int:
    """Where decoding has to begin for a packet: the last keyframe that is not shown after it."""
    shown_at = packets[own].pts
    assert shown_at is not None
    for position in range(own, -1, -1):
        pts = packets[position].pts
        if packets[position].is_keyframe and pts is not None and pts <= shown_at:
            return position
    return 0
