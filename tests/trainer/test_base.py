"""Base models as the Hub has them: 400 classes, a preprocessor file, no contract of ours."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError
from safetensors.torch import load_file, save_file
from torch.nn import functional

from benchmarks.base_memory import LIMIT_GIB, measure
from realtime_mood.errors import ModelError, UsageError
from realtime_mood.model.checkpoint import (
    CONTRACT_FILE,
    load_model,
    locate_checkpoint,
    read_contract,
)
from tests.trainer.base_model import write_base_model
from trainer.base import load_base
from trainer.cli import main
from trainer.config import TINY, ModelConfig
from trainer.motion_stage import deepened
from trainer.people import People, people_of_base

SLOW_VARIABLE = "REALTIME_MOOD_SLOW"


def test_a_model_of_the_hub_gets_our_labels_and_keeps_its_normalisation(
    corpus: Path, tmp_path: Path
) -> None:
    write_base_model(tmp_path / "base", layers=1, image_size=32)
    words = "train --faces none --num-workers 0 --report-to none --max-steps 1 --batch-size 4"
    words += " --gradient-checkpointing"
    paths = ["--data", corpus, "--base-model", tmp_path / "base", "--output", tmp_path / "out"]
    assert main([*words.split(), *map(str, paths)]) == 0
    contract = read_contract(tmp_path / "out" / "checkpoint")
    assert contract.spec.image_size == 32
    assert contract.spec.mean == (0.45, 0.45, 0.45)
    assert load_model(tmp_path / "out" / "checkpoint").config.num_labels == 8


def test_a_checkpoint_of_ours_on_the_hub_is_a_base_that_says_whom_it_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[str, str]] = []

    def download(name: str, file: str) -> str:
        asked.append((name, file))
        if name != "someone/ours":
            raise EntryNotFoundError("404 Client Error.")
        return str(tmp_path / file)

    ours = locate_checkpoint("default")
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    monkeypatch.setattr("trainer.base.locate_checkpoint", lambda name: ours)
    _, spec = load_base(ModelConfig(base_model="someone/ours"))
    assert spec == read_contract(ours).spec
    _, spec = load_base(ModelConfig(base_model="default"))
    assert spec == read_contract(ours).spec
    assert people_of_base("default") == people_of_base("someone/ours")
    people, notes = people_of_base("someone/ours")
    assert "ravdess:07" in people.trained_on
    assert notes == ()
    assert asked == [("someone/ours", CONTRACT_FILE)]
    assert people_of_base("someone/theirs") == (People(), ())
    with pytest.raises(ModelError, match=r"someone/theirs has no config.json on the Hugging Face"):
        load_base(ModelConfig(base_model="someone/theirs"))


def test_clips_are_those_of_the_checkpoint_that_training_goes_on_from(tmp_path: Path) -> None:
    write_base_model(tmp_path / "hub", layers=1, image_size=32)
    _, spec = load_base(ModelConfig(base_model=str(tmp_path / "hub")))
    assert (spec.frame_interval_s, spec.interval_growth, spec.steady) == (0.2, 1.0, False)
    shutil.copytree(locate_checkpoint("default"), tmp_path / "own")
    contract = json.loads((tmp_path / "own" / CONTRACT_FILE).read_text())
    contract["clip"] |= {"frame_interval_s": 0.15, "interval_growth": 1.3, "steady": True}
    (tmp_path / "own" / CONTRACT_FILE).write_text(json.dumps(contract))
    _, spec = load_base(ModelConfig(base_model=str(tmp_path / "own")))
    assert (spec.frame_interval_s, spec.interval_growth, spec.steady) == (0.15, 1.3, True)
    asked = ModelConfig(base_model=str(tmp_path / "own"), frame_interval_s=0.4, steady=False)
    _, spec = load_base(asked)
    assert (spec.frame_interval_s, spec.interval_growth, spec.steady) == (0.4, 1.0, False)
    for is_grey in (True, False):
        contract["clip"] |= {"grey": is_grey}
        (tmp_path / "own" / CONTRACT_FILE).write_text(json.dumps(contract))
        _, spec = load_base(ModelConfig(base_model=str(tmp_path / "own")))
        assert spec.grey == is_grey
        other = ModelConfig(base_model=str(tmp_path / "own"), grey=not is_grey)
        assert load_base(other)[1].grey != is_grey
    _, spec = load_base(ModelConfig(base_model=TINY))
    assert (spec.frame_interval_s, spec.interval_growth) == (0.1, 1.3)
    _, spec = load_base(ModelConfig(base_model=TINY, frame_interval_s=0.2))
    assert (spec.frame_interval_s, spec.interval_growth) == (0.2, 1.0)


@pytest.mark.parametrize("what", ["left out", "shorter"])
def test_a_base_model_whose_weights_are_not_all_there_is_refused(tmp_path: Path, what: str) -> None:
    write_base_model(tmp_path, layers=1, image_size=32)
    weights = load_file(tmp_path / "model.safetensors")
    # The classifier is made anew in any case.
    del weights["classifier.bias"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    load_base(ModelConfig(base_model=str(tmp_path)))
    name = "timesformer.encoder.layer.0.temporal_dense.weight"
    whole = weights.pop(name)
    if what == "shorter":
        weights[name] = whole[:5].clone()
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=rf"has not all of the weights .* {name} for one"):
        load_base(ModelConfig(base_model=str(tmp_path)))


def test_layers_that_are_added_change_nothing_until_they_are_trained(tmp_path: Path) -> None:
    write_base_model(tmp_path / "base", layers=2, image_size=32)
    base, spec = load_base(ModelConfig(base_model=str(tmp_path / "base")))
    deeper = deepened(base, 3)
    assert deeper.config.num_hidden_layers == 5
    assert base.config.num_hidden_layers == 2
    clips = torch.randn(2, spec.num_frames, 3, 32, 32)
    deeper.train()
    torch.testing.assert_close(deeper(clips).logits, base.train()(clips).logits)
    deeper(clips).logits.square().sum().backward()
    added = deeper.timesformer.encoder.layer[4]
    optimizer = torch.optim.SGD(added.parameters(), lr=0.1)
    optimizer.step()
    assert not torch.allclose(deeper(clips).logits, base(clips).logits, atol=1e-4)


def test_larger_patches_say_of_enlarged_pictures_what_smaller_ones_said(tmp_path: Path) -> None:
    write_base_model(tmp_path / "base", layers=1, image_size=32)
    base, spec = load_base(ModelConfig(base_model=str(tmp_path / "base")))
    larger, wide = load_base(ModelConfig(base_model=str(tmp_path / "base"), image_size=48))
    assert (spec.image_size, wide.image_size) == (32, 48)
    assert (larger.config.image_size, larger.config.patch_size) == (48, 24)
    assert larger.timesformer.embeddings.num_patches == base.timesformer.embeddings.num_patches
    larger.classifier.load_state_dict(base.classifier.state_dict())
    clips = torch.randn(2, spec.num_frames, 3, 32, 32)
    # Patch by patch, for that is all that a filter sees.
    patches = clips.unflatten(3, (2, 16)).unflatten(5, (2, 16)).permute(0, 1, 2, 3, 5, 4, 6)
    each = patches.reshape(-1, 1, 16, 16)
    each = functional.interpolate(each, size=(24, 24), mode="bilinear", antialias=True)
    enlarged = each.view(*patches.shape[:5], 24, 24).permute(0, 1, 2, 3, 5, 4, 6).flatten(5)
    enlarged = enlarged.flatten(3, 4)
    with torch.no_grad():
        torch.testing.assert_close(
            larger.eval()(enlarged).logits, base.eval()(clips).logits, atol=1e-4, rtol=1e-4
        )


def test_an_image_size_that_patches_cannot_fill_is_refused(tmp_path: Path) -> None:
    write_base_model(tmp_path / "base", layers=1, image_size=32)
    with pytest.raises(UsageError, match=r"--image-size is 33; .* 2 × 2 patches.* must be 2 × n"):
        load_base(ModelConfig(base_model=str(tmp_path / "base"), image_size=33))


@pytest.mark.timeout(7200)
@pytest.mark.skipif(
    os.environ.get(SLOW_VARIABLE) != "1", reason=f"takes minutes; {SLOW_VARIABLE}=1 runs it"
)
def test_the_full_size_trains_in_twelve_gib_and_its_result_runs(tmp_path: Path) -> None:
    found = measure(tmp_path, steps=2, batch_size=2)
    assert found["peak_gib"] < LIMIT_GIB
    assert found["predictions_of_the_result"] > 0


def test_crops_are_cut_as_those_of_the_checkpoint_that_training_goes_on_from(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own"
    shutil.copytree(locate_checkpoint("default"), own)
    contract = json.loads((own / CONTRACT_FILE).read_text())
    contract["clip"] |= {"crop_margin": 0.3, "align_roll": True}
    (own / CONTRACT_FILE).write_text(json.dumps(contract))
    _, spec = load_base(ModelConfig(base_model=str(own)))
    assert (spec.crop_margin, spec.align_roll) == (0.3, True)
    asked = ModelConfig(base_model=str(own), crop_margin=0.0, align_roll=False)
    _, spec = load_base(asked)
    assert (spec.crop_margin, spec.align_roll) == (0.0, False)
    write_base_model(tmp_path / "hub", layers=1, image_size=32)
    for other in (TINY, str(tmp_path / "hub")):
        _, spec = load_base(ModelConfig(base_model=other))
        assert (spec.crop_margin, spec.align_roll) == (0.0, False)
        _, spec = load_base(ModelConfig(base_model=other, crop_margin=0.2, align_roll=True))
        assert (spec.crop_margin, spec.align_roll) == (0.2, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"model_type": "timesformer", "drop_path_rate": "much"}', "is none of a TimeSformer"),
        ('{"model_type": "timesformer", "patch_size": 0}', "patch_size is 0; it must be one"),
        ("[]", "no readable config.json"),
        ("null", "no readable config.json"),
        ("[" * 100_000, "no readable config.json"),
    ],
)
def test_a_base_model_with_an_odd_configuration_is_one_line(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=said) as caught:
        load_base(ModelConfig(base_model=str(tmp_path)))
    assert "\n" not in str(caught.value)
