"""What drawing the overlay costs, beside a bare copy of the picture in the same run.

    python benchmarks/overlay_cost.py [--rounds N] [--output FILE]

Prints JSON: for each size and number of faces the median milliseconds of both and their ratio.
Values change from round to round as they do live, so text that changes is drawn anew. The ratio
can be compared between runs; the milliseconds belong to the machine and what else it was doing.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from realtime_mood.faces.box import Box
from realtime_mood.model.labels import LABELS
from realtime_mood.overlay import draw_overlay
from realtime_mood.smoothing import MoodState
from realtime_mood.view import HISTORY_S, FaceView, HudView, View

SIZES = ((176, 144), (640, 360), (1280, 720), (1920, 1080), (3840, 2160))
"""Width and height of the pictures, in pixels."""
CLIPS_HZ = 5.0
"""Clips a second in the history that is drawn."""


def view_at(index: int, width: int, height: int, faces: int) -> View:
    """What a session could show at its frame number `index`, 30 frames a second."""
    now_s = 60.0 + index / 30.0
    weights = 1.0 + np.sin(index / 7.0 + np.arange(len(LABELS)))
    probabilities = tuple(float(p) for p in weights / weights.sum())
    best = int(np.argmax(probabilities))
    mood = MoodState(LABELS[best], probabilities[best], probabilities)
    times = np.arange(now_s - HISTORY_S, now_s, 1.0 / CLIPS_HZ)
    history = tuple((float(t), LABELS[int(t) // 3 % len(LABELS)]) for t in times)
    side = 0.3 * height
    shown = tuple(
        FaceView(
            number + 1,
            Box(0.1 * width + number * 0.22 * width + index % 5, 0.3 * height, side, side),
            mood,
            history=history,
        )
        for number in range(faces)
    )
    hud = HudView(
        capture_hz=29.0 + index % 17 / 10,
        display_hz=30.0 - index % 13 / 10,
        inference_hz=5.0 + index % 7 / 10,
        age_s=0.08 + index % 23 / 1000,
        dropped_frames=index // 50,
        skipped_clips=index // 20,
        engine="cpu float32",
    )
    return View(media_time_s=now_s, faces=shown, hud=hud, recording_s=now_s)


def median_ms(action: Callable[[int], object], rounds: int) -> float:
    """Median duration of `action(round)`, in milliseconds, after a few rounds to warm up."""
    durations_s = []
    for index in range(-5, rounds):
        start_s = time.perf_counter()
        action(max(index, 0))
        if index >= 0:
            durations_s.append(time.perf_counter() - start_s)
    return 1000.0 * statistics.median(durations_s)


def measure(rounds: int) -> list[dict[str, float | int | str]]:
    """One row for each size and number of faces."""
    rows: list[dict[str, float | int | str]] = []
    for width, height in SIZES:
        picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        for faces in (0, 1, 4):
            views = [view_at(index, width, height, faces) for index in range(rounds)]
            copy_ms = median_ms(lambda _: picture.copy(), rounds)  # noqa: B023
            overlay_ms = median_ms(lambda i: draw_overlay(picture, views[i]), rounds)  # noqa: B023
            rows.append(
                {
                    "size": f"{width}x{height}",
                    "faces": faces,
                    "copy_ms": round(copy_ms, 3),
                    "overlay_ms": round(overlay_ms, 3),
                    "ratio": round(overlay_ms / copy_ms, 1),
                }
            )
    return rows


def main() -> None:
    """Measure on one core and report."""
    parser = argparse.ArgumentParser(description="What drawing the overlay costs.")
    parser.add_argument("--rounds", type=int, default=100, help="pictures for each figure")
    parser.add_argument("--output", type=Path, help="write the JSON here instead of to stdout")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    report = {
        "benchmark": "overlay_cost",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "opencv": cv2.__version__,
        "rounds": arguments.rounds,
        "rows": measure(arguments.rounds),
    }
    text = json.dumps(report, indent=2) + "\n"
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
