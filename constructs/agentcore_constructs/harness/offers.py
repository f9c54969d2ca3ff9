"""What the gateways of an app offer, as far as it is known: an allowed tool that is none of it allows nothing."""

from __future__ import annotations

import difflib
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import HarnessTool, is_token
from agentcore_constructs.config.allowed_tools import SEPARATOR
from agentcore_constructs.config.unique import UnmatchedTool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SEARCH_TOOL = "x_amz_bedrock_agentcore_search"
"""A gateway's own tool, where semantic search is on."""

Offers = dict[str, tuple[str, ...]]
"""Targets to the names of their tools; none where those are not known."""

# By the gateway's ARN: a CDK token, which nothing else in this process has.
_OFFERS: dict[str, Offers] = {}
_HAVE_TOOLS = frozenset({"agentcore_gateway", "remote_mcp"})
_GLOB = re.compile(r"[*?\[]")


def note(gateway_arn: str, target: str | None = None, tools: Sequence[str] = ()) -> None:
    """Notes a gateway, or what a target of it offers.

    Args:
        gateway_arn: Of the gateway.
        target: Name of the target.
        tools: Names of its tools; none where they are not known.
    """
    offers = _OFFERS.setdefault(gateway_arn, {})
    if target is not None:
        offers[target] = tuple(tools)


def unoffered(allowed: Any, tools: Sequence[HarnessTool], *, complete: bool) -> Iterator[UnmatchedTool]:
    """Yields each entry that is meant for gateways of this app, and that none of their tools answers to.

    Args:
        allowed: Entries of `allowedTools`.
        tools: Of the harness.
        complete: Whether no target will be added any more; a gateway without one then tells nothing.
    """
    if not isinstance(allowed, (list, tuple)) or is_token(allowed):
        return
    sources = [tool for tool in tools if tool.type in _HAVE_TOOLS]
    for entry in allowed:
        if not isinstance(entry, str) or not entry.startswith("@") or is_token(entry):
            continue
        source, _, own = entry[1:].partition("/")
        # Other names than a gateway's may be those of built-in tools, and of what has no tools of its own.
        if not own or (SEPARATOR not in own and any(fnmatchcase(name, source) for name in _others(tools))):
            continue
        meant = [tool for tool in sources if _is_unnamed(tool) or fnmatchcase(str(tool.name), source)]
        known = {tool.name: _offers_of(tool, complete=complete) for tool in meant}
        if any(offers is None for offers in known.values()):
            continue
        forms = {full: f"@{name}/{full}" for name, offers in known.items() for full in _names(offers or {})}
        if not any(_answers(offers or {}, own) for offers in known.values()):
            # Most often the target's name is missing.
            whole = [full for full in forms if full.partition(SEPARATOR)[2] == own]
            similar = whole or difflib.get_close_matches(own, list(forms), n=1)
            yield UnmatchedTool(entry, forms[similar[0]] if similar else None, tuple(forms.values()))


def _is_unnamed(tool: HarnessTool) -> bool:
    return not isinstance(tool.name, str) or is_token(tool.name)


def _others(tools: Sequence[HarnessTool]) -> Iterator[str]:
    yield "builtin"
    yield from (tool.name for tool in tools if tool.type not in _HAVE_TOOLS and isinstance(tool.name, str))


def _offers_of(tool: HarnessTool, *, complete: bool) -> Mapping[str, tuple[str, ...]] | None:
    """What the gateway behind a tool offers; None where that is not known."""
    config = getattr(tool.config, "agent_core_gateway", None)
    offers = None if config is None or _is_unnamed(tool) else _OFFERS.get(config.gateway_arn)
    if offers is None or (complete and not offers) or any(is_token(name) for name in offers):
        return None
    return offers


def _names(offers: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for target, tools in offers.items():
        for tool in tools or ("*",):
            yield f"{target}{SEPARATOR}{tool}"


def _answers(offers: Mapping[str, tuple[str, ...]], pattern: str) -> bool:
    return fnmatchcase(SEARCH_TOOL, pattern) or any(
        _target_answers(f"{target}{SEPARATOR}", tools, pattern) for target, tools in offers.items()
    )


def _target_answers(start: str, tools: Sequence[str], pattern: str) -> bool:
    if tools:
        return any(is_token(tool) or fnmatchcase(f"{start}{tool}", pattern) for tool in tools)
    literal = _GLOB.split(pattern, maxsplit=1)[0]
    return literal.startswith(start) or (literal != pattern and start.startswith(literal))
