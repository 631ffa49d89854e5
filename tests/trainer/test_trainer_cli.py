"""Every mistake gets one line and its exit code."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from torch._utils import ExceptionWrapper
from torch.utils.data import DataLoader, Dataset

import realtime_mood.cli
from realtime_mood.errors import SourceError
from tests.fakes import SPEC
from tests.trainer.drawn import draw_video
from trainer import cli
from trainer.cli import main
from trainer.clip_trainer import ClipTrainer
from trainer.corpora.recording import Recording
from trainer.crops import FaceCrops
from trainer.dataset import EvaluationClips, Item
from trainer.progress import shown_progress

TINY = ("--base-model", "tiny", "--image-size", "32", "--faces", "none", "--num-workers", "1")


def fails(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and the one line on stderr, logging aside."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("trainer: ")]
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert len(lines) == 1
    return code, lines[0]


def test_a_log_tells_now_and_then_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now_s = 0.0
    monkeypatch.setattr("trainer.progress.time.monotonic", lambda: now_s)
    with shown_progress() as progress:
        for done in range(1, 121):
            now_s += 1.0
            progress("faces", done, 120)
    assert capsys.readouterr().err.splitlines() == [
        "faces: 60 of 120 (50%)",
        "faces: 120 of 120 (100%)",
    ]


@pytest.mark.parametrize("command", ["train", "evaluate", "download", "inspect", "crossval"])
def test_the_examples_of_the_help_are_understood(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    examples = capsys.readouterr().out.partition("examples:\n")[2].splitlines()
    assert len(examples) > 1
    for example in examples:
        program, *words = example.split()
        assert program == "trainer"
        assert cli._parser().parse_args(words).command == command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["train"], "--data is missing; give it, or name it in [data] of a --config file"),
        (["train", "--data", "d"], "--output is missing"),
        (["evaluate"], "--data is missing"),
        (["evaluate", "--data", "d"], "--cache is missing"),
        (["dance"], "invalid choice: 'dance'"),
        (
            ["train", "--epoch", "3"],
            "--epoch 3 (did you mean --epochs?); see 'trainer train",
        ),
        (["train", "--data", "d", "--output", "o", "--epochs", "many"], "invalid float value"),
        (
            ["train", "--data", "d", "--output", "o", "--epochs", "-1"],
            "--epochs is -1.0; it must be",
        ),
        (["train", "--data", "d", "--output", "o", "--test-actors", "x"], "not a list of numbers"),
        (["train", "--data", "d", "--output", "o", "--batch-size", "0"], "--batch-size is 0"),
        (["evaluate", "--data", "d", "--cache", "c", "--num-workers", "-1"], "--num-workers is -1"),
    ],
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    code, line = fails(capsys, *words)
    assert code == 2
    assert said in line


def test_missing_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, line = fails(capsys, "train", "--data", tmp_path / "nowhere", "--output", tmp_path)
    assert code == 3
    assert "nowhere does not exist" in line


def test_a_single_actor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    draw_video(tmp_path / "data" / "02-01-03-01-01-01-07.mp4")
    code, line = fails(
        capsys, "train", "--data", tmp_path / "data", "--output", tmp_path / "out", *TINY
    )
    assert code == 3
    assert "the data has 1 actor (ravdess 07)" in line
    assert not (tmp_path / "out").exists()


def test_no_usable_recording(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for actor in (1, 2, 3):
        (tmp_path / f"02-01-03-01-01-01-{actor:02d}.mp4").write_bytes(b"broken")
    code, line = fails(capsys, "train", "--data", tmp_path, "--output", tmp_path / "out", *TINY)
    assert code == 3
    assert "1 file cannot be used, and --allow-bad allows 0" in line
    code, line = fails(
        capsys,
        *("train", "--data", tmp_path, "--output", tmp_path / "out2", *TINY, "--allow-bad", "1"),
    )
    assert code == 3
    assert "none of the 1 train recordings can be used" in line


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "has no readable config.json"),
        ({"model_type": "vit"}, "is of type 'vit', not 'timesformer'"),
        ({"model_type": "timesformer", "num_frames": 96}, "--num-frames is 8, but"),
        ({"model_type": "timesformer", "num_frames": 8}, "preprocessor_config.json"),
    ],
)
def test_base_models_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    corpus: Path,
    found: dict[str, object] | None,
    said: str,
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    if found is not None:
        (base / "config.json").write_text(json.dumps(found))
    code, line = fails(
        capsys, "train", "--data", corpus, "--output", tmp_path / "out", "--base-model", base
    )
    assert code == 4
    assert said in line


def test_a_comparison_of_frames_that_cannot_be_is_refused_before_faces_are_cut(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, corpus: Path
) -> None:
    words = ("train", "--data", corpus, "--output", tmp_path / "out", "--faces", "none")
    code, line = fails(capsys, *words, "--recipe", "small", "--num-frames", "17")
    assert code == 2
    assert "--num-frames is 17: its clips have 17 frames, and can have 16" in line


@pytest.mark.parametrize("command", ["train", "crossval"])
def test_resuming_what_is_not_there_is_told(
    command: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"trainer.{command}.{command}", stop)
    caplog.set_level("INFO", logger="trainer")
    words = (command, "--data", str(tmp_path), "--output", str(tmp_path / "out"), "--resume")
    main(words)
    assert caplog.messages == [f"{tmp_path / 'out'} holds no run to go on with; a new one begins"]
    monkeypatch.setenv("RANK", "1")
    main(words)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.toml").touch()
    monkeypatch.delenv("RANK")
    main(words)
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGKILL, 2, "go on with --num-workers 0, training with --resume"),
        (signal.SIGBUS, 2, "go on with --num-workers 0, training with --resume"),
        (signal.SIGSEGV, 1, "a fault in the program: RuntimeError: DataLoader worker"),
    ],
)
def test_a_data_worker_that_the_system_ends_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    corpus: Path,
    number: int,
    code: int,
    said: str,
) -> None:
    class Killed(Dataset[Item]):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> Item:
            signal.signal(number, signal.SIG_DFL) if number != signal.SIGKILL else None
            os.kill(os.getpid(), number)
            raise AssertionError

    def run_out(trainer: ClipTrainer, **_: object) -> None:
        next(iter(DataLoader(Killed(), num_workers=1)))

    monkeypatch.setattr("trainer.fit.ClipTrainer.train", run_out)
    words = ("--batch-size", "4", "--max-steps", "1", "--report-to", "none")
    found, line = fails(
        capsys, "train", "--data", corpus, "--output", tmp_path / "out", *TINY, *words
    )
    assert found == code
    assert said in line


@pytest.mark.parametrize(("is_told", "code"), [(True, 130), (False, 1)])
def test_a_group_of_processes_that_is_told_to_end_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_told: bool,
    code: int,
) -> None:
    def run(*_: object) -> None:
        if is_told:
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Terminated. ")

    monkeypatch.setattr(cli, "_run", run)
    assert main(["inspect", "--data", "d"]) == code
    assert ("trainer: interrupted" in capsys.readouterr().err) is is_told


def test_a_gpu_without_room_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    corpus: Path,
) -> None:
    def run_out(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr("trainer.fit.ClipTrainer.train", run_out)
    words = ("--batch-size", "4", "--max-steps", "1", "--report-to", "none")
    code, line = fails(
        capsys, "train", "--data", corpus, "--output", tmp_path / "out", *TINY, *words
    )
    assert code == 2
    assert "too little memory; training goes on with --resume and --accumulate 2" in line


def test_missing_face_model(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, corpus: Path
) -> None:
    words = ("--data", corpus, "--output", tmp_path / "out", "--base-model", "tiny")
    code, line = fails(capsys, "train", *words, "--faces", "yunet", "--face-model", "nothing.onnx")
    assert code == 4
    assert "nothing.onnx does not exist" in line


def test_output_that_cannot_be_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, corpus: Path
) -> None:
    (tmp_path / "file").touch()
    code, line = fails(
        capsys, "train", "--data", corpus, "--output", tmp_path / "file" / "out", *TINY
    )
    assert code == 5
    assert "cannot be written" in line


def test_an_earlier_run_is_not_overwritten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, corpus: Path
) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "model.safetensors").touch()
    code, line = fails(capsys, "train", "--data", corpus, "--output", tmp_path, *TINY)
    assert code == 5
    assert "--resume" in line


def test_help_can_be_printed_wherever_there_are_letters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command in ("train", "crossval", "evaluate", "inspect", "download"):
        assert main([command, "--help"]) == 0
        assert capsys.readouterr().out.isascii()


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from trainer.cli import main\n"
        "main(['train', '--help'])\n"
        "print('heavy:', {'torch', 'cv2', 'transformers', 'av', 'decord'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert "--base-model" in answer.stdout
    assert "heavy: set()" in answer.stdout


def test_a_file_that_breaks_in_mid_epoch_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = FaceCrops(
        recording=Recording(
            path=tmp_path / "v.mp4", name="v", take="t", actor="ravdess:01", label=0
        ),
        crops_file=tmp_path / "lost.npy",
        times_s=np.arange(30) / 10,
    )
    clips = EvaluationClips([lost], SPEC)

    def epoch(*_: object) -> None:
        # What a DataLoader does with an error of one of its workers.
        try:
            clips[0]
        except SourceError:
            wrapped = ExceptionWrapper(sys.exc_info(), where="in DataLoader worker process 0")
        wrapped.reraise()

    monkeypatch.setattr(cli, "_train", epoch)
    code, line = fails(capsys, "train", "--data", "d", "--output", "o")
    assert code == 3
    assert line.startswith("trainer: the face crops of v in ")
    assert "start again with --resume, which cuts them anew" in line


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    draw_video(tmp_path / "Actor_01" / "02-01-03-01-01-01-01.mp4")
    with subprocess.Popen(
        [sys.executable, "-m", "trainer", "inspect", "--data", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        (line,) = process.stderr.read().splitlines()
    assert "1 recording of 1 actor" in line
    assert process.returncode == 0


def test_output_that_cannot_be_printed_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli, "_run", lambda *_: cli._tell("figures"))
    monkeypatch.setattr(cli.sys.stdout, "write", full)  # type: ignore[attr-defined]
    assert main(["inspect", "--data", "d"]) == 5
    assert "standard output cannot be written (No space left" in capsys.readouterr().err


def test_being_told_to_end_is_like_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(cli, "_run", lambda *_: signal.raise_signal(signal.SIGTERM))
    assert main(["inspect", "--data", "d"]) == 130
    assert capsys.readouterr().err == "trainer: interrupted\n"
    assert signal.getsignal(signal.SIGTERM) is before
    main(["train", "--data", "d", "--output", "o"])
    assert "interrupted; the same command with --resume goes on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("main", "runs"),
    [(main, "inspect --data"), (realtime_mood.cli.main, "--headless --faces none --video")],
)
def test_a_program_of_somebody_else_may_run_it_in_a_thread(
    main: Callable[[list[str]], int], runs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    for words, code, said in (
        (["--version"], 0, realtime_mood.__version__),
        ([*runs.split(), "nowhere.mp4"], 3, "nowhere.mp4"),
    ):
        thread = threading.Thread(target=lambda words=words: codes.append(main(words)))
        thread.start()
        thread.join(60)
        assert codes[-1:] == [code]
        captured = capsys.readouterr()
        assert said in captured.out + captured.err
