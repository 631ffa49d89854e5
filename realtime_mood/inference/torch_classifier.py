"""TimeSformer in PyTorch, on whatever device there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from realtime_mood.errors import ModelError, UsageError, first_line, is_out_of_memory
from realtime_mood.inference.classifier import Probabilities
from realtime_mood.model.checkpoint import Contract, load_model
from realtime_mood.model.forward import QuickForward
from realtime_mood.model.labels import LABELS
from realtime_mood.model.precision import fastest_dtype, has_cuda
from realtime_mood.model.preprocess import PixelValues


class TorchClassifier:
    """A checkpoint on a device, in half precision where the device computes faster so.

    float32 on an Apple GPU and on CPUs that do not multiply bfloat16 themselves.

    Args:
        folder: a checkpoint folder.
        contract: what `read_contract` says of it.
        device: one of `realtime_mood.choices.DEVICE_CHOICES`.

    Raises:
        ModelError: the weights cannot be loaded, or the model cannot run on the device, for want
            of memory for one.
        UsageError: the device is not there.
    """

    def __init__(self, folder: Path, contract: Contract, *, device: str) -> None:
        self._folder = folder
        self._contract = contract
        self._device = torch.device(_available_device(device))
        self._model = load_model(folder)
        self._logits = QuickForward(self._model)
        spec = contract.spec
        self._clip_shape = (spec.num_frames, 3, spec.image_size, spec.image_size)
        try:
            self._dtype = fastest_dtype(self._device)
            self._model.to(device=self._device, dtype=self._dtype)  # type: ignore[call-arg]
            answer = self._answer(np.zeros((1, *self._clip_shape), dtype=np.float32))
        except RuntimeError as error:
            raise self._cannot_run(error) from error
        if not np.isfinite(answer).all():
            raise ModelError(
                f"the model in {folder} answers what is no number; its weights are broken, "
                "train or copy it again"
            )

    @property
    def name(self) -> str:
        """Device and number format."""
        return f"{self._device.type} {str(self._dtype).removeprefix('torch.')}"

    def classify(self, pixel_values: PixelValues) -> Probabilities:
        """See `Classifier.classify`.

        Raises:
            ModelError: the device fails, or has no memory for one clip.
        """
        wanted = self._clip_shape
        if pixel_values.ndim != 5 or pixel_values.shape[1:] != wanted or not len(pixel_values):
            raise ValueError(
                f"pixel_values have shape {pixel_values.shape}; the model wants "
                f"(clips, {', '.join(map(str, wanted))})"
            )
        try:
            probabilities = self._answer_or_none(pixel_values)
            if probabilities is None:
                # Other programs take memory too; one clip needs least.
                probabilities = np.concatenate([self._answer(clip[None]) for clip in pixel_values])
        except RuntimeError as error:
            raise self._cannot_run(error) from error
        # A clip that overflows tells nothing, and must not spoil those after it.
        probabilities[~np.isfinite(probabilities).all(axis=1)] = 1.0 / len(LABELS)
        return probabilities

    def _cannot_run(self, error: RuntimeError) -> ModelError:
        device = "" if self._device.type == "cpu" else "--device cpu or "
        return ModelError(
            f"the model in {self._folder} cannot run on {self._device} ({first_line(error)}); "
            f"try {device}a smaller model"
        )

    def _answer_or_none(self, pixel_values: PixelValues) -> Probabilities | None:
        """None: there is no memory for several clips at once."""
        try:
            return self._answer(pixel_values)
        except RuntimeError as error:
            if len(pixel_values) == 1 or not is_out_of_memory(error):
                raise
        # Only now is the memory of what failed free: the error holds on to it.
        return None

    def _answer(self, pixel_values: PixelValues) -> Probabilities:
        batch = torch.from_numpy(pixel_values).to(device=self._device, dtype=self._dtype)
        with torch.inference_mode():
            logits = self._logits(batch)
        # Apple's GPUs have no 64-bit numbers, so the move to the CPU comes first.
        scaled = logits.float().cpu().double() / self._contract.temperature
        probabilities: Probabilities = torch.softmax(scaled, dim=-1).numpy()
        return probabilities


def _available_device(choice: str) -> str:
    has_mps = torch.backends.mps.is_available()
    if choice == "auto":
        return "cuda" if has_cuda() else "mps" if has_mps else "cpu"
    if (choice == "cuda" and not torch.cuda.is_available()) or (choice == "mps" and not has_mps):
        build = ""
        if choice == "cuda" and torch.version.cuda is None:
            build = ", for it was built without CUDA; its installation page names builds with it"
        raise UsageError(
            f"--device {choice}: PyTorch sees no such device here{build}; use --device auto"
        )
    return choice
