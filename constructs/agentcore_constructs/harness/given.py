"""What the harness construct does to a configuration before it is rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import (
    Environment,
    Fault,
    FilesystemConfiguration,
    HarnessConfig,
    HarnessConfigError,
    HarnessEnvironment,
)
from agentcore_constructs.config.errors import Refused

from .places import place_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from .policy import Place


def with_mounts(environment: Any, filesystems: Sequence[FilesystemConfiguration]) -> Any:
    """Returns an environment with mounts added; without an environment they are on the public network.

    Raises:
        HarnessConfigError: There are mounts to add, and the environment is not one that `Environment` made.
    """
    if not filesystems or isinstance(environment, Refused):
        return environment
    if environment is None:
        return Environment.public(filesystems=filesystems)
    if isinstance(environment, HarnessEnvironment):
        return environment.with_filesystems(filesystems)
    fault = Fault(
        "filesystems",
        "must be given inside the environment when that is no Environment",
        f"an environment of type {type(environment).__name__}",
        "use Environment.public(…) or Environment.vpc(…)",
    )
    raise HarnessConfigError([fault])


def refuse_what_cannot_be(config: HarnessConfig, here: Place) -> None:
    """Refuses what no template can carry, rather than drop it, and what is out of the harness's reach.

    Raises:
        HarnessConfigError: With every such value.
    """
    if faults := [*config.template_faults(), *place_faults(config, here)]:
        raise HarnessConfigError(faults)


def path_of(scope: Construct, construct_id: str) -> str:
    """Returns the path a construct will have."""
    above = scope.node.path
    return f"{above}/{construct_id}" if above else construct_id
