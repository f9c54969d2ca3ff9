"""Hooks of Python functions, and who may call the harness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from support import synth
from support.shop import guards

from agentcore_constructs import (
    Authorizer,
    Claim,
    Harness,
    HarnessConfig,
    HarnessConfigError,
    Hook,
    HookFunction,
    Memory,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:gate"
BUS = "arn:aws:events:us-east-1:111122223333:event-bus/audit"


@pytest.fixture
def stack() -> cdk.Stack:
    return synth.new_stack()


def faults_of(act: Callable[[], Any]) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        act()
    return str(caught.value).splitlines()[1:]


def agent(stack: cdk.Stack, *hooks: Any, **given: Any) -> Harness:
    return Harness(stack, "Agent", memory=Memory.disabled(), hooks=hooks or None, **given)


def rendered(stack: cdk.Stack, name: str = "Hooks") -> Any:
    (resource,) = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
    return resource["Properties"][name]


def test_a_function_becomes_a_lambda_function_that_the_role_alone_may_call(stack: cdk.Stack) -> None:
    agent(stack, Hook.before_tool_call(guards.guard, timeout=7, failure_mode="allow"))
    template = synth.template_of(stack).to_json()["Resources"]
    ((function_id, function),) = ((key, one) for key, one in template.items() if one["Type"] == "AWS::Lambda::Function")
    assert function["Properties"]["Handler"] == "agentcore_lambdas.hooks.main.handler"
    assert function["Properties"]["Timeout"] == 7
    assert function["Properties"]["Environment"]["Variables"]["AGENTCORE_HOOK"] == "support.shop.guards:guard"
    arn = {"Fn::GetAtt": [function_id, "Arn"]}
    (harness,) = (one for one in template.values() if one["Type"] == "AWS::BedrockAgentCore::Harness")
    target = {"Lambda": {"Arn": arn, "TimeoutSeconds": 7, "FailureMode": "allow"}}
    assert harness["Properties"]["Hooks"] == [{"BeforeToolCall": {"Name": "guard", "Target": target}}]
    allowed = [
        statement
        for one in template.values()
        if one["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if "lambda:InvokeFunction" in statement["Action"]
    ]
    assert [statement["Resource"] for statement in allowed] == [[arn]]


def test_a_hook_may_be_named_and_added_later(stack: cdk.Stack) -> None:
    harness = agent(stack, Hook.before_invocation("first", guards.watch))
    harness.add_hook(Hook.after_invocation("last", target=guards.watch))
    names = [next(iter(hook.values()))["Name"] for hook in rendered(stack)]
    assert names == ["first", "last"]


def test_targets_name_their_hooks(stack: cdk.Stack) -> None:
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    function = lambda_.Function(stack, "Gate", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code)
    agent(
        stack,
        Hook.before_invocation(function),
        Hook.before_tool_call(FUNCTION, timeout=cdk.Duration.minutes(15)),
        Hook.after_tool_call(sns.Topic(stack, "Tool calls")),
        Hook.after_invocation(BUS),
        Hook.after_invocation(events.EventBus(stack, "Bus")),
        Hook.after_invocation(HookFunction(stack, "Ended", guards.watch)),
    )
    names = [next(iter(hook.values()))["Name"] for hook in rendered(stack)]
    assert names == ["Gate", "gate", "Tool-calls", "audit", "Bus", "Ended"]


def test_an_encrypted_topic_brings_the_right_to_its_key(stack: cdk.Stack) -> None:
    agent(stack, Hook.after_invocation(sns.Topic(stack, "Audit", master_key=kms.Key(stack, "Key"))))
    assert "kms:GenerateDataKey" in str(synth.resources(stack, "AWS::IAM::ManagedPolicy"))


def test_the_timeout_goes_to_900_seconds(stack: cdk.Stack) -> None:
    agent(
        stack,
        Hook.before_invocation("a", guards.watch, timeout=900),
        Hook.before_invocation("b", guards.watch, timeout=1),
    )
    assert {one["Properties"]["Timeout"] for one in synth.resources(stack, "AWS::Lambda::Function").values()} == {
        1,
        900,
    }


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_a_hook_for_another_event(stack: cdk.Stack) -> None:
    assert faults_of(lambda: agent(stack, Hook.after_tool_call(guards.guard))) == [
        (
            "  hooks[0].guard: must serve the event after_tool_call; received one for before_tool_call; use it in "
            "Hook.before_tool_call, or have it take that event too."
        )
    ]


def test_a_function_that_is_no_hook(stack: cdk.Stack) -> None:
    fix = "write def guard(event: hooks.BeforeToolCall) -> hooks.Decision, with agentcore_lambdas.hooks."
    told = f"  careless: must take one event of agentcore_lambdas.hooks; received careless(event); {fix}"
    assert faults_of(lambda: HookFunction(stack, "Bad", guards.careless)) == [told]
    assert faults_of(lambda: agent(stack, Hook.before_invocation(guards.careless))) == [
        told.replace("careless:", "hooks[0].careless:", 1)
    ]


def test_a_hook_without_a_name_that_its_target_tells(stack: cdk.Stack) -> None:
    told = faults_of(lambda: agent(stack, Hook.before_invocation(cdk.Fn.import_value("gate"))))
    assert told[0] == (
        "  hooks[0].beforeInvocation.name: must be given where the target does not tell one; received nothing; write a "
        "name before the target."
    )


def test_faults_of_functions_come_with_all_others(stack: cdk.Stack) -> None:
    told = faults_of(
        lambda: agent(
            stack,
            Hook.before_invocation("x", guards.watch, timeout=901),
            Hook.before_invocation("x", guards.watch),
            Hook.after_tool_call(guards.guard),
            Hook.after_invocation("a b", guards.watch),
        )
    )
    assert sorted(line.partition(":")[0].strip() for line in told) == [
        "hooks[0].beforeInvocation.target.lambda.timeoutSeconds",
        "hooks[1].beforeInvocation.name",
        "hooks[2].guard",
        "hooks[3].afterInvocation.name",
    ]


def test_there_are_at_most_20(stack: cdk.Stack) -> None:
    told = faults_of(lambda: agent(stack, *(Hook.after_invocation(f"h{number}", FUNCTION) for number in range(21))))
    assert told == ["  hooks: must be a list of hooks, 0–20; received a list of 21 items; keep at most 20 hooks."]


def test_a_function_alone_is_no_configuration() -> None:
    assert faults_of(lambda: HarnessConfig.create(hooks=[Hook.before_tool_call(guards.guard)])) == [
        (
            "  hooks[0].beforeToolCall.target: must be taken by a harness, which makes the Lambda function; received "
            "it alone; pass it to a Harness."
        )
    ]


# ---- who may call ----------------------------------------------------------------------------------------------------


def test_a_user_pool_is_asked_for_its_clients(stack: cdk.Stack) -> None:
    pool = cognito.UserPool(stack, "Users")
    client = pool.add_client("Agents")
    claims = [Claim.contains("cognito:groups", "agents")]
    agent(stack, authorizer=Authorizer.cognito(pool, clients=[client, "other"], scopes=["a/b"], claims=claims))
    found = rendered(stack, "AuthorizerConfiguration")["CustomJWTAuthorizer"]
    assert found["AllowedClients"] == [{"Ref": "UsersAgents28CB0C9C"}, "other"] or len(found["AllowedClients"]) == 2
    assert found["AllowedScopes"] == ["a/b"]
    assert "AllowedAudience" not in found
    url = found["DiscoveryUrl"]["Fn::Join"][1]
    assert (url[0], url[-1]) == ("https://", "/.well-known/openid-configuration")
    assert found["CustomClaims"][0]["InboundTokenClaimValueType"] == "STRING_ARRAY"


@pytest.mark.parametrize("pool", ["us-east-1_Abc123", "us-gov-west-1_Abc123"])
def test_the_id_of_a_user_pool_tells_its_region(pool: str) -> None:
    config = HarnessConfig.create(authorizer_configuration=Authorizer.cognito(pool, clients=["c"]))
    url = config.to_api()["authorizerConfiguration"]["customJWTAuthorizer"]["discoveryUrl"]
    assert url == f"https://cognito-idp.{pool.partition('_')[0]}.amazonaws.com/{pool}/.well-known/openid-configuration"


def test_what_is_no_user_pool_is_refused() -> None:
    told = faults_of(lambda: HarnessConfig.create(authorizer_configuration=Authorizer.cognito("users", clients=["c"])))
    assert told[0] == (
        "  authorizerConfiguration.customJWTAuthorizer.discoveryUrl: must be that of a Cognito user pool, or come from "
        "the id of one (<region>_<characters>); received 'users' (5 characters); pass the user pool; its Region cannot "
        "be told from a token."
    )


def test_iam_is_no_way_to_a_harness_that_takes_tokens(stack: cdk.Stack) -> None:
    harness = agent(stack, authorizer=Authorizer.cognito("us-east-1_Abc123", clients=["c"]))
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    for grant in (harness.grant_invoke, harness.grant_run_command):
        assert "customJWTAuthorizer, with which a harness refuses IAM" in faults_of(lambda: grant(role))[0]  # noqa: B023
