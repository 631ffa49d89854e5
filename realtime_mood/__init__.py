"""Names the facial expression in a live picture or a video, in real time, on this machine.

The pipeline in six lines:

    capture    a thread fills a ring buffer with frames and their times
    faces      faces are detected, followed and cut out of every frame
    inference  eight crops spread over the checkpoint's clip span become eight probabilities
    smoothing  probabilities become a mood, in seconds and with hysteresis
    overlay    the newest frame is drawn with the moods known by then
    sinks      display, recording, events

Import rule: `capture`, `faces`, `inference` and `sinks` never import one another; `model` imports
only `errors`; what puts the stages together is `session` with `face_memory`, `outputs` and
`offline`, and, for live runs, `pipeline`, `recorder`, `live_screen`, `main_loop` and `live`.
`trainer` imports from here what it shares with the runtime; nothing here imports `trainer`.
Importing this package loads nothing heavy.
"""

import os

__version__ = "0.1.0"

# OpenCV reads these when it is imported, which nothing in this package does before this line: its
# messages are replaced by the program's own, and cameras on Windows open without a long wait.
for _name, _value in (
    ("OPENCV_LOG_LEVEL", "ERROR"),
    ("OPENCV_FFMPEG_LOGLEVEL", "-8"),
    ("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0"),
):
    os.environ.setdefault(_name, _value)

# The OpenMP library of torch's wheels for Linux reads this, likewise. Its threads wait for one
# another busily, and beside a program that is busy they wait for what does not run: on two cores a
# clip then took 230 to 550 ms instead of 21. With shorter waits it takes 110; alone, 21 to 25.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
