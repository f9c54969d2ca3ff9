"""pytest fixtures for testing stacks and agents against the local cloud; registered when the package is installed.

Importing this module is cheap and works without the `[local]` extra: everything is imported within the fixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .server import Account, LocalCloud


@pytest.fixture(scope="session")
def local_cloud() -> Iterator[LocalCloud]:
    """One local cloud for the test session (one per worker under pytest-xdist), on a free port."""
    try:
        from .server import LocalCloud  # noqa: PLC0415 - only when a test asks for it
    except ImportError as missing:
        pytest.fail(f"the local_cloud fixture needs agentcore-harness-cdk[local]: {missing}", pytrace=False)
    with LocalCloud() as cloud:
        yield cloud


@pytest.fixture
def account(local_cloud: LocalCloud) -> Account:
    """A fresh account of the local cloud, in us-east-1: nothing another test made is in it."""
    return local_cloud.account()
