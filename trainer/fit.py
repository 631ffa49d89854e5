"""One stage of training: cosine schedule, resumable, the best or the last epoch kept."""

from __future__ import annotations

import gc
import importlib
import json
import logging
import math
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from torch.utils.data import default_collate
from transformers import (
    EvalPrediction,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from realtime_mood.errors import OutputError, UsageError, first_line
from realtime_mood.model.labels import LABELS
from realtime_mood.model.precision import has_cuda
from trainer import checkpoints, processes
from trainer.attention import fused_attention
from trainer.augment.mix import mix_pairs
from trainer.clip_trainer import SHORTER, ClipTrainer
from trainer.config import RecipeConfig, TrainConfig
from trainer.config.options import flag_of
from trainer.dataset import EvaluationClips, Item, TrainingClips
from trainer.frame_learner import timesformer_of
from trainer.metrics import accuracy, confusion_matrix, unweighted_recall
from trainer.pace import Pace, PaceMeter
from trainer.predictions import Predictions
from trainer.progress import Progress
from trainer.whole_files import write_whole

logger = logging.getLogger(__name__)

FINISHED_FILE = "finished.safetensors"
HISTORY_FILE = "history.json"
LARGEST_GRADIENT = 1.0
PREFETCH = 4
"""Batches that each worker prepares ahead."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is particular to one stage."""

    name: str
    """Names its folder in the run folder, and the progress shown."""
    epochs: float
    """How often the data is gone through."""
    learning_rate: float
    """Peak of the schedule."""
    head_only: bool = False
    """Everything but the classifier is frozen."""


def fit(
    model: nn.Module,
    stage: Stage,
    config: TrainConfig,
    *,
    data: TrainingClips,
    validation: EvaluationClips | None,
    progress: Progress,
) -> Pace | None:
    """Train a model in place; with validation clips and `keep` 'best', keep the best epoch.

    What the stage needs to resume lies in `run/NAME` of the output folder, and what it logged in
    its `history.json`. With `--resume`, a finished stage is read from there, an interrupted one
    goes on.

    Args:
        model: called with `pixel_values`; answers logits.
        stage: its epochs and learning rate.
        config: the run's options.
        data: what is learned from.
        validation: None: the last epoch is kept.
        progress: told the steps.

    Returns:
        How fast it went; None where the stage was finished before, or too short to tell.

    Raises:
        UsageError: the batch cannot be shared among the processes.
        OutputError: the run folder cannot be written.
        RealtimeMoodError: the loss is not a number.
    """
    folder = config.run_folder / stage.name
    finished = folder / FINISHED_FILE
    if config.run.resume and finished.is_file():
        logger.info("%s: finished before, read from %s", stage.name, finished)
        read_finished(model, finished)
        return None
    last = checkpoints.newest(folder) if config.run.resume else None
    if last:
        logger.info("%s: goes on after step %s", stage.name, checkpoints.step_of(last))
    if config.run.gradient_checkpointing:
        _compute_activations_twice(timesformer_of(model))
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    if stage.head_only:
        _freeze_all_but_classifier(model)
    meter = PaceMeter()
    trainer = ClipTrainer(
        recipe=config.recipe,
        learning_rate=stage.learning_rate,
        checkpoint_every=config.run.checkpoint_every,
        model=model,
        args=_arguments(
            folder, stage, config, measures=validation is not None, starts=last is None
        ),
        train_dataset=data,
        eval_dataset=validation,
        data_collator=Collator(config.recipe),
        compute_metrics=_recording_metrics(validation) if validation else None,
        callbacks=[meter, _Report(stage.name, progress), *_reporters(config, stage.name)],
    )
    trainer.remove_callback(PrinterCallback)
    if config.run.max_steps:
        # transformers would go through more epochs to reach as many.
        an_epoch = math.ceil(len(trainer.get_train_dataloader()) / config.run.accumulate)
        trainer.args.max_steps = min(config.run.max_steps, math.ceil(stage.epochs * an_epoch))
    # On a CPU the fused kernels are slower backwards, in bfloat16 tenfold.
    attention = fused_attention(model) if has_cuda() else nullcontext()
    with attention, warnings.catch_warnings():
        # torch asks for the optimizer's first step before the scheduler's, which accelerate keeps.
        warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    trainer.keep_average()
    # accelerate's rounding is of this stage alone; a model with its mark is not rounded again.
    for mark in ("forward", "_original_forward", "_is_accelerate_prepared"):
        vars(model).pop(mark, None)
    for weights in trained:
        weights.requires_grad_(True)
    model.cpu()
    processes.wait_for_all()
    if processes.is_first():
        _end_reports(config)
        with checkpoints.explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            history = json.dumps(trainer.state.log_history, indent=2) + "\n"
            write_whole(folder / HISTORY_FILE, history)
            beside = folder / f".{FINISHED_FILE}"
            save_model(model, str(beside))
            # What it was made from is removed next: it must outlast a power cut.
            checkpoints.push_to_disk(beside)
            beside.replace(finished)
            checkpoints.remove_others(folder, keep=())
    # The others may read what the first wrote.
    processes.wait_for_all()
    # What the optimizer and the average hold of a GPU would stay until Python looks for cycles.
    del trainer
    gc.collect()
    pace = meter.pace(config.recipe.batch_size)
    if pace:
        logger.info("%s: %s", stage.name, pace)
    return pace


def read_finished(model: nn.Module, file: Path) -> None:
    """Give a model the weights that a stage left.

    Raises:
        OutputError: they cannot be read.
    """
    try:
        load_model(model, file)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise OutputError(
            f"{file} is damaged ({first_line(error)}); delete it, and --resume does this stage anew"
        ) from error


def _end_reports(config: TrainConfig) -> None:
    """The next stage's curves are another run's."""
    if config.run.report_to == "wandb":
        importlib.import_module("wandb").finish()


class Collator:
    """Items to a batch; in training, mixed in pairs where the recipe wants it.

    Args:
        recipe: of the run.
    """

    def __init__(self, recipe: RecipeConfig) -> None:
        self._recipe = recipe

    def __call__(self, items: list[Item]) -> dict[str, Any]:
        """A batch of tensors by the items' keys, and those that `mix_pairs` adds.

        Clips of fewer frames, where there are any, are a batch of their own in it, `SHORTER`.
        """
        most = max(len(item["pixel_values"]) for item in items)
        shorter = [item for item in items if len(item["pixel_values"]) < most]
        batch = self._batch([item for item in items if len(item["pixel_values"]) == most])
        return {**batch, SHORTER: self._batch(shorter)} if shorter else batch

    def _batch(self, items: list[Item]) -> dict[str, Any]:
        batch: dict[str, Tensor] = default_collate(items)
        return mix_pairs(batch, self._recipe) if "keys" in batch and self._recipe.mixes else batch


def share_of_batch(config: TrainConfig, batch: str = "batch_size") -> int:
    """Clips that a process works through at a time.

    Args:
        config: of the run.
        batch: option of the recipe that says how large the batch is.

    Raises:
        UsageError: the batch cannot be shared.
    """
    recipe, parts = config.recipe, processes.count() * config.run.accumulate
    # Pairs that are mixed stay together, or the result would depend on how they are shared.
    unit = parts * 2 if recipe.mixes and parts > 1 else parts
    if (size := getattr(recipe, batch)) % unit:
        mixed = " with mixup or cutmix" if unit > parts else ""
        raise UsageError(
            f"{flag_of(batch)} is {size}; for {processes.count()} processes and "
            f"--accumulate {config.run.accumulate}{mixed} it must be a multiple of {unit}"
        )
    return int(size // parts)


def _arguments(
    folder: Path, stage: Stage, config: TrainConfig, *, measures: bool, starts: bool
) -> TrainingArguments:
    batch_size = share_of_batch(config)
    has_gpu = has_cuda()
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=stage.epochs,
        per_device_train_batch_size=batch_size,
        per_device_eval_batch_size=batch_size,
        gradient_accumulation_steps=config.run.accumulate,
        lr_scheduler_type="cosine",
        warmup_steps=config.recipe.warmup,
        max_grad_norm=LARGEST_GRADIENT,
        bf16=config.run.precision == "bf16",
        fp16=config.run.precision == "fp16",
        use_cpu=not has_gpu,
        seed=config.run.seed,
        dataloader_num_workers=config.run.num_workers,
        dataloader_persistent_workers=config.run.num_workers > 0,
        dataloader_pin_memory=has_gpu,
        dataloader_prefetch_factor=PREFETCH if config.run.num_workers else None,
        accelerator_config={"non_blocking": has_gpu},
        ddp_find_unused_parameters=False,
        # A process whose part of a batch has clips of one length goes forward once, not twice, and
        # would wait for ever for the others. Only the statistics of a `PictureTeacher` change in
        # training, and each process has its own, of its share of the pictures.
        ddp_broadcast_buffers=False,
        remove_unused_columns=False,
        label_names=["labels"],
        eval_strategy="epoch" if measures else "no",
        # A broken evaluation is to fail before the first step.
        eval_on_start=measures and starts,
        save_strategy="epoch",
        load_best_model_at_end=measures and config.recipe.keep == "best",
        metric_for_best_model="accuracy" if measures else None,
        logging_steps=50,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=["wandb"] if config.run.report_to == "wandb" else [],
        run_name=f"{config.run.output.name}-{stage.name}",
    )
    # Without torchrun one GPU is used: transformers would share batches among all of them by
    # nn.DataParallel, which is slow, and would change the batch.
    if arguments.n_gpu > 1:
        logger.warning("one of %d GPUs is used; torchrun uses all", arguments.n_gpu)
        arguments._n_gpu = 1
    return arguments


def _compute_activations_twice(model: Any) -> None:
    # transformers renamed this in the course of its version 5.
    if hasattr(model, "activation_checkpointing_enable"):
        model.activation_checkpointing_enable({"use_reentrant": False})
    else:
        model.gradient_checkpointing_enable({"use_reentrant": False})


def _freeze_all_but_classifier(model: nn.Module) -> None:
    model.requires_grad_(False)
    timesformer_of(model).classifier.requires_grad_(True)


def _reporters(config: TrainConfig, stage: str) -> list[TrainerCallback]:
    if config.run.report_to != "tensorboard" or not processes.is_first():
        return []
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations.integration_utils import TensorBoardCallback

    writer = SummaryWriter(str(config.run.output / "tensorboard" / stage))
    return [TensorBoardCallback(writer)]  # type: ignore[no-untyped-call]


def _recording_metrics(clips: EvaluationClips) -> Callable[[EvalPrediction], dict[str, float]]:
    def compute(prediction: EvalPrediction) -> dict[str, float]:
        logits = np.asarray(prediction.predictions).reshape(-1, clips.count, len(LABELS))
        said = Predictions.of(logits, clips.recordings, temperature=1.0)
        predicted = said.probabilities().argmax(axis=1)
        confusion = confusion_matrix(said.labels, predicted, len(LABELS))
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
