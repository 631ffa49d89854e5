import numpy as np

from realtime_mood.inference.clip_sampler import Clip
from realtime_mood.inference.worker import MAX_BATCH, ClipMailbox, classify_clips
from realtime_mood.model.labels import LABEL2ID
from tests.fakes import SPEC, BrightnessClassifier


def _clip(track_id: int, end_s: float = 0.0) -> Clip:
    return Clip(track_id, round(end_s * 30), end_s, np.zeros((1, 2, 2, 3), dtype=np.uint8))


def test_the_newest_clip_of_a_face_wins_and_the_older_one_is_counted() -> None:
    mailbox = ClipMailbox()
    mailbox.put(_clip(1, 1.0))
    mailbox.put(_clip(1, 1.2))
    assert [clip.end_s for clip in mailbox.take(0.0)] == [1.2]
    assert mailbox.skipped == 1
    assert mailbox.take(0.0) == []


def test_with_more_faces_than_can_be_served_nobody_starves() -> None:
    mailbox = ClipMailbox()
    served: list[int] = []
    for turn in range(10):
        # Every face has a new clip before each batch, always in the same order.
        for track_id in range(20):
            mailbox.put(_clip(track_id, 0.2 * turn))
        batch = mailbox.take(0.0)
        assert len(batch) == MAX_BATCH
        served += [clip.track_id for clip in batch]
    times = [served.count(track_id) for track_id in range(20)]
    assert min(times) >= 3
    assert max(times) - min(times) <= 2


def test_a_clip_that_waits_long_is_still_the_newest_of_its_face() -> None:
    mailbox = ClipMailbox()
    for turn in range(5):
        for track_id in range(20):
            mailbox.put(_clip(track_id, 0.2 * turn))
        assert all(clip.end_s == 0.2 * turn for clip in mailbox.take(0.0))


def test_a_closed_mailbox_gives_what_it_has_and_then_nothing() -> None:
    mailbox = ClipMailbox()
    mailbox.put(_clip(1))
    mailbox.close()
    assert not mailbox.is_finished
    assert len(mailbox.take(10.0)) == 1
    assert mailbox.is_finished
    assert mailbox.take(10.0) == []


def test_nobody_waits_for_the_clip_of_a_face_that_is_gone() -> None:
    mailbox = ClipMailbox()
    mailbox.put(_clip(1))
    mailbox.put(_clip(2))
    mailbox.discard(1)
    mailbox.discard(7)
    assert [clip.track_id for clip in mailbox.take(0.0)] == [2]
    assert mailbox.skipped == 1


def test_each_clip_has_the_row_at_its_own_place() -> None:
    shape = (SPEC.num_frames, SPEC.image_size, SPEC.image_size, 3)
    greys = (220, 40, 90)
    clips = [
        Clip(number, 12, 0.4, np.full(shape, grey, dtype=np.uint8))
        for number, grey in enumerate(greys)
    ]
    rows = classify_clips(clips, BrightnessClassifier(), SPEC)
    alone = [classify_clips([clip], BrightnessClassifier(), SPEC)[0] for clip in clips]
    np.testing.assert_array_equal(rows, alone)
    assert np.argsort(rows[:, LABEL2ID["happy"]]).tolist() == [1, 2, 0]
