"""Hugging Face's Trainer with what it does not have.

- what is random about a clip follows from the clip's key, and the order of clips from the epoch;
- layer-wise learning rates, a moving average of the weights that is measured and kept;
- a loss that is not a number ends the run before it reaches the weights;
- checkpoints are whole or not there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from realtime_mood.errors import RealtimeMoodError
from trainer import checkpoints, processes
from trainer.config import RecipeConfig
from trainer.config.recipe import SECOND_TASKS
from trainer.dataset import TrainingClips
from trainer.drop_path import DropPaths
from trainer.frame_learner import timesformer_of
from trainer.loss import batch_loss, taught_loss
from trainer.optimizer import parameter_groups
from trainer.sampler import ClipSampler, draw_weights
from trainer.weights_average import WeightsAverage

ADAM_BETAS = (0.9, 0.98)
SHORTER = "shorter"
"""In a batch, the batch of its clips that have fewer frames than the others."""
TAUGHT_WEIGHT = 3.0
"""Of what a teacher says of a clip, against what it is called."""
MOST_NAMED = 8
"""Files in a message."""


class ClipTrainer(Trainer):
    """Trains a TimeSformer, or what holds one, on clips; or a network of pictures.

    Args:
        recipe: how.
        learning_rate: peak of the schedule.
        checkpoint_every: steps between checkpoints besides those of the epochs; None: only those.
        others: what `transformers.Trainer` takes.
    """

    # The loss is a mean over the batch; the Trainer divides it among accumulated parts.
    loss_is_scaled_for_ga = False

    def __init__(
        self,
        *,
        recipe: RecipeConfig,
        learning_rate: float,
        checkpoint_every: int | None,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.model_accepts_loss_kwargs = False
        self._recipe = recipe
        self._learning_rate = learning_rate
        self._batch: list[int] = []
        model: Any = self.model
        self._learner = model
        self._timesformer = timesformer_of(model)
        self._drop_paths = DropPaths(self._timesformer, recipe.drop_path)
        self._average = WeightsAverage(model, recipe.ema)
        data = self.train_dataset
        assert isinstance(data, TrainingClips)
        recordings = [crops.recording for crops in data.recordings]
        self._names = [recording.path.name for recording in recordings]
        weights = draw_weights(
            [recording.label for recording in recordings],
            [recording.weight for recording in recordings],
            corpora=[recording.corpus for recording in recordings],
            balance=recipe.class_balance,
        )
        self._sampler = ClipSampler(
            weights,
            batch_size=recipe.batch_size,
            repeats=recipe.repeats,
            seed=self.args.seed,
        )
        self.add_callback(_EachStep(self, checkpoint_every))

    @property
    def steps_an_epoch(self) -> int:
        """Steps of one epoch."""
        return len(self._sampler) // self._recipe.batch_size

    def _get_train_sampler(self, train_dataset: Any = None) -> ClipSampler:
        return self._sampler

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW over groups by depth."""
        if self.optimizer is None:
            groups = parameter_groups(
                self._learner.named_parameters(),
                layers=self._timesformer.config.num_hidden_layers if self._timesformer else 0,
                learning_rate=self._learning_rate,
                layer_decay=self._recipe.layer_decay,
                weight_decay=self._recipe.weight_decay,
            )
            # Scaled gradients come to the fused kernel another way, which a resumed optimizer that
            # was not fused does not know.
            is_fused = self.args.device.type == "cuda" and not self.args.fp16
            self.optimizer = torch.optim.AdamW(groups, betas=ADAM_BETAS, fused=is_fused)
        return self.optimizer

    def _get_learning_rate(self) -> float:
        # The classifier's; the first group's, which would be told, is that of the first layer.
        assert self.lr_scheduler is not None
        return max(map(float, self.lr_scheduler.get_last_lr()))

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Cross-entropy of a batch, and of what the model is asked besides.

        Of a batch with shorter clips in it, the mean of both losses, each clip counting the same.
        """
        if SHORTER not in inputs:
            return self._loss(model, inputs, return_outputs)
        assert not return_outputs, "clips that are measured are of one length"
        shorter = inputs.pop(SHORTER)
        losses = torch.stack([self._loss(model, part, False) for part in (inputs, shorter)])
        counts = torch.tensor([len(inputs["labels"]), len(shorter["labels"])], device=losses.device)
        return losses @ (counts / counts.sum())

    def _loss(self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool) -> Any:
        if model.training:
            self._batch += inputs["indices"].tolist()
            self._drop_paths.draw(inputs["keys"].tolist(), self.args.device)
        asked = {name: inputs[name] for name in SECOND_TASKS if name in inputs}
        pixel_values = inputs["pixel_values"]
        with self._of_frames(pixel_values.shape[1]):
            outputs = model(pixel_values=pixel_values, **asked)
        smoothing: float | Tensor = self._recipe.label_smoothing if model.training else 0.0
        if "hidden" in inputs:
            # What nobody could tell may be anything.
            smoothing = torch.where(inputs["hidden"], 1.0, smoothing)[:, None]
        loss = batch_loss(outputs["logits"], inputs, smoothing=smoothing)
        if "taught" in outputs:
            taught = taught_loss(
                outputs["logits"],
                outputs["taught"],
                inputs["known_labels"],
                shown=inputs["shown"],
            )
            loss = loss + TAUGHT_WEIGHT * taught
        for name in asked:
            loss = loss + getattr(self._recipe, name) * outputs[name]
        if model.training and not math.isfinite(value := loss.item()):
            self._give_up(f"the loss is {value}")
        return (loss, {"loss": loss, "logits": outputs["logits"]}) if return_outputs else loss

    @contextmanager
    def _of_frames(self, count: int) -> Iterator[None]:
        # TimeSformer's layers go by what the configuration says, whatever they are given.
        if self._timesformer is None:
            yield
            return
        config = self._timesformer.config
        usual, config.num_frames = config.num_frames, count
        try:
            yield
        finally:
            config.num_frames = usual

    def before_step(self) -> None:
        """Called when gradients are there and clipped, before the weights move."""
        # fp16 skips steps with infinite gradients by itself, and lowers its scale.
        if not self.args.fp16:
            gradients = [p.grad for p in self._learner.parameters() if p.grad is not None]
            norm = float(torch.nn.utils.get_total_norm(gradients))
            if not math.isfinite(norm):
                self._give_up(f"the gradient is {norm}")
        self._batch = []

    def after_step(self) -> None:
        """Called when the weights have moved."""
        self._average.update()

    def start_epoch(self) -> None:
        """Called before the clips of an epoch are drawn."""
        self._sampler.epoch = self.state.global_step // self.steps_an_epoch

    def _give_up(self, what: str) -> None:
        names = sorted({self._names[index] for index in self._batch})
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        raise RealtimeMoodError(
            f"{what} at step {self.state.global_step + 1}, in a batch of "
            f"{', '.join(names[:MOST_NAMED])}{more}; look at these files, or lower "
            "--learning-rate; the checkpoint before is whole"
        )

    def evaluate(self, *arguments: Any, **others: Any) -> dict[str, float]:
        """Measure the average of the weights."""
        with self._average.in_place():
            return super().evaluate(*arguments, **others)

    def keep_average(self) -> None:
        """Make the average the model's weights, for good; the last thing done with it."""
        self._average.exchange()

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        step = self.state.global_step
        folder = Path(self.args.output_dir or "")
        final = checkpoints.final_folder(folder, step)
        beside = folder / f".{final.name}"
        if self.state.best_global_step == step:
            self.state.best_model_checkpoint = str(final)
        with checkpoints.explained(folder):
            if processes.is_first():
                folder.mkdir(parents=True, exist_ok=True)
                checkpoints.remove_others(folder, keep=folder.glob(f"{checkpoints.PREFIX}*"))
        processes.wait_for_all()
        try:
            with checkpoints.explained(folder):
                self._write(beside)
        except BaseException:
            checkpoints.remove_others(folder, keep=folder.glob(f"{checkpoints.PREFIX}*"))
            raise
        processes.wait_for_all()
        if processes.is_first():
            with checkpoints.explained(folder):
                checkpoints.publish(beside, final)
                best = self.state.best_model_checkpoint
                checkpoints.remove_others(folder, keep=[final, Path(best)] if best else [final])

    def _write(self, folder: Path) -> None:
        name = str(folder)
        self.store_flos()
        self.save_model(name, _internal_call=True)
        self._save_optimizer_and_scheduler(name)
        self._save_scaler(name)
        self._save_rng_state(name)
        if processes.is_first():
            self._average.save(folder)
            self.state.save_to_json(str(folder / "trainer_state.json"))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        self._average.load(Path(resume_from_checkpoint))

    def _load_scaler(self, checkpoint: str | None) -> None:
        # A run begun in fp16 may go on in another precision, which has no scaler.
        if self.accelerator.scaler is not None:
            super()._load_scaler(checkpoint)

    def _load_best_model(self) -> None:
        assert self.state.best_model_checkpoint is not None
        self._average.load(Path(self.state.best_model_checkpoint))


class _EachStep(TrainerCallback):
    """Calls the trainer back at the right moments."""

    def __init__(self, trainer: ClipTrainer, checkpoint_every: int | None) -> None:
        self._trainer = trainer
        self._checkpoint_every = checkpoint_every

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # The run's folder may have been moved since its state was written.
        if state.best_global_step:
            best = checkpoints.final_folder(Path(args.output_dir or ""), state.best_global_step)
            state.best_model_checkpoint = str(best) if best.is_dir() else None

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._trainer.start_epoch()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._trainer.before_step()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._trainer.after_step()
        every, step = self._checkpoint_every, state.global_step
        # The end of an epoch is saved anyway, after it was measured.
        if every and step % every == 0 and step % self._trainer.steps_an_epoch:
            control.should_save = True
