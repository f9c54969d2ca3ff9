"""What is mounted into a session: session storage, EFS, S3 Files, or a volume of a capacity provider.

Limits are those of botocore's `FilesystemConfiguration`; prerequisites are from
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from .errors import Fault, received
from .node import Node, OneOf, fields, joined
from .primitives import ApiOnly, Companion, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

MountPath = Annotated[
    str,
    Text(
        "a path of one segment under /mnt (/mnt/<name>)",
        "mount it at a path such as /mnt/data",
        min=6,
        max=200,
        pattern=r"/mnt/[a-zA-Z0-9._-]+/?",
    ),
]
# The service's pattern lets these through, and the file system takes them for other directories.
_NO_NAMES = {"/mnt/.": "/mnt itself", "/mnt/..": "the directory above /mnt"}
_ReadOnly = Annotated[bool, Companion("leaves the permission to write out of the role's policy")]
_AsRoot = Annotated[bool, Companion("grants access as root, which an access point for root needs")]


class SessionStorageConfiguration(Node):
    """1 GB that outlives the microVM of a session; wiped when the harness's version changes.

    Attributes:
        mount_path: `/mnt/<name>`, 6–200 characters.
    """

    mount_path: MountPath


class EfsAccessPointConfiguration(Node):
    """An EFS access point.

    Attributes:
        access_point_arn: At most 128 characters.
        mount_path: `/mnt/<name>`, 6–200 characters.
        file_system_arn: Of the file system behind it, which the role's policy names.
        read_only: True leaves the permission to write out of the role's policy.
        as_root: True grants access as root, which an access point whose POSIX user is root needs.
    """

    access_point_arn: Annotated[
        str,
        Text(
            "the ARN of an EFS access point (arn:aws:elasticfilesystem:<region>:<account>:access-point/fsap-<id>)",
            "pass the access point or its ARN",
            max=128,
            pattern=r"arn:aws[-a-z]*:elasticfilesystem:[0-9a-z-:]+:access-point/fsap-[0-9a-f]{8,40}",
        ),
    ]
    mount_path: MountPath
    file_system_arn: Annotated[str | None, Companion("names the file system in the role's policy")] = Field(
        None, exclude=True
    )
    read_only: _ReadOnly = Field(False, exclude=True)  # noqa: FBT003  (pydantic's default is positional)
    as_root: _AsRoot = Field(False, exclude=True)  # noqa: FBT003  (pydantic's default is positional)


class S3FilesAccessPointConfiguration(Node):
    """An S3 Files access point.

    Attributes:
        access_point_arn: At most 256 characters; it names the file system too.
        mount_path: `/mnt/<name>`, 6–200 characters.
        read_only: True leaves the permission to write out of the role's policy.
        as_root: True grants access as root, which an access point whose POSIX user is root needs.
    """

    access_point_arn: Annotated[
        str,
        Text(
            "the ARN of an S3 Files access point "
            "(arn:aws:s3files:<region>:<account>:file-system/fs-<id>/access-point/fsap-<id>)",
            "pass the access point or its ARN",
            max=256,
            pattern=(
                r"arn:aws[-a-z]*:s3files:[0-9a-z-:]+:file-system/fs-[0-9a-f]{17,40}/access-point/fsap-[0-9a-f]{17,40}"
            ),
        ),
    ]
    mount_path: MountPath
    read_only: _ReadOnly = Field(False, exclude=True)  # noqa: FBT003  (pydantic's default is positional)
    as_root: _AsRoot = Field(False, exclude=True)  # noqa: FBT003  (pydantic's default is positional)


class CapacityProviderVolumeConfiguration(Node):
    """A volume of a capacity provider.

    Attributes:
        volume_name: As defined in the capacity provider; 1–48 characters.
        mount_path: `/mnt/<name>`, 6–200 characters.
    """

    volume_name: Annotated[
        str,
        Text(
            "a volume name: a letter, then letters, digits, '_' and '-'",
            "write the name the capacity provider gives it",
            min=1,
            max=48,
            pattern=r"[a-zA-Z][a-zA-Z0-9_-]{0,47}",
        ),
    ]
    mount_path: MountPath


class FilesystemConfiguration(OneOf):
    """A mount of a session; made by `FileSystem`."""

    expects: ClassVar[str] = "a file system, made by FileSystem.session, FileSystem.efs or FileSystem.s3_files"

    session_storage: SessionStorageConfiguration | None = None
    s3_files_access_point: S3FilesAccessPointConfiguration | None = None
    efs_access_point: EfsAccessPointConfiguration | None = None
    capacity_provider_volume: (
        Annotated[
            CapacityProviderVolumeConfiguration,
            ApiOnly("AWS::BedrockAgentCore::Harness has no CapacityProviderVolume"),
        ]
        | None
    ) = None

    def rules(self, path: str) -> Iterator[Fault]:
        """It is one kind of mount, at a directory of its own."""
        yield from super().rules(path)
        for field in fields(FilesystemConfiguration):
            mount = self.__dict__[field.name]
            at = mount.__dict__.get("mount_path") if isinstance(mount, Node) else None
            if isinstance(at, str) and (what := _NO_NAMES.get(at.removesuffix("/"))) is not None:
                yield Fault(
                    joined(joined(path, field.api), "mountPath"),
                    "must have a name after /mnt/",
                    f"{received(at)}, which is {what}",
                    "mount it at a path such as /mnt/data",
                )

    @property
    def mount_path(self) -> str | None:
        """Where it is mounted, whichever kind it is."""
        given = (self.session_storage, self.s3_files_access_point, self.efs_access_point, self.capacity_provider_volume)
        found = next((one.mount_path for one in given if isinstance(one, Node)), None)
        return found if isinstance(found, str) else None
