"""A local server that answers as Zenodo does, and misbehaves as networks do."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ZenodoServer:
    """What the server holds, how it behaves, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    announced: dict[str, str] = field(default_factory=dict)
    """Checksums by name, where they are not the true ones."""
    cut_after: int | None = None
    """Bytes after which every answer breaks off."""
    knows_ranges: bool = True
    statuses: list[int] = field(default_factory=list)
    """Answers given to the next requests for files, in place of the file."""
    ranges: list[str | None] = field(default_factory=list)
    """Range header of each request for a file."""
    url: str = ""

    def record(self) -> bytes:
        files = [
            {
                "key": name,
                "size": len(content),
                "checksum": self.announced.get(name, f"md5:{hashlib.md5(content).hexdigest()}"),
                "links": {"self": f"{self.url}/files/{name}/content"},
            }
            for name, content in self.files.items()
        ]
        return json.dumps({"files": files}).encode()


@contextmanager
def serve(server: ZenodoServer) -> Iterator[ZenodoServer]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path.startswith("/api/records/1188976"):
                self._answer(200, server.record())
                return
            server.ranges.append(self.headers.get("Range"))
            if server.statuses:
                self._answer(server.statuses.pop(0), b"")
                return
            content = server.files[self.path.split("/")[2]]
            begin = 0
            if server.knows_ranges and (asked := self.headers.get("Range")):
                begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            self._answer(206 if begin else 200, content, begin=begin)

        def _answer(self, status: int, content: bytes, *, begin: int = 0) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) - begin))
            if status == 206:
                self.send_header(
                    "Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}"
                )
            self.end_headers()
            is_file = self.path.startswith("/files")
            end = begin + server.cut_after if server.cut_after and is_file else len(content)
            self.wfile.write(content[begin:end])

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = False
    thread = threading.Thread(target=listening.serve_forever, name="zenodo", daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_address[1]}"
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
