"""Random changes to clips in training; of a clip, the same for all its frames.

`geometry` moves crops, `look` changes light, colour and camera, `erase` hides a part: uint8 in,
uint8 out, before the one `preprocess` that the runtime uses too. `mix` mixes two clips after it.
"""

from trainer.augment.erase import erase_clip
from trainer.augment.geometry import PAD, Move, draw_move
from trainer.augment.look import recolour_clip
from trainer.augment.policy import Changes, draw_changes

__all__ = ["PAD", "Changes", "Move", "draw_changes", "draw_move", "erase_clip", "recolour_clip"]
