"""`trainer train`, top to bottom: index, split, cut, fit, measure, write."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from transformers import set_seed

from realtime_mood.errors import UsageError
from realtime_mood.model.checkpoint import Contract
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.precision import has_cuda
from trainer import processes
from trainer.base import Model, load_base, silence_libraries
from trainer.config import TINY, RecipeConfig, TrainConfig
from trainer.corpora.protocols import make_folds
from trainer.corpora.recording import known_actors, note_of_unseen
from trainer.corpora.sources import read_sources
from trainer.crops import Cutter, FaceCrops
from trainer.dataset import EvaluationClips, TrainingClips
from trainer.decode import available_decoder
from trainer.evaluate import fit_clip_temperature, measure, note_of_temperature
from trainer.export import Report, write_checkpoint, write_frames_model
from trainer.fit import Stage, fit, share_of_batch
from trainer.frames_stage import learn_from_frames
from trainer.hub import open_repository, push_checkpoint
from trainer.initial import compare_frames
from trainer.motion import MotionTargets
from trainer.motion_stage import MotionClips, add_motion_reader
from trainer.parts import PICTURES, SplitCrops
from trainer.people import note_of_choosers, people_of_base, refuse_known
from trainer.predict import recording_logits
from trainer.predictions import Predictions
from trainer.progress import Progress, tell_nobody
from trainer.recipe_checks import check_against_data, check_against_model
from trainer.report.curves import read_history
from trainer.report.reports import report_run
from trainer.run_detector import find_detector, keep_detector
from trainer.run_folder import COMMAND, REPORT_FOLDER, open_run, read_data, settle_precision

logger = logging.getLogger(__name__)


def train(
    config: TrainConfig, *, command: str, progress: Progress, detector: str | None = None
) -> Report | None:
    """Make a checkpoint out of a folder of recordings.

    Args:
        config: the options.
        command: how it was asked for; quoted in the model card, or what began a resumed run.
        progress: told what is done of each stage.
        detector: finds the faces; None: the one that the run was begun with or that is asked for.

    Returns:
        What was measured; the checkpoint lies in `config.checkpoint_folder`. None in all but the
        first of several processes.

    Raises:
        SourceError: the data cannot be used.
        UsageError: options contradict the data.
        ModelError: the base model or the face detector cannot be loaded.
        OutputError: the output folder cannot be written, or holds a run and `resume` is not set.
        RealtimeMoodError: the loss is not a number.
    """
    processes.join()
    silence_libraries()
    if not processes.is_first():
        logging.getLogger("trainer").setLevel(logging.ERROR)
        progress = tell_nobody
    if config.run.precision == "fp16" and not has_cuda():
        raise UsageError("--precision is fp16, which needs a GPU; bf16 works here")
    config = settle_precision(config)
    for batch in config.recipe.batches:
        share_of_batch(config, batch)
    folds = make_folds(
        read_sources(config.data.sources),
        protocol=config.split.protocol,
        validation_actors=config.split.validation_actors,
        test_actors=config.split.test_actors,
        seed=config.run.seed,
    )
    split = folds.numbered(config.split.fold).split
    before, unknown = people_of_base(config.model.base_model)
    refuse_known(split, config.model.base_model, before)
    if config.run.push_to_hub and processes.is_first():
        open_repository(config.run.push_to_hub)
    locks: list[FileLock] = []
    processes.from_first(lambda: locks.append(open_run(config, split, command=command)))
    set_seed(config.run.seed)
    model, spec = load_base(config.model)
    if config.model.base_model == TINY and not (config.recipe.motion or config.recipe.motion_clips):
        logger.warning(
            "a small model with random weights hardly sees motion by itself; see --motion"
        )
    check_against_model(config.recipe, model)
    check_against_data(config.recipe, split)
    logger.info(
        "%.1f M parameters; a clip is %d frames of %d px in %.1f s",
        *(model.num_parameters() / 1e6, spec.num_frames, spec.image_size, spec.span_s),
    )
    cutter = Cutter(
        folder=config.crops_folder,
        spec=spec,
        detector=processes.from_first(lambda: _settled(config, spec, detector)),
        yunet_file=config.data.face_model,
        decoder=available_decoder(),
        keeps_crops=config.data.keep_crops,
    )
    parts = SplitCrops(split, folds.pictures, cutter, config, progress)
    own = known_actors(crops.recording for crops in parts.train)
    train_actors = tuple(sorted({*before.trained_on, *own}))
    if config.recipe.frame_epochs:
        motion = MotionTargets(parts.train) if config.recipe.motion else None
        learn_from_frames(model, parts, motion, spec, config, progress)
    validation = EvaluationClips(parts.validation, spec)
    # Whether a stage ran now or was read back must not change what is drawn next.
    set_seed(config.run.seed)
    if config.recipe.motion_clips and processes.is_first():
        # Layers that are added cannot be taken away again.
        write_frames_model(
            model, spec, cutter.detector, config.frames_folder, train_actors=train_actors
        )
        model = _read_motion(model, parts, spec, config, progress)
    # Untrained, the comparison would only disturb what single frames taught.
    elif config.model.base_model == TINY and (config.recipe.epochs or config.recipe.head_epochs):
        compare_frames(model)
    training = TrainingClips(
        parts.train,
        spec,
        # A face that moves as another does tells how, not what that is called.
        recipe=replace(config.recipe, reanimate=0.0),
        seed=config.run.seed,
        reanimator=parts.reanimator,
    )
    for stage in _stages(config.recipe):
        set_seed(config.run.seed)
        fit(
            model,
            stage,
            config,
            data=training,
            validation=validation if stage.name == "clips" else None,
            progress=progress,
        )
    # What is measured by one alone has no more room than each had for its share.
    clips_at_once = share_of_batch(config)
    processes.leave()
    if not locks:
        return None
    # What is measured is what is saved: weights of half precision.
    model.half().float()  # type: ignore[no-untyped-call]
    temperature, predictions = _measure(model, parts, spec, config, clips_at_once, progress)
    report = Report(
        command=read_data(config.run.output).get(COMMAND) or command,
        config=config,
        contract=Contract(spec=spec, temperature=temperature, face_detector=cutter.detector),
        parameters=model.num_parameters(),
        protocol=folds.protocol,
        notes=(
            *folds.notes,
            *unknown,
            *note_of_choosers(split, config.model.base_model, before),
            *note_of_unseen(crops.recording for crops in parts.train),
            *note_of_temperature(temperature),
        ),
        train_actors=train_actors,
        trained_on=tuple(crops.recording for crops in parts.train),
        skipped=parts.skipped,
        measures={name: measure(part, seed=config.run.seed) for name, part in predictions.items()},
    )
    write_checkpoint(model.half(), report)  # type: ignore[no-untyped-call]
    _report(report, predictions, parts, config)
    locks[0].release()
    if config.run.push_to_hub:
        url = push_checkpoint(config.checkpoint_folder, config.run.push_to_hub)
        logger.info("checkpoint pushed: %s", url)
    return report


def _settled(config: TrainConfig, spec: ClipSpec, detector: str | None) -> str:
    """The face detector, with which the run goes on from now."""
    name = detector or find_detector(config.data, [config.run.output])
    if spec.align_roll and name != "yunet":
        raise UsageError(
            f"--align-roll needs the eyes that YuNet finds, but faces are found by '{name}'; give "
            "--faces yunet, and --face-model where its file cannot be fetched, or --no-align-roll"
        )
    keep_detector(config.run.output, name)
    return name


def _read_motion(
    model: Model, parts: SplitCrops, spec: ClipSpec, config: TrainConfig, progress: Progress
) -> Model:
    # Faces of pictures that move as recorded ones have expressions of their own besides.
    recipe = replace(config.recipe, hide=0.0, reanimate=0.0)

    def clips(crops: list[FaceCrops], *, covers: bool = False, talk: float = 0.0) -> TrainingClips:
        return TrainingClips(
            crops,
            spec,
            recipe=replace(recipe, talk=talk),
            seed=config.run.seed,
            covers=covers,
            reanimator=parts.reanimator,
        )

    stills = parts.stills
    return add_motion_reader(
        model,
        MotionClips(
            recordings=clips(parts.moving),
            pictures=clips(stills) if stills else None,
            covered=clips(stills, covers=True) if stills else None,
            talking=clips(stills, talk=1.0) if recipe.talk else None,
            talk=recipe.talk,
        ),
        views=recipe.motion_clips,
        batch_size=share_of_batch(config),
        dtype=torch.bfloat16 if config.run.precision == "bf16" else torch.float32,
        num_workers=config.run.num_workers,
        seed=config.run.seed,
        progress=progress,
    )


def _stages(recipe: RecipeConfig) -> list[Stage]:
    head = Stage(
        name="head",
        epochs=recipe.head_epochs,
        learning_rate=recipe.head_learning_rate,
        head_only=True,
    )
    clips = Stage(
        name="clips",
        epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
    )
    return [stage for stage in (head, clips) if stage.epochs]


def _measure(
    model: Model,
    parts: SplitCrops,
    spec: ClipSpec,
    config: TrainConfig,
    clips_at_once: int,
    progress: Progress,
) -> tuple[float, dict[str, Predictions]]:
    """The temperature, and the answers to the validation and the test recordings.

    The temperature serves clips and added pictures alike, whose validation sets count the same.
    """

    def logits_of(recordings: Sequence[FaceCrops]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return recording_logits(
            model,
            EvaluationClips(recordings, spec),
            batch_size=clips_at_once,
            num_workers=config.run.num_workers,
            progress=progress,
        )

    chosen_by = [part for part in (parts.validation, parts.pictures_validation) if part]
    logits = [logits_of(part) for part in chosen_by]
    temperature = fit_clip_temperature(list(zip(logits, chosen_by, strict=True)))
    found = {
        "validation": Predictions.of(logits[0], parts.validation, temperature=temperature),
        "test": Predictions.of(logits_of(parts.test), parts.test, temperature=temperature),
    }
    if parts.pictures:
        found[PICTURES] = Predictions.of(
            logits_of(parts.pictures), parts.pictures, temperature=temperature
        )
    return temperature, found


def _report(
    report: Report, predictions: dict[str, Predictions], parts: SplitCrops, config: TrainConfig
) -> None:
    report_run(
        config.run.output / REPORT_FOLDER,
        title=f"{config.run.output.resolve().name}: {config.model.base_model} on {report.data}",
        metrics=report.to_dict(),
        notes=report.notes,
        facts=report.facts(),
        measures=report.measures,
        predictions=predictions,
        recordings=parts.test,
        spec=report.contract.spec,
        curves=read_history(config.run_folder),
    )
