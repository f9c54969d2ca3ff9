"""Harnesses, endpoints and the other AgentCore types in CloudFormation."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks
from support.behaviours import behaviour

from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

TOPIC = "CloudFormation"
SOURCES = (
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-bedrockagentcore-harness.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-versioning.html",
)
OUTPUTS = {
    "Ref": {"Ref": "Harness"},
    **{name: stacks.get_att("Harness", name) for name in ("Arn", "HarnessId", "Version", "Status")},
    "LiveVersion": stacks.get_att("Endpoint", "LiveVersion"),
}


def agent(version: Any = None, **properties: Any) -> stacks.Template:
    return stacks.template(OUTPUTS, Harness=stacks.harness(**properties), Endpoint=stacks.endpoint(version=version))


@behaviour("`Ref` of a harness is its ARN; name, id, status, version, runtime and memory are attributes")
def test_attributes(deploy: Any) -> None:
    outputs = deploy(agent()).outputs
    assert outputs["Ref"] == outputs["Arn"]
    assert (outputs["Version"], outputs["Status"]) == ("1", "READY")


@behaviour("The template needs a model; the API has a default")
def test_model_is_required(deploy: Any) -> None:
    with pytest.raises(DeploymentError, match=r"required key \[Model\] not found"):
        deploy(agent(Model=None))


@behaviour(
    "A property of another name, type or pattern than the schema's is refused, everything in the template included"
)
def test_schema(deploy: Any) -> None:
    for properties, message in (({"Colour": "red"}, "extraneous key"), ({"HarnessName": "a-b"}, "pattern")):
        with pytest.raises(DeploymentError, match=message):
            deploy(agent(**properties))


@behaviour("A changed property is a new version; what amounts to the same configuration is none")
def test_versions(deploy: Any) -> None:
    deploy(agent())
    assert deploy(agent(MaxIterations=5)).outputs["Version"] == "2"
    assert deploy(agent(MaxIterations=5, AllowedTools=["*"])).outputs["Version"] == "2"


@behaviour("A rollback is an update: version numbers keep rising")
def test_rollback(deploy: Any, control: Any) -> None:
    harness_id = deploy(agent()).outputs["HarnessId"]
    broken = agent(MaxIterations=5)
    broken["Resources"]["Failing"] = {
        "Type": "AWS::BedrockAgentCore::Gateway",
        "DependsOn": "Endpoint",
        "Properties": {"Name": "no type"},
    }
    with pytest.raises(DeploymentError, match="UPDATE_ROLLBACK_COMPLETE"):
        deploy(broken)
    found = control.get_harness(harnessId=harness_id)["harness"]
    assert (found["harnessVersion"], found["maxIterations"]) == ("3", 75)


@behaviour("Another `HarnessName` is another harness: the old one goes, and its managed memory with it")
def test_renaming(deploy: Any, control: Any) -> None:
    before = deploy(agent(HarnessName="before")).outputs["HarnessId"]
    after = deploy(agent(HarnessName="after")).outputs["HarnessId"]
    assert before != after
    assert [found["harnessId"] for found in control.list_harnesses()["harnesses"]] == [after]
    assert len(control.list_memories()["memories"]) == 1


@behaviour("Another key of the managed memory needs a new harness, which the same name forbids")
def test_another_key(deploy: Any) -> None:
    deploy(agent())
    key = f"arn:aws:kms:us-east-1:111122223333:key/{uuid.uuid4()}"
    with pytest.raises(DeploymentError, match="custom-named resource requires replacing"):
        deploy(agent(Memory={"ManagedMemoryConfiguration": {"EncryptionKeyArn": key}}))


@behaviour("An endpoint without `TargetVersion` stays on the version of its creation")
def test_frozen_endpoint(deploy: Any) -> None:
    deploy(agent())
    assert deploy(agent(MaxIterations=5)).outputs["LiveVersion"] == "1"


@behaviour("An endpoint whose `TargetVersion` is the harness' attribute `Version` follows in the same deployment")
def test_following_endpoint(deploy: Any) -> None:
    latest = stacks.get_att("Harness", "Version")
    deploy(agent(latest))
    assert deploy(agent(latest, MaxIterations=5)).outputs["LiveVersion"] == "2"


@behaviour("Deleting the stack deletes the harness and its managed memory")
def test_deletion(deploy: Any, control: Any, account: Account) -> None:
    deploy(agent())
    account.destroy("Stack")
    assert control.list_harnesses()["harnesses"] == control.list_memories()["memories"] == []


@behaviour(
    "A property that is removed from the template",
    status="approximated",
    note="Goes back to the default of a create without it. What CloudFormation's handler sends is not documented, and "
    "the API keeps what it is not sent.",
)
def test_removed_property(deploy: Any, control: Any) -> None:
    harness_id = deploy(agent(MaxIterations=5)).outputs["HarnessId"]
    deploy(agent())
    assert control.get_harness(harnessId=harness_id)["harness"]["maxIterations"] == 75


@behaviour("Settings that only the API has are refused as unknown properties", note="`OutboundAuth` of an MCP server.")
def test_api_only(deploy: Any) -> None:
    server = {"Url": "https://example.com", "OutboundAuth": {"AwsIam": {}}}
    with pytest.raises(DeploymentError, match="OutboundAuth"):
        deploy(agent(Tools=[{"Type": "remote_mcp", "Name": "far", "Config": {"RemoteMcp": server}}]))


@behaviour(
    "Types of services nobody emulates here: created, updated, replaced, deleted",
    status="approximated",
    note="Checked against their schema, recorded, given attributes that fit their patterns; nothing runs behind them.",
)
def test_recorded_types(deploy: Any) -> None:
    zone = {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": "subnet-1", "ConnectivityType": "private"}}
    outputs = deploy(stacks.template({"Id": {"Ref": "Nat"}}, Nat=zone)).outputs
    assert outputs["Id"]


@behaviour(
    "Macros, stack sets and other types whose point is what they do",
    status="refused",
    note="As unrecognized resource types, before anything is made.",
)
def test_types_that_act(deploy: Callable[..., Any]) -> None:
    acting = {"Type": "AWS::CloudFormation::Macro", "Properties": {"Name": "m", "FunctionName": "f"}}
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        deploy(stacks.template(Macro=acting))
