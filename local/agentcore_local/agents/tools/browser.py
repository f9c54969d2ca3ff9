"""The tool ``agentcore_browser``: pages that the user supplies as fixtures, read as a browser shows them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from agentcore_local import fixtures
from agentcore_local.agents import permissions
from agentcore_local.agents.tools.base import Described, HarnessTool, ToolFailed, argument

if TYPE_CHECKING:
    from agentcore_local.agents.plan import Plan, ToolConfig

_ACTIONS = ("navigate", "get_text", "get_html", "get_links", "close")
_DESCRIPTION = "Browse the web: open a page, and read its text, its HTML or its links."
_SCHEMA = {
    "type": "object",
    "properties": {
        "action": {
            "type": "string",
            "enum": list(_ACTIONS),
            "description": "navigate opens a page; the others work on the page that is open, or on the one at url.",
        },
        "url": {"type": "string", "description": "The page; needed to navigate."},
    },
    "required": ["action"],
}


class Browser(HarnessTool):
    """Opens pages and reads them; one page is open at a time, until the invocation ends."""

    def __init__(self, plan: Plan, tool: ToolConfig) -> None:
        super().__init__(Described(tool.name, tool.type, _DESCRIPTION, _SCHEMA))
        self._plan, self._tool = plan, tool
        self._url: str | None = None

    async def call(self, arguments: dict[str, Any]) -> str:
        """Do one action."""
        refusal = permissions.tool_denial(self._plan, self._tool)
        if refusal is not None:
            raise ToolFailed(f"{self.tool_name!r} cannot be used: {refusal}")
        action = argument(arguments, "action", str)
        if action not in _ACTIONS:
            raise ToolFailed(f"The argument action must be one of {', '.join(_ACTIONS)}; received {action!r}.")
        if action == "close":
            self._url = None
            return "Closed."
        url = argument(arguments, "url", str, required=action == "navigate") or self._url
        if url is None:
            raise ToolFailed("No page is open; navigate first, or give the url.")
        page = _page(url)
        self._url = url
        html = page.get("html")
        read = _read(html) if html is not None else _Read(page.get("title", ""), page["text"], [])
        if action == "navigate":
            return f"Opened {url}: {page.get('title') or read.title or 'no title'}"
        if action == "get_html":
            return str(html if html is not None else page["text"])
        if action == "get_links":
            return "\n".join(f"{text}: {urljoin(url, target)}" for text, target in read.links) or "[no links]"
        return read.text or "[no text]"


def _page(url: str) -> Any:
    page = fixtures.get().page(url)
    if page is None:
        raise ToolFailed(
            f"The local cloud opens no page of the web, and its fixtures have none for {url}. Go on without it, or say "
            "that the task needs it. To the user: docs/local-tools.md describes the fixtures."
        )
    return page


class _Read:
    """What is to be read on a page."""

    def __init__(self, title: str, text: str, links: list[tuple[str, str]]) -> None:
        self.title, self.text, self.links = title, text, links


class _Reader(HTMLParser):
    _HIDDEN = frozenset({"script", "style", "template", "noscript", "head"})
    _BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.title = ""
        self._hidden: list[str] = []
        self._in_title = False
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden.append(tag)
        if tag in self._BLOCKS:
            self.parts.append("\n")
        self._in_title = self._in_title or tag == "title"
        target = dict(attrs).get("href") if tag == "a" else None
        if target:
            self._link = (target, len(self.parts))

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag == self._hidden[-1]:
            self._hidden.pop()
        if tag == "title":
            self._in_title = False
        if tag == "a" and self._link is not None:
            target, start = self._link
            self.links.append((" ".join("".join(self.parts[start:]).split()), target))
            self._link = None
        if tag in self._BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._hidden:
            self.parts.append(data)


def _read(html: str) -> _Read:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    text = re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip()
    return _Read(" ".join(reader.title.split()), text, reader.links)
