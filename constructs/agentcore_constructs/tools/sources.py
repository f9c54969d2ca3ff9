"""Where a function that is to run in Lambda comes from: what to package, and how to import it there."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.errors import received
from agentcore_lambdas.tools import Problem, ToolDefinition, ToolDefinitionError, define, marked_in
from agentcore_lambdas.tools.entries import Entry, same_name

from .imports import imports_of

ToolSource = ModuleType | str | Path | Sequence[Callable[..., Any]]
"""A module or its name; a file or a folder of modules; or functions."""


@dataclass(frozen=True)
class ToolSources:
    """Functions that become tools.

    Attributes:
        packages: What to package, as `functions.python_code` takes it.
        entries: How Lambda finds the functions.
        definitions: The tools, by name.
    """

    packages: tuple[Path | str, ...]
    entries: tuple[Entry, ...]
    definitions: dict[str, ToolDefinition]


def tool_sources(source: ToolSource) -> ToolSources:
    """Finds the tools in a source, and derives them.

    Raises:
        HarnessConfigError: There are none, or some cannot be tools.
    """
    if isinstance(source, Path):
        return _in_path(source)
    if isinstance(source, (ModuleType, str)):
        return _in_module(source)
    if callable(source):
        source = [source]
    if not isinstance(source, (list, tuple)):
        fix = "pass refunds, 'refunds', Path('refunds.py') or [refunds.refund]"
        must = "must be a module or its name, a file or a folder, or functions"
        raise HarnessConfigError([Fault("source", must, received(source), fix)])
    return _of_functions(source)


def of_function(function: Callable[..., Any], definition: ToolDefinition) -> ToolSources:
    """Returns the source of one function, whose definition is known."""
    packages, module, faults = place_of(function)
    if faults:
        raise HarnessConfigError(faults)
    name = definition.name if definition.name != define(function).name else None
    return ToolSources(packages, (Entry(module, function.__name__, name),), {definition.name: definition})


def place_of(function: Callable[..., Any]) -> tuple[tuple[Path | str, ...], str, list[Fault]]:
    """Returns what to package for a function, its module, and why Lambda could not import it from there."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", type(function).__name__)
    if not callable(function) or not isinstance(module, str):
        return (), "", [Fault(name, "must be a function", received(function), "pass a function")]
    faults: list[Fault] = []
    packages: tuple[Path | str, ...] = (module.partition(".")[0],)
    if module == "__main__":
        fix = "move it to a module of its own and import it: the app itself is not what runs in Lambda"
        faults.append(Fault(name, "must be in a module that can be imported", "the script that is running", fix))
    elif "<" in name or "." in name or getattr(sys.modules.get(module), name, None) is not function:
        fix = "define it at the top of its module, under its own name"
        faults.append(Fault(name, "must be a function at the top of a module", f"{module}.{name}", fix))
    else:
        packages = _with_own_code([module], packages, faults)
    return packages, module, faults


def faults_of(error: ToolDefinitionError, within: str = "") -> list[Fault]:
    """Returns the problems of a definition as faults."""
    start = within or error.tool
    return [_fault(problem, start) for problem in error.problems]


def _fault(problem: Problem, start: str) -> Fault:
    path = f"{start}.{problem.path}" if problem.path else start
    return Fault(path, problem.must, problem.received, problem.fix)


def _of_functions(functions: Sequence[Callable[..., Any]]) -> ToolSources:
    faults: list[Fault] = []
    packages: dict[Path | str, None] = {}
    entries: list[Entry] = []
    definitions: list[ToolDefinition] = []
    for function in functions:
        needed, module, misplaced = place_of(function)
        try:
            definitions.append(define(function))
        except ToolDefinitionError as error:
            faults += [*faults_of(error), *misplaced]
            continue
        faults += misplaced
        packages |= dict.fromkeys(needed)
        entries.append(Entry(module, function.__name__))
    return _collected(tuple(packages), entries, definitions, faults, "the functions given")


def _in_module(source: ModuleType | str) -> ToolSources:
    name = source if isinstance(source, str) else source.__name__
    faults: list[Fault] = []
    definitions: list[ToolDefinition] = []
    packages: tuple[Path | str, ...] = (name.partition(".")[0],)
    module = _imported(name, faults) if isinstance(source, str) else source
    if name == "__main__":
        fix = "move the tools to a module of their own and import it"
        faults.append(Fault("source", "must be a module that can be imported", "the script that is running", fix))
    elif module is not None:
        packages = _with_own_code([name], packages, faults)
        definitions = _defined(module, faults)
    return _collected(packages, [Entry(name)], definitions, faults, f"the module {name}")


def _in_path(path: Path) -> ToolSources:
    """Modules of a folder are imported as Lambda will: with the folder on the path."""
    faults: list[Fault] = []
    entries: list[Entry] = []
    definitions: list[ToolDefinition] = []
    if not path.exists():
        fix = "write the path of a Python file, or of a folder of them"
        raise HarnessConfigError([Fault("source", "must be there", f"{str(path)!r}", fix)])
    packaged = path.is_file() or (path / "__init__.py").exists()
    root = path.resolve().parent if packaged else path.resolve()
    packages: tuple[Path | str, ...] = (path,) if packaged else tuple(_contents(path))
    with _first_on_path(root):
        for name in sorted(_modules(path, root)):
            module = _imported(name, faults)
            found = [] if module is None else _defined(module, faults)
            if found:
                entries.append(Entry(name))
                definitions += found
        packages = _with_own_code([entry.module for entry in entries], packages, faults)
    return _collected(packages, entries, definitions, faults, str(path))


def _collected(
    packages: tuple[Path | str, ...],
    entries: list[Entry],
    definitions: list[ToolDefinition],
    faults: list[Fault],
    where: str,
) -> ToolSources:
    tools: dict[str, ToolDefinition] = {}
    for definition in definitions:
        other = tools.setdefault(definition.name, definition)
        if other is not definition:
            faults.append(_fault(same_name(other, definition), definition.name))
    if not tools and not faults:
        fix = "mark the functions with @tool, from agentcore_lambdas.tools"
        faults.append(Fault("source", "must hold at least one tool", f"none in {where}", fix))
    if faults:
        raise HarnessConfigError(faults)
    return ToolSources(packages, tuple(entries), tools)


def _defined(module: ModuleType, faults: list[Fault]) -> list[ToolDefinition]:
    definitions = []
    for function in marked_in(module):
        try:
            definitions.append(define(function))
        except ToolDefinitionError as error:
            faults += faults_of(error)
    return definitions


def _imported(name: str, faults: list[Fault]) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception as error:  # noqa: BLE001  (whatever the user's module raises)
        fix = (
            "install what it needs where the app is synthesized as well, or import it within the functions that use it"
        )
        faults.append(Fault(name, "must be importable at synthesis", f"{type(error).__name__}: {error}", fix))
        return None


def _modules(path: Path, root: Path) -> Iterator[str]:
    files = [path] if path.is_file() else path.rglob("*.py")
    for file in files:
        if b"agentcore_lambdas" not in file.read_bytes():
            continue  # it marks nothing, and may be a test
        parts = file.resolve().relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if parts and all(part.isidentifier() for part in parts):
            yield ".".join(parts)


def _contents(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.name.startswith((".", "__pycache__")):
            yield path


@contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    """Imports from a folder first, and forgets afterwards what came from it: another folder may use the same names."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and Path(file).resolve().is_relative_to(folder):
                del sys.modules[name]


def _with_own_code(
    modules: Sequence[str], packages: tuple[Path | str, ...], faults: list[Fault]
) -> tuple[Path | str, ...]:
    """Returns what to package for modules: what is given, and the user's own code that they import from elsewhere."""
    given = {Path(package).stem if isinstance(package, Path) else package for package in packages}
    imports = imports_of(modules, given)
    fix = "keep the tools in a module of their own, in a package that does not import the CDK"
    for name, imported in imports.unfit:
        must = "must not import the CDK, since it runs in Lambda"
        faults.append(Fault(name, must, f"an import of {imported}", fix))
    return (*packages, *imports.own)
