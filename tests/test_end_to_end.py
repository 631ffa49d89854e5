"""The main job on real video, as the command that a person types."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.media import audio_packets, times_of
from tests.shared import shared_file

CHANGES_FROM_RUN_TO_RUN = ("wall_time", "latency_s")


def _run(folder: Path, checkpoint: Path) -> list[dict[str, Any]]:
    """Work through the video in a folder of its own; answers the events without what may differ."""
    folder.mkdir()
    video = shared_file("media/faces/talking_with_audio_5s.mp4")
    yunet = shared_file("data/face_detector/face_detection_yunet_2023mar.onnx")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "realtime_mood", "--video", str(video), "--headless"),
            *("--record", "o.mp4", "--events", "o.jsonl"),
            *("--model", str(checkpoint), "--faces", "yunet", "--face-model", str(yunet)),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = (folder / "o.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {k: v for k, v in json.loads(line).items() if k not in CHANGES_FROM_RUN_TO_RUN}
        for line in lines
    ]


def test_two_runs_give_every_frame_the_sound_and_the_same_events(
    checkpoint: Path, tmp_path: Path
) -> None:
    first, second = (_run(tmp_path / name, checkpoint) for name in ("first", "second"))
    assert first == second
    assert [event["type"] for event in first].count("prediction") > 10
    assert first[-1]["type"] == "summary"
    assert first[-1]["frames"] == 125
    for name in ("first", "second"):
        assert len(times_of(tmp_path / name / "o.mp4")) == 125
        assert len(audio_packets(tmp_path / name / "o.mp4")) > 100
