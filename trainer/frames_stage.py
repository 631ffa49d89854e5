"""The stage of single frames, by the TimeSformer's twin."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import torch
from transformers import set_seed

from realtime_mood.model.clip_spec import ClipSpec
from trainer import processes
from trainer.base import Model
from trainer.config import TrainConfig
from trainer.dataset import EvaluationClips, TrainingClips
from trainer.fit import FINISHED_FILE, Stage, fit, read_finished
from trainer.frame_learner import FrameLearner
from trainer.motion import MotionTargets
from trainer.parts import SplitCrops
from trainer.picture_teacher import PictureTeacher
from trainer.progress import Progress
from trainer.single_frames import frame_spec, frame_twin, pair_spec

FRAMES_STAGE = "frames"
TEACHER_STAGE = "teacher"
TEACHER_LEARNING_RATE = 2e-3
LEAST_TEACHER_BATCH = 128
"""Pictures of one step; more where the batch is shared by a number that does not divide it."""


def learn_from_frames(
    model: Model,
    parts: SplitCrops,
    motion: MotionTargets | None,
    spec: ClipSpec,
    config: TrainConfig,
    progress: Progress,
) -> None:
    """Train a model of clips, in place, by single frames.

    With `base_share` its weights are then averaged with those it had, which keeps what the base
    model knew better (Wortsman et al. 2022, arXiv 2109.01903).

    Args:
        model: of clips.
        parts: what is learned from, and what is measured.
        motion: of the training recordings; None: not learned.
        spec: what a clip is.
        config: the run's options.
        progress: told the steps.

    Raises:
        What `fit` raises.
    """
    recipe = replace(config.recipe, batch_size=config.recipe.frame_batch_size)
    config = replace(config, recipe=recipe)
    one = frame_spec(spec)
    # A frame of a recording often does not show what the recording is called, and a few people's
    # can be learned by heart; beside pictures, recordings teach motion alone where a later stage
    # asks what they are called.
    asks_only_pictures = motion is not None and bool(parts.stills) and recipe.asks_clips
    # A picture shows what it is called; a frame of a recording often does not.
    validation = EvaluationClips(parts.pictures_validation or parts.validation, one, count=1)
    teacher = _learn_teacher(parts, spec, config, progress) if recipe.teacher_epochs else None
    # Whether the teacher learned now or was read back must not change what is drawn next.
    set_seed(config.run.seed)
    before = copy.deepcopy(model) if recipe.base_share else None
    twin = frame_twin(model)
    landmarks = parts.landmarks() if recipe.landmarks else None
    is_asked = {"landmarks": landmarks is not None, "motion": motion is not None}
    fit(
        FrameLearner(twin, teacher=teacher, **is_asked)
        if teacher or any(is_asked.values())
        else twin,
        Stage(
            name=FRAMES_STAGE,
            epochs=recipe.frame_epochs,
            learning_rate=recipe.frame_learning_rate,
        ),
        config,
        data=TrainingClips(
            parts.train,
            pair_spec(spec) if motion else one,
            recipe=recipe,
            seed=config.run.seed,
            motion=motion,
            landmarks=landmarks,
            asks_only_pictures=asks_only_pictures,
            is_still_one_frame=True,
            reanimator=parts.reanimator,
        ),
        validation=validation,
        progress=progress,
    )
    if before is not None:
        with torch.no_grad():
            for ours, old in zip(model.parameters(), before.parameters(), strict=True):
                ours.lerp_(old, recipe.base_share)


def _learn_teacher(
    parts: SplitCrops, spec: ClipSpec, config: TrainConfig, progress: Progress
) -> PictureTeacher:
    teacher, one = PictureTeacher(), frame_spec(spec)
    unit = processes.count() * config.run.accumulate * config.recipe.repeats
    size = math.ceil(LEAST_TEACHER_BATCH / unit) * unit
    recipe = replace(config.recipe, batch_size=size, hide=0.0)
    fit(
        teacher,
        Stage(
            name=TEACHER_STAGE, epochs=recipe.teacher_epochs, learning_rate=TEACHER_LEARNING_RATE
        ),
        replace(config, recipe=recipe, run=replace(config.run, gradient_checkpointing=False)),
        data=TrainingClips(parts.stills, one, recipe=recipe, seed=config.run.seed),
        validation=EvaluationClips(parts.pictures_validation or parts.validation, one, count=1),
        progress=progress,
    )
    # Each process had statistics of its own share of the pictures.
    read_finished(teacher, config.run_folder / TEACHER_STAGE / FINISHED_FILE)
    return teacher.eval().requires_grad_(False)
