"""Who may call a harness, and what a harness may call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from agentcore_constructs import Authorizer, Harness, HarnessBase, HarnessConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Synthesized

    Read = Callable[[], Synthesized]

ARN = "arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/research-0123456789"
INVOKE = ["bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime"]
RUN = ["bedrock-agentcore:InvokeAgentRuntimeCommand", "bedrock-agentcore:InvokeAgentRuntime"]


@pytest.fixture
def caller(stack: cdk.Stack) -> iam.Role:
    return iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))


@pytest.fixture
def harness(stack: cdk.Stack) -> HarnessBase:
    return Harness.from_harness_arn(stack, "Agent", ARN)


def test_invoke_is_two_actions_on_the_harness_and_its_endpoints(
    harness: HarnessBase, caller: iam.Role, synthesized: Read
) -> None:
    harness.grant_invoke(caller)

    (statement,) = synthesized().statements("CallerDefaultPolicy").values()
    assert statement["Action"] == INVOKE
    assert statement["Resource"] == [ARN, f"{ARN}/harness-endpoint/*"]


def test_run_command_is_two_actions_on_the_harness_and_its_endpoints(
    harness: HarnessBase, caller: iam.Role, synthesized: Read
) -> None:
    harness.grant_run_command(caller)

    (statement,) = synthesized().statements("CallerDefaultPolicy").values()
    assert statement["Action"] == RUN
    assert statement["Resource"] == [ARN, f"{ARN}/harness-endpoint/*"]


def test_invoke_of_one_endpoint_by_name(harness: HarnessBase, caller: iam.Role, synthesized: Read) -> None:
    harness.grant_invoke(caller, endpoint="PROD")

    (statement,) = synthesized().statements("CallerDefaultPolicy").values()
    assert statement["Resource"] == [ARN, f"{ARN}/harness-endpoint/PROD"]


def test_an_endpoint_grants_itself_alone(stack: cdk.Stack, caller: iam.Role, synthesized: Read) -> None:
    endpoint = Harness(stack, "Own").add_endpoint("PROD")
    endpoint.grant_invoke(caller)
    endpoint.grant_run_command(caller)

    for statement in synthesized().statements("CallerDefaultPolicy").values():
        assert statement["Resource"] == ["<Own30425842.Arn>", "<Own30425842.Arn>/harness-endpoint/PROD"]


def test_a_grant_can_be_waited_for(harness: HarnessBase, caller: iam.Role) -> None:
    assert harness.grant_invoke(caller).success


@pytest.mark.parametrize("verb", ["grant_invoke", "grant_run_command"])
def test_a_harness_with_a_jwt_authorizer_refuses_grants(stack: cdk.Stack, caller: iam.Role, verb: str) -> None:
    url = "https://id.example.com/.well-known/openid-configuration"
    harness = Harness(stack, "Jwt", authorizer=Authorizer.jwt(url, audiences=["agents"]))

    with pytest.raises(HarnessConfigError) as refusal:
        getattr(harness, verb)(caller)

    assert str(refusal.value) == (
        "The grant on Agents/Jwt has 1 fault:\n"
        "  authorizerConfiguration: must be left out for grants to mean anything; received customJWTAuthorizer, "
        "with which a harness refuses IAM; give callers a token of the identity provider, or remove the authorizer."
    )


def test_an_imported_harness_may_be_jwt_authorized_too(stack: cdk.Stack, caller: iam.Role) -> None:
    harness = Harness.from_harness_attributes(stack, "Jwt", harness_arn=ARN, is_jwt_authorized=True)

    with pytest.raises(HarnessConfigError, match="must be left out for grants to mean anything"):
        harness.grant_invoke(caller)


def test_a_harness_is_a_grantee(stack: cdk.Stack, synthesized: Read) -> None:
    s3.Bucket(stack, "Data").grant_read(Harness(stack, "Own"))

    (statement,) = synthesized().statements("OwnExecutionRoleDefaultPolicy").values()
    assert "s3:GetObject*" in statement["Action"]


def test_a_harness_may_invoke_another(stack: cdk.Stack, synthesized: Read) -> None:
    helper = Harness(stack, "Helper")
    helper.grant_invoke(Harness(stack, "Own"))

    (statement,) = synthesized().statements("OwnExecutionRoleDefaultPolicy").values()
    assert statement["Action"] == INVOKE


def test_a_statement_of_one_s_own(stack: cdk.Stack, synthesized: Read) -> None:
    added = Harness(stack, "Own").add_to_role_policy(
        iam.PolicyStatement(sid="Mail", actions=["ses:SendEmail"], resources=["*"])
    )

    assert added
    assert "Mail" in synthesized().statements("OwnExecutionRoleDefaultPolicy")


def test_an_imported_harness_without_a_role_is_no_grantee(stack: cdk.Stack, harness: HarnessBase) -> None:
    with pytest.raises(RuntimeError, match="Agents/Agent, resource imported without a role"):
        s3.Bucket(stack, "Data").grant_read(harness)


def test_an_imported_harness_with_a_role_is_a_grantee(stack: cdk.Stack, caller: iam.Role, synthesized: Read) -> None:
    harness = Harness.from_harness_attributes(stack, "Agent", harness_arn=ARN, execution_role=caller)

    s3.Bucket(stack, "Data").grant_read(harness)

    assert synthesized().statements("CallerDefaultPolicy")
