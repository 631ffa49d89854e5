"""How the weights are fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from realtime_mood.errors import UsageError
from trainer.config.options import Choice, Options, Range, flag_of

MOST_EPOCHS = 100_000.0
SHARE = Range(0.0, 1.0)
BELOW_ONE = Range(0.0, 0.999999)
EPOCHS = Range(0.0, MOST_EPOCHS)
RATE = Range(0.0, 1.0, above=True)
KEEP = ("best", "last")
SECOND_TASKS = ("landmarks", "motion")
"""What a model is asked for besides the label (see `trainer.frame_learner`): names of the options
that weigh it, of the batch's entries, and of the model's arguments."""


@dataclass(frozen=True, kw_only=True)
class RecipeConfig(Options):
    """Everything between the data and the weights: AdamW, cross-entropy, and these.

    Raises:
        UsageError: a value is outside its range, or values contradict each other.
    """

    epochs: Annotated[float, EPOCHS] = 30.0
    """Epochs on clips; 0: what single frames taught is measured on clips."""
    batch_size: Annotated[int, Range(1, 4096)] = 16
    """Clips of one step, over all processes and accumulated parts."""
    learning_rate: Annotated[float, RATE] = 5e-5
    """Peak of the cosine schedule on clips."""
    warmup: Annotated[float, BELOW_ONE] = 0.1
    """Share of the steps in which the learning rate rises to its peak."""
    weight_decay: Annotated[float, SHARE] = 0.05
    """Of AdamW; never of biases, norms, position and time embeddings and the class token."""
    layer_decay: Annotated[float, RATE] = 0.75
    """Learning rate of a layer over that of the next one; 1: the same for all."""
    head_epochs: Annotated[float, EPOCHS] = 1.0
    """Epochs on the new classifier alone, all else frozen, before everything is fitted."""
    head_learning_rate: Annotated[float, RATE] = 1e-3
    """Peak of the cosine schedule of the classifier alone."""
    keep: Annotated[str, Choice(KEEP)] = "best"
    """Epoch whose weights are kept: the best on validation recordings, or the last."""
    ema: Annotated[float, BELOW_ONE] = 0.999
    """Decay of the average of the weights that is measured and kept; 0: the weights themselves."""
    drop_path: Annotated[float, BELOW_ONE] = 0.1
    """Share of clips that skip the last layer's branches, falling to 0 at the first layer."""
    label_smoothing: Annotated[float, BELOW_ONE] = 0.1
    """Probability spread over all labels that a recording could have had."""
    class_balance: Annotated[float, SHARE] = 0.5
    """0: clips are drawn as labels occur; 1: every label of a corpus equally often."""
    repeats: Annotated[int, Range(1, 64)] = 1
    """Clips drawn from a recording each time it is its turn (repeated augmentation)."""
    mixup: Annotated[float, Range(0.0, 10.0)] = 0.0
    """Alpha of mixup, such as 0.8; 0: none."""
    cutmix: Annotated[float, Range(0.0, 10.0)] = 0.0
    """Alpha of cutmix, such as 1.0; 0: none."""
    mix_share: Annotated[float, SHARE] = 1.0
    """Share of clip pairs that are mixed, where mixup or cutmix is on."""
    flip: bool = True
    """Mirror half of the clips."""
    crop_jitter: Annotated[float, Range(0.0, 4.0)] = 1.0
    """How far crops are turned, zoomed, stretched and shifted; 1: as much as a detector errs."""
    tone: Annotated[float, Range(0.0, 4.0)] = 1.0
    """How far gamma, contrast, brightness and tint vary; 1: as rooms and cameras do."""
    webcam: Annotated[float, SHARE] = 0.2
    """Share of clips made each of: grey, blurred, scaled down and up, noisy, JPEG."""
    randaugment_ops: Annotated[int, Range(0, 16)] = 2
    """Further changes drawn for a clip (RandAugment), the same for all its frames."""
    randaugment_magnitude: Annotated[float, Range(0.0, 10.0)] = 5.0
    """How strong these are."""
    erase: Annotated[float, SHARE] = 0.25
    """Share of clips of which a rectangle is erased in all frames."""
    hide: Annotated[float, SHARE] = 0.0
    """Share of pictures of which so much is covered or dark that they may show any expression."""
    speed_jitter: Annotated[float, SHARE] = 0.15
    """How far the seconds between frames of a clip vary around --frame-interval-s."""
    time_jitter: Annotated[float, Range(0.0, 0.5)] = 0.1
    """How far each frame is off its time, in parts of --frame-interval-s."""
    frame_epochs: Annotated[float, EPOCHS] = 0.0
    """Epochs on single frames before clips; for small models, which learn faster so."""
    frame_learning_rate: Annotated[float, RATE] = 1e-3
    """Peak of the cosine schedule on single frames."""
    frame_batch_size: Annotated[int, Range(1, 65536)] = 128
    """Frames of one step, over all processes and accumulated parts."""
    base_share: Annotated[float, SHARE] = 0.0
    """Share of the base model in the weights that single frames leave behind."""
    teacher_epochs: Annotated[float, EPOCHS] = 0.0
    """Epochs on pictures of a convolutional network that teaches single frames; 0: no teacher."""
    landmarks: Annotated[float, Range(0.0, 100.0)] = 0.0
    """Weight of a second task on pictures: where the parts of the face are; needs dlib."""
    motion: Annotated[float, Range(0.0, 100.0)] = 0.0
    """Weight of a second task on pairs of frames: how parts of the face move; needs dlib."""
    reanimate: Annotated[float, SHARE] = 0.0
    """Share of the pairs of frames of recordings in which the face of a picture moves as the
    recorded one does, so that motion is known on faces that were never recorded; needs dlib."""
    talk: Annotated[float, SHARE] = 0.0
    """Share of pictures whose faces talk and are still called what they are: half of them as
    recorded ones do that are called calm or neutral, half as those called the same; needs dlib."""
    turn: Annotated[float, SHARE] = 0.0
    """Share of the clips in which the head turns or nods."""
    motion_clips: Annotated[int, Range(0, 1000)] = 0
    """Clips of each recording from which two layers are made that read motion, and added to what
    single frames taught (see `trainer.motion_reader`); small models, --epochs 0; 0: none. The model
    without them is kept in `single_frames`, for a further run to begin with."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.batches:
            if (size := getattr(self, name)) % self.repeats:
                raise UsageError(
                    f"{flag_of(name)} is {size}; with --repeats {self.repeats} it must be a "
                    f"multiple of {self.repeats}"
                )
        if not (self.frame_epochs or self.asks_clips):
            raise UsageError(
                "--epochs is 0, and so are --frame-epochs, --head-epochs and --motion-clips; "
                "give one"
            )
        for name in ("teacher_epochs", "base_share", *SECOND_TASKS):
            if (value := getattr(self, name)) and not self.frame_epochs:
                raise UsageError(
                    f"{flag_of(name)} is {value:g}, but is for single frames; give "
                    "--frame-epochs, or leave it out"
                )
        if self.reanimate and not self.motion:
            raise UsageError(
                f"--reanimate is {self.reanimate:g}, but teaches motion alone; give --motion and "
                "--frame-epochs, or leave it out"
            )
        if self.motion_clips and (self.epochs or self.head_epochs):
            raise UsageError(
                f"--motion-clips is {self.motion_clips}, and what it writes must not be trained; "
                "give --epochs 0 --head-epochs 0, or leave it out"
            )
        for name in (*SECOND_TASKS, "hide", "teacher_epochs"):
            if self.mixes and (weight := getattr(self, name)):
                raise UsageError(
                    f"{flag_of(name)} is {weight:g}, but clips mixed by --mixup or --cutmix have "
                    "two faces; leave one of them out"
                )

    @property
    def batches(self) -> tuple[str, ...]:
        """Options that say how large the batches of a run are."""
        return ("batch_size", "frame_batch_size") if self.frame_epochs else ("batch_size",)

    @property
    def asks_clips(self) -> bool:
        """Whether a stage after single frames asks what clips are called."""
        return bool(self.epochs or self.head_epochs or self.motion_clips)

    @property
    def uses_motion(self) -> bool:
        """Whether the landmarks of recordings are needed."""
        return max(self.motion, self.reanimate, self.talk) > 0.0

    @property
    def mixes(self) -> bool:
        """Whether clips are mixed with one another."""
        return self.mix_share > 0.0 and max(self.mixup, self.cutmix) > 0.0


RECIPES: dict[str, dict[str, dict[str, object]]] = {
    "base": {},
    "small": {
        "model": {"base_model": "tiny", "steady": True, "grey": True},
        "recipe": {
            "learning_rate": 1e-3,
            "layer_decay": 1.0,
            "batch_size": 32,
            "ema": 0.995,
            "head_epochs": 0.0,
            "drop_path": 0.0,
            "randaugment_ops": 0,
            "erase": 0.0,
        },
    },
}
"""Presets by name: values by table that replace the defaults, which are made for base models."""
