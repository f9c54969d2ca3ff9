"""The InvokeHarness request that a command line means. Pure: nothing is asked of a cloud, read or printed."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any, Final

from agentcore_cli import harnesses, targets
from agentcore_cli.errors import misused

if TYPE_CHECKING:
    from collections.abc import Mapping

_SESSION = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{32,99}")
_TOOL_USE = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MODEL_KINDS: Final = ("bedrockModelConfig", "openAiModelConfig", "geminiModelConfig", "liteLlmModelConfig")


def parse_model(text: str, *, named: str = "--model") -> dict[str, Any]:
    """A model configuration: a Bedrock model id, or the API's own JSON shape.

    Args:
        text: What was typed.
        named: What it was typed for.

    Raises:
        CliError: it is neither.
    """
    text = text.strip()
    if not text.startswith("{"):
        if not text:
            raise misused(f"{named} must be a Bedrock model id or a model configuration as JSON; received nothing.")
        return {"bedrockModelConfig": {"modelId": text}}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise misused(
            f"{named} must be a Bedrock model id or a model configuration as JSON; the JSON is broken: {error}."
        ) from error
    if len(found) != 1 or next(iter(found)) not in _MODEL_KINDS:
        raise misused(
            f"A model configuration must have exactly one of {', '.join(_MODEL_KINDS)}; "
            f"received {', '.join(found) or 'none'}."
        )
    return dict(found)


def check_options(
    reference: str, *, session: str | None, endpoint: str | None, answer_to: str | None, failed: bool
) -> None:
    """Refuse what the service could only refuse.

    Raises:
        CliError: HARNESS, session, endpoint or tool call id cannot be right, or they contradict each other.
    """
    harnesses.check(reference)
    if session is not None:
        check_session(session)
    if endpoint is not None:
        check_endpoint(endpoint)
    if failed and answer_to is None:
        raise misused("--failed says that an inline function failed; give the id of its call with --answer.")
    if answer_to is not None and session is None:
        raise misused("--answer continues a session; give the session that waits with --session.")
    if answer_to is not None and not _TOOL_USE.fullmatch(answer_to):
        raise misused(
            f"--answer must be the id of a tool call (1-64 letters, digits, - and _); received {answer_to!r}."
        )


def check_session(session: str, *, named: str = "--session") -> None:
    """Refuse a session id that the service would refuse.

    Raises:
        CliError: its length or its characters are not right.
    """
    if not _SESSION.fullmatch(session):
        raise misused(
            f"{named} must have 33-100 letters, digits, hyphens and underscores, and start with a letter or digit; "
            f"received {session!r} ({len(session)} characters). Leave it out for a new session."
        )


def check_endpoint(endpoint: str, *, named: str = "--endpoint") -> None:
    """Refuse a name that can be no endpoint's.

    Raises:
        CliError: its length or its characters are not right.
    """
    if not re.fullmatch(harnesses.ENDPOINT_NAME, endpoint):
        raise misused(
            f"{named} must be letters, digits and underscores, at most 48, a letter first; received {endpoint!r}."
        )


def new_session() -> str:
    """A session id of our own: a UUID has 36 characters, the service wants at least 33."""
    return str(uuid.uuid4())


def build_request(
    harness: harnesses.Harness,
    text: str,
    *,
    session: str | None = None,
    endpoint: str | None = None,
    actor: str | None = None,
    model: Mapping[str, Any] | None = None,
    answer_to: str | None = None,
    failed: bool = False,
) -> dict[str, Any]:
    """The InvokeHarness request; a new session id when none is given.

    Raises:
        CliError: two endpoints were named.
    """
    qualifier = harness.qualifier(endpoint)
    request: dict[str, Any] = {
        "harnessArn": harness.arn,
        "runtimeSessionId": session or new_session(),
        "messages": [{"role": "user", "content": [_content(text, answer_to, failed=failed)]}],
    }
    if qualifier:
        request["qualifier"] = qualifier
    if actor:
        request["actorId"] = actor
    if model:
        request["model"] = dict(model)
    return request


def continue_command(
    harness: str, request: Mapping[str, Any], target: targets.Target, *, kind_flag: str, verb: str = "invoke"
) -> list[str]:
    """The words of the command that goes on in this session, in the same account, Region and endpoint."""
    words = ["agentcore-harness", verb, harness, "--session", request["runtimeSessionId"]]
    if "qualifier" in request and harnesses.from_arn(harness) != harnesses.Harness(
        request["harnessArn"], request["qualifier"]
    ):
        words += ["--endpoint", request["qualifier"]]
    if "actorId" in request:
        words += ["--actor", request["actorId"]]
    if "model" in request:
        words += ["--model", json.dumps(request["model"])]
    if kind_flag:
        words.append(kind_flag)
    if not harnesses.from_arn(harness):
        if target.region:
            words += ["--region", target.region]
        if target.account and target.account != targets.DEFAULT_ACCOUNT:
            words += ["--account", target.account]
    return words


def _content(text: str, answer_to: str | None, *, failed: bool) -> dict[str, Any]:
    if answer_to is None:
        return {"text": text}
    # Always text: a `json` result that is echoed in the stream can break boto3's event parser.
    status = "error" if failed else "success"
    return {"toolResult": {"toolUseId": answer_to, "content": [{"text": text}], "status": status}}
