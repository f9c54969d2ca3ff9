"""Images that AWS CodeBuild builds, for machines without Docker and without ARM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from agentcore_constructs.config import Fault, HarnessConfigError, HarnessImage
from agentcore_constructs.config.cdk import seconds
from agentcore_constructs.config.image import BuildSecret, ImageSource
from agentcore_constructs.credentials.secrets import own, read_statements
from agentcore_constructs.custom_resources import CustomResource
from agentcore_constructs.harness.imported import key_of, repository_of

from . import context
from .buildspec import VERSION, buildspec, secret_reference, variables
from .refusals import build_faults, checked, repository_faults, secret_faults
from .taken import take_user

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager

    from agentcore_constructs.config import HarnessEnvironmentArtifact, Host
    from agentcore_constructs.config.image import CodeBuildSource

_TIMEOUT_MINUTES = 30
_QUEUED = cdk.Duration.minutes(5)
_MOST_IMAGES = 100
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


class CodeBuildImage(Construct):
    """A linux/arm64 image, built from a folder during deployment: S3 → CodeBuild on ARM → ECR.

    It deploys as soon as the build has ended, within an hour. A failing build fails the deployment with the end of its
    log, and CloudFormation rolls back to the image there was. A source that has been built is not built again, also
    when a deployment is repeated or rolled back.

    Good for any app: nothing here knows of harnesses.

    Attributes:
        repository: Where images go; scanned on push, encrypted, each tag taken once, and the oldest images expire, when
            it is made here.
        project: The CodeBuild project.
        log_group: What builds say; for a month.
        digest: Of the image: `sha256:…`, known at deployment.
        tag: Of the image: the hash of its source, known at deployment.
        image_uri: `<repository>@sha256:…`: always this very image.
        user: Numeric user and group processes run as, as far as the Dockerfile says.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        directory: str | Path,
        file: str = "Dockerfile",
        target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        build_secrets: Mapping[str, BuildSecret | secretsmanager.ISecret] | None = None,
        exclude: Sequence[str] = (),
        extra_hash: str | None = None,
        base_repositories: Sequence[ecr.IRepository | str] = (),
        repository: ecr.IRepository | str | None = None,
        encryption_key: kms.IKey | str | None = None,
        max_images: int = _MOST_IMAGES,
        compute_type: codebuild.ComputeType | None = None,
        timeout: cdk.Duration | None = None,
        platform: Any = None,
        user: tuple[int, int] | None = None,
    ) -> None:
        """Makes the project, the repository and the build.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            directory: The build context, at most 2 GB without what is excluded.
            file: The Dockerfile, within the directory.
            target: The stage to build; the last one unless given.
            build_args: `ARG`s of the Dockerfile; in the template in plain text, so no place for secrets.
            build_secrets: For `RUN --mount=type=secret,id=<name>`: a secret of Secrets Manager each, or a
                `BuildSecret` that names a field of one.
            exclude: Patterns of files to leave out, in addition to those of `.dockerignore`.
            extra_hash: Anything; another value builds again although the source is unchanged.
            base_repositories: Private repositories of this Region that `FROM` reads, or their ARNs.
            repository: Where the image goes, in this Region, or its ARN; one is made unless given.
            encryption_key: Of the repository that is made, or its ARN; the key of ECR unless given.
            max_images: How many the repository that is made keeps, at least 1; older ones expire. Versions of a harness
                that are still in use need theirs.
            compute_type: SMALL unless given.
            timeout: Of the build, 5–50 minutes; 30 unless given.
            platform: Linux/arm64, which is built anyway; any other is refused.
            user: Numeric user and group processes run as; read from the Dockerfile unless given.

        Raises:
            HarnessConfigError: It cannot be built; with every fault that can be known before.
        """
        super().__init__(scope, construct_id)
        source = ImageSource(directory, file, target, build_args or {}, exclude, platform, user, extra_hash)
        secrets = {name: _secret(given) for name, given in (build_secrets or {}).items()}
        minutes = _TIMEOUT_MINUTES if timeout is None else seconds(timeout) / 60
        faults: list[Fault] = []
        target_repository = repository_of(self, repository, "repository", faults)
        key = key_of(self, encryption_key, "encryptionKey", faults)
        bases = [
            repository_of(self, one, f"baseRepositories[{number}]", faults, f"GivenBase{number}")
            for number, one in enumerate(base_repositories)
        ]
        try:
            read = checked(
                source,
                [
                    *build_faults(source, secrets, minutes),
                    *secret_faults(cdk.Stack.of(self).resolve(dict(source.build_args))),
                    *faults,
                    *repository_faults(repository, encryption_key, max_images),
                ],
            )
        except HarnessConfigError as error:
            raise error.about(f"The image {self.node.path}") from None
        asset = self._asset(read)
        self.user = read.user
        self.written_user = read.written_user
        self.repository: ecr.IRepository = target_repository or self._repository(key, max_images)
        self.log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        references = {name: secret_reference(one.secret.secret_arn, one) for name, one in secrets.items()}
        role = self._role(asset, secrets, bases)
        self.project = codebuild.Project(
            self,
            "Project",
            description="Builds a linux/arm64 image from a folder.",
            # The role has its statements already, narrower than those the project would add.
            role=role.without_policy_updates(),
            source=codebuild.Source.s3(bucket=asset.bucket, path=asset.s3_object_key),
            build_spec=codebuild.BuildSpec.from_object(
                buildspec(arguments=len(source.build_args), secrets=list(secrets), target=target is not None)
            ),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0,
                compute_type=compute_type or codebuild.ComputeType.SMALL,
                privileged=True,
            ),
            environment_variables={
                name: codebuild.BuildEnvironmentVariable(value=value, type=codebuild.BuildEnvironmentVariableType[kind])
                for name, (kind, value) in variables(
                    repository_name=self.repository.repository_name,
                    repository_uri=self.repository.repository_uri,
                    file=read.file,
                    target=target,
                    arguments=source.build_args,
                    secrets=references,
                ).items()
            },
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self.log_group)),
            grant_report_group_permissions=False,
            timeout=cdk.Duration.minutes(minutes),
            queued_timeout=_QUEUED,
        )
        self._build = CustomResource(
            self,
            "Build",
            kind="ImageBuild",
            properties={
                "Project": self.project.project_name,
                "RepositoryName": self.repository.repository_name,
                "RepositoryUri": self.repository.repository_uri,
                "Inputs": {
                    "Source": asset.asset_hash,
                    "File": read.file,
                    "Target": target or "",
                    "Arguments": dict(source.build_args),
                    "Secrets": references,
                    "Extra": extra_hash or "",
                    "Commands": VERSION,
                },
            },
            statements=self._statements(),
        )
        # Without its policy a build that has just been started is refused its source.
        self._build.node.add_dependency(role, self.project)
        self.node.default_child = self.project.node.default_child
        self._answer_nag(role)

    @property
    def digest(self) -> str:
        """Digest of the image."""
        return self._build.get_att_string("Digest")

    @property
    def tag(self) -> str:
        """Tag of the image."""
        return self._build.get_att_string("Tag")

    @property
    def image_uri(self) -> str:
        """URI of the image, by its digest."""
        return f"{self.repository.repository_uri}@{self.digest}"

    def grant_pull(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody pull images of the repository."""
        return self.repository.grant_pull(grantee)

    # ---- making ------------------------------------------------------------------------------------------------------

    def _asset(self, read: context.Context) -> s3_assets.Asset:
        exclude = [*read.exclude, *context.output_within(self, read.directory)]
        asset = s3_assets.Asset(
            self, "Source", path=str(read.directory), exclude=exclude, ignore_mode=cdk.IgnoreMode.DOCKER
        )
        if fault := context.size_fault(context.staged_path(asset)):
            raise HarnessConfigError([fault], f"The image {self.node.path}")
        return asset

    def _repository(self, key: kms.IKey | None, most: int) -> ecr.Repository:
        return ecr.Repository(
            self,
            "Repository",
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=key,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[ecr.LifecycleRule(description=f"Keeps the newest {most} images.", max_image_count=most)],
            # What is in it can be built again.
            empty_on_delete=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _role(
        self, asset: s3_assets.Asset, secrets: Mapping[str, BuildSecret], bases: Sequence[ecr.IRepository]
    ) -> iam.Role:
        stack = cdk.Stack.of(self)
        principal = iam.ServicePrincipal(
            "codebuild.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
        )
        role = iam.Role(self, "Role", assumed_by=principal, description="Builds one image and pushes it.")
        bucket = asset.bucket.bucket_arn
        granted = [
            ("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), [self.log_group.log_group_arn]),
            ("Source", ("s3:GetObject", "s3:GetObjectVersion"), [f"{bucket}/{asset.s3_object_key}"]),
            ("SourceBucket", ("s3:GetBucketAcl", "s3:GetBucketLocation"), [bucket]),
            ("Push", _PUSH, [self.repository.repository_arn]),
            # The action has no resource type.
            ("Registry", ("ecr:GetAuthorizationToken",), ["*"]),
        ]
        if bases:
            granted.append(("BaseImages", _PULL, [base.repository_arn for base in bases]))
        for sid, actions, resources in granted:
            role.add_to_policy(iam.PolicyStatement(sid=sid, actions=list(actions), resources=resources))
        for one in secrets.values():
            given: Any = one.secret
            for statement in read_statements(own(given), stack.region):
                role.add_to_policy(statement)
        return role

    def _statements(self) -> list[iam.PolicyStatement]:
        """What the function needs that starts the build and waits for it."""
        build = ("codebuild:BatchGetBuilds", "codebuild:ListBuildsForProject", "codebuild:StartBuild")
        granted = (
            ("Build", (*build, "codebuild:StopBuild"), self.project.project_arn),
            ("Image", ("ecr:DescribeImages",), self.repository.repository_arn),
            ("BuildLog", ("logs:GetLogEvents",), self.log_group.log_group_arn),
        )
        return [
            iam.PolicyStatement(sid=sid, actions=list(actions), resources=[resource])
            for sid, actions, resource in granted
        ]

    def _answer_nag(self, role: iam.Role) -> None:
        rule = "AwsSolutions::AwsSolutions-"
        cdk.Validations.of(role).acknowledge(
            cdk.Acknowledgment(
                id=f"{rule}IAM5[Resource::*]", reason="ecr:GetAuthorizationToken has no resources to name."
            )
        )
        docker = "Docker builds images only in privileged mode; the project builds nothing else."
        nothing = "The key is that of artifacts, and there are none: the image is encrypted with the repository's key."
        cdk.Validations.of(self.project).acknowledge(
            cdk.Acknowledgment(id=f"{rule}CB3", reason=docker), cdk.Acknowledgment(id=f"{rule}CB4", reason=nothing)
        )


def made(host: Host, wanted: CodeBuildSource) -> HarnessEnvironmentArtifact:
    """Makes the build below a harness.

    Raises:
        HarnessConfigError: It cannot be built; with every fault that can be known before.
    """
    # What stands in a configuration is typed without the CDK; it is checked there.
    given: Any = wanted
    source = wanted.source
    image = CodeBuildImage(
        host.scope,
        "Image",
        directory=source.directory,
        file=source.file,
        target=source.target,
        build_args=source.build_args,
        build_secrets=given.build_secrets,
        exclude=source.exclude,
        extra_hash=source.extra_hash,
        base_repositories=wanted.base_repositories,
        repository=wanted.repository,
        encryption_key=wanted.encryption_key,
        compute_type=wanted.compute_type,
        timeout=given.timeout,
        platform=source.platform,
        user=source.user,
    )
    take_user(host, image.user, image.written_user)
    return HarnessImage.from_ecr(image.repository, digest=image.digest)


def _secret(given: Any) -> BuildSecret:
    return given if isinstance(given, BuildSecret) else BuildSecret(given)
