"""A small HTTP server that answers as AgentCore does, for what a real local cloud cannot be asked to do wrong."""

from __future__ import annotations

import binascii
import json
import os
import re
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Event = Mapping[str, Any]
ARN = "arn:aws:bedrock-agentcore:us-east-1:000000000000:harness/research-0123456789"


def frame(event: Event) -> bytes:
    """One event-stream frame; a payload under `exception:<name>` becomes an exception frame."""
    (name, payload) = next(iter(event.items()))
    kind, _, exception = name.partition(":")
    headers = (
        {":message-type": "exception", ":exception-type": exception}
        if kind == "exception"
        else {":message-type": "event", ":event-type": name}
    )
    encoded = b"".join(
        bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for key, value in {**headers, ":content-type": "application/json"}.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", len(encoded) + len(body) + 16, len(encoded))
    message = prelude + struct.pack(">I", binascii.crc32(prelude)) + encoded + body
    return message + struct.pack(">I", binascii.crc32(message))


@dataclass(frozen=True)
class Refusal:
    """An error of a service."""

    status: int
    code: str
    message: str = "No luck."


Answer = Any
"""A JSON value, a `Refusal`, or a function of the request's body that gives one of them."""


@dataclass
class Wire:
    """What the server answers, and what it was asked.

    Attributes:
        events: Frames of the next streams.
        streams: Frames of the next streams, one by one; `events` when there is none left.
        refusal: (HTTP status, error code, message) in place of a stream.
        holds_seconds: Wait after the events before the response ends.
        breaks_off: Close the connection after the events without ending the response.
        harnesses: Pages of ListHarnesses.
        stacks: CloudFormation stack name → (status, outputs).
        answers: Further answers: a regular expression for `METHOD path operation` → what is answered.
        requests: (method, path, body, headers) in order of arrival.
    """

    events: Sequence[Event] = ()
    streams: list[Sequence[Event]] = field(default_factory=list)
    refusal: tuple[int, str, str] | None = None
    breaks_off: bool = False
    holds_seconds: float = 0
    harnesses: list[list[str]] = field(default_factory=lambda: [["research"]])
    stacks: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=lambda: {"status": "ok", "version": "0", "pid": os.getpid()})
    reset_status: int = 200
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    endpoint: str = ""

    def answer_to(self, request: str, body: bytes) -> Answer | None:
        """What a test has prepared for a request."""
        for pattern, answer in self.answers.items():
            if re.fullmatch(pattern, request):
                return answer(json.loads(body or b"{}")) if callable(answer) else answer
        return None

    def invocations(self) -> list[dict[str, Any]]:
        """Bodies of the InvokeHarness requests."""
        return [json.loads(body) for _, path, body, _ in self.requests if path.startswith("/harnesses/invoke")]


class Handler(BaseHTTPRequestHandler):
    """One request; subclassed by `serve` to know its `Wire`."""

    protocol_version = "HTTP/1.1"
    wire: Wire

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.wire.requests.append((self.command, self.path, body, dict(self.headers)))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        prepared = self.wire.answer_to(f"{self.command} {self.path.partition('?')[0]} {operation}".rstrip(), body)
        if isinstance(prepared, Refusal):
            # rest-json has the code in a header, JSON 1.1 in the body.
            error = {"__type": prepared.code, "message": prepared.message}
            self._json(prepared.status, error, **{"x-amzn-ErrorType": prepared.code})
        elif prepared is not None:
            self._json(200, prepared)
        elif self.path == "/health":
            self._json(200, self.wire.health)
        elif self.path == "/reset":
            self._json(self.wire.reset_status, {})
        elif self.path.startswith("/harnesses/invoke"):
            self._stream()
        elif self.path.startswith("/harnesses"):
            self._list()
        else:
            self._stack(body.decode())

    def _json(self, status: int, value: Any, **headers: str) -> None:
        self._send(status, json.dumps(value).encode(), "application/json", headers)

    def _send(self, status: int, body: bytes, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        if self.wire.refusal:
            status, code, message = self.wire.refusal
            self._json(status, {"message": message}, **{"x-amzn-ErrorType": code})
            return
        events = self.wire.streams.pop(0) if self.wire.streams else self.wire.events
        frames = b"".join(frame(event) for event in events)
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.amazon.eventstream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(frames), frames))
        self.wfile.flush()
        time.sleep(self.wire.holds_seconds)
        if self.wire.breaks_off:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _list(self) -> None:
        page = int(parse_qs(urlsplit(self.path).query).get("nextToken", ["0"])[0])
        listed = [
            {
                "harnessName": name,
                "harnessId": f"{name}-0123456789",
                "arn": ARN.replace("research", name),
                "status": "READY",
                "createdAt": 0,
                "updatedAt": 0,
                "harnessVersion": "1",
            }
            for name in self.wire.harnesses[page]
        ]
        more = {"nextToken": str(page + 1)} if page + 1 < len(self.wire.harnesses) else {}
        self._json(200, {"harnesses": listed, **more})

    def _stack(self, body: str) -> None:
        name = body.partition("StackName=")[2].partition("&")[0]
        if name not in self.wire.stacks:
            error = f"<Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message>"
            text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
            self._send(400, text.encode(), "text/xml", {})
            return
        status, outputs = self.wire.stacks[name]
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in outputs.items()
        )
        stack = (
            f"<StackName>{name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>"
            f"<StackStatus>{status}</StackStatus><Outputs>{members}</Outputs>"
        )
        result = f"<DescribeStacksResult><Stacks><member>{stack}</member></Stacks></DescribeStacksResult>"
        text = f"<DescribeStacksResponse>{result}</DescribeStacksResponse>"
        self._send(200, text.encode(), "text/xml", {})


@contextmanager
def serve() -> Iterator[Wire]:
    """Run the server on a free port of 127.0.0.1."""
    wire = Wire()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"wire": wire}))
    server.daemon_threads = True
    wire.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
