"""A way into a file system of S3 Files: for one POSIX user, from one directory down."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3files as s3files

from agentcore_constructs.config import Fault, HarnessConfigError, is_token
from agentcore_constructs.config.errors import received
from agentcore_constructs.config.image import user_faults

from .grants import MOUNT, ROOT, WRITE, granted

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct, IDependable

_ARN = re.compile(
    r"arn:aws[-a-z]*:s3files:[0-9a-z-]*:[0-9]*:file-system/fs-[0-9a-f]{17,40}/access-point/fsap-[0-9a-f]{17,40}"
)
_PERMISSIONS = re.compile(r"[0-7]{3,4}")


class IS3FilesFileSystem(Protocol):
    """A file system of S3 Files, made here or elsewhere."""

    @property
    def file_system_id(self) -> str:
        """Its id: `fs-` and 17 to 40 digits."""

    @property
    def file_system_arn(self) -> str:
        """Its ARN."""

    @property
    def connections(self) -> ec2.Connections:
        """Its mount targets' security groups; the default port is that of NFS, 2049."""

    @property
    def mount_targets_available(self) -> IDependable:
        """What to depend on to have the mount targets ready."""


class S3FilesAccessPointBase(cdk.Resource):
    """What access points made here and elsewhere have in common."""

    @property
    @abstractmethod
    def access_point_arn(self) -> str:
        """Its ARN."""

    @property
    @abstractmethod
    def access_point_id(self) -> str:
        """Its id."""

    @property
    @abstractmethod
    def file_system_arn(self) -> str:
        """ARN of its file system."""

    @property
    def file_system(self) -> IS3FilesFileSystem | None:
        """Its file system, where that is known as a construct."""
        return None

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody mount the file system through this access point alone, and read."""
        return granted(grantee, MOUNT, self.file_system_arn, self.access_point_arn)

    def grant_read_write(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody mount the file system through this access point alone, read and write."""
        return granted(grantee, WRITE, self.file_system_arn, self.access_point_arn)

    def grant_root_access(self, grantee: iam.IGrantable) -> iam.Grant:
        """As `grant_read_write`, for an access point whose POSIX user is root."""
        return granted(grantee, ROOT, self.file_system_arn, self.access_point_arn)


class S3FilesAccessPoint(S3FilesAccessPointBase):
    """An access point: `AWS::S3Files::AccessPoint`. Changing anything replaces it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        file_system: IS3FilesFileSystem,
        path: str = "/",
        user: tuple[int, int] | None = (1000, 1000),
        permissions: str = "750",
    ) -> None:
        """Makes the access point.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            file_system: The file system.
            path: The directory that clients see as the root; made for the user when it is missing.
            user: POSIX user and group that all requests are made as, 0–4294967295 each; those of the client for None.
                Sessions of AgentCore are 1000 and 1000, those of root images 0 and 0.
            permissions: Of a directory that is made: three or four octal digits.

        Raises:
            HarnessConfigError: The path is not absolute, or user or permissions are out of range.
        """
        super().__init__(scope, construct_id)
        _check(self, path, user, permissions)
        self._file_system = file_system
        uid, gid = (None, None) if user is None else (str(user[0]), str(user[1]))
        creation = None
        if uid is not None and gid is not None and path != "/":
            creation = s3files.CfnAccessPoint.CreationPermissionsProperty(
                owner_uid=uid, owner_gid=gid, permissions=permissions
            )
        self._resource = s3files.CfnAccessPoint(
            self,
            "Resource",
            file_system_id=file_system.file_system_id,
            posix_user=None
            if uid is None or gid is None
            else s3files.CfnAccessPoint.PosixUserProperty(uid=uid, gid=gid),
            root_directory=s3files.CfnAccessPoint.RootDirectoryProperty(path=path, creation_permissions=creation),
        )

    @classmethod
    def from_access_point_arn(
        cls, scope: Construct, construct_id: str, access_point_arn: str
    ) -> S3FilesAccessPointBase:
        """Takes an access point that was made elsewhere; arguments as of `from_access_point_attributes`."""
        return cls.from_access_point_attributes(scope, construct_id, access_point_arn=access_point_arn)

    @classmethod
    def from_access_point_attributes(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        access_point_arn: str,
        file_system: IS3FilesFileSystem | None = None,
    ) -> S3FilesAccessPointBase:
        """Takes an access point that was made elsewhere.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            access_point_arn: Its ARN.
            file_system: Its file system, with the security group that lets clients in.

        Raises:
            HarnessConfigError: It is no ARN of an access point of S3 Files.
        """
        return _Imported(scope, construct_id, access_point_arn, file_system)

    @property
    def access_point_arn(self) -> str:
        """Its ARN."""
        return self._resource.attr_access_point_arn

    @property
    def access_point_id(self) -> str:
        """Its id."""
        return self._resource.attr_access_point_id

    @property
    def file_system_arn(self) -> str:
        """ARN of its file system."""
        return self._file_system.file_system_arn

    @property
    def file_system(self) -> IS3FilesFileSystem:
        """Its file system."""
        return self._file_system


class _Imported(S3FilesAccessPointBase):
    def __init__(self, scope: Construct, construct_id: str, arn: str, file_system: IS3FilesFileSystem | None) -> None:
        super().__init__(scope, construct_id)
        if not is_token(arn) and not _ARN.fullmatch(arn):
            must = "must be the ARN of an S3 Files access point"
            form = "arn:aws:s3files:<region>:<account>:file-system/fs-<id>/access-point/fsap-<id>"
            fault = Fault("access_point_arn", must, received(arn), f"write {form}")
            raise HarnessConfigError([fault], f"The access point {self.node.path}")
        self._arn = arn
        self._file_system = file_system

    @property
    def access_point_arn(self) -> str:
        return self._arn

    @property
    def access_point_id(self) -> str:
        return self._part(1)

    @property
    def file_system_arn(self) -> str:
        return self._part(0)

    @property
    def file_system(self) -> IS3FilesFileSystem | None:
        return self._file_system

    def _part(self, index: int) -> str:
        marker = "/access-point/"
        if marker in self._arn:
            return self._arn.split(marker)[index]
        return cdk.Fn.select(index, cdk.Fn.split(marker, self._arn))


def _check(scope: Construct, path: str, user: tuple[int, int] | None, permissions: str) -> None:
    faults = []
    if not is_token(path) and not (isinstance(path, str) and path.startswith("/")):
        faults.append(Fault("path", "must begin with a slash", received(path), "write it as '/data'"))
    faults += user_faults(user, "user")
    if not (isinstance(permissions, str) and _PERMISSIONS.fullmatch(permissions)):
        fix = "write them as '750'"
        faults.append(Fault("permissions", "must be three or four octal digits", received(permissions), fix))
    if faults:
        raise HarnessConfigError(faults, f"The access point {scope.node.path}")
