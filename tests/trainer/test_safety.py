"""Runs that are killed, shared, crowded or fed nonsense: nothing is lost, and one line says why."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from realtime_mood.model.checkpoint import Contract, load_model, save_checkpoint
from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from tests.full_disk import files_at_most
from tests.trainer.base_model import write_base_model
from trainer import checkpoints
from trainer.cli import main
from trainer.motion_stage import LAYERS
from trainer.predict import recording_logits
from trainer.run_folder import LOCK_FILE

ROOT = Path(__file__).resolve().parents[2]
RECIPE = (
    "--recipe small --image-size 32 --faces none --batch-size 4 --epochs 3 --learning-rate 1e-3 "
    "--head-epochs 1 --drop-path 0.2 --mixup 0.8 --cutmix 1.0 --erase 0.5 --randaugment-ops 2"
)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def data(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options for the drawn recordings; their crops are cut once for all tests here."""
    cache = tmp_path_factory.mktemp("crops")
    return ["--data", str(corpus), "--cache", str(cache)]


def words(data: list[str], output: Path, *further: str) -> list[str]:
    always = ["--report-to", "none", "--output", str(output)]
    return ["train", *RECIPE.split(), *data, *always, *further]


@pytest.fixture(scope="module")
def undisturbed(data: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output folder of a run that nothing happens to."""
    output = tmp_path_factory.mktemp("undisturbed")
    assert main(words(data, output, "--num-workers", "0")) == 0
    return output


def weights(output: Path) -> dict[str, torch.Tensor]:
    return load_file(output / "run" / "clips" / "finished.safetensors")


def figures(output: Path) -> list[dict[str, float]]:
    history = json.loads((output / "run" / "clips" / "history.json").read_text())
    names = ("eval_accuracy", "eval_loss", "epoch")
    return [{name: row[name] for name in names} for row in history if "eval_loss" in row]


def killed(moment: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.trainer.killed", moment, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.timeout(900)
def test_a_run_killed_again_and_again_and_out_of_room_ends_as_if_nothing_had_been(
    data: list[str], undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = tmp_path / "run" / "clips"
    often = ("--checkpoint-every", "1", "--num-workers", "2")
    killed("head:1", *words(data, tmp_path, *often))
    killed("clips:4", *words(data, tmp_path, *often, "--resume"))
    assert checkpoints.newest(clips) == clips / "checkpoint-3"
    killed("publish:4", *words(data, tmp_path, *often, "--resume"))
    assert (clips / ".checkpoint-4").is_dir()
    assert checkpoints.newest(clips) == clips / "checkpoint-3"

    with files_at_most(6_000_000):
        code = main(["train", "--output", str(tmp_path), "--num-workers", "0", "--resume"])
    said = capsys.readouterr().err
    assert code == 5, said
    assert "make room, then go on with --resume" in said
    assert len([line for line in said.splitlines() if line.startswith("trainer:")]) == 1
    assert checkpoints.newest(clips) == clips / "checkpoint-3"
    assert not list(clips.glob(".checkpoint-*"))

    assert main(["train", "--output", str(tmp_path), "--num-workers", "0", "--resume"]) == 0
    for name, value in weights(undisturbed).items():
        assert torch.equal(weights(tmp_path)[name], value), name
    assert figures(tmp_path) == figures(undisturbed)
    assert not list(clips.glob("*checkpoint-*"))


@pytest.mark.timeout(900)
def test_two_processes_do_what_one_does(data: list[str], undisturbed: Path, tmp_path: Path) -> None:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launch, "-m", "trainer", *words(data, tmp_path, "--num-workers", "0")],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("realtime-mood --model") == 1
    for name, value in weights(undisturbed).items():
        torch.testing.assert_close(weights(tmp_path)[name], value, atol=1e-4, rtol=1e-3)
    for ours, theirs in zip(figures(tmp_path), figures(undisturbed), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
    assert not list((tmp_path / "run" / "clips").glob("*checkpoint-*"))


@pytest.mark.timeout(400)
def test_parts_of_a_batch_one_after_the_other_do_what_the_whole_does(
    data: list[str], undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: set[int] = set()

    def measure(*given: Any, batch_size: int, **further: Any) -> Any:
        measured.add(batch_size)
        return recording_logits(*given, batch_size=batch_size, **further)

    monkeypatch.setattr("trainer.train.recording_logits", measure)
    further = ("--num-workers", "0", "--accumulate", "2", "--gradient-checkpointing")
    assert main(words(data, tmp_path, *further)) == 0
    # What is measured has no more room than what is trained.
    assert measured == {2}
    for name, value in weights(undisturbed).items():
        torch.testing.assert_close(weights(tmp_path)[name], value, atol=1e-4, rtol=1e-3)


@pytest.mark.timeout(400)
def test_motion_and_single_frames_are_learned_from_parts_of_a_batch_as_from_the_whole(
    data: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    recipe = "--recipe small --image-size 32 --faces none --batch-size 4 --epochs 1 --motion 1"
    further = "--frame-epochs 1 --frame-batch-size 4 --report-to none --num-workers 0"
    outputs = []
    for accumulate in (1, 2):
        output = tmp_path / str(accumulate)
        parts = ["--accumulate", str(accumulate), "--output", str(output)]
        assert main(["train", *recipe.split(), *further.split(), *data, *parts]) == 0
        outputs.append(weights(output))
    for name, value in outputs[0].items():
        torch.testing.assert_close(outputs[1][name], value, atol=1e-4, rtol=1e-3)


@pytest.mark.timeout(400)
def test_a_classifier_that_is_fitted_after_frames_is_not_asked_for_motion(
    data: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    recipe = "--recipe small --image-size 32 --faces none --batch-size 4 --motion 1 --max-steps 1"
    stages = "--frame-epochs 1 --head-epochs 1 --epochs 0 --report-to none --num-workers 0"
    arguments = [*recipe.split(), *stages.split(), *data, "--output", str(tmp_path)]
    assert main(["train", *arguments]) == 0
    assert {path.parent.name for path in tmp_path.glob("run/*/finished.safetensors")} == {
        "frames",
        "head",
    }


@pytest.mark.timeout(400)
def test_layers_that_read_motion_are_added_to_what_frames_taught(
    data: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("trainer.motion_reader.STEPS", 20)
    recipe = "--recipe small --image-size 32 --faces none --batch-size 4 --max-steps 1"
    stages = "--epochs 0 --motion-clips 2 --report-to none --num-workers 0"
    arguments = ["train", *recipe.split(), *stages.split(), *data]
    first, further = tmp_path / "first", tmp_path / "further"
    assert main([*arguments, "--frame-epochs", "1", "--output", str(first)]) == 0
    model = load_model(first / "checkpoint")
    assert model.config.num_hidden_layers == 6 + LAYERS
    card = (first / "checkpoint" / "README.md").read_text(encoding="utf-8")
    assert "fitted to 2 clips of each recording" in card
    assert "switched off" not in card
    # A further run begins with what single frames taught.
    arguments += ["--output", str(further), "--base-model"]
    code, line = fails(capsys, [*arguments, str(first / "checkpoint")])
    assert code == 2
    assert "the model compares frames already" in line
    assert main([*arguments, str(first / "single_frames")]) == 0
    again = load_model(further / "checkpoint").state_dict()
    for name, value in model.state_dict().items():
        if "encoder.layer.0" in name:
            torch.testing.assert_close(again[name], value)


def test_layers_that_read_motion_need_the_heads_of_a_small_model(
    tmp_path: Path, data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "base"
    write_base_model(base, layers=1, image_size=32)
    further = ["--base-model", str(base), "--epochs", "0", "--head-epochs", "0"]
    further += ["--faces", "none", "--motion-clips", "1"]
    code, line = fails(capsys, ["train", *data, "--output", str(tmp_path / "o"), *further])
    assert code == 2
    assert "--motion-clips is 1, but the model's heads are 64 channels wide" in line


def fails(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, str]:
    code = main(arguments)
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("trainer:")]
    assert len(said) == 1
    return code, said[0]


def test_one_run_at_a_time(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FileLock(tmp_path / LOCK_FILE):
        code, line = fails(capsys, words(data, tmp_path))
    assert code == 5
    assert f"another run is writing to --output {tmp_path}" in line


def test_a_run_does_not_go_on_as_another(
    data: list[str], undisturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = fails(capsys, words(data, undisturbed, "--resume", "--erase", "0.75"))
    assert code == 2
    assert "--erase is 0.75, but the run" in line
    assert "was begun with 0.5" in line


def test_a_loss_that_is_no_number_names_the_files(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny_timesformer(SPEC)
    with torch.no_grad():
        model.classifier.weight.fill_(torch.nan)
    base = tmp_path / "base"
    save_checkpoint(model, Contract(spec=SPEC, temperature=1.0, face_detector="none"), base)
    arguments = words(data, tmp_path / "out", "--base-model", str(base), "--num-workers", "0")
    size = ["--image-size", str(SPEC.image_size), "--num-frames", str(SPEC.num_frames)]
    code, line = fails(capsys, [*arguments, *size])
    assert code == 1
    assert "the loss is nan at step 1, in a batch of 02-01-0" in line
    assert "fault in the program" not in line
    assert not (tmp_path / "out" / "checkpoint").exists()


@pytest.mark.parametrize(
    ("further", "said"),
    [
        (["--precision", "fp16"], "--precision is fp16, which needs a GPU"),
        (["--accumulate", "3"], "--batch-size is 4; for 1 processes and --accumulate 3"),
        (["--repeats", "3"], "with --repeats 3 it must be a multiple of 3"),
        (["--layer-decay", "0"], "--layer-decay is 0.0; it must be above 0"),
        (["--ema", "1"], "--ema is 1.0; it must be from 0 to"),
        (["--mixup", "-1"], "--mixup is -1.0"),
        (["--erase", "1.5"], "--erase is 1.5; it must be from 0 to 1"),
        (["--time-jitter", "nan"], "--time-jitter is nan"),
        (["--motion-clips", "4"], "--motion-clips is 4, and what it writes must not be trained"),
    ],
)
def test_options_that_make_no_sense(
    data: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    further: list[str],
    said: str,
) -> None:
    if torch.cuda.is_available() and "fp16" in further:
        pytest.skip("there is a GPU")
    code, line = fails(capsys, words(data, tmp_path, *further))
    assert code == 2
    assert said in line


def test_the_newest_whole_checkpoint_is_found_by_its_number(tmp_path: Path) -> None:
    assert checkpoints.newest(tmp_path / "nowhere") is None
    for name in ("checkpoint-9", "checkpoint-10", ".checkpoint-11", "checkpoint-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model").touch()
    (tmp_path / "checkpoint-11").mkdir()
    assert checkpoints.newest(tmp_path) == tmp_path / "checkpoint-10"
    checkpoints.remove_others(tmp_path, keep=[tmp_path / "checkpoint-9"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-9"]


def test_a_folder_gets_its_name_whole_or_not_at_all(tmp_path: Path) -> None:
    beside, final = tmp_path / ".checkpoint-1", tmp_path / "checkpoint-1"
    for content in ("first", "second"):
        beside.mkdir()
        (beside / "file").write_text(content)
        checkpoints.publish(beside, final)
        assert (final / "file").read_text() == content
        assert not beside.exists()


def test_a_checkpoint_that_does_not_fit_on_the_disk(
    data: list[str], undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    shutil.copytree(undisturbed, output, ignore=shutil.ignore_patterns("checkpoint", LOCK_FILE))
    with files_at_most(1_500_000):
        code, line = fails(capsys, ["train", "--output", str(output), "--resume"])
    assert code == 5
    assert "the checkpoint cannot be written" in line
    assert not (output / "checkpoint" / "model.safetensors").exists()
    assert main(["train", "--output", str(output), "--resume"]) == 0
