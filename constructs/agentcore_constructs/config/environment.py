"""Where the agent runs: its network, the lifetime of its sessions, and what is mounted.

Limits are those of botocore's `HarnessEnvironmentProviderRequest`, except that a harness's lifetimes end at 28800
seconds although the shape would allow more (documentation of `LifecycleConfiguration`, and the CloudFormation schema).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args, overload

from .cdk import (
    HasSecurityGroupId,
    HasSubnetId,
    HasVpcId,
    IsDuration,
    IsSubnetSelection,
    attribute,
    attributes,
    seconds,
)
from .deferred import Deferred, Host, Wanted
from .errors import ABSENT, Fault, Refused
from .filesystems import FilesystemConfiguration
from .node import Node, OneOf, joined, members
from .primitives import ApiOnly, Choice, Flag, Int, Items, Text
from .tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

NetworkMode = Literal["PUBLIC", "VPC"]

SubnetId = Annotated[
    str, Text("the id of a subnet (subnet-…)", "pass the subnet or its id", pattern=r"subnet-[0-9a-zA-Z]{8,17}")
]
_SecurityGroupId = Annotated[
    str,
    Text("the id of a security group (sg-…)", "pass the security group or its id", pattern=r"sg-[0-9a-zA-Z]{8,17}"),
]
_Lifetime = Annotated[int, Int(ge=60, le=28800, unit="seconds")]

_SHORTEST, _USUAL_IDLE = 60, 900
_MOST_EFS = 2
_MOST_S3_FILES = 2
_MOST_SESSION = 1

MOUNTS = "agentCoreRuntimeEnvironment.filesystemConfigurations"
"""Where the mounts stand within an environment."""


class LifecycleConfiguration(Node):
    """How long a session's microVM lives.

    Attributes:
        idle_runtime_session_timeout: Seconds without a call, 60–28800; 900 unless given.
        max_lifetime: Seconds in all, 60–28800 and not less than the idle timeout; 28800 unless given.
    """

    idle_runtime_session_timeout: _Lifetime | None = None
    max_lifetime: _Lifetime | None = None

    def rules(self, path: str) -> Iterator[Fault]:
        """An idle timeout beyond the lifetime is refused by the service."""
        idle, most = self.idle_runtime_session_timeout, self.max_lifetime
        if isinstance(idle, int) and isinstance(most, int) and idle > most:
            yield Fault(
                joined(path, "idleRuntimeSessionTimeout"),
                f"must not be greater than maxLifetime ({most} seconds)",
                str(idle),
                "shorten the idle timeout or lengthen the lifetime",
            )


class VpcConfig(Node):
    """A place in a VPC.

    Attributes:
        security_groups: 1–16.
        subnets: 1–16, private, in Availability Zones the service supports.
        require_service_s3_endpoint: Keeps the service's own S3 gateway endpoint. Only for runtimes made before May
            2026, and only in an update: the service refuses it on create.
    """

    security_groups: Annotated[tuple[_SecurityGroupId, ...], Items("security groups", min=1, max=16)]
    subnets: Annotated[tuple[SubnetId, ...], Items("subnets", min=1, max=16)]
    require_service_s3_endpoint: (
        Annotated[
            bool,
            Flag(),
            ApiOnly(
                "AWS::BedrockAgentCore::Harness has no RequireServiceS3Endpoint, and the service takes it only in "
                "updates of runtimes made before May 2026",
                settable=False,
            ),
        ]
        | None
    ) = None


class NetworkConfiguration(Node):
    """The network of a session.

    Attributes:
        network_mode: `PUBLIC` (the service's default) or `VPC`.
        network_mode_config: Where in the VPC; exactly when the mode is VPC.
    """

    network_mode: Annotated[NetworkMode, Choice(get_args(NetworkMode))]
    network_mode_config: VpcConfig | None = None

    def rules(self, path: str) -> Iterator[Fault]:
        """VPC needs a place, PUBLIC has none."""
        where = joined(path, "networkModeConfig")
        if self.network_mode == "VPC" and self.network_mode_config is None:
            yield Fault(where, "must be given for networkMode VPC", "nothing", "add subnets and securityGroups")
        if self.network_mode == "PUBLIC" and self.network_mode_config is not None:
            fix = "remove it, or write networkMode VPC"
            yield Fault(where, "must be left out for networkMode PUBLIC", "a VPC configuration", fix)


class HarnessAgentCoreRuntimeEnvironment(Node):
    """The environment of a session on AgentCore Runtime.

    Attributes:
        lifecycle_configuration: How long a session's microVM lives.
        network_configuration: PUBLIC unless given.
        filesystem_configurations: At most 5 mounts at different paths: 1 session storage, 2 EFS, 2 S3 Files.
    """

    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("agentRuntimeArn", "agentRuntimeId", "agentRuntimeName"),
        "is read-only: the service answers with it; remove it",
    )

    lifecycle_configuration: LifecycleConfiguration | None = None
    network_configuration: NetworkConfiguration | None = None
    filesystem_configurations: (
        Annotated[tuple[FilesystemConfiguration, ...], Items("file systems", min=0, max=5, fix="mount at most 5")]
        | None
    ) = None

    def rules(self, path: str) -> Iterator[Fault]:
        """Rules on the mounts together."""
        mounts = list(members(self.filesystem_configurations, FilesystemConfiguration))
        where = joined(path, "filesystemConfigurations")
        yield from _too_many(mounts, where)
        yield from _same_path(mounts, where)
        network = self.network_configuration
        mode = network.network_mode if isinstance(network, NetworkConfiguration) else None
        if network is None or mode == "PUBLIC":
            for index, mount in mounts:
                if mount.efs_access_point is not None or mount.s3_files_access_point is not None:
                    kind = "efsAccessPoint" if mount.efs_access_point is not None else "s3FilesAccessPoint"
                    yield Fault(
                        f"{where}[{index}].{kind}",
                        "must be used with networkMode VPC",
                        "networkMode PUBLIC" if mode else "no network configuration, which means PUBLIC",
                        "use Environment.vpc(…) with subnets that reach the mount targets",
                    )


def _too_many(mounts: list[tuple[int, FilesystemConfiguration]], where: str) -> Iterator[Fault]:
    for attribute_name, api, most, noun in (
        ("session_storage", "sessionStorage", _MOST_SESSION, "session storage"),
        ("efs_access_point", "efsAccessPoint", _MOST_EFS, "EFS access points"),
        ("s3_files_access_point", "s3FilesAccessPoint", _MOST_S3_FILES, "S3 Files access points"),
    ):
        count = sum(1 for _, mount in mounts if getattr(mount, attribute_name) is not None)
        if count > most:
            yield Fault(where, f"must hold at most {most} {noun} ({api})", str(count), "remove the others")


def _same_path(mounts: list[tuple[int, FilesystemConfiguration]], where: str) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, mount in mounts:
        mount_path = mount.mount_path
        if mount_path is None or is_token(mount_path):
            continue
        normal = mount_path.rstrip("/")
        if normal in first:
            yield Fault(
                f"{where}[{index}]",
                "must be mounted at a path of its own",
                f"{normal!r}, where {where}[{first[normal]}] is mounted",
                "choose another path",
            )
        first.setdefault(normal, index)


class HarnessEnvironment(OneOf):
    """The environment of a harness; made by `Environment`."""

    expects: ClassVar[str] = "an environment, made by Environment.public or Environment.vpc"

    agent_core_runtime_environment: HarnessAgentCoreRuntimeEnvironment | None = None

    def with_filesystems(self, filesystems: Sequence[FilesystemConfiguration]) -> HarnessEnvironment:
        """Returns this environment with further mounts."""
        runtime = self.agent_core_runtime_environment
        if not isinstance(runtime, HarnessAgentCoreRuntimeEnvironment):
            return self
        mounts = (*(runtime.filesystem_configurations or ()), *filesystems)
        changed = runtime.model_copy(update={"filesystem_configurations": mounts})
        return self.model_copy(update={"agent_core_runtime_environment": changed})


class MountingEnvironment(HarnessEnvironment, Deferred):
    """An environment with mounts that a harness has to connect, or to make."""

    def bind(self, host: Host) -> HarnessEnvironment:
        """Binds the mounts."""
        runtime = self.agent_core_runtime_environment
        if not isinstance(runtime, HarnessAgentCoreRuntimeEnvironment):
            return self
        mounts = host.bound(runtime.filesystem_configurations, joined(host.path, MOUNTS))
        changed = runtime.model_copy(update={"filesystem_configurations": mounts})
        return HarnessEnvironment.draft(agent_core_runtime_environment=changed)


class Environment:
    """Makes the environment of a harness."""

    @staticmethod
    def public(
        *,
        idle_timeout: int | IsDuration | None = None,
        max_lifetime: int | IsDuration | None = None,
        filesystems: Sequence[FilesystemConfiguration | Deferred] = (),
    ) -> HarnessEnvironment:
        """Sessions with a network of the service, that reach the internet.

        Args:
            idle_timeout: A `Duration` or seconds, 60–28800; unless given 900, or the lifetime where that is shorter.
            max_lifetime: A `Duration` or seconds, 60–28800; 28800 unless given.
            filesystems: Mounts; EFS and S3 Files need a VPC.
        """
        network = NetworkConfiguration.draft(network_mode="PUBLIC")
        return _environment(network, idle_timeout, max_lifetime, filesystems)

    @overload
    @staticmethod
    def vpc(
        vpc: HasVpcId,
        *,
        subnets: Sequence[str | HasSubnetId] | IsSubnetSelection | None = None,
        security_groups: Sequence[str | HasSecurityGroupId] | None = None,
        retain_security_group: bool = False,
        idle_timeout: int | IsDuration | None = None,
        max_lifetime: int | IsDuration | None = None,
        filesystems: Sequence[FilesystemConfiguration | Deferred] = (),
    ) -> VpcEnvironment: ...

    @overload
    @staticmethod
    def vpc(
        vpc: None = None,
        *,
        subnets: Sequence[str | HasSubnetId],
        security_groups: Sequence[str | HasSecurityGroupId],
        require_service_s3_endpoint: bool | None = None,
        idle_timeout: int | IsDuration | None = None,
        max_lifetime: int | IsDuration | None = None,
        filesystems: Sequence[FilesystemConfiguration | Deferred] = (),
    ) -> HarnessEnvironment: ...

    @staticmethod
    def vpc(
        vpc: Any = None,
        *,
        subnets: Any = None,
        security_groups: Any = None,
        retain_security_group: bool = False,
        require_service_s3_endpoint: bool | None = None,
        idle_timeout: int | IsDuration | None = None,
        max_lifetime: int | IsDuration | None = None,
        filesystems: Sequence[Any] = (),
    ) -> HarnessEnvironment | VpcEnvironment:
        """Sessions inside a VPC.

        With the VPC itself, a harness chooses subnets and makes a security group, is `IConnectable`
        (`database.connections.allow_default_port_from(harness)`), can have file systems made, and warns of subnets
        without a way out. With ids alone, what they say is passed on.

        Args:
            vpc: The VPC (`ec2.IVpc`), made here or imported. Without one, subnets and security groups must be given.
            subnets: 1–16 private subnets, in Availability Zones the service supports: a list of subnets or of their
                ids; with a VPC also an `ec2.SubnetSelection`, and private ones are chosen unless given.
            security_groups: 1–16 security groups or their ids; with a VPC one that allows all outbound traffic is made
                unless given.
            retain_security_group: True leaves a security group made here behind when the stack goes. The service's
                network interfaces stay up to 8 hours after the harness, and as long no group they use can be deleted.
            require_service_s3_endpoint: API-only; see `VpcConfig`.
            idle_timeout: A `Duration` or seconds, 60–28800; unless given 900, or the lifetime where that is shorter.
            max_lifetime: A `Duration` or seconds, 60–28800; 28800 unless given.
            filesystems: Mounts.
        """
        settings = {
            "require_service_s3_endpoint": require_service_s3_endpoint,
            "idle_timeout": idle_timeout,
            "max_lifetime": max_lifetime,
        }
        if vpc is not None:
            return VpcEnvironment(vpc, subnets, security_groups, retain_security_group, tuple(filesystems), settings)
        groups = attributes(security_groups, "security_group_id", "attr_group_id")
        if retain_security_group:
            groups = Refused("must be made here to be retained", "groups that exist", "leave retain_security_group out")
        return in_subnets(
            attributes(attribute(subnets, "subnet_ids"), "subnet_id", "attr_subnet_id"), groups, filesystems, settings
        )


@dataclass(frozen=True)
class VpcEnvironment(Wanted):
    """A place in a VPC that is known as a construct; made by `Environment.vpc`, whose arguments it holds."""

    vpc: Any
    subnets: Any
    security_groups: Any
    retain_security_group: bool
    filesystems: tuple[Any, ...]
    settings: Mapping[str, Any]


def in_subnets(
    subnets: Any, security_groups: Any, filesystems: Sequence[Any], settings: Mapping[str, Any]
) -> HarnessEnvironment:
    """Returns the environment of subnets and security groups that are named by id.

    Args:
        subnets: Ids of subnets.
        security_groups: Ids of security groups.
        filesystems: Mounts.
        settings: The arguments of `Environment.vpc` that say nothing of the place.
    """
    network = NetworkConfiguration.draft(
        network_mode="VPC",
        network_mode_config=VpcConfig.draft(
            security_groups=ABSENT if security_groups is None else security_groups,
            subnets=ABSENT if subnets is None else subnets,
            require_service_s3_endpoint=settings["require_service_s3_endpoint"],
        ),
    )
    return _environment(network, settings["idle_timeout"], settings["max_lifetime"], filesystems)


def _environment(
    network: NetworkConfiguration, idle: Any, lifetime: Any, filesystems: Sequence[Any]
) -> HarnessEnvironment:
    lifecycle = None
    length = seconds(lifetime)
    if idle is None and isinstance(length, int) and _SHORTEST <= length < _USUAL_IDLE:
        idle = length  # the service's default would be beyond the lifetime, which it refuses
    if idle is not None or lifetime is not None:
        lifecycle = LifecycleConfiguration.draft(idle_runtime_session_timeout=seconds(idle), max_lifetime=length)
    kind = MountingEnvironment if any(isinstance(mount, Deferred) for mount in filesystems) else HarnessEnvironment
    return kind.draft(
        agent_core_runtime_environment=HarnessAgentCoreRuntimeEnvironment.draft(
            lifecycle_configuration=lifecycle,
            network_configuration=network,
            filesystem_configurations=filesystems or None,
        )
    )
