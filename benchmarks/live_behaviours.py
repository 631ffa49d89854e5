"""What is shown of a face that rests, smiles, turns away, is hidden, leaves, or is in the dark.

    python benchmarks/live_behaviours.py neutral_to_smile.mp4 [--face-model ONNX] [--model DIR]
        [--output FILE]

The video shows one real face, neutral at first, that smiles from `SMILE_S` to `REST_AGAIN_S`. Of
its frames scenes are made; the tool watches each headless, and what it showed is read from its
events. Cover, darkness and turned heads are drawn, with the noise of a sensor: nobody turns away in
the video, so its face is laid on an ellipsoid, and that is turned.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.machine import cpu_name, write_result  # noqa: E402
from realtime_mood.capture.file_source import FileSource  # noqa: E402
from realtime_mood.faces.box import Box  # noqa: E402
from realtime_mood.faces.detector import make_detector  # noqa: E402
from realtime_mood.frame import ImageBGR  # noqa: E402
from realtime_mood.model.labels import UNSURE  # noqa: E402
from trainer.augment.turn import turn  # noqa: E402

RATE_HZ = 30
RESTING_FRAMES = 12
"""Of the video's first, seen forwards and backwards again and again."""
SMILE_S = 0.65
"""When the corners of the mouth begin to rise, found by eye, frame by frame."""
REST_AGAIN_S = 2.3
"""When the mouth is closed again, likewise: a tenth of a second before the video ends. Its last
picture is held."""
REST_S, BEFORE_S, DISTURBED_S, HELD_S = 60.0, 2.0, 4.0, 3.0
NOISE = 4.0
"""Standard deviation of the sensor's noise, of 255."""
SKIN_BGR = (120, 150, 200)
DARKNESS = 0.02
"""Of the light."""
TURN_S = 0.5
"""In which a head turns away, and back."""
TURNED_RAD, GLANCE_RAD = math.radians(60.0), math.radians(25.0)
HEAD = (0.54, 0.66)
"""Half its width and height, in widths and heights of the box, found by eye; its centre lies
`ABOVE` of the box's height above that of the box."""
ABOVE = 0.12
NOBODY = "no face"

Disturb = Callable[[ImageBGR, Box, float], ImageBGR]
"""Of a picture, the box of the face in it, and the seconds since it began."""


def turned(image: ImageBGR, box: Box, since_s: float, *, yaw_rad: float = TURNED_RAD) -> ImageBGR:
    """The head turned to the side, and back at the end."""
    yaw = yaw_rad * min(1.0, since_s / TURN_S, (DISTURBED_S - since_s) / TURN_S)
    centre = (box.centre[0], box.centre[1] - ABOVE * box.h)
    return turn(image, centre, (HEAD[0] * box.w, HEAD[1] * box.h), yaw, 0.0)


def glancing(image: ImageBGR, box: Box, since_s: float) -> ImageBGR:
    """The head turned a little, as to a second screen."""
    return turned(image, box, since_s, yaw_rad=GLANCE_RAD)


def covered(image: ImageBGR, box: Box, since_s: float, *, top: float = -0.15) -> ImageBGR:
    """A flat hand over the face from `top` of its height downwards."""
    hidden = image.copy()
    rows = slice(max(0, int(box.y + top * box.h)), int(box.y + 1.15 * box.h))
    columns = slice(max(0, int(box.x - 0.1 * box.w)), int(box.x + 1.1 * box.w))
    hidden[rows, columns] = SKIN_BGR
    return hidden


def half_covered(image: ImageBGR, box: Box, since_s: float) -> ImageBGR:
    """A flat hand over mouth and nose."""
    return covered(image, box, since_s, top=0.5)


def gone(image: ImageBGR, box: Box, since_s: float) -> ImageBGR:
    """The room without the person: from one side of them to the other."""
    top = max(0, int(box.y - 0.6 * box.h))
    left = max(0, int(box.x - 0.5 * box.w))
    right = min(image.shape[1] - 1, int(box.x + 1.5 * box.w))
    share = np.linspace(0.0, 1.0, right - left + 1)[:, None]
    sides = image[top:, left, None] * (1.0 - share) + image[top:, right, None] * share
    room = image.copy()
    room[top:, left : right + 1] = sides.round()
    return room


def darkened(image: ImageBGR, box: Box, since_s: float) -> ImageBGR:
    """The light switched off."""
    return np.asarray(image * DARKNESS, dtype=np.uint8)


DISTURBED: dict[str, Disturb] = {
    "turned a little": glancing,
    "turned away": turned,
    "covered": covered,
    "mouth covered": half_covered,
    "left": gone,
    "dark": darkened,
}


def write(path: Path, images: list[ImageBGR]) -> None:
    """A video of the images with the sensor's noise."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE_HZ, options={"crf": "18"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            noisy = (image + rng.normal(0.0, NOISE, image.shape)).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="bgr24")))
        container.mux(stream.encode())


def watch(video: Path, *, options: list[str], folder: Path) -> list[tuple[float, str]]:
    """What the tool shows of a video: times in seconds, and the label from there on."""
    events = folder / "events.jsonl"
    command = [sys.executable, "-m", "realtime_mood", "--video", str(video), "--headless"]
    command += [*options, "--events", str(events)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    shown = [(0.0, NOBODY)]
    for line in events.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["type"] == "prediction":
            shown.append((event["media_time_s"], event["label"]))
        elif event["type"] == "track_ended":
            shown.append((event["media_time_s"], NOBODY))
    return sorted(shown, key=lambda one: one[0])


def shares(shown: list[tuple[float, str]], start_s: float, end_s: float) -> dict[str, float]:
    """Share of the time between two moments in which each label was shown."""
    ends = [time_s for time_s, _ in shown[1:]] + [end_s]
    spent: Counter[str] = Counter()
    for (since_s, label), until_s in zip(shown, ends, strict=True):
        spent[label] += max(0.0, min(until_s, end_s) - max(since_s, start_s))
    return {label: round(s / (end_s - start_s), 3) for label, s in spent.items() if s > 0.0}


def delay_s(shown: list[tuple[float, str]], label: str, since_s: float) -> float | None:
    """How long after a moment a label is shown; None: never."""
    times_s = [time_s for time_s, other in shown if other == label and time_s >= since_s]
    return round(times_s[0] - since_s, 2) if times_s else None


def switches(shown: list[tuple[float, str]]) -> int:
    """How often another label than the one before is shown; unsure and nobody are no labels."""
    labels = [label for _, label in shown if label not in (UNSURE, NOBODY)]
    return sum(one != other for one, other in itertools.pairwise(labels))


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--face-model", type=Path)
    parser.add_argument("--model", default=str(ROOT / "assets" / "checkpoint"))
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    frames: list[ImageBGR] = []
    source = FileSource(asked.video)
    while (frame := source.read()) is not None:
        frames.append(frame.image_bgr)
    source.close()
    faces = "yunet" if asked.face_model else "cascade"
    detector = make_detector(faces, yunet_file=asked.face_model)
    options = ["--model", asked.model, "--faces", faces]
    if asked.face_model:
        options += ["--face-model", str(asked.face_model)]
    there = frames[:RESTING_FRAMES]
    # The head sways a little, and what is before it or turns it sways along.
    boxes = [detector.detect(image)[0].box for image in there]
    to_and_fro = [*range(len(there)), *reversed(range(len(there)))]
    order = to_and_fro * int(REST_S * RATE_HZ / len(to_and_fro))
    resting = [there[index] for index in order]
    before = resting[: int(BEFORE_S * RATE_HZ)]
    result: dict[str, object] = {
        "machine": {"cpu": cpu_name(), "python": platform.python_version()},
        "faces_found_by": detector.name,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def see(images: list[ImageBGR]) -> list[tuple[float, str]]:
            write(folder / "scene.mp4", images)
            return watch(folder / "scene.mp4", options=options, folder=folder)

        shown = see(resting)
        result["rest"] = {
            "switches_per_minute": switches(shown) * 60.0 / REST_S,
            "shown": shares(shown, 0.0, REST_S),
        }
        shown = see(before + frames + frames[-1:] * int(HELD_S * RATE_HZ))
        happy_s = delay_s(shown, "happy", BEFORE_S + SMILE_S)
        result["smile"] = {
            "shown_before": shares(shown, 0.0, BEFORE_S + SMILE_S),
            "happy_after_s": happy_s,
            "neutral_again_after_s": None
            if happy_s is None
            else delay_s(shown, "neutral", BEFORE_S + REST_AGAIN_S),
            "shown_after": shares(shown, BEFORE_S + REST_AGAIN_S, BEFORE_S + REST_AGAIN_S + HELD_S),
        }
        for scene, disturb in DISTURBED.items():
            during = [
                disturb(there[index], boxes[index], number / RATE_HZ)
                for number, index in enumerate(order[: int(DISTURBED_S * RATE_HZ)])
            ]
            shown = see(before + during + before)
            until_s = BEFORE_S + DISTURBED_S
            result[scene] = {
                "shown": shares(shown, BEFORE_S, until_s),
                "shown_after": shares(shown, until_s, until_s + BEFORE_S),
            }
    write_result(result, asked.output)


if __name__ == "__main__":
    main()
