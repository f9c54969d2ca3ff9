"""Writes the generated pages: `make docs`. With --check it writes nothing and says which pages are behind.

Each page has one source of its facts; a page is never edited by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import _behaviours
import _coverage
import _map

from agentcore_constructs.harness import iam_reference

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
PAGES: dict[str, Callable[[], str]] = {
    "docs/coverage.md": _coverage.markdown,
    "docs/iam.md": iam_reference,
    "docs/local-behaviours.md": _behaviours.markdown,
    "ARCHITECTURE.md": _map.markdown,
}


def main(arguments: list[str]) -> int:
    """Writes or checks every page; returns 1 when a checked page is behind."""
    behind = []
    for name, render in PAGES.items():
        page, text = ROOT / name, render()
        if page.exists() and page.read_text(encoding="utf-8") == text:
            continue
        behind.append(name)
        if "--check" not in arguments:
            page.write_text(text, encoding="utf-8")
    if behind:
        print(f"{'behind' if '--check' in arguments else 'written'}: {', '.join(behind)}")  # noqa: T201
    return int("--check" in arguments and bool(behind))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
