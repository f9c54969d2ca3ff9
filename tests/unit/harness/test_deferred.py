"""Values that need constructs of their own: made below the harness, and refused together with everything else."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template

from agentcore_constructs import (
    Deferred,
    Environment,
    Fault,
    FileSystem,
    Harness,
    HarnessConfig,
    HarnessConfigError,
    Host,
    Model,
    Network,
    Skill,
    Tool,
)
from agentcore_constructs.config.deferred import Wanted
from agentcore_constructs.harness import makers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Bound(Deferred):
    """Binds with a function."""

    def __init__(self, act: Callable[[Host], Any]) -> None:
        self._act = act

    def bind(self, host: Host) -> Any:
        return self._act(host)


def refused(host: Host) -> Any:
    raise HarnessConfigError([Fault("", "must be there", "nothing", "make it"), Fault("path", "must fit", "it", "cut")])


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Stack")


def skill_in_a_bucket(host: Host) -> Any:
    bucket = s3.Bucket(host.scope, "Skills")
    host.before(bucket)
    return Skill.s3(bucket, "excel")


def test_a_value_makes_its_constructs_below_the_harness_and_is_granted(stack: cdk.Stack) -> None:
    harness = Harness(stack, "Agent", skills=[Bound(skill_in_a_bucket)])
    template = Template.from_stack(stack)
    bucket = stack.get_logical_id(harness.node.find_child("Skills").node.default_child)
    template.has_resource(
        "AWS::BedrockAgentCore::Harness",
        {
            "DependsOn": Match.array_with([bucket]),
            "Properties": {"Skills": [{"S3": {"Uri": {"Fn::Join": ["", ["s3://", {"Ref": bucket}, "/excel/"]]}}}]},
        },
    )
    template.has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": {"Statement": Match.array_with([Match.object_like({"Action": ["s3:GetObject"]})])}},
    )


def test_a_value_can_be_added_later(stack: cdk.Stack) -> None:
    seen = []
    harness = Harness(stack, "Agent", tools=[Tool.browser()])

    def bind(host: Host) -> Any:
        host.after(seen.append)
        seen.append(host.path)
        host.before(s3.Bucket(host.scope, "Late"))
        return Tool.code_interpreter()

    harness.add_tool(Bound(bind))
    assert seen == [harness, "tools[1]"]
    late = stack.get_logical_id(harness.node.find_child("Late").node.default_child)
    resource = Template.from_stack(stack).find_resources("AWS::BedrockAgentCore::Harness").popitem()[1]
    assert late in resource["DependsOn"]
    assert [tool["Type"] for tool in resource["Properties"]["Tools"]] == [
        "agentcore_browser",
        "agentcore_code_interpreter",
    ]


def test_what_waits_for_the_harness_is_called_when_it_exists(stack: cdk.Stack) -> None:
    seen: list[str] = []

    def bind(host: Host) -> Any:
        host.after(lambda harness: seen.append(harness.harness_arn))
        return Model.bedrock("amazon.nova-pro-v1:0")

    harness = Harness(stack, "Agent", model=Bound(bind))
    assert seen == [harness.harness_arn]


def test_the_environment_and_the_image_come_before_what_needs_them(stack: cdk.Stack) -> None:
    order: list[tuple[str, tuple[int, int], bool]] = []

    def note(value: Any) -> Bound:
        def bind(host: Host) -> Any:
            order.append((host.path, host.user, host.network is not None))
            if host.path == "environment":
                vpc = ec2.Vpc(host.scope, "Vpc")
                group = ec2.SecurityGroup(host.scope, "Group", vpc=vpc)
                connections = ec2.Connections(security_groups=[group])
                host.network = Network(vpc, vpc.private_subnets, [group], connections)
                return Environment.vpc(subnets=vpc.private_subnets, security_groups=[group])
            return value

        return Bound(bind)

    harness = Harness(
        stack, "Agent", skills=[note(Skill.aws())], filesystems=[note(FileSystem.session("/mnt/a"))],
        environment=note(None),
    )  # fmt: skip
    assert [path for path, _, _ in order] == ["environment", "filesystems[0]", "skills[0]"]
    assert [connected for _, _, connected in order] == [False, True, True]
    database = ec2.SecurityGroup(stack, "Database", vpc=ec2.Vpc(stack, "Vpc"))
    database.connections.allow_from(harness, ec2.Port.tcp(5432))
    Template.from_stack(stack).has_resource_properties("AWS::EC2::SecurityGroupIngress", {"FromPort": 5432})


def test_all_faults_come_together(stack: cdk.Stack) -> None:
    def unsure(host: Host) -> Any:
        host.fault("s3.uri", "must be near", "far", "move it")
        return Skill.path("/opt/skill")

    with pytest.raises(HarnessConfigError) as caught:
        Harness(stack, "Agent", skills=[Bound(refused), Bound(unsure)], harness_name="9", environment=Bound(refused))
    assert [fault.path for fault in caught.value.faults] == [
        "environment", "environment.path", "skills[0]", "skills[0].path", "skills[1].s3.uri", "harnessName",
    ]  # fmt: skip


def test_a_refused_environment_does_not_hide_behind_its_mounts(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError) as caught:
        Harness(stack, "Agent", environment=Bound(refused), filesystems=[FileSystem.session("/mnt/a")])
    assert [fault.path for fault in caught.value.faults] == ["environment", "environment.path"]


def test_a_value_may_be_made_of_one_that_the_configuration_describes(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc")
    harness = Harness(stack, "Agent", environment=Bound(lambda host: Environment.vpc(vpc).bind(host)))
    assert harness.network is not None
    assert harness.network.vpc is vpc


def test_what_a_user_describes_has_to_make_itself(stack: cdk.Stack) -> None:
    class Mine(Wanted):
        """Nothing but data."""

    with pytest.raises(TypeError, match="Mine is made by nobody here; let it be a Deferred"):
        Harness(stack, "Agent", skills=[Mine()])


def test_all_that_the_configuration_describes_has_a_maker() -> None:
    (make,) = (node for node in ast.walk(ast.parse(inspect.getsource(makers))) if isinstance(node, ast.FunctionDef))
    made = {
        node.cls.id for node in ast.walk(make) if isinstance(node, ast.MatchClass) and isinstance(node.cls, ast.Name)
    }
    described = {kind.__name__ for kind in kinds(Wanted) if kind.__module__.startswith("agentcore_constructs.")}
    assert made == described


def kinds(base: type) -> Iterator[type]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_a_configuration_alone_says_that_a_harness_is_needed() -> None:
    with pytest.raises(HarnessConfigError, match=r"skills\[0\]: must be taken by a harness.*pass it to a Harness"):
        HarnessConfig.create(skills=[Bound(skill_in_a_bucket)])  # type: ignore[list-item]


def test_connections_need_a_vpc(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError, match=r"environment: must be made from a VPC.*use Environment.vpc\(vpc\)"):
        _ = Harness(stack, "Agent").connections
