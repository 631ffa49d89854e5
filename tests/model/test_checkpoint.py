import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from realtime_mood.errors import ModelError
from realtime_mood.model.checkpoint import (
    CONFIG_FILE,
    CONTRACT_FILE,
    WEIGHTS_FILE,
    Contract,
    check_model_name,
    default_checkpoint,
    is_on_this_machine,
    load_model,
    locate_checkpoint,
    read_contract,
    save_checkpoint,
)
from realtime_mood.model.labels import LABELS
from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC

CONTRACT = Contract(spec=SPEC, temperature=1.5, face_detector="yunet")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(tiny_timesformer(SPEC), CONTRACT, folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "checkpoint"))


def _edit(path: Path, **changes: Any) -> None:
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, **changes}))


def test_a_checkpoint_comes_back_as_it_was_saved(saved: Path) -> None:
    import torch

    assert read_contract(saved) == CONTRACT
    model = load_model(saved)
    assert not model.training
    assert next(model.parameters()).dtype == torch.float32
    assert [model.config.id2label[i] for i in range(8)] == list(LABELS)


def test_a_checkpoint_loads_with_transformers_alone(saved: Path) -> None:
    from transformers import AutoModelForVideoClassification

    model = AutoModelForVideoClassification.from_pretrained(saved)
    assert model.config.id2label[4] == "happy"
    assert model.config.num_frames == SPEC.num_frames


def test_a_host_program_keeps_its_bars_and_words(saved: Path, tmp_path: Path) -> None:
    from transformers.utils import logging as transformers_logging

    told: Any = transformers_logging
    for had_bars in (True, False):
        (told.enable_progress_bar if had_bars else told.disable_progress_bar)()
        before = told.get_verbosity()
        save_checkpoint(load_model(saved), CONTRACT, tmp_path / str(had_bars))
        assert told.is_progress_bar_enabled() is had_bars
        assert told.get_verbosity() == before


def test_half_precision_weights_load_as_float32(tmp_path: Path) -> None:
    import torch

    save_checkpoint(tiny_timesformer(SPEC).half(), CONTRACT, tmp_path)
    assert next(load_model(tmp_path).parameters()).dtype == torch.float32


def test_nothing_but_the_checkpoint_is_left_in_the_folder(saved: Path) -> None:
    assert {path.name for path in saved.iterdir()} == {CONFIG_FILE, CONTRACT_FILE, WEIGHTS_FILE}
    # Whoever may read one of them may read all.
    assert len({path.stat().st_mode for path in saved.iterdir()}) == 1


def test_a_model_of_another_shape_than_its_contract_replaces_no_checkpoint(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    contract = replace(CONTRACT, spec=replace(SPEC, num_frames=16))
    with pytest.raises(ModelError, match=r"num_frames is 8 .* but 16"):
        save_checkpoint(tiny_timesformer(SPEC), contract, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("file", "changes", "words"),
    [
        (CONFIG_FILE, {"num_frames": 16}, ("num_frames", "16", "8")),
        (CONFIG_FILE, {"image_size": 224}, ("image_size", "224", "32")),
        (CONFIG_FILE, {"model_type": "vivit"}, ("model_type", "vivit", "timesformer")),
        (CONFIG_FILE, {"id2label": {"0": "joy"}}, ("labels", "joy", "angry")),
        (CONFIG_FILE, {"id2label": ["angry"]}, ("labels", "['angry']")),
        (CONFIG_FILE, {"id2label": None}, ("labels", "None")),
        (CONTRACT_FILE, {"labels": ["joy"]}, ("labels", "joy", "angry")),
        (CONTRACT_FILE, {"temperature": 0}, ("temperature", "0")),
        (CONTRACT_FILE, {"temperature": None}, ("temperature", "None")),
        (CONTRACT_FILE, {"temperature": 10**400}, ("temperature", "1000")),
        (CONTRACT_FILE, {"format": 99}, ("format", "99")),
        (CONTRACT_FILE, {"clip": None}, ("clip",)),
    ],
)
def test_a_disagreement_names_both_values(
    folder: Path, file: str, changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    _edit(folder / file, **changes)
    with pytest.raises(ModelError) as caught:
        read_contract(folder)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "optimizer.pt", "model.pkl"])
def test_a_folder_with_pickles_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"cos\nsystem\n")
    with pytest.raises(ModelError, match=name):
        read_contract(folder)


@pytest.mark.parametrize("name", [CONFIG_FILE, CONTRACT_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        read_contract(folder)


def test_of_the_folder_of_a_run_its_checkpoint_is_named(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    folder.rename(run / "checkpoint")
    with pytest.raises(ModelError, match=f"no clip_spec.json; give {run / 'checkpoint'}"):
        read_contract(run)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a":' + "1" * 5000 + "}"])
def test_broken_json_is_named(folder: Path, text: str) -> None:
    (folder / CONTRACT_FILE).write_text(text)
    with pytest.raises(ModelError, match=CONTRACT_FILE):
        read_contract(folder)


def test_truncated_weights_are_refused_before_anything_is_loaded(folder: Path) -> None:
    weights = folder / WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=WEIGHTS_FILE):
        read_contract(folder)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("num_hidden_layers", 7, "missing keys"),
        ("num_hidden_layers", 3, "unexpected keys"),
        ("intermediate_size", 32, r"mismatched keys, timesformer\.[\w.]+ for one; "),
    ],
)
def test_weights_of_another_shape_are_refused(
    folder: Path, name: str, value: int, reason: str
) -> None:
    _edit(folder / CONFIG_FILE, **{name: value})
    with pytest.raises(ModelError, match=rf"{reason}.*do not belong"):
        load_model(folder)


def test_a_path_that_is_not_there_and_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no checkpoint folder"):
        locate_checkpoint(str(tmp_path / "nothing"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="is a file"):
        locate_checkpoint(str(tmp_path / "file"))


def test_a_name_that_no_folder_can_have_is_one_line() -> None:
    for ask in (locate_checkpoint, is_on_this_machine, check_model_name):
        with pytest.raises(ModelError, match=r"cannot be read \(File name too long\).*--model"):
            ask("x" * 300)
        with pytest.raises(ModelError, match=r"cannot be read .*home"):
            ask("~nobody-of-this-name/model")


def test_a_folder_that_may_not_be_looked_into_is_one_line(locked_folder: Path) -> None:
    with pytest.raises(ModelError, match=r"model cannot be read \(Permission denied\)"):
        locate_checkpoint(str(locked_folder / "model"))
    with pytest.raises(ModelError, match=r"locked cannot be read \(Permission denied\)"):
        read_contract(locked_folder)


def test_a_hub_id_that_cannot_be_fetched_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="Hugging Face Hub"):
        locate_checkpoint("nobody/nothing")


def test_the_default_checkpoint_is_sound_and_small() -> None:
    folder = default_checkpoint()
    assert read_contract(folder).spec.num_frames == 8
    load_model(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 10 * 1024 * 1024
