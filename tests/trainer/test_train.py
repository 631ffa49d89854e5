"""A whole run on drawn videos: what it leaves can be loaded, measured and resumed."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from transformers import TimesformerForVideoClassification

from realtime_mood.model.checkpoint import load_model, read_contract
from realtime_mood.model.labels import LABELS
from tests.trainer.drawn import draw_video
from tests.trainer.fitting import config_of, recipe_of
from trainer.cli import INTERRUPTED, main
from trainer.crops import FaceCrops
from trainer.predictions import Predictions
from trainer.progress import Progress
from trainer.report.curves import curves_of
from trainer.run_folder import LOCK_FILE, settle_precision

SIZE = 32


def options(data: Path, output: Path) -> list[str]:
    words = (
        "train --base-model tiny --image-size 32 --faces none --num-workers 0 --batch-size 4 "
        "--recipe small --frame-epochs 1 --epochs 1 --max-steps 2 --learning-rate 1e-3 "
        "--report-to none"
    )
    return [*words.split(), "--data", str(data), "--output", str(output)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    output = tmp_path_factory.mktemp("run")
    assert main(options(corpus, output)) == 0
    return output


def test_the_checkpoint_is_what_the_runtime_loads(run: Path) -> None:
    contract = read_contract(run / "checkpoint")
    assert contract.spec.image_size == SIZE
    assert contract.face_detector == "none"
    model = load_model(run / "checkpoint")
    with torch.inference_mode():
        logits = model(pixel_values=torch.zeros(1, 8, 3, SIZE, SIZE)).logits
    assert logits.shape == (1, len(LABELS))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("has_gpu", "fastest", "taken"),
    [
        (True, torch.bfloat16, "bf16"),
        (True, torch.float32, "fp32"),
        (False, torch.bfloat16, "fp32"),
    ],
)
def test_a_gpu_that_is_made_for_it_trains_in_bfloat16(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    has_gpu: bool,
    fastest: torch.dtype,
    taken: str,
) -> None:
    monkeypatch.setattr("trainer.run_folder.has_cuda", lambda: has_gpu)
    monkeypatch.setattr("trainer.run_folder.fastest_dtype", lambda device: fastest)
    assert settle_precision(config_of(tmp_path, recipe_of())).run.precision == taken
    asked = config_of(tmp_path, recipe_of(), precision="fp16")
    assert settle_precision(asked) == asked


def test_the_precision_that_was_taken_is_written_down(run: Path) -> None:
    taken = settle_precision(config_of(run, recipe_of())).run.precision
    assert f'precision = "{taken}"' in (run / "config.toml").read_text()


def test_transformers_alone_loads_it(run: Path) -> None:
    model = TimesformerForVideoClassification.from_pretrained(run / "checkpoint")
    assert model.dtype == torch.float16
    assert [model.config.id2label[i] for i in range(8)] == list(LABELS)


def test_it_says_how_good_it_is_and_of_what_it_was_made(run: Path) -> None:
    figures = json.loads((run / "checkpoint" / "metrics.json").read_text())
    assert figures["train_actors"] == ["ravdess:01"]
    assert figures["validation"]["actors"] == ["ravdess:02"]
    assert figures["test"]["actors"] == ["ravdess:03"]
    assert np.sum(figures["test"]["confusion"]) == figures["test"]["recordings"] == 8
    assert figures["test"]["accuracy"] == np.trace(figures["test"]["confusion"]) / 8
    card = (run / "checkpoint" / "README.md").read_text()
    assert "\nlicense: cc-by-nc-sa-4.0\n" in card.split("---")[1]
    for words in (
        "e0196391",
        "from single frames",
        "--frame-epochs 1",
        "test (ravdess 03)",
        "chance",
    ):
        assert words.lower() in card.lower()
    assert "accuracy (WAR)" in (run / "summary.txt").read_text()


def test_the_card_is_what_the_hub_reads(run: Path) -> None:
    card = ModelCard.load(run / "checkpoint" / "README.md")
    figures = json.loads((run / "checkpoint" / "metrics.json").read_text())["test"]
    results = {result.metric_name: result for result in card.data.eval_results}
    assert results["accuracy (WAR)"].metric_value == round(figures["accuracy"], 4)
    assert results["UAR"].metric_value == round(figures["uar"], 4)
    assert results["accuracy (WAR)"].dataset_name == "corpus0 (actor-split, test)"
    assert card.data.base_model is None
    assert "actor-split" in card.text


def test_the_run_has_a_report_to_look_at(run: Path) -> None:
    folder = run / "report"
    checkpoint_figures = json.loads((run / "checkpoint" / "metrics.json").read_text())
    assert json.loads((folder / "metrics.json").read_text()) == checkpoint_figures
    names = {path.name for path in folder.iterdir()}
    pictures = {"confusion", "actors", "reliability", "risk-coverage", "learning"}
    # One actor alone has no bars.
    assert {f"{name}.png" for name in pictures - {"actors"}} <= names
    for path in folder.glob("*.png"):
        assert cv2.imread(str(path)).shape[0] > 300, path.name
    page = (folder / "index.html").read_text()
    # Nothing is fetched from anywhere.
    assert not re.findall(r'(?:src|srcset|href)="(?!data:)', page)
    assert "was taken for" in page
    assert len(re.findall("data:image/jpeg", page)) >= 1
    assert Predictions.load(folder / "predictions.npz").logits.shape == (8, 5, 8)


def test_no_pickle_is_in_the_checkpoint(run: Path) -> None:
    names = {path.name for path in (run / "checkpoint").iterdir()}
    assert names == {
        "README.md",
        "clip_spec.json",
        "config.json",
        "metrics.json",
        "model.safetensors",
    }


def copy_of(run: Path, output: Path, *, without: tuple[str, ...]) -> Path:
    """The folder of a run that has not come to some of its parts yet."""
    shutil.copytree(run, output, ignore=shutil.ignore_patterns(LOCK_FILE, *without))
    return output


def test_an_interrupted_run_goes_on_and_ends_the_same(
    run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = copy_of(run, tmp_path / "out", without=("clips", "checkpoint", "report"))
    told: list[tuple[str, int]] = []
    moments = [("clips", 2)]

    @contextmanager
    def progress() -> Iterator[Progress]:
        def show(stage: str, done: int, total: int) -> None:
            told.append((stage, done))
            if told[-1] in moments:
                raise KeyboardInterrupt

        yield show

    monkeypatch.setattr("trainer.cli.shown_progress", progress)
    words = [*options(corpus, output), "--checkpoint-every", "1", "--resume"]
    assert main(words) == INTERRUPTED
    assert [path.name for path in (output / "run" / "clips").iterdir()] == ["checkpoint-1"]
    told.clear()
    moments.clear()
    assert main(words) == 0
    assert [done for stage, done in told if stage == "clips"] == [2]
    before, after = (load_model(folder / "checkpoint").state_dict() for folder in (run, output))
    for name, value in before.items():
        torch.testing.assert_close(after[name], value)


def test_the_temperature_is_chosen_by_the_people_who_are_to_choose(
    run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = copy_of(run, tmp_path / "out", without=("checkpoint", "report"))
    asked: list[list[str]] = []
    reported: dict[str, Predictions] = {}

    def fit_temperature(answered: list[tuple[np.ndarray, list[FaceCrops]]]) -> float:
        for logits, recordings in answered:
            assert logits.shape == (8, 5, 8)
            asked.append([crops.recording.actor for crops in recordings])
        return 1.7

    def report(folder: Path, *, predictions: dict[str, Predictions], **others: object) -> None:
        reported.update(predictions)

    monkeypatch.setattr("trainer.train.fit_clip_temperature", fit_temperature)
    monkeypatch.setattr("trainer.train.report_run", report)
    assert main([*options(corpus, output), "--resume"]) == 0
    assert asked == [["ravdess:02"] * 8]
    assert read_contract(output / "checkpoint").temperature == 1.7
    figures = json.loads((output / "checkpoint" / "metrics.json").read_text())
    assert figures["temperature"] == 1.7
    assert reported.keys() == {"validation", "test"}
    assert all((said.temperature == 1.7).all() for said in reported.values())


def test_attention_over_time_of_a_new_small_model_starts_as_a_comparison(run: Path) -> None:
    model = load_model(run / "checkpoint")
    # Each frame has a channel of its own; two steps have moved it little.
    own = model.timesformer.embeddings.time_embeddings[0, :, -8:]
    torch.testing.assert_close(own, torch.eye(8), atol=0.02, rtol=0.0)


def close_to(value: object) -> object:
    """What equals the same with numbers a rounding away: not every processor rounds alike twice."""
    if isinstance(value, dict):
        return {key: close_to(part) for key, part in value.items()}
    if isinstance(value, list):
        return [close_to(part) for part in value]
    return pytest.approx(value, abs=1e-5) if isinstance(value, float) else value


def test_evaluate_measures_the_actors_asked_for(
    run: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--data", corpus, "--model", run / "checkpoint", "--faces", "none"]
    words += ["--actors", "3", "--cache", tmp_path, "--num-workers", "0", "--json"]
    assert main([str(word) for word in words]) == 0
    figures = json.loads(capsys.readouterr().out)
    reported = json.loads((run / "checkpoint" / "metrics.json").read_text())["test"]
    assert figures["recordings"] == close_to(reported)
    # Drawn recordings are shorter than a clip.
    assert figures["as_deployed"] is None
    assert "no recording is long enough for a clip" in figures["notes"][0]


def test_evaluate_says_whom_the_model_was_trained_on(
    run: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--data", corpus, "--model", run / "checkpoint"]
    words += ["--cache", tmp_path / "crops", "--num-workers", "0", "--report", tmp_path / "report"]
    assert main([str(word) for word in words]) == 0
    # Faces are found as the runtime would for this checkpoint.
    assert {path.name.split("-")[0] for path in (tmp_path / "crops").iterdir()} == {"none"}
    said = capsys.readouterr().out
    assert "trained on actors measured here (ravdess 01): it LEAKS" in said
    assert "actors measured here (ravdess 02) chose the model's temperature" in said
    page = (tmp_path / "report" / "index.html").read_text()
    assert "it LEAKS" in page
    assert (tmp_path / "report" / "actors.png").is_file()


def test_continuing_from_our_own_checkpoint(
    run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarted: list[torch.nn.Module] = []
    monkeypatch.setattr("trainer.train.compare_frames", restarted.append)
    words = options(corpus, tmp_path)
    words[words.index("tiny")] = str(run / "checkpoint")
    assert main([*words, "--frame-epochs", "0"]) == 0
    ours = read_contract(run / "checkpoint").spec
    assert read_contract(tmp_path / "checkpoint").spec == ours
    # What it has learned of how faces move is not thrown away.
    assert not restarted


def test_whom_a_base_model_was_trained_on_is_not_measured_again(
    run: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = options(corpus, tmp_path / "other")
    words[words.index("tiny")] = str(run / "checkpoint")
    words += ["--frame-epochs", "0", "--validation-actors", "3"]
    assert main([*words, "--test-actors", "1"]) == 2
    assert "was trained on ravdess 01, who are to be measured" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
    # Two runs later it is still known.
    words[words.index("--validation-actors") + 1] = "2"
    (tmp_path / "base").mkdir()
    for file in (run / "checkpoint").iterdir():
        (tmp_path / "base" / file.name).write_bytes(file.read_bytes())
    figures = json.loads((tmp_path / "base" / "metrics.json").read_text())
    figures["train_actors"] = ["ravdess:09"]
    (tmp_path / "base" / "metrics.json").write_text(json.dumps(figures))
    words[words.index(str(run / "checkpoint"))] = str(tmp_path / "base")
    assert main(words) == 0
    figures = json.loads((tmp_path / "other" / "checkpoint" / "metrics.json").read_text())
    assert figures["train_actors"] == ["ravdess:01", "ravdess:09"]


def test_a_run_goes_on_where_its_data_has_moved_but_not_with_other_data(
    run: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    shutil.copytree(corpus, data)
    assert main([*options(data, out), "--frame-epochs", "0"]) == 0
    data = data.rename(tmp_path / "moved")
    assert main([*options(data, out), "--frame-epochs", "0", "--resume"]) == 0
    assert main([*options(Path(f"{data}@2"), out), "--frame-epochs", "0", "--resume"]) == 2
    draw_video(data / "Actor_04" / "02-01-05-01-01-01-04.mp4")
    capsys.readouterr()
    assert main([*options(data, out), "--frame-epochs", "0", "--resume"]) == 2
    said = capsys.readouterr().err
    assert "the data is not what the run in" in said
    assert "8 + 8 + 8 recordings then, 16 + 8 + 1 now" in said


def test_a_bound_on_steps_adds_none(corpus: Path, tmp_path: Path) -> None:
    words = [*options(corpus, tmp_path), "--frame-epochs", "0"]
    words[words.index("--max-steps") + 1] = "50"
    assert main(words) == 0
    history = json.loads((tmp_path / "run" / "clips" / "history.json").read_text())
    [shown] = curves_of("clips", history).validation_loss[-1:]
    assert shown[0] == math.ceil(8 / int(words[words.index("--batch-size") + 1]))


def test_the_best_epoch_is_one_that_could_be_kept() -> None:
    log = [{"step": step, "eval_accuracy": value} for step, value in ((0, 0.9), (5, 0.4), (9, 0.6))]
    assert curves_of("clips", log).best_step == 9


def test_broken_recordings_are_counted_on_the_card(corpus: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for path in sorted(corpus.rglob("02-01-0[13]*.mp4")):
        (data / path.parent.name).mkdir(parents=True, exist_ok=True)
        (data / path.parent.name / path.name).write_bytes(path.read_bytes())
    draw_video(data / "02-01-05-01-01-01-01.mp4", frames=3)
    (data / "02-01-06-01-01-01-01.mp4").write_bytes(b"broken")
    words = options(data, tmp_path / "out")
    assert main([*words, "--frame-epochs", "0", "--allow-bad", "0.2"]) == 0
    figures = json.loads((tmp_path / "out" / "checkpoint" / "metrics.json").read_text())
    assert list(figures["skipped"]) == [str(data / "02-01-06-01-01-01-01.mp4")]
    assert figures["train_recordings"] == 3


def test_level_eyes_need_the_detector_that_finds_eyes(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options(corpus, tmp_path), "--align-roll"]) == 2
    said = capsys.readouterr().err
    assert "--align-roll needs the eyes that YuNet finds, but faces are found by 'none'" in said
    assert "detector" not in json.loads((tmp_path / "data.json").read_text())
    assert not (tmp_path / "crops").exists()
