"""InvokeHarness over a bare socket: many callers at once, without an SDK that would be most of the load."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

from agentcore_local.toolchain import SECRET_ACCESS_KEY
from support import stacks

if TYPE_CHECKING:
    from agentcore_local import Account


def created(account: Account) -> str:
    """The ARN of a new harness whose role may do everything."""
    iam = account.client("iam")
    role = iam.create_role(RoleName="agent", AssumeRolePolicyDocument=json.dumps(stacks.trust()))["Role"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="agent", PolicyName="all", PolicyDocument=json.dumps(everything))
    control = account.client("bedrock-agentcore-control")
    arn: str = control.create_harness(harnessName="helper", executionRoleArn=role["Arn"])["harness"]["arn"]
    return arn


async def invocations(
    account: Account, arn: str, count: int, *, at_once: int = 50, prompt: str = "hello {session}"
) -> list[tuple[str, str]]:
    """So many invocations, each in a session of its own: session and answer."""
    places = asyncio.Semaphore(at_once)

    async def one() -> tuple[str, str]:
        async with places:
            session = str(uuid.uuid4())
            return session, await answer(account, arn, session, prompt.format(session=session))

    return await asyncio.gather(*(one() for _ in range(count)))


async def answer(account: Account, arn: str, session: str, prompt: str) -> str:
    """What the model says last; an error of the service, or in the stream, is an AssertionError."""
    reader, writer = await opened(account, arn, session, prompt)
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head + await reader.read()
        assert b"chunked" in head, await reader.read()
        content = b""
        while size := int(await reader.readline(), 16):
            content += await reader.readexactly(size)
            await reader.readline()
    finally:
        writer.close()
    return spoken(content)


async def opened(
    account: Account, arn: str, session: str, prompt: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which one invocation has been asked for."""
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": prompt}]}]}).encode()
    headers = {"X-Amzn-Bedrock-AgentCore-Runtime-Session-Id": session, "Content-Length": str(len(body))}
    request = AWSRequest("POST", f"{account.cloud.endpoint_url}/harnesses/invoke", headers, body, {"harnessArn": arn})
    SigV4Auth(Credentials(account.account_id, SECRET_ACCESS_KEY), "bedrock-agentcore", account.region).add_auth(request)
    sent = request.prepare()
    target = urlsplit(sent.url)
    lines = [f"POST {target.path}?{target.query} HTTP/1.1", f"Host: {target.netloc}", "Connection: close"]
    lines += [f"{name}: {v.decode() if isinstance(v, bytes) else v}" for name, v in sent.headers.items()]
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    return reader, writer


def spoken(content: bytes) -> str:
    """The text of the last message of an event stream that ended well."""
    buffer, text, stop = EventStreamBuffer(), "", ""
    buffer.add_data(content)
    for event in buffer:
        assert event.headers[":message-type"] == "event", event.payload
        payload: dict[str, Any] = json.loads(event.payload)
        name = event.headers[":event-type"]
        if name == "messageStart":
            text = ""
        elif name == "contentBlockDelta":
            text += payload["delta"].get("text", "")
        elif name == "messageStop":
            stop = payload["stopReason"]
    assert stop == "end_turn"
    return text
