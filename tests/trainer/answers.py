"""Answers that no model gave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from realtime_mood.model.labels import LABELS
from trainer.crops import FaceCrops
from trainer.predictions import Predictions
from trainer.streams import Stream, Timeline


def said(answers: list[int], labels: list[int], *, actor: str = "ravdess:01") -> Predictions:
    """Of recordings in one clip each, by a model that is as sure of every answer."""
    logits = np.zeros((len(labels), 1, len(LABELS)))
    logits[np.arange(len(labels)), 0, answers] = 2.0
    return Predictions(
        names=tuple(f"r{n}" for n in range(len(labels))),
        actors=np.array([actor] * len(labels)),
        labels=np.array(labels),
        logits=logits,
        temperature=np.ones(len(labels)),
        known=np.ones((len(labels), len(LABELS)), dtype=bool),
    )


def timeline(crops: FaceCrops, *, seconds: float, shown: str) -> Timeline:
    """A recording of some length that shows one label from 0.5 s on."""
    times_s = np.arange(0.0, seconds + 1e-9, 0.1)
    return Timeline(
        stream=Stream((replace(crops, times_s=times_s),)),
        ends_s=np.array([0.5]),
        probabilities=np.eye(len(LABELS))[:1],
        smoothed=np.eye(len(LABELS))[:1],
        shown=(shown,),
    )
