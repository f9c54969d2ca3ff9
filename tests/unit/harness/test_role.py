"""The execution role: made by a harness, alone, shared, foreign or imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from support import synth
from support.all_fields import cloudformation_configs
from support.needs import EXAMPLES, PLACE

from agentcore_constructs import (
    Harness,
    HarnessConfig,
    HarnessConfigError,
    HarnessExecutionRole,
    HarnessTool,
    Memory,
    Model,
    Tool,
)
from agentcore_constructs.harness.policy import MANAGED_POLICY_SIZE
from agentcore_constructs.harness.role import Attached, ExecutionPolicies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Synthesized

    Read = Callable[[], Synthesized]
    Warnings = Callable[[], list[str]]

ROLE_ARN = "arn:aws:iam::111122223333:role/agents/Research"
MEMORY_ARN = "arn:aws:bedrock-agentcore:us-east-1:111122223333:memory/research-0123456789"


# ---- trust -----------------------------------------------------------------------------------------------------------


def test_trust_is_for_the_service_of_this_account_and_region(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent")

    (statement,) = synthesized().only("AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "bedrock-agentcore.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}


def test_trust_is_not_narrower_than_the_service_accepts(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent")

    (statement,) = synthesized().only("AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    parts = statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]
    assert parts == ["arn:", {"Ref": "AWS::Partition"}, ":bedrock-agentcore:us-east-1:111122223333:*"]


def test_every_role_has_statements(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", memory=Memory.disabled())

    assert synthesized().statements()


# ---- a feature that is not used grants nothing -----------------------------------------------------------------------


def test_the_statements_of_a_plain_harness(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", memory=Memory.disabled())

    assert set(synthesized().statements()) == {
        "BedrockInferenceProfile",
        "BedrockInferenceProfileModels",
        "EcrPublicTokenAccess",
        "StsForEcrPublicPull",
        "XRayTracingAccess",
        "CloudWatchLogsGroup",
        "CloudWatchLogsDescribeGroups",
        "CloudWatchLogsStream",
        "CloudWatchLogsPutResourcePolicy",
        "CloudWatchMetricsPublish",
        "AgentCoreWorkloadIdentity",
        "DenyRoleAssumption",
    }


# ---- alone -----------------------------------------------------------------------------------------------------------


def test_a_role_alone(stack: cdk.Stack, synthesized: Read) -> None:
    HarnessExecutionRole(stack, "Role", harness_name="research", config={"tools": [{"type": "agentcore_browser"}]})

    statements = synthesized().statements()
    assert {"AgentCoreBrowserDefault", "BedrockInferenceProfile"} <= set(statements)
    assert statements["CloudWatchLogsGroup"]["Resource"][0].endswith("/runtimes/harness_research-*")


def test_a_role_alone_from_a_file(stack: cdk.Stack, synthesized: Read, tmp_path: Path) -> None:
    file = tmp_path / "harness.json"
    file.write_text(json.dumps({"harnessName": "research", "memory": {"disabled": {}}}))

    HarnessExecutionRole(stack, "Role", config=file)

    assert "harness_research-*" in str(synthesized().statements())


def test_a_role_alone_from_a_configuration(stack: cdk.Stack, synthesized: Read) -> None:
    config = HarnessConfig.create(harness_name="research", model=Model.bedrock("amazon.nova-pro-v1:0"))

    HarnessExecutionRole(stack, "Role", config=config)

    assert "BedrockModelInvocation" in synthesized().statements()


def test_a_role_alone_needs_a_name(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError) as refusal:
        HarnessExecutionRole(stack, "Role", config={})

    assert str(refusal.value) == (
        "The execution role Agents/Role has 1 fault:\n"
        "  harnessName: must be given; received nothing; "
        "pass harness_name: logs, tokens and secrets of the harness are scoped by it."
    )


def test_a_role_alone_refuses_a_faulty_configuration(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError, match="The execution role Agents/Role has 1 fault:\n  maxIteration: "):
        HarnessExecutionRole(stack, "Role", harness_name="x", config={"maxIteration": 3})


def test_a_role_alone_refuses_a_faulty_name(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError, match="The execution role Agents/Role has 1 fault:\n  harnessName: must be"):
        HarnessExecutionRole(stack, "Role", harness_name="no-hyphens", config={})


def test_managed_memory_of_a_harness_made_elsewhere(stack: cdk.Stack, synthesized: Read) -> None:
    HarnessExecutionRole(stack, "Role", harness_name="research", config={}).grant_managed_memory(MEMORY_ARN)

    assert synthesized().statements("RoleDefaultPolicy")["AgentCoreManagedMemory"]["Resource"] == [MEMORY_ARN]


def test_description_path_and_boundary(stack: cdk.Stack, synthesized: Read) -> None:
    boundary = iam.ManagedPolicy.from_aws_managed_policy_name("PowerUserAccess")
    HarnessExecutionRole(stack, "Role", description="Agents", path="/agents/", permissions_boundary=boundary)

    role = synthesized().only("AWS::IAM::Role")["Properties"]
    assert (role["Description"], role["Path"]) == ("Agents", "/agents/")
    assert "PowerUserAccess" in str(role["PermissionsBoundary"])


# ---- given to a harness ----------------------------------------------------------------------------------------------


def test_an_empty_role_gets_what_the_harness_needs(stack: cdk.Stack, synthesized: Read) -> None:
    role = HarnessExecutionRole(stack, "Role")
    harness = Harness(stack, "Agent", execution_role=role)

    found = synthesized()
    assert harness.execution_role is role
    assert len(found.of_type("AWS::IAM::Role")) == 1
    assert "BedrockInferenceProfile" in found.statements("AgentPolicy")


def test_a_role_made_for_the_configuration_gets_nothing_twice(stack: cdk.Stack, synthesized: Read) -> None:
    role = HarnessExecutionRole(stack, "Role", harness_name="research", config={})
    Harness(stack, "Agent", harness_name="research", execution_role=role)

    found = synthesized()
    assert not found.statements("AgentPolicy")
    assert "AgentCoreManagedMemory" in found.statements("AgentManagedMemoryPolicy")


def test_a_role_made_for_less_gets_the_rest(stack: cdk.Stack, synthesized: Read) -> None:
    role = HarnessExecutionRole(stack, "Role", harness_name="research", config={})
    Harness(stack, "Agent", harness_name="research", execution_role=role, tools=[Tool.browser()])

    assert set(synthesized().statements("AgentPolicy")) == {"AgentCoreBrowserDefault"}


def test_two_harnesses_may_share_a_role(stack: cdk.Stack, synthesized: Read) -> None:
    role = HarnessExecutionRole(stack, "Role")
    Harness(stack, "One", execution_role=role)
    Harness(stack, "Two", execution_role=role)

    found = synthesized()
    one, two = (found.statements(f"{name}Policy")["CloudWatchLogsGroup"]["Resource"] for name in ("One", "Two"))
    assert one != two


def test_another_role_of_the_app_gets_what_the_harness_needs(stack: cdk.Stack, synthesized: Read) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("bedrock-agentcore.amazonaws.com"))
    Harness(stack, "Agent", execution_role=role)

    found = synthesized()
    assert "BedrockInferenceProfile" in found.statements("AgentPolicy")
    assert "AgentCoreManagedMemory" in found.statements("AgentManagedMemoryPolicy")


@pytest.fixture
def prepared(tmp_path: Path) -> cdk.Stack:
    """A stack whose roles somebody else creates."""
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path))
    stack = cdk.Stack(app, "Agents", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))
    roles = {"Agent/ExecutionRole": "PreparedByTheSecurityTeam"}
    iam.Role.customize_roles(stack, prevent_synthesis=True, use_precreated_roles=roles)
    return stack


def test_nothing_is_made_for_a_role_that_somebody_else_creates(prepared: cdk.Stack) -> None:
    Harness(prepared, "Agent")

    made = {one["Type"] for one in synth.template_of(prepared).to_json()["Resources"].values()}
    assert made == {"AWS::BedrockAgentCore::Harness"}


def test_what_such_a_role_must_carry_is_reported_by_the_cdk(prepared: cdk.Stack, tmp_path: Path) -> None:
    harness = Harness(prepared, "Agent")
    harness.add_tool(Tool.browser())
    harness.add_tool(Tool.code_interpreter())
    prepared.node.root.synth()  # type: ignore[attr-defined]

    (role,) = json.loads((tmp_path / "iam-policy-report.json").read_text())["roles"]
    sids = [statement["Sid"] for statement in role["identityPolicyStatements"]]
    assert role["roleName"] == "PreparedByTheSecurityTeam"
    assert {"AgentCoreBrowserDefault", "AgentCoreCodeInterpreterDefault", "AgentCoreManagedMemory"} <= set(sids)
    assert len(sids) == len(set(sids))


def test_a_role_of_another_stack(stack: cdk.Stack, synthesized: Read) -> None:
    roles = cdk.Stack(stack.node.root, "Roles", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION))  # type: ignore[arg-type]
    role = HarnessExecutionRole(roles, "Role")
    Harness(stack, "Agent", execution_role=role, tools=[Tool.browser()])

    # The policies are with the harness, which may refer to resources of its own stack.
    found = synthesized()
    assert "AgentCoreBrowserDefault" in found.statements("AgentPolicy")
    assert "Fn::ImportValue" in str(found.harness["ExecutionRoleArn"])
    assert not found.of_type("AWS::IAM::Role")


# ---- imported --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["arn", "imported", "frozen"])
def imported(stack: cdk.Stack, request: pytest.FixtureRequest) -> iam.IRole | str:
    if request.param == "arn":
        return ROLE_ARN
    if request.param == "imported":
        return iam.Role.from_role_arn(stack, "Imported", ROLE_ARN)
    role = iam.Role(stack, "Frozen", assumed_by=iam.ServicePrincipal("bedrock-agentcore.amazonaws.com"))
    return role.without_policy_updates()


def test_an_imported_role_gets_no_statements(stack: cdk.Stack, imported: iam.IRole | str, synthesized: Read) -> None:
    Harness(stack, "Agent", execution_role=imported)

    assert not synthesized().statements()


def test_an_imported_role_gets_one_warning(stack: cdk.Stack, imported: iam.IRole | str, warnings: Warnings) -> None:
    harness = Harness(stack, "Agent", execution_role=imported, tools=[Tool.browser()])
    harness.add_endpoint("PROD")

    (warning,) = warnings()
    assert warning.startswith("The execution role is imported, so nothing is added to it.")
    assert warning.endswith("[ack: @agentcore-harness-cdk:imported-role]")


def test_the_warning_names_the_statements_the_role_must_carry(stack: cdk.Stack, warnings: Warnings) -> None:
    Harness(stack, "Agent", execution_role=ROLE_ARN, tools=[Tool.code_interpreter()])

    (warning,) = warnings()
    assert "AgentCoreCodeInterpreterDefault (bedrock-agentcore:StartCodeInterpreterSession, " in warning
    assert "AgentCoreManagedMemory (bedrock-agentcore:CreateEvent, " in warning
    assert "DenyRoleAssumption (sts:AssumeRole)" in warning


def test_the_warning_names_no_statement_of_a_feature_that_is_not_used(stack: cdk.Stack, warnings: Warnings) -> None:
    Harness(stack, "Agent", execution_role=ROLE_ARN, memory=Memory.disabled())

    assert "Memory" not in warnings()[0]


def test_the_warning_can_be_acknowledged(stack: cdk.Stack, warnings: Warnings) -> None:
    harness = Harness(stack, "Agent", execution_role=ROLE_ARN)
    cdk.Annotations.of(harness).acknowledge_warning("@agentcore-harness-cdk:imported-role", "made by another team")

    assert warnings() == []


def test_an_imported_role_is_rendered(stack: cdk.Stack, synthesized: Read) -> None:
    Harness(stack, "Agent", execution_role=ROLE_ARN)

    assert synthesized().harness["ExecutionRoleArn"] == ROLE_ARN


def test_a_role_of_ours_gets_no_warning(stack: cdk.Stack, warnings: Warnings) -> None:
    Harness(stack, "Agent")

    assert warnings() == []


def test_a_role_arn_that_is_none_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError, match="executionRoleArn: must be the ARN of an IAM role"):
        Harness(stack, "Agent", execution_role="Research")


# ---- size ------------------------------------------------------------------------------------------------------------


LONGEST = {"AWS::Partition": "aws-us-gov", "AWS::Region": "ap-southeast-2", "AWS::AccountId": "111122223333"}


def deployed_size(policy: Any) -> int:
    """The size of a policy once deployed, where every name is the longest possible."""

    def deployed(value: Any) -> Any:
        if isinstance(value, dict) and "Fn::Join" in value:
            return "".join(deployed(part) for part in value["Fn::Join"][1])
        if isinstance(value, dict) and "Ref" in value:
            return LONGEST[value["Ref"]]
        if isinstance(value, dict):
            return {key: deployed(item) for key, item in value.items()}
        return [deployed(item) for item in value] if isinstance(value, list) else value

    return len(json.dumps(deployed(policy["Properties"]["PolicyDocument"]), separators=(",", ":")))


def everything() -> list[HarnessTool]:
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333"
    return [
        *(Tool.gateway(f"{arn}:gateway/{'g' * 40}{n:02}-0123456789", name=f"gateway{n}") for n in range(40)),
        Tool.browser(),
        Tool.code_interpreter(),
    ]


@pytest.mark.parametrize("env", [{"region": PLACE.region}, {"account": None, "region": None}])
def test_policies_of_the_largest_configuration_fit(env: dict[str, Any]) -> None:
    stack = synth.new_stack(**env)
    Harness(
        stack,
        "Agent",
        model=EXAMPLES["guardrail_key"]["model"],
        tools=everything(),
        skills=[*EXAMPLES["skill_key"]["skills"], *EXAMPLES["skill_bucket"]["skills"]],
        memory=EXAMPLES["memory_key"]["memory"],
        environment=EXAMPLES["efs"]["environment"],
        image=EXAMPLES["private_image"]["environment_artifact"],
        hooks=[*EXAMPLES["lambda_hook"]["hooks"], *EXAMPLES["topic_key"]["hooks"], *EXAMPLES["event_hook"]["hooks"]],
    )

    policies = synth.resources(stack, "AWS::IAM::ManagedPolicy")
    assert len(policies) > 2
    assert max(deployed_size(one) for one in policies.values()) <= MANAGED_POLICY_SIZE


@pytest.mark.parametrize("name", cloudformation_configs())
def test_policies_of_every_field_fit(stack: cdk.Stack, name: str) -> None:
    HarnessExecutionRole(stack, "Role", config=cloudformation_configs()[name])

    policies = synth.resources(stack, "AWS::IAM::ManagedPolicy")
    assert max(deployed_size(one) for one in policies.values()) <= MANAGED_POLICY_SIZE


def test_grants_of_the_user_s_own_do_not_share_a_limit_with_ours(stack: cdk.Stack, synthesized: Read) -> None:
    harness = Harness(stack, "Agent")
    for n in range(100):
        resource = f"arn:aws:dynamodb:us-east-1:111122223333:table/{'t' * 100}{n:03}"
        harness.add_to_role_policy(iam.PolicyStatement(sid=f"T{n}", actions=["dynamodb:GetItem"], resources=[resource]))

    # Inline policies of a role share 10,240 characters; ours are managed ones, and the CDK splits its own.
    inline = synthesized().of_type("AWS::IAM::Policy").values()
    assert sum(len(json.dumps(one["Properties"]["PolicyDocument"], separators=(",", ":"))) for one in inline) <= 10240


def test_more_policies_than_a_role_may_have_are_warned_of(stack: cdk.Stack, warnings: Warnings) -> None:
    role = HarnessExecutionRole(stack, "Role")
    huge = [
        {"Sid": f"S{n}", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::" + "r" * 5900]}
        for n in range(11)
    ]

    ExecutionPolicies(role, "Policy", Attached(role)).write(huge)

    (warning,) = warnings()
    assert warning.startswith("The execution role needs 11 managed policies, and a role has at most 10")
    assert warning.endswith("[ack: @agentcore-harness-cdk:policy-size]")
