"""Reads configuration files, JSON or YAML, without letting anything in them be lost."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NoReturn

from .errors import Fault, HarnessConfigError, received

if TYPE_CHECKING:
    from pathlib import Path

_YAML_SUFFIXES = frozenset({".yaml", ".yml"})


def read(path: Path) -> dict[str, Any]:
    """Reads the object a file holds.

    Args:
        path: A `.yaml` or `.yml` file is read as YAML (which needs the extra `yaml`), any other as JSON.

    Raises:
        HarnessConfigError: When there is no such file, it cannot be parsed, it holds a key twice, or no object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        _refuse(path, "must be a readable UTF-8 file", str(reason), "correct the path")
    data = _yaml(path, text) if path.suffix.lower() in _YAML_SUFFIXES else _json(path, text)
    if not isinstance(data, dict):
        _refuse(path, "must hold an object", received(data, sensitive=True), "write the fields of CreateHarness")
    return data


def _json(path: Path, text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
            _refuse(path, "must hold each key of an object once", f"the key {twice!r} twice", "remove one of them")
        return found

    def constant(name: str) -> NoReturn:
        _refuse(path, "must hold JSON numbers", name, "write a number")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        _refuse(path, "must be JSON", f"{error.msg} at {where}", "correct the file, or name it .yaml if it is YAML")


def _yaml(path: Path, text: str) -> Any:
    try:
        import yaml  # noqa: PLC0415  (an optional dependency, and only YAML files need it)
    except ImportError:
        _refuse(path, "must be JSON unless PyYAML is installed", "YAML", "install agentcore-harness-cdk[yaml]")

    class Loader(yaml.SafeLoader):
        """Refuses a key that is written twice, where YAML would keep the last."""

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        loader.flatten_mapping(node)
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                _refuse(path, "must be YAML with plain keys", f"a key that is a collection, at line {line}", "quote it")
            if key in found:
                _refuse(path, "must hold each key once", f"the key {key!r} twice, at line {line}", "remove one of them")
            found[key] = loader.construct_object(value_node, deep=True)
        return found

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "something else"
        _refuse(path, "must be YAML", f"{problem}{where}", "correct the file")


def _refuse(path: Path, must: str, given: str, fix: str) -> NoReturn:
    raise HarnessConfigError([Fault(str(path), must, given, fix)])
