"""From crops to clips: one ring buffer a face, one clip every stride."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime_mood.frame import CropBGR
from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps, nearest_indices
from realtime_mood.ring_buffer import RingBuffer
from realtime_mood.timing import is_due, next_due

MAX_BYTES_PER_TRACK = 64 * 1024 * 1024
FIRST_CLIP_S = 0.4
"""For how long a face has been seen when its first clip is cut, at most a clip span."""


@dataclass(frozen=True, eq=False)
class Clip:
    """The frames of one face that the model is to look at."""

    track_id: int
    """The face."""
    frame_index: int
    """Number of the last frame in the source."""
    end_s: float
    """Time of the last frame, in seconds of the source."""
    crops_bgr: npt.NDArray[np.uint8]
    """Shape (num_frames, image_size, image_size, 3), uint8, oldest first."""

    def __repr__(self) -> str:
        return f"Clip(track {self.track_id}, to {self.end_s:.3f} s, {self.crops_bgr.shape})"


@dataclass
class _TrackMemory:
    crops: RingBuffer[CropBGR]
    since_s: float
    due_s: float = -math.inf


class ClipSampler:
    """Keeps the crops of each face and cuts clips out of them.

    The first clip of a face comes soon after the face: nobody waits for a whole clip span. Times
    from before it was seen take its first crop, as if it had been still. From then on one clip
    comes every `stride_s`, on a regular grid of media time. Crops are kept for little more than a
    clip span, so that after a gap as long the frames before it are not taken any more.

    Args:
        spec: the checkpoint's clip spec.
        stride_s: seconds between the ends of two clips of one face.
    """

    def __init__(self, spec: ClipSpec, *, stride_s: float) -> None:
        self._spec = spec
        self._stride_s = stride_s
        self._tracks: dict[int, _TrackMemory] = {}

    def add(
        self, crop_bgr: CropBGR, *, track_id: int, timestamp_s: float, frame_index: int
    ) -> Clip | None:
        """Take one face's crop out of the newest frame.

        Args:
            crop_bgr: shape (image_size, image_size, 3), uint8.
            track_id: the face.
            timestamp_s: the frame's time; rises from call to call for one face.
            frame_index: the frame's number in the source.

        Returns:
            A clip that ends with this frame when one is due, else None.
        """
        memory = self._tracks.get(track_id)
        if memory is None:
            span_s = self._spec.span_s + self._spec.longest_interval_s
            crops = RingBuffer[CropBGR](max_span_s=span_s, max_bytes=MAX_BYTES_PER_TRACK)
            memory = _TrackMemory(crops, since_s=timestamp_s)
            self._tracks[track_id] = memory
        memory.crops.append(timestamp_s, crop_bgr, size_bytes=crop_bgr.nbytes)
        first_due_s = memory.since_s + min(FIRST_CLIP_S, self._spec.span_s)
        if not is_due(max(memory.due_s, first_due_s), timestamp_s):
            return None
        available_s = memory.crops.timestamps_s()
        memory.due_s = next_due(memory.due_s, timestamp_s, self._stride_s)
        wanted_s = clip_timestamps(self._spec, end_s=timestamp_s)
        taken = memory.crops.take(nearest_indices(available_s, wanted_s))
        return Clip(track_id, frame_index, timestamp_s, np.stack(taken))

    def end(self, track_id: int) -> None:
        """Forget a face."""
        self._tracks.pop(track_id, None)
