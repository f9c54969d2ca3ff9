"""CodeBuild on the local cloud, through its API: nothing is run, everything that can be checked is."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks

if TYPE_CHECKING:
    from agentcore_local import Account

BUILDSPEC = {
    "version": 0.2,
    "phases": {
        "pre_build": {"commands": ["aws ecr get-login-password | docker login --password-stdin $REGISTRY"]},
        "build": {
            "commands": [
                'docker build --build-arg "$ARGUMENT" --secret id=index,env=INDEX -t "$REPOSITORY:$TAG" .',
                'docker push "$REPOSITORY:$TAG"',
            ]
        },
    },
}
SOURCE = {"Dockerfile": "FROM a\nCOPY x /x\nRUN make", "x": "1"}


class Project:
    """A project with a role, a source in S3 and a repository."""

    def __init__(self, account: Account, policy: dict[str, Any] = stacks.ANYTHING) -> None:
        self.account = account
        self.codebuild = account.client("codebuild")
        self.ecr = account.client("ecr")
        self.repository = self.ecr.create_repository(repositoryName="agents", imageTagMutability="IMMUTABLE")[
            "repository"
        ]["repositoryUri"]
        iam = account.client("iam")
        trust = json.dumps(stacks.trust("codebuild.amazonaws.com"))
        role = iam.create_role(RoleName="builder", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName="builder", PolicyName="All", PolicyDocument=json.dumps(policy))
        account.client("s3").create_bucket(Bucket=f"source-{account.account_id}")
        self.codebuild.create_project(
            name="builder",
            serviceRole=role,
            source={
                "type": "S3",
                "location": f"source-{account.account_id}/source.zip",
                "buildspec": json.dumps(BUILDSPEC),
            },
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "ARM_CONTAINER",
                "image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [
                    {"name": "REPOSITORY", "value": self.repository},
                    {"name": "TAG", "value": "of the project"},
                    {"name": "ARGUMENT", "value": "A=1"},
                ],
            },
        )
        self.put(SOURCE)

    def put(self, files: dict[str, str]) -> None:
        bucket = f"source-{self.account.account_id}"
        self.account.client("s3").put_object(Bucket=bucket, Key="source.zip", Body=stacks.zipped(files))

    def start(self, tag: str = "one", token: str | None = None, **variables: Any) -> dict[str, Any]:
        given = [{"name": "TAG", "value": tag}, *(variables.get("more") or [])]
        more = {"idempotencyToken": token} if token else {}
        build: dict[str, Any] = self.codebuild.start_build(
            projectName="builder", environmentVariablesOverride=given, **more
        )["build"]
        return build

    def ended(self, build: dict[str, Any]) -> dict[str, Any]:
        for _ in range(500):
            (found,) = self.codebuild.batch_get_builds(ids=[build["id"]])["builds"]
            if found["buildStatus"] != "IN_PROGRESS":
                return dict(found)
            time.sleep(0.01)
        pytest.fail("the build did not end")

    def run(self, **arguments: Any) -> dict[str, Any]:
        return self.ended(self.start(**arguments))

    def log(self, build: dict[str, Any]) -> str:
        where = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
        events = self.account.client("logs").get_log_events(**where, startFromHead=True)["events"]
        return "".join(event["message"] for event in events)

    def digest(self, tag: str) -> str:
        found = self.ecr.describe_images(repositoryName="agents", imageIds=[{"imageTag": tag}])["imageDetails"]
        return str(found[0]["imageDigest"])


@pytest.fixture
def project(account: Account) -> Project:
    return Project(account)


def why(build: dict[str, Any]) -> tuple[str, str, str]:
    """How a build ended: status, phase, message."""
    phase = build["phases"][0]
    return build["buildStatus"], phase["phaseType"], phase["contexts"][0]["message"] if phase["contexts"] else ""


def test_an_image_is_registered_and_the_log_says_that_it_is_none(project: Project) -> None:
    started = project.start()
    assert started["buildStatus"] == "IN_PROGRESS"
    build = project.ended(started)
    assert build["buildStatus"] == "SUCCEEDED"
    assert project.digest("one").startswith("sha256:")
    log = project.log(build)
    assert log.startswith("This is the local cloud: no command is run and no image is made.")
    assert "Dockerfile:3 RUN make   (not run)" in log
    variables = build["environment"]["environmentVariables"]
    assert [one["value"] for one in variables if one["name"] == "TAG"] == ["one"]


def test_the_digest_follows_the_source(project: Project) -> None:
    project.run(tag="one")
    project.run(tag="two")
    project.put({**SOURCE, "x": "2"})
    project.run(tag="three")
    assert project.digest("one") == project.digest("two")
    assert project.digest("one") != project.digest("three")


def test_an_image_that_is_not_there_is_refused_as_ecr_does(project: Project) -> None:
    with pytest.raises(project.ecr.exceptions.ImageNotFoundException, match="imageTag:'none'} does not exist within"):
        project.digest("none")


def test_a_failing_build(project: Project) -> None:
    project.put({"Dockerfile": "FROM a\nRUN exit 7"})
    build = project.run()
    status, phase, message = why(build)
    assert (status, phase) == ("FAILED", "BUILD")
    assert message.endswith("exit code: 7")
    assert project.log(build).endswith("exit code: 7\n[Container] Phase complete: BUILD State: FAILED\n")


def test_a_tag_is_taken_once(project: Project) -> None:
    project.run()
    project.put({**SOURCE, "x": "2"})
    assert why(project.run())[2].endswith("was refused with ImageTagAlreadyExistsException")


def test_the_same_token_is_the_same_build(project: Project) -> None:
    first = project.start(token="t")
    assert project.start(token="t")["id"] == first["id"]
    assert project.start(token="u")["id"] != first["id"]
    with pytest.raises(ClientError, match="Parameter mismatch"):
        project.start(tag="other", token="t")
    assert len(project.codebuild.list_builds_for_project(projectName="builder")["ids"]) == 2


def test_no_such_project(project: Project) -> None:
    with pytest.raises(project.codebuild.exceptions.ResourceNotFoundException, match="Project cannot be found: other"):
        project.codebuild.start_build(projectName="other")


class TestSource:
    def change(self, project: Project, **source: Any) -> dict[str, Any]:
        given = {"type": "S3", "location": f"source-{project.account.account_id}/source.zip", **source}
        project.codebuild.update_project(name="builder", source=given)
        return project.run()

    def test_a_buildspec_in_the_source(self, project: Project) -> None:
        project.put({**SOURCE, "buildspec.yml": "version: 0.2\nphases: {build: {commands: ['docker build .']}}"})
        assert self.change(project)["buildStatus"] == "SUCCEEDED"

    @pytest.mark.parametrize(
        ("source", "phase", "message"),
        [
            ({}, "DOWNLOAD_SOURCE", "YAML_FILE_ERROR: buildspec.yml does not exist"),
            ({"buildspec": "{"}, "DOWNLOAD_SOURCE", "YAML_FILE_ERROR: "),
            ({"buildspec": '{"version": 0.2}'}, "DOWNLOAD_SOURCE", "the buildspec has no phases"),
            ({"type": "GITHUB", "location": "https://x"}, "DOWNLOAD_SOURCE", "sources of type GITHUB are not fetched"),
            ({"location": "nowhere/source.zip"}, "DOWNLOAD_SOURCE", "NoSuchBucket"),
            (
                {"buildspec": '{"phases": {"build": {"commands": ["make"]}}}'},
                "BUILD",
                "the buildspec has no `docker build`, and other commands are not run here",
            ),
            (
                {"buildspec": '{"phases": {"build": {"commands": ["docker build .", "docker push x:1"]}}}'},
                "BUILD",
                "An image does not exist locally with the tag: x:1",
            ),
            (
                {"buildspec": '{"phases": {"build": {"commands": ["docker build -t x:1 --push ."]}}}'},
                "BUILD",
                "x:1 is not in ECR; no other registry is reached from here",
            ),
        ],
    )
    def test_what_cannot_be_followed_fails(
        self, project: Project, source: dict[str, Any], phase: str, message: str
    ) -> None:
        status, at, said = why(self.change(project, **source))
        assert status in ("FAILED", "FAULT")
        assert at == phase
        assert message in said

    def test_no_zip_archive(self, project: Project) -> None:
        bucket = f"source-{project.account.account_id}"
        project.account.client("s3").put_object(Bucket=bucket, Key="source.zip", Body=b"text")
        assert why(project.run())[2] == f"{bucket}/source.zip is no zip archive"

    def test_nothing_there(self, project: Project) -> None:
        bucket = f"source-{project.account.account_id}"
        project.account.client("s3").delete_object(Bucket=bucket, Key="source.zip")
        assert why(project.run())[2] == f"NoSuchKey: there is no source.zip in {bucket}"


class TestSecrets:
    DOCKERFILE = "FROM a\nRUN --mount=type=secret,id=index,required=true echo hunter2hunter2"

    def test_a_secret_reaches_the_build_and_no_log(self, project: Project) -> None:
        secrets = project.account.client("secretsmanager")
        arn = secrets.create_secret(Name="index", SecretString='{"url": "hunter2hunter2"}')["ARN"]
        project.put({"Dockerfile": self.DOCKERFILE})
        variable = {"name": "INDEX", "value": f"{arn}:url", "type": "SECRETS_MANAGER"}
        build = project.run(more=[variable])
        assert build["buildStatus"] == "SUCCEEDED"
        assert "hunter2" not in project.log(build) + json.dumps(build, default=str)
        assert "echo ***" in project.log(build)

    @pytest.mark.parametrize(
        ("value", "message"),
        [("missing", "Secrets Manager has no secret missing"), ("index:other", "the secret index has no field other")],
    )
    def test_a_secret_that_is_not_there(self, project: Project, value: str, message: str) -> None:
        project.account.client("secretsmanager").create_secret(Name="index", SecretString='{"url": "x"}')
        variable = {"name": "INDEX", "value": value, "type": "SECRETS_MANAGER"}
        assert why(project.run(more=[variable])) == ("FAILED", "PROVISIONING", message)

    @pytest.mark.parametrize("text", ["hunter2hunter2", '["hunter2hunter2"]'])
    def test_a_secret_without_fields(self, project: Project, text: str) -> None:
        project.account.client("secretsmanager").create_secret(Name="index", SecretString=text)
        variable = {"name": "INDEX", "value": "index:url", "type": "SECRETS_MANAGER"}
        message = "the secret index is no JSON object, so it has no field url"
        assert why(project.run(more=[variable])) == ("FAILED", "PROVISIONING", message)

    def test_a_parameter(self, project: Project) -> None:
        project.account.client("ssm").put_parameter(Name="/index", Value="hunter2hunter2", Type="SecureString")
        project.put({"Dockerfile": self.DOCKERFILE})
        build = project.run(more=[{"name": "INDEX", "value": "/index", "type": "PARAMETER_STORE"}])
        assert "echo ***" in project.log(build)


class TestRole:
    """The build acts with the role of its project."""

    @pytest.mark.parametrize(
        ("action", "phase"),
        [
            ("logs:CreateLogStream", "SUBMITTED"),
            ("logs:PutLogEvents", "SUBMITTED"),
            ("s3:GetObject", "DOWNLOAD_SOURCE"),
            ("ecr:GetAuthorizationToken", "BUILD"),
            ("ecr:InitiateLayerUpload", "BUILD"),
            ("ecr:PutImage", "BUILD"),
        ],
    )
    def test_what_is_denied_fails_the_build(self, account: Account, action: str, phase: str) -> None:
        denied = {"Effect": "Deny", "Action": action, "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [*stacks.ANYTHING["Statement"], denied]}
        status, at, said = why(Project(account, policy).run())
        assert (status, at) == ("FAILED", phase)
        assert said.startswith("ACCESS_DENIED: User: arn:aws:sts::")
        assert f"is not authorized to perform: {action}" in said


def test_a_build_that_is_stopped_stays_stopped(project: Project) -> None:
    build = project.start()
    project.codebuild.stop_build(id=build["id"])
    assert project.ended(build)["buildStatus"] in ("STOPPED", "SUCCEEDED")
