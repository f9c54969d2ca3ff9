"""Images of harnesses: what is made for them, what is granted, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Annotations, Match
from support import synth
from support.capabilities_image import SOURCE

from agentcore_constructs import BuildSecret, Environment, FileSystem, Harness, HarnessConfigError, HarnessImage
from agentcore_constructs.harness.messages import IMAGE_USER
from agentcore_constructs.image import CodeBuildImage, context

if TYPE_CHECKING:
    from collections.abc import Callable

HARNESS = "AWS::BedrockAgentCore::Harness"
BUILD = "Custom::AgentCoreImageBuild"
HERE = f"{synth.ACCOUNT}.dkr.ecr.{synth.REGION}.amazonaws.com"
ACCESS_POINT = f"arn:aws:elasticfilesystem:{synth.REGION}:{synth.ACCOUNT}:access-point/fsap-0123456789abcdef0"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a build context."""

    def folder(dockerfile: str | None = "FROM python", **files: str) -> Path:
        source = tmp_path / "source"
        source.mkdir()
        if dockerfile is not None:
            (source / "Dockerfile").write_text(dockerfile)
        for name, text in files.items():
            (source / name).write_text(text)
        return source

    return folder


def faults(make: Callable[[], Any]) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        make()
    return [str(fault) for fault in caught.value.faults]


def one(stack: cdk.Stack, resource_type: str) -> dict[str, Any]:
    (found,) = synth.resources(stack, resource_type).values()
    return dict(found["Properties"])


def granted(stack: cdk.Stack, sid: str) -> list[dict[str, Any]]:
    """Statements of that name, wherever they are."""
    template = synth.template_of(stack).to_json()
    documents = [
        resource["Properties"]["PolicyDocument"]
        for resource in template["Resources"].values()
        if "PolicyDocument" in resource.get("Properties", {})
    ]
    return [statement for document in documents for statement in document["Statement"] if statement.get("Sid") == sid]


class TestGiven:
    def test_an_image_in_another_region_is_refused(self, stack: cdk.Stack) -> None:
        uri = f"{synth.ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/agent:1"
        found = faults(lambda: Harness(stack, "Agent", image=HarnessImage.from_uri(uri)))
        assert found == [
            (
                "environmentArtifact.containerConfiguration.containerUri: must be in us-east-1, the Region of the "
                "harness; "
                f"received an image in eu-west-1 ('{uri}'); push it there too, or replicate the repository to that "
                "Region."
            )
        ]

    def test_also_when_it_comes_from_a_file_of_the_api(self, stack: cdk.Stack) -> None:
        container = {"containerUri": f"{synth.ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/agent:1"}
        config = {"environmentArtifact": {"containerConfiguration": container}}
        assert "must be in us-east-1" in faults(lambda: Harness.from_config(stack, "Agent", config))[0]

    @pytest.mark.parametrize("uri", [f"{HERE}/agent:1", "public.ecr.aws/team/agent:1"])
    def test_other_images_are_taken(self, stack: cdk.Stack, uri: str) -> None:
        Harness(stack, "Agent", image=HarnessImage.from_uri(uri))
        container = one(stack, HARNESS)["EnvironmentArtifact"]["ContainerConfiguration"]
        assert container == {"ContainerUri": uri}

    def test_a_stack_for_any_region_cannot_tell(self) -> None:
        stack = synth.new_stack(account=None, region=None)
        Harness(stack, "Agent", image=HarnessImage.from_uri("444455556666.dkr.ecr.eu-west-1.amazonaws.com/agent:1"))
        synth.template_of(stack).resource_count_is(HARNESS, 1)

    @pytest.mark.parametrize("uri", ["docker.io/team/agent:1", "ghcr.io/team/agent", f"{HERE}/Agent:1", ""])
    def test_a_uri_outside_the_services_pattern_is_refused(self, stack: cdk.Stack, uri: str) -> None:
        (fault,) = faults(lambda: Harness(stack, "Agent", image=HarnessImage.from_uri(uri)))
        assert "must be the URI of an image in private ECR" in fault

    @pytest.mark.parametrize("arn_is_written", [True, False])
    def test_a_repository_in_another_region_is_refused(self, stack: cdk.Stack, *, arn_is_written: bool) -> None:
        arn = f"arn:aws:ecr:eu-west-1:{synth.ACCOUNT}:repository/agent"
        there = cdk.Stack(
            cast("cdk.App", stack.node.root), "There", env=cdk.Environment(account=synth.ACCOUNT, region="eu-west-1")
        )
        given: Any = arn if arn_is_written else ecr.Repository(there, "Repository", repository_name="agent")
        (fault,) = faults(lambda: Harness(stack, "Agent", image=HarnessImage.from_ecr(given)))
        assert fault.startswith(
            "environmentArtifact.containerConfiguration.containerUri: must be in us-east-1, the Region of the harness; "
            "received an image in eu-west-1"
        )

    def test_a_repository_may_be_given_by_its_arn(self, stack: cdk.Stack) -> None:
        arn = f"arn:aws:ecr:{synth.REGION}:444455556666:repository/team/agent"
        Harness(stack, "Agent", image=HarnessImage.from_ecr(arn, tag="7"))
        container = one(stack, HARNESS)["EnvironmentArtifact"]["ContainerConfiguration"]
        assert container == {"ContainerUri": f"444455556666.dkr.ecr.{synth.REGION}.amazonaws.com/team/agent:7"}
        (statement,) = granted(stack, "ECRImageAccess")
        assert statement["Resource"] == [arn]

    def test_and_as_an_l1(self, stack: cdk.Stack) -> None:
        repository = ecr.CfnRepository(stack, "Repository")
        Harness(stack, "Agent", image=HarnessImage.from_ecr(repository, tag="7"))
        uri = one(stack, HARNESS)["EnvironmentArtifact"]["ContainerConfiguration"]["ContainerUri"]
        assert uri == {"Fn::Join": ["", [{"Fn::GetAtt": ["Repository", "RepositoryUri"]}, ":7"]]}
        assert [found["Resource"] for found in granted(stack, "ECRImageAccess")] == [
            [{"Fn::GetAtt": ["Repository", "Arn"]}]
        ]

    @pytest.mark.parametrize("given", ["agent", 5, None])
    def test_what_is_no_repository_is_refused(self, stack: cdk.Stack, given: Any) -> None:
        (fault,) = faults(lambda: Harness(stack, "Agent", image=HarnessImage.from_ecr(given)))
        assert "must be in an ECR repository: an object (ecr.IRepository), or its ARN; received" in fault

    @pytest.mark.parametrize("digest", ["sha256:abc", "latest", "sha512:" + "a" * 64])
    def test_a_digest_that_is_none_is_refused(self, stack: cdk.Stack, digest: str) -> None:
        repository = ecr.Repository(stack, "Repository")
        image = HarnessImage.from_ecr(repository, digest=digest)
        (fault,) = faults(lambda: Harness(stack, "Agent", image=image))
        assert "must be chosen by a digest: sha256: and 64 hexadecimal digits" in fault

    @pytest.mark.parametrize("user", [(1, 2, 3), ("root", "root"), (-1, 0), 0, (True, 0), (2**32, 0)])
    def test_a_user_that_is_no_pair_of_numbers_is_refused(self, stack: cdk.Stack, user: Any) -> None:
        image = HarnessImage.from_uri("public.ecr.aws/team/agent:1", user=user)
        (fault,) = faults(lambda: Harness(stack, "Agent", image=image))
        assert "environmentArtifact.containerConfiguration.user: must be the numeric user and group" in fault

    def test_the_harness_learns_the_user(self, stack: cdk.Stack) -> None:
        seen = seen_user(stack, HarnessImage.from_uri("public.ecr.aws/team/agent:1", user=(0, 0)))
        assert seen == (0, 0)

    def test_the_user_is_1000_unless_said(self, stack: cdk.Stack) -> None:
        assert seen_user(stack, HarnessImage.from_uri("public.ecr.aws/team/agent:1")) == (1000, 1000)


def seen_user(stack: cdk.Stack, image: Any) -> tuple[int, int]:
    """The user that values bound after the image see."""
    harness = Harness(stack, "Agent", image=image)
    return harness._host.user


class TestFromAsset:
    def test_the_uri_has_the_hash_of_the_source_for_its_tag(self, stack: cdk.Stack) -> None:
        Harness(stack, "Agent", image=HarnessImage.from_asset(SOURCE))
        uri = one(stack, HARNESS)["EnvironmentArtifact"]["ContainerConfiguration"]["ContainerUri"]
        text = json.dumps(uri)
        assert f"container-assets-{synth.ACCOUNT}-{synth.REGION}:" in text

    def test_the_build_is_for_arm_and_has_its_arguments(self, stack: cdk.Stack) -> None:
        image = HarnessImage.from_asset(
            SOURCE, target="agent", build_args={"PANDAS": "2"}, build_secrets={"index": "env=INDEX"}, extra_hash="x"
        )
        Harness(stack, "Agent", image=image)
        manifest = Path(cdk.App.of(stack).synth().directory) / f"{stack.artifact_id}.assets.json"  # type: ignore[union-attr]
        (built,) = json.loads(manifest.read_text())["dockerImages"].values()
        source = built["source"]
        assert source["platform"] == "linux/arm64"
        assert source["dockerBuildArgs"] == {"PANDAS": "2"}
        assert source["dockerBuildSecrets"] == {"index": "env=INDEX"}
        assert source["dockerBuildTarget"] == "agent"

    def test_pulling_is_granted_on_that_repository_alone(self, stack: cdk.Stack) -> None:
        Harness(stack, "Agent", image=HarnessImage.from_asset(SOURCE))
        (statement,) = granted(stack, "ECRImageAccess")
        name = f"repository/cdk-hnb659fds-container-assets-{synth.ACCOUNT}-{synth.REGION}"
        assert name in json.dumps(statement["Resource"])
        assert "*" not in json.dumps(statement["Resource"])

    def test_in_a_vpc_the_services_own_image_as_well(self, stack: cdk.Stack) -> None:
        environment = Environment.vpc(subnets=["subnet-0123456789abcdef0"], security_groups=["sg-0123456789abcdef0"])
        Harness(stack, "Agent", image=HarnessImage.from_asset(SOURCE), environment=environment)
        (managed,) = granted(stack, "EcrManagedImagePull")
        assert f"repository/harness-{synth.REGION}" in json.dumps(managed["Resource"])
        assert len(granted(stack, "ECRImageAccess")) == 1

    def test_what_only_the_deployment_knows_is_refused(self, stack: cdk.Stack) -> None:
        image = HarnessImage.from_asset(SOURCE, build_args={"WHERE": cdk.Aws.REGION})
        assert faults(lambda: Harness(stack, "Agent", image=image)) == [
            (
                "environmentArtifact.buildArgs['WHERE']: must be known when the app is synthesized, since the image is "
                "built before the deployment; received a value that only the deployment knows; write it out, or use "
                "from_codebuild."
            )
        ]

    @pytest.mark.parametrize("place", ["hunter2", {"id": "x"}, 5])
    def test_a_secret_that_is_in_no_place_of_the_machine_is_refused(self, place: Any) -> None:
        image = HarnessImage.from_asset(SOURCE, build_secrets={"index": place})
        (fault,) = faults(lambda: Harness(synth.new_stack(), "Agent", image=image))
        assert "buildSecrets['index']: must say where the deploying machine has the secret" in fault
        assert "hunter2" not in fault

    def test_the_user_is_read_from_the_dockerfile(self, stack: cdk.Stack) -> None:
        assert seen_user(stack, HarnessImage.from_asset(SOURCE)) == (1001, 1001)

    def test_the_user_that_is_given_wins(self, stack: cdk.Stack) -> None:
        assert seen_user(stack, HarnessImage.from_asset(SOURCE, user=(5, 6))) == (5, 6)


@pytest.mark.parametrize("build", [HarnessImage.from_asset, HarnessImage.from_codebuild], ids=["asset", "codebuild"])
def test_a_file_system_that_is_made_belongs_to_the_user_of_the_image(stack: cdk.Stack, build: Any) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    mounts = [FileSystem.efs(mount_path="/mnt/shared")]
    Harness(stack, "Agent", image=build(SOURCE), environment=Environment.vpc(vpc), filesystems=mounts)
    assert one(stack, "AWS::EFS::AccessPoint")["PosixUser"] == {"Uid": "1001", "Gid": "1001"}
    assert len(granted(stack, "ECRImageAccess")) == len(granted(stack, "EcrManagedImagePull")) == 1


class TestUserByName:
    def test_a_warning_where_file_systems_are_mounted(self, stack: cdk.Stack, folder: Callable[..., Path]) -> None:
        mounts = [FileSystem.efs(ACCESS_POINT, "/mnt/shared")]
        environment = Environment.vpc(subnets=["subnet-0123456789abcdef0"], security_groups=["sg-0123456789abcdef0"])
        source = folder("FROM python\nUSER agent")
        image = HarnessImage.from_asset(source)
        Harness(stack, "Agent", image=image, environment=environment, filesystems=mounts)
        text = "The Dockerfile ends with USER agent, and only the image knows the number of that user."
        Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp(f".*{text}.*{IMAGE_USER}.*"))

    def test_none_where_there_are_none(self, stack: cdk.Stack, folder: Callable[..., Path]) -> None:
        Harness(stack, "Agent", image=HarnessImage.from_asset(folder("FROM python\nUSER agent")))
        warnings = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp(".*USER agent.*"))
        assert warnings == []


BUILDERS = (HarnessImage.from_asset, HarnessImage.from_codebuild)


@pytest.mark.parametrize("build", BUILDERS, ids=["asset", "codebuild"])
class TestRefused:
    """What neither way of building takes."""

    def refused(self, build: Any, source: Path, **arguments: Any) -> list[str]:
        image = build(source, **arguments)
        return faults(lambda: Harness(synth.new_stack(), "Agent", image=image))

    def test_no_folder(self, build: Any, tmp_path: Path) -> None:
        missing = tmp_path / "missing"
        assert self.refused(build, missing) == [
            (
                "environmentArtifact.directory: must be a folder that exists: the build context, with a Dockerfile; "
                f"received '{missing}', a path where nothing is; write the path of the folder."
            )
        ]

    @pytest.mark.parametrize("directory", [5, None])
    def test_no_path(self, build: Any, directory: Any) -> None:
        (fault,) = self.refused(build, directory)
        assert "directory: must be the path of a folder" in fault

    def test_a_file_in_its_place(self, build: Any, folder: Callable[..., Path]) -> None:
        (fault,) = self.refused(build, folder() / "Dockerfile")
        assert "the path of a file" in fault

    def test_no_dockerfile(self, build: Any, folder: Callable[..., Path]) -> None:
        source = folder(None)
        assert self.refused(build, source) == [
            (
                f"environmentArtifact.directory: must hold the Dockerfile; received '{source}', where there is none "
                "named 'Dockerfile'; add one, or name it with file=."
            )
        ]

    @pytest.mark.parametrize("file", ["../Dockerfile", "/etc/hostname"])
    def test_a_dockerfile_outside(self, build: Any, folder: Callable[..., Path], file: str) -> None:
        assert self.refused(build, folder(), file=file) == [
            (
                f"environmentArtifact.file: must be a path within the directory; received '{file}'; move it there, or "
                "choose the folder that holds both."
            )
        ]

    def test_a_dockerfile_without_from(self, build: Any, folder: Callable[..., Path]) -> None:
        source = folder("RUN true")
        assert self.refused(build, source) == [
            (
                f"environmentArtifact.file: must be a Dockerfile with FROM; received '{source / 'Dockerfile'}'; begin "
                "it with FROM <image>."
            )
        ]

    def test_a_stage_there_is_not(self, build: Any, folder: Callable[..., Path]) -> None:
        source = folder("FROM a AS one\nFROM b AS two")
        assert self.refused(build, source, target="three") == [
            (
                "environmentArtifact.target: must name a stage of the Dockerfile; received 'three'; choose one "
                "of the stages there are: 'one', 'two'."
            )
        ]

    @pytest.mark.parametrize("platform", [assets.Platform.LINUX_AMD64, "linux/amd64"])
    def test_another_platform(self, build: Any, folder: Callable[..., Path], platform: Any) -> None:
        assert self.refused(build, folder(), platform=platform) == [
            (
                "environmentArtifact.platform: must be linux/arm64, the one architecture of harnesses; received "
                "'linux/amd64' (11 characters); leave platform out: the image is built for linux/arm64."
            )
        ]

    @pytest.mark.parametrize(
        "dockerfile",
        [
            "FROM --platform=linux/amd64 python",
            "FROM --platform=linux/amd64 python AS base\nFROM base",
            "ARG WHERE=linux/amd64\nFROM --platform=$WHERE python",
        ],
    )
    def test_a_stage_for_another_platform(self, build: Any, folder: Callable[..., Path], dockerfile: str) -> None:
        (fault,) = self.refused(build, folder(dockerfile))
        assert "environmentArtifact.file: must make an image for linux/arm64" in fault
        assert "received linux/amd64 in line " in fault

    def test_a_context_beyond_the_limit(
        self, build: Any, folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(context, "MAX_CONTEXT", 100)
        (fault,) = self.refused(build, folder(data="x" * 101))
        assert "environmentArtifact.directory: must hold at most" in fault
        assert "exclude what the image does not need" in fault

    def test_what_is_excluded_does_not_count(
        self, build: Any, folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(context, "MAX_CONTEXT", 100)
        source = folder(data="x" * 101, log="x" * 101)
        (source / ".dockerignore").write_text("log\n")
        Harness(synth.new_stack(), "Agent", image=build(source, exclude=["data"]))

    @pytest.mark.parametrize("in_a_stage", [False, True])
    def test_but_what_the_app_writes_into_it_is_left_out(
        self, build: Any, folder: Callable[..., Path], in_a_stage: bool
    ) -> None:
        source = folder(kept="x")
        app = cdk.App(context=synth.CONTEXT, outdir=str(source / "cdk.out"))
        stack = cdk.Stack(cdk.Stage(app, "Beta") if in_a_stage else app, "Stack")
        Harness(stack, "Agent", image=build(source))
        staged = {file.relative_to(source / "cdk.out").parts[1:] for file in (source / "cdk.out").glob("asset.*/*")}
        assert {("Dockerfile",), ("kept",)} <= staged
        assert ("cdk.out",) not in staged

    def test_all_faults_at_once(self, build: Any, tmp_path: Path) -> None:
        found = self.refused(build, tmp_path / "missing", platform="x", user=(1,), build_args={"A": 1})
        assert len(found) == 4


class TestFromCodeBuild:
    def test_the_harness_gets_the_digest(self, stack: cdk.Stack) -> None:
        Harness(stack, "Agent", image=HarnessImage.from_codebuild(SOURCE))
        uri = one(stack, HARNESS)["EnvironmentArtifact"]["ContainerConfiguration"]["ContainerUri"]
        (build,) = synth.resources(stack, BUILD)
        assert uri["Fn::Join"][1][-2:] == ["@", {"Fn::GetAtt": [build, "Digest"]}]

    def test_pulling_is_granted_on_that_repository_alone(self, stack: cdk.Stack) -> None:
        Harness(stack, "Agent", image=HarnessImage.from_codebuild(SOURCE))
        (repository,) = synth.resources(stack, "AWS::ECR::Repository")
        (statement,) = granted(stack, "ECRImageAccess")
        assert statement["Resource"] == [{"Fn::GetAtt": [repository, "Arn"]}]

    def test_the_user_is_read_from_the_dockerfile(self, stack: cdk.Stack) -> None:
        assert seen_user(stack, HarnessImage.from_codebuild(SOURCE)) == (1001, 1001)

    def test_stages_that_run_on_another_platform_are_refused(self, folder: Callable[..., Path]) -> None:
        source = folder("FROM --platform=linux/amd64 golang AS build\nRUN make\nFROM python\nCOPY --from=build a b")
        image = HarnessImage.from_codebuild(source)
        (fault,) = faults(lambda: Harness(synth.new_stack(), "Agent", image=image))
        assert "must run commands on linux/arm64 alone, which the build runs on" in fault
        assert "write FROM --platform=$BUILDPLATFORM" in fault

    def test_with_docker_such_stages_are_for_the_machine_that_builds(self, folder: Callable[..., Path]) -> None:
        source = folder("FROM --platform=linux/amd64 golang AS build\nRUN make\nFROM python\nCOPY --from=build a b")
        Harness(synth.new_stack(), "Agent", image=HarnessImage.from_asset(source))

    def test_stages_that_are_only_copied_from_are_taken(self, folder: Callable[..., Path]) -> None:
        source = folder("FROM --platform=linux/amd64 data AS data\nFROM python\nCOPY --from=data a b")
        Harness(synth.new_stack(), "Agent", image=HarnessImage.from_codebuild(source))


@pytest.fixture(scope="module")
def built() -> tuple[cdk.Stack, CodeBuildImage]:
    stack = synth.new_stack()
    secret = secretsmanager.Secret.from_secret_complete_arn(
        stack, "Secret", f"arn:aws:secretsmanager:us-east-1:{synth.ACCOUNT}:secret:index-AbCdEf"
    )
    image = CodeBuildImage(
        stack,
        "Image",
        directory=SOURCE,
        target="agent",
        build_args={"PANDAS": "$(rm -rf /)", "WHERE": cdk.Aws.REGION},
        build_secrets={"index": BuildSecret(secret, "url"), "whole": secret},
        base_repositories=[ecr.Repository.from_repository_name(stack, "Base", "base")],
        timeout=cdk.Duration.minutes(20),
        compute_type=codebuild.ComputeType.LARGE,
    )
    synth.template_of(stack)
    return stack, image


class TestCodeBuildImage:
    def test_project(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        project = one(built[0], "AWS::CodeBuild::Project")
        environment = project["Environment"]
        assert environment["Type"] == "ARM_CONTAINER"
        assert environment["PrivilegedMode"] is True
        assert environment["ComputeType"] == "BUILD_GENERAL1_LARGE"
        assert project["TimeoutInMinutes"] == 20
        assert project["Source"]["Type"] == "S3"
        assert project["LogsConfig"]["CloudWatchLogs"]["Status"] == "ENABLED"

    def test_no_value_is_part_of_a_command(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        project = one(built[0], "AWS::CodeBuild::Project")
        spec = project["Source"]["BuildSpec"]
        assert "rm -rf" not in spec
        variables = {one["Name"]: (one["Type"], one["Value"]) for one in project["Environment"]["EnvironmentVariables"]}
        assert variables["BUILD_ARG_0"] == ("PLAINTEXT", "PANDAS=$(rm -rf /)")
        (_, build) = json.loads(spec)["phases"].values()
        assert '--build-arg "$BUILD_ARG_0" --build-arg "$BUILD_ARG_1"' in build["commands"][0]
        assert variables["DOCKER_TARGET"] == ("PLAINTEXT", "agent")

    def test_a_secret_and_its_key_in_another_stack(self) -> None:
        """The key's policy would name the role of the build, and its stack would depend on the build's: a cycle."""
        stack = synth.new_stack()
        other = cdk.Stack(stack.node.root, "Other", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))  # type: ignore[arg-type]
        key = kms.Key(other, "Key")
        secret = secretsmanager.Secret(other, "Secret", encryption_key=key)
        stack.add_dependency(other)
        CodeBuildImage(stack, "Image", directory=SOURCE, build_secrets={"index": secret})

        policies = synth.resources(stack, "AWS::IAM::Policy").values()
        written = [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]
        (read,) = (one for one in written if one["Action"] == "secretsmanager:GetSecretValue")
        assert read["Resource"] == stack.resolve(secret.secret_arn)
        (use,) = (one for one in written if one["Action"] == "kms:Decrypt")
        assert use["Resource"] == stack.resolve(key.key_arn)
        via = f"secretsmanager.{synth.REGION}.amazonaws.com"
        assert use["Condition"] == {"StringEquals": {"kms:ViaService": via}}

    def test_secrets_are_references(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        project = one(built[0], "AWS::CodeBuild::Project")
        variables = {one["Name"]: (one["Type"], one["Value"]) for one in project["Environment"]["EnvironmentVariables"]}
        arn = f"arn:aws:secretsmanager:us-east-1:{synth.ACCOUNT}:secret:index-AbCdEf"
        assert variables["BUILD_SECRET_0"] == ("SECRETS_MANAGER", f"{arn}:url")
        assert variables["BUILD_SECRET_1"] == ("SECRETS_MANAGER", arn)
        assert (
            "--secret id=index,env=BUILD_SECRET_0 --secret id=whole,env=BUILD_SECRET_1"
            in project["Source"]["BuildSpec"]
        )

    def test_repository(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        repository = one(built[0], "AWS::ECR::Repository")
        rule = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"][0]
        assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert repository["EncryptionConfiguration"] == {"EncryptionType": "KMS"}
        assert repository["ImageTagMutability"] == "IMMUTABLE"
        assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 100}

    def test_the_projects_role_pushes_to_that_repository_alone(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        stack, _ = built
        (repository,) = synth.resources(stack, "AWS::ECR::Repository")
        assert granted(stack, "Push")[0]["Resource"] == {"Fn::GetAtt": [repository, "Arn"]}
        assert granted(stack, "Registry")[0]["Action"] == "ecr:GetAuthorizationToken"
        assert "repository/base" in json.dumps(granted(stack, "BaseImages")[0]["Resource"])
        assert ".zip" in json.dumps(granted(stack, "Source")[0]["Resource"])

    def test_nothing_but_a_token_is_granted_on_everything(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        stack, image = built
        name = stack.get_logical_id(image.project.role.node.default_child)  # type: ignore[union-attr,arg-type]
        for policy in synth.resources(stack, "AWS::IAM::Policy").values():
            if policy["Properties"]["Roles"] != [{"Ref": name}]:
                continue
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                assert statement["Resource"] != "*" or statement["Action"] == "ecr:GetAuthorizationToken"

    def test_the_build_follows_the_projects_policy(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        stack, _ = built
        (build,) = synth.resources(stack, BUILD).values()
        policies = set(synth.resources(stack, "AWS::IAM::Policy"))
        assert any("ImageRoleDefaultPolicy" in name for name in policies & set(build["DependsOn"]))

    def test_all_that_makes_the_image_is_among_its_inputs(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        inputs = one(built[0], BUILD)["Inputs"]
        assert inputs["Arguments"] == {"PANDAS": "$(rm -rf /)", "WHERE": {"Ref": "AWS::Region"}}
        assert inputs["Target"] == "agent"
        assert set(inputs) == {"Source", "File", "Target", "Arguments", "Secrets", "Extra", "Commands"}

    def test_attributes(self, built: tuple[cdk.Stack, CodeBuildImage]) -> None:
        stack, image = built
        (build,) = synth.resources(stack, BUILD)
        assert stack.resolve(image.digest) == {"Fn::GetAtt": [build, "Digest"]}
        assert stack.resolve(image.tag) == {"Fn::GetAtt": [build, "Tag"]}
        assert json.dumps(stack.resolve(image.image_uri)).endswith(f'"@", {{"Fn::GetAtt": ["{build}", "Digest"]}}]]}}')
        assert image.node.default_child.node.path == f"{image.project.node.path}/Resource"
        assert image.user == (1001, 1001)

    def test_a_repository_that_is_given(self, stack: cdk.Stack) -> None:
        repository = ecr.Repository(stack, "Mine")
        image = CodeBuildImage(stack, "Image", directory=SOURCE, repository=repository)
        assert image.repository is repository
        synth.template_of(stack).resource_count_is("AWS::ECR::Repository", 1)

    def test_a_key_that_is_given(self, stack: cdk.Stack) -> None:
        CodeBuildImage(stack, "Image", directory=SOURCE, encryption_key=kms.Key(stack, "Key"))
        assert "KmsKey" in one(stack, "AWS::ECR::Repository")["EncryptionConfiguration"]

    def test_the_source_leaves_out_what_docker_ignores(self, stack: cdk.Stack, folder: Callable[..., Path]) -> None:
        source = folder("FROM python", note="x", kept="y")
        (source / ".dockerignore").write_text("note\nDockerfile\n")
        image = CodeBuildImage(stack, "Image", directory=source)
        asset: Any = image.node.find_child("Source")
        staged = context.staged_path(asset)
        assert {file.name for file in staged.iterdir()} == {"Dockerfile", ".dockerignore", "kept"}


class TestCodeBuildImageRefused:
    def refused(self, **arguments: Any) -> list[str]:
        return faults(lambda: CodeBuildImage(synth.new_stack(), "Image", directory=SOURCE, **arguments))

    def test_the_subject_is_the_construct(self) -> None:
        with pytest.raises(HarnessConfigError, match="The image Agents/Image has 1 fault:"):
            CodeBuildImage(synth.new_stack(), "Image", directory="missing")

    @pytest.mark.parametrize("minutes", [4, 51])
    def test_a_timeout_out_of_range(self, minutes: int) -> None:
        assert self.refused(timeout=cdk.Duration.minutes(minutes)) == [
            (
                f"timeout: must be a whole number of minutes, 5–50; received {minutes} minutes; choose a time in that "
                "range, or make the build shorter."
            )
        ]

    @pytest.mark.parametrize("minutes", [5, 50])
    def test_a_timeout_in_range(self, minutes: int) -> None:
        CodeBuildImage(synth.new_stack(), "Image", directory=SOURCE, timeout=cdk.Duration.minutes(minutes))

    def test_no_image_is_kept(self) -> None:
        (fault,) = self.refused(max_images=0)
        assert fault.startswith("maxImages: must be a whole number of at least 1; received 0")

    def test_what_is_made_elsewhere_may_be_given_by_its_arn(self, stack: cdk.Stack) -> None:
        key = f"arn:aws:kms:{synth.REGION}:{synth.ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
        arns = [f"arn:aws:ecr:{synth.REGION}:{synth.ACCOUNT}:repository/{name}" for name in ("base", "images")]
        CodeBuildImage(stack, "Keyed", directory=SOURCE, encryption_key=key, base_repositories=arns[:1])
        CodeBuildImage(stack, "Given", directory=SOURCE, repository=arns[1])
        assert one(stack, "AWS::ECR::Repository")["EncryptionConfiguration"]["KmsKey"] == key
        assert [found["Resource"] for found in granted(stack, "BaseImages")] == [arns[0]]
        assert arns[1] in [found["Resource"] for found in granted(stack, "Push")]

    def test_repositories_in_another_region_are_refused(self) -> None:
        stack = synth.new_stack()
        far = ecr.Repository.from_repository_arn(stack, "Far", f"arn:aws:ecr:eu-west-1:{synth.ACCOUNT}:repository/far")
        found = faults(
            lambda: CodeBuildImage(stack, "Image", directory=SOURCE, repository=far, base_repositories=[far])
        )
        assert [text.partition(";")[0] for text in found] == [
            "repository: must be in us-east-1, the Region of the stack",
            "baseRepositories[0]: must be in us-east-1, the Region of the stack",
        ]
        image = HarnessImage.from_codebuild(SOURCE, repository=far)
        (fault,) = faults(lambda: Harness(synth.new_stack(), "Agent", image=image))
        assert fault.startswith("environmentArtifact.repository: must be in us-east-1")

    def test_what_is_none_of_it_is_refused(self) -> None:
        given: Any = {"repository": "images", "encryption_key": "alias/x", "base_repositories": [5], "max_images": "3"}
        found = faults(lambda: CodeBuildImage(synth.new_stack(), "Image", directory=SOURCE, exclude="*.log", **given))
        assert [text.partition(";")[0] for text in found] == [
            "exclude: must be a list of patterns",
            (
                "repository: must be an ECR repository (ecr.IRepository) or its ARN "
                "(arn:aws:ecr:<region>:<account>:repository/<name>)"
            ),
            (
                "encryptionKey: must be a KMS key (kms.IKey) or its ARN (arn:aws:kms:<region>:<account>:key/<id>, not "
                "an alias)"
            ),
            (
                "baseRepositories[0]: must be an ECR repository (ecr.IRepository) or its ARN "
                "(arn:aws:ecr:<region>:<account>:repository/<name>)"
            ),
            "encryptionKey: must be left out when the repository is given",
            "maxImages: must be a whole number of at least 1",
        ]

    def test_a_key_for_a_repository_that_is_given(self) -> None:
        stack = synth.new_stack()
        repository, key = ecr.Repository(stack, "Mine"), kms.Key(stack, "Key")
        make = lambda: CodeBuildImage(stack, "Image", directory=SOURCE, repository=repository, encryption_key=key)  # noqa: E731
        (fault,) = faults(make)
        assert fault.startswith("encryptionKey: must be left out when the repository is given; received both")

    def test_names_that_would_be_shell(self) -> None:
        secret = secretsmanager.Secret(synth.new_stack(), "Secret")
        found = self.refused(build_args={"A B": "x"}, build_secrets={"x;y": secret})
        assert [fault.partition(";")[0] for fault in found] == [
            "buildArgs['A B']: must be named with letters, digits and '_', as an ARG",
            "buildSecrets['x",
        ]

    def test_an_argument_that_would_become_a_secret_in_plain_text(self) -> None:
        stack = synth.new_stack()
        token = secretsmanager.Secret(stack, "Secret").secret_value.unsafe_unwrap()
        with pytest.raises(HarnessConfigError) as caught:
            CodeBuildImage(stack, "Image", directory=SOURCE, build_args={"TOKEN": token, "REGION": stack.region})
        assert [str(fault) for fault in caught.value.faults] == [
            (
                "buildArgs['TOKEN']: must be no secret, since build arguments are plain text; received a reference to "
                "a secret; pass the secret itself: build_secrets={'token': secret}."
            )
        ]

    def test_a_secret_in_plain_text(self) -> None:
        (fault,) = self.refused(build_secrets={"index": "hunter2"})
        assert "must be a secret of Secrets Manager (ISecret)" in fault
        assert "hunter2" not in fault
