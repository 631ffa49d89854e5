"""How large faces are in FER2013's pictures, and in the boxes that YuNet draws around other faces.

    python benchmarks/picture_framing.py faces.npz RAVDESS YUNET_FILE [--video FILE ...]
        [--output FILE]

A model that learns faces from pictures should be given them as large before a camera. YuNet itself
cannot tell: the pictures end where the face does, and it draws its box there. So dlib is asked
where the eyes and the mouth are, in pictures and frames in which its own detector finds one face;
of recordings and videos, the box is YuNet's. Medians, in sides of the picture or of the box.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from realtime_mood.faces.box import Box  # noqa: E402
from realtime_mood.faces.detector import make_detector  # noqa: E402
from trainer.corpora.ravdess import index_folder  # noqa: E402
from trainer.landmark_finder import model_file  # noqa: E402

PICTURES = 600
RECORDINGS_OF_ACTOR = 3
FRAMES = 20
"""Of a video or recording at most, FRAMES_APART from one another."""
FRAMES_APART = 15
ROOM = 1 / 3
"""Around a face, in its sides, for dlib's detector."""
ENLARGED_PX = 240
"""Side of the face that dlib is shown."""
SMALLEST_PX = 60
"""Smaller faces in frames are left out."""

Grey = npt.NDArray[np.uint8]


class Parts:
    """Finds eyes and mouth by dlib alone."""

    def __init__(self) -> None:
        import dlib

        self._dlib: Any = dlib
        self._detect = dlib.get_frontal_face_detector()
        self._predict = dlib.shape_predictor(str(model_file()))

    def find(self, grey: Grey, box: Box) -> tuple[float, float] | None:
        """Distances between the eyes, and from them down to the mouth, in sides of the box.

        None where dlib does not find one face.
        """
        side = box.longer_side
        pad = round(2 * side)
        wide = cv2.copyMakeBorder(grey, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
        reach = (0.5 + ROOM) * side
        left, top = (round(centre - reach) + pad for centre in box.centre)
        shown = wide[max(0, top) : top + round(2 * reach), max(0, left) : left + round(2 * reach)]
        scale = ENLARGED_PX / side
        large = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        faces = self._detect(large, 0)
        if len(faces) != 1:
            return None
        points = np.array([(p.x, p.y) for p in self._predict(large, faces[0]).parts()]) / scale
        one, other, mouth = (points[a:b].mean(axis=0) for a, b in ((36, 42), (42, 48), (48, 68)))
        between = float(np.linalg.norm(one - other))
        down = float(np.linalg.norm(mouth - (one + other) / 2))
        return between / side, down / side


def frames_of(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    """Some frames of a video, blue-green-red."""
    with av.open(path) as container:
        decoded = container.decode(video=0)
        for frame in islice(decoded, 0, FRAMES * FRAMES_APART, FRAMES_APART):
            yield frame.to_ndarray(format="bgr24")


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("yunet", type=Path)
    parser.add_argument("--video", type=Path, nargs="*", default=())
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    parts, detector = Parts(), make_detector("yunet", yunet_file=asked.yunet)

    pictures = np.load(asked.pictures)["validation_images"]
    drawn = np.random.default_rng(0).permutation(len(pictures))[:PICTURES]
    found = [
        parts.find(picture, Box(0.0, 0.0, picture.shape[1], picture.shape[0]))
        for picture in pictures[drawn]
    ]

    def seen_in(paths: list[Path]) -> list[tuple[float, float] | None]:
        return [
            parts.find(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8), face.box)
            for path in paths
            for frame in frames_of(path)
            for face in detector.detect(frame)
            if face.box.longer_side >= SMALLEST_PX
        ]

    of_actor: dict[str, list[Path]] = {}
    for recording in index_folder(asked.recordings).recordings:
        of_actor.setdefault(recording.actor, []).append(recording.path)
    chosen = [
        path
        for paths in of_actor.values()
        for path in sorted(paths)[:: max(1, len(paths) // RECORDINGS_OF_ACTOR)]
    ]
    groups = {"pictures": found, "recordings": seen_in(chosen)}
    groups |= {path.name: seen_in([path]) for path in asked.video}
    sides = {name: np.array([row for row in rows if row]) for name, rows in groups.items()}
    sides = {name: rows for name, rows in sides.items() if len(rows)}
    of_pictures = np.median(sides["pictures"], axis=0)
    result = {
        name: {
            "faces": len(rows),
            "between_eyes": round(float(np.median(rows[:, 0])), 3),
            "eyes_to_mouth": round(float(np.median(rows[:, 1])), 3),
            "pictures_against_it": [
                round(float(ratio), 3) for ratio in of_pictures / np.median(rows, axis=0)
            ],
        }
        for name, rows in sides.items()
    }
    write_result(
        {"cpu": cpu_name(), "python": platform.python_version(), "sides": result}, asked.output
    )


if __name__ == "__main__":
    main()
