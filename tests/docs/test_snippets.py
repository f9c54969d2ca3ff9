"""Every Python snippet of the README and of docs/ runs, in page order, each page as a script in a folder of its own.

A block runs after the blocks above it on the same page, so a page reads as one script. A text block right after it is
what it prints, to the letter. A block preceded by the HTML comment `<!-- not run: reason -->` is left out, and the
comment says why.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<note>[^>]*?) -->\n+)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
NOT_RUN = "not run: "


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


# Starting Python, the CDK and its validation takes several seconds of CPU; pages share them where nothing speaks
# against it: a process has one local cloud and one run of pytest, and the CDK looks for the folders of images where its
# own process was started.
NEEDS_PROCESS = re.compile(r"LocalCloud\(|pytest\.main\(|HarnessImage\.from_asset\(")


@pytest.fixture
def run_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[Path], str]]:
    """Runs a script of that folder in this process and returns what it prints; modules of the folder are forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)

    def run(script: Path) -> str:
        runpy.run_path(str(script), run_name="__main__")
        return capsys.readouterr().out

    yield run
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def run_apart(script: Path) -> str:
    """Runs a script in a process of its own and returns what it prints."""
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=script.parent,
        env=os.environ | {"PATH": f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script.stem}.md (line numbers are the page's):\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.name)
def test_snippets_run(page: Path, tmp_path: Path, run_here: Callable[[Path], str]) -> None:
    script = tmp_path / f"{page.stem}.py"
    script.write_text(_script(page), encoding="utf-8")
    printed = run_apart(script) if NEEDS_PROCESS.search(_script(page)) else run_here(script)
    for shown in _printed(page):
        assert shown in printed, f"{page.name} shows something else than what is printed"
