import pytest

from realtime_mood.capture.target import CameraTarget
from realtime_mood.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("0", 0, "camera 0"),
        ("12", 12, "camera 12"),
        ("/dev/video2", "/dev/video2", "/dev/video2"),
        ("rtsp://cam.local:554/live", "rtsp://cam.local:554/live", "rtsp://cam.local:554/live"),
    ],
)
def test_kinds(text: str, address: int | str, name: str) -> None:
    target = CameraTarget(text)
    assert target.address == address
    assert target.name == name


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://joe:SECRET@cam.local/live",
        "rtsp://joe:SE/CRET@cam.local/live",
        "rtsp://joe:SECRET@x@cam.local/live",
        "http://cam.local/live?token=SECRET",
        "http://cam.local/live#SECRET",
    ],
)
def test_a_name_tells_no_secret(text: str) -> None:
    target = CameraTarget(text)
    assert target.name.endswith("://cam.local/live")
    assert "CRET" not in target.name
    assert target.address == text


@pytest.mark.parametrize("text", ["", "webcam", "clip.mp4", "-1", "1.5"])
def test_neither_camera_nor_stream(text: str) -> None:
    with pytest.raises(UsageError, match="give a number such as 0"):
        CameraTarget(text)
