"""One stage of training with the Hugging Face Trainer: AdamW, cosine schedule, resumable."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from torch import nn
from torch.utils.data import Dataset
from transformers import (
    EvalPrediction,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from realtime_mood.errors import OutputError
from realtime_mood.model.labels import LABELS
from trainer.config import TrainConfig
from trainer.crops import Progress
from trainer.dataset import EvaluationClips, Item
from trainer.metrics import accuracy, confusion_matrix, softmax, unweighted_recall

logger = logging.getLogger(__name__)

FINISHED_FILE = "finished.safetensors"
WEIGHT_DECAY = 0.05
ADAM_BETA2 = 0.98
WARMUP_SHARE = 0.06
LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is particular to one stage."""

    name: str
    """Names its folder in the run folder, and the progress shown."""
    epochs: float
    """How often the data is gone through."""
    batch_size: int
    """Items of one step."""
    learning_rate: float
    """Peak of the schedule."""


def fit(
    model: nn.Module,
    stage: Stage,
    config: TrainConfig,
    *,
    data: Dataset[Item],
    validation: EvaluationClips | None,
    progress: Progress,
) -> None:
    """Train a model in place; with validation clips, keep the epoch that does best on them.

    What the stage needs to resume lies in `run/NAME` of the output folder. With `--resume`, a
    finished stage is read from there, an interrupted one goes on.

    Args:
        model: called with the items of `data`; answers loss or logits.
        stage: its epochs, batch and learning rate.
        config: the run's options.
        data: what is learned from.
        validation: None: the last epoch is kept.
        progress: told the steps.

    Raises:
        OutputError: the run folder cannot be written.
    """
    folder = config.run_folder / stage.name
    finished = folder / FINISHED_FILE
    if config.run.resume and finished.is_file():
        logger.info("%s: finished before, read from %s", stage.name, finished)
        load_model(model, finished)
        return
    arguments = _arguments(folder, stage, config, has_validation=validation is not None)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        eval_dataset=validation,
        compute_metrics=_recording_metrics(validation) if validation else None,
        callbacks=[_Report(stage.name, progress)],
    )
    trainer.remove_callback(PrinterCallback)
    last: str | None = None
    if config.run.resume and folder.is_dir():
        last = get_last_checkpoint(str(folder))  # type: ignore[no-untyped-call]
    try:
        trainer.train(resume_from_checkpoint=last)
        folder.mkdir(parents=True, exist_ok=True)
        model.cpu()
        save_model(model, str(finished))
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error}); make room or choose another --output"
        ) from error


def predict_logits(
    model: nn.Module, clips: EvaluationClips, *, batch_size: int, num_workers: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Logits of fixed clips, shape (recordings, clips a recording, labels)."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loader = torch.utils.data.DataLoader(clips, batch_size=batch_size, num_workers=num_workers)
    model.to(device).eval()
    with torch.inference_mode():
        rows = [
            model(pixel_values=batch["pixel_values"].to(device)).logits.float().cpu().numpy()
            for batch in loader
        ]
    model.cpu()
    logits = np.concatenate(rows).astype(np.float64)
    return logits.reshape(len(clips.recordings), clips.count, len(LABELS))


def _arguments(
    folder: Path, stage: Stage, config: TrainConfig, *, has_validation: bool
) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=stage.epochs,
        max_steps=config.run.max_steps or -1,
        per_device_train_batch_size=stage.batch_size,
        per_device_eval_batch_size=stage.batch_size,
        learning_rate=stage.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=WARMUP_SHARE,
        weight_decay=WEIGHT_DECAY,
        adam_beta2=ADAM_BETA2,
        max_grad_norm=LARGEST_GRADIENT,
        bf16=config.run.precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        seed=config.run.seed,
        dataloader_num_workers=config.run.num_workers,
        dataloader_persistent_workers=config.run.num_workers > 0,
        remove_unused_columns=False,
        label_names=["labels"],
        eval_strategy="epoch" if has_validation else "no",
        # A broken evaluation is to fail before the first step.
        eval_on_start=has_validation,
        save_strategy="epoch",
        save_total_limit=1,
        load_best_model_at_end=has_validation,
        metric_for_best_model="accuracy" if has_validation else None,
        logging_steps=50,
        disable_tqdm=True,
        report_to=[],
    )


def _recording_metrics(clips: EvaluationClips) -> Callable[[EvalPrediction], dict[str, float]]:
    def compute(prediction: EvalPrediction) -> dict[str, float]:
        logits = np.asarray(prediction.predictions).reshape(-1, clips.count, len(LABELS))
        predicted = softmax(logits).mean(axis=1).argmax(axis=1)
        labels = [crops.recording.label for crops in clips.recordings]
        confusion = confusion_matrix(labels, predicted, len(LABELS))
        return {"accuracy": accuracy(confusion), "uar": unweighted_recall(confusion)}

    return compute


class _Report(TrainerCallback):
    """Hands steps to the progress function and figures to the log."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        self._progress(self._name, state.global_step, state.max_steps)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        figures = {
            key.removeprefix("eval_"): value
            for key, value in (logs or {}).items()
            if key in ("loss", "eval_loss", "eval_accuracy", "eval_uar")
        }
        if figures:
            where = "validation" if "accuracy" in figures else "training"
            text = ", ".join(f"{key} {float(value):.3f}" for key, value in figures.items())
            step, steps = state.global_step, state.max_steps
            logger.info("%s: step %d of %d, %s: %s", self._name, step, steps, where, text)
