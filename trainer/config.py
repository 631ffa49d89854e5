"""What one training run is asked to do; checked as a whole before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from realtime_mood.errors import UsageError

TINY = "tiny"
PUBLISHED = "facebook/timesformer-base-finetuned-k400"
PRECISIONS = ("fp32", "bf16")
LONGEST_TIMEOUT_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Options of `trainer train`.

    Raises:
        UsageError: a value is outside its range, or values contradict each other.
    """

    data: Path
    """Folder with RAVDESS recordings."""
    output: Path
    """Folder for the run: `checkpoint/`, `summary.txt`, `run/`, `crops/`."""
    base_model: str = PUBLISHED
    """'tiny', a folder, or a Hub id of a TimeSformer."""
    num_frames: int = 8
    """Frames of a clip."""
    frame_interval_s: float = 0.2
    """Seconds between two frames of a clip."""
    image_size: int | None = None
    """Side of a crop in pixels; None: the base model's, 112 for 'tiny'."""
    crop_margin: float = 0.0
    """Side of the square crop = (1 + crop_margin) × the longer side of the face box."""
    align_roll: bool = False
    """Turn crops so that the eyes are level; needs YuNet."""
    faces: str = "auto"
    """Detector: 'auto', 'yunet', 'cascade' or 'none'."""
    face_model: Path | None = None
    """YuNet's file."""
    cache: Path | None = None
    """Where face crops are kept; None: `crops/` in the output folder."""
    decode_timeout_s: float = 120.0
    """A recording that takes longer to decode is skipped."""
    validation_actors: tuple[int, ...] = ()
    """Actors the epoch and the temperature are chosen by; empty: a sixth of them."""
    test_actors: tuple[int, ...] = ()
    """Actors that are only tested on; empty: a sixth of them."""
    motion_epochs: float = 0.0
    """Epochs on motion alone before expressions are learned; 0 leaves motion out altogether."""
    epochs: float = 15.0
    """Epochs on clips."""
    batch_size: int = 16
    """Clips of one step."""
    learning_rate: float = 5e-5
    """Peak of the cosine schedule on clips."""
    motion_learning_rate: float = 6e-4
    """Peak of the cosine schedule on motion."""
    precision: str = "fp32"
    """'fp32' or 'bf16' (mixed)."""
    num_workers: int = 2
    """Processes that decode, and that prepare batches; 0: batches are made in this process."""
    seed: int = 0
    """Of everything drawn."""
    max_steps: int | None = None
    """Bound on the steps of each stage, to try things out."""
    resume: bool = False
    """Go on where an interrupted run in the output folder stopped."""

    def __post_init__(self) -> None:
        size = self.image_size
        steps = self.max_steps
        checks = (
            ("--num-frames", self.num_frames, 2 <= self.num_frames <= 64, "from 2 to 64"),
            (
                "--frame-interval-s",
                self.frame_interval_s,
                0.0 < self.frame_interval_s <= 10.0,
                "above 0 and at most 10 seconds",
            ),
            ("--image-size", size, size is None or 32 <= size <= 448, "from 32 to 448 pixels"),
            ("--crop-margin", self.crop_margin, 0.0 <= self.crop_margin <= 1.0, "from 0 to 1"),
            (
                "--decode-timeout-s",
                self.decode_timeout_s,
                0.0 < self.decode_timeout_s <= LONGEST_TIMEOUT_S,
                f"above 0 and at most {LONGEST_TIMEOUT_S:g} seconds",
            ),
            ("--motion-epochs", self.motion_epochs, self.motion_epochs >= 0, "0 or more"),
            ("--epochs", self.epochs, self.epochs > 0, "above 0"),
            ("--batch-size", self.batch_size, 1 <= self.batch_size <= 4096, "from 1 to 4096"),
            ("--learning-rate", self.learning_rate, 0 < self.learning_rate <= 1, "in (0, 1]"),
            (
                "--motion-learning-rate",
                self.motion_learning_rate,
                0 < self.motion_learning_rate <= 1,
                "in (0, 1]",
            ),
            ("--precision", self.precision, self.precision in PRECISIONS, "fp32 or bf16"),
            ("--num-workers", self.num_workers, 0 <= self.num_workers <= 64, "from 0 to 64"),
            ("--seed", self.seed, 0 <= self.seed < 2**32, "from 0 to 4294967295"),
            ("--max-steps", steps, steps is None or steps >= 1, "1 or more"),
        )
        for option, value, is_valid, rule in checks:
            if not is_valid:
                raise UsageError(f"{option} is {value}; it must be {rule}")
        if self.base_model == TINY and size is not None and size % 16:
            raise UsageError(f"--image-size is {size}; with --base-model tiny it must be 16 × n")

    @property
    def crops_folder(self) -> Path:
        """Where face crops are kept."""
        return self.cache or self.output / "crops"

    @property
    def checkpoint_folder(self) -> Path:
        """What `realtime-mood --model` loads."""
        return self.output / "checkpoint"

    @property
    def run_folder(self) -> Path:
        """Intermediate states, needed only to resume."""
        return self.output / "run"


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Options of `trainer evaluate`.

    Raises:
        UsageError: a value is outside its range.
    """

    model: str
    """A checkpoint: 'default', a folder or a Hub id."""
    data: Path
    """Folder with RAVDESS recordings."""
    cache: Path
    """Where face crops are kept."""
    actors: tuple[int, ...] = ()
    """Whose recordings; empty: everybody's."""
    faces: str = "auto"
    """Detector: 'auto', 'yunet', 'cascade' or 'none'."""
    face_model: Path | None = None
    """YuNet's file."""
    decode_timeout_s: float = 120.0
    """A recording that takes longer to decode is skipped."""
    batch_size: int = 16
    """Clips at a time."""
    num_workers: int = 2
    """Processes that decode, and that prepare batches; 0: batches are made in this process."""

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= 4096:
            raise UsageError(f"--batch-size is {self.batch_size}; it must be from 1 to 4096")
        if not 0 <= self.num_workers <= 64:
            raise UsageError(f"--num-workers is {self.num_workers}; it must be from 0 to 64")
