"""What detection, tracking and cropping cost a live run: 720p at 30 frames a second.

    python benchmarks/faces_cost.py --face-model face_detection_yunet_2023mar.onnx

Frames with one to eight moving faces come in real time and go through the stage that the live loop
uses, with the detector in its own thread. Two figures for each row, from the same run:

- `share_of_one_core`: CPU time of the whole process, the detector's thread included, over time;
- `frame_p50_ms`, `frame_p95_ms`: what a frame waits for its boxes and crops.

`searched_hz` should be 10: a detector that gets too little of a busy machine searches less often
and so seems to cost less.

Beside them, in the same run: `in_step_p95_ms`, what a frame would wait if it waited for the
detector, and `every_full_frame`, the share of one core that plain detection on each full frame
takes, which is what a demo loop does. Run it on a machine that does nothing else; the load it
found is noted.
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
from demo_head import demo_head
from machine import cpu_name

from realtime_mood.faces.detector import Detection, FaceDetector, make_detector
from realtime_mood.faces.search import FaceSearch, InStepSearch, ThreadedSearch
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.faces.yunet import NMS_THRESHOLD, SCORE_THRESHOLD
from realtime_mood.faces.yunet_file import fetch_yunet_file
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.model.checkpoint import default_checkpoint, read_contract
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.session import FaceStage

SIZE = (1280, 720)
RATE_HZ = 30
STRIDE_S = 0.2
NAIVE_FRAMES = 15


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--face-model", type=Path, help="YuNet's file (default: fetched once)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each run")
    parser.add_argument("--output", type=Path, help="write the JSON here")
    options = parser.parse_args()
    yunet_file = options.face_model or fetch_yunet_file()
    spec = read_contract(default_checkpoint()).spec
    load_before = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    rows = []
    for faces in (1, 4, 8):
        frames = pictures(faces)
        for name in ("yunet", "cascade"):
            detector = make_detector(name, yunet_file=yunet_file)
            measured = measure(detector, frames, spec, options.seconds)
            naive_share = RATE_HZ * every_full_frame_s(name, yunet_file, frames)
            share = measured["share_of_one_core"]
            rows.append(
                {
                    "detector": name,
                    "faces": faces,
                    **measured,
                    "every_full_frame": round(naive_share, 3),
                    "ratio": round(naive_share / share, 1),
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    result = {
        "what": "live detection, tracking and crops of 720p at 30 frames/s",
        "machine": {
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "load_before": load_before,
        },
        "versions": {"opencv": cv2.__version__, "python": platform.python_version()},
        "seconds": options.seconds,
        "rows": rows,
    }
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n")


def pictures(faces: int) -> list[ImageBGR]:
    """Two seconds of 720p with this many copies of a face, moving a little; may be looped."""
    head = demo_head(250)
    images = []
    for index in range(2 * RATE_HZ):
        turn = 2 * np.pi * index / (2 * RATE_HZ)
        image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        for number in range(faces):
            x = 20 + (number % 4) * 310 + round(20 * np.sin(turn + number))
            y = 40 + (number // 4) * 340 + round(10 * np.cos(turn + number))
            image[y : y + 250, x : x + 250] = head
        images.append(image)
    return images


class _Counted:
    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self.name = detector.name
        self.calls = 0

    def detect(self, image_bgr: ImageBGR) -> list[Detection]:
        self.calls += 1
        return self._detector.detect(image_bgr)


def measure(
    detector: FaceDetector, images: list[ImageBGR], spec: ClipSpec, seconds: float
) -> dict[str, float]:
    """Both ways to run a detector on the same frames, in real time."""
    counted = _Counted(detector)
    with ThreadedSearch(counted) as search:
        started_s, cpu_s = time.perf_counter(), time.process_time()
        tracked, waits_s = follow(search, images, spec, seconds)
        elapsed_s = time.perf_counter() - started_s
        share = (time.process_time() - cpu_s) / elapsed_s
    _, in_step_s = follow(InStepSearch(detector), images, spec, seconds)
    return {
        "tracked": tracked,
        "searched_hz": round(counted.calls / elapsed_s, 1),
        "share_of_one_core": round(share, 4),
        "frame_p50_ms": round(1000 * float(np.percentile(waits_s, 50)), 2),
        "frame_p95_ms": round(1000 * float(np.percentile(waits_s, 95)), 2),
        "in_step_p95_ms": round(1000 * float(np.percentile(in_step_s, 95)), 2),
    }


def follow(
    search: FaceSearch, images: list[ImageBGR], spec: ClipSpec, seconds: float
) -> tuple[int, list[float]]:
    """Most faces followed at a time, and how long each frame took."""
    stage = FaceStage(FaceTracker(search), spec, stride_s=STRIDE_S)
    waits_s = []
    tracked = 0
    started_s = time.perf_counter()
    for index in range(round(RATE_HZ * seconds)):
        time_s = index / RATE_HZ
        time.sleep(max(0.0, started_s + time_s - time.perf_counter()))
        frame = Frame(images[index % len(images)], time_s, index)
        asked_s = time.perf_counter()
        update, _ = stage.process(frame)
        waits_s.append(time.perf_counter() - asked_s)
        tracked = max(tracked, len(update.tracks))
    return tracked, waits_s


def every_full_frame_s(name: str, yunet_file: Path, images: list[ImageBGR]) -> float:
    """CPU seconds of plain detection on one full frame."""
    if name == "yunet":
        net = cv2.FaceDetectorYN.create(str(yunet_file), "", SIZE, SCORE_THRESHOLD, NMS_THRESHOLD)
        detect = net.detect
    else:
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        cascade = cv2.CascadeClassifier(str(path))

        def detect(image: ImageBGR) -> object:
            return cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 5)

    started_s = time.process_time()
    for image in images[:NAIVE_FRAMES]:
        detect(image)
    return (time.process_time() - started_s) / NAIVE_FRAMES


if __name__ == "__main__":
    main()
