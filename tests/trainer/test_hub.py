"""A checkpoint pushed to a stand-in for the Hub, spoken to over HTTP by the Hub's own client."""

from __future__ import annotations

import base64
import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import EvalResult, HfApi, ModelCard, ModelCardData

from realtime_mood.errors import OutputError
from trainer.hub import open_repository, push_checkpoint
from trainer.report.card import _hub_name

DATASET = re.compile(r"(?:[\w-]+/)?[\w.-]+")
"""What the Hub takes for a dataset's name in a card."""


class _Hub(BaseHTTPRequestHandler):
    """Takes every file into the commit itself; refuses tokens other than 'hf_right'."""

    created: list[dict[str, Any]]
    files: dict[str, bytes]

    def do_GET(self) -> None:
        self._answer(200, {"id": "someone/model", "sha": "0" * 40, "siblings": []})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != "Bearer hf_right":
            self._answer(401, {"error": "who are you?"})
        elif self.path == "/api/repos/create":
            type(self).created.append(json.loads(body))
            self._answer(200, {"url": f"http://{self.headers['Host']}/someone/model"})
        elif self.path == "/api/models/someone/model/preupload/main":
            names = [file["path"] for file in json.loads(body)["files"]]
            files = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            self._answer(200, {"files": files})
        elif self.path == "/api/models/someone/model/commit/main":
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    content = base64.b64decode(entry["value"]["content"])
                    type(self).files[entry["value"]["path"]] = content
            url = f"http://{self.headers['Host']}/someone/model/commit/abc"
            self._answer(200, {"success": True, "commitOid": "abc", "commitUrl": url})
        else:
            assert self.path == "/api/validate-yaml"
            card = ModelCard(json.loads(body)["content"], ignore_metadata_errors=True)
            wrong = [
                result.dataset_type
                for result in card.data.eval_results or ()
                if not DATASET.fullmatch(result.dataset_type)
            ]
            errors = [{"message": f'"model-index" {kind} fails to match'} for kind in wrong]
            self._answer(400 if wrong else 200, {"warnings": [], "errors": errors})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[tuple[str, type[_Hub]]]:
    """The address, and what was asked of it."""
    handler = type("Hub", (_Hub,), {"created": [], "files": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", handler
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_whole_checkpoint_is_pushed_to_a_private_repository(
    hub: tuple[str, type[_Hub]], checkpoint: Path
) -> None:
    address, asked = hub
    api = HfApi(endpoint=address, token="hf_right")
    open_repository("someone/model", api=api)
    assert asked.created[0]["name"] == "model"
    assert asked.created[0].get("private") is True or asked.created[0]["visibility"] == "private"
    url = push_checkpoint(checkpoint, "someone/model", api=api)
    assert url == f"{address}/someone/model/commit/abc"
    wanted = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
    assert {name: asked.files.get(name) for name in wanted} == wanted


def test_a_card_of_several_corpora_is_one_that_the_hub_takes(
    hub: tuple[str, type[_Hub]], checkpoint: Path, tmp_path: Path
) -> None:
    api = HfApi(endpoint=hub[0], token="hf_right")
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, folder)

    def write_card(dataset: str) -> None:
        result = EvalResult("video-classification", dataset, dataset, "accuracy", 0.5)
        data = ModelCardData(model_name="m", eval_results=[result])
        (folder / "README.md").write_text(f"---\n{data.to_yaml()}\n---\n")

    write_card("RAVDESS + CREMA-D + fer2013.npz")
    with pytest.raises(OutputError, match=r"RAVDESS \+ CREMA-D \+ fer2013.npz fails to match"):
        push_checkpoint(folder, "someone/model", api=api)
    write_card(_hub_name("RAVDESS + CREMA-D + fer2013.npz"))
    push_checkpoint(folder, "someone/model", api=api)
    assert b"type: RAVDESS-CREMA-D-fer2013.npz" in hub[1].files["README.md"]
    assert DATASET.fullmatch(_hub_name("Größe 2 +"))
    assert DATASET.fullmatch(_hub_name("+"))


def test_a_wrong_token_is_told_before_training(hub: tuple[str, type[_Hub]]) -> None:
    with pytest.raises(OutputError, match=r"--push-to-hub someone/model: .*hf auth login"):
        open_repository("someone/model", api=HfApi(endpoint=hub[0], token="hf_wrong"))


def test_a_push_that_fails_says_where_the_checkpoint_is(checkpoint: Path) -> None:
    api = HfApi(endpoint="http://127.0.0.1:9", token="hf_right")
    with pytest.raises(OutputError, match=f"is whole in {checkpoint}"):
        push_checkpoint(checkpoint, "someone/model", api=api)
