"""A picture with faces whose places are known: real heads pasted on moving paths.

Three people of the reanimated clips move over a background for twelve seconds. Two of them cross
twice, one is hidden behind a pillar for half a second, and at nine seconds the picture cuts to
another shot with two people.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from realtime_mood.faces.box import Box
from realtime_mood.faces.yunet import YuNetDetector
from realtime_mood.frame import ImageBGR

SIZE = (1280, 720)
RATE_HZ = 30
SECONDS = 12.0
CUT_S = 9.0
CROSSINGS_S = ((1.4, 2.6), (5.4, 6.6))
"""When two faces are in front of one another."""
HIDDEN_S = (3.4, 3.9)
"""When the third face is behind the pillar."""
HEAD = 1.9
"""Side of the square that is pasted, in heights of the face."""


@dataclass(frozen=True)
class KnownFace:
    """Where one person's face is on one frame."""

    person: int
    """Another number after the cut, as a cut ends all tracks."""
    box: Box
    """As YuNet measures it on the clip the head comes from."""


@dataclass(frozen=True)
class _Person:
    number: int
    heads: list[ImageBGR]
    boxes: list[Box]
    face_height: float
    path: Callable[[float], tuple[float, float]]

    def at(self, time_s: float) -> tuple[ImageBGR, Box, tuple[float, float]]:
        frame = round(time_s * RATE_HZ) % (2 * len(self.heads))
        frame = frame if frame < len(self.heads) else 2 * len(self.heads) - 1 - frame
        return self.heads[frame], self.boxes[frame], self.path(time_s)


def scene(clips: list[Path], yunet_file: Path) -> Iterator[tuple[float, ImageBGR, list[KnownFace]]]:
    """Time, picture and known faces of every frame.

    Args:
        clips: three recordings of three people.
        yunet_file: measures the faces in them.
    """
    detector = YuNetDetector(yunet_file)
    first, second, third = (_heads(clip, detector) for clip in clips)
    middle = 330.0
    before = [
        _Person(3, *third, 120.0, lambda t: (1050 + 60 * math.sin(t), 300.0)),
        _Person(1, *first, 130.0, lambda t: (500 + 250 * math.cos(math.pi * t / 4), middle)),
        _Person(2, *second, 140.0, lambda t: (500 - 250 * math.cos(math.pi * t / 4), middle + 25)),
    ]
    after = [
        _Person(11, *second, 170.0, lambda t: (400 + 40 * math.sin(2 * t), 360.0)),
        _Person(12, *third, 150.0, lambda t: (900 + 50 * math.sin(1.5 * t), 300.0)),
    ]
    for index in range(round(SECONDS * RATE_HZ)):
        time_s = index / RATE_HZ
        people = before if time_s < CUT_S else after
        picture = _background(0 if time_s < CUT_S else 1)
        known = [_paste(picture, person, time_s) for person in people]
        if HIDDEN_S[0] <= time_s < HIDDEN_S[1]:
            cv2.rectangle(picture, (900, 0), (1200, 720), (60, 80, 70), -1)
        yield time_s, picture, known


def _heads(clip: Path, detector: YuNetDetector) -> tuple[list[ImageBGR], list[Box]]:
    capture = cv2.VideoCapture(str(clip))
    heads, boxes = [], []
    while True:
        ok, image = capture.read()
        if not ok:
            break
        found = detector.detect(np.asarray(image, dtype=np.uint8))
        if not found:
            continue
        box = found[0].box
        side = HEAD * box.h
        left, top = (round(value - side / 2) for value in box.centre)
        padded = cv2.copyMakeBorder(image, 400, 400, 400, 400, cv2.BORDER_REPLICATE)
        size = round(side)
        heads.append(
            np.asarray(padded[top + 400 : top + 400 + size, left + 400 : left + 400 + size])
        )
        boxes.append(Box(box.x - left, box.y - top, box.w, box.h))
    capture.release()
    return heads, boxes


def _paste(picture: ImageBGR, person: _Person, time_s: float) -> KnownFace:
    head, box, (x, y) = person.at(time_s)
    factor = person.face_height / box.h
    small = cv2.resize(head, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    size = small.shape[0]
    left, top = round(x - size / 2), round(y - size / 2)
    mask = np.zeros((size, size), np.float32)
    axes = (round(0.36 * size), round(0.46 * size))
    cv2.ellipse(mask, (size // 2, size // 2), axes, 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), size / 60)[..., None]
    under = picture[top : top + size, left : left + size]
    picture[top : top + size, left : left + size] = under * (1 - mask) + small * mask
    moved = box.scaled(size / head.shape[0])
    return KnownFace(person.number, Box(moved.x + left, moved.y + top, moved.w, moved.h))


def _background(number: int) -> ImageBGR:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    rng = np.random.default_rng(number)
    noise = cv2.resize(rng.integers(0, 60, (24, 40)).astype(np.float32), SIZE)
    waves = 40 * np.sin(columns / (90 + 70 * number)) + 40 * np.cos(rows / (140 - 60 * number))
    grey = 90 + 50 * number + waves + noise
    return np.clip(np.stack([grey, grey * 0.9, grey * 0.8], axis=-1), 0, 255).astype(np.uint8)
