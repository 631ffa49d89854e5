"""Whole runs on corpora together, and on pictures alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from realtime_mood.model.labels import LABELS
from realtime_mood.model.timesformer import tiny_timesformer
from tests.fakes import SPEC
from trainer.cli import main
from trainer.clip_trainer import SHORTER, ClipTrainer
from trainer.config import RecipeConfig
from trainer.config.options import flag_of
from trainer.dataset import Item, TrainingClips
from trainer.fit import FINISHED_FILE, Collator
from trainer.initial import compare_frames, look_at_neighbours
from trainer.picture_teacher import PictureTeacher
from trainer.recipe_checks import FOR_PICTURES, FOR_SMALL_PICTURES

TINY = (
    "--base-model tiny --image-size 32 --faces none --num-workers 0 --batch-size 4 "
    "--frame-epochs 1 --frame-batch-size 18 --epochs 1 --max-steps 2"
)

PIXEL = cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes()


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Forty different grey pictures of two labels, and ten that are kept apart."""
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "faces.npz",
        train_images=rng.integers(256, size=(40, 24, 24), dtype=np.uint8),
        train_labels=np.arange(40) % 2,
        validation_images=rng.integers(256, size=(10, 24, 24), dtype=np.uint8),
        validation_labels=np.arange(10) % 2,
        labels=np.array(["fear", "happy"]),
    )
    return tmp_path / "faces.npz"


def run(output: Path, *words: str, draws: bool = False) -> dict[str, object]:
    """What a run measured; the pictures of its page, half of its time, only where asked for."""
    with pytest.MonkeyPatch.context() as patch:
        if not draws:
            patch.setattr("trainer.report.page.to_png", lambda *_: PIXEL)
        assert main(["train", *TINY.split(), "--output", str(output), *words]) == 0
    figures: dict[str, object] = json.loads((output / "checkpoint" / "metrics.json").read_text())
    return figures


def test_recordings_are_measured_and_pictures_help(
    corpus: Path, faces: Path, tmp_path: Path
) -> None:
    data = ("--data", str(corpus), "--data", f"images:{faces}@0.5")
    figures = run(tmp_path / "out", *data, draws=True)
    assert (figures["train_recordings"], figures["train_pictures"]) == (8, 36)
    assert figures["train_actors"] == ["ravdess:01"]
    assert figures["test"]["actors"] == ["ravdess:03"]  # type: ignore[index]
    assert figures["pictures"]["recordings"] == 10  # type: ignore[index]
    assert "pictures: 10 pictures" in (tmp_path / "out" / "summary.txt").read_text()
    card = (tmp_path / "out" / "checkpoint" / "README.md").read_text()
    assert "\n8 recordings and 36 pictures of `" in card
    assert "| pictures | 10 |" in card
    assert "of the pictures." in card
    each = "of validation, test, pictures by Wilson's method, which says nothing of other people"
    assert f"Intervals are 95 %: {each}." in card
    assert "Added pictures" in (tmp_path / "out" / "report" / "index.html").read_text()


def test_of_hidden_faces_no_label_is_learned(faces: Path, tmp_path: Path) -> None:
    arrays = dict(np.load(faces))
    np.savez(tmp_path / "swapped.npz", **{**arrays, "train_labels": 1 - arrays["train_labels"]})
    learned = {}
    for share in ("0", "1"):
        for data in (faces, tmp_path / "swapped.npz"):
            how = (
                "--frame-epochs",
                "2",
                "--epochs",
                "0",
                "--head-epochs",
                "0",
                "--keep",
                "last",
                "--hide",
                share,
            )
            output = tmp_path / f"{data.stem}-{share}"
            run(output, "--data", f"images:{data}", *how)
            learned[data.stem, share] = load_file(output / "run" / "frames" / FINISHED_FILE)
    for share, equal in (("0", False), ("1", True)):
        one, other = learned["faces", share], learned["swapped", share]
        assert all(torch.allclose(one[name], other[name]) for name in one) is equal


def item(frames: int, label: int) -> Item:
    return Item(pixel_values=torch.full((frames, 3, 2, 2), float(label)), labels=label)


def test_a_convolutional_network_teaches_and_stays_behind(
    corpus: Path, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    data = ("--data", str(corpus), "--data", f"images:{faces}", "--keep", "last")
    words = (*data, "--teacher-epochs", "1")
    finished = out / "run" / "frames" / FINISHED_FILE
    run(out, *words)
    history = json.loads((out / "run" / "teacher" / "history.json").read_text())
    assert any("eval_accuracy" in entry for entry in history)
    learned = load_file(finished)
    assert not [name for name in learned if not name.startswith("model.")]
    assert "A convolutional network had learned" in (out / "checkpoint" / "README.md").read_text()
    # The teacher is read back, and what it teaches is the same.
    shutil.rmtree(finished.parent)
    run(out, *words, "--resume")
    again = load_file(finished)
    assert all(torch.equal(again[name], value) for name, value in learned.items())
    # What it says of pictures changes what is learned of them.
    run(tmp_path / "alone", *data)
    alone = load_file(tmp_path / "alone" / "run" / "frames" / FINISHED_FILE)
    assert not torch.equal(alone["classifier.bias"], learned["model.classifier.bias"])


def test_both_sides_of_a_picture_are_taught_the_same() -> None:
    torch.manual_seed(0)
    teacher = PictureTeacher().eval()
    pictures = torch.randn(3, 1, 3, 64, 64)
    mirrored = pictures.flip(-1)
    said, of_mirrored = teacher(pictures)["logits"], teacher(mirrored)["logits"]
    assert not torch.allclose(said, of_mirrored)
    torch.testing.assert_close(teacher.teach(pictures), (said + of_mirrored) / 2)
    torch.testing.assert_close(teacher.teach(pictures), teacher.teach(mirrored))
    assert not teacher.teach(pictures).requires_grad


def test_epochs_are_not_chosen_by_labels_that_pictures_cannot_have(
    faces: Path, tmp_path: Path
) -> None:
    frames_alone = ("--data", f"images:{faces}", "--epochs", "0", "--head-epochs", "0")
    run(tmp_path / "base", *frames_alone)
    base = tmp_path / "base" / "checkpoint"
    weights = load_file(base / "model.safetensors")
    weights["classifier.weight"].zero_()
    calm, happy = LABELS.index("calm"), LABELS.index("happy")
    weights["classifier.bias"].zero_()
    weights["classifier.bias"][calm], weights["classifier.bias"][happy] = 9.0, 3.0
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    run(tmp_path / "out", *frames_alone, "--base-model", str(base))
    history = json.loads((tmp_path / "out" / "run" / "frames" / "history.json").read_text())
    # All happy ones are right, no fearful one is.
    assert history[0]["eval_uar"] == 0.5
    assert 0.0 < history[0]["eval_accuracy"] < 1.0


def test_a_share_of_the_base_model_stays(faces: Path, tmp_path: Path) -> None:
    frames_alone = ("--data", f"images:{faces}", "--epochs", "0", "--head-epochs", "0")
    run(tmp_path / "base", *frames_alone)
    base = ("--base-model", str(tmp_path / "base" / "checkpoint"), "--keep", "last")
    found = {}
    for share in ("0", "0.25", "1"):
        out = tmp_path / share
        run(out, *frames_alone, *base, "--seed", "3", "--base-share", share)
        found[share] = load_file(out / "checkpoint" / "model.safetensors")
    old = load_file(tmp_path / "base" / "checkpoint" / "model.safetensors")
    assert all(torch.equal(found["1"][name], value) for name, value in old.items())
    changed = [name for name, value in old.items() if not torch.equal(found["0"][name], value)]
    assert changed
    for name in changed:
        mean = 0.75 * found["0"][name].float() + 0.25 * old[name].float()
        torch.testing.assert_close(found["0.25"][name].float(), mean, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("option", [flag_of(name) for name in FOR_PICTURES + FOR_SMALL_PICTURES])
def test_what_is_for_pictures_needs_some(
    option: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*TINY.split(), "--output", str(tmp_path / "out"), "--data", str(corpus)]
    assert main(["train", *words, "--motion", "1", option, "1"]) == 2
    assert f"{option} is 1, but the data has no pictures" in capsys.readouterr().err


def test_large_pictures_are_pictures_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    for number in range(10):
        file = tmp_path / "big" / ("happy", "sad")[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), rng.integers(256, size=(80, 80, 3), dtype=np.uint8))
    data = ("--data", f"images:{tmp_path / 'big'}")
    words = ["train", *TINY.split(), "--output", str(tmp_path / "out"), *data]
    assert main([*words, "--landmarks", "1"]) == 2
    assert "none is at most 64 pixels wide" in capsys.readouterr().err
    assert main([*words, "--motion-clips", "1", "--epochs", "0", "--head-epochs", "0"]) == 2
    assert "the data has pictures alone" in capsys.readouterr().err
    figures = run(tmp_path / "out", *data, "--hide", "0.5", "--no-keep-crops")
    assert (figures["train_recordings"], figures["train_pictures"]) == (0, 8)


def test_a_checkpoint_is_measured_on_pictures(
    corpus: Path, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", str(corpus), "--data", f"images:{faces}")
    trained = run(tmp_path / "out", *data)
    words = ["evaluate", "--model", str(tmp_path / "out" / "checkpoint"), "--num-workers", "0"]
    words += ["--cache", str(tmp_path / "crops"), "--json"]

    def measured(*more: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*words, *more]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    pictures = measured("--data", f"images:{faces}")
    assert pictures["recordings"]["recordings"] == 10
    assert pictures["recordings"]["confusion"] == trained["pictures"]["confusion"]  # type: ignore[index]
    assert pictures["notes"] == ["only the 10 pictures that their corpus keeps apart are used"]
    assert main([*words, *data]) == 2
    assert "measured one at a time" in capsys.readouterr().err
    of_one = measured(*data, "--actors", "3")
    assert of_one["recordings"]["confusion"] == trained["test"]["confusion"]  # type: ignore[index]


def test_pictures_move_in_the_place_of_recordings(
    corpus: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    shares: list[float] = []

    def noting(*crops: object, recipe: RecipeConfig, **how: object) -> TrainingClips:
        shares.append(recipe.reanimate)
        return TrainingClips(*crops, recipe=recipe, **how)  # type: ignore[arg-type]

    monkeypatch.setattr("trainer.frames_stage.TrainingClips", noting)
    monkeypatch.setattr("trainer.train.TrainingClips", noting)
    data = ("--data", str(corpus), "--data", f"images:{faces}")
    words = ["--motion", "1", "--reanimate", "0.5", "--talk", "0.3", "--turn", "0.2", "--steady"]
    run(tmp_path / "out", *data, *words)
    card = (tmp_path / "out" / "checkpoint" / "README.md").read_text()
    assert "In 50 % of the pairs of frames of recordings" in card
    assert "Of the pictures 30 % talked" in card
    assert "In 20 % of the clips the head was turned" in card
    # A clip whose face moves as another's tells nothing of what it is called.
    assert shares == [0.5, 0.0]


@pytest.mark.parametrize(
    "words", ["--mixup 0.8", "--gradient-checkpointing --teacher-epochs 1", "--accumulate 3"]
)
def test_single_frames_take_what_clips_take(words: str, faces: Path, tmp_path: Path) -> None:
    sizes = ("--batch-size", "12", "--frame-batch-size", "12")
    figures = run(tmp_path / "out", "--data", f"images:{faces}", *sizes, *words.split())
    assert (figures["train_recordings"], figures["train_pictures"]) == (0, 36)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--frame-batch-size 9 --accumulate 2", "--frame-batch-size is 9; for 1 processes"),
        ("--frame-batch-size 9 --repeats 2", "--frame-batch-size is 9; with --repeats 2"),
        ("--reanimate 0.5 --motion 1", "--reanimate is 0.5, but the data has pictures alone"),
        (
            "--reanimate 0.5",
            "--reanimate is 0.5, but teaches motion alone",
        ),
        ("--teacher-epochs 1 --mixup 0.8", "--teacher-epochs is 1, but clips mixed"),
        ("--teacher-epochs 1 --frame-epochs 0", "--teacher-epochs is 1, but is for single"),
        ("--base-share 0.5 --frame-epochs 0", "--base-share is 0.5, but is for single"),
        ("--landmarks 1 --frame-epochs 0", "--landmarks is 1, but is for single"),
        ("--motion 1 --frame-epochs 0", "--motion is 1, but is for single"),
        ("--base-share 0.5", "--base-share is 0.5, but --base-model tiny knows nothing"),
    ],
)
def test_what_cannot_work_is_refused_before_faces_are_cut(
    words: str, said: str, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    given = [*TINY.split(), "--output", str(out), "--data", f"images:{faces}", *words.split()]
    assert main(["train", *given]) == 2
    assert said in capsys.readouterr().err
    assert not (out / "crops").exists()


def test_clips_of_fewer_frames_are_a_batch_in_the_batch() -> None:
    collate = Collator(RecipeConfig())
    batch = collate([item(1, 5), item(4, 1), item(1, 6), item(4, 2), item(4, 3)])
    assert batch["labels"].tolist() == [1, 2, 3]
    assert batch["pixel_values"].shape == (3, 4, 3, 2, 2)
    assert batch[SHORTER]["labels"].tolist() == [5, 6]
    assert batch[SHORTER]["pixel_values"].shape == (2, 1, 3, 2, 2)
    assert SHORTER not in collate([item(4, 1), item(4, 2)])
    assert SHORTER not in collate([item(1, 1), item(1, 2)])


@pytest.mark.parametrize("image_size", [32, 48, 64])
def test_a_picture_twice_is_what_it_is_eight_times(
    image_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = tiny_timesformer(replace(SPEC, image_size=image_size)).eval()
    look_at_neighbours(model)
    compare_frames(model)
    trainer = ClipTrainer.__new__(ClipTrainer)
    monkeypatch.setattr(trainer, "_timesformer", model, raising=False)
    monkeypatch.setattr(trainer, "_recipe", RecipeConfig(), raising=False)
    picture = torch.randn(2, 1, 3, image_size, image_size)
    both = {"labels": torch.tensor([1, 2]), "known_labels": torch.ones(2, 8, dtype=torch.bool)}

    def logits(frames: int) -> torch.Tensor:
        clips = {**both, "pixel_values": picture.expand(-1, frames, -1, -1, -1)}
        found: torch.Tensor = trainer.compute_loss(model, clips, return_outputs=True)[1]["logits"]
        return found

    torch.testing.assert_close(logits(2), logits(SPEC.num_frames), atol=1e-4, rtol=1e-3)
    assert model.config.num_frames == SPEC.num_frames


def test_every_clip_of_a_batch_weighs_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = ClipTrainer.__new__(ClipTrainer)
    monkeypatch.setattr(trainer, "_loss", lambda model, part, *_: part["labels"].float().mean())
    batch = Collator(RecipeConfig())([item(4, 1), item(1, 7), item(4, 2), item(4, 3)])
    assert trainer.compute_loss(torch.nn.Identity(), batch) == pytest.approx((1 + 2 + 3 + 7) / 4)


def test_pictures_alone(faces: Path, tmp_path: Path) -> None:
    figures = run(tmp_path / "out", "--data", f"images:{faces}")
    assert (figures["train_recordings"], figures["train_pictures"]) == (0, 36)
    assert figures["test"]["recordings"] == 10  # type: ignore[index]


def test_without_crops_on_disk(corpus: Path, tmp_path: Path) -> None:
    run(tmp_path / "out", "--data", str(corpus), "--no-keep-crops")
    kept = list((tmp_path / "out" / "crops").rglob("*.npy"))
    assert len(kept) == 48
    assert sum(path.stat().st_size for path in kept) < 50_000


def test_a_random_split_says_that_it_leaks(corpus: Path, tmp_path: Path) -> None:
    figures = run(tmp_path / "out", "--data", str(corpus), "--protocol", "random", "--seed", "1")
    assert "LEAKS" in figures["notes"][0]  # type: ignore[index]
    assert "LEAKS" in (tmp_path / "out" / "summary.txt").read_text()
    assert "LEAKS" in (tmp_path / "out" / "checkpoint" / "README.md").read_text()


def test_labels_that_nothing_trained_on_has_are_named(
    corpus: Path, faces: Path, tmp_path: Path
) -> None:
    said = (
        "nothing that was trained on here is called angry, calm, disgust, neutral, sad, surprised"
    )
    alone = run(tmp_path / "alone", "--data", f"images:{faces}")
    assert [note for note in alone["notes"] if said in note]  # type: ignore[attr-defined]
    assert said in (tmp_path / "alone" / "checkpoint" / "README.md").read_text()
    both = run(tmp_path / "both", "--data", str(corpus), "--data", f"images:{faces}")
    assert both["notes"] == []
