"""Writes docs/local-behaviours.md from the behaviour tests: what is emulated, approximated and refused.

The statements are the decorators `@behaviour(…)` of `support.behaviours`, read from the source without running it; the
heading of a table is the `TOPIC` of their module, the pages below it are its `SOURCES`.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "local"
# What a reader wants to know first stands first; topics that are not listed follow in the order of their names.
ORDER = (
    "InvokeHarness",
    "Sessions",
    "Commands in sessions",
    "Tools and inline functions",
    "Browser and code interpreter",
    "Tools behind gateways and MCP servers",
    "What gateways refuse here",
    "Memory",
    "Conversations in a memory",
    "Long conversations",
    "Lifecycle hooks",
    "Environment, mounts and skills",
    "Mounted file systems",
    "Skills of a harness",
    "Operations of the control plane",
    "Versions and endpoints",
    "Defaults, and the runtime behind a harness",
    "Names, ids and sizes",
    "The execution role",
    "Callers",
    "Inbound authorization and logs",
    "CloudFormation",
    "Custom resources",
    "InvokeHarness in Step Functions",
    "Tasks of workflows",
    "Task tokens",
    "Distributed Maps",
    "EventBridge Scheduler",
)


@dataclass(frozen=True)
class Row:
    """One behaviour and the test that proves it."""

    says: str
    status: str
    note: str
    test: str


@dataclass
class Topic:
    """The behaviours of one module."""

    title: str
    sources: tuple[str, ...]
    module: Path
    rows: list[Row] = field(default_factory=list)


def topics() -> list[Topic]:
    """Every topic that a test speaks of.

    Raises:
        ValueError: A module states behaviours and has no `TOPIC`, or a statement is not literal.
    """
    found = [topic for path in sorted(TESTS.rglob("test_*.py")) if (topic := _read(path)) is not None]
    rank = {title: position for position, title in enumerate(ORDER)}
    return sorted(found, key=lambda topic: (rank.get(topic.title, len(rank)), topic.title))


def markdown() -> str:
    """The page."""
    found = topics()
    counts = Counter(row.status for topic in found for row in topic.rows)
    parts = [
        "# What the local cloud does like AWS",
        "",
        "Behaviour by behaviour: whether the [local cloud](local-cloud.md) emulates it, approximates it or refuses it.",
        "Each line is proved by the test it names, and this page is written from those tests (`make docs`).",
        "",
        f"- **emulated** ({counts['emulated']}): as the service does it, as far as it is documented or was observed.",
        f"- **approximated** ({counts['approximated']}): works, and differs as the note says.",
        f"- **refused** ({counts['refused']}): fails with a sentence that says so. Nothing is pretended.",
        "",
    ]
    for topic in found:
        parts += [f"## {topic.title}", "", *_table(topic), ""]
        if topic.sources:
            parts += ["AWS: " + ", ".join(f"[{_name(url)}]({url})" for url in topic.sources), ""]
    return "\n".join(parts)


def _table(topic: Topic) -> list[str]:
    module = topic.module.relative_to(ROOT).as_posix()
    lines = ["| Behaviour | Here | Note | Test |", "|---|---|---|---|"]
    for row in topic.rows:
        link = f"[`{row.test}`](../{module})"
        lines.append(f"| {_cell(row.says)} | {row.status} | {_cell(row.note)} | {link} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _name(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2].removesuffix(".html")


def _read(path: Path) -> Topic | None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    rows = [row for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for row in _rows(node, path)]
    if not rows:
        return None
    constants = _constants(tree)
    if "TOPIC" not in constants:
        raise ValueError(f"{path} states behaviours: it must have a TOPIC, the heading of their table")
    return Topic(str(constants["TOPIC"]), tuple(constants.get("SOURCES", ())), path, rows)


def _rows(function: ast.FunctionDef, path: Path) -> list[Row]:
    rows = []
    for decorator in function.decorator_list:
        if not (isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "behaviour"):
            continue
        try:
            (says,) = (ast.literal_eval(argument) for argument in decorator.args)
            given = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in decorator.keywords}
        except ValueError as error:
            raise ValueError(f"{path}: what {function.name} states must be literal") from error
        rows.append(Row(says, given.get("status", "emulated"), given.get("note", ""), function.name))
    return rows


def _constants(tree: ast.Module) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in {"TOPIC", "SOURCES"}:
                found[name] = ast.literal_eval(node.value)
    return found
