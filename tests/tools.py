"""Programs that some tests need."""

from __future__ import annotations

import os
import shutil

import pytest

REQUIRE_VARIABLE = "REALTIME_MOOD_REQUIRE_DISPLAY"


def need_tools(*names: str) -> None:
    """Skip the test where a program is missing; fail it where they were promised.

    Promised means that the environment variable REALTIME_MOOD_REQUIRE_DISPLAY is 1, as in CI.
    """
    missing = [name for name in names if shutil.which(name) is None]
    if not missing:
        return
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        pytest.fail(f"{' and '.join(missing)} missing, but {REQUIRE_VARIABLE} is 1")
    pytest.skip(f"needs {' and '.join(missing)}")
