"""Downloads that are cut go on; what is wrong is never left looking whole."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.errors import OutputError, SourceError
from tests.trainer.zenodo_server import ZenodoServer, serve
from trainer.cli import main
from trainer.download.resume import ATTEMPTS, CHUNK_BYTES, ResumingDownloader
from trainer.download.unpack import unpack

VIDEO = np.random.default_rng(0).bytes(300_000)
Usage = namedtuple("Usage", "total used free")


def archive(*names: str, content: bytes = VIDEO) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in names:
            packed.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def zenodo() -> Iterator[ZenodoServer]:
    server = ZenodoServer()
    for actor in (1, 2):
        names = [f"Actor_{actor:02d}/0{m}-01-03-01-01-01-{actor:02d}.mp4" for m in (1, 2)]
        server.files[f"Video_Speech_Actor_{actor:02d}.zip"] = archive(*names)
    server.files["Video_Song_Actor_01.zip"] = archive("Actor_01/01-02-03-01-01-01-01.mp4")
    with serve(server):
        yield server


def run(zenodo: ZenodoServer, output: Path, *words: str) -> int:
    options = ("--output", str(output), "--actors", "1", "--base-url", zenodo.url)
    return main(["download", *options, *words])


def videos(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.mp4")}


SPOKEN = {f"Actor_01/0{m}-01-03-01-01-01-01.mp4": VIDEO for m in (1, 2)}


def test_the_actors_asked_for_are_fetched_and_unpacked(
    zenodo: ZenodoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(zenodo, tmp_path) == 0
    assert capsys.readouterr().out.startswith(f"2 videos in {tmp_path}")
    assert videos(tmp_path) == SPOKEN
    assert not list(tmp_path.rglob("*.zip"))
    assert not list(tmp_path.rglob("*.part"))
    assert zenodo.ranges == [None]
    assert run(zenodo, tmp_path) == 0
    assert zenodo.ranges == [None]  # nothing was fetched twice
    (tmp_path / "Actor_01" / "01-01-03-01-01-01-01.mp4").unlink()
    assert run(zenodo, tmp_path) == 0
    assert videos(tmp_path) == SPOKEN


def test_songs_are_fetched_when_asked_for(zenodo: ZenodoServer, tmp_path: Path) -> None:
    assert run(zenodo, tmp_path, "--songs", "--actors", "1,2", "--keep-archives") == 0
    assert len(videos(tmp_path)) == 5
    assert len(list(tmp_path.rglob("*.zip"))) == 3


def test_a_cut_connection_goes_on_where_it_was(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.cut_after = 15 * CHUNK_BYTES
    assert run(zenodo, tmp_path) == 0
    assert videos(tmp_path) == SPOKEN
    assert zenodo.ranges == [None, "bytes=245760-", "bytes=491520-"]


def test_a_killed_download_goes_on_in_the_next_run(zenodo: ZenodoServer, tmp_path: Path) -> None:
    work = tmp_path / ".download"
    work.mkdir()
    whole = zenodo.files["Video_Speech_Actor_01.zip"]
    (work / "Video_Speech_Actor_01.zip.part").write_bytes(whole[:400_000])
    assert run(zenodo, tmp_path) == 0
    assert zenodo.ranges == ["bytes=400000-"]
    assert videos(tmp_path) == SPOKEN


def test_a_server_without_ranges_begins_again(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.knows_ranges = False
    (tmp_path / ".download").mkdir()
    (tmp_path / ".download" / "Video_Speech_Actor_01.zip.part").write_bytes(b"x" * 1000)
    assert run(zenodo, tmp_path) == 0
    assert videos(tmp_path) == SPOKEN


def test_a_wrong_checksum_is_refused_and_fetched_anew(
    zenodo: ZenodoServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zenodo.announced["Video_Speech_Actor_01.zip"] = "md5:" + "0" * 32
    assert run(zenodo, tmp_path) == 3
    assert "is not what the record announces" in capsys.readouterr().err
    assert videos(tmp_path) == {}
    assert not list(tmp_path.rglob("*.zip"))
    zenodo.announced.clear()
    assert run(zenodo, tmp_path) == 0


def download(zenodo: ZenodoServer, folder: Path) -> list[float]:
    pauses: list[float] = []
    [(name, content)] = list(zenodo.files.items())[:1]
    fetch = ResumingDownloader(
        folder / "x.part", len(content), show=lambda done: None, pause=pauses.append
    )
    fetch(f"{zenodo.url}/files/{name}/content", str(folder / "x.zip"), None)
    assert (folder / "x.zip").read_bytes() == content
    return pauses


def test_a_busy_server_is_asked_again_after_a_pause(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.statuses += [503, 429, 500]
    assert download(zenodo, tmp_path) == [1.0, 2.0, 4.0]


def test_it_is_given_up_when_nothing_comes(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.statuses += [503] * ATTEMPTS
    with pytest.raises(SourceError, match=r"gave nothing in 6 attempts .* the same command"):
        download(zenodo, tmp_path)
    zenodo.statuses += [404]
    with pytest.raises(SourceError, match="answers 404"):
        download(zenodo, tmp_path)


def test_too_little_room_is_said_before_anything_is_fetched(
    zenodo: ZenodoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 10**6, 10**6))
    assert run(zenodo, tmp_path) == 5
    assert "make room, or name fewer --actors" in capsys.readouterr().err
    assert zenodo.ranges == []


def test_a_disk_that_fills_up_is_one_line(
    zenodo: ZenodoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("trainer.download.zenodo._note", full)
    assert run(zenodo, tmp_path) == 5
    assert "(No space left on device); make room" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--actors", "25"), 2, "--actors is 25; it must be from 1 to 24"),
        (("--actors", "3"), 3, "the record lacks Video_Speech_Actor_03.zip"),
        (("--base-url", "ftp://x"), 2, "it must begin with https://"),
        (("--base-url", "http://127.0.0.1:9"), 3, "look at the connection"),
    ],
)
def test_what_cannot_be_fetched(
    zenodo: ZenodoServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    assert run(zenodo, tmp_path, *words) == code
    assert said in capsys.readouterr().err


def test_a_record_of_something_else(
    zenodo: ZenodoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(zenodo, "record", lambda: b"<html>maintenance</html>")
    assert run(zenodo, tmp_path) == 3
    assert "cannot be read" in capsys.readouterr().err


def test_only_videos_leave_an_archive_and_only_to_their_place(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("../../../01-01-03-01-01-01-07.mp4", VIDEO)
        packed.writestr("/etc/passwd", "root")
        packed.writestr("Actor_07/run.sh", "rm")
        link = zipfile.ZipInfo("Actor_07/02-01-03-01-01-01-07.mp4")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    output = tmp_path / "out"
    assert unpack(path, output) == [output / "Actor_07" / "01-01-03-01-01-01-07.mp4"]
    assert [p.name for p in output.rglob("*") if p.is_file()] == ["01-01-03-01-01-01-07.mp4"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "out"]


def test_archives_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(SourceError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out")
    path.write_bytes(archive("notes.txt"))
    with pytest.raises(SourceError, match="no RAVDESS video"):
        unpack(path, tmp_path / "out")
    damaged = bytearray(archive("Actor_01/01-01-03-01-01-01-01.mp4"))
    damaged[1000] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(SourceError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("Actor_01/01-01-03-01-01-01-01.mp4", b"\0" * 20_000_000)
    with pytest.raises(SourceError, match="which no archive of videos does"):
        unpack(path, tmp_path / "out")
    assert videos(tmp_path) == {}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive("01-01-03-01-01-01-01.mp4"))
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
