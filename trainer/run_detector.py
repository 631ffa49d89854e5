"""Which face detector a run cuts by: the same from its beginning to its end.

'auto' would take another one where YuNet's file is at hand at one time and not at another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from realtime_mood.errors import ModelError
from realtime_mood.faces.detector import make_detector
from trainer.config.data import DataConfig
from trainer.run_folder import DATA_FILE, read_data, write_text

DETECTOR = "detector"
"""Its name in a run's `data.json`; earlier versions did not write it."""


def find_detector(data: DataConfig, folders: Iterable[Path]) -> str:
    """The detector that a run was begun with, or the one asked for.

    Args:
        data: options of the run.
        folders: of the run, or of all runs that are to have the same.

    Returns:
        'yunet', 'cascade' or 'none'.

    Raises:
        ModelError: it cannot be had.
    """
    kept = (read_data(folder).get(DETECTOR) for folder in folders)
    begun = next(filter(None, kept), None)
    try:
        return make_detector(begun or data.faces, yunet_file=data.face_model).name
    except ModelError as error:
        if begun is None:
            raise
        raise ModelError(f"the run was begun with faces found by '{begun}': {error}") from error


def keep_detector(folder: Path, name: str) -> None:
    """Write into a run's folder what it goes on with.

    Raises:
        OutputError: it cannot be written.
    """
    values = {**read_data(folder), DETECTOR: name}
    write_text(folder / DATA_FILE, json.dumps(values, indent=2) + "\n")
