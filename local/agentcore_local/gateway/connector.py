"""The web search connector: `WebSearch`, answered from the user's fixtures.

Arguments and results: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-target-connector-web-search-tool.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agentcore_local import fixtures

from . import outbound
from .result import Answer, TargetFailed, Tool, text, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .store import Gateway, Target

CONNECTOR = "web-search"
MAX_QUERY = 200
MAX_RESULTS = 25
DEFAULT_RESULTS = 10
_DOMAINS = {"type": "array", "items": {"type": "string"}}
_TOOL = Tool(
    "WebSearch",
    "Searches the web and returns passages with their sources. Cite the sources in the answer.",
    {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": f"What to search for, 1-{MAX_QUERY} characters."},
            "maxResults": {"type": "integer", "description": f"1-{MAX_RESULTS}; {DEFAULT_RESULTS} by default."},
            "filters": {
                "type": "object",
                "properties": {
                    "domainFilter": {"type": "object", "properties": {"include": _DOMAINS, "exclude": _DOMAINS}},
                    "publishedDateFilter": {
                        "type": "object",
                        "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
                    },
                },
            },
        },
        "required": ["query"],
    },
)


def tools(target: Target) -> Iterator[Tool]:
    """The connector's one tool.

    Raises:
        TargetFailed: It is another connector.
    """
    connector = target.configuration["connector"]
    kind = connector["source"]["connectorId"]
    if kind != CONNECTOR:
        raise TargetFailed(f"The local cloud does not emulate the connector {kind}.", public=True)
    own: dict[str, Any] = next((one for one in connector.get("configurations") or [] if one["name"] == _TOOL.name), {})
    yield Tool(_TOOL.name, own.get("description") or _TOOL.description, _TOOL.input_schema)


def call(gateway: Gateway, target: Target, arguments: dict[str, Any]) -> Answer:
    """Search.

    Raises:
        TargetFailed: The role may not, or nothing is supplied to answer from.
    """
    outbound.require(
        gateway,
        "bedrock-agentcore:InvokeWebSearch",
        f"arn:aws:bedrock-agentcore:{gateway.region}:aws:tool/web-search.v1",
    )
    query, count = arguments.get("query"), arguments.get("maxResults", DEFAULT_RESULTS)
    if not isinstance(query, str) or not 1 <= len(query) <= MAX_QUERY:
        raise TargetFailed(f"query must have 1-{MAX_QUERY} characters.", public=True)
    if not isinstance(count, int) or not 1 <= count <= MAX_RESULTS:
        raise TargetFailed(f"maxResults must be 1-{MAX_RESULTS}.", public=True)
    found = fixtures.get().search(query)
    if found is None:
        raise TargetFailed(
            f"The local cloud does not search the web, and its fixtures have no web_search for {query!r}. Go on "
            "without it, or say that the task needs it. To the user: docs/local-tools.md describes the fixtures.",
            public=True,
        )
    own: dict[str, Any] = next(iter(target.configuration["connector"].get("configurations") or []), {})
    wanted = arguments.get("filters") or {}
    domains = [
        one for one in ((own.get("parameterValues") or {}).get("domainFilter"), wanted.get("domainFilter")) if one
    ]
    kept = [one for one in found if all(_passes(one["url"], domain) for domain in domains)]
    kept = [one for one in kept if _is_dated(one, wanted.get("publishedDateFilter") or {})]
    return text(written({"results": kept[:count]}))


def _passes(url: str, domains: dict[str, list[str]]) -> bool:
    host = urlsplit(url).hostname or ""

    def is_in(name: str) -> bool:
        return any(host == one or host.endswith(f".{one}") for one in domains.get(name) or [])

    return not is_in("exclude") and (not domains.get("include") or is_in("include"))


def _is_dated(result: dict[str, Any], dates: dict[str, str]) -> bool:
    published = str(result.get("publishedAt", ""))
    if not dates or not published:
        return not dates
    return dates.get("from", "") <= published and (not dates.get("to") or published[: len(dates["to"])] <= dates["to"])
