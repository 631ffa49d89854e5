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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http://cam.local/v.cgi?user=joe&pwd=p@SECRET", "http://…"),
        ("rtsp://joe:x?SECRET@cam.local/live", "rtsp://…"),
        (
            "rtsp://cam.local/user=joe&password=SECRET&channel=1.sdp",
            "rtsp://cam.local/user=…&password=…&channel=1.sdp",
        ),
        ("rtsp://cam.local:554/user=joe_password=SECRET_channel=1", "rtsp://cam.local:554/user=…"),
        ("rtsp://cam.local/user=joe&psw=x/SECRET&ch=1", "rtsp://cam.local/user=…&psw=…&ch=1"),
    ],
)
def test_what_may_be_a_password_is_not_in_a_name(text: str, name: str) -> None:
    assert CameraTarget(text).name == name


@pytest.mark.parametrize(
    "text",
    [
        "http://cam.local/live.m3u8",
        "http://cam.local/live.M3U8?token=a@b",
        "http://joe:x?y@cam.local/live.mpd#t",
    ],
)
def test_a_playlist_is_known_by_its_path(text: str) -> None:
    assert CameraTarget(text).is_playlist


@pytest.mark.parametrize("text", ["http://cam.local/live.m3u8x", "http://cam.local/v?l=a.m3u8"])
def test_what_only_looks_like_a_playlist_is_none(text: str) -> None:
    assert not CameraTarget(text).is_playlist


@pytest.mark.parametrize("text", ["", "webcam", "clip.mp4", "-1", "1.5"])
def test_neither_camera_nor_stream(text: str) -> None:
    with pytest.raises(UsageError, match="give a number such as 0"):
        CameraTarget(text)
