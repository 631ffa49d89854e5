"""Where YuNet's file comes from: named by the person, fetched before, or fetched now."""

from __future__ import annotations

import hashlib
import logging
import socket
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from realtime_mood.errors import ModelError, first_line

log = logging.getLogger(__name__)

FACE_MODEL_VARIABLE = "REALTIME_MOOD_FACE_MODEL"
"""Of the environment; names the file for the runtime and the trainer."""
HUB_REPOSITORY = "opencv/face_detection_yunet"
FILE_NAME = "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
CONNECT_TIMEOUT_S = 2.0
PORTS = {"http": 80, "https": 443}
PROXIES = frozenset({"http", "https", "all"})
"""What a proxy is for; 'no' is the list of addresses that go without one."""


def check_yunet_file(path: Path) -> None:
    """Refuse a file that is not the model, whole.

    Raises:
        ModelError: it is missing, cannot be read, or has another checksum.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ModelError(
            f"the face model {path} does not exist; check --face-model or {FACE_MODEL_VARIABLE}"
        ) from None
    except OSError as error:
        raise ModelError(
            f"the face model {path} cannot be read ({error.strerror}); "
            f"name the file {FILE_NAME} itself and check its permissions"
        ) from error
    if found != SHA256:
        raise ModelError(
            f"the face model {path} is another file than {FILE_NAME}, or damaged (its SHA-256 is "
            f"{found}, not {SHA256}); get that file again"
        )


def fetch_yunet_file() -> Path:
    """YuNet's file out of the Hugging Face cache, or from the Hub where it is not there yet.

    `HF_HUB_OFFLINE`, `HF_HOME` and `HF_ENDPOINT` are honoured. Whether it is whole, the detector
    checks.

    Raises:
        ModelError: it is not in the cache and cannot be fetched.
    """
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache

    cached = try_to_load_from_cache(HUB_REPOSITORY, FILE_NAME)
    if isinstance(cached, str):
        return Path(cached)
    if constants.HF_HUB_OFFLINE:
        raise ModelError("HF_HUB_OFFLINE is set and the face model was not fetched before")
    if not _answers(constants.ENDPOINT):
        raise ModelError(f"{constants.ENDPOINT} does not answer")
    log.info("fetching %s from %s", FILE_NAME, HUB_REPOSITORY)
    try:
        return Path(hf_hub_download(HUB_REPOSITORY, FILE_NAME))
    except Exception as error:
        raise ModelError(f"the face model could not be fetched ({first_line(error)})") from error


def _answers(endpoint: str) -> bool:
    """Ask for a bare connection first: the Hub's client tries for half a minute without one."""
    # The client asks the same: the environment, and the system's settings on Windows and macOS.
    if getproxies().keys() & PROXIES:
        return True
    parts = urlsplit(endpoint)
    address = (parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443))
    try:
        with socket.create_connection(address, timeout=CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False
