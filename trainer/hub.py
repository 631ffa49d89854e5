"""A checkpoint folder on the Hugging Face Hub.

Only the checkpoint goes there. The report stays here: it shows people of the data.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from realtime_mood.errors import OutputError, one_line
from realtime_mood.model.checkpoint import HUB_FILES

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def open_repository(repository: str, *, api: HfApi | None = None) -> None:
    """Make sure that a checkpoint can be pushed; a new repository is private.

    Args:
        repository: such as 'owner/name'.
        api: of the Hub; None: the one that HF_ENDPOINT and HF_TOKEN say.

    Raises:
        OutputError: the Hub refuses, or is out of reach.
    """
    from huggingface_hub import HfApi

    try:
        (api or HfApi()).create_repo(repository, private=True, exist_ok=True)
    except Exception as error:
        raise OutputError(
            f"--push-to-hub {repository}: the Hugging Face Hub refuses it or is out of reach "
            f"({one_line(error)}); log in with 'hf auth login', or train without it"
        ) from error


def push_checkpoint(folder: Path, repository: str, *, api: HfApi | None = None) -> str:
    """Push the files of a checkpoint as one commit, and no others that lie beside them.

    Args:
        folder: a checkpoint folder.
        repository: opened before by `open_repository`.
        api: of the Hub; None: the one that HF_ENDPOINT and HF_TOKEN say.

    Returns:
        The address of the commit.

    Raises:
        OutputError: it could not be pushed; the folder is as it was.
    """
    from huggingface_hub import HfApi

    try:
        commit = (api or HfApi()).upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=list(HUB_FILES),
            commit_message="A checkpoint for realtime-mood",
        )
    except Exception as error:
        raise OutputError(
            f"the checkpoint could not be pushed to {repository} ({one_line(error)}); it is "
            f"whole in {folder}: 'hf upload {repository} {folder}' tries again"
        ) from error
    return str(commit.commit_url)
