"""A recording survives the death of its process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.capture.pattern_source import read_frame_number
from realtime_mood.media_libraries import av
from tests.media import audio_packets, read_all, write_video

RATE = 30
AT_MOST_LOST_S = 0.6


@pytest.mark.parametrize("audio", [None, "aac"])
@pytest.mark.parametrize("killed_after_s", [0.8, 2.5])
def test_playable_up_to_the_last_second(
    tmp_path: Path, audio: str | None, killed_after_s: float
) -> None:
    # The sound ends before the picture does: waiting for more of it must not hold frames back.
    sound = write_video(tmp_path / "sound.mp4", count=25, audio=audio)
    path = tmp_path / "r.mp4"
    code = f"""
import time
from fractions import Fraction
from pathlib import Path
from realtime_mood.capture.pattern_source import PatternSource
from realtime_mood.sinks.recording import RecordingSink
source = PatternSource(width=320, height=240, frame_rate=Fraction({RATE}), is_live=True)
sink = RecordingSink(
    Path({str(path)!r}), width=320, height=240, frame_rate=Fraction({RATE}),
    audio_from=Path({str(sound)!r}),
)
while True:
    frame = source.read()
    sink.write(frame)
    print(frame.timestamp_s, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    written_s = 0.0
    deadline_s = time.monotonic() + 30.0
    for line in process.stdout:
        written_s = float(line)
        if written_s >= killed_after_s or time.monotonic() > deadline_s:
            break
    process.kill()
    process.wait(10)
    process.stdout.close()
    assert written_s >= killed_after_s

    frames = read_all(FileSource(path))
    assert written_s - frames[-1].timestamp_s < AT_MOST_LOST_S
    for frame in frames:
        assert frame.timestamp_s * RATE == pytest.approx(
            read_frame_number(frame.image_bgr), abs=0.05
        )
    if audio:
        packets = audio_packets(path)
        sound_s = min(1.0, frames[-1].timestamp_s)
        assert packets[-1][0] == pytest.approx(sound_s, abs=AT_MOST_LOST_S)
        with av.open(str(path)) as container:
            assert sum(block.samples for block in container.decode(audio=0)) > 0
