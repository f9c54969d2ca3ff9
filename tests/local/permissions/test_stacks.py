"""Stacks make, change and delete what AgentCore has with the role they are deployed with: each action by itself."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks
from support.stacks import get_att

if TYPE_CHECKING:
    from agentcore_local import Account

OWN = ["Harness", "HarnessEndpoint", "AgentRuntime", "AgentRuntimeEndpoint", "Memory", "Gateway", "GatewayTarget"]
SCHEMA = {"InlinePayload": [{"Name": "t", "Description": "d", "InputSchema": {"Type": "object"}}]}


def template(text: str) -> stacks.Template:
    """Everything that is checked, each described with a text."""
    function = {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": get_att("Role", "Arn"),
        "Code": {"ZipFile": "def handler(event, context): return {}"},
    }
    target = {
        "Name": "target",
        "Description": text,
        "GatewayIdentifier": {"Ref": "Gateway"},
        "CredentialProviderConfigurations": [{"CredentialProviderType": "GATEWAY_IAM_ROLE"}],
        "TargetConfiguration": {
            "Mcp": {"Lambda": {"LambdaArn": get_att("Function", "Arn"), "ToolSchema": SCHEMA}},
        },
    }
    gateway = {"Name": "tools", "Description": text, "AuthorizerType": "AWS_IAM", "RoleArn": get_att("Role", "Arn")}
    memory = {
        "Name": "own",
        "Description": text,
        "EventExpiryDuration": 30,
        "MemoryExecutionRoleArn": get_att("Role", "Arn"),
    }
    made = stacks.template(
        Harness=stacks.harness(SystemPrompt=[{"Text": text}]),
        Endpoint=stacks.endpoint(Description=text),
        Function={"Type": "AWS::Lambda::Function", "Properties": function},
        Gateway={"Type": "AWS::BedrockAgentCore::Gateway", "Properties": gateway},
        Target={"Type": "AWS::BedrockAgentCore::GatewayTarget", "Properties": target},
        Memory={"Type": "AWS::BedrockAgentCore::Memory", "Properties": memory},
    )
    trusted = {"Service": [stacks.SERVICE, "lambda.amazonaws.com"]}
    made["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = trusted
    return made


class Deployer:
    """Deploys with a role that may do anything but a few actions."""

    def __init__(self, account: Account) -> None:
        self._iam, self._stack = account.client("iam"), account.client("cloudformation")
        trust = json.dumps(stacks.trust("cloudformation.amazonaws.com"))
        self.role = self._iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust)["Role"]["Arn"]

    def may_not(self, *actions: str) -> None:
        statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        if actions:
            statements.append({"Effect": "Deny", "Action": list(actions), "Resource": "*"})
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self._iam.put_role_policy(RoleName="deployer", PolicyName="own", PolicyDocument=document)

    def create(self) -> str:
        return self._deploy(self._stack.create_stack, "one")

    def update(self) -> str:
        return self._deploy(self._stack.update_stack, "two")

    def delete(self) -> str:
        stack_id = self._stack.describe_stacks(StackName="Stack")["Stacks"][0]["StackId"]
        self._stack.delete_stack(StackName="Stack")
        return self._settled(stack_id)

    def reasons(self) -> str:
        events = self._stack.describe_stack_events(StackName="Stack")["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def _deploy(self, operation: Any, text: str) -> str:
        body = json.dumps(template(text))
        operation(StackName="Stack", TemplateBody=body, RoleARN=self.role, Capabilities=["CAPABILITY_IAM"])
        return self._settled("Stack")

    def _settled(self, name: str) -> str:
        end = time.monotonic() + 30
        while True:
            status = str(self._stack.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            assert time.monotonic() < end, status
            time.sleep(0.02)


@pytest.fixture
def deployer(account: Account) -> Deployer:
    return Deployer(account)


@pytest.mark.parametrize("action", [*(f"bedrock-agentcore:Create{name}" for name in OWN), "iam:PassRole"])
def test_creating(deployer: Deployer, action: str) -> None:
    deployer.may_not(action)
    assert deployer.create() == "ROLLBACK_COMPLETE"
    assert f"deployer/AWSCloudFormation is not authorized to perform: {action} on" in deployer.reasons()
    assert "(HandlerErrorCode: AccessDenied)" in deployer.reasons()


def test_changing_and_deleting(deployer: Deployer) -> None:
    """One stack for all, since whoever may not change it leaves it as it is."""
    deployer.may_not()
    assert deployer.create() == "CREATE_COMPLETE"
    for name in OWN:
        action = f"bedrock-agentcore:Update{name}"
        deployer.may_not(action)
        # What was changed before the refusal is changed back, and with the same role some of it cannot be.
        assert deployer.update() in {"UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"}, action
        assert f"not authorized to perform: {action} on" in deployer.reasons()
        if deployer.delete() == "DELETE_COMPLETE":
            deployer.may_not()
            assert deployer.create() == "CREATE_COMPLETE"
    for name in OWN:
        action = f"bedrock-agentcore:Delete{name}"
        deployer.may_not(action)
        assert deployer.delete() == "DELETE_FAILED", action
        assert f"not authorized to perform: {action} on" in deployer.reasons()
        deployer.may_not()
        assert deployer.delete() == "DELETE_COMPLETE"
        assert deployer.create() == "CREATE_COMPLETE"
