"""Pictures of a source that changes their size while it is read."""

from __future__ import annotations

import cv2
import numpy as np

from realtime_mood.frame import ImageBGR


def fit_into(image_bgr: ImageBGR, size: tuple[int, int]) -> ImageBGR:
    """The picture in another size and its own proportions, black bars beside it where it must.

    Args:
        image_bgr: shape (height, width, 3); answered as it is where it has that size.
        size: (width, height).
    """
    height, width = image_bgr.shape[:2]
    if (width, height) == size:
        return image_bgr
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(scale * width)), max(1, round(scale * height))
    fitted = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    area = fitted[top : top + inner[1], left : left + inner[0]]
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    cv2.resize(image_bgr, inner, dst=area, interpolation=how)
    return fitted
