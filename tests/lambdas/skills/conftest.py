"""A Git server for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.git_server import GitServer, git_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with git_server(tmp_path_factory.mktemp("git")) as running:
        yield running
