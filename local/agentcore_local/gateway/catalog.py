"""The tools of a gateway: which there are, and their calls. Blocking throughout."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import connector, lambda_target, mcp_target, openapi, rest_api
from .result import GENERAL_ERROR, SEPARATOR, Answer, TargetFailed, Tool, text, written
from .store import now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .store import Gateway, Target

logger = logging.getLogger(__name__)

SEARCH = "x_amz_bedrock_agentcore_search"
"""The tool that a gateway with semantic search adds."""

_SEARCH_TOOL = Tool(
    SEARCH,
    "A special tool that returns a trimmed down list of tools given a context.",
    {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
_FOUND = 10
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Request:
    """What is known about the request a call came with.

    Attributes:
        message_id: Id of the JSON-RPC message.
        headers: Names in lower case.
    """

    message_id: str
    headers: Mapping[str, str]


def tools(gateway: Gateway) -> Iterator[tuple[str, Tool]]:
    """The tools by the names the gateway gives them. A target that cannot be read is left out, and the log says so."""
    if gateway.mcp.get("searchType") == "SEMANTIC":
        yield SEARCH, _SEARCH_TOOL
    for target in list(gateway.targets.values()):
        try:
            for tool in of_target(gateway, target):
                yield f"{target.name}{SEPARATOR}{tool.name}", tool
        except TargetFailed as failure:
            logger.warning(
                "gateway=<%s>, target=<%s>, reason=<%s> | left out of the gateway's tools",
                gateway.gateway_id,
                target.name,
                failure,
            )


def of_target(gateway: Gateway, target: Target) -> list[Tool]:
    """The tools of a target.

    Raises:
        TargetFailed: They cannot be read, or the kind of target is not emulated.
    """
    kind = next(iter(target.configuration), None)
    if kind == "lambda":
        return list(lambda_target.tools(gateway, target))
    if kind == "openApiSchema":
        return list(openapi.tools(gateway, target))
    if kind == "mcpServer":
        if target.synchronized is None:
            synchronize(gateway, target)
        return list(mcp_target.tools(target.synchronized or []))
    if kind == "apiGateway":
        return list(rest_api.tools(gateway, target))
    if kind == "connector":
        return list(connector.tools(target))
    named = kind or next(iter(target.request["targetConfiguration"]))
    raise TargetFailed(f"The local cloud does not emulate targets of the kind {named}.", public=True)


def synchronize(gateway: Gateway, target: Target) -> None:
    """Ask the server behind a target for its tools; what it says is kept, as the service keeps it."""
    try:
        target.synchronized = mcp_target.read(gateway, target)
        target.status, target.reasons, target.synchronized_at = "READY", [], now()
    except TargetFailed as failure:
        target.status, target.reasons = "SYNCHRONIZE_UNSUCCESSFUL", [str(failure)[:2048]]
        logger.warning("gateway=<%s>, target=<%s> | %s", gateway.gateway_id, target.name, failure)


def call(gateway: Gateway, name: str, arguments: dict[str, Any], request: Request) -> Answer:
    """Call a tool by the name the gateway gives it. What fails is an answer too."""
    if name == SEARCH and gateway.mcp.get("searchType") == "SEMANTIC":
        return _search(gateway, str(arguments.get("query", "")))
    try:
        refusal = _policy(gateway)
        if refusal is not None:
            raise TargetFailed(refusal, public=True)
        target_name, _, tool_name = name.partition(SEPARATOR)
        target = next((one for one in gateway.targets.values() if one.name == target_name), None)
        known = [] if target is None else of_target(gateway, target)
        tool = next((one for one in known if one.name == tool_name), None)
        if target is None or tool is None:
            raise TargetFailed(f"Unknown tool: {name}", public=True)
        return _dispatch(gateway, target, tool, arguments, request)
    except TargetFailed as failure:
        logger.warning("gateway=<%s>, tool=<%s> | %s", gateway.gateway_id, name, failure)
        said = str(failure) if failure.public or gateway.tells_why else GENERAL_ERROR
        return text(said, is_error=True)


def _dispatch(gateway: Gateway, target: Target, tool: Tool, arguments: dict[str, Any], request: Request) -> Answer:
    missing = [one for one in tool.input_schema.get("required") or [] if one not in arguments]
    if missing:
        raise TargetFailed(f"Missing required argument(s): {', '.join(missing)}", public=True)
    kind = next(iter(target.configuration))
    if kind == "lambda":
        return lambda_target.call(gateway, target, tool, arguments, request.message_id)
    if kind == "openApiSchema":
        return openapi.call(gateway, target, tool, arguments, request.headers)
    if kind == "mcpServer":
        return mcp_target.call(gateway, target, tool, arguments, request.headers)
    if kind == "apiGateway":
        return rest_api.call(gateway, target, tool, arguments, request.headers)
    return connector.call(gateway, target, arguments)


def _policy(gateway: Gateway) -> str | None:
    """Why a policy engine stands in the way: nothing here evaluates Cedar, and what it would decide is not guessed."""
    engine = gateway.request.get("policyEngineConfiguration")
    if not engine or engine["mode"] != "ENFORCE":
        return None
    return (
        "The local cloud does not evaluate Cedar policies, so a gateway whose policy engine decides calls nothing. "
        "To the user: deploy it locally with the mode LOG_ONLY, or without the policy engine."
    )


def _search(gateway: Gateway, query: str) -> Answer:
    """By words in common; the service finds by meaning."""
    wanted = set(_WORD.findall(query.lower()))

    def overlap(named: tuple[str, Tool]) -> int:
        return len(wanted & set(_WORD.findall(f"{named[0]} {named[1].description}".lower().replace("_", " "))))

    ranked = sorted((one for one in tools(gateway) if one[0] != SEARCH and overlap(one)), key=overlap, reverse=True)
    found = {
        "tools": [
            {"name": name, "description": tool.description, "inputSchema": tool.input_schema}
            for name, tool in ranked[:_FOUND]
        ]
    }
    return Answer(text(written(found)).content, structured=found)
