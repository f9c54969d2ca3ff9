"""Refuses what is known to be somewhere else than the harness, and cannot work from there. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import Fault, FilesystemConfiguration, is_token
from agentcore_constructs.config.node import members

from .needs import runtime_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcore_constructs.config import HarnessConfig

    from .policy import Place

_REGION, _ACCOUNT, _RESOURCE = 3, 4, 5
_MOUNTS = "environment.agentCoreRuntimeEnvironment.filesystemConfigurations"


def elsewhere(arn: Any, here: Place, path: str, what: str, *, any_account: bool = False) -> Iterator[Fault]:
    """Yields a fault when an ARN is known to be of another account or Region than the harness.

    Args:
        arn: The ARN, which may be a token or hold some.
        here: Where the harness is.
        path: Of the ARN in the configuration.
        what: What it is of, with its article.
        any_account: Whether it may be of another account.
    """
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) <= _RESOURCE:
        return  # a token as a whole, or what validation refuses
    places = [("account", parts[_ACCOUNT], here.account)] if not any_account else []
    for name, there, ours in (*places, ("Region", parts[_REGION], here.region)):
        if there != ours and not is_token(there) and not is_token(ours):
            fix = f"use {what} of the harness's own {'Region' if any_account else 'account and Region'}"
            yield Fault(path, f"must be in the harness's {name} ({ours})", there, fix)
            return


def place_faults(config: HarnessConfig, here: Place) -> Iterator[Fault]:
    """Yields what a configuration names elsewhere: whichever way it was written, as objects, as ARNs or as a file."""
    memory = config.memory
    if memory is not None and (own := memory.agent_core_memory_configuration) is not None:
        yield from elsewhere(own.arn, here, "memory.agentCoreMemoryConfiguration.arn", "a memory", any_account=True)
    if memory is not None and (managed := memory.managed_memory_configuration) is not None:
        path = "memory.managedMemoryConfiguration.encryptionKeyArn"
        yield from elsewhere(managed.encryption_key_arn, here, path, "a key", any_account=True)
    runtime = runtime_environment(config)
    for index, mount in members(
        None if runtime is None else runtime.filesystem_configurations, FilesystemConfiguration
    ):
        for name, point in (
            ("efsAccessPoint", mount.efs_access_point),
            ("s3FilesAccessPoint", mount.s3_files_access_point),
        ):
            arn = None if point is None else point.access_point_arn
            yield from elsewhere(arn, here, f"{_MOUNTS}[{index}].{name}.accessPointArn", "an access point")
