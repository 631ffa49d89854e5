"""A camera on the network: Motion JPEG over HTTP, whose connections it closes after a while."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import cv2

from realtime_mood.capture.pattern_source import PatternSource

RATE_HZ = 25


class MjpegServer:
    """Serves a drawn face to whoever asks.

    Args:
        connection_s: seconds after which each connection is closed.
        connections: how many are accepted; later ones are answered with an error.
    """

    def __init__(self, *, connection_s: float, connections: int = 1000) -> None:
        pattern = PatternSource(width=160, height=120)
        pictures = []
        for _ in range(RATE_HZ):
            frame = pattern.read()
            assert frame is not None
            pictures.append(cv2.imencode(".jpg", frame.image_bgr)[1].tobytes())
        closing = self._closing = threading.Event()
        accepted: list[float] = []
        self.accepted = accepted
        """When connections were accepted, by `time.monotonic`."""

        class Camera(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if len(accepted) >= connections:
                    self.send_error(503)
                    return
                accepted.append(time.monotonic())
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                for number in range(int(connection_s * RATE_HZ)):
                    jpeg = pictures[number % RATE_HZ]
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                    try:
                        self.wfile.write(head.encode() + b"\r\n\r\n" + jpeg + b"\r\n")
                    except OSError:
                        return
                    if closing.wait(1 / RATE_HZ):
                        return

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
        self._thread = threading.Thread(target=self._server.serve_forever, name="camera")
        self.url = f"http://127.0.0.1:{self._server.server_port}/video"

    def __enter__(self) -> MjpegServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
