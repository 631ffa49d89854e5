"""What detection, tracking and cropping cost, as a share of one core at 30 frames a second.

    python benchmarks/faces_cost.py --face-model face_detection_yunet_2023mar.onnx

Runs a 1280x720 picture with one to eight faces through the tracker and the crops, frame by frame,
and prints the CPU time a second of video takes; beside it, in the same run, plain detection on
every full frame, which is what a demo loop does. The p95 is what one frame adds to the latency of
the live loop.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut

from realtime_mood.faces.crop import crop_face
from realtime_mood.faces.detector import make_detector
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.faces.yunet import NMS_THRESHOLD, SCORE_THRESHOLD
from realtime_mood.frame import ImageBGR
from realtime_mood.model.checkpoint import default_checkpoint, read_contract
from realtime_mood.model.clip_spec import ClipSpec

SIZE = (1280, 720)
RATE_HZ = 30
SECONDS = 10


def picture(faces: int, index: int) -> ImageBGR:
    """A 720p frame with this many copies of a face, moving a little."""
    photograph = np.ascontiguousarray(astronaut()[..., ::-1])
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for number in range(faces):
        head = cv2.resize(photograph[20:220, 120:320], (250, 250))
        x = 20 + (number % 4) * 310 + round(20 * np.sin(index / 15 + number))
        y = 40 + (number // 4) * 340 + round(10 * np.cos(index / 20 + number))
        image[y : y + 250, x : x + 250] = head
    return image


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--face-model", type=Path, default=None)
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()
    spec = read_contract(default_checkpoint()).spec
    rows = []
    for faces in (1, 4, 8):
        frames = [picture(faces, index) for index in range(RATE_HZ * 2)]
        for name in ("yunet", "cascade"):
            rows.append(measure(name, faces, frames, options.face_model, spec))
            print(json.dumps(rows[-1]))
    result = {
        "what": "CPU time of detection, tracking and crops at 30 frames/s of 720p",
        "machine": {"cpu": _cpu_name(), "cores": os.cpu_count()},
        "versions": {"opencv": cv2.__version__, "python": platform.python_version()},
        "rows": rows,
    }
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n")


def measure(
    name: str, faces: int, frames: list[ImageBGR], model: Path | None, spec: ClipSpec
) -> dict[str, object]:
    """One detector on one number of faces."""
    detector = make_detector(name, yunet_file=model)
    tracker = FaceTracker(detector)
    per_frame_s = []
    found = 0
    started_s = time.process_time()
    for index in range(RATE_HZ * SECONDS):
        frame = frames[index % len(frames)]
        asked_s = time.perf_counter()
        tracks = tracker.update(frame, index / RATE_HZ).tracks
        for track in tracks:
            crop_face(frame, track.box, spec, roll_rad=track.roll_rad)
        per_frame_s.append(time.perf_counter() - asked_s)
        found = max(found, len(tracks))
    ours_s = (time.process_time() - started_s) / SECONDS
    naive_s = _every_frame(name, model, frames)
    return {
        "detector": name,
        "faces": faces,
        "tracked": found,
        "share_of_one_core": round(ours_s, 4),
        "frame_p50_ms": round(1000 * float(np.percentile(per_frame_s, 50)), 2),
        "frame_p95_ms": round(1000 * float(np.percentile(per_frame_s, 95)), 2),
        "detecting_every_full_frame": round(naive_s, 4),
        "ratio": round(naive_s / ours_s, 1),
    }


def _every_frame(name: str, model: Path | None, frames: list[ImageBGR]) -> float:
    if name == "yunet":
        from realtime_mood.faces.yunet_file import fetch_yunet_file

        net = cv2.FaceDetectorYN.create(
            str(model or fetch_yunet_file()), "", SIZE, SCORE_THRESHOLD, NMS_THRESHOLD
        )
        detect = net.detect
    else:
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        cascade = cv2.CascadeClassifier(str(path))

        def detect(image: ImageBGR) -> object:
            return cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 5)

    started_s = time.process_time()
    for frame in frames[:RATE_HZ]:
        detect(frame)
    return time.process_time() - started_s


def _cpu_name() -> str:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor()
    lines = [line for line in path.read_text().splitlines() if line.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else platform.processor()


if __name__ == "__main__":
    main()
