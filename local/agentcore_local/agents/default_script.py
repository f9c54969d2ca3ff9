"""What the scripted model says when no script is registered: small, real work with the tools it has.

It cannot think, but it can act: it puts the request into a file, has a program work on it, and answers with what the
program printed. So a demonstration shows tool calls, their results, and an answer that streams; the same conversation
always gets the same ones. The kind of work follows the words of the prompt and the agent's name: code, data, or text.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentcore_local.agents.scripts import ToolCall, Turn, result_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentcore_local.agents.scripts import ModelCall

_CODE = re.compile(r"\b(code|coding|bug|test|function|implement|refactor|repositor|script|class|python|commit)", re.I)
_DATA = re.compile(r"\b(data|analy|table|sql|csv|number|average|mean|sum|total|cost|metric|chart|athena|s3|quer)", re.I)
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?")
_WORD = re.compile(r"[^\W\d_][\w-]*")
_MANY_TERMS = 6
_WORKS_WITH = 10_000
"""Characters of a prompt it works with: it repeats them, and a long answer takes its time token by token."""

_STATISTICS = """\
import csv, statistics
rows = list(csv.DictReader(open("data.csv")))
values = [float(row["value"]) for row in rows]
print(f"rows {len(values)}, sum {sum(values):g}, mean {statistics.mean(values):.2f}, "
      f"min {min(values):g}, max {max(values):g}")
"""

_FUNCTION = '''\
"""Turns a title into an identifier."""

import re


def identifier(title: str) -> str:
    """Lower case, words joined by underscores."""
    return "_".join(re.findall(r"[a-z0-9]+", title.lower()))
'''

_TEST = """\
import unittest
from pathlib import Path

from solution import identifier


class IdentifierTest(unittest.TestCase):
    def test_joins_words(self):
        self.assertEqual(identifier("Hello, World 2"), "hello_world_2")

    def test_takes_the_task(self):
        self.assertRegex(identifier(Path("task.md").read_text()), "^[a-z0-9_]*$")
"""


def default_script(call: ModelCall) -> Turn:
    """Answer any conversation."""
    call = replace(call, prompt=_beginning(call.prompt))
    inline = _asked_for(call)
    if inline is not None and call.turn == 1:
        arguments = _arguments(call.tools[inline]["inputSchema"]["json"], call.prompt)
        return Turn(text=f"I will call {inline}.", tool_calls=[ToolCall(inline, arguments)])
    steps = [] if inline is not None else _steps(call)
    if call.turn <= len(steps):
        text, tool_calls = steps[call.turn - 1]
        return Turn(text=text, tool_calls=tool_calls)
    return Turn(text=_conclusion(call))


def _beginning(text: str) -> str:
    return text if len(text) <= _WORKS_WITH else f"{text[:_WORKS_WITH]}… ({len(text):,} characters)"


def _steps(call: ModelCall) -> list[tuple[str, list[ToolCall]]]:
    """What to do, turn by turn, with the tools there are; nothing for a remark in the middle of a conversation."""
    if _earlier_prompts(call) and not (_DATA.search(call.prompt) or _CODE.search(call.prompt)):
        return []
    files, program = _work(call)
    steps = []
    if "file_operations" in call.tools:
        writes = [_create(name, text) for name, text in files.items()]
        steps.append((f"I will write down what I work with: {', '.join(files)}.", writes))
        if "shell" in call.tools:
            steps.append(("Now I will run it.", [ToolCall("shell", {"command": program})]))
    elif "shell" in call.tools:
        steps.append(("I will look at the machine I have.", [ToolCall("shell", {"command": "pwd; uname -sm; ls -a"})]))
    return steps


def _work(call: ModelCall) -> tuple[dict[str, str], str]:
    """The files to write and the command that works on them."""
    about = f"{call.prompt} {call.harness_name}"
    if _DATA.search(call.prompt) or (_DATA.search(about) and not _CODE.search(call.prompt)):
        values = _NUMBER.findall(call.prompt) or [str(len(word)) for word in _WORD.findall(call.prompt)] or ["0"]
        rows = "".join(f"{number},{value}\n" for number, value in enumerate(values, 1))
        return {"data.csv": f"row,value\n{rows}", "statistics_of.py": _STATISTICS}, "python3 statistics_of.py"
    if _CODE.search(about):
        files = {"task.md": f"{call.prompt}\n", "solution.py": _FUNCTION, "test_solution.py": _TEST}
        # Without the time it took: the answer is the same every time.
        return files, "python3 -m unittest test_solution.py 2>&1 | sed -E 's/ in [0-9.]+s//'"
    outline = "".join(f"## {term}\n\n" for term in _terms(call.prompt))
    return {
        "notes.md": f"# {call.prompt}\n\n{outline}"
    }, "grep -c '^## ' notes.md; grep '^## ' notes.md; wc -c < notes.md"


def _create(name: str, text: str) -> ToolCall:
    return ToolCall("file_operations", {"command": "create", "path": name, "file_text": text})


def _conclusion(call: ModelCall) -> str:
    parts = []
    failed = [result for result in call.tool_results if result.get("status") == "error"]
    if failed:
        parts.append(f"A tool did not work: {result_text(failed[-1]).strip()}")
    elif call.tool_results:
        parts.append(f"Done. The last step gave:\n\n{call.tool_result.strip()}")
    else:
        parts.append(f"You said: {call.prompt.strip()}" if call.prompt else "There is nothing to answer.")
    earlier = _earlier_prompts(call)
    if earlier:
        parts.append(
            f"This session began with: {_beginning(earlier[0].strip())} ({len(earlier)} message(s) before this one.)"
        )
    parts.append(f"(Scripted answer of the local cloud in place of {call.model_id}.)")
    return "\n\n".join(parts)


def _earlier_prompts(call: ModelCall) -> list[str]:
    texts = [
        "\n".join(block["text"] for block in message["content"] if "text" in block)
        for message in call.messages
        if message["role"] == "user"
    ]
    return [text for text in texts if text][:-1]


def _terms(prompt: str) -> list[str]:
    """The prompt's longest words, in the order of the prompt."""
    words = list(dict.fromkeys(word for word in _WORD.findall(prompt) if len(word) > 3))  # noqa: PLR2004 - no "the"
    longest = set(sorted(words, key=lambda word: (-len(word), word))[:_MANY_TERMS])
    return [word.capitalize() for word in words if word in longest]


def _asked_for(call: ModelCall) -> str | None:
    """The tool the prompt names, other than the built-in ones."""
    prompt = call.prompt.lower()
    for name in call.tools:
        spoken = "[ _-]".join(re.split("[_-]", name.lower()))
        if name not in {"shell", "file_operations"} and re.search(rf"\b{spoken}\b", prompt):
            return name
    return None


def _arguments(schema: Mapping[str, Any], prompt: str) -> dict[str, Any]:
    """Arguments that fit a tool's schema, with numbers and quoted words taken from the prompt."""
    numbers = iter(_NUMBER.findall(prompt))
    texts = iter(re.findall(r"[\"'“]([^\"'”]+)[\"'”]", prompt))
    properties: Mapping[str, Any] = schema.get("properties") or {}
    required = schema.get("required") or list(properties)
    return {name: _value(properties.get(name) or {}, numbers, texts) for name in required}


def _value(schema: Mapping[str, Any], numbers: Any, texts: Any) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "integer":
        return int(float(next(numbers, "1")))
    if kind == "number":
        return float(next(numbers, "1"))
    empty: dict[str, Any] = {"boolean": True, "array": [], "null": None}
    if kind == "object":
        properties = schema.get("properties") or {}
        return {name: _value(properties.get(name) or {}, numbers, texts) for name in schema.get("required") or ()}
    return empty[kind] if kind in empty else next(texts, None) or next(numbers, "example")
