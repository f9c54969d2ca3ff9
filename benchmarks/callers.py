"""Callers of InvokeHarness in a process of their own, so that their CPU is not counted as the local cloud's.

Requests are signed before the clock starts and answers are read as bytes: what is timed is the local cloud, not an SDK.
Each call is a session of its own; every answer must end with a `metadata` event.

    python benchmarks/callers.py ENDPOINT ACCOUNT HARNESS_ARN CALLERS CALLS
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
import uuid
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from agentcore_local.toolchain import SECRET_ACCESS_KEY

WARM_UP = 20
END = b"0\r\n\r\n"


def signed(endpoint: str, account: str, arn: str) -> bytes:
    """One request as it goes over the wire, for a fresh session."""
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": "What is the answer?"}]}]}).encode()
    session = str(uuid.uuid4())
    headers = {
        "Content-Type": "application/json",
        "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id": session,
        "Content-Length": str(len(body)),
    }
    request = AWSRequest("POST", f"{endpoint}/harnesses/invoke", headers, body, {"harnessArn": arn})
    SigV4Auth(Credentials(account, SECRET_ACCESS_KEY), "bedrock-agentcore", arn.split(":")[3]).add_auth(request)
    sent = request.prepare()
    target = urlsplit(sent.url)
    lines = [f"POST {target.path}?{target.query} HTTP/1.1", f"Host: {target.netloc}"]
    lines += [f"{name}: {_text(value)}" for name, value in sent.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


async def caller(endpoint: str, requests: list[bytes], times: list[tuple[float, float]]) -> None:
    """Sends what is left of the requests, one after the other, on one connection; notes first byte and end."""
    target = urlsplit(endpoint)
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    while requests:
        writer.write(requests.pop())
        started = time.perf_counter()
        head = await reader.readuntil(b"\r\n\r\n")
        received = await reader.read(65536)
        first = time.perf_counter() - started
        chunked = b"chunked" in head.lower()
        while chunked and not received.endswith(END) and (more := await reader.read(65536)):
            received += more
        times.append((first, time.perf_counter() - started))
        if not (head.startswith(b"HTTP/1.1 200 ") and received.endswith(END) and b"metadata" in received):
            raise SystemExit(f"an invocation failed: {(head + received)[:2000]!r}")
    writer.close()
    await writer.wait_closed()


async def run(endpoint: str, account: str, arn: str, callers: int, calls: int) -> dict[str, float]:
    """All calls by that many callers; times in milliseconds, except `started` and `ended` (seconds since the epoch)."""
    await caller(endpoint, [signed(endpoint, account, arn) for _ in range(WARM_UP)], [])
    requests = [signed(endpoint, account, arn) for _ in range(calls)]
    times: list[tuple[float, float]] = []
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    started = time.perf_counter()
    await asyncio.gather(*(caller(endpoint, requests, times) for _ in range(callers)))
    seconds = time.perf_counter() - started
    totals = [1000 * total for _, total in times]
    return {
        "per_second": calls / seconds,
        "first_ms": 1000 * statistics.median(first for first, _ in times),
        "p50_ms": statistics.median(totals),
        "p95_ms": statistics.quantiles(totals, n=20)[18],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(*sys.argv[1:4], *map(int, sys.argv[4:])))))
