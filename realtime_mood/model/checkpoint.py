"""Checkpoint folders: what is in one, how it is checked, written and read.

A checkpoint is a plain transformers folder (`config.json`, `model.safetensors`) plus one file of
ours, `clip_spec.json`: labels, clip spec, calibration temperature and the face detector whose crops
it was trained on. transformers alone loads the folder too. Pickles are refused: loading one runs
whatever code it holds.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime_mood.errors import ModelError, first_line
from realtime_mood.model.clip_spec import ClipSpec
from realtime_mood.model.labels import ID2LABEL, LABEL2ID, LABELS

if TYPE_CHECKING:
    from transformers import TimesformerForVideoClassification

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
CONTRACT_FILE = "clip_spec.json"
METRICS_FILE = "metrics.json"
"""What a run measured, and whom it learned from; read by the trainer alone."""
CONTRACT_FORMAT = 1
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
HUB_FILES = (CONFIG_FILE, CONTRACT_FILE, "*.safetensors", "README.md", METRICS_FILE)
DEFAULT_CHECKPOINT_NAME = "default"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """All that the runtime must know of a checkpoint besides its weights.

    Raises:
        ModelError: the temperature is not a finite number above 0.
    """

    spec: ClipSpec
    """What a clip is."""
    temperature: float
    """Logits are divided by this before the softmax (Guo et al. 2017, arXiv 1706.04599)."""
    face_detector: str
    """Detector whose boxes the training crops came from: 'yunet', 'cascade' or 'none'."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0.0):
            raise ModelError(
                f"{CONTRACT_FILE}: temperature is {self.temperature!r}; it must be above 0"
            )

    def to_dict(self) -> dict[str, Any]:
        """The content of `clip_spec.json`."""
        return {
            "format": CONTRACT_FORMAT,
            "labels": list(LABELS),
            "clip": self.spec.to_dict(),
            "temperature": self.temperature,
            "face_detector": self.face_detector,
        }


def default_checkpoint() -> Path:
    """Folder of the checkpoint that comes with the program.

    Raises:
        ModelError: the installation has none.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "assets" / "checkpoint", package.parent / "assets" / "checkpoint"):
        if (folder / CONTRACT_FILE).is_file():
            return folder
    raise ModelError(
        "the default checkpoint is not part of this installation; "
        "reinstall realtime-mood or name a folder with --model"
    )


def is_on_this_machine(model: str) -> bool:
    """Whether `locate_checkpoint` can answer without the network.

    Raises:
        ModelError: it is a path that nobody may look at, or can have.
    """
    return model == DEFAULT_CHECKPOINT_NAME or _local_path(model) is not None


def check_model_name(model: str) -> None:
    """Refuse what can be neither a checkpoint folder nor a Hub id; asks nobody.

    Raises:
        ModelError: it names a file, or there is no such folder and it is no Hub id.
    """
    if model == DEFAULT_CHECKPOINT_NAME:
        return
    path = _local_path(model)
    if path is not None:
        if not path.is_dir():
            raise ModelError(f"{model} is a file; --model wants the checkpoint folder it lies in")
    elif model.count("/") != 1 or model.startswith((".", "/", "~")) or model.endswith("/"):
        raise ModelError(f"there is no checkpoint folder {model}; check the path given to --model")


def locate_checkpoint(model: str) -> Path:
    """Folder of a checkpoint, fetched from the Hugging Face Hub when it is not a local folder.

    Args:
        model: 'default', a folder, or a Hub id such as 'owner/name'. `HF_HUB_OFFLINE=1` is
            honoured: then only what was fetched before is used.

    Raises:
        ModelError: there is no such folder and the Hub has no such checkpoint or is out of reach.
    """
    if model == DEFAULT_CHECKPOINT_NAME:
        return default_checkpoint()
    check_model_name(model)
    return _local_path(model) or _fetch_from_hub(model)


def _local_path(model: str) -> Path | None:
    """What a model's name is the path of; None where there is nothing."""
    try:
        path = Path(model).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no such person's home.
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"the checkpoint folder {model} cannot be read ({reason}); check the path given to "
            "--model and the permissions of its folders"
        ) from error
    return path


def _fetch_from_hub(model_id: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model_id, allow_patterns=list(HUB_FILES)))
    except Exception as error:
        raise ModelError(
            f"{model_id} is neither a folder here nor a checkpoint that could be fetched from the "
            f"Hugging Face Hub ({first_line(error)}); check the name and the connection"
        ) from error


def read_contract(folder: Path) -> Contract:
    """Check a checkpoint folder and read everything but the weights; takes milliseconds.

    Args:
        folder: a checkpoint folder.

    Raises:
        ModelError: a file is missing or unreadable, the folder holds pickles, or labels, frames
            or sizes disagree between our file and the model's configuration.
    """
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise ModelError(
            f"the checkpoint folder {folder} cannot be read ({error.strerror}); check the path "
            "and its permissions"
        ) from error
    pickles = [name for name in names if Path(name).suffix in PICKLE_SUFFIXES]
    if pickles:
        raise ModelError(
            f"{folder} holds {', '.join(pickles)}: pickles can run code and are never loaded; "
            f"use a checkpoint saved as {WEIGHTS_FILE} and remove them"
        )
    values = _read_json(folder / CONTRACT_FILE)
    config = _read_json(folder / CONFIG_FILE)
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"{folder} has no {WEIGHTS_FILE}; the checkpoint is incomplete")
    found_format = values.get("format")
    if found_format != CONTRACT_FORMAT:
        raise ModelError(
            f"{folder / CONTRACT_FILE} has format {found_format!r}, this program reads "
            f"{CONTRACT_FORMAT}; upgrade the program or train the checkpoint again"
        )
    if not isinstance(values.get("clip"), dict):
        raise ModelError(f"{folder / CONTRACT_FILE}: 'clip' is missing; train the checkpoint again")
    try:
        temperature = float(values.get("temperature", "missing"))
    except (TypeError, ValueError, OverflowError):
        raise ModelError(
            f"{folder / CONTRACT_FILE}: temperature is {values.get('temperature')!r}; "
            "it must be a number above 0"
        ) from None
    contract = Contract(
        spec=ClipSpec.from_dict(values["clip"]),
        temperature=temperature,
        face_detector=str(values.get("face_detector", "none")),
    )
    _check_weights(folder / WEIGHTS_FILE)
    _check_agreement(folder, contract.spec, values.get("labels"), config)
    return contract


def _check_weights(path: Path) -> None:
    """Read the header alone, which also tells whether the file is whole."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as weights:
            weights.keys()
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path} is damaged ({error}); copy the checkpoint again or train it again"
        ) from error


def _check_agreement(folder: Path, spec: ClipSpec, labels: Any, config: Mapping[str, Any]) -> None:
    if labels != list(LABELS):
        raise ModelError(
            f"{folder / CONTRACT_FILE} has labels {labels}, this program's are {list(LABELS)}"
        )
    id2label = config.get("id2label", {})
    is_table = isinstance(id2label, dict)
    config_labels = [id2label.get(str(n)) for n in range(len(id2label))] if is_table else id2label
    pairs = (
        ("model_type", config.get("model_type"), "timesformer"),
        ("labels", config_labels, list(LABELS)),
        ("num_frames", config.get("num_frames", 8), spec.num_frames),
        ("image_size", config.get("image_size", 224), spec.image_size),
        ("num_channels", config.get("num_channels", 3), 3),
    )
    for name, in_config, in_contract in pairs:
        if in_config != in_contract:
            raise ModelError(
                f"{folder}: {name} is {in_config!r} in {CONFIG_FILE} "
                f"but {in_contract!r} in {CONTRACT_FILE}; the folder mixes two checkpoints"
            )


def load_model(folder: Path) -> TimesformerForVideoClassification:
    """The weights as a transformers model in evaluation mode, float32, on the CPU.

    Args:
        folder: a folder that `read_contract` accepted.

    Raises:
        ModelError: the weights cannot be read, or some are missing, unknown or of another shape.
    """
    import torch
    from transformers import TimesformerForVideoClassification

    try:
        with _quiet_transformers():
            loaded: Any = TimesformerForVideoClassification.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                # Told below, in our own words.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except Exception as error:
        raise ModelError(
            f"the weights in {folder / WEIGHTS_FILE} cannot be loaded ({first_line(error)}); "
            "copy the checkpoint again or train it again"
        ) from error
    model: TimesformerForVideoClassification = loaded[0]
    loading: dict[str, Any] = loaded[1]
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if loading.get(kind):
            # Of those of another shape, it tells the shapes besides.
            keys = (key if isinstance(key, str) else key[0] for key in loading[kind])
            name = min(keys)
            raise ModelError(
                f"{folder / WEIGHTS_FILE}: {kind.replace('_', ' ')}, {name} for one; "
                f"the weights do not belong to {CONFIG_FILE}"
            )
    model.eval()  # type: ignore[no-untyped-call]
    return model


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Without transformers' bars and words, which are the host program's to switch off for good."""
    from transformers.utils import logging as transformers_logging

    # transformers itself has no types for these.
    bars: Any = transformers_logging
    had_bars, verbosity = bars.is_progress_bar_enabled(), bars.get_verbosity()
    bars.disable_progress_bar()
    bars.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        bars.set_verbosity(verbosity)
        if had_bars:
            bars.enable_progress_bar()


def save_checkpoint(
    model: TimesformerForVideoClassification, contract: Contract, folder: Path
) -> None:
    """Write a checkpoint folder that `read_contract` and `load_model` accept.

    Args:
        model: its configuration is given the label table; its weights are saved in their dtype.
        contract: saved beside them.
        folder: created when it does not exist. Written beside and renamed file by file, so that
            an interruption never leaves half a file under a final name.

    Raises:
        ModelError: model and contract disagree.
        OSError: the folder cannot be written.
    """
    config = model.config
    config.id2label = dict(ID2LABEL)
    config.label2id = dict(LABEL2ID)
    config.problem_type = "single_label_classification"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".checkpoint-", dir=folder) as scratch_name:
        scratch = Path(scratch_name)
        with _quiet_transformers():
            model.save_pretrained(scratch)
        text = json.dumps(contract.to_dict(), indent=2) + "\n"
        (scratch / CONTRACT_FILE).write_text(text, encoding="utf-8")
        read_contract(scratch)
        # safetensors writes for nobody else to read.
        shutil.copymode(scratch / CONTRACT_FILE, scratch / WEIGHTS_FILE)
        for path in sorted(scratch.iterdir()):
            path.replace(folder / path.name)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        inside = path.parent / "checkpoint"
        wanted = (
            f"give {inside}"
            if (inside / path.name).is_file()
            else "--model wants the folder 'checkpoint' that 'trainer train' writes into its output"
        )
        raise ModelError(f"{path.parent} has no {path.name}; {wanted}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read ({error}); copy the checkpoint again") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path} does not hold a JSON object; copy the checkpoint again")
    return values
