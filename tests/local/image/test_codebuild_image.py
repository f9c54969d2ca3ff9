"""An image from its folder to a harness on the local cloud: built once, changed, failing, rolled back, gone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_secretsmanager as secretsmanager
from botocore.exceptions import ClientError
from support import stacks, synth

from agentcore_constructs import Harness, HarnessImage, Memory
from agentcore_local.deploy import DeploymentError, destroy

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud


SECRET = "hunter2hunter2"
GOOD = """
FROM public.ecr.aws/docker/library/python:3.13-slim
COPY tools /opt/tools
RUN --mount=type=secret,id=index,required=true pip install --index-url $(cat /run/secrets/index) pandas
USER 1000
"""
BAD = f"{GOOD}RUN echo PASSWORD={SECRET} && true\nRUN exit 4\n"


class Agent:
    """A stack with a harness whose image is built from a folder."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.folder = folder
        self.source = folder / "source"
        (self.source / "tools").mkdir(parents=True)
        (self.source / "tools" / "hello.sh").write_text("echo hello")
        self.write(GOOD)
        self._synths = 0

    def write(self, dockerfile: str) -> None:
        (self.source / "Dockerfile").write_text(dockerfile.lstrip())

    def deploy(self, prompt: str = "be brief") -> dict[str, str]:
        self._synths += 1
        app = cdk.App(context=synth.CONTEXT, outdir=str(self.folder / f"out{self._synths}"))
        stack = cdk.Stack(app, "Agents")
        text = cdk.SecretValue.unsafe_plain_text(SECRET)
        secret = secretsmanager.Secret(stack, "Index", secret_string_value=text)
        image = HarnessImage.from_codebuild(self.source, build_secrets={"index": secret})
        harness = Harness(stack, "Agent", image=image, memory=Memory.disabled(), system_prompt=prompt)
        made: Any = harness.node.find_child("Image")
        outputs = {"Arn": harness.harness_arn, "Uri": made.image_uri, "Digest": made.digest, "Tag": made.tag}
        for name, value in {**outputs, "Project": made.project.project_name}.items():
            cdk.CfnOutput(stack, name, value=value)
        return self.account.deploy(Path(app.synth().directory))["Agents"].outputs

    def uri(self, outputs: dict[str, str]) -> str:
        """What the harness got."""
        control = self.account.client("bedrock-agentcore-control")
        harness = control.get_harness(harnessId=outputs["Arn"].rpartition("/")[2])["harness"]
        found: str = harness["environmentArtifact"]["containerConfiguration"]["containerUri"]
        return found

    def builds(self) -> list[dict[str, Any]]:
        """Newest first."""
        codebuild = self.account.client("codebuild")
        ids = codebuild.list_builds()["ids"]
        builds: list[dict[str, Any]] = codebuild.batch_get_builds(ids=ids)["builds"] if ids else []
        return sorted(builds, key=lambda build: -build["buildNumber"])


def delivered_twice(agent: Agent, outputs: dict[str, str]) -> list[Any]:
    """Answers of the stack's function to one request that comes twice."""
    account = agent.account
    (repository,) = account.client("ecr").describe_repositories()["repositories"]
    functions = account.client("lambda").list_functions()["Functions"]
    ours = "agentcore_lambdas.custom_resources.main.handler"
    (name,) = [one["FunctionName"] for one in functions if one["Handler"] == ours]
    event = {
        "RequestType": "Update",
        "RequestId": "twice",
        "StackId": "arn:stack",
        "LogicalResourceId": "Build",
        "PhysicalResourceId": "image-build",
        "ResourceProperties": {
            "Kind": "ImageBuild",
            "Project": outputs["Project"],
            "RepositoryName": repository["repositoryName"],
            "RepositoryUri": repository["repositoryUri"],
            "Inputs": {"Source": "another one"},
        },
    }
    event["OldResourceProperties"] = event["ResourceProperties"]

    invoke = account.client("lambda").invoke
    return [json.loads(invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()) for _ in range(2)]


def test_the_life_of_an_image(account: Account, local_cloud: LocalCloud, tmp_path: Path) -> None:
    agent = Agent(account, tmp_path)

    first = agent.deploy()
    assert agent.uri(first) == first["Uri"]
    assert first["Uri"].endswith(f"@{first['Digest']}")
    assert [build["buildStatus"] for build in agent.builds()] == ["SUCCEEDED"]

    # Another change of the stack: the source is the same.
    assert agent.deploy("be kind")["Digest"] == first["Digest"]
    assert len(agent.builds()) == 1

    one, two = delivered_twice(agent, first)
    assert len(agent.builds()) == 2
    assert two["Outcome"]["State"] == one["Outcome"]["State"] or two["Outcome"]["Done"]

    agent.write(GOOD + "ENV A=1\n")
    second = agent.deploy()
    assert second["Digest"] != first["Digest"]
    assert agent.uri(second) == second["Uri"]
    assert len(agent.builds()) == 3

    # A failing build: its log is in the error, and the harness keeps what it had.
    agent.write(BAD)
    with pytest.raises(DeploymentError) as caught:
        agent.deploy()
    said = str(caught.value)
    assert "UPDATE_ROLLBACK_COMPLETE" in said
    assert "failed in its phase BUILD" in said
    assert "did not complete successfully: exit code: 4" in said
    assert SECRET not in said
    assert agent.uri(second) == second["Uri"]
    assert [build["buildStatus"] for build in agent.builds()] == ["FAILED", *["SUCCEEDED"] * 3]

    # Back to the first source: its image is still there.
    agent.write(GOOD)
    assert agent.deploy()["Digest"] == first["Digest"]
    assert len(agent.builds()) == 4

    destroy(account, "Agents")
    assert account.client("codebuild").list_projects()["projects"] == []
    assert account.client("ecr").describe_repositories()["repositories"] == []


def test_an_asset_is_registered_without_docker(account: Account, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(Path(__file__).parents[2] / "support" / "image_source", source)
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path / "out"))
    stack = cdk.Stack(app, "Agents", env=cdk.Environment(account=account.account_id, region=account.region))
    harness = Harness(stack, "Agent", image=HarnessImage.from_asset(source), memory=Memory.disabled())
    cdk.CfnOutput(stack, "Id", value=harness.harness_id)
    outputs = account.deploy(Path(app.synth().directory))["Agents"].outputs
    control = account.client("bedrock-agentcore-control")
    artifact = control.get_harness(harnessId=outputs["Id"])["harness"]["environmentArtifact"]
    repository, _, tag = artifact["containerConfiguration"]["containerUri"].rpartition("/")[2].partition(":")
    found = account.client("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
    assert found["imageDetails"][0]["imageTags"] == [tag]


def test_the_cdk_cli_finds_the_image_of_an_asset(account: Account) -> None:
    """It asks before it builds, and would need Docker to build."""
    ecr = account.client("ecr")
    name = f"cdk-hnb659fds-container-assets-{account.account_id}-{account.region}"
    ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    for _ in range(2):
        found = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "a" * 64}])["imageDetails"]
        assert [image["imageTags"] for image in found] == [["a" * 64]]
    (image,) = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "a" * 64}])["images"]
    assert "Not built" in image["imageManifest"]


def test_the_role_that_publishes_images_is_asked_for_its_repository_alone(account: Account) -> None:
    """The bootstrap's role may describe that one repository and no other; the CDK CLI assumes it."""
    iam, ecr = account.client("iam"), account.client("ecr")
    arns = {
        name: ecr.create_repository(repositoryName=name)["repository"]["repositoryArn"] for name in ("assets", "other")
    }
    trust = stacks.trust()
    trust["Statement"][0]["Principal"] = {"AWS": account.account_id}
    role = iam.create_role(RoleName="publisher", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "ecr:DescribeRepositories", "Resource": arns["assets"]}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_role_policy(RoleName="publisher", PolicyName="Publish", PolicyDocument=json.dumps(policy))
    given = account.client("sts").assume_role(RoleArn=role, RoleSessionName="cdk")["Credentials"]
    publisher = boto3.client(
        "ecr",
        endpoint_url=account.cloud.endpoint_url,
        region_name=account.region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    assert publisher.describe_repositories(repositoryNames=["assets"])["repositories"]
    with pytest.raises(ClientError, match="not authorized to perform: ecr:DescribeRepositories"):
        publisher.describe_repositories(repositoryNames=["other"])
