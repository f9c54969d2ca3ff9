"""Makes the mounts of a session, of what exists or of what has to be made.

Prerequisites are those of https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

from pydantic import PrivateAttr

from .cdk import HasAccessPointArn, HasBucketName, HasFileSystemId, HasKeyArn, attribute, found, offers
from .deferred import Wanted
from .errors import ABSENT, Refused
from .filesystems import (
    CapacityProviderVolumeConfiguration,
    EfsAccessPointConfiguration,
    FilesystemConfiguration,
    S3FilesAccessPointConfiguration,
    SessionStorageConfiguration,
)

if TYPE_CHECKING:
    from enum import Enum


@dataclass(frozen=True)
class MountOptions:
    """How what is made for a mount is made.

    Attributes:
        prefix: Of the objects in the bucket (S3 Files), ending with a slash; the whole bucket unless given.
        directory: What of the file system is mounted; a slash and the last part of the mount path unless given.
        user: POSIX user and group that files are read and written as; those of the image unless given.
        encryption_key: Of a new file system.
        removal_policy: Of a new file system (EFS) or bucket (S3 Files); RETAIN unless given.
        stray: What was given besides that makes sense for access points that exist alone.
    """

    prefix: str | None = None
    directory: str | None = None
    user: tuple[int, int] | None = None
    encryption_key: Any = field(default=None, repr=False)
    removal_policy: Any = None
    stray: tuple[str, ...] = ()

    def given(self) -> list[str]:
        """The names of what was given."""
        names = ("prefix", "directory", "user", "encryption_key", "removal_policy")
        return [name for name in names if getattr(self, name) is not None]


class AttachedMount(FilesystemConfiguration, Wanted):
    """A mount of an access point that exists. A harness that takes it connects its sessions to the file system."""

    _access_point: Any = PrivateAttr(default=None)

    @property
    def access_point(self) -> Any:
        """The access point as it was given: an object, or its ARN."""
        return self._access_point

    def plain(self) -> FilesystemConfiguration:
        """What the configuration says about it."""
        return FilesystemConfiguration.draft(
            efs_access_point=self.efs_access_point, s3_files_access_point=self.s3_files_access_point
        )


@dataclass(frozen=True)
class NewMount(Wanted):
    """A mount whose access point is made when a harness takes it, and its file system where none was given.

    Attributes:
        kind: What kind of file system.
        source: The file system or the bucket; None to have one made.
        mount_path: Where it is mounted.
        read_only: Whether the role may only read.
        options: How things are made.
    """

    kind: Literal["efs", "s3_files"]
    source: Any
    mount_path: Any
    read_only: bool
    options: MountOptions


class FileSystem:
    """Makes the mounts of a session."""

    @staticmethod
    def session(mount_path: str) -> FilesystemConfiguration:
        """1 GB that outlives the microVM of a session; at most one. A new version of the harness starts with it empty.

        Args:
            mount_path: `/mnt/<name>`.
        """
        return FilesystemConfiguration.draft(session_storage=SessionStorageConfiguration.draft(mount_path=mount_path))

    @overload
    @staticmethod
    def efs(
        source: str | HasAccessPointArn,
        mount_path: str,
        *,
        file_system_arn: str | None = None,
        read_only: bool = False,
        as_root: bool = False,
    ) -> FilesystemConfiguration: ...

    @overload
    @staticmethod
    def efs(
        source: HasFileSystemId | None = None,
        mount_path: str | None = None,
        *,
        read_only: bool = False,
        directory: str | None = None,
        user: tuple[int, int] | None = None,
        encryption_key: str | HasKeyArn | None = None,
        removal_policy: Enum | None = None,
    ) -> NewMount: ...

    @staticmethod
    def efs(
        source: Any = None,
        mount_path: Any = None,
        *,
        file_system_arn: str | None = None,
        read_only: bool = False,
        as_root: bool = False,
        directory: str | None = None,
        user: tuple[int, int] | None = None,
        encryption_key: str | HasKeyArn | None = None,
        removal_policy: Enum | None = None,
    ) -> FilesystemConfiguration | NewMount:
        """Files on EFS, shared by all sessions; at most two, and only in a VPC.

        Given an access point, it is mounted. Given a file system, an access point is made. Given nothing, all is made:
        an encrypted file system with a mount target in the zone of every subnet, and an access point.

        Args:
            source: An access point or its ARN; or a file system (`efs.IFileSystem`); or nothing.
            mount_path: `/mnt/<name>`.
            file_system_arn: With the ARN of an access point: of the file system behind it, which narrows the role's
                policy; that of an access point object is found by itself.
            read_only: True leaves the permission to write out of the role's policy.
            as_root: With an access point that exists: True grants access as root, which an access point whose POSIX
                user is root needs. For one made here that follows from the user.
            directory: What of the file system is mounted, made when it is missing; a slash and the last part of the
                mount path unless given. At most 100 characters and 4 levels.
            user: POSIX user and group; those of the image unless given (1000 and 1000, or 0 and 0 for root).
            encryption_key: KMS key (`IKey`, or its ARN) of a new file system; the one AWS manages unless given.
            removal_policy: `RemovalPolicy` of a new file system; RETAIN unless given, since it holds data.
        """
        stray = _named(file_system_arn=file_system_arn, as_root=as_root)
        options = MountOptions(None, directory, user, encryption_key, removal_policy, stray)
        if source is None or _is_file_system(source):
            return NewMount("efs", source, ABSENT if mount_path is None else mount_path, read_only, options)
        behind = file_system_arn or found(found(source, "file_system"), "file_system_arn")
        mount = AttachedMount.draft(
            efs_access_point=EfsAccessPointConfiguration.draft(
                access_point_arn=_access_point(source, options, "attr_arn"),
                mount_path=mount_path,
                file_system_arn=behind,
                read_only=read_only,
                as_root=as_root,
            )
        )
        return _of(source, mount)

    @overload
    @staticmethod
    def s3_files(
        source: HasAccessPointArn,
        mount_path: str,
        *,
        read_only: bool = False,
        as_root: bool = False,
    ) -> FilesystemConfiguration: ...

    @overload
    @staticmethod
    def s3_files(
        source: str,
        mount_path: str,
        *,
        read_only: bool = False,
        as_root: bool = False,
        prefix: str | None = None,
        directory: str | None = None,
        user: tuple[int, int] | None = None,
    ) -> FilesystemConfiguration | NewMount: ...

    @overload
    @staticmethod
    def s3_files(
        source: HasFileSystemId | HasBucketName | None = None,
        mount_path: str | None = None,
        *,
        read_only: bool = False,
        prefix: str | None = None,
        directory: str | None = None,
        user: tuple[int, int] | None = None,
        encryption_key: str | HasKeyArn | None = None,
        removal_policy: Enum | None = None,
    ) -> NewMount: ...

    @staticmethod
    def s3_files(
        source: Any = None,
        mount_path: Any = None,
        *,
        read_only: bool = False,
        as_root: bool = False,
        prefix: str | None = None,
        directory: str | None = None,
        user: tuple[int, int] | None = None,
        encryption_key: str | HasKeyArn | None = None,
        removal_policy: Enum | None = None,
    ) -> FilesystemConfiguration | NewMount:
        """Objects of an S3 bucket as files, shared by all sessions; at most two, and only in a VPC.

        Given an access point, it is mounted. Given an `S3FilesFileSystem`, an access point is made. Given a bucket, or
        nothing, all is made that is missing: bucket, file system with its role, a mount target in the zone of every
        subnet, and an access point.

        Args:
            source: An access point (a `CfnAccessPoint` of `aws_s3files` too) or its ARN; or an `S3FilesFileSystem`; or
                a bucket with versioning, or the ARN of one; or nothing.
            mount_path: `/mnt/<name>`.
            read_only: True leaves the permission to write out of the role's policy.
            as_root: With an access point that exists: True grants access as root, which an access point whose POSIX
                user is root needs. For one made here that follows from the user.
            prefix: With a bucket: of the objects that are files, ending with a slash; all of them unless given.
            directory: What of the file system is mounted, made when it is missing; a slash and the last part of the
                mount path unless given. `/` is all of it.
            user: POSIX user and group; those of the image unless given (1000 and 1000, or 0 and 0 for root).
            encryption_key: KMS key (`IKey`, or its ARN) of a new bucket and file system; keys of AWS unless given.
            removal_policy: `RemovalPolicy` of a new bucket; RETAIN unless given, since it holds the data.
        """
        options = MountOptions(prefix, directory, user, encryption_key, removal_policy, _named(as_root=as_root))
        is_bucket = offers(source, "bucket_name") or (isinstance(source, str) and ":s3:::" in source)
        if source is None or is_bucket or _is_file_system(source):
            return NewMount("s3_files", source, ABSENT if mount_path is None else mount_path, read_only, options)
        mount = AttachedMount.draft(
            s3_files_access_point=S3FilesAccessPointConfiguration.draft(
                access_point_arn=_access_point(source, options, "attr_access_point_arn"),
                mount_path=mount_path,
                read_only=read_only,
                as_root=as_root,
            )
        )
        return _of(source, mount)

    @staticmethod
    def capacity_provider_volume(volume_name: str, mount_path: str) -> FilesystemConfiguration:
        """A volume of a capacity provider; API-only.

        Args:
            volume_name: As defined in the capacity provider.
            mount_path: `/mnt/<name>`.
        """
        return FilesystemConfiguration.draft(
            capacity_provider_volume=CapacityProviderVolumeConfiguration.draft(
                volume_name=volume_name, mount_path=mount_path
            )
        )


def _is_file_system(source: Any) -> bool:
    """Tells a file system from an access point, of which aws-cdk-lib's L1 names its file system's id as well."""
    if isinstance(source, str) or offers(source, "access_point_arn") or offers(source, "attr_access_point_id"):
        return False
    return offers(source, "file_system_id")


def _access_point(source: Any, options: MountOptions, l1_attribute: str) -> Any:
    if given := options.given():
        listed = " and ".join(f"{name}=" for name in given)
        fix = "leave that out, or give the file system for an access point to be made"
        return Refused("must be mounted as it is", f"an access point with {listed}", fix)
    # L1 file systems have an attribute of the same name, with another ARN.
    names = ("access_point_arn", l1_attribute) if offers(source, "attr_access_point_id") else ("access_point_arn",)
    return attribute(source, *names)


def _named(**values: Any) -> tuple[str, ...]:
    return tuple(name for name, value in values.items() if value)


def _of(access_point: Any, mount: AttachedMount) -> AttachedMount:
    mount._access_point = access_point  # noqa: SLF001  (a factory of the same module; a draft has no other way in)
    return mount
