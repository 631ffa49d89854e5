"""Every fold once, a summary of all, and nothing done twice after an interruption."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from realtime_mood.faces.centre import CentreDetector
from realtime_mood.model.checkpoint import CONTRACT_FILE, METRICS_FILE, locate_checkpoint
from tests.trainer.drawn import draw_video
from trainer import crossval
from trainer.cli import main
from trainer.corpora.ravdess import EMOTION_LABELS
from trainer.pooled import FoldResult, Summary
from trainer.predictions import Predictions
from trainer.run_detector import keep_detector


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve actors with one recording each of two emotions."""
    folder = tmp_path_factory.mktemp("twelve")
    for actor in range(1, 13):
        for number, emotion in enumerate(list(EMOTION_LABELS)[:2]):
            name = f"02-01-{emotion}-01-01-01-{actor:02d}.mp4"
            draw_video(folder / name, frames=4, shade=20 + 90 * number)
    return folder


def words(data: Path, output: Path, *more: str) -> list[str]:
    options = (
        "crossval --protocol 6fold --base-model tiny --image-size 32 --faces none --num-workers 0 "
        "--batch-size 4 --frame-epochs 0 --epochs 1 --max-steps 1"
    )
    return [*options.split(), "--data", str(data), "--output", str(output), *more]


def weights(output: Path) -> bytes:
    return (output / "fold-2" / "checkpoint" / "model.safetensors").read_bytes()


def test_folds_are_run_once_and_pooled(
    twelve: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "out"
    real = crossval.train
    trained: list[str] = []

    def interrupted(config, **options):  # type: ignore[no-untyped-def]
        trained.append(config.run.output.name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return real(config, **options)

    monkeypatch.setattr(crossval, "train", interrupted)
    assert main(words(twelve, output)) == 130
    kept = output / "fold-1" / "result.json"
    assert json.loads(kept.read_text()).keys() == {"skipped", "duration_s"}
    # Earlier versions kept more.
    kept.write_text('{"number": 1, "confusion": [], "skipped": {"x": "why"}, "duration_s": 9.5}')
    assert main(words(twelve, output)) == 5  # without --resume nothing is touched
    assert main(words(twelve, output, "--resume", "--epochs", "2")) == 2
    capsys.readouterr()
    assert main(words(twelve, output, "--resume", "--json")) == 0
    assert trained == ["fold-1", "fold-2", "fold-2", "fold-3"]
    told = json.loads((output / "crossval.json").read_text())
    page = json.loads((output / "report" / "metrics.json").read_text())
    assert told["skipped"] == {"x": "why"}
    assert told["per_fold"][0]["duration_s"] == 9.5
    runs = [json.loads((output / f"fold-{n}/checkpoint/metrics.json").read_text()) for n in (1, 2)]
    assert [run["test"]["accuracy"] for run in runs] == [
        fold["accuracy"] for fold in told["per_fold"][:2]
    ]
    assert page["pooled"]["confusion"] == told["confusion"]
    assert page["pooled"]["per_actor"] == told["per_actor"]
    assert list(page["folds"]) == ["fold 1", "fold 2", "fold 3"]
    names = {path.name for path in (output / "report").iterdir()}
    assert {"index.html", "confusion.png", "actors.png", "folds.png", "folds-learning.png"} <= names
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((output / "crossval.json").read_text())
    assert [fold["fold"] for fold in figures["per_fold"]] == [1, 2, 3]
    assert figures["recordings"] == np.sum(figures["confusion"]) == 24
    assert figures["accuracy"] == pytest.approx(np.trace(figures["confusion"]) / 24)
    assert len(figures["per_actor"]) == 12
    assert len(figures["notes"]) == 3
    text = (output / "crossval.txt").read_text()
    assert "fold 4 of 6fold is not run" in text
    assert "12 actors" in text
    assert not list(output.glob("fold-*/crops"))
    # What the summary is made of is damaged: that fold is measured again, and no other.
    predictions = output / "fold-2" / "report" / "predictions.npz"
    predictions.write_bytes(predictions.read_bytes()[:100])
    before = weights(output)
    assert main(words(twelve, output, "--resume")) == 0
    assert trained[4:] == ["fold-2"]
    assert weights(output) == before
    again = json.loads((output / "crossval.json").read_text())
    assert {**again, "per_fold": [], "command": ""} == {**told, "per_fold": [], "command": ""}
    # Neither a run nor an evaluation writes over what it is made of.
    one = [word for word in words(twelve, output) if word not in ("--protocol", "6fold")]
    capsys.readouterr()
    assert main(["train", *one[1:]]) == 5
    assert "holds the folds of a cross-validation" in capsys.readouterr().err
    model, report = (str(output / "fold-1" / name) for name in ("checkpoint", "report"))
    measured = ["evaluate", "--data", str(twelve), "--model", model, "--report", report]
    assert main([*measured, "--cache", str(output / "crops")]) == 2
    assert "is the run's own report" in capsys.readouterr().err


def test_folds_in_which_nothing_was_done_are_no_earlier_run(
    twelve: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"

    detectors: list[str] = []

    def interrupted(config, *, detector, **_):  # type: ignore[no-untyped-def]
        detectors.append(detector)
        raise KeyboardInterrupt

    (output / "fold-1" / "run").mkdir(parents=True)
    # Nor does such a fold say what finds faces.
    (output / "fold-1" / "data.json").write_text('{"detector": "cascade"}')
    monkeypatch.setattr(crossval, "train", interrupted)
    assert main(words(twelve, output)) == 130
    assert detectors == ["none"]
    for part in ("run/something", "result.json"):
        path = output / "fold-1" / part
        path.touch()
        assert main(words(twelve, output)) == 5
        path.unlink()
    (output / "data.json").touch()
    assert main(words(twelve, output, "--resume")) == 5


def test_finished_folds_are_not_pooled_with_those_of_other_data(
    twelve: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, output = tmp_path / "data", tmp_path / "out"
    shutil.copytree(twelve, data)
    real = crossval.train

    def interrupted(config, **options):  # type: ignore[no-untyped-def]
        if config.run.output.name == "fold-2":
            raise KeyboardInterrupt
        return real(config, **options)

    monkeypatch.setattr(crossval, "train", interrupted)
    assert main(words(data, output)) == 130
    draw_video(data / "02-01-01-01-01-01-13.mp4", frames=4)
    capsys.readouterr()
    assert main(words(data, output, "--resume")) == 2
    assert "the data is not what the run in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--protocol", "actor-split"), "crossval runs all folds of --protocol 6fold"),
        (("--fold", "2"), "crossval runs all folds"),
    ],
)
def test_what_makes_no_sense(
    twelve: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    said: str,
) -> None:
    assert main(words(twelve, tmp_path, *more)) == 2
    assert said in capsys.readouterr().err


def fold(number: int, right: dict[str, int]) -> FoldResult:
    """Ten recordings of each actor: five with the first label, which are right, and others."""
    labels = np.tile(np.repeat([0, 1], 5), len(right))
    answers = np.concatenate(
        [np.repeat([0, 1, 0], [5, hits - 5, 10 - hits]) for hits in right.values()]
    )
    return FoldResult(
        number=number,
        predictions=Predictions(
            names=tuple(f"{number}-{n}" for n in range(len(labels))),
            actors=np.repeat(list(right), 10),
            labels=labels,
            logits=np.eye(8)[answers][:, None, :],
            temperature=np.ones(len(labels)),
            known=np.ones((len(labels), 8), dtype=bool),
        ),
        skipped={"broken.mp4": "why"},
        duration_s=1.0,
    )


def test_pooled_figures_by_hand() -> None:
    folds = (fold(1, {"ravdess:01": 10, "ravdess:02": 6}), fold(2, {"ravdess:03": 8}))
    summary = Summary(
        command="c", data="d", protocol="6fold", notes=("n",), folds=folds, seed=0
    ).to_dict()
    assert summary["accuracy"] == 24 / 30
    assert summary["uar"] == pytest.approx((1 + 9 / 15) / 2)
    assert summary["per_actor"] == {"ravdess:01": 1.0, "ravdess:02": 0.6, "ravdess:03": 0.8}
    # Of three actors drawn, all are the best, or all the worst, once in 27 times.
    assert summary["accuracy_interval"] == pytest.approx([0.6, 1.0])
    assert summary["per_fold"][1]["accuracy"] == 0.8
    assert summary["per_fold"][1]["actors"] == ["ravdess:03"]
    assert summary["recordings"] == 30
    assert summary["confusion"][0][0] == 15
    assert summary["confusion"][1][:2] == [6, 9]
    assert summary["skipped"] == {"broken.mp4": "why"}


def test_a_leak_is_said_in_every_output() -> None:
    folds = (fold(1, {"ravdess:01": 10}), fold(2, {"ravdess:01": 6, "ravdess:02": 8}))
    summary = Summary(command="c", data="d", protocol="random", notes=(), folds=folds, seed=0)
    assert summary.measures.per_actor == {"ravdess:01": 0.8, "ravdess:02": 0.8}
    text = summary.as_text()
    assert "the actors were also trained on" in text
    # Between two actors draws tell nothing.
    assert "95 % interval 62.7% to 90.5% (Wilson)" in text


def test_the_summary_for_people() -> None:
    folds = (fold(1, {"ravdess:01": 10, "ravdess:02": 6}), fold(2, {"ravdess:03": 8}))
    text = Summary(
        command="c", data="d", protocol="6fold", notes=("n",), folds=folds, seed=0
    ).as_text()
    assert text.splitlines()[:8] == [
        "d, protocol 6fold: 2 folds, 30 recordings of 3 actors",
        "  accuracy (WAR) 80.0%, 95 % interval 60.0% to 100.0% (bootstrap over actors, too narrow "
        "with so few)",
        "  UAR 80.0%, macro F1 79.2%, standard deviation over actors 20.0%",
        "  fold 1 (ravdess 01, 02): 80.0%, UAR 80.0%",
        "  fold 2 (ravdess 03): 80.0%, UAR 80.0%",
        "  actors: ravdess:01: 100%, ravdess:02: 60%, ravdess:03: 80%",
        "  1 file could not be used",
        "  Note: n",
    ]


def test_all_folds_have_one_face_detector(
    twelve: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    found: list[str | None] = []

    def make(choice: str, **options: object) -> CentreDetector:
        asked.append(choice)
        return CentreDetector()

    def interrupted(config, *, detector, **options):  # type: ignore[no-untyped-def]
        found.append(detector)
        config.run.output.mkdir(exist_ok=True)
        keep_detector(config.run.output, detector)
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.run_detector.make_detector", make)
    monkeypatch.setattr(crossval, "train", interrupted)
    assert main(words(twelve, tmp_path, "--faces", "auto")) == 130
    assert main(words(twelve, tmp_path, "--faces", "auto", "--resume")) == 130
    assert asked == ["auto", "none"]
    assert found == ["none", "none"]


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (None, "does not say whom it has learned from"),
        (
            {"train_actors": [], "validation": {"actors": ["ravdess:01", "ravdess:05"]}},
            "of its own training was chosen by ravdess 05, who are tested on here",
        ),
    ],
)
def test_the_summary_says_what_is_to_be_said_of_the_base_model(
    twelve: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    figures: dict[str, object] | None,
    said: str,
) -> None:
    def tested(number: int) -> FoldResult:
        return fold(number, {f"ravdess:{number:02d}": 10})

    base, output = tmp_path / "base", tmp_path / "out"
    base.mkdir()
    shutil.copy(locate_checkpoint("default") / CONTRACT_FILE, base)
    if figures is not None:
        (base / METRICS_FILE).write_text(json.dumps(figures))
    monkeypatch.setattr(crossval, "_run_fold", lambda fold, *_: tested(fold.number))
    monkeypatch.setattr(crossval, "report_folds", lambda folder, **_: None)
    assert main([*words(twelve, output), "--base-model", str(base)]) == 0
    told = json.loads((output / "crossval.json").read_text())["notes"]
    assert [note for note in told if said in note]
    assert len(told) == len(set(told))
    assert said in (output / "crossval.txt").read_text()
