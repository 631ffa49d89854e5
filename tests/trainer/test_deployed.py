"""What people see of a model: the runtime's clips and moods, and figures worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime_mood.capture.file_source import FileSource
from realtime_mood.faces.detector import make_detector
from realtime_mood.faces.search import InStepSearch
from realtime_mood.faces.tracker import FaceTracker
from realtime_mood.inference.torch_classifier import TorchClassifier
from realtime_mood.model.checkpoint import Contract, load_model, read_contract, save_checkpoint
from realtime_mood.model.labels import LABELS, UNSURE
from realtime_mood.model.timesformer import tiny_timesformer
from realtime_mood.offline import analyse
from realtime_mood.smoothing import SmoothingConfig
from tests.fakes import SPEC, MemoryEventSink
from tests.trainer.drawn import draw_video
from trainer.corpora.recording import Recording
from trainer.crops import Cutter, FaceCrops, cut_recordings
from trainer.decode import available_decoder
from trainer.deployed import (
    Delay,
    _delay,
    chains,
    count_switches,
    right_label_delays,
    shown_seconds,
    summarise,
)
from trainer.evaluate import fit_clip_temperature
from trainer.streams import FRAME_S, Stream, Timeline, play

SMOOTHING = SmoothingConfig()


def crops_of(label: str, *, actor: str = "ravdess:01", seconds: float = 2.0) -> FaceCrops:
    """Crops whose pictures nobody reads, ten a second."""
    recording = Recording(
        path=Path("none.mp4"),
        name=f"{actor}-{label}",
        take=f"{actor}-{label}",
        actor=actor,
        label=LABELS.index(label),
    )
    return FaceCrops(recording, Path("none.npy"), np.arange(0.0, seconds + 1e-9, 0.1))


def test_a_temperature_of_two_corpora_is_that_of_neither_alone() -> None:
    one, other = [crops_of("happy")], [crops_of("sad", actor="ravdess:02")] * 9
    logits = np.zeros((10, 1, 8))
    logits[:, :, LABELS.index("happy")] = 2.0
    logits[:, :, LABELS.index("sad")] = 1.0
    alone = fit_clip_temperature([(logits[:1], one)])
    both = fit_clip_temperature([(logits[:1], one), (logits[1:], other)])
    # Right of one and wrong of the other, which counts no more for being nine: even is best.
    even = fit_clip_temperature([(logits[:1], one), (logits[1:2], other[:1])])
    assert alone < both
    assert both == pytest.approx(even, rel=1e-6)


def timeline(stream: Stream, ends_s: list[float], shown: list[str]) -> Timeline:
    rows = np.full((len(shown), 8), 0.02)
    for row, label in zip(rows, shown, strict=True):
        row[LABELS.index(label) if label != UNSURE else 0] = 0.86
    return Timeline(
        stream=stream,
        ends_s=np.array(ends_s),
        probabilities=rows,
        smoothed=rows,
        shown=tuple(shown),
    )


def test_shown_seconds_and_switches() -> None:
    watched = timeline(
        Stream((crops_of("happy"),)),
        [1.4, 1.6, 1.8, 1.9],
        ["sad", UNSURE, "happy", "sad"],
    )
    row = shown_seconds(watched)[LABELS.index("happy")]
    assert row[LABELS.index("sad")] == pytest.approx(0.2 + 0.1)
    assert row[-1] == pytest.approx(1.4 + 0.2)
    assert row[LABELS.index("happy")] == pytest.approx(0.1)
    assert row.sum() == pytest.approx(2.0)
    assert count_switches(watched.shown) == 2
    assert count_switches(["sad", UNSURE, "sad"]) == 0
    assert right_label_delays(watched) == [pytest.approx(1.8)]


def test_a_true_change_is_waited_for() -> None:
    first, second = crops_of("happy"), crops_of("sad")
    stream = Stream((first, second))
    change_s = 2.0 + FRAME_S
    np.testing.assert_allclose(stream.starts_s, [0.0, change_s, 2 * 2.0 + FRAME_S])
    watched = timeline(
        stream,
        [1.4, 1.9, change_s + 0.2, change_s + 0.7],
        ["happy", "sad", "happy", "sad"],
    )
    # 'sad' before the change is no answer to it.
    assert right_label_delays(watched) == [pytest.approx(1.4), pytest.approx(0.7)]
    # Nor is one that stands there all the time.
    stuck = timeline(stream, [1.4, change_s + 0.2, change_s + 0.7], ["sad"] * 3)
    assert right_label_delays(stuck) == [float("inf")] * 2


def test_delays_that_never_end_count() -> None:
    found = _delay([0.4, float("inf"), 0.2, 0.3])
    assert (found.events, found.reached) == (4, 0.75)
    assert found.median_s == 0.3
    assert found.p95_s is None
    assert _delay([]).median_s is None


@pytest.mark.parametrize(
    ("reached", "median_s", "p95_s", "text"),
    [
        (0.98, 1.2, 3.4, "median 1.20 s, 95 % within 3.40 s; reached in 98 % of 60"),
        (0.75, 1.2, None, "median 1.20 s; reached in 75 % of 60"),
        (0.23, None, None, "reached in 23 % of 60"),
    ],
)
def test_of_a_delay_only_what_is_known_is_told(
    reached: float, median_s: float | None, p95_s: float | None, text: str
) -> None:
    assert str(Delay(events=60, reached=reached, median_s=median_s, p95_s=p95_s)) == text
    assert str(_delay([])) == "nothing to wait for"


def test_chains_change_the_label_each_time() -> None:
    labels = ["sad", "sad", "happy", "happy", "happy", "calm"]
    made = chains([crops_of(label) for label in labels] + [crops_of("sad", actor="ravdess:02")])
    assert len(made) == 1
    order = [LABELS[part.recording.label] for part in made[0].parts]
    assert order == ["calm", "happy", "sad", "happy", "sad", "happy"]


def test_figures_of_two_recordings() -> None:
    right = timeline(Stream((crops_of("happy"),)), [1.4, 1.6, 1.8], ["happy"] * 3)
    short = timeline(Stream((crops_of("sad", seconds=1.0),)), [], [])
    found = summarise([right, short], [], stride_s=0.2, smoothing=SMOOTHING, seed=0)
    assert found.minutes == pytest.approx(3.0 / 60)
    assert found.time_right == pytest.approx(0.6 / 3.0)
    assert found.time_unsure == found.time_waiting == pytest.approx(2.4 / 3.0)
    assert found.right_when_shown == 1.0
    assert found.too_short == 1
    assert found.switches_per_minute == 0.0
    assert (found.from_start.reached, found.from_start.median_s) == (0.5, pytest.approx(1.4))
    assert found.step.events == 0
    # Three answers of 0.86 that are right.
    assert found.calibration_error == pytest.approx(0.14)
    assert found.answers.accuracy == 1.0


def test_switches_are_counted_by_the_minute() -> None:
    shown = ["happy", UNSURE, "sad", UNSURE, UNSURE, "happy"]
    restless = timeline(Stream((crops_of("happy"),)), [0.8, 1.0, 1.2, 1.4, 1.6, 1.8], shown)
    steady = timeline(Stream((crops_of("sad"),)), [0.8, 1.0], ["sad"] * 2)
    found = summarise([restless, steady], [], stride_s=0.2, smoothing=SMOOTHING, seed=0)
    # Both are watched for 1.2 s from the first clip on.
    assert found.switches_per_minute == pytest.approx(2 / 2.4 * 60)
    # Single clips are sure of a label always: where none is shown, of the first of the table.
    assert found.unsmoothed_switches_per_minute == pytest.approx(4 / 2.4 * 60)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A recording of 2 s, and a checkpoint with a temperature that matters."""
    folder = tmp_path_factory.mktemp("watched")
    video = folder / "02-01-03-01-01-01-01.mp4"
    draw_video(video, frames=70)
    contract = Contract(spec=SPEC, temperature=0.05, face_detector="none")
    save_checkpoint(tiny_timesformer(SPEC), contract, folder / "checkpoint")
    return video, folder / "checkpoint"


def test_it_shows_what_the_runtime_shows(
    watched: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime_mood.model.precision.FAST_BFLOAT16", ())
    video, folder = watched
    contract = read_contract(folder)
    sink = MemoryEventSink()
    source = FileSource(video)
    analyse(
        source,
        FaceTracker(InStepSearch(make_detector("none", yunet_file=None)), max_faces=1),
        TorchClassifier(folder, contract, device="cpu"),
        contract.spec,
        stride_s=0.2,
        smoothing=SMOOTHING,
        event_sink=sink,
    )
    source.close()
    told = [event for event in sink.events if event["type"] == "prediction"]
    recording = Recording(path=video, name=video.stem, take=video.stem, actor="ravdess:01", label=4)
    cutter = Cutter(
        folder=tmp_path,
        spec=contract.spec,
        detector="none",
        yunet_file=None,
        decoder=available_decoder(),
    )
    crops, _ = cut_recordings(
        [recording], cutter, num_workers=1, timeout_s=60, progress=lambda *_: None
    )
    (seen,) = play(
        load_model(folder),
        [Stream((crops[0],))],
        contract.spec,
        temperature=contract.temperature,
        stride_s=0.2,
        smoothing=SMOOTHING,
        batch_size=3,
        num_workers=0,
    )
    assert len(told) > 2
    assert [event["label"] for event in told] == list(seen.shown)
    np.testing.assert_allclose([e["media_time_s"] for e in told], seen.ends_s, atol=1e-4)
    for events, ours in (
        ("raw_probabilities", seen.probabilities),
        ("probabilities", seen.smoothed),
    ):
        theirs = [list(event[events].values()) for event in told]
        np.testing.assert_allclose(theirs, ours, atol=2e-4)
    # The checkpoint's temperature is at work in both: without it nothing is this sure.
    flat = play(
        load_model(folder),
        [Stream((crops[0],))],
        contract.spec,
        temperature=1.0,
        stride_s=0.2,
        smoothing=SMOOTHING,
        batch_size=3,
        num_workers=0,
    )
    assert seen.probabilities.max() > flat[0].probabilities.max() + 0.05
