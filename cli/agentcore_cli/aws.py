"""boto3 clients for a target, and what their errors mean in a sentence. boto3 is imported on first use only."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any, Final

from agentcore_cli.errors import FAILED, MISUSED, CliError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from botocore.exceptions import BotoCoreError, ClientError

    from agentcore_cli.targets import Target

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 3600
"""A stream is silent while a tool or a hook works; the service ends it after 60 minutes (its streaming quota)."""
KEEPALIVE_SECONDS: Final = 60
"""NAT gateways on the way drop a connection that was silent for 350 s; the system would first probe after two hours."""
_HINTS: Final[Mapping[str, str]] = {
    "ResourceNotFoundException": "check the name, the account, the Region and --endpoint",
    "RuntimeClientError": "see `agentcore-harness logs`; a missing permission of its execution role ends like this",
    "ThrottlingException": "wait a little and try again",
    "ThrottledException": "wait a little and try again",
    "ServiceQuotaExceededException": "wait for running sessions to end, or ask for a higher quota",
    "ExpiredTokenException": "renew the credentials, for instance with `aws sso login`",
    "UnrecognizedClientException": "check the credentials; with --aws they are those of the normal AWS chain",
    "InvalidSignatureException": "check the credentials and the clock of this machine",
}
_GRANTS: Final[Mapping[str, str]] = {
    "InvokeHarness": "bedrock-agentcore:InvokeHarness and bedrock-agentcore:InvokeAgentRuntime on the harness and on "
    "its endpoint (`harness.grant_invoke(...)`)",
    "FilterLogEvents": "logs:FilterLogEvents on the log group",
    "DescribeStacks": "cloudformation:DescribeStacks",
}
"""Operation → what the caller's policies must allow, where it is more or other than `bedrock-agentcore:<operation>`."""

_TOKENS: Final = (
    "the harness takes tokens of its identity provider, and this command signs with AWS credentials: send the request "
    "yourself, with the token as bearer"
)


def client(target: Target, service: str, *, streaming: bool = False) -> Any:
    """A boto3 client for a target.

    Args:
        target: Where it leads.
        service: boto3's name of the service.
        streaming: For InvokeHarness: one attempt only, because a second one would run the agent again; a read
            timeout of one hour; TCP keepalive every minute.

    Raises:
        CliError: no Region, an unknown profile or service.
    """
    from botocore.config import Config  # noqa: PLC0415 - see the module's docstring

    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS if streaming else 60,
        tcp_keepalive=True,
        retries={"total_max_attempts": 1} if streaming else {"mode": "standard"},
        user_agent_extra="agentcore-harness-cli",
    )
    with sentences(target):
        made = (
            _local_client(target, service, config) if target.kind == "local" else _aws_client(target, service, config)
        )
    if streaming:
        _keep_alive(made)
    return made


def pages(target: Target, operation: Callable[..., Any], member: str, **request: Any) -> Iterator[dict[str, Any]]:
    """The items of a paged operation, however many pages there are.

    Args:
        target: Where the operation leads, for sentences.
        operation: A client's method that takes and gives `nextToken`.
        member: The list in its answers.
        request: Its other arguments.

    Raises:
        CliError: what the service refused.
    """
    token: dict[str, str] = {}
    while True:
        with sentences(target):
            page = operation(**request, **token)
        yield from page[member]
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


@contextlib.contextmanager
def sentences(target: Target) -> Iterator[None]:
    """Turn the errors that boto3 raises inside into sentences.

    Raises:
        CliError: in place of each of them.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        raise from_service(error, target) from error
    except (BotoCoreError, HTTPClientError) as error:
        raise from_sdk(error, target) from error


def from_service(error: ClientError, target: Target) -> CliError:
    """What the service refused, with its own error name and message."""
    code = str(error.response.get("Error", {}).get("Code") or "Unknown")
    said = str(error.response.get("Error", {}).get("Message") or "no message").rstrip(".")
    # In a stream the service writes its error names with a small letter.
    if code == "AccessDeniedException" and "authorization method mismatch" in said.lower():
        hint = _TOKENS
    elif code == "AccessDeniedException":
        operation = str(error.operation_name)
        hint = f"the caller needs {_GRANTS.get(operation, f'bedrock-agentcore:{operation}')}"
    else:
        hint = _HINTS.get(code[:1].upper() + code[1:], "")
    request_id = error.response.get("ResponseMetadata", {}).get("RequestId")
    ending = f"; {hint}." if hint else "."
    if request_id and target.kind == "aws":
        ending += f" Request id {request_id}."
    return CliError(f"{error.operation_name} on {target.describe()} failed with {code}: {said}{ending}", code=code)


def from_sdk(error: BotoCoreError, target: Target) -> CliError:
    """What went wrong before the service answered, or while its answer was read."""
    name = type(error).__name__
    said = str(error).rstrip(".")
    fixes = {
        "NoCredentialsError": "No AWS credentials were found; sign in (`aws sso login`) or use --local.",
        "NoRegionError": "No AWS Region is set; give --region.",
        "ProfileNotFound": f"{said}; check AWS_PROFILE.",
        "ParamValidationError": f"The request cannot be right: {' '.join(said.split())}.",
        "ReadTimeoutError": f"The agent sent nothing for {READ_SECONDS // 60} minutes; it may still be working. "
        "Continue in the same session with --session.",
        "EndpointConnectionError": f"{target.describe()} cannot be reached: {said}.",
        "ConnectTimeoutError": f"{target.describe()} cannot be reached within {CONNECT_SECONDS} s: {said}.",
    }
    exit_code = MISUSED if name == "ParamValidationError" else FAILED
    message = fixes.get(name, f"Talking to {target.describe()} failed: {said} ({name}).")
    return CliError(message, code=name, exit_code=exit_code)


def _aws_client(target: Target, service: str, config: Any) -> Any:
    import boto3  # noqa: PLC0415 - see the module's docstring

    session: Any = boto3.Session(region_name=target.region or None)
    return session.client(service, config=config)


def _local_client(target: Target, service: str, config: Any) -> Any:
    import boto3  # noqa: PLC0415 - see the module's docstring
    import botocore.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    from agentcore_local.toolchain import environment  # noqa: PLC0415 - the one place that knows the local credentials

    variables = environment(target.endpoint, target.account, target.region)
    # Nothing of the user's own AWS set-up may leak in: no profile, no files, no proxy, no FIPS or dual-stack switch.
    isolated = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    session: Any = boto3.Session(
        botocore_session=isolated,
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=target.region,
    )
    direct = Config(proxies={}, inject_host_prefix=False, use_fips_endpoint=False, use_dualstack_endpoint=False)
    return session.client(service, endpoint_url=target.endpoint, config=config.merge(direct))


def _keep_alive(made: Any) -> None:
    """Probe a silent connection every minute: botocore's `tcp_keepalive` leaves the interval to the system."""
    idle = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)  # Linux, macOS
    options = getattr(made._endpoint.http_session, "_socket_options", None)  # noqa: SLF001 - botocore has no public way
    if idle is None or not isinstance(options, list):
        return  # the plain SO_KEEPALIVE of the Config stays
    options.append((socket.IPPROTO_TCP, idle, KEEPALIVE_SECONDS))
    if hasattr(socket, "TCP_KEEPINTVL"):
        options.append((socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_SECONDS))
