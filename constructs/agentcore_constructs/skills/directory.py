"""A folder of this machine as a skill: copied to S3 under a hash of its content."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from agentcore_constructs.functions.packaging import cache
from agentcore_constructs.harness.imported import bucket_of
from agentcore_constructs.harness.wildcards import answer, flattened

from . import messages
from .folder import read
from .store import Place, acknowledge, refuse, store_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from aws_cdk import aws_s3 as s3
    from constructs import IConstruct

    from agentcore_constructs.config import HarnessSkill

    from .folder import Folder

_HASH_CHARACTERS = 16
# The earliest that a zip can say: with the time of now, the same skill would be another asset each time.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_MEMORY = 512
"""MiB of the function that unpacks: with the default of 128 it is slow, and its size decides which of them it is."""


class DirectorySkill(Construct):
    """A skill from a folder, which a harness takes as `skills=[it.skill]`.

    `Skill.from_directory` makes one below the harness; on its own it serves several harnesses, also such that are not
    written with our constructs: `uri` is what they need, and `grant_read` lets their roles read.

    Each content has a prefix of its own: a deployment adds one and leaves the others, which earlier versions of a
    harness still read. They go when this construct leaves the stack.

    Attributes:
        bucket: Where it is.
        content_hash: Of the folder's content.
        prefix: Where all versions are in the bucket.
        skill: The skill, for `Harness(skills=[…])`.
        uri: `s3://…/` of this version.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        directory: str | os.PathLike[str],
        bucket: s3.IBucket | str | None = None,
    ) -> None:
        """Reads, checks and copies the folder.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            directory: The folder with SKILL.md, at most 100 MiB and 2000 files. Its name is the skill's. Files of
                version control, caches of Python and `node_modules` stay behind.
            bucket: Where it goes, or its name or ARN; a bucket of the stack unless given, encrypted and for TLS only.

        Raises:
            HarnessConfigError: It is no skill, as the Agent Skills specification says
                (https://agentskills.io/specification); with every fault, its file and its line.
        """
        super().__init__(scope, construct_id)
        folder = read(directory)
        faults = list(folder.faults)
        own = bucket_of(self, bucket, "bucket", faults)
        refuse(faults, self)
        place = Place(self, own)
        self._place = place
        self.bucket = place.bucket
        self.prefix = place.prefix
        self.content_hash = folder.content_hash
        version = f"{folder.content_hash[:_HASH_CHARACTERS]}/{folder.name}"
        self.uri = f"s3://{place.bucket.bucket_name}/{place.prefix}/{version}/"
        self.skill: HarnessSkill = place.skill(self.uri)
        self._deployment = deployment.BucketDeployment(
            self,
            "Deployment",
            sources=[deployment.Source.asset(str(_zipped(folder, version)), asset_hash=folder.content_hash)],
            destination_bucket=place.bucket,
            destination_key_prefix=place.prefix,
            # Versions stay beside each other until all of them go.
            prune=False,
            retain_on_delete=False,
            memory_limit=_MEMORY,
            log_group=store_of(self).logs,
        )
        # Grants to other buckets may follow.
        answer(self, self._acknowledge)
        if folder.long is not None:
            messages.long_skill(self, str(Path(directory, "SKILL.md")), folder.long)

    @property
    def deployed(self) -> Construct:
        """What a harness waits for, so that the files are there when it is."""
        return self._deployment

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a role read all versions of the skill there have been; a harness' own role needs no call."""
        return self._place.grant_read(grantee)

    def _acknowledge(self) -> None:
        """Gives cdk-nag the reasons for what the CDK's construct is made of; nobody else could change it."""
        function = _function_of(self)
        if function is None:
            return
        basic = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        reason = (
            "The CDK's BucketDeployment grants reading the asset bucket and writing to the bucket of skills this way."
        )
        acknowledge(
            function,
            {
                f"IAM4[Policy::{basic}]": "The CDK's BucketDeployment brings AWS' policy for writing logs.",
                "L1": "The runtime of the CDK's BucketDeployment is chosen by aws-cdk-lib.",
                **dict.fromkeys(_wildcards(function), reason),
            },
        )


def _function_of(scope: Construct) -> IConstruct | None:
    """The one function of the stack that unpacks all skills."""
    return next(
        (
            node
            for node in cdk.Stack.of(scope).node.children
            if node.node.id.startswith("Custom::CDKBucketDeployment") and node.node.id.endswith(f"{_MEMORY}MiB")
        ),
        None,
    )


def _wildcards(function: IConstruct) -> Iterator[str]:
    """What cdk-nag's rule on wildcards finds in the policies of a function's role."""
    stack = cdk.Stack.of(function)
    for policy in (node for node in function.node.find_all() if isinstance(node, iam.Policy)):
        for statement in stack.resolve(policy.document)["Statement"]:
            for kind in ("Action", "Resource"):
                values = statement[kind] if isinstance(statement[kind], list) else [statement[kind]]
                for value in values:
                    if "*" in (written := flattened(value)):
                        yield f"IAM5[{kind}::{written}]"


def _zipped(folder: Folder, version: str) -> Path:
    """Returns the zip that is unpacked below the prefix; made once for each content."""
    archive = cache() / "skills" / f"{folder.content_hash}-{folder.name}.zip"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="zipping-") as scratch:
        fresh = Path(scratch, archive.name)
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
            for path, file in folder.files.items():
                entry = zipfile.ZipInfo(f"{version}/{path}", _MOMENT)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                target.writestr(entry, file.read_bytes())
        fresh.replace(archive)
    return archive
