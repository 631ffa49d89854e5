"""The overlay: what it promises about pixels, and where its layout puts things."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import ImageFont

from realtime_mood.faces.box import Box
from realtime_mood.frame import ImageBGR
from realtime_mood.model.labels import LABELS, UNSURE
from realtime_mood.overlay import draw_overlay
from realtime_mood.overlay.faces import FaceDrawing, label_variants, pill_size
from realtime_mood.overlay.geometry import Rect, Scale, seen_part
from realtime_mood.overlay.mood import panel_variants, strip_sizes
from realtime_mood.overlay.notices import hud_notice, recording_notice, toast
from realtime_mood.overlay.palette import LABEL_COLOURS, Colour
from realtime_mood.overlay.placing import Label, lies_below, place_labels, place_panel
from realtime_mood.overlay.text import (
    FONT_FOLDER,
    NARROW_SPACE,
    Run,
    line_width,
    shortened,
    wrapped,
)
from realtime_mood.smoothing import MoodState
from realtime_mood.view import HISTORY_S, FaceView, HudView, View

SIZES = [(176, 144), (320, 240), (641, 359), (360, 640), (1280, 720), (1921, 1081), (3840, 2160)]
TINY_SIZES = [(1, 1), (2, 40), (16, 16), (17, 90), (64, 48), (101, 99), (400, 20)]
NOW_S = 40.0
FULL_HUD = HudView(
    capture_hz=29.97,
    display_hz=60.0,
    inference_hz=5.2,
    age_s=0.084,
    dropped_frames=3,
    skipped_clips=1,
    engine="cpu float32",
)


def mood(label: str, confidence: float = 0.83) -> MoodState:
    rest = (1.0 - confidence) / (len(LABELS) - 1)
    best = LABELS[0] if label == UNSURE else label
    return MoodState(label, confidence, tuple(confidence if x == best else rest for x in LABELS))


def face(box: Box, label: str | None = "happy", track_id: int = 1) -> FaceView:
    history = ((NOW_S - 20.0, "sad"), (NOW_S - 10.0, UNSURE), (NOW_S - 5.0, "happy"))
    return FaceView(
        track_id=track_id,
        box=box,
        mood=mood(label) if label else None,
        history=history if label else (),
    )


def picture(width: int, height: int, value: int | None = None) -> ImageBGR:
    if value is None:
        return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.full((height, width, 3), value, dtype=np.uint8)


def full_view(width: int, height: int) -> View:
    boxes = (
        Box(0.3 * width, 0.3 * height, 0.3 * width, 0.4 * height),
        Box(-0.1 * width, 0.6 * height, 0.2 * width, 0.2 * height),
        Box(0.8 * width, -0.1 * height, 0.1 * width, 0.3 * height),
        Box(0.9 * width, 0.9 * height, 0.3 * width, 0.3 * height),
        Box(2.0 * width, 0.5 * height, 0.3 * width, 0.3 * height),
    )
    labels = ("happy", UNSURE, None, "calm", "sad")
    faces = tuple(face(b, x, i) for i, (b, x) in enumerate(zip(boxes, labels, strict=True), 1))
    return View(
        media_time_s=NOW_S, faces=faces, hud=FULL_HUD, recording_s=83.4, message="saved picture.png"
    )


def luminance(bgr: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Relative luminance as WCAG 2 defines it."""
    part = np.asarray(bgr, dtype=np.float64) / 255.0
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.0722, 0.7152, 0.2126]))


def contrast(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    dark, light = sorted((float(luminance(one)), float(luminance(other))))
    return (light + 0.05) / (dark + 0.05)


def contrast_within(image: ImageBGR, place: Rect) -> float:
    """Between what fills most of a rectangle and what stands out most from it."""
    inner = image[place.y : place.bottom, place.x : place.right].reshape(-1, 3)
    background = np.median(inner, axis=0)
    return max(contrast(pixel, background) for pixel in np.unique(inner, axis=0))


# --- the whole picture


@pytest.mark.parametrize(("width", "height"), SIZES + TINY_SIZES)
@pytest.mark.parametrize("mirror", [False, True])
def test_returns_a_new_picture_of_the_same_size(width: int, height: int, mirror: bool) -> None:
    image = picture(width, height)
    image.setflags(write=False)
    before = image.copy()
    drawn = draw_overlay(image, full_view(width, height), mirror=mirror)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert drawn.flags.c_contiguous
    assert drawn.flags.writeable
    assert not np.shares_memory(drawn, image)
    np.testing.assert_array_equal(image, before)


def test_takes_a_picture_that_is_a_view_of_a_larger_one() -> None:
    image = picture(700, 400)[20:380, 30:670]
    view = full_view(640, 360)
    np.testing.assert_array_equal(draw_overlay(image, view), draw_overlay(image.copy(), view))


def test_same_values_give_the_same_pixels() -> None:
    image = picture(640, 360)
    view = full_view(640, 360)
    first = draw_overlay(image, view)
    draw_overlay(picture(320, 240), full_view(320, 240))
    np.testing.assert_array_equal(draw_overlay(image, view), first)


def test_mirror_flips_the_picture_and_the_boxes_but_not_the_text() -> None:
    image = picture(640, 360)
    view = full_view(640, 360)
    flipped_faces = tuple(replace(f, box=f.box.mirrored(640)) for f in view.faces)
    expected = draw_overlay(
        np.ascontiguousarray(image[:, ::-1]), replace(view, faces=flipped_faces)
    )
    np.testing.assert_array_equal(draw_overlay(image, view, mirror=True), expected)


def test_without_anything_to_show_only_no_face_is_drawn() -> None:
    image = picture(640, 360)
    drawn = draw_overlay(image, View(media_time_s=0.0))
    rows = np.flatnonzero((drawn != image).any(axis=(1, 2)))
    assert rows.min() > 300


def test_before_anybody_has_looked_for_faces_nothing_is_said_of_them() -> None:
    image = picture(640, 360)
    drawn = draw_overlay(image, View(media_time_s=0.0, is_searched=False))
    np.testing.assert_array_equal(drawn, image)


def test_no_hud_leaves_the_corner_alone() -> None:
    image = picture(1280, 720)
    view = View(media_time_s=NOW_S, faces=(face(Box(500, 300, 200, 200)),))
    corner = np.s_[:60, :800]
    np.testing.assert_array_equal(draw_overlay(image, view)[corner], image[corner])
    with_hud = draw_overlay(image, replace(view, hud=FULL_HUD))
    assert (with_hud[corner] != image[corner]).any()


@pytest.mark.parametrize("label", LABELS)
def test_the_corners_have_the_colour_of_the_mood(label: str) -> None:
    view = View(media_time_s=NOW_S, faces=(face(Box(500, 300, 200, 200), label),))
    drawn = draw_overlay(picture(1280, 720, 128), view)
    area = drawn[300:500, 500:700].reshape(-1, 3)
    assert (area == LABEL_COLOURS[label]).all(axis=1).sum() > 100


def test_old_answers_have_no_colour() -> None:
    def happy_pixels(age_s: float) -> int:
        old = replace(face(Box(500, 300, 200, 200), "happy"), history=(), label_age_s=age_s)
        drawn = draw_overlay(picture(1280, 720, 128), View(media_time_s=NOW_S, faces=(old,)))
        return int((drawn == LABEL_COLOURS["happy"]).all(axis=-1).sum())

    assert happy_pixels(0.2) > 1000
    # What is left is the square beside its name.
    assert 0 < happy_pixels(3.0) < 100


def test_before_the_first_answer_there_are_no_bars() -> None:
    image = picture(1280, 720, 128)
    drawn = draw_overlay(
        image, View(media_time_s=NOW_S, faces=(face(Box(500, 300, 99, 99), None),))
    )
    np.testing.assert_array_equal(drawn[400:640, 900:], image[400:640, 900:])
    with_bars = View(media_time_s=NOW_S, faces=(face(Box(500, 300, 99, 99), UNSURE),))
    assert (draw_overlay(image, with_bars)[400:640, 900:] != image[400:640, 900:]).any()


def test_the_panel_and_the_strip_are_those_of_the_first_face_in_the_picture() -> None:
    image = picture(1280, 720, 128)
    large, small = face(Box(300, 200, 200, 200), "happy", 1), face(Box(700, 200, 90, 90), "sad", 2)
    outside = face(Box(-300, 10, 200, 200), "calm", 3)

    def places(first: FaceView, *others: FaceView) -> list[npt.NDArray[np.uint8]]:
        drawn = draw_overlay(image, View(media_time_s=NOW_S, faces=(first, *others)))
        return [drawn[440:640, 1040:1270], drawn[660:720]]

    def changed(first: FaceView) -> FaceView:
        return replace(first, mood=mood("calm", 0.99), history=((NOW_S - 9.0, "calm"),))

    for order in ((large, small), (small, large), (outside, small, large)):
        shown = order.index(small) if order[0] is not large else 0
        before = places(*order)
        for index, one in enumerate(order):
            after = places(*order[:index], changed(one), *order[index + 1 :])
            differs = [bool((x != y).any()) for x, y in zip(before, after, strict=True)]
            assert differs == [index == shown] * 2


def test_the_strip_says_whose_it_is_among_several_faces() -> None:
    scale = Scale(1280, 720)
    alone, titled = strip_sizes(scale), strip_sizes(scale, title="face 3")
    assert alone is not None
    assert titled is not None
    assert titled.place == alone.place
    assert titled.band.right == alone.band.right
    title = np.s_[alone.place.y : alone.place.bottom, alone.band.x : titled.band.x - 4]
    views = [face(Box(500, 200, 200, 200), "happy", 3), face(Box(800, 200, 200, 200), "sad", 14)]
    drawn = [
        draw_overlay(picture(1280, 720, 0), View(media_time_s=NOW_S, faces=faces))[title]
        for faces in ((views[0], views[1]), (replace(views[0], track_id=7), views[1]))
    ]
    assert contrast_within(drawn[0], Rect(0, 0, drawn[0].shape[1], drawn[0].shape[0])) > 4.5
    assert (drawn[0] != drawn[1]).any()


def test_a_face_outside_the_picture_counts_as_none() -> None:
    image = picture(640, 360)
    outside = View(media_time_s=0.0, faces=(face(Box(-300, 10, 200, 200)),))
    nobody = View(media_time_s=0.0)
    np.testing.assert_array_equal(draw_overlay(image, outside), draw_overlay(image, nobody))


# --- colours


def test_label_colours_are_distinct_also_to_the_colour_blind() -> None:
    # Machado, Oliveira and Fernandes (2009), severity 1, on linear red, green, blue.
    sights = {
        "normal": np.eye(3),
        "protanopia": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deuteranopia": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        "tritanopia": [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    }
    colours = np.array(list(LABEL_COLOURS.values()))[:, ::-1]
    assert len(np.unique(colours, axis=0)) == len(LABELS) + 1
    linear = (colours / 255.0) ** 2.2
    for name, matrix in sights.items():
        seen = np.clip(linear @ np.asarray(matrix).T, 0.0, 1.0) ** (1 / 2.2)
        lab = cv2.cvtColor(seen[None].astype(np.float32), cv2.COLOR_RGB2Lab)[0]
        closest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(lab, 2))
        assert closest > (18.0 if name == "normal" else 9.0), name


@pytest.mark.parametrize("background", [0, 255])
@pytest.mark.parametrize("size", [(320, 240), (1280, 720)])
def test_text_stands_out_on_black_and_white(background: int, size: tuple[int, int]) -> None:
    image = picture(*size, background)
    view = View(media_time_s=NOW_S, hud=FULL_HUD, recording_s=3.0, message="paused")
    drawn = draw_overlay(image, view)
    scale = Scale(*size)
    sign = recording_notice(3.0, scale)
    assert sign is not None
    hud = hud_notice(FULL_HUD, scale, kept_right=sign.place.w + scale.gap)
    no_face = toast("no face", scale, bottom=scale.inside.bottom, quiet=True)
    assert hud is not None
    assert no_face is not None
    message = toast("paused", scale, bottom=no_face.place.y - scale.gap)
    assert message is not None
    for notice in (sign, hud, no_face, message):
        assert contrast_within(drawn, notice.place) > 4.5


@pytest.mark.parametrize("background", [0, 255])
@pytest.mark.parametrize("label", [*LABELS, UNSURE, None])
def test_labels_and_corners_stand_out(background: int, label: str | None) -> None:
    image = picture(640, 360, background)
    view = View(media_time_s=NOW_S, faces=(face(Box(250, 120, 120, 120), label),))
    drawn = draw_overlay(image, view)
    scale = Scale(640, 360)
    shown = FaceDrawing(view.faces[0], Rect(250, 120, 120, 120))
    w, h = pill_size(label_variants(shown, scale=scale, numbered=False)[0])
    gap = scale.px(8)
    pill = Rect(250 + (120 - w) // 2 + h // 3, 120 - gap - h + 2, w - 2 * (h // 3), h - 4)
    assert contrast_within(drawn, pill) > 4.5
    corner = drawn[120:150, 250:280].reshape(-1, 3)
    assert max(contrast(pixel, (background,) * 3) for pixel in corner) >= 3.0


# --- labels at faces


def check_placed(labels: list[Label], inside: Rect, taken: list[Rect], gap: int) -> int:
    placed = place_labels(labels, inside=inside, taken=taken, gap=gap)
    rects = [p.rect for p in placed if p is not None]
    assert all(rect.lies_in(inside) for rect in rects)
    assert not any(a.shared_area(b) for a, b in itertools.combinations(rects, 2))
    for label, place in zip(labels, placed, strict=True):
        assert place is None or (place.rect.w, place.rect.h) == label.sizes[place.variant]
    return len(rects)


@pytest.mark.parametrize(("width", "height"), [(64, 48), *SIZES[:5]])
def test_labels_stay_inside_and_apart_whatever_the_faces(width: int, height: int) -> None:
    rng = random.Random(width)
    scale = Scale(width, height)
    for _ in range(30):
        views = [
            face(
                Box(
                    rng.uniform(-0.3, 1.0) * width,
                    rng.uniform(-0.3, 1.0) * height,
                    side := rng.uniform(0.05, 1.2) * height,
                    side,
                ),
                rng.choice([*LABELS, UNSURE, None]),
                track_id,
            )
            for track_id in range(rng.randint(1, 8))
        ]
        labels = []
        for view in views:
            if (seen := seen_part(view.box, width, height)) is not None:
                lines = label_variants(FaceDrawing(view, seen), scale=scale, numbered=True)
                labels.append(Label(seen, tuple(pill_size(line) for line in lines)))
        count = check_placed(labels, scale.inside, [Rect(0, 0, width // 2, 20)], scale.px(8))
        assert count == len(labels) or width * height < 80_000


def test_a_label_goes_above_its_face() -> None:
    (placed,) = place_labels(
        [Label(Rect(200, 200, 100, 100), ((80, 20),))],
        inside=Rect(0, 0, 640, 360),
        taken=[],
        gap=5,
    )
    assert placed is not None
    assert placed.rect == Rect(210, 175, 80, 20)


def test_a_label_goes_inside_a_large_face_and_below_a_small_one_at_the_top() -> None:
    inside = Rect(0, 0, 640, 360)
    large = Label(Rect(200, 0, 200, 200), ((80, 20),))
    small = Label(Rect(200, 0, 60, 60), ((80, 20),))
    for label, y in ((large, 5), (small, 65)):
        (placed,) = place_labels([label], inside=inside, taken=[], gap=5)
        assert placed is not None
        assert placed.rect.y == y


def test_a_label_keeps_clear_of_what_is_taken() -> None:
    taken = Rect(0, 150, 640, 60)
    (placed,) = place_labels(
        [Label(Rect(200, 200, 100, 100), ((80, 20),))],
        inside=Rect(0, 0, 640, 360),
        taken=[taken],
        gap=5,
    )
    assert placed is not None
    assert placed.rect.shared_area(taken) == 0


def test_a_small_label_beside_a_small_face_is_better_than_a_large_one_on_it() -> None:
    (placed,) = place_labels(
        [Label(Rect(200, 30, 60, 60), ((80, 30), (50, 12)))],
        inside=Rect(0, 10, 640, 90),
        taken=[],
        gap=4,
    )
    assert placed is not None
    assert placed.variant == 1
    assert placed.rect == Rect(205, 14, 50, 12)


def test_a_label_that_was_below_stays_there_while_it_fits() -> None:
    for side in (60, 200):  # The lower row of a large face lies on it.
        for y, stays in ((100, True), (358 - side, False)):
            seen = Rect(200, y, side, side)
            (placed,) = place_labels(
                [Label(seen, ((80, 20),), is_below=True)],
                inside=Rect(0, 0, 640, 360),
                taken=[Rect(0, 300, 640, 60)],
                gap=5,
            )
            assert placed is not None
            assert lies_below(placed.rect, seen) == stays


def test_labels_do_not_go_to_and_fro_from_picture_to_picture() -> None:
    image, below = picture(1280, 720, 128), set[int]()

    def drawn(y: float) -> ImageBGR:
        faces = (face(Box(600, y, 80, 80), "happy", 7), face(Box(900, 300, 80, 80), "sad", 8))
        return draw_overlay(image, View(media_time_s=NOW_S, faces=faces), below=below)

    drawn(300)
    assert below == set()
    drawn(20)
    assert below == {7}
    drawn(300)
    assert below == {7}
    drawn(550)
    assert below == set()


def test_a_label_without_room_is_left_out() -> None:
    assert place_labels(
        [Label(Rect(0, 0, 16, 16), ((80, 20),))], inside=Rect(2, 2, 12, 12), taken=[], gap=2
    ) == [None]


def test_labels_say_what_is_known() -> None:
    scale = Scale(1280, 720)

    def text(label: str | None, side: int = 200, numbered: bool = False) -> str:
        drawing = FaceDrawing(face(Box(0, 0, side, side), label, 7), Rect(0, 0, side, side))
        line = label_variants(drawing, scale=scale, numbered=numbered)[0]
        return " ".join("".join(run.text for run in line).replace(NARROW_SPACE, " ").split())

    assert text("happy") == "happy 83 %"
    assert text("happy", numbered=True) == "7 happy 83 %"
    assert text("happy", side=30) == "happy"
    assert text(UNSURE) == "unsure"
    assert text(None) == "…"


# --- panel, strip, notices


def test_the_panel_hides_no_face_where_another_side_is_free() -> None:
    inside = Rect(10, 10, 620, 340)
    for x in (0, 220, 440):
        seen = Rect(x, 40, 200, 300)
        placed = place_panel(
            [(150, 130)], inside=inside, picture_area=640 * 360, taken=[], faces=[seen]
        )
        assert placed is not None
        assert placed.rect.lies_in(inside)
        assert placed.rect.shared_area(seen) == 0


def test_the_panel_is_left_out_rather_than_put_on_the_face_or_on_a_tiny_picture() -> None:
    def place(width: int, height: int, faces: list[Rect]) -> object:
        scale = Scale(width, height)
        sizes = [variant.size for variant in panel_variants(scale, titled=False)]
        return place_panel(
            sizes, inside=scale.inside, picture_area=width * height, taken=[], faces=faces
        )

    assert place(640, 360, [Rect(0, 0, 640, 360)]) is not None  # a corner of it is little
    assert place(640, 360, [Rect(0, 200, 120, 160), Rect(500, 0, 140, 360)]) is not None
    assert place(320, 240, [Rect(40, 20, 240, 200)]) is None
    assert place(176, 144, []) is None


def test_the_strip_shows_what_was_known_and_unsure_faintly() -> None:
    scale = Scale(1280, 720)
    sizes = strip_sizes(scale)
    assert sizes is not None
    band = sizes.band
    history = (
        (NOW_S - HISTORY_S - 1.0, "angry"),
        (NOW_S - 24.0, UNSURE),
        (NOW_S - 12.0, "sad"),
        (NOW_S - 1.0, "happy"),
        (NOW_S + 5.0, "disgust"),
    )
    view = View(
        media_time_s=NOW_S,
        faces=(FaceView(1, Box(500, 200, 200, 200), mood("happy"), history=history),),
    )
    drawn = draw_overlay(picture(1280, 720, 0), view)

    def at(ago_s: float) -> Colour:
        x = band.x + round(band.w * (1.0 - ago_s / HISTORY_S))
        blue, green, red = (int(v) for v in drawn[band.y + band.h // 2, x])
        return blue, green, red

    assert at(29.3) == LABEL_COLOURS["angry"]
    assert at(11.0) == at(10.2) == LABEL_COLOURS["sad"]
    assert at(0.5) == LABEL_COLOURS["happy"]
    nothing = at(27.0)
    assert max(at(23.0)) < 120
    assert max(at(23.0)) > max(nothing) > max(drawn[band.y - 2, band.x + band.w // 2])
    # Two seconds after an answer nobody knows any more, whatever comes then.
    assert at(21.0) == at(9.8) == at(2.0) == nothing


def test_a_narrow_strip_has_no_times_that_would_touch() -> None:
    for size, has_text in (((136, 240), False), ((199, 600), False), ((200, 600), True)):
        sizes = strip_sizes(Scale(*size))
        assert sizes is not None
        assert bool(sizes.text) == has_text


def test_the_strip_is_left_out_on_tiny_pictures() -> None:
    assert strip_sizes(Scale(64, 48)) is None


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_notices_stay_inside_and_apart(width: int, height: int) -> None:
    scale = Scale(width, height)
    sign = recording_notice(3599.0, scale)
    assert sign is not None
    hud = hud_notice(FULL_HUD, scale, kept_right=sign.place.w + scale.gap)
    assert hud is not None
    low = toast("word " * 80, scale, bottom=scale.inside.bottom)
    assert low is not None
    for notice in (sign, hud, low):
        assert notice.place.lies_in(scale.inside)
        for line in notice.lines:
            assert line_width(line) + notice.pad <= notice.place.w
    assert sign.place.shared_area(hud.place) == 0
    assert hud.place.h < height / 6


def test_the_hud_shows_only_what_is_known() -> None:
    def words(hud: HudView) -> str:
        notice = hud_notice(hud, Scale(1280, 720), kept_right=0)
        assert notice is not None
        text = "".join(run.text for line in notice.lines for run in line)
        return " ".join(text.replace(NARROW_SPACE, " ").split())

    assert words(HudView()) == "dropped 0 skipped 0"
    assert words(FULL_HUD) == (
        "capture 30.0 Hz display 60.0 Hz inference 5.2 Hz age 84 ms dropped 3 skipped 1 cpu float32"
    )


def test_recorded_time_in_minutes_and_seconds() -> None:
    notice = recording_notice(83.9, Scale(1280, 720))
    assert notice is not None
    assert notice.lines[0][0].text.endswith("01:23")


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720)])
def test_a_long_message_takes_several_lines(width: int, height: int) -> None:
    scale = Scale(width, height)
    text = (
        "the recording realtime-mood-20261127-120000.mp4 cannot be written (No space left on "
        "device); make room and start another one"
    )
    notice = toast(text, scale, bottom=scale.inside.bottom)
    assert notice is not None
    assert 1 < len(notice.lines) <= 4
    assert " ".join(line[0].text for line in notice.lines) == text
    assert notice.place.lies_in(scale.inside)


def test_an_empty_message_shows_nothing() -> None:
    assert toast("  \n ", Scale(640, 360), bottom=300) is None


# --- text


def test_a_long_text_is_shortened_to_fit() -> None:
    text = shortened("a rather long message", size=20, bold=True, width=120)
    assert text.endswith("…")
    assert Run(text, 20, (0, 0, 0), bold=True).width <= 120
    assert shortened("short", size=20, bold=True, width=120) == "short"
    assert shortened("short", size=20, bold=True, width=3) == ""


def test_words_are_wrapped_and_only_what_has_no_room_is_left_out() -> None:
    assert wrapped("one two three", size=20, bold=True, width=90, most=3) == ["one two", "three"]
    assert wrapped("one two three", size=20, bold=True, width=90, most=2) == ["one two", "three"]
    (only,) = wrapped("one two three", size=20, bold=True, width=90, most=1)
    assert (only[:3], only[-1]) == ("one", "…")
    first, second = wrapped("unbreakablelongname two", size=20, bold=True, width=90, most=2)
    assert (first[-1], second) == ("…", "two")
    assert wrapped("one two", size=20, bold=True, width=3, most=2) == []
    lines = wrapped("one\u00a0two three", size=20, bold=True, width=90, most=3)
    assert lines == ["one\u00a0two", "three"]
    lines = wrapped("one two\u00a0three", size=20, bold=True, width=110, most=3)
    assert lines == ["one", "two\u00a0three"]
    assert wrapped("one two", size=20, bold=True, width=90, most=0) == []


@pytest.mark.parametrize("name", ["mood-sans-regular.otf", "mood-sans-semibold.otf"])
def test_the_fonts_are_small_licensed_and_complete(name: str) -> None:
    assert (FONT_FOLDER / name).stat().st_size < 60_000
    assert "SIL OPEN FONT LICENSE" in (FONT_FOLDER / "OFL.txt").read_text(encoding="utf-8")
    font = ImageFont.truetype(str(FONT_FOLDER / name), 40, layout_engine=ImageFont.Layout.BASIC)
    missing = bytes(font.getmask("\u4e00"))
    signs = "".join(chr(code) for code in range(0x21, 0x7F)) + "…·×−äéñß"
    assert [sign for sign in signs if bytes(font.getmask(sign)) == missing] == []
    assert len({font.getlength(digit) for digit in "0123456789"}) == 1


def test_a_message_in_another_script_does_not_fail() -> None:
    view = View(media_time_s=0.0, message="保存しました 😀")
    assert draw_overlay(picture(320, 240), view).shape == (240, 320, 3)


@pytest.mark.parametrize("size", [(427, 240), (1920, 1080)])
def test_a_picture_is_scaled_before_anything_is_drawn_on_it(size: tuple[int, int]) -> None:
    width, height = size
    before, view = picture(1280, 720, 90), full_view(1280, 720)
    scaled = draw_overlay(before, view, size=size)
    assert scaled.shape == (height, width, 3)
    drawn = draw_overlay(picture(width, height, 90), full_view(width, height))
    # Boxes of half pixels may be rounded the other way.
    assert float((scaled != drawn).any(axis=2).mean()) < 0.01
    np.testing.assert_array_equal(
        draw_overlay(before, view, size=(1280, 720)), draw_overlay(before, view)
    )
