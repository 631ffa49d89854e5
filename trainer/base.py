"""What training starts from."""

from __future__ import annotations

import json
import logging
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.utils import logging as hub_logging
from torch import nn
from torch.nn import functional
from transformers import TimesformerConfig, TimesformerForVideoClassification
from transformers.utils import logging as transformers_logging

from realtime_mood.errors import ModelError, UsageError, first_line, one_line
from realtime_mood.model.checkpoint import (
    CONTRACT_FILE,
    DEFAULT_CHECKPOINT_NAME,
    default_checkpoint,
    locate_checkpoint,
    read_contract,
)
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import ID2LABEL, LABEL2ID, LABELS
from realtime_mood.model.timesformer import TINY_PATCH_SIZE, tiny_timesformer
from trainer.config import TINY, ModelConfig
from trainer.initial import look_at_neighbours, why_no_comparison

logger = logging.getLogger(__name__)

TINY_IMAGE_SIZE = 64
# Those of the original TimeSformer repository.
TINY_MEAN = (0.45, 0.45, 0.45)
TINY_STD = (0.225, 0.225, 0.225)
INTERVALS = (0.2, 1.0)
"""Of a model of somebody else's: seconds between the last two frames, and growth."""
TINY_INTERVALS = (0.1, 1.3)
"""Quick to notice a smile, and 1.8 s in all; see the default checkpoint's card."""
INTERPOLATION = "area"
CONFIG_FILE = "config.json"
PREPROCESSOR_FILE = "preprocessor_config.json"

Model = TimesformerForVideoClassification


def silence_libraries() -> None:
    """Leave it to us to tell, once and in our own words, what fails where models come from."""
    hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def load_base(config: ModelConfig) -> tuple[Model, ClipSpec]:
    """The model that is trained, and what its clips are.

    Args:
        config: `base_model` is 'tiny', 'default', a folder or a Hub id. Of a base model, mean, std
            and number of frames are its own; asking for others is an error. So are intervals
            between frames, and how crops are cut and held, unless others are asked for. Another
            image size has as many patches, which are larger or smaller.

    Raises:
        ModelError: the base model cannot be had, is not a TimeSformer, does not say how its
            pictures are normalised, or contradicts the options.
        UsageError: the model cannot have that image size, or as many frames.
    """
    if config.base_model == TINY:
        interval_s, growth = _intervals(config, TINY_INTERVALS)
        spec = ClipSpec(
            num_frames=config.num_frames,
            frame_interval_s=interval_s,
            interval_growth=growth,
            image_size=config.image_size or TINY_IMAGE_SIZE,
            mean=TINY_MEAN,
            std=TINY_STD,
            crop_margin=config.crop_margin or 0.0,
            interpolation=INTERPOLATION,
            align_roll=bool(config.align_roll),
            steady=bool(config.steady),
            grey=bool(config.grey),
        )
        if spec.image_size % TINY_PATCH_SIZE:
            raise UsageError(
                f"--image-size is {spec.image_size}; with --base-model tiny it must be "
                f"{TINY_PATCH_SIZE} × n"
            )
        model = tiny_timesformer(spec)
        if reason := why_no_comparison(model):
            raise UsageError(f"--num-frames is {config.num_frames}: {reason}")
        look_at_neighbours(model)
        return model, spec
    name = config.base_model
    folder = own_folder(name)
    values = _read_base_json(str(folder or name), CONFIG_FILE)
    if values.get("model_type") != "timesformer":
        raise ModelError(
            f"--base-model {name} is of type {values.get('model_type')!r}, not 'timesformer'; "
            "name a TimeSformer"
        )
    for key in ("image_size", "patch_size"):
        size = values.get(key, 1)
        if not isinstance(size, int) or size < 1:
            raise ModelError(f"--base-model {name}: {key} is {size}; it must be one number above 0")
    try:
        base = TimesformerConfig(**values)
    except Exception as error:
        raise ModelError(
            f"--base-model {name}: its {CONFIG_FILE} is none of a TimeSformer ({one_line(error)})"
        ) from error
    _check_asked("--num-frames", config.num_frames, base.num_frames, name)
    shape: Any = base
    across = shape.image_size // shape.patch_size
    if not across:
        raise ModelError(
            f"--base-model {name}: patch_size is {shape.patch_size} and image_size "
            f"{shape.image_size}; a picture must hold a patch"
        )
    image_size = config.image_size or shape.image_size
    if image_size != shape.image_size and image_size % across:
        raise UsageError(
            f"--image-size is {image_size}; with --base-model {name}, which cuts "
            f"{across} × {across} patches, it must be {across} × n"
        )
    own = read_contract(folder).spec if folder else None
    mean, std = (own.mean, own.std) if own else _normalisation(name)
    usual = (own.frame_interval_s, own.interval_growth) if own else INTERVALS
    interval_s, growth = _intervals(config, usual)
    margin = own.crop_margin if own else 0.0
    spec = ClipSpec(
        num_frames=base.num_frames,
        frame_interval_s=interval_s,
        interval_growth=growth,
        image_size=image_size,
        mean=mean,
        std=std,
        crop_margin=margin if config.crop_margin is None else config.crop_margin,
        interpolation=INTERPOLATION,
        align_roll=bool(own and own.align_roll) if config.align_roll is None else config.align_roll,
        steady=bool(own and own.steady) if config.steady is None else config.steady,
        grey=bool(own and own.grey) if config.grey is None else config.grey,
    )
    try:
        loaded: Any = Model.from_pretrained(
            folder or name,
            num_labels=len(LABELS),
            id2label=dict(ID2LABEL),
            label2id=dict(LABEL2ID),
            problem_type="single_label_classification",
            ignore_mismatched_sizes=True,
            use_safetensors=True if folder or Path(name).is_dir() else None,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:
        raise ModelError(
            f"the weights of --base-model {name} cannot be loaded ({first_line(error)}); "
            "check the name and the connection"
        ) from error
    model = loaded[0]
    # Of those of another shape, transformers tells the shapes besides.
    absent = [*loaded[1]["missing_keys"], *(key for key, *_ in loaded[1]["mismatched_keys"])]
    if needed := sorted(key for key in absent if not key.startswith("classifier.")):
        raise ModelError(
            f"--base-model {name} has not all of the weights that its configuration names, or of "
            f"another shape: {needed[0]} for one; name a whole TimeSformer"
        )
    if image_size != shape.image_size:
        _resize_patches(model, image_size // across)
    return model, spec


def _resize_patches(model: Model, size: int) -> None:
    """Give a model larger or smaller patches, and as many, changed in place.

    A filter answers to a resized patch what it answered to the patch, in the least squares sense
    (FlexiViT, Beyer et al. 2023, arXiv 2212.08013, equation 5).
    """
    embeddings: Any = model.timesformer.embeddings.patch_embeddings
    old: Any = embeddings.projection
    before = old.kernel_size[0]
    each_pixel = torch.eye(before * before).view(-1, 1, before, before)
    resized = functional.interpolate(each_pixel, size=(size, size), mode="bilinear", antialias=True)
    # Row i: what pixel i of a patch becomes.
    matrix = resized.flatten(1)
    weight = old.weight.detach().flatten(2) @ torch.linalg.pinv(matrix).T
    new: Any = nn.Conv2d(old.in_channels, old.out_channels, kernel_size=size, stride=size)
    with torch.no_grad():
        new.weight.copy_(weight.unflatten(2, (size, size)))
        new.bias.copy_(old.bias)
    embeddings.projection = new
    side = size * math.isqrt(int(embeddings.num_patches))
    embeddings.image_size, embeddings.patch_size = (side, side), (size, size)
    model.config.image_size, model.config.patch_size = side, size


def _intervals(config: ModelConfig, usual: tuple[float, float]) -> tuple[float, float]:
    """Seconds between the last two frames, and growth; who gives seconds alone wants them equal."""
    if config.frame_interval_s is None:
        return usual[0], config.interval_growth or usual[1]
    return config.frame_interval_s, config.interval_growth or 1.0


def own_folder(name: str) -> Path | None:
    """The folder of a base model that is a checkpoint of ours; None: it is somebody else's.

    Args:
        name: a folder, 'default', or a Hub id, whose checkpoint is fetched.

    Raises:
        ModelError: it is on the Hub and cannot be fetched.
    """
    if name == DEFAULT_CHECKPOINT_NAME:
        return default_checkpoint()
    if Path(name).is_dir():
        return Path(name) if (Path(name) / CONTRACT_FILE).is_file() else None
    return _fetched(name)


@lru_cache
def _fetched(name: str) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    logger.info("%s: asking the Hugging Face Hub", name)
    try:
        hf_hub_download(name, CONTRACT_FILE)
    except (EntryNotFoundError, RepositoryNotFoundError, HFValidationError):
        # Not there, or not kept here while the Hub is out of reach; whether the model itself can be
        # had is seen when it is asked for.
        return None
    except Exception as error:
        raise ModelError(
            f"--base-model {name} could not be fetched from the Hugging Face Hub "
            f"({first_line(error)}); try again"
        ) from error
    return locate_checkpoint(name)


def _normalisation(name: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    values = _read_base_json(name, PREPROCESSOR_FILE)
    try:
        mean = tuple(float(value) for value in values["image_mean"])
        std = tuple(float(value) for value in values["image_std"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{PREPROCESSOR_FILE} of --base-model {name} has no image_mean and image_std; "
            "a base model must say how its pictures are normalised"
        ) from error
    if len(mean) != 3 or len(std) != 3:
        raise ModelError(f"{PREPROCESSOR_FILE} of --base-model {name}: mean {mean}, std {std}")
    return mean, std


def _read_base_json(name: str, file: str) -> dict[str, Any]:
    path = Path(name)
    if path.is_dir():
        path = path / file
    else:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        try:
            path = Path(hf_hub_download(name, file))
        except Exception as error:
            if isinstance(error, EntryNotFoundError) and not isinstance(
                error, LocalEntryNotFoundError
            ):
                raise ModelError(
                    f"--base-model {name} has no {file} on the Hugging Face Hub; name a model "
                    "that transformers wrote"
                ) from error
            raise ModelError(
                f"--base-model {name} is neither 'tiny' nor 'default', nor a folder here, nor a "
                f"model that could be fetched from the Hugging Face Hub ({first_line(error)})"
            ) from error
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("it holds no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"--base-model {name} has no readable {file} ({first_line(error)}); "
            "name a folder written by save_pretrained"
        ) from error
    return values


def _check_asked(option: str, asked: int, found: int, name: str) -> None:
    if asked != found:
        raise ModelError(
            f"{option} is {asked}, but --base-model {name} was made for {found}; "
            f"give {option} {found} or another base model"
        )
