"""What stands in for the world outside: answers of the web, addresses of servers, keys that no stack makes.

The local cloud searches no web and opens no page; it answers from what a user supplies, and says so when nothing is
supplied. docs/local-tools.md describes the file.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "AGENTCORE_LOCAL_FIXTURES"
"""Path of a fixtures file, read when it is needed first, and again after a reset."""

_SECTIONS = ("endpoints", "keys", "web_search", "browser")


class FixturesError(Exception):
    """Fixtures that cannot be used; the sentence says what is wrong where."""


@dataclass(frozen=True)
class Fixtures:
    """What a user supplies.

    Attributes:
        endpoints: Beginnings of URLs to what stands in their place, such as a server on this machine.
        keys: Names of API-key credential providers to keys, for providers that no stack of this cloud makes.
        searches: Answers of web search: a glob of the query, and results.
        pages: Pages of the browser: a glob of the URL, and the page.
    """

    endpoints: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    searches: tuple[Mapping[str, Any], ...] = ()
    pages: tuple[Mapping[str, Any], ...] = ()

    def located(self, url: str) -> str:
        """Where a URL is reached: the longest beginning that is redirected wins."""
        beginnings = sorted((one for one in self.endpoints if url.startswith(one)), key=len)
        return self.endpoints[beginnings[-1]] + url[len(beginnings[-1]) :] if beginnings else url

    def search(self, query: str) -> list[dict[str, Any]] | None:
        """The results for a query; None when nothing is supplied for it."""
        found = next((one for one in self.searches if fnmatchcase(query.lower(), one["query"].lower())), None)
        return None if found is None else [dict(result) for result in found["results"]]

    def page(self, url: str) -> Mapping[str, Any] | None:
        """The page at a URL; None when nothing is supplied for it."""
        bare = url.rstrip("/")
        return next((one for one in self.pages if fnmatchcase(url, one["url"]) or fnmatchcase(bare, one["url"])), None)


def read(source: Mapping[str, Any] | str | Path) -> Fixtures:
    """Reads fixtures from a dict, or a JSON or YAML file.

    Raises:
        FixturesError: What is wrong where.
    """
    content, folder = _content(source)
    if not isinstance(content, dict):
        raise FixturesError(f"fixtures must be an object with {', '.join(_SECTIONS)}; received {_kind(content)}")
    unknown = [str(name) for name in content if name not in _SECTIONS]
    if unknown:
        raise FixturesError(f"fixtures have {', '.join(_SECTIONS)}; received {', '.join(unknown)}; correct the name")
    return Fixtures(
        endpoints=_texts(content, "endpoints"),
        keys=_texts(content, "keys"),
        searches=tuple(_search(one, index) for index, one in enumerate(_list(content, "web_search"))),
        pages=tuple(_page(one, index, folder) for index, one in enumerate(_list(content, "browser"))),
    )


def _content(source: Any) -> tuple[Any, Path]:
    if not isinstance(source, (str, Path)):
        return source, Path.cwd()
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return json.loads(text), path.parent
        import yaml  # noqa: PLC0415 - not always needed

        return yaml.safe_load(text), path.parent
    except OSError as error:
        raise FixturesError(f"the fixtures {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FixturesError(f"the fixtures {path} are not JSON: {error}") from error
    except yaml.YAMLError as error:
        raise FixturesError(f"the fixtures {path} are not YAML: {' '.join(str(error).split())}") from error


def _texts(content: dict[str, Any], section: str) -> dict[str, str]:
    given = content.get(section) or {}
    if not isinstance(given, dict) or not all(isinstance(one, str) for pair in given.items() for one in pair):
        raise FixturesError(f"{section} must be an object of texts")
    return given


def _list(content: dict[str, Any], section: str) -> list[Any]:
    given = content.get(section) or []
    if not isinstance(given, list):
        raise FixturesError(f"{section} must be a list; received {_kind(given)}")
    return given


def _search(one: Any, index: int) -> dict[str, Any]:
    where = f"web_search[{index}]"
    if not isinstance(one, dict) or not isinstance(one.get("results"), list):
        raise FixturesError(f"{where} must have query and results, a list")
    for number, result in enumerate(one["results"]):
        if not isinstance(result, dict) or not all(isinstance(result.get(name), str) for name in ("url", "text")):
            raise FixturesError(f"{where}.results[{number}] must have url and text, and may have title and publishedAt")
    query = one.get("query", "*")
    if not isinstance(query, str):
        raise FixturesError(f"{where}.query must be a text, with * for anything; received {_kind(query)}")
    return {"query": query, "results": one["results"]}


def _page(one: Any, index: int, folder: Path) -> dict[str, Any]:
    where = f"browser[{index}]"
    if not isinstance(one, dict) or not isinstance(one.get("url"), str):
        raise FixturesError(f"{where} must have url, and text, html or file")
    given = [name for name in ("text", "html", "file") if name in one]
    if len(given) != 1 or not isinstance(one[given[0]], str):
        raise FixturesError(f"{where} must have exactly one of text, html and file; received {' and '.join(given)}")
    if given == ["file"]:
        try:
            html = (folder / one["file"]).read_text(encoding="utf-8")
        except OSError as error:
            raise FixturesError(f"{where}.file cannot be read: {error.strerror}") from error
        return {"url": one["url"], "title": one.get("title", ""), "html": html}
    return {"title": "", **one}


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


class _Registry:
    """The fixtures in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: Fixtures | None = None

    def use(self, source: Mapping[str, Any] | str | Path | None) -> None:
        """Have these from now on; None goes back to those of the environment.

        Raises:
            FixturesError: They cannot be used; those before stay.
        """
        made = None if source is None else read(source)
        with self._lock:
            self._current = made

    def get(self) -> Fixtures:
        """The fixtures in force.

        Raises:
            FixturesError: The file that the environment names cannot be used.
        """
        with self._lock:
            if self._current is None:
                path = os.environ.get(VARIABLE)
                self._current = read(path) if path else Fixtures()
            return self._current


registry = _Registry()


def use(source: Mapping[str, Any] | str | Path | None) -> None:
    """Have these fixtures from now on; see `read`, and None for those of the environment."""
    registry.use(source)


def get() -> Fixtures:
    """The fixtures in force."""
    return registry.get()


def located(url: str) -> str:
    """Where a URL of the world outside is reached here."""
    return get().located(url)
