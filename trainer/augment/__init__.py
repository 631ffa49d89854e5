"""Random changes to clips in training; of a clip, the same for all its frames.

`geometry` moves crops, `turn` turns heads, `look` changes light, colour and camera, `erase` hides a
part, `cover` so much that nobody could tell the expression, in some frames or in all: uint8 in,
uint8 out. The head is held still after `look` and `cover`, as in the runtime, which sees them too,
and before `erase`, whose rectangle does not move with it. `mix` mixes two clips that are ready for
the model.
"""

from trainer.augment.cover import cover_clip, hide_face
from trainer.augment.erase import erase_clip
from trainer.augment.geometry import PAD, Move, draw_move, in_padded
from trainer.augment.look import recolour_clip
from trainer.augment.policy import Changes, draw_changes
from trainer.augment.turn import turn_head

__all__ = [
    "PAD",
    "Changes",
    "Move",
    "cover_clip",
    "draw_changes",
    "draw_move",
    "erase_clip",
    "hide_face",
    "in_padded",
    "recolour_clip",
    "turn_head",
]
