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


class ClipMailbox:
    """Holds the newest clip of each face until the worker takes them. Thread-safe."""

    def __init__(self) -> None:
        self._clips: dict[int, Clip] = {}
        self._skipped = 0
        self._is_closed = False
        self._filled = threading.Condition()

    def put(self, clip: Clip) -> None:
        """Leave a clip; an older one of the same face is replaced and counted as skipped."""
        with self._filled:
            if self._clips.pop(clip.track_id, None) is not None:
                self._skipped += 1
            self._clips[clip.track_id] = clip
            self._filled.notify()

    def take_all(self, timeout_s: float) -> list[Clip]:
        """All clips waiting, after waiting for at least one; empty when none came in time."""
        with self._filled:
            self._filled.wait_for(lambda: bool(self._clips) or self._is_closed, timeout_s)
            clips = list(self._clips.values())
            self._clips.clear()
            return clips

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
        """Clips that were replaced before they were taken."""
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
        if clips := mailbox.take_all(WAIT_S):
            on_result(clips, classify_clips(clips, classifier, spec))
