"""`trainer train`, top to bottom: index, split, cut, fit, measure, write."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from transformers import set_seed
from transformers.utils import logging as transformers_logging

from realtime_mood.errors import OutputError, SourceError
from realtime_mood.faces.detector import make_detector
from realtime_mood.model.checkpoint import Contract, load_model, locate_checkpoint, read_contract
from realtime_mood.model.clip_spec import ClipSpec
from trainer.augment import PAD
from trainer.base import Model, load_base, patches_along_side
from trainer.config import TINY, EvaluateConfig, TrainConfig
from trainer.config.layers import EFFECTIVE_FILE, write_effective
from trainer.corpora.protocols import make_folds
from trainer.corpora.recording import Recording, known_actors
from trainer.corpora.sources import read_sources
from trainer.corpora.splits import Split, find_actors
from trainer.crops import Cutter, FaceCrops, Progress, cut_recordings
from trainer.dataset import EvaluationClips, TrainingClips
from trainer.decode import available_decoder
from trainer.evaluate import Measures, fit_clip_temperature, measure
from trainer.export import Report, write_checkpoint
from trainer.fit import Stage, fit, predict_logits
from trainer.motion import Learner

logger = logging.getLogger(__name__)


def train(config: TrainConfig, *, command: str, progress: Progress) -> Report:
    """Make a checkpoint out of a folder of recordings.

    Args:
        config: the options.
        command: how it was asked for; quoted in the model card.
        progress: told what is done of each stage.

    Returns:
        What was measured; the checkpoint lies in `config.checkpoint_folder`.

    Raises:
        SourceError: the data cannot be used.
        UsageError: options contradict the data.
        ModelError: the base model or the face detector cannot be loaded.
        OutputError: the output folder cannot be written, or holds a run and `resume` is not set.
    """
    folds = make_folds(
        read_sources(config.data.sources),
        protocol=config.split.protocol,
        validation_actors=config.split.validation_actors,
        test_actors=config.split.test_actors,
        seed=config.run.seed,
    )
    split = folds.numbered(config.split.fold).split
    _prepare_output(config)
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    set_seed(config.run.seed)
    model, spec = load_base(config.model)
    if config.model.base_model == TINY and not config.recipe.motion_epochs:
        logger.warning(
            "a small model with random weights hardly learns from labels alone; "
            "let it learn motion first with --motion-epochs"
        )
    logger.info("%.1f M parameters, %s", model.num_parameters() / 1e6, spec)
    cutter = Cutter(
        folder=config.crops_folder,
        spec=spec,
        detector=make_detector(config.data.faces, yunet_file=config.data.face_model).name,
        yunet_file=config.data.face_model,
        decoder=available_decoder(),
    )
    parts = _Cut(split, cutter, config, progress)
    validation = EvaluationClips(parts.validation, spec)
    side = patches_along_side(model) if config.recipe.motion_epochs else None
    training = TrainingClips(parts.train, spec, motion_side=side)
    learner = Learner(model)
    if config.recipe.motion_epochs:
        learner.learns_labels = False
        motion = Stage(
            name="motion",
            epochs=config.recipe.motion_epochs,
            batch_size=config.recipe.batch_size,
            learning_rate=config.recipe.motion_learning_rate,
        )
        fit(learner, motion, config, data=training, validation=None, progress=progress)
        learner.learns_labels = True
    clips = Stage(
        name="clips",
        epochs=config.recipe.epochs,
        batch_size=config.recipe.batch_size,
        learning_rate=config.recipe.learning_rate,
    )
    # Whether motion was learned now or read back must not change what is drawn next.
    set_seed(config.run.seed)
    fit(learner, clips, config, data=training, validation=validation, progress=progress)
    # What is measured is what is saved: weights of half precision.
    model.half().float()  # type: ignore[no-untyped-call]
    temperature, measured = _measure(model, parts, spec, config)
    report = Report(
        command=command,
        config=config,
        contract=Contract(spec=spec, temperature=temperature, face_detector=cutter.detector),
        parameters=model.num_parameters(),
        protocol=folds.protocol,
        notes=folds.notes,
        train_actors=known_actors(crops.recording for crops in parts.train),
        train_recordings=len(parts.train),
        skipped=parts.skipped,
        measures=measured,
    )
    write_checkpoint(model.half(), report)  # type: ignore[no-untyped-call]
    return report


def evaluate(config: EvaluateConfig, *, progress: Progress) -> Measures:
    """Measure a checkpoint on recordings of given actors.

    Raises:
        SourceError: the data cannot be used.
        UsageError: an actor is not there.
        ModelError: the checkpoint or the face detector cannot be loaded.
        OutputError: face crops cannot be kept.
    """
    folder = locate_checkpoint(config.measure.model)
    contract = read_contract(folder)
    index = read_sources(config.data.sources)
    wanted = find_actors(config.measure.actors, index.actors, option="--actors")
    recordings = [r for r in index.recordings if not wanted or r.actor in wanted]
    cutter = Cutter(
        folder=config.crops_folder,
        spec=contract.spec,
        detector=make_detector(config.data.faces, yunet_file=config.data.face_model).name,
        yunet_file=config.data.face_model,
        decoder=available_decoder(),
    )
    crops, _ = cut_recordings(
        recordings,
        cutter,
        num_workers=config.measure.num_workers,
        timeout_s=config.data.decode_timeout_s,
        progress=progress,
    )
    if not crops:
        raise SourceError(
            f"no recording in {config.data.name} could be used; see the messages above"
        )
    logits = predict_logits(
        load_model(folder),
        EvaluationClips(crops, contract.spec),
        batch_size=config.measure.batch_size,
        num_workers=config.measure.num_workers,
    )
    return measure(logits, crops, temperature=contract.temperature, seed=0)


class _Cut:
    """The face crops of a split: padded for training, exactly the spec's for the rest."""

    def __init__(
        self, split: Split, cutter: Cutter, config: TrainConfig, progress: Progress
    ) -> None:
        self.skipped: dict[str, str] = {}
        self._config = config
        self._progress = progress
        self.train = self._cut(split.train, cutter.padded(PAD), "train")
        self.validation = self._cut(split.validation, cutter, "validation")
        self.test = self._cut(split.test, cutter, "test")

    def _cut(self, recordings: tuple[Recording, ...], cutter: Cutter, name: str) -> list[FaceCrops]:
        crops, skipped = cut_recordings(
            recordings,
            cutter,
            num_workers=self._config.run.num_workers,
            timeout_s=self._config.data.decode_timeout_s,
            progress=self._progress,
        )
        self.skipped |= skipped
        if not crops:
            raise SourceError(
                f"none of the {len(recordings)} recordings of the {name} actors can be used "
                f"({next(iter(skipped))}: {next(iter(skipped.values()))})"
            )
        logger.info("%s: %d recordings, %d skipped", name, len(crops), len(skipped))
        return crops


def _measure(
    model: Model, parts: _Cut, spec: ClipSpec, config: TrainConfig
) -> tuple[float, dict[str, Measures]]:
    def logits_of(recordings: list[FaceCrops]) -> np.ndarray[Any, np.dtype[np.float64]]:
        clips = EvaluationClips(recordings, spec)
        return predict_logits(
            model, clips, batch_size=config.recipe.batch_size, num_workers=config.run.num_workers
        )

    validation = logits_of(parts.validation)
    temperature = fit_clip_temperature(validation, parts.validation)
    return temperature, {
        "validation": measure(
            validation, parts.validation, temperature=temperature, seed=config.run.seed
        ),
        "test": measure(
            logits_of(parts.test), parts.test, temperature=temperature, seed=config.run.seed
        ),
    }


def _prepare_output(config: TrainConfig) -> None:
    for folder in (config.checkpoint_folder, config.run_folder):
        if not config.run.resume and folder.is_dir() and any(folder.iterdir()):
            raise OutputError(
                f"{folder} holds an earlier run; go on with it by --resume or choose another "
                "--output"
            )
    try:
        config.run_folder.mkdir(parents=True, exist_ok=True)
        probe = config.run_folder / ".writable"
        probe.touch()
        probe.unlink()
        write_effective(config, config.run.output / EFFECTIVE_FILE)
    except OSError as error:
        raise OutputError(
            f"--output {config.run.output} cannot be written ({error.strerror}); "
            "choose another folder"
        ) from error
