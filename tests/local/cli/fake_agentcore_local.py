"""Stands in for `python -m agentcore_local` where a start or a stop has to go wrong. Usage: MODE --port N …"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

MODE = sys.argv[1]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"status": "ok", "version": "9", "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""


def main() -> None:
    if MODE == "crash":
        sys.exit("ministack 9.9.9 is not the version this package composes with")
    if MODE == "mute":
        time.sleep(60)
    if MODE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler)
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    print("a warning of some library", file=sys.stderr, flush=True)  # noqa: T201 - as the real one does
    print(json.dumps({"endpoint": endpoint, "port": server.server_address[1], "pid": os.getpid()}), flush=True)  # noqa: T201 - as the real one does
    if MODE == "frozen":
        server.handle_request()  # the start's own question
        time.sleep(60)
    if MODE == "shortlived":
        server.handle_request()
        sys.exit("out of memory")
    server.serve_forever()


main()
