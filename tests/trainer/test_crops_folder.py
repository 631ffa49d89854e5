"""Crops that are cut otherwise are kept elsewhere, and those that are cut alike are found again."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from realtime_mood.model.clip_spec import ClipSpec
from tests.fakes import SPEC
from trainer.crops import Cutter

CUT_OTHERWISE: dict[str, Any] = {
    "image_size": 48,
    "crop_margin": 0.2,
    "interpolation": "linear",
    "align_roll": True,
}
"""Other values of the parts of a spec that decide what is in a crop."""
CUT_ALIKE: dict[str, Any] = {
    "num_frames": 4,
    "frame_interval_s": 0.1,
    "interval_growth": 1.3,
    "mean": (0.1, 0.1, 0.1),
    "std": (0.5, 0.5, 0.5),
    "steady": True,
    "grey": True,
}
"""Other values of those that decide which crops are seen, and how."""


@pytest.fixture
def cutter(tmp_path: Path) -> Cutter:
    """By YuNet, whose file is some bytes."""
    model = tmp_path / "yunet.onnx"
    model.write_bytes(b"weights")
    return Cutter(
        folder=tmp_path / "crops",
        spec=SPEC,
        detector="yunet",
        yunet_file=model,
        decoder="pyav",
    )


def boxes(cutter: Cutter) -> Cutter:
    """The same, of which only the places of faces are kept."""
    return replace(cutter, keeps_crops=False)


def with_spec(cutter: Cutter, **values: Any) -> Cutter:
    return replace(cutter, spec=replace(cutter.spec, **values))


def test_every_part_of_a_spec_is_looked_at_here() -> None:
    names = {field.name for field in fields(ClipSpec)}
    assert names == CUT_OTHERWISE.keys() | CUT_ALIKE.keys()


@pytest.mark.parametrize("name", CUT_OTHERWISE)
def test_what_is_cut_otherwise_is_kept_elsewhere(cutter: Cutter, name: str) -> None:
    other = with_spec(cutter, **{name: CUT_OTHERWISE[name]})
    assert other.subfolder != cutter.subfolder
    # A face is where it is, whatever is cut around it.
    assert boxes(other).subfolder == boxes(cutter).subfolder


def test_what_is_cut_alike_is_kept_once(cutter: Cutter) -> None:
    for name, value in CUT_ALIKE.items():
        assert with_spec(cutter, **{name: value}).subfolder == cutter.subfolder, name


def test_another_decoder_gives_other_pixels_and_the_same_faces(cutter: Cutter) -> None:
    other = replace(cutter, decoder="decord")
    assert other.subfolder != cutter.subfolder
    assert boxes(other).subfolder == boxes(cutter).subfolder


def test_another_detector_finds_other_faces(cutter: Cutter) -> None:
    others = [replace(cutter, detector=name, yunet_file=None) for name in ("cascade", "none")]
    for kept in ([cutter, *others], list(map(boxes, [cutter, *others]))):
        # The name of the detector is in the folder's, but is not all that tells them apart.
        digests = {how.subfolder.name.rpartition("-")[2] for how in kept}
        assert len(digests) == 3


def test_another_face_model_finds_other_faces(cutter: Cutter, tmp_path: Path) -> None:
    moved, other = tmp_path / "moved.onnx", tmp_path / "other.onnx"
    moved.write_bytes(b"weights")
    other.write_bytes(b"other weights")
    for how in (cutter, boxes(cutter)):
        assert replace(how, yunet_file=moved).subfolder == how.subfolder
        assert replace(how, yunet_file=other).subfolder != how.subfolder


def test_faces_with_landmarks_are_kept_apart(cutter: Cutter) -> None:
    for how in (cutter, boxes(cutter)):
        assert replace(how, finds_landmarks=True).subfolder != how.subfolder


def test_a_new_format_of_the_cache_finds_nothing_of_the_old(
    cutter: Cutter, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [how.subfolder for how in (cutter, boxes(cutter))]
    monkeypatch.setattr("trainer.crops.CACHE_FORMAT", 10**6)
    after = [replace(how).subfolder for how in (cutter, boxes(cutter))]
    assert not set(before) & set(after)


def test_padded_crops_are_wider_at_the_same_scale(cutter: Cutter) -> None:
    padded = cutter.padded(0.25)
    assert padded.subfolder != cutter.subfolder
    assert padded.spec.image_size == 40
    assert 1 + padded.spec.crop_margin == pytest.approx(1.1 * 1.25)
