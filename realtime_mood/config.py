"""What a run is asked to do, checked before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from realtime_mood.capture.target import CameraTarget
from realtime_mood.errors import SourceError, UsageError
from realtime_mood.faces.tracker import MAX_FACES
from realtime_mood.smoothing import SmoothingConfig

DEFAULT_STRIDE_S = 0.2
MAX_STRIDE_S = 10.0
MOST_FACES = 64
MOST_PIXELS = 8192
"""Of a camera, wide or high."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One run of the program.

    Raises:
        UsageError: a value is outside its range, or values contradict each other.
        SourceError: the video is not a file.
    """

    camera: str | None = None
    """Camera number, device path or stream URL; None when a video is read."""
    camera_size: tuple[int, int] | None = None
    """Width and height that the camera is asked for, pixels; None leaves its own."""
    video: Path | None = None
    """Video file; None when a camera is read."""
    record: Path | None = None
    """File the annotated video is written to."""
    events: str | None = None
    """File the events are written to, or '-' for standard output."""
    model: str = "default"
    """Checkpoint folder, Hub id, or 'default'."""
    device: str = "auto"
    """What runs the model: 'auto', 'cpu', 'cuda' or 'mps'."""
    stride_s: float = DEFAULT_STRIDE_S
    """Seconds between two clips of a face."""
    faces: str = "auto"
    """Face detector: 'auto', 'yunet', 'cascade' or 'none'."""
    face_model: Path | None = None
    """YuNet's file."""
    max_faces: int = MAX_FACES
    """How many faces are followed at the same time."""
    headless: bool = False
    """Open no display."""
    duration_s: float | None = None
    """Stop after this many seconds of media; None goes on to the end."""
    neutral_start: bool = False
    """Every face rests when it comes, and its neutral expression is learned then."""
    mirror: bool | None = None
    """Show the picture as in a mirror; None does so for cameras by number or device path."""
    smoothing: SmoothingConfig = field(default_factory=SmoothingConfig)
    """How steady moods are."""

    def __post_init__(self) -> None:
        if (self.camera is None) == (self.video is None):
            raise UsageError("give either --camera or --video, not both")
        if not 0.0 < self.stride_s <= MAX_STRIDE_S:
            raise UsageError(
                f"--stride is {self.stride_s}; it must be above 0 and at most {MAX_STRIDE_S:.0f} s"
            )
        if not 1 <= self.max_faces <= MOST_FACES:
            raise UsageError(f"--max-faces is {self.max_faces}; it must be from 1 to {MOST_FACES}")
        if self.duration_s is not None and not 0.0 < self.duration_s < float("inf"):
            raise UsageError(
                f"--duration is {self.duration_s}; it must be a finite number of seconds above 0"
            )
        if self.video is not None:
            self._check_video(self.video)
        target = self.target  # Refused here where it names no camera.
        if self.camera_size is not None:
            if target is None or not target.is_device:
                raise UsageError(
                    f"--camera-size is for cameras, and {self.source_name} comes as it is; leave "
                    "it out"
                )
            width, height = self.camera_size
            if not (1 <= width <= MOST_PIXELS and 1 <= height <= MOST_PIXELS):
                raise UsageError(
                    f"--camera-size is {width}x{height}; both must be from 1 to {MOST_PIXELS}"
                )
        if self.record and self.events and _is_same_file(self.record, Path(self.events)):
            raise UsageError(f"--record and --events both name {self.record}; give two files")

    def _check_video(self, video: Path) -> None:
        if "://" in str(video) or str(video).startswith(("rtsp:/", "http:/", "https:/")):
            raise UsageError("--video reads files; open a stream with --camera URL")
        try:
            video.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise SourceError(f"the video {video} does not exist; check the path") from None
        except OSError as error:
            raise SourceError(
                f"the video {video} cannot be read ({error.strerror}); check the path and the "
                "permissions of its folders"
            ) from error
        for option, output in (("--record", self.record), ("--events", self.events)):
            if output and _is_same_file(video, Path(output)):
                raise UsageError(f"{option} would overwrite the video {video}; name another file")

    @property
    def is_offline(self) -> bool:
        """True when a file is worked through as fast as possible, every frame once."""
        return self.video is not None and bool(self.record or self.events or self.headless)

    @property
    def target(self) -> CameraTarget | None:
        """What `camera` names; None when a video is read."""
        return None if self.camera is None else CameraTarget(self.camera)

    @property
    def source_name(self) -> str:
        """The source as events and people name it."""
        if self.video is not None:
            return self.video.name
        assert self.target is not None
        return self.target.name

    @property
    def shows_mirror(self) -> bool:
        """Whether the picture is flipped left to right before it is shown and recorded."""
        if self.mirror is not None:
            return self.mirror
        return self.target is not None and self.target.is_device


def _is_same_file(path: Path, output: Path) -> bool:
    try:
        # Neither need be there, and what is there may have several names.
        return path.resolve() == output.resolve() or path.samefile(output)
    except (OSError, RuntimeError):
        return False  # Not there yet; or it cannot be written, which its sink says.
