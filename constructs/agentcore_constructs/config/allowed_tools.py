"""Which tools an agent may use, built from the tools instead of from strings.

The forms are those that were seen to work
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html, "allowedTools"): the name of a
built-in tool, `@<tool>`, `@<tool>/<its own tool>`, globs in each. A gateway calls its tools `<target>___<tool>`, and
the bare form of those blocks silently. Of inline functions some sources say the name is written plainly and others with
`@`; both are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .errors import Refused, received
from .tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ENTRY_LIMIT = 64
"""Characters of one entry (botocore's `HarnessAllowedTool`)."""

SEPARATOR = "___"
"""Stands between a target's name and a tool's in what a gateway calls its tools."""

ALL = "*"
BUILTIN = "@builtin"

_NOTHING = Refused(
    "must allow at least one tool",
    "none",
    "write AllowedTools.all(), or AllowedTools.only(AllowedTools.BUILTIN) for the built-in ones: what an empty list "
    "means is not documented",
)


@dataclass(frozen=True, slots=True)
class GatewayTool:
    """A tool behind a gateway; made by `gateway_tool`.

    Attributes:
        target: Name of the gateway's target.
        tool: Name of the tool within the target.
        of: The harness tool that is the gateway; any one unless given.
    """

    target: str
    tool: str
    of: Any = None

    @property
    def name(self) -> str:
        """What the gateway calls it: `<target>___<tool>`."""
        return f"{self.target}{SEPARATOR}{self.tool}"


def gateway_tool(target: str, tool: str, *, of: Any = None) -> GatewayTool:
    """A tool behind a gateway, for `AllowedTools.only` and `Tool.gateway(allowed=…)`.

    Args:
        target: Name of the gateway's target.
        tool: Name of the tool within the target.
        of: The tool that `Tool.gateway` made; without it, a tool of that name behind any gateway of the harness.
    """
    return GatewayTool(target, tool, of)


class AllowedTools:
    """Makes `allowed_tools`."""

    SHELL: ClassVar[str] = "shell"
    """The built-in `shell`."""
    FILE_OPERATIONS: ClassVar[str] = "file_operations"
    """The built-in `file_operations`."""
    BUILTIN: ClassVar[str] = BUILTIN
    """Every built-in tool."""

    @staticmethod
    def all() -> tuple[str, ...]:
        """Every tool; what the service does when nothing is said."""
        return (ALL,)

    @staticmethod
    def only(*tools: Any) -> tuple[Any, ...]:
        """These tools and no others.

        Args:
            *tools: What `Tool` made, `gateway_tool(…)`, `AllowedTools.SHELL` and the like, or an entry as the API takes
                it. A gateway, or a remote MCP server, stands for all of its tools.

        Returns:
            The entries of `allowedTools`. What cannot be one is reported by the harness that takes them, with every
            other fault.
        """
        return tuple(dict.fromkeys(entry for tool in tools for entry in _entries(tool))) or (_NOTHING,)


def of_tool(tool: Any) -> tuple[Any, ...]:
    """The entries that allow a tool of a harness, narrowed to what `Tool.gateway(allowed=…)` says."""
    narrowed = getattr(tool, "allowed", None)
    if narrowed is not None:
        return tuple(_inside(tool, one) for one in narrowed) or (_NOTHING,)
    return tuple(_entries(tool))


def derived(tools: Sequence[Any]) -> tuple[Any, ...] | None:
    """What `allowedTools` says when tools say it of themselves; None when none does."""
    if not any(getattr(tool, "allowed", None) is not None for tool in tools):
        return None
    return (BUILTIN, *dict.fromkeys(entry for tool in tools for entry in of_tool(tool)))


def _entries(tool: Any) -> Iterable[Any]:
    if isinstance(tool, str):
        yield tool
        return
    if isinstance(tool, GatewayTool):
        source = ALL if tool.of is None else _name(tool.of)
        yield source if isinstance(source, Refused) else entry(source, tool.name)
        return
    name = _name(tool)
    if isinstance(name, Refused):
        yield name
        return
    kind = getattr(tool, "type", "inline_function")
    if kind == "inline_function":
        yield name
        yield entry(name)
    else:
        yield entry(name, ALL) if kind in {"agentcore_gateway", "remote_mcp"} else entry(name)


def _inside(tool: Any, one: Any) -> Any:
    """The entry for one tool of a gateway or an MCP server."""
    source = _name(tool)
    if isinstance(source, Refused):
        return source
    name = one.name if isinstance(one, GatewayTool) else one
    if not isinstance(name, str) or (not is_token(name) and (not name or "/" in name)):
        fix = "write gateway_tool('<target>', '<tool>'), '<target>___<tool>' or a glob such as '<target>___*'"
        return Refused("must be the name of a tool of the gateway", received(name), fix)
    return entry(source, name)


def _name(tool: Any) -> str | Refused:
    name = getattr(tool, "name", None)
    if isinstance(name, str) and name:
        return name
    given = "a tool without a name" if hasattr(tool, "name") else received(tool)
    return Refused("must be a tool with a name", given, "give the tool a name=…, which is what it is allowed by")


def entry(source: str, tool: str | None = None) -> str:
    """Writes `@source` or `@source/tool`, with a glob in place of what is beyond the 64 characters of an entry.

    A glob keeps the end of a name: of a gateway's tools the beginning, the target's name, is what several share.
    """
    whole = f"@{source}" if tool is None else f"@{source}/{tool}"
    if is_token(whole) or len(whole) <= ENTRY_LIMIT:
        return whole
    if tool is None or tool == ALL:
        short = _shortened(source, ENTRY_LIMIT - (1 if tool is None else 3))
        return f"@{short}" if tool is None else f"@{short}/{ALL}"
    # The tool's name is what tells; the source keeps at least a third.
    room = ENTRY_LIMIT - len("@/")
    for_source = min(len(source), max(room - len(tool), room // 3))
    return f"@{_shortened(source, for_source)}/{_shortened(tool, room - for_source)}"


def _shortened(name: str, room: int) -> str:
    return name if len(name) <= room else f"*{name[len(name) - room + 1 :]}"
