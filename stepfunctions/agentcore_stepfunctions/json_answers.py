"""Answers in JSON: what the agent is told, and the JSONata that finds, checks and returns the object it wrote.

Agents wrap JSON in prose and in code fences, and leave members out. JSONata cannot catch the error of `$parse`, so the
expression tells valid JSON by itself, which is what makes an error with a reason, and a fallback, possible at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from agentcore_constructs.config.errors import Fault, HarnessConfigError, received

from .expressions import RESULT_TEXT, inner, is_expression, jsonata, quoted, text
from .messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ERROR = "States.QueryEvaluationError"
"""What a state fails with when the answer is not as asked for; the cause says what is wrong with it."""

NO_FALLBACK = object()
"""Tells that there is no fallback, which may well be None."""
# Reduces JSON to "0": escapes, strings, scalars, and then the innermost objects and arrays until nothing changes. Each
# step keeps what is invalid invalid. No group of these patterns repeats over anything that varies, so that engines that
# recurse for that (Java's) take long texts too; "\x5c" is a backslash, which JSONata's scanner of patterns mistakes.
_VALID = r"""(
  $shrunk := function($t) {(
    $next := $replace($replace($t, /\{(?:"":0(?:,"":0)*)?\}/, '0'), /\[(?:0(?:,0)*)?\]/, '0');
    $next = $t ? $t : $shrunk($next)
  )};
  $flat := $replace($replace($text, /\x5c(?:["\/bfnrt\x5c]|u[0-9a-fA-F]{4})/, '@'), /"[^"\x5c\x00-\x1f]*"/, '""');
  $marked := $replace($flat, /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null/, '0');
  $shrunk($replace($replace($marked, /[ \t\r\n]+/, ''), /""(?!:)/, '0')) = '0'
)"""
# Everything in braces that balance, outermost only: what stands inside something broken or cut off is no answer. Texts
# are cut with lengths of the same engine, as engines count characters beyond 16 bits differently in matches.
_OBJECTS = r"""function($text, $got, $most) {
  $most = 0 or $not($contains($text, '{')) ? $got : (
    $rest := '{' & $substringAfter($text, '{');
    $unescaped := $replace($rest, /\x5c[\s\S]/, '__');
    $bare := $replace($unescaped, /"[^"]*"/, function($m) {$replace($replace($m.match, '{', '_'), '}', '_')});
    $end := $reduce($split($bare, '}'), function($at, $part) {
      $at.length > 0 and $at.depth = 0 ? $at : {
        'depth': $at.depth + $count($split($part, '{')) - 2,
        'length': $at.length + $length($part) + 1
      }
    }, {'depth': 0, 'length': 0});
    $objects($substring($rest, $end.length), $append($got, [$substring($rest, 0, $end.length)]), $most - 1)
  )
}"""
_MOST_OBJECTS = 20
_TYPES = {
    "string": "$type({}) = 'string'",
    "number": "$type({}) = 'number'",
    "integer": "($type({0}) = 'number' and $floor({0}) = {0})",
    "boolean": "$type({}) = 'boolean'",
    "array": "$type({}) = 'array'",
    "object": "$type({}) = 'object'",
    "null": "$type({}) = 'null'",
}


@dataclass(frozen=True)
class JsonAnswer:
    """What an agent is asked to answer in JSON. Made by `InvokeHarness.parse_json`.

    Attributes:
        schema: JSON Schema of the answer, an object; references lead to its own `$defs`.
        fallback: Stands in for an answer that is not as asked for, as JSONata; None where that is an error.
    """

    schema: Mapping[str, Any]
    fallback: str | None = None

    @classmethod
    def of(cls, schema: type[BaseModel] | Mapping[str, Any], fallback: Any = NO_FALLBACK) -> JsonAnswer:
        """Makes it; see `InvokeHarness.parse_json`.

        Raises:
            HarnessConfigError: The schema is not that of an object.
        """
        given = schema.model_json_schema() if isinstance(schema, type) and issubclass(schema, BaseModel) else schema
        if not isinstance(given, Mapping) or given.get("type") != "object" or not given.get("properties"):
            must, fix = "must be a pydantic model, or the JSON Schema of an object with properties", "pass a BaseModel"
            raise HarnessConfigError([Fault("schema", must, received(schema), fix)], "A JSON answer")
        return cls(given, None if fallback is NO_FALLBACK else _literal(fallback))

    @property
    def instruction(self) -> str:
        """What to tell the agent: append it to the prompt or to the system prompt."""
        schema = json.dumps(self.schema, ensure_ascii=False, separators=(",", ":"))
        return (
            "Answer with one JSON object and nothing else: no introduction, no explanation, no code fence. "
            f"It must be valid against this JSON Schema:\n{schema}"
        )

    @property
    def expression(self) -> str:
        """JSONata for a state's `outputs` or `assign`: the object, checked.

        It may stand in prose, also in prose with braces, and in a code fence; of several, the last one that is as asked
        for counts. What stands inside an object that is broken or cut off is never taken for the answer.

        Members that are required, their types and their enumerations are checked, of the object itself and not of the
        objects in it. What is wrong fails the state with `States.QueryEvaluationError`, unless there is a fallback:
        catch it, or retry it, which asks the agent again.
        """
        return self.parse(RESULT_TEXT)

    def asked(self, prompt: str) -> str:
        """A prompt with the instruction after it; the prompt may be an expression."""
        parts = (prompt, "\n\n", self.instruction)
        return text(*parts) if is_expression(prompt) else "".join(parts)

    def appended(self, messages: Any) -> Any:
        """Messages with the instruction at the end of the last one."""
        if not isinstance(messages, (list, tuple)) or not messages or not isinstance(messages[-1], Message):
            return messages
        last = messages[-1]
        return [*messages[:-1], replace(last, texts=(*last.texts, self.instruction))]

    def faults(self, messages: Any, *, json_path: bool) -> Iterator[Fault]:
        """Yields what stands against it in a state."""
        if json_path:
            must, fix = "must be left out in a JSONPath state, which cannot parse it", "use InvokeHarness.jsonata"
            yield Fault("answer", must, "a JSON answer", fix)
        elif is_expression(messages):
            must = "must be left out next to messages that are an expression, where the instruction has no place"
            fix = "put answer.instruction into the messages or the system prompt, and answer.expression into outputs"
            yield Fault("answer", must, "both", fix)

    def parse(self, source: str) -> str:
        """The same as `expression` for a text that is somewhere else, such as `jsonata("$states.input.text")`.

        Args:
            source: A JSONata expression that gives the text.
        """
        wrong = ", ".join(self._problems())
        read = f"function($text) {{($answer := $parse($text); {{'answer': $answer, 'wrong': [{wrong}]}})}}"
        otherwise = self.fallback or "$error('The answer is not as asked for: ' & $join($wrong, '; '))"
        steps = (
            f"$all := {inner(source)}",
            f"$isJson := function($text) {{{_one_line(_VALID)}}}",
            f"$objects := {_one_line(_OBJECTS)}",
            r"$fenced := $match($all, /```[a-zA-Z0-9]*[ \t\r\n]+(\{[\s\S]*?\})[ \t\r\n]*```/).groups[0]",
            r"$widest := $match($all, /\{[\s\S]*\}/)[0].match",
            (
                "$found := $exists($widest) and $isJson($widest) ? [$widest] : "
                f"[$filter($append([$fenced], $objects($all, [], {_MOST_OBJECTS})), $isJson)]"
            ),
            f"$read := [$map($found, {read})]",
            "$good := [$filter($read, function($one) {$count($one.wrong) = 0})]",
            f"$wrong := $count($read) > 0 ? $read[-1].wrong : [{_NO_JSON}]",
            f"$count($good) > 0 ? $good[-1].answer : {otherwise}",
        )
        return jsonata(f"({'; '.join(steps)})")

    def _problems(self) -> Iterator[str]:
        required = self.schema.get("required", ())
        for name, member in self.schema["properties"].items():
            value = f"$lookup($answer, {quoted(name)})"
            if name in required:
                yield f"$not($exists({value})) ? {quoted(f'{name} is missing')}"
            yield from _wrong(name, value, self._resolved(member))

    def _resolved(self, member: Any) -> Any:
        """A member's schema with what it, or one of its alternatives, refers to in its place."""
        if not isinstance(member, Mapping):
            return member
        if "$ref" in member:
            return self.schema.get("$defs", {}).get(str(member["$ref"]).removeprefix("#/$defs/"), {})
        return {**member, "anyOf": [self._resolved(one) for one in member["anyOf"]]} if "anyOf" in member else member


_NO_JSON = "$all = '' ? 'there is no text' : 'there is no JSON object in the text'"


def _wrong(name: str, value: str, member: Any) -> Iterator[str]:
    if not isinstance(member, Mapping):
        return
    allowed = _values(member)
    if allowed is not None:
        among = " or ".join(f"{value} = {_literal(one)}" for one in allowed)
        shown = ", ".join(json.dumps(one, ensure_ascii=False) for one in allowed)
        yield f"$exists({value}) and $not({among}) ? {quoted(f'{name} must be one of {shown}')}"
        return
    types = _types(member)
    if types:
        fits = " or ".join(_TYPES[one].format(value) for one in types)
        must = quoted(f"{name} must be of type {' or '.join(types)}, not ")
        yield f"$exists({value}) and $not({fits}) ? {must} & $type({value})"


def _values(member: Mapping[str, Any]) -> Sequence[Any] | None:
    if "const" in member:
        return [member["const"]]
    return member.get("enum")


def _types(member: Mapping[str, Any]) -> list[str]:
    """The types a member may have; none where the schema leaves them open."""
    given = member.get("type")
    if given is not None:
        return [given] if isinstance(given, str) else list(given)
    choices = [_types(one) for one in member.get("anyOf", ()) if isinstance(one, Mapping)]
    return [one for types in choices for one in types] if all(choices) else []


def _literal(value: Any) -> str:
    """A value as JSONata; JSON is JSONata, and expressions stand as they are."""
    if is_expression(value):
        return f"({inner(value)})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quoted(str(name))}: {_literal(one)}" for name, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(one) for one in value) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _one_line(expression: str) -> str:
    return " ".join(line.strip() for line in expression.splitlines())
