"""One video down the trainer's path and the runtime's path gives the model the same pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.faces.detector import make_detector
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.preprocess import preprocess
from realtime_mood.session import FaceStage
from tests.fakes import SPEC
from tests.shared import shared_file
from trainer.corpora.ravdess import index_folder
from trainer.crops import Cutter, cut_recordings
from trainer.dataset import read_clip

RECORDING = "data/ravdess_reanimated/Actor_06/02-01-05-02-01-01-06.mp4"
YUNET = "data/face_detector/face_detection_yunet_2023mar.onnx"
# The head of the recording leans by up to four degrees.
CLIP_SPEC = replace(SPEC, image_size=112, align_roll=True)

# decord converts to RGB with its own rounding; a level is 1/255 of the range.
TOLERATED_LEVELS = {"pyav": 0.0, "decord": 2.0}
TOLERATED_MEAN_LEVELS = {"pyav": 0.0, "decord": 0.5}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    source = shared_file(RECORDING)
    (folder / source.name).symlink_to(source)
    return folder / source.name


def _runtime_clips(
    path: Path, detector: str, spec: ClipSpec
) -> dict[float, npt.NDArray[np.float32]]:
    yunet = shared_file(YUNET) if detector == "yunet" else None
    tracker = FaceTracker(InStepSearch(make_detector(detector, yunet_file=yunet)))
    stage = FaceStage(tracker, spec, stride_s=0.5)
    source = FileSource(path)
    clips = {}
    while (frame := source.read()) is not None:
        for clip in stage.process(frame)[1]:
            clips[clip.end_s] = preprocess(clip.crops_bgr, spec)
    source.close()
    return clips


@pytest.mark.parametrize("detector", ["yunet", "cascade"])
@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize("is_steady", [False, True])
def test_trainer_and_runtime_see_the_same_pixels(
    recording: Path, detector: str, decoder: str, is_steady: bool, tmp_path: Path
) -> None:
    if decoder == "decord":
        pytest.importorskip("decord", reason="decord has no wheel here")
    spec = replace(CLIP_SPEC, steady=is_steady, grey=is_steady)
    cutter = Cutter(
        folder=tmp_path,
        spec=spec,
        detector=detector,
        yunet_file=shared_file(YUNET) if detector == "yunet" else None,
        decoder=decoder,
    )
    recordings = index_folder(recording.parent).recordings
    (crops,), skipped = cut_recordings(
        recordings, cutter, num_workers=1, timeout_s=60, progress=lambda *stage: None
    )
    assert skipped == {}
    clips = _runtime_clips(recording, detector, spec)
    assert len(clips) >= 3
    levels_per_unit = 255 * spec.std[0]
    for end_s, pixel_values in clips.items():
        trained_on = preprocess(read_clip(crops, spec, end_s=end_s), spec)
        difference = np.abs(trained_on - pixel_values) * levels_per_unit
        assert difference.max() <= TOLERATED_LEVELS[decoder] + 1e-3
        assert difference.mean() <= TOLERATED_MEAN_LEVELS[decoder] + 1e-3
