import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.errors import OutputError
from realtime_mood.frame import Frame
from realtime_mood.sinks.events import open_event_sink
from realtime_mood.sinks.output_path import check_writable, unused_path
from realtime_mood.sinks.recording import RecordingSink
from tests.media import read_all


def test_a_new_and_an_old_file_are_accepted_and_left_alone(tmp_path: Path) -> None:
    old = tmp_path / "old.mp4"
    old.write_bytes(b"old")
    check_writable(old)
    check_writable(tmp_path / "new.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["old.mp4"]
    assert old.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "is a folder; name a file in it"),
        ("missing/o.mp4", "does not exist; create it"),
        ("file/o.mp4", "is not a folder; choose another place for o.mp4"),
        ("x" * 300 + ".mp4", r"cannot be written \(File name too long\); choose another"),
        ("x" * 300 + "/o.mp4", r"cannot be written \(File name too long\); choose another"),
        ("loop.mp4", "cannot be written .*symbolic links"),
    ],
)
def test_what_cannot_become_a_file_is_one_line(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    with pytest.raises(OutputError, match=words) as caught:
        check_writable(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_looked_into_is_one_line(locked_folder: Path) -> None:
    with pytest.raises(OutputError, match=r"o\.mp4 cannot be written \(Permission denied\)"):
        check_writable(locked_folder / "o.mp4")


def test_a_name_that_will_be_taken_is_as_good_as_taken(tmp_path: Path) -> None:
    wanted = tmp_path / "r.mp4"
    assert unused_path(wanted) == wanted
    assert unused_path(wanted, taken=[wanted, tmp_path / "r-2.mp4"]) == tmp_path / "r-3.mp4"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    for name in ("p.mp4", "p.jsonl"):
        os.mkfifo(tmp_path / name)
    frame = Frame(np.zeros((48, 64, 3), np.uint8), timestamp_s=0.0, index=0)
    recording = RecordingSink(tmp_path / "p.mp4", width=64, height=48)
    with pytest.raises(OutputError, match=r"p\.mp4 cannot be written \(nobody reads this pipe"):
        recording.write(frame)
    events = open_event_sink(str(tmp_path / "p.jsonl"))
    with pytest.raises(OutputError, match=r"p\.jsonl cannot be written \(nobody reads this pipe"):
        events.write({"type": "start"})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_that_somebody_reads_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "p.jsonl"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    events = open_event_sink(str(pipe))
    events.write({"type": "start"})
    events.close()
    assert os.read(reader, 100) == b'{"type":"start"}\n'
    os.close(reader)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_recording_can_be_read_from_a_pipe(tmp_path: Path) -> None:
    # In another process: opening a pipe without a reader stops all threads of this one.
    script = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from realtime_mood.frame import Frame\n"
        "from realtime_mood.sinks.recording import RecordingSink\n"
        "sink = RecordingSink(Path(sys.argv[1]), width=64, height=48)\n"
        "for n in range(10):\n"
        "    sink.write(Frame(np.zeros((48, 64, 3), np.uint8), timestamp_s=n / 30, index=n))\n"
        "sink.close()"
    )
    pipe = tmp_path / "p.mp4"
    os.mkfifo(pipe)
    with subprocess.Popen([sys.executable, "-c", script, str(pipe)]) as writer:
        timer = threading.Timer(30.0, writer.kill)
        timer.start()
        (tmp_path / "copy.mp4").write_bytes(pipe.read_bytes())
        timer.cancel()
    assert writer.returncode == 0
    assert len(read_all(FileSource(tmp_path / "copy.mp4"))) == 10
