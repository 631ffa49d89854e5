"""The mood reaches the picture: that of a recording, of the display and of a screenshot."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.faces.box import Box
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.frame import Frame, ImageBGR
from realtime_mood.inference.clip_sampler import FIRST_CLIP_S
from realtime_mood.offline import analyse
from realtime_mood.overlay.palette import LABEL_COLOURS
from realtime_mood.recorder import Recorder
from realtime_mood.smoothing import SmoothingConfig
from tests.fakes import (
    SPEC,
    FakeClassifier,
    FakeScreen,
    ListSource,
    MemoryFrameSink,
    ScriptedDetector,
    dark_and_bright,
)
from tests.live_run import LiveRun
from tests.media import read_all

FACE = Box(10, 30, 40, 50)
WIDTH, HEIGHT = 160, 120


def _grey(number: int) -> ImageBGR:
    return np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8)


def _drawn(*, mirror: bool) -> list[Frame]:
    sink = MemoryFrameSink()
    analyse(
        ListSource(30, picture=_grey),
        FaceTracker(InStepSearch(ScriptedDetector(lambda call: [FACE]))),
        FakeClassifier("happy"),
        SPEC,
        stride_s=0.2,
        smoothing=SmoothingConfig(),
        mirror=mirror,
        frame_sink=sink,
    )
    return sink.frames


def _happy_pixels(image_bgr: ImageBGR, box: Box) -> int:
    x, y, w, h = (round(side) for side in box.to_xywh())
    around = image_bgr[y - 2 : y + h + 2, x - 2 : x + w + 2]
    return int((around == LABEL_COLOURS["happy"]).all(axis=-1).sum())


@pytest.mark.parametrize("mirror", [False, True])
def test_a_label_is_drawn_on_its_face_from_the_end_of_its_clip_on(mirror: bool) -> None:
    here, there = FACE, FACE.mirrored(WIDTH)
    if mirror:
        here, there = there, here
    frames = _drawn(mirror=mirror)
    has_label = [_happy_pixels(frame.image_bgr, here) > 20 for frame in frames]
    assert has_label == [frame.timestamp_s >= FIRST_CLIP_S for frame in frames]
    assert not any(_happy_pixels(frame.image_bgr, there) for frame in frames)


@pytest.mark.parametrize("mirror", [False, True])
def test_a_live_picture_is_flipped_on_the_display_in_a_recording_and_in_a_screenshot(
    mirror: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # The placeholder is the first picture.
    screen = FakeScreen({2: "s"})
    source = ListSource(3, is_live=True, picture=dark_and_bright)
    recorder = Recorder(tmp_path / "asked.mp4")
    LiveRun(source, FakeClassifier(), screen=screen, recorder=recorder, mirror=mirror).run()
    (screenshot,) = tmp_path.glob("*.png")
    pictures = {
        "shown": screen.last_image,
        "recorded": read_all(FileSource(tmp_path / "asked.mp4"))[-1].image_bgr,
        "saved": cv2.imread(str(screenshot)),
    }
    for name, picture in pictures.items():
        assert picture is not None
        # Between what is drawn at the top and at the bottom.
        left, right = (picture[20:28, part].mean() for part in (slice(0, 4), slice(60, 64)))
        assert (left > right) == mirror, name
