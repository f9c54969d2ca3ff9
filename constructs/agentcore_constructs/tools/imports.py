"""What modules that are to run in Lambda import, as their files say: the user's own code comes along, the CDK must not.

Followed are imports at the top of a file, through the user's own code; those within functions, under `if` and `try` are
the function's own business.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
from functools import cache
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agentcore_constructs.functions.packaging import NOT_IN_LAMBDA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from types import ModuleType

_OURS = "agentcore_lambdas"
_INSTALLED = frozenset({"site-packages", "dist-packages"})


class Imports(NamedTuple):
    """What some modules import.

    Attributes:
        own: Files and folders of the user's own that have to be packaged too.
        unfit: Modules that import the CDK, each with the package it imports.
    """

    own: tuple[Path, ...]
    unfit: tuple[tuple[str, str], ...]


def imports_of(modules: Iterable[str], packaged: Collection[str]) -> Imports:
    """Follows the imports of modules.

    Args:
        modules: Imported already, by name.
        packaged: Top-level names of what is packaged anyway.
    """
    own: dict[str, Path] = {}
    unfit: dict[str, str] = {}
    waiting = [name for module in modules for name in _with_parents(module)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        module = sys.modules.get(name)
        if name in seen or module is None:
            continue
        seen.add(name)
        for imported in sorted(_imported(module)):
            top = imported.partition(".")[0]
            if top in NOT_IN_LAMBDA:
                unfit.setdefault(name, top)
            elif top in packaged or top in own:
                waiting += _with_parents(imported)
            elif (place := _own_place(top)) is not None:
                own[top] = place
                waiting += _with_parents(imported)
    return Imports(tuple(own.values()), tuple(unfit.items()))


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _imported(module: ModuleType) -> Iterator[str]:
    """Yields what a module imports when it is imported itself; `from a import b` may mean the module `a.b`."""
    file = getattr(module, "__file__", None)
    if file is None or not file.endswith(".py"):
        return
    for node in ast.parse(Path(file).read_bytes()).body:  # whose encoding the file itself tells
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            source = resolve_name(start, module.__package__ or "") if node.level else start
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names if f"{source}.{alias.name}" in sys.modules)


def _own_place(top: str) -> Path | None:
    """Where a module of the user's own is; None for what is Python's, ours, or installed."""
    module = sys.modules.get(top)
    if module is None or top == _OURS or top in sys.stdlib_module_names:
        return None
    file = getattr(module, "__file__", None)
    folder = next(iter(getattr(module, "__path__", ())), None)
    place = Path(folder) if folder is not None else Path(file) if file else None
    if place is None or (place.is_file() and place.suffix != ".py"):
        return None
    whole = place.resolve()
    installed = _INSTALLED & set(whole.parts) or any(whole.is_relative_to(root) for root in _roots())
    return None if installed else place


@cache
def _roots() -> tuple[Path, ...]:
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple(Path(sysconfig.get_path(kind)).resolve() for kind in kinds)
