"""Flags over TOML file over preset over defaults; what is wrong is named."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

import pytest

from realtime_mood.errors import OutputError, UsageError
from trainer.config import RecipeConfig, TrainConfig
from trainer.config import options as options_module
from trainer.config.layers import (
    EFFECTIVE_FILE,
    MARK,
    TABLES,
    add_train_options,
    train_config,
    write_effective,
)
from trainer.config.options import options_of
from trainer.run_folder import open_run, read_data


def parse(*words: str) -> TrainConfig:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_train_options(parser)
    return train_config(parser.parse_args(["--data", "d", "--output", "o", *words]))


def toml(folder: Path, text: str) -> str:
    path = folder / "given.toml"
    path.write_text(text)
    return str(path)


def test_flags_over_file_over_preset_over_defaults(tmp_path: Path) -> None:
    assert parse().recipe.learning_rate == 5e-5
    preset = parse("--recipe", "small")
    assert (preset.model.base_model, preset.recipe.learning_rate) == ("tiny", 1e-3)
    file = toml(tmp_path, 'preset = "small"\n[recipe]\nlearning_rate = 1e-3\nepochs = 3\n')
    config = parse("--config", file, "--epochs", "4")
    assert config.model.base_model == "tiny"
    assert (config.recipe.learning_rate, config.recipe.epochs) == (1e-3, 4.0)
    assert parse("--config", file, "--recipe", "base").model.base_model != "tiny"


def test_a_file_can_set_everything_and_the_effective_one_makes_the_same(tmp_path: Path) -> None:
    config = parse(
        *("--test-actors", "3,4", "--align-roll", "--image-size", "64", "--recipe", "small"),
        *("--cache", "c", "--max-steps", "7"),
    )
    write_effective(config, tmp_path / "config.toml")
    parser = argparse.ArgumentParser()
    add_train_options(parser)
    again = train_config(parser.parse_args(["--config", str(tmp_path / "config.toml")]))
    assert again == config
    assert list(tmp_path.iterdir()) == [tmp_path / "config.toml"]


def test_a_switch_of_the_file_can_be_turned_off(tmp_path: Path) -> None:
    file = toml(tmp_path, "[model]\nalign_roll = true\n")
    assert parse("--config", file).model.align_roll
    assert not parse("--config", file, "--no-align-roll").model.align_roll


def test_the_environment_names_the_face_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALTIME_MOOD_FACE_MODEL", "y.onnx")
    assert parse().data.face_model == Path("y.onnx")
    assert parse("--face-model", "z.onnx").data.face_model == Path("z.onnx")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[recipe]\nepoch = 3", "[recipe] epoch is unknown; did you mean epochs?"),
        ("[recipes]\nepochs = 3", "recipes is unknown; did you mean recipe?"),
        ("recipe = 3", "it must be a table, [recipe]"),
        ('preset = "huge"', "preset is 'huge'; it must be one of base, small"),
        ('[recipe]\nepochs = "3"', "[recipe] epochs is '3'; it must be a number"),
        ("[recipe]\nbatch_size = 2.5", "batch_size is 2.5; it must be a whole number"),
        ("[recipe]\nbatch_size = true", "batch_size is True; it must be a whole number"),
        ("[model]\nalign_roll = 1", "align_roll is 1; it must be true or false"),
        ("[split]\ntest_actors = 3", "test_actors is 3; it must be a list"),
        ("[recipe]\nepochs = nan", "--epochs is nan; it must be from 0"),
        ("[data]\nfaces = 'dlib'", "--faces is dlib; it must be auto, yunet, cascade or none"),
        (
            "[split]\nprotocol = '7fold'",
            "--protocol is 7fold; it must be actor-split, 6fold, 5fold",
        ),
        ("[recipe", "cannot be read"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse("--config", toml(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="No such file"):
        parse("--config", "nowhere.toml")


def test_an_effective_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another --output"):
        write_effective(parse(), tmp_path / "nowhere" / "config.toml")


def test_every_option_has_one_name_and_a_text() -> None:
    options = [option for owner in TABLES.values() for option in options_of(owner)]
    names = [option.name for option in options]
    assert len(set(names)) == len(names)
    assert all(option.help for option in options)


def test_without_sources_options_have_no_texts_and_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(owner: object) -> str:
        raise OSError("could not get source code")

    monkeypatch.setattr("inspect.getsource", gone)
    options_module._options_of.cache_clear()
    try:
        assert parse().recipe.epochs == RecipeConfig().epochs
        assert all(option.help == "" for option in options_of(RecipeConfig))
    finally:
        options_module._options_of.cache_clear()


def test_a_reporter_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="--report-to is wandb, which is not installed; pip"):
        parse("--report-to", "wandb")
    assert parse("--report-to", "tensorboard").run.report_to == "tensorboard"


def test_a_configuration_made_in_code_is_checked_too() -> None:
    with pytest.raises(UsageError, match="--batch-size is 0; it must be from 1 to 4096"):
        replace(parse().recipe, batch_size=0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--hide 0.2 --mixup 0.8", "--hide is 0.2, but clips mixed by --mixup"),
        ("--frame-epochs 1 --motion 1 --mixup 0.8", "--motion is 1, but clips mixed by --mixup"),
        ("--frame-epochs 1 --motion 1 --gradient-checkpointing", "--motion is 1, by which a batch"),
    ],
)
def test_options_that_contradict_each_other_are_refused(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(*words.split())


def test_a_run_s_configuration_does_not_push_what_is_made_by_it(tmp_path: Path) -> None:
    words = ("--output", str(tmp_path / "out"), "--push-to-hub", "someone/model")
    open_run(parse(*words)).release()
    file = tmp_path / "out" / EFFECTIVE_FILE
    assert "push" not in file.read_text()
    # As earlier versions wrote it.
    file.write_text(file.read_text().replace("[run]", '[run]\npush_to_hub = "someone/model"'))
    assert parse("--output", str(tmp_path / "out"), "--resume").run.push_to_hub is None


def test_a_run_begun_before_an_option_existed_goes_on(tmp_path: Path) -> None:
    words = ("--output", str(tmp_path / "out"))
    open_run(parse(*words)).release()
    file = tmp_path / "out" / EFFECTIVE_FILE
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith(("keep =", "ema ="))))
    open_run(parse(*words, "--resume")).release()
    file.write_text("".join(lines))
    with pytest.raises(UsageError, match=r"--ema is 0.5, but the run .* was begun with 0.999"):
        open_run(parse(*words, "--resume", "--ema", "0.5"))


def test_a_run_begun_with_an_option_that_is_gone(tmp_path: Path) -> None:
    words = ("--output", str(tmp_path / "out"))
    open_run(parse(*words)).release()
    file = tmp_path / "out" / EFFECTIVE_FILE
    text = file.read_text()
    for again in (words, (*words, "--seed", "0")):
        file.write_text(text.replace("[recipe]", "[recipe]\nteacher_labels = 0.0"))
        open_run(parse(*again, "--resume")).release()
        assert "teacher_labels" not in file.read_text()
        file.write_text(text.replace("[recipe]", "[recipe]\nteacher_labels = 0.5"))
        with pytest.raises(UsageError, match=r"was begun with --teacher-labels 0.5, which this"):
            open_run(parse(*again, "--resume"))
        # Up to the version that had no --restart-time any more, clips were asked for motion.
        before = text.replace("[recipe]", "[recipe]\nrestart_time = false")
        asks = before.replace("\nmotion = 0.0", "\nmotion = 1.0")
        file.write_text(asks.replace("\nframe_epochs = 0.0", "\nframe_epochs = 1.0"))
        with pytest.raises(UsageError, match=r"was begun with --motion 1.0 and --epochs 30"):
            open_run(parse(*again, "--resume"))
        file.write_text(before)
        open_run(parse(*again, "--resume")).release()
    # Another run may begin with what it leaves.
    file.write_text(text.replace("[recipe]", "[recipe]\nrestart_time = false"))
    assert parse("--config", str(file)).recipe == parse().recipe
    file.write_text(text.replace("[recipe]", "[recipe]\nstill_frames = 2"))
    with pytest.raises(UsageError, match=r"of a run that was begun with --still-frames 2"):
        parse("--config", str(file))
    # Of a file that somebody writes, a key that is unknown is a mistake.
    file.write_text("[recipe]\nteacher_labels = 0.0\n")
    with pytest.raises(UsageError, match="teacher_labels is unknown"):
        parse(*words, "--config", str(file))


@pytest.mark.parametrize("folder", ["checkpoint", "single_frames", "run"])
def test_an_earlier_run_is_not_written_over(tmp_path: Path, folder: str) -> None:
    words = ("--output", str(tmp_path))
    left = tmp_path / folder / "left"
    left.parent.mkdir()
    left.touch()
    with pytest.raises(OutputError, match=rf"{folder} holds an earlier run; .* by --resume"):
        open_run(parse(*words))
    open_run(parse(*words, "--resume")).release()
    assert left.exists()


def test_a_run_that_cannot_be_read_is_not_gone_on_with(tmp_path: Path) -> None:
    words = ("--output", str(tmp_path / "out"))
    config = parse(*words, "--resume")
    open_run(config).release()
    file = tmp_path / "out" / EFFECTIVE_FILE
    file.write_text(MARK + "[recipe\n")
    with pytest.raises(UsageError, match=r"^the run's .* cannot be read .* another --output"):
        open_run(config)
    with pytest.raises(UsageError, match=r"^the run's .* cannot be read"):
        parse(*words, "--resume")
    with pytest.raises(UsageError, match=r"^--config .* cannot be read"):
        parse(*words, "--config", str(file))


def test_an_option_that_is_not_written_is_called_not_given(tmp_path: Path) -> None:
    words = ("--output", str(tmp_path / "out"))
    open_run(parse(*words)).release()
    with pytest.raises(UsageError, match=r"--max-steps is 5, but .* was begun with not given"):
        open_run(parse(*words, "--resume", "--max-steps", "5"))


def test_options_that_somebody_wrote_are_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / EFFECTIVE_FILE
    file.write_text("# mine\n[recipe]\nepochs = 2\n")
    config = parse("--config", str(file), "--output", str(tmp_path))
    with pytest.raises(OutputError, match=r"config\.toml would be written over"):
        open_run(config)
    assert file.read_text().startswith("# mine")
    # Of a run that was begun and did nothing yet, they are.
    config = parse("--config", str(file), "--output", str(tmp_path / "other"))
    open_run(config).release()
    open_run(config).release()


@pytest.mark.parametrize("option", ["--output", "--cache"])
def test_a_path_that_is_empty_is_not_the_current_folder(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(option, "")
    assert f"{option}: the value is empty" in capsys.readouterr().err


def test_an_empty_path_or_too_large_a_number_in_a_file(tmp_path: Path) -> None:
    for text, said in (
        ('[data]\ncache = ""', r"\[data\] cache is empty"),
        (f"[data]\nallow_bad = 1{'0' * 400}", "allow_bad is too large a number"),
        (f"[data]\nallow_bad = {'[' * 5000}", "cannot be read"),
    ):
        (tmp_path / "c.toml").write_text(text)
        with pytest.raises(UsageError, match=said):
            parse("--config", str(tmp_path / "c.toml"))


def test_names_that_are_no_utf_8_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/o\xe9")
    with pytest.raises(UsageError, match=r"--output is '.*o.udce9', which is no UTF-8"):
        parse("--output", odd)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", '{"digest":'])
def test_a_run_whose_data_cannot_be_told_is_not_gone_on_with(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.json").write_text(text)
    with pytest.raises(UsageError, match=r"data\.json, which tells .* cannot be read"):
        read_data(tmp_path)
