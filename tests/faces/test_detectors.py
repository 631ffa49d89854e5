import hashlib
import http.server
import itertools
import socket
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_mood.errors import ModelError
from realtime_mood.faces.box import Box
from realtime_mood.faces.cascade import SCORE_PER_NEIGHBOUR
from realtime_mood.faces.detector import (
    Detection,
    FaceDetector,
    largest_first,
    make_detector,
    shrink,
)
from realtime_mood.faces.tracker import START_SCORE
from realtime_mood.faces.yunet_file import SHA256
from tests.shared import shared_file


class _Hub(http.server.ThreadingHTTPServer):
    """Serves one file the way the Hugging Face Hub does."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        self.requests: list[str] = []
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.requests.append(self.path)
                self.send_response(200)
                self.send_header("X-Repo-Commit", "0" * 40)
                self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()

            def do_GET(self) -> None:
                self.do_HEAD()
                self.wfile.write(content)

            def log_message(self, *args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever)

    def __enter__(self) -> "_Hub":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


def _use_hub(monkeypatch: pytest.MonkeyPatch, address: str, cache: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


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


@pytest.mark.parametrize("name", ["yunet", "cascade"])
def test_a_dim_face_is_found_and_one_in_darkness_is_not(name: str) -> None:
    capture = cv2.VideoCapture(str(shared_file("media/faces/one_face_neutral_to_smile.mp4")))
    _, image = capture.read()
    capture.release()
    detector = _detector(name)
    assert len(detector.detect((image * 0.1).astype(np.uint8))) == 1
    assert detector.detect((image * 0.02).astype(np.uint8)) == []


@pytest.mark.parametrize("roll_deg", [-25.0, 25.0])
def test_yunet_tells_which_way_a_face_is_turned_and_half_of_how_far(roll_deg: float) -> None:
    capture = cv2.VideoCapture(str(shared_file("media/faces/one_face_neutral_to_smile.mp4")))
    _, image = capture.read()
    capture.release()
    detector = _detector("yunet")
    level = detector.detect(image)[0]
    # OpenCV turns counter-clockwise.
    turn = cv2.getRotationMatrix2D(level.box.centre, -roll_deg, 1.0)
    turned = cv2.warpAffine(image, turn, (image.shape[1], image.shape[0]))
    found = detector.detect(turned)[0]
    assert 0.45 < np.degrees(found.roll_rad - level.roll_rad) / roll_deg < 1.1


def test_without_a_detector_the_middle_is_taken() -> None:
    (found,) = make_detector("none", yunet_file=None).detect(np.zeros((100, 300, 3), np.uint8))
    assert found.box.centre == (150, 50)
    assert found.box.w == found.box.h == pytest.approx(70)


def test_auto_takes_yunet_where_its_file_is_named() -> None:
    assert make_detector("auto", yunet_file=shared_file(YUNET)).name == "yunet"


def test_without_the_hub_auto_takes_the_cascade_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A port nothing listens on.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    _use_hub(monkeypatch, address, tmp_path)
    assert make_detector("auto", yunet_file=None).name == "cascade"
    (record,) = caplog.records
    assert address in record.message
    assert "--face-model or REALTIME_MOOD_FACE_MODEL" in record.message
    with pytest.raises(ModelError, match="does not answer"):
        make_detector("yunet", yunet_file=None)


def test_yunet_is_fetched_through_any_proxy_that_the_hubs_client_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # No such host is there, but the proxy answers for it.
    _use_hub(monkeypatch, "http://hub.invalid", tmp_path)
    with pytest.raises(ModelError, match="does not answer"):
        make_detector("yunet", yunet_file=None)
    with _Hub(shared_file(YUNET).read_bytes()) as proxy:
        monkeypatch.setenv("Http_Proxy", proxy.address)
        assert make_detector("yunet", yunet_file=None).name == "yunet"
        assert all(path.startswith("http://hub.invalid/") for path in proxy.requests)
        assert proxy.requests


def test_a_list_of_what_goes_without_a_proxy_is_no_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _use_hub(monkeypatch, "http://hub.invalid", tmp_path)
    monkeypatch.setenv("no_proxy", "localhost")
    with pytest.raises(ModelError, match="does not answer"):
        make_detector("yunet", yunet_file=None)


def test_offline_mode_never_asks_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with _Hub(b"") as hub:
        _use_hub(monkeypatch, hub.address, tmp_path)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
            make_detector("yunet", yunet_file=None)
        assert hub.requests == []


def test_yunet_is_fetched_once_and_then_taken_from_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with _Hub(shared_file(YUNET).read_bytes()) as hub:
        _use_hub(monkeypatch, hub.address, tmp_path)
        assert make_detector("auto", yunet_file=None).name == "yunet"
        assert any("opencv/face_detection_yunet" in path for path in hub.requests)
        asked = len(hub.requests)
        assert make_detector("auto", yunet_file=None).name == "yunet"
        assert len(hub.requests) == asked


def test_a_fetched_file_with_another_checksum_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with _Hub(b"something else") as hub:
        _use_hub(monkeypatch, hub.address, tmp_path)
        with pytest.raises(ModelError, match=SHA256):
            make_detector("yunet", yunet_file=None)


def test_a_missing_truncated_or_foreign_file_is_named_with_the_checksum(tmp_path: Path) -> None:
    missing = tmp_path / "missing.onnx"
    with pytest.raises(ModelError, match=r"missing\.onnx does not exist"):
        make_detector("yunet", yunet_file=missing)
    with pytest.raises(ModelError, match=r"cannot be read \(.*name the file"):
        make_detector("yunet", yunet_file=tmp_path)
    truncated = tmp_path / "truncated.onnx"
    truncated.write_bytes(shared_file(YUNET).read_bytes()[:1000])
    with pytest.raises(ModelError, match=rf"truncated\.onnx is another.*{SHA256}"):
        make_detector("auto", yunet_file=truncated)


def test_equally_large_faces_come_in_the_same_order_always() -> None:
    boxes = [Box(5, 5, 20, 20), Box(0, 9, 10, 10), Box(4, 0, 10, 10), Box(4, 3, 10, 10)]
    for order in itertools.permutations(boxes):
        found = largest_first(Detection(box, 1.0) for box in order)
        assert [face.box for face in found] == boxes


def test_shrinking_never_enlarges() -> None:
    picture = np.zeros((100, 50, 3), dtype=np.uint8)
    assert shrink(picture, 200)[0] is picture
    small, factor = shrink(picture, 50)
    assert small.shape == (50, 25, 3)
    assert factor == 0.5


def test_the_cascade_finds_nobody_twice() -> None:
    capture = cv2.VideoCapture(str(shared_file("media/faces/dark_cuts_1_to_5_faces.mp4")))
    detector = make_detector("cascade", yunet_file=None)
    pairs = 0
    while True:
        ok, image = capture.read()
        if not ok:
            break
        if capture.get(cv2.CAP_PROP_POS_FRAMES) % 4 == 0:
            boxes = [face.box for face in detector.detect(image)]
            for one, other in itertools.combinations(boxes, 2):
                pairs += 1
                assert one.shared_area(other) <= 0.5 * min(one.area, other.area)
    capture.release()
    assert pairs > 0


def test_the_cascade_begins_a_track_with_eight_overlapping_hits() -> None:
    assert 7 * SCORE_PER_NEIGHBOUR < START_SCORE <= 8 * SCORE_PER_NEIGHBOUR
