"""The stage of single frames, by the TimeSformer's twin."""

from __future__ import annotations

from dataclasses import replace

from realtime_mood.model.clip_spec import ClipSpec
from trainer.base import Model
from trainer.config import TrainConfig
from trainer.crops import Progress
from trainer.dataset import EvaluationClips, TrainingClips
from trainer.fit import Stage, fit
from trainer.frame_learner import FrameLearner
from trainer.motion import MotionTargets
from trainer.parts import SplitCrops
from trainer.single_frames import frame_spec, frame_twin, pair_spec

FRAMES_STAGE = "frames"


def learn_from_frames(
    model: Model,
    parts: SplitCrops,
    motion: MotionTargets | None,
    spec: ClipSpec,
    config: TrainConfig,
    progress: Progress,
) -> None:
    """Train a model of clips, in place, by single frames.

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
    # A batch of single frames, as which pictures are given.
    recipe = replace(config.recipe, batch_size=config.recipe.frame_batch_size, still_frames=1)
    config = replace(config, recipe=recipe)
    one = frame_spec(spec)
    # A frame of a recording often does not show what the recording is called, and a few people's
    # can be learned by heart; beside pictures, recordings teach motion alone where a later stage
    # asks what they are called.
    asked_later = bool(recipe.epochs or recipe.head_epochs or recipe.motion_clips)
    asks_only_pictures = motion is not None and bool(parts.stills) and asked_later
    # A picture shows what it is called; a frame of a recording often does not.
    validation = EvaluationClips(parts.pictures_validation or parts.validation, one, count=1)
    twin = frame_twin(model)
    landmarks = parts.landmarks() if recipe.landmarks else None
    is_asked = {"landmarks": landmarks is not None, "motion": motion is not None}
    fit(
        FrameLearner(twin, **is_asked) if any(is_asked.values()) else twin,
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
        ),
        validation=validation,
        progress=progress,
    )
