"""Every Python snippet of the README and of docs/ runs, in page order, each page in a process and folder of its own.

A block runs after the blocks above it on the same page, so a page reads as one script. A text block right after it is
what it prints, to the letter. A block preceded by the HTML
comment `<!-- needs: local cloud -->` runs against a local cloud, `<!-- not run: reason -->` names why it cannot run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<note>[^>]*?) -->\n+)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
NOT_RUN = "not run: "
NEEDS_CLOUD = "needs: local cloud"


def _blocks(page: Path) -> list[tuple[int, str, str]]:
    """Line number, note and code of each Python block of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        (text[: match.start("code")].count("\n") + 1, match["note"] or "", match["code"])
        for match in BLOCK.finditer(text)
        if match["language"] == "python"
    ]


def _printed(page: Path) -> list[str]:
    """The text blocks that directly follow a Python block: what that block prints."""
    blocks = list(BLOCK.finditer(page.read_text(encoding="utf-8")))
    return [
        after["code"].strip()
        for before, after in pairwise(blocks)
        if after["language"] == "text"
        and before["language"] == "python"
        and not (before["note"] or "").startswith(NOT_RUN)
    ]


def _script(page: Path) -> str:
    """The page as one script; blank lines keep the page's line numbers in tracebacks."""
    lines: list[str] = []
    for line, note, code in _blocks(page):
        if note.startswith(NOT_RUN):
            continue
        lines += [""] * (line - 1 - len(lines))
        lines += code.splitlines()
    return "\n".join(lines) + "\n"


RUNNABLE = [page for page in PAGES if _script(page).strip()]


def test_there_are_pages_to_run() -> None:
    assert ROOT / "README.md" in RUNNABLE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_that_is_not_run_says_why(page: Path) -> None:
    for line, note, _ in _blocks(page):
        assert not note.startswith("not run") or len(note) > len(NOT_RUN) + 10, f"{page.name}:{line} gives no reason"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.name)
def test_snippets_run(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    environment = dict(os.environ)
    if any(note == NEEDS_CLOUD for _, note, _ in _blocks(page)):
        environment |= request.getfixturevalue("account").environment
    script = tmp_path / f"{page.stem}.py"
    script.write_text(_script(page), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment | {"PATH": f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page.name} (line numbers are the page's):\n{done.stdout}\n{done.stderr}"
    for shown in _printed(page):
        assert shown in done.stdout, f"{page.name} shows something else than what is printed"
