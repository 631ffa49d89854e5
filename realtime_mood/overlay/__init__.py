"""Draws what is known about the faces over a picture. The same values give the same pixels.

    draw_overlay(image, view)
        geometry, placing   where things go: arithmetic on whole pixels
        faces               round corners and a label at each face
        mood                eight bars and the strip of the past, for the first face
        notices             numbers, message, recording sign
        sprites, text, palette   shapes, letters and colours, made once and blended where they lie

What is named is a facial expression, not what a person feels.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from realtime_mood.frame import ImageBGR
from realtime_mood.overlay.faces import (
    FaceDrawing,
    draw_brackets,
    draw_label,
    label_variants,
    pill_size,
)
from realtime_mood.overlay.geometry import Rect, Scale, seen_part
from realtime_mood.overlay.mood import (
    draw_panel,
    draw_strip,
    face_title,
    panel_variants,
    strip_sizes,
)
from realtime_mood.overlay.notices import (
    NO_FACE,
    Notice,
    draw_notice,
    hud_notice,
    recording_notice,
    toast,
)
from realtime_mood.overlay.placing import Label, lies_below, place_labels, place_panel
from realtime_mood.view import FaceView, View

__all__ = ["draw_overlay"]


def draw_overlay(
    image_bgr: ImageBGR,
    view: View,
    *,
    size: tuple[int, int] | None = None,
    mirror: bool = False,
    below: set[int] | None = None,
) -> ImageBGR:
    """The picture with everything in `view` drawn over it.

    Args:
        image_bgr: shape (height, width, 3), uint8; not written to.
        view: what to draw; boxes are in pixels of `image_bgr`.
        size: width and height that the picture is scaled to first, in its own proportions; None
            leaves it as it is.
        mirror: flip the picture left to right first, as a person expects of a mirror; boxes
            follow, text stays readable.
        below: numbers of the faces whose labels lay below them in the picture before; brought up
            to date, so that labels do not go to and fro from picture to picture.

    Returns:
        A new contiguous picture, of the same shape or of that size.
    """
    image = image_bgr
    if size is not None and size != (image_bgr.shape[1], image_bgr.shape[0]):
        image, view = _scaled(image_bgr, view, size)
    if mirror:
        image = np.asarray(cv2.flip(image, 1), dtype=np.uint8)
    if image is image_bgr:  # Scaled or flipped it is new already.
        image = image_bgr.copy()
    height, width = image.shape[:2]
    scale = Scale(width, height)
    faces = _seen_faces(view, width, height, mirror=mirror)
    numbered = len(faces) > 1
    first = faces[0].view if faces else None

    title = face_title(first) if first is not None and numbered else ""
    strip = strip_sizes(scale, title=title) if first is not None else None
    no_face = view.is_searched and not faces
    notices = _notices(view, scale, bottom=strip.place.y if strip else None, no_face=no_face)
    taken = [notice.place for notice in notices]
    if strip:
        taken.append(strip.place)

    variants = [label_variants(face, scale=scale, numbered=numbered) for face in faces]
    labels = [
        Label(
            face.seen,
            tuple(pill_size(line) for line in lines),
            is_below=below is not None and face.view.track_id in below,
        )
        for face, lines in zip(faces, variants, strict=True)
    ]
    placed = place_labels(labels, inside=scale.inside, taken=taken, gap=scale.px(8, least=2))

    if below is not None:
        below.clear()
        below.update(
            face.view.track_id
            for face, place in zip(faces, placed, strict=True)
            if place is not None and lies_below(place.rect, face.seen)
        )

    for face in faces:
        draw_brackets(image, face, scale)
    if first is not None and strip is not None:
        draw_strip(image, first.history, view.media_time_s, strip)
    if first is not None and first.mood is not None:
        _draw_panel(image, first, faces, scale, [*taken, *(p.rect for p in placed if p)])
    for face, lines, place in zip(faces, variants, placed, strict=True):
        if place is not None:
            draw_label(image, face, lines[place.variant], place.rect, scale)
    for notice in notices:
        draw_notice(image, notice)
    return image


def _scaled(image_bgr: ImageBGR, view: View, size: tuple[int, int]) -> tuple[ImageBGR, View]:
    factor = size[0] / image_bgr.shape[1]
    way = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(image_bgr, size, interpolation=way), dtype=np.uint8)
    faces = tuple(replace(face, box=face.box.scaled(factor)) for face in view.faces)
    return image, replace(view, faces=faces)


def _seen_faces(view: View, width: int, height: int, *, mirror: bool) -> list[FaceDrawing]:
    faces = []
    for face in view.faces:
        box = face.box.mirrored(width) if mirror else face.box
        seen = seen_part(box, width, height)
        if seen is not None:
            faces.append(FaceDrawing(face, seen))
    return faces


def _notices(view: View, scale: Scale, *, bottom: int | None, no_face: bool) -> list[Notice]:
    notices: list[Notice] = []
    sign = recording_notice(view.recording_s, scale) if view.recording_s is not None else None
    if sign is not None:
        notices.append(sign)
    if view.hud is not None:
        kept = sign.place.w + scale.gap if sign is not None else 0
        hud = hud_notice(view.hud, scale, kept_right=kept)
        if hud is not None:
            notices.append(hud)
    end = scale.inside.bottom if bottom is None else bottom - scale.gap
    for text, quiet in ((NO_FACE if no_face else None, True), (view.message, False)):
        notice = toast(text, scale, bottom=end, quiet=quiet) if text else None
        if notice is not None:
            notices.append(notice)
            end = notice.place.y - scale.gap
    return notices


def _draw_panel(
    image: ImageBGR,
    first: FaceView,
    faces: list[FaceDrawing],
    scale: Scale,
    taken: list[Rect],
) -> None:
    variants = panel_variants(scale, titled=len(faces) > 1)
    inside = scale.inside
    place = place_panel(
        [sizes.size for sizes in variants],
        inside=inside,
        picture_area=scale.width * scale.height,
        taken=[rect.grown(scale.gap // 2) for rect in taken],
        faces=[face.seen for face in faces],
    )
    if place is not None:
        draw_panel(image, first, place.rect, variants[place.variant])
