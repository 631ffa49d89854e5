from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime_mood.choices import DEVICE_CHOICES
from realtime_mood.errors import ModelError, UsageError
from realtime_mood.model.checkpoint import read_contract
from tests.fakes import SPEC

SHAPE = (2, SPEC.num_frames, 3, SPEC.image_size, SPEC.image_size)


def test_each_clip_gets_probabilities_of_its_own(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realtime_mood.inference.torch_classifier import TorchClassifier

    monkeypatch.setattr("realtime_mood.model.precision.FAST_BFLOAT16", ())
    classifier = TorchClassifier(checkpoint, read_contract(checkpoint), device="cpu")
    assert classifier.name == "cpu float32"
    clips = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    both = classifier.classify(clips)
    assert both.dtype == np.float64
    assert both.shape == (2, 8)
    np.testing.assert_allclose(both.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(both[:1], classifier.classify(clips[:1]), atol=1e-6)
    for other in (clips[:, :4], clips[..., :-8], clips[0], clips[:0]):
        with pytest.raises(ValueError, match="the model wants"):
            classifier.classify(other)


@pytest.mark.parametrize("instructions", ["avx512_bf16", "amx_bf16"])
def test_a_cpu_that_multiplies_bfloat16_is_asked_to(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, instructions: str
) -> None:
    from realtime_mood.inference.torch_classifier import TorchClassifier

    contract = read_contract(checkpoint)
    able = {"avx512_bf16": False, "amx_bf16": False}
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: able, raising=False)
    exact = TorchClassifier(checkpoint, contract, device="cpu")
    assert exact.name == "cpu float32"
    able[instructions] = True
    fast = TorchClassifier(checkpoint, contract, device="cpu")
    assert fast.name == "cpu bfloat16"
    clips = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    found, wanted = fast.classify(clips), exact.classify(clips)
    assert (found != wanted).any()
    np.testing.assert_allclose(found, wanted, atol=0.02)


@pytest.mark.parametrize("message", ["CUDA out of memory.\nTried to allocate 20 GiB", ""])
def test_memory_that_runs_out_in_the_first_clip_is_one_line(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    import torch

    from realtime_mood.inference.torch_classifier import TorchClassifier
    from realtime_mood.model.forward import QuickForward

    def run_out(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError(message)

    monkeypatch.setattr(QuickForward, "__call__", run_out)
    with pytest.raises(ModelError, match="cannot run on cpu") as caught:
        TorchClassifier(checkpoint, read_contract(checkpoint), device="cpu")
    assert (message.splitlines() or ["OutOfMemoryError"])[0] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("OutOfMemoryError", "CUDA out of memory.\nTried to allocate 20 GiB"),
        ("AcceleratorError", "CUDA error: out of memory"),
        ("RuntimeError", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        ("RuntimeError", "MPS backend out of memory (MPS allocated: 17 GiB)"),
    ],
)
def test_memory_that_runs_out_later_is_asked_for_one_clip_at_a_time(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, kind: str, message: str
) -> None:
    import torch

    from realtime_mood.inference.torch_classifier import TorchClassifier
    from realtime_mood.model.forward import QuickForward

    answer = QuickForward.__call__
    failure = getattr(torch, kind, RuntimeError)
    room = 1

    def run_out(quick: QuickForward, pixel_values: torch.Tensor) -> torch.Tensor:
        if len(pixel_values) > room:
            raise failure(message)
        return answer(quick, pixel_values)

    monkeypatch.setattr("realtime_mood.model.precision.FAST_BFLOAT16", ())
    classifier = TorchClassifier(checkpoint, read_contract(checkpoint), device="cpu")
    clips = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    wanted = classifier.classify(clips)
    monkeypatch.setattr(QuickForward, "__call__", run_out)
    np.testing.assert_allclose(classifier.classify(clips), wanted, atol=1e-6)
    room = 0
    with pytest.raises(ModelError) as caught:
        classifier.classify(clips)
    assert f"cannot run on cpu ({message.splitlines()[0]})" in str(caught.value)


def test_another_fault_of_a_gpu_is_not_asked_for_again(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realtime_mood.inference.torch_classifier import TorchClassifier
    from realtime_mood.model.forward import QuickForward

    classifier = TorchClassifier(checkpoint, read_contract(checkpoint), device="cpu")
    asked: list[int] = []

    def fail(_: QuickForward, pixel_values: Any) -> None:
        asked.append(len(pixel_values))
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(QuickForward, "__call__", fail)
    with pytest.raises(ModelError, match="illegal memory access"):
        classifier.classify(np.zeros(SHAPE, dtype=np.float32))
    assert asked == [SHAPE[0]]


@pytest.mark.parametrize(
    ("failure", "has_cuda", "taken"),
    [
        (None, True, "cuda"),
        ("CUDA error: out of memory", True, "cuda"),
        ("CUDA error: all CUDA-capable devices are busy or unavailable", True, "cuda"),
        ("CUDA error: no kernel image is available for execution on the device", False, "cpu"),
    ],
)
def test_a_gpu_that_pytorch_was_not_built_for_is_none(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: str | None,
    has_cuda: bool,
    taken: str,
) -> None:
    import torch

    from realtime_mood.inference.torch_classifier import _available_device
    from realtime_mood.model import precision

    numbers = torch.ones

    def compute(*shape: int, device: str) -> torch.Tensor:
        if failure:
            raise RuntimeError(failure)
        return numbers(*shape)

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    monkeypatch.setattr("torch.ones", compute)
    precision.has_cuda.cache_clear()
    try:
        assert precision.has_cuda() is has_cuda
        assert _available_device("auto") == taken
        assert ("no kernel image" in caplog.text) is not has_cuda
        assert len(caplog.records) == (not has_cuda)
    finally:
        precision.has_cuda.cache_clear()


@pytest.mark.parametrize(("able", "name"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_that_only_emulates_bfloat16_runs_in_float32(
    monkeypatch: pytest.MonkeyPatch, able: bool, name: str
) -> None:
    import torch

    from realtime_mood.model.precision import fastest_dtype

    def is_supported(including_emulation: bool = True) -> bool:
        return including_emulation or able

    monkeypatch.setattr("torch.cuda.is_bf16_supported", is_supported)
    assert fastest_dtype(torch.device("cuda")) == getattr(torch, name)


def test_a_device_that_is_not_there_is_refused(checkpoint: Path) -> None:
    import torch

    from realtime_mood.inference.torch_classifier import TorchClassifier

    absent = {
        "cuda": not torch.cuda.is_available(),
        "mps": not torch.backends.mps.is_available(),
    }
    assert {"auto", "cpu", *absent} == set(DEVICE_CHOICES)
    for device, is_absent in absent.items():
        if is_absent:
            with pytest.raises(UsageError, match=f"--device {device}"):
                TorchClassifier(checkpoint, read_contract(checkpoint), device=device)


def test_a_clip_that_overflows_tells_nothing_and_broken_weights_are_refused(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from realtime_mood.inference.torch_classifier import TorchClassifier
    from realtime_mood.model.forward import QuickForward

    answer = QuickForward.__call__

    def overflow(quick: QuickForward, pixel_values: torch.Tensor) -> torch.Tensor:
        logits = answer(quick, pixel_values)
        bright = pixel_values.float().mean(dim=(1, 2, 3, 4)) > 10.0
        logits[bright, 3] = torch.nan
        return logits

    monkeypatch.setattr(QuickForward, "__call__", overflow)
    classifier = TorchClassifier(checkpoint, read_contract(checkpoint), device="cpu")
    clips = np.zeros(SHAPE, dtype=np.float32)
    clips[1] = 100.0
    one, other = classifier.classify(clips)
    assert np.ptp(one) > 0.0
    assert other == pytest.approx(np.full(8, 1 / 8))

    def broken(quick: QuickForward, pixel_values: torch.Tensor) -> torch.Tensor:
        return overflow(quick, pixel_values + 100.0)

    monkeypatch.setattr(QuickForward, "__call__", broken)
    with pytest.raises(ModelError, match="answers what is no number; its weights are broken"):
        TorchClassifier(checkpoint, read_contract(checkpoint), device="cpu")
