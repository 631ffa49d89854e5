"""Where files were glued together whose clocks do not follow one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from realtime_mood.media_libraries import find_sound_stream, find_video_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

FORMATS = ("mpegts",)
"""Containers whose files may be put one after the other as they are, each with its own clock."""
JOIN_S = 10
"""A clock that steps further ahead is another one; FFmpeg's `-dts_delta_threshold` is as long."""


def joined_packets(container: InputContainer, only: Stream | None = None) -> Iterator[Packet[Any]]:
    """The packets of a file, without the time between the clocks of files that were joined in it.

    Picture and sound are watched together and moved together: a picture that stands still while the
    sound goes on is no join. A clock that steps back is left as it is.

    Args:
        container: an opened file.
        only: the stream whose packets to give; None gives those of all.
    """
    if container.format.name not in FORMATS:
        return container.demux() if only is None else container.demux(only)
    streams = find_video_stream(container), find_sound_stream(container)
    watched = {stream.index for stream in streams if stream is not None}
    packets = without_steps_ahead(container.demux(), watched)
    return (packet for packet in packets if only is None or packet.stream_index == only.index)


def without_steps_ahead(packets: Iterable[Packet[Any]], watched: set[int]) -> Iterator[Packet[Any]]:
    """Take steps ahead of more than `JOIN_S` out of packets' times; a lone one is a mistaken time.

    Args:
        packets: in the file's order; those of no size end their stream.
        watched: indices of the streams that tell the time.
    """
    ahead_s = Fraction(0)
    ends_s: dict[int, Fraction] = {}
    waiting: list[Packet[Any]] = []
    for packet in packets:
        start_s = _start_s(packet) if packet.stream_index in watched else None
        is_ahead = (
            start_s is not None
            and packet.stream_index in ends_s
            and start_s - ahead_s > max(ends_s.values()) + JOIN_S
        )
        is_other = waiting and packet.stream_index != waiting[0].stream_index
        if is_other and start_s is not None and not is_ahead:
            # The last packets of one stream come after the later file's first of the other.
            end_s = _move(packet, ahead_s)
            assert end_s is not None
            ends_s[packet.stream_index] = end_s
            yield packet
            continue
        waiting.append(packet)
        # The first one that is ahead waits for another to agree with it.
        is_open = is_ahead if len(waiting) == 1 else start_s is None and packet.size > 0
        if is_open:
            continue
        if is_ahead:
            first_s = _start_s(waiting[0])
            assert first_s is not None
            ahead_s = first_s - max(ends_s.values())
        for ready in waiting:
            end_s = _move(ready, ahead_s)
            is_mistaken = ready is not packet and not is_ahead
            if end_s is not None and ready.stream_index in watched and not is_mistaken:
                ends_s[ready.stream_index] = end_s
            yield ready
        waiting = []


def _start_s(packet: Packet[Any]) -> Fraction | None:
    stamp = packet.pts if packet.dts is None else packet.dts
    return None if stamp is None or packet.time_base is None else stamp * packet.time_base


def _move(packet: Packet[Any], ahead_s: Fraction) -> Fraction | None:
    """Answers when it ends from then on; None where it has no time."""
    if packet.time_base is None:
        return None
    ahead = round(ahead_s / packet.time_base)
    if packet.pts is not None:
        packet.pts -= ahead
    if packet.dts is not None:
        packet.dts -= ahead
    start_s = _start_s(packet)
    return None if start_s is None else start_s + (packet.duration or 0) * packet.time_base
