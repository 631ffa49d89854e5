"""Classifying in a thread of its own: the newest clip of each face wins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from realtime_mood.inference.classifier import Classifier, Probabilities
from realtime_mood.inference.clip_sampler import Clip
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.preprocess import preprocess

WAIT_S = 0.1
MAX_BATCH = 8
"""Clips classified at once; more would let every face wait for the last one."""


class ClipMailbox:
    """Holds the newest clip of each face until the worker takes them. Thread-safe.

    Faces are served in the order in which they began to wait: a newer clip takes the place of an
    older one of the same face in the queue, so no face can push another back.
    """

    def __init__(self) -> None:
        self._clips: dict[int, Clip] = {}
        self._skipped = 0
        self._is_closed = False
        self._filled = threading.Condition()

    def put(self, clip: Clip) -> None:
        """Leave a clip; an older one of the same face is replaced and counted as skipped."""
        with self._filled:
            if clip.track_id in self._clips:
                self._skipped += 1
            # A key that is there keeps its position.
            self._clips[clip.track_id] = clip
            self._filled.notify()

    def discard(self, track_id: int) -> None:
        """Let go of the clip of a face that is gone, if one waits; it is counted as skipped."""
        with self._filled:
            if self._clips.pop(track_id, None) is not None:
                self._skipped += 1

    def take(self, timeout_s: float) -> list[Clip]:
        """The clips that have waited longest, at most `MAX_BATCH`, after waiting for at least one.

        Empty when none came in time or none will come.
        """
        with self._filled:
            self._filled.wait_for(lambda: bool(self._clips) or self._is_closed, timeout_s)
            return [self._clips.pop(face) for face in list(self._clips)[:MAX_BATCH]]

    def close(self) -> None:
        """Say that no more clips will come."""
        with self._filled:
            self._is_closed = True
            self._filled.notify()

    @property
    def is_finished(self) -> bool:
        """True when no clip waits and none will come."""
        with self._filled:
            return self._is_closed and not self._clips

    @property
    def skipped(self) -> int:
        """Clips that were replaced, or whose face was gone, before they were taken."""
        with self._filled:
            return self._skipped


def classify_clips(clips: Sequence[Clip], classifier: Classifier, spec: ClipSpec) -> Probabilities:
    """Preprocess and classify clips as one batch.

    Returns:
        Shape (clips, 8), each row summing to 1, in label order.
    """
    pixel_values = np.stack([preprocess(clip.crops_bgr, spec) for clip in clips])
    return classifier.classify(pixel_values)


def serve_clips(
    mailbox: ClipMailbox,
    classifier: Classifier,
    spec: ClipSpec,
    *,
    on_result: Callable[[Sequence[Clip], Probabilities], None],
    stop: threading.Event,
) -> None:
    """Classify whatever is newest until asked to stop or no more clips come."""
    while not stop.is_set() and not mailbox.is_finished:
        if clips := mailbox.take(WAIT_S):
            on_result(clips, classify_clips(clips, classifier, spec))
