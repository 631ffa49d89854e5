"""What eight frames of a recording cost, and an epoch from the crops on disk, side by side.

    python benchmarks/clip_loading.py --data ../shared/data/ravdess_reanimated

Seconds of processor time on one core; every way decodes on one thread, in turns over the same clips
of the same files, and the median round counts. Compared are our loader, decord, the whole clip with
PyAV, and the usual OpenCV loop; all give the same pixels, which is checked. Then one clip of each
recording is read from the crops kept on disk, and by decoding it with our loader, the fastest of
the four: that is what an epoch costs with and without them.
"""

from __future__ import annotations

# isort: off
try:
    import decord
except ImportError:
    decord = None
import cv2
import av
# isort: on

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import cpu_name

from realtime_mood.model.clip_spec import ClipSpec, clip_timestamps, nearest_indices
from trainer.augment import PAD
from trainer.clip_loader import read_frames
from trainer.clip_times import earliest_end_s
from trainer.corpora.ravdess import index_folder
from trainer.crops import Cutter, FaceCrops, cut_recordings
from trainer.dataset import read_clip
from trainer.decode import packet_times_s

SPEC = ClipSpec(
    num_frames=8,
    frame_interval_s=0.2,
    interval_growth=1.0,
    image_size=112,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    crop_margin=0.0,
    interpolation="area",
    align_roll=False,
    steady=False,
    grey=False,
)
PIXEL_TOLERANCE = 3
Load = Callable[[Path, np.ndarray], np.ndarray]


def ours(path: Path, indices: np.ndarray) -> np.ndarray:
    """The project's loader."""
    return read_frames(path, indices.tolist())


def pyav_whole(path: Path, indices: np.ndarray) -> np.ndarray:
    """Every frame decoded and converted, as PyAV's own examples do it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
    return np.stack([frames[index] for index in indices])


def opencv_loop(path: Path, indices: np.ndarray) -> np.ndarray:
    """Read until there is nothing more, then choose."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    frames = []
    while True:
        is_read, frame = capture.read()
        if not is_read:
            break
        frames.append(frame)
    capture.release()
    return np.stack([frames[index] for index in indices])


def decord_batch(path: Path, indices: np.ndarray) -> np.ndarray:
    """decord's own choice of frames."""
    reader = decord.VideoReader(str(path), num_threads=1)
    return reader.get_batch(indices).asnumpy()[..., ::-1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with RAVDESS recordings")
    parser.add_argument("--recordings", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found = index_folder(options.data).recordings
    recordings = found[:: max(1, len(found) // options.recordings)][: options.recordings]
    rng = np.random.default_rng(0)
    clips = []
    for recording in recordings:
        times_s = packet_times_s(recording.path)
        end_s = rng.uniform(earliest_end_s(times_s, SPEC), times_s[-1])
        indices = nearest_indices(times_s, clip_timestamps(SPEC, end_s=end_s))
        clips.append((recording.path, indices, end_s))
    ways: dict[str, Load] = {"ours": ours, "pyav_whole": pyav_whole, "opencv_loop": opencv_loop}
    if decord is not None:
        ways["decord_get_batch"] = decord_batch
    check(ways, clips)
    loading = in_turns(
        {name: [lambda c=c, w=w: w(c[0], c[1]) for c in clips] for name, w in ways.items()},
        rounds=options.rounds,
    )
    fastest = min(loading["pyav_whole"], loading["opencv_loop"])
    with tempfile.TemporaryDirectory() as folder:
        crops = cut(recordings, Path(folder))
        epoch = in_turns(
            {
                "from_crops": [
                    lambda own=own, c=c: read_clip(own, SPEC, end_s=c[2])
                    for own, c in zip(crops, clips, strict=True)
                ],
                "decoding": [lambda c=c: ours(c[0], c[1]) for c in clips],
            },
            rounds=options.rounds,
        )
    result = {
        "what": "processor time of one clip of 8 frames over 1.4 s, milliseconds",
        "files": f"{len(clips)} of {options.data.name}, "
        f"{np.mean([len(packet_times_s(c[0])) for c in clips]):.0f} frames in the mean",
        "machine": {"cpu": cpu_name(), "cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "versions": {"av": av.__version__, "opencv": cv2.__version__},
        "clip_ms": {name: round(1000 * value, 3) for name, value in loading.items()},
        "times_faster_than_the_faster_of_pyav_and_opencv": round(fastest / loading["ours"], 2),
        "epoch_clip_ms": {name: round(1000 * value, 3) for name, value in epoch.items()},
        "epoch_times_faster_from_crops": round(epoch["decoding"] / epoch["from_crops"], 1),
    }
    print(json.dumps(result, indent=2))
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n")


def check(ways: dict[str, Load], clips: list[tuple[Path, np.ndarray, float]]) -> None:
    """All ways give the same pictures, save for rounding in the colours."""
    for path, indices, _ in clips[:3]:
        expected = ours(path, indices).astype(np.int16)
        for name, load in ways.items():
            gap = np.abs(load(path, indices) - expected).max()
            if gap > PIXEL_TOLERANCE:
                raise SystemExit(f"{name} differs by {gap} in {path}")


def cut(recordings: tuple, folder: Path) -> list[FaceCrops]:
    """The crops of all recordings, as they are kept for training."""
    how = Cutter(folder=folder, spec=SPEC, detector="none", yunet_file=None, decoder="pyav")
    crops, _ = cut_recordings(
        recordings,
        how.padded(PAD),
        num_workers=1,
        timeout_s=600.0,
        progress=lambda *_: None,
    )
    return crops


def in_turns(ways: dict[str, list[Callable[[], object]]], *, rounds: int) -> dict[str, float]:
    """Seconds of processor time of one call of each way, median over rounds."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, calls in ways.items():
            started_s = time.process_time()
            for call in calls:
                call()
            taken[name].append((time.process_time() - started_s) / len(calls))
    return {name: float(np.median(values)) for name, values in taken.items()}


if __name__ == "__main__":
    main()
