"""Finds and replaces values inside configurations by the paths that models and messages use."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Step = str | int
_PARTS = re.compile(r"(\[\]|\{\}|[^.\[\]{}]+)")


def places(config: Any, path: str) -> Iterator[tuple[Step, ...]]:
    """Yields where in a config a path such as `tools[].config.remoteMcp.headers{}` is; `[]` and `{}` match any key."""
    yield from _places(config, _PARTS.findall(path), ())


def _places(value: Any, parts: list[str], so_far: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    if not parts:
        yield so_far
        return
    part, rest = parts[0], parts[1:]
    if part == "[]" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, rest, (*so_far, index))
    elif part == "{}" and isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, rest, (*so_far, key))
    elif part not in {"[]", "{}"} and isinstance(value, dict) and part in value:
        yield from _places(value[part], rest, (*so_far, part))


def at(config: Any, place: tuple[Step, ...]) -> Any:
    """Returns the value at a place."""
    for step in place:
        config = config[step]
    return config


def replaced(config: Any, place: tuple[Step, ...], value: Any) -> Any:
    """Returns a copy of a config with another value at a place."""
    changed = copy.deepcopy(config)
    at(changed, place[:-1])[place[-1]] = value
    return changed


def spelled(place: tuple[Step, ...]) -> str:
    """Writes a place as messages do."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier():
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
