from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_mood.errors import ModelError
from realtime_mood.faces.detector import FaceDetector, make_detector, shrink
from tests.shared import shared_file

YUNET = "data/face_detector/face_detection_yunet_2023mar.onnx"


def _detector(name: str) -> FaceDetector:
    return make_detector(name, yunet_file=shared_file(YUNET) if name == "yunet" else None)


@pytest.mark.parametrize("name", ["yunet", "cascade"])
def test_both_detectors_find_the_face_in_one_measure(name: str) -> None:
    capture = cv2.VideoCapture(str(shared_file("media/faces/one_face_neutral_to_smile.mp4")))
    _, image = capture.read()
    capture.release()
    reference = make_detector("yunet", yunet_file=shared_file(YUNET)).detect(image)[0].box
    found = _detector(name).detect(image)
    assert len(found) == 1
    assert found[0].box.iou(reference) > 0.7
    assert found[0].box.longer_side == pytest.approx(reference.longer_side, rel=0.15)


@pytest.mark.parametrize("name", ["yunet", "cascade"])
@pytest.mark.parametrize("size", [(480, 640), (16, 16), (1, 1), (3000, 200), (144, 176)])
def test_a_picture_without_a_face_has_none(name: str, size: tuple[int, int]) -> None:
    assert _detector(name).detect(np.zeros((*size, 3), dtype=np.uint8)) == []


def test_without_a_detector_the_middle_is_taken() -> None:
    (found,) = make_detector("none", yunet_file=None).detect(np.zeros((100, 300, 3), np.uint8))
    assert found.box.centre == (150, 50)
    assert found.box.w == found.box.h == pytest.approx(70)


def test_auto_takes_yunet_where_its_file_is_named_and_the_cascade_elsewhere() -> None:
    assert make_detector("auto", yunet_file=None).name == "cascade"
    assert make_detector("auto", yunet_file=shared_file(YUNET)).name == "yunet"


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--face-model"):
        make_detector("yunet", yunet_file=None)
    missing = tmp_path / "missing.onnx"
    with pytest.raises(ModelError, match=r"missing\.onnx does not exist"):
        make_detector("yunet", yunet_file=missing)
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"damaged\.onnx"):
        make_detector("yunet", yunet_file=damaged)


def test_shrinking_never_enlarges() -> None:
    picture = np.zeros((100, 50, 3), dtype=np.uint8)
    assert shrink(picture, 200)[0] is picture
    small, factor = shrink(picture, 50)
    assert small.shape == (50, 25, 3)
    assert factor == 0.5
