"""How much memory a live run takes above the loaded, idle program: 1080p, eight faces.

    python benchmarks/live_memory.py --face-model face_detection_yunet_2023mar.onnx

Loads the model and classifies once (that is the idle program), then runs the live threads on a
moving 1920x1080 picture at 30 frames/s and notes the largest resident size.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import psutil
from demo_head import demo_head

from realtime_mood.capture.source import SourceInfo
from realtime_mood.faces.detector import make_detector
from realtime_mood.frame import Frame
from realtime_mood.inference.torch_classifier import TorchClassifier
from realtime_mood.model.checkpoint import default_checkpoint, read_contract
from realtime_mood.overlay import draw_overlay
from realtime_mood.pipeline import LivePipeline
from realtime_mood.smoothing import SmoothingConfig

WIDTH, HEIGHT = 1920, 1080
RATE_HZ = 30
MIB = 1024 * 1024


class EightFaces:
    """A camera that shows eight faces."""

    info = SourceInfo(width=WIDTH, height=HEIGHT, is_live=True)

    def __init__(self) -> None:
        self._head = demo_head(380)
        self._started_s = time.perf_counter()
        self._index = 0

    def read(self) -> Frame:
        """The next frame, when its time has come."""
        due_s = self._started_s + self._index / RATE_HZ
        time.sleep(max(0.0, due_s - time.perf_counter()))
        image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        for number in range(8):
            x = 40 + (number % 4) * 460 + round(15 * np.sin(self._index / 15 + number))
            y = 90 + (number // 4) * 480
            image[y : y + 380, x : x + 380] = self._head
        frame = Frame(image, self._index / RATE_HZ, self._index)
        self._index += 1
        return frame

    def close(self) -> None:
        """Nothing to release."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--face-model", type=Path, default=None)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()
    folder = default_checkpoint()
    contract = read_contract(folder)
    classifier = TorchClassifier(folder, contract, device="cpu")
    detector = make_detector("yunet", yunet_file=options.face_model)
    process = psutil.Process()
    idle = process.memory_info().rss
    pipeline = LivePipeline(
        EightFaces,
        lambda: (folder, contract),
        lambda *_: classifier,
        lambda _: detector,
        source_name="eight faces",
        model_name="default",
        stride_s=0.2,
        smoothing=SmoothingConfig(),
        max_faces=8,
        detects_in_step=False,
        on_event=lambda event: None,
    )
    pipeline.start()
    started_s = time.perf_counter()
    largest, last_s, shown, faces = idle, -1.0, 0, 0
    while time.perf_counter() - started_s < options.seconds:
        pipeline.raise_errors()
        frame = pipeline.capture.frames.wait_after(last_s, max_lag_s=0.0, timeout_s=0.1)
        if frame is not None:
            last_s = frame.timestamp_s
            view = pipeline.session.view(last_s)
            draw_overlay(frame.image_bgr, view)
            shown, faces = shown + 1, max(faces, len(view.faces))
        largest = max(largest, process.memory_info().rss)
    pipeline.finish(
        ended="stopped", frames=shown, dropped_frames=0, dropped_recording_frames=0, drain=False
    )
    result = {
        "what": "resident memory of a live run above the loaded, idle program",
        "picture": f"{WIDTH}x{HEIGHT} at {RATE_HZ} frames/s",
        "faces": faces,
        "seconds": options.seconds,
        "frames_shown": shown,
        "idle_mib": round(idle / MIB),
        "above_idle_mib": round((largest - idle) / MIB),
    }
    print(json.dumps(result, indent=2))
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
