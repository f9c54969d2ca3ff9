"""The map of the house in ARCHITECTURE.md: every module with the first sentence of its own docstring."""

from __future__ import annotations

import ast
import re
import subprocess
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "ARCHITECTURE.md"
BEGIN, END = "<!-- map: written by `make docs` -->\n", "<!-- end of the map -->\n"
SOURCES = ("constructs", "lambdas", "stepfunctions", "local", "cli")


def markdown() -> str:
    """ARCHITECTURE.md with its map written anew; everything outside the markers is kept."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{_map()}\n{END}{after}"


def _map() -> str:
    modules = [path for path in _tracked() if path.suffix == ".py" and path.name != "__init__.py"]
    sections = []
    for folder, members in groupby(sorted(modules, key=lambda path: (str(path.parent), path.name)), lambda p: p.parent):
        package = ROOT / folder / "__init__.py"
        title = f"### `{folder}/`"
        about = _sentence(package) if package.exists() else ""
        rows = [f"| `{path.name}` | {_sentence(ROOT / path)} |" for path in members]
        sections.append(
            "\n".join([title, "", *([about, ""] if about else []), "| module | what it is |", "|---|---|", *rows, ""])
        )
    return "\n".join(sections)


def _tracked() -> list[Path]:
    """Source files that git knows or would take in."""
    listed = subprocess.run(  # noqa: S603 - fixed arguments
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SOURCES],  # noqa: S607 - the git on PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def _sentence(module: Path) -> str:
    """The first sentence of a module's docstring, fit for a table cell."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    sentence = re.split(r"(?<=\.)\s+(?=[A-Z`])", paragraph, maxsplit=1)[0]
    return sentence.replace("|", "\\|")
