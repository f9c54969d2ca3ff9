"""EFS and S3 Files on the local cloud: deployed by constructs, seen by sessions, gone but for what is retained."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_s3 as s3
from support.behaviours import behaviour

from agentcore_constructs import (
    AgentCoreVpcEndpoints,
    Environment,
    FileSystem,
    Harness,
    Memory,
    Model,
    S3FilesFileSystem,
    Tool,
)
from agentcore_local.agents.scripts import ToolCall, Turn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs import Construct

    from agentcore_local import Account, LocalCloud

TOPIC = "Mounted file systems"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html",)
MODEL = Model.bedrock("amazon.nova-pro-v1:0")


class Stack:
    """A stack that is deployed again and again."""

    def __init__(self, account: Account, cloud: LocalCloud, folder: Path) -> None:
        self.account = account
        self.outputs: dict[str, str] = {}
        self._cloud = cloud
        self._folder = folder

    def deploy(self, build: Callable[[cdk.Stack, ec2.IVpc], dict[str, Harness]]) -> None:
        """Deploys what a function builds; it returns the harnesses by the names they are spoken to by."""
        app = cdk.App(outdir=str(self._folder / uuid.uuid4().hex))
        environment = cdk.Environment(account=self.account.account_id, region=self.account.region)
        stack = cdk.Stack(app, "Agents", env=environment)
        for name, harness in build(stack, isolated(stack)).items():
            cdk.CfnOutput(stack, f"{name}Arn", value=harness.harness_arn)
        self.outputs = dict(self.account.deploy(app.synth().directory)["Agents"].outputs)

    def use(self, name: str, tool: str, session: str = "", **arguments: Any) -> str:
        """What a tool answers the agent in a session: a new one, or one with a name."""
        self._cloud.script(
            self.outputs[f"{name}Arn"], lambda call: call.tool_result or Turn(tool_calls=[ToolCall(tool, arguments)])
        )
        request = {
            "harnessArn": self.outputs[f"{name}Arn"],
            "runtimeSessionId": f"{session or uuid.uuid4().hex}-session-of-the-test-0123456789",
            "messages": [{"role": "user", "content": [{"text": "go"}]}],
        }
        events = self.account.client("bedrock-agentcore").invoke_harness(**request)["stream"]
        return "".join(
            one["contentBlockDelta"]["delta"].get("text", "") for one in events if "contentBlockDelta" in one
        )

    def run(self, name: str, command: str) -> str:
        """What a command says that is run past the agent."""
        request = {"agentRuntimeArn": self.outputs[f"{name}Arn"], "runtimeSessionId": f"session-{uuid.uuid4()}"}
        client = self.account.client("bedrock-agentcore")
        chunks = client.invoke_agent_runtime_command(**request, body={"command": command})["stream"]
        return "".join(one["chunk"].get("contentDelta", {}).get("stdout", "") for one in chunks)

    def write(self, name: str, path: str, text: str = "here", **where: str) -> str:
        """Writes a file."""
        return self.use(name, "file_operations", command="create", path=path, file_text=text, **where)

    def read(self, name: str, path: str, **where: str) -> str:
        """Reads a file."""
        return self.use(name, "file_operations", command="view", path=path, **where)

    def types(self) -> dict[str, int]:
        """How many resources of each type the stack has."""
        listed = self.account.client("cloudformation").list_stack_resources(StackName="Agents")
        found: dict[str, int] = {}
        for one in listed["StackResourceSummaries"]:
            found[one["ResourceType"]] = found.get(one["ResourceType"], 0) + 1
        return found

    def buckets(self) -> list[str]:
        """The names of the account's buckets, but for that of assets."""
        names = [one["Name"] for one in self.account.client("s3").list_buckets()["Buckets"]]
        return [name for name in names if not name.startswith("cdk-")]

    def empty(self, bucket: str) -> None:
        """Deletes all there ever was in a bucket: CloudFormation deletes none that has something in it."""
        s3 = self.account.client("s3")
        listed = s3.list_object_versions(Bucket=bucket)
        for one in [*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())]:
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])

    def destroy(self) -> None:
        """Deletes the stack."""
        self.account.destroy("Agents")


@pytest.fixture
def stack(account: Account, local_cloud: LocalCloud, tmp_path: Path) -> Stack:
    return Stack(account, local_cloud, tmp_path)


def isolated(scope: Construct) -> ec2.Vpc:
    """A VPC without a way to the internet."""
    subnets = ec2.SubnetConfiguration(name="agents", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
    return ec2.Vpc(scope, "Vpc", max_azs=2, nat_gateways=0, subnet_configuration=[subnets])


def harness(scope: Construct, name: str, vpc: ec2.IVpc, *mounts: Any, **arguments: Any) -> Harness:
    environment = Environment.vpc(vpc)
    settings = {"model": MODEL, "memory": Memory.disabled(), **arguments}
    return Harness(scope, name, environment=environment, filesystems=mounts, **settings)


@behaviour("EFS and S3 Files outlive sessions and versions; session storage belongs to one session and version")
def test_everything_made_by_us_is_deployed_used_updated_and_destroyed(stack: Stack, account: Account) -> None:
    def build(scope: cdk.Stack, vpc: ec2.IVpc, *, tools: tuple[Any, ...] = ()) -> dict[str, Harness]:
        mounts = (
            FileSystem.session("/mnt/own"),
            FileSystem.efs(mount_path="/mnt/efs"),
            FileSystem.s3_files(mount_path="/mnt/s3"),
        )
        made = harness(scope, "Agent", vpc, *mounts, tools=tools)
        AgentCoreVpcEndpoints(scope, "Endpoints", vpc=vpc, for_harness=[made])
        return {"Agent": made}

    stack.deploy(build)
    types = stack.types()
    assert (types["AWS::EFS::MountTarget"], types["AWS::S3Files::MountTarget"]) == (2, 2)
    assert types["AWS::EC2::VPCEndpoint"] == 9

    for path in ("/mnt/own/note", "/mnt/efs/note", "/mnt/s3/note"):
        assert "Wrote 1 line" in stack.write("Agent", path, session="one")
        assert "here" in stack.read("Agent", path, session="one")
    assert "does not exist" in stack.read("Agent", "/mnt/own/note", session="two")
    assert "here" in stack.read("Agent", "/mnt/efs/note", session="two")
    assert "here" in stack.read("Agent", "/mnt/s3/note", session="two")

    # A new version of the harness wipes session storage; shared files stay.
    stack.deploy(lambda scope, vpc: build(scope, vpc, tools=(Tool.code_interpreter(),)))
    assert "does not exist" in stack.read("Agent", "/mnt/own/note", session="one")
    assert "here" in stack.read("Agent", "/mnt/efs/note", session="one")
    assert "here" in stack.read("Agent", "/mnt/s3/note", session="one")

    stack.destroy()
    assert len(account.client("efs").describe_file_systems()["FileSystems"]) == 1  # retained, with its data
    assert len(stack.buckets()) == 1
    assert account.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["Agents-*"]}]
    )["SecurityGroups"] == []  # fmt: skip
    assert account.client("bedrock-agentcore-control").list_harnesses()["harnesses"] == []


@behaviour("Harnesses share a file system, each from its access point's directory; a role that may not write reads")
def test_two_harnesses_share_a_file_system_and_one_only_reads(stack: Stack) -> None:
    def build(scope: cdk.Stack, vpc: ec2.IVpc) -> dict[str, Harness]:
        destroy = cdk.RemovalPolicy.DESTROY
        system = efs.FileSystem(scope, "Files", vpc=vpc, removal_policy=destroy)
        bucket = S3FilesFileSystem(scope, "Bucket", vpc=vpc, bucket_removal_policy=destroy)
        return {
            "Writer": harness(
                scope, "Writer", vpc, FileSystem.efs(system, "/mnt/shared"), FileSystem.s3_files(bucket, "/mnt/data")
            ),
            "Reader": harness(
                scope,
                "Reader",
                vpc,
                FileSystem.efs(system, "/mnt/shared", read_only=True),
                FileSystem.s3_files(bucket, "/mnt/all", directory="/", read_only=True),
                FileSystem.efs(system, "/mnt/apart"),
            ),
        }

    stack.deploy(build)
    stack.write("Writer", "/mnt/shared/note", "from the writer")
    stack.write("Writer", "/mnt/data/report", "as an object")

    assert "from the writer" in stack.read("Reader", "/mnt/shared/note")
    assert "as an object" in stack.read("Reader", "/mnt/all/data/report")  # another access point, from the root
    assert "does not exist" in stack.read("Reader", "/mnt/apart/note")  # another directory

    # Read-only is what the role may do, for every tool.
    assert "is on a file system that is mounted read-only" in stack.write("Reader", "/mnt/shared/note", "mine now")
    tried = stack.use("Reader", "shell", command="cat /mnt/shared/note; echo mine > /mnt/shared/note; touch /mnt/all/x")
    assert tried.startswith("from the writer")
    assert tried.count("Read-only file system") == 2
    assert "from the writer" in stack.read("Writer", "/mnt/shared/note")
    assert stack.use("Writer", "shell", command="echo more >> /mnt/shared/note && wc -l < /mnt/shared/note") == "1\n"

    (bucket,) = stack.buckets()
    stack.empty(bucket)
    stack.destroy()
    assert stack.account.client("efs").describe_file_systems()["FileSystems"] == []
    assert stack.buckets() == []


@behaviour(
    "S3 Files keeps a file system and its bucket in step",
    status="approximated",
    note="Before an invocation or a command, and after it; the service does it all the time.",
)
def test_objects_are_files_and_files_are_objects(stack: Stack, account: Account) -> None:
    def build(scope: cdk.Stack, vpc: ec2.IVpc) -> dict[str, Harness]:
        bucket = s3.Bucket(scope, "Data", versioned=True)
        cdk.CfnOutput(scope, "DataName", value=bucket.bucket_name)
        sales = FileSystem.s3_files(bucket, "/mnt/sales", prefix="sales/", directory="/")
        return {"Agent": harness(scope, "Agent", vpc, sales)}

    stack.deploy(build)
    client, bucket = account.client("s3"), stack.outputs["DataName"]

    def objects() -> dict[str, str]:
        listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        keys = [one["Key"] for one in listed]
        return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read().decode().strip() for key in keys}

    client.put_object(Bucket=bucket, Key="sales/2026/may.csv", Body=b"units\n12\n")
    client.put_object(Bucket=bucket, Key="private/salaries.csv", Body=b"no file")
    assert "12" in stack.read("Agent", "/mnt/sales/2026/may.csv")
    listing = stack.use("Agent", "shell", command="find /mnt/sales -type f")
    assert listing.split() == ["/mnt/sales/2026/may.csv"]

    stack.write("Agent", "/mnt/sales/report.md", "sold: 12")
    stack.use(
        "Agent", "shell", command="cd /mnt/sales && echo 13 > 2026/may.csv && ln -s /etc/hosts link && mkdir empty"
    )
    assert objects() == {
        "sales/2026/may.csv": "13",
        "sales/report.md": "sold: 12",
        "private/salaries.csv": "no file",
    }

    client.delete_object(Bucket=bucket, Key="sales/report.md")
    assert "does not exist" in stack.read("Agent", "/mnt/sales/report.md")
    stack.use("Agent", "shell", command="rm /mnt/sales/2026/may.csv")
    assert objects() == {"private/salaries.csv": "no file"}

    client.put_object(Bucket=bucket, Key="sales/june.csv", Body=b"14\n")
    assert stack.run("Agent", "cat /mnt/sales/june.csv; echo 15 > /mnt/sales/july.csv") == "14\n"
    assert objects() == {
        "sales/june.csv": "14",
        "sales/july.csv": "15",
        "private/salaries.csv": "no file",
    }
    stack.run("Agent", "rm /mnt/sales/*.csv")

    # What an object's name may lead to is in the mount, and nowhere else.
    client.put_object(Bucket=bucket, Key="sales/../../outside", Body=b"x")
    client.put_object(Bucket=bucket, Key="sales/link/inside", Body=b"x")
    assert "no output" in stack.use("Agent", "shell", command="find /mnt/sales -type f")
    stack.destroy()
    assert bucket in stack.buckets()  # retained, with its data
