"""`AWS::BedrockAgentCore::Harness` and `HarnessEndpoint` in stacks: the whole life, by direct deploy."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks
from support.stacks import get_att

from agentcore_local.deploy import DeploymentError
from agentcore_local.harness.store import STORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

ATTRIBUTES = (
    "Arn",
    "HarnessId",
    "Status",
    "Version",
    "CreatedAt",
    "UpdatedAt",
    "Memory.ManagedMemoryConfiguration.Arn",
    "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeArn",
    "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeId",
    "Environment.AgentCoreRuntimeEnvironment.AgentRuntimeName",
)
ENDPOINT_ATTRIBUTES = ("Arn", "HarnessName", "Status", "LiveVersion", "CreatedAt", "UpdatedAt")
OUTPUTS = {
    **{name.replace(".", ""): get_att("Harness", name) for name in ATTRIBUTES},
    **{f"Endpoint{name}": get_att("Endpoint", name) for name in ENDPOINT_ATTRIBUTES},
    "HarnessRef": {"Ref": "Harness"},
    "EndpointRef": {"Ref": "Endpoint"},
}
LATEST = get_att("Harness", "Version")


def agent(prompt: str = "one", *, version: Any = LATEST, **properties: Any) -> stacks.Template:
    """A harness with an endpoint that follows it, and every attribute as an output."""
    harness = stacks.harness(SystemPrompt=[{"Text": prompt}], **properties)
    return stacks.template(OUTPUTS, Harness=harness, Endpoint=stacks.endpoint(version=version))


def broken(template: stacks.Template) -> stacks.Template:
    """The template with a resource that fails after the endpoint."""
    failing = {"Type": "AWS::BedrockAgentCore::Gateway", "DependsOn": "Endpoint", "Properties": {"Name": "no type"}}
    return {**template, "Resources": {**template["Resources"], "Failing": failing}}


def prompts(control: Any, harness_id: str) -> list[str]:
    """The prompt of every version, oldest first."""
    numbers = [
        found["harnessVersion"] for found in control.list_harness_versions(harnessId=harness_id)["harnessVersions"]
    ]
    shapes = [
        control.get_harness(harnessId=harness_id, harnessVersion=number)["harness"] for number in reversed(numbers)
    ]
    return [shape["systemPrompt"][0]["text"] for shape in shapes]


def test_life_of_a_stack(deploy: Any, control: Any, account: Account, say: Callable[..., str]) -> None:
    """Deploy, invoke, update: the endpoint that is pinned answers from the old version, a failing update rolls back,
    and destroying leaves nothing."""
    outputs = deploy(agent("one", version="1")).outputs
    arn, harness_id = outputs["Arn"], outputs["HarnessId"]
    account.cloud.script(arn, lambda call: call.system_prompt)
    assert say(arn) == "one"

    outputs = deploy(agent("two", version="1")).outputs
    assert (outputs["Version"], outputs["EndpointLiveVersion"]) == ("2", "1")
    assert (say(arn), say(arn, qualifier="PROD"), say(arn, qualifier="DEFAULT")) == ("two", "one", "two")

    with pytest.raises(DeploymentError, match=r"(?s)UPDATE_ROLLBACK_COMPLETE.*required key"):
        deploy(broken(agent("three", version="2")))
    # Really back: what was rolled back is a version too.
    assert prompts(control, harness_id) == ["one", "two", "three", "two"]
    assert (say(arn), say(arn, qualifier="PROD")) == ("two", "one")

    outputs = deploy(agent("four")).outputs
    assert (outputs["Version"], outputs["EndpointLiveVersion"]) == ("5", "5")
    assert say(arn, qualifier="PROD") == "four"

    account.destroy("Stack")
    assert control.list_harnesses()["harnesses"] == []
    assert control.list_memories()["memories"] == []
    assert account.client("iam").list_roles()["Roles"] == []


def test_every_attribute_of_the_schema(deploy: Any, account: Account) -> None:
    outputs = deploy(agent(HarnessName="my_agent")).outputs
    prefix = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}"
    harness_id = outputs["HarnessId"]
    assert outputs["Arn"] == outputs["HarnessRef"] == f"{prefix}:harness/{harness_id}"
    assert (outputs["Status"], outputs["Version"]) == ("READY", "1")
    assert outputs["MemoryManagedMemoryConfigurationArn"].startswith(f"{prefix}:memory/my_agent-")
    runtime_id = outputs["EnvironmentAgentCoreRuntimeEnvironmentAgentRuntimeId"]
    assert runtime_id.startswith("harness_my_agent-")
    assert outputs["EnvironmentAgentCoreRuntimeEnvironmentAgentRuntimeArn"] == f"{prefix}:runtime/{runtime_id}"
    assert outputs["EnvironmentAgentCoreRuntimeEnvironmentAgentRuntimeName"] == "harness_my_agent"
    assert outputs["EndpointArn"] == outputs["EndpointRef"] == f"{outputs['Arn']}/harness-endpoint/PROD"
    assert (outputs["EndpointHarnessName"], outputs["EndpointStatus"]) == ("my_agent", "READY")


def test_a_stack_that_did_not_change_makes_no_version(deploy: Any, control: Any) -> None:
    first = deploy(agent())
    again = deploy(agent())
    assert (first.changed, again.changed) == (True, False)
    assert prompts(control, first.outputs["HarnessId"]) == ["one"]


def test_what_amounts_to_the_same_makes_no_version(deploy: Any, control: Any) -> None:
    harness_id = deploy(agent()).outputs["HarnessId"]
    deploy(agent(MaxIterations=75, AllowedTools=["*"], Tools=[], Memory={"ManagedMemoryConfiguration": {}}))
    assert prompts(control, harness_id) == ["one"]


def test_tags_change_without_a_version(deploy: Any, control: Any) -> None:
    outputs = deploy(agent(Tags=[{"Key": "team", "Value": "a"}])).outputs
    deploy(agent(Tags=[{"Key": "team", "Value": "b"}]))
    tags = control.list_tags_for_resource(resourceArn=outputs["Arn"])["tags"]
    assert (tags["team"], tags["aws:cloudformation:logical-id"]) == ("b", "Harness")
    assert prompts(control, outputs["HarnessId"]) == ["one"]


def test_the_stacks_own_tags_are_beyond_the_limit_of_fifty(deploy: Any, control: Any) -> None:
    fifty = [{"Key": f"key-{index}", "Value": "a"} for index in range(50)]
    outputs = deploy(agent(Tags=fifty)).outputs
    deploy(agent(Tags=[{**tag, "Value": "b"} for tag in fifty]))
    tags = control.list_tags_for_resource(resourceArn=outputs["Arn"])["tags"]
    assert [tags[tag["Key"]] for tag in fifty] == ["b"] * 50
    with pytest.raises(DeploymentError, match=r"#/Tags: failed validation constraint for keyword \[maxItems\]: 50"):
        deploy(agent(Tags=[*fifty, {"Key": "one-more", "Value": "a"}]))


def test_a_property_that_is_removed_goes_back_to_its_default(deploy: Any, control: Any) -> None:
    network = {
        "NetworkMode": "VPC",
        "NetworkModeConfig": {"Subnets": ["subnet-12345678"], "SecurityGroups": ["sg-12345678"]},
    }
    outputs = deploy(
        agent(
            MaxIterations=3,
            MaxTokens=100,
            AllowedTools=["shell"],
            EnvironmentVariables={"A": "b"},
            Environment={"AgentCoreRuntimeEnvironment": {"NetworkConfiguration": network}},
            Memory={"ManagedMemoryConfiguration": {"Strategies": ["EPISODIC"]}},
            Truncation={"Strategy": "none"},
        )
    ).outputs
    deploy(agent())
    shape = control.get_harness(harnessId=outputs["HarnessId"])["harness"]
    assert (shape["maxIterations"], shape["allowedTools"], shape["truncation"]["strategy"]) == (
        75,
        ["*"],
        "sliding_window",
    )
    assert "maxTokens" not in shape
    assert "environmentVariables" not in shape
    network = shape["environment"]["agentCoreRuntimeEnvironment"]["networkConfiguration"]
    assert network["networkMode"] == "PUBLIC"
    managed = shape["memory"]["managedMemoryConfiguration"]
    assert managed["strategies"] == ["SEMANTIC", "SUMMARIZATION"]
    assert managed["arn"] == outputs["MemoryManagedMemoryConfigurationArn"]


def test_properties_reach_the_api_with_its_names(deploy: Any, control: Any) -> None:
    tool = {
        "Type": "inline_function",
        "Name": "ask",
        "Config": {"InlineFunction": {"Description": "d", "InputSchema": {"type": "object", "Properties": {"A": 1}}}},
    }
    jwt = {"DiscoveryUrl": "https://x.example/.well-known/openid-configuration", "AllowedAudience": ["a"]}
    harness_id = deploy(
        agent(
            Model={"BedrockModelConfig": {"ModelId": "m", "Temperature": "0.5", "AdditionalParams": {"Keep_This": 1}}},
            Tools=[tool],
            MaxIterations="4",
            AuthorizerConfiguration={"CustomJWTAuthorizer": jwt},
            EnvironmentVariables={"Upper": "1"},
        )
    ).outputs["HarnessId"]
    shape = control.get_harness(harnessId=harness_id)["harness"]
    model = {"modelId": "m", "temperature": 0.5, "additionalParams": {"Keep_This": 1}}
    assert shape["model"] == {"bedrockModelConfig": model}
    assert shape["tools"][0]["config"]["inlineFunction"]["inputSchema"] == {"type": "object", "Properties": {"A": 1}}
    assert shape["maxIterations"] == 4
    assert shape["authorizerConfiguration"]["customJWTAuthorizer"]["allowedAudience"] == ["a"]
    assert shape["environmentVariables"] == {"Upper": "1"}


class TestRefusals:
    """Refused with what CloudFormation says; nothing is left behind."""

    @pytest.mark.parametrize(
        ("properties", "message"),
        [
            ({"HarnessName": "a-b"}, r"#/HarnessName: failed validation constraint for keyword \[pattern\]"),
            ({"Model": None}, r"#: required key \[Model\] not found"),
            ({"Modell": {}}, r"#: extraneous key \[Modell\] is not permitted"),
            ({"Arn": "arn:x"}, r"it is read-only"),
            ({"MaxIterations": "many"}, "#/MaxIterations: expected type: integer, found: str"),
            (
                {"Model": {"BedrockModelConfig": {"ModelId": "m"}, "GeminiModelConfig": {"ModelId": "m"}}},
                "#/Model: #: exactly one of the 4 alternatives must match",
            ),
            (
                {
                    "Tools": [
                        {"Type": "remote_mcp", "Config": {"InlineFunction": {"Description": "", "InputSchema": {}}}}
                    ]
                },
                "#/Tools/0/Config/InlineFunction/Description",
            ),
            # What the schema accepts and the service does not:
            (
                {"Tools": [{"Type": "remote_mcp"}]},
                (
                    r"a tool of type remote_mcp requires config.remoteMcp \(Service: BedrockAgentCoreControl, "
                    r"Status Code: 400\).*HandlerErrorCode: InvalidRequest"
                ),
            ),
            ({"ExecutionRoleArn": "arn:aws:iam::111122223333:role/x"}, "Role validation failed"),
        ],
    )
    def test_a_harness(self, deploy: Any, control: Any, properties: dict[str, Any], message: str) -> None:
        with pytest.raises(DeploymentError, match=message):
            deploy(agent(**properties))
        assert control.list_harnesses()["harnesses"] == []
        assert control.list_memories()["memories"] == []

    def test_a_role_that_does_not_trust_the_service(self, deploy: Any) -> None:
        template = agent()
        template["Resources"]["Role"] = stacks.role("lambda.amazonaws.com")
        with pytest.raises(DeploymentError, match="does not allow sts:AssumeRole to bedrock-agentcore"):
            deploy(template)

    def test_a_name_that_is_taken(self, deploy: Any) -> None:
        deploy(agent())
        with pytest.raises(DeploymentError, match=r"already exists.*HandlerErrorCode: AlreadyExists"):
            deploy(agent(), "Other")

    def test_a_version_that_does_not_exist(self, deploy: Any) -> None:
        with pytest.raises(DeploymentError, match="HandlerErrorCode: NotFound"):
            deploy(agent(version="7"))

    def test_an_attribute_that_does_not_exist(self, deploy: Any) -> None:
        template = stacks.template({"X": get_att("Harness", "Nothing")}, Harness=stacks.harness())
        with pytest.raises(DeploymentError, match="Requested attribute Nothing does not exist in schema"):
            deploy(template)


class TestReplacement:
    def test_another_name_is_another_harness(self, deploy: Any, control: Any) -> None:
        before = deploy(agent(HarnessName="before")).outputs
        after = deploy(agent(HarnessName="after")).outputs
        assert before["HarnessId"] != after["HarnessId"]
        assert [found["harnessName"] for found in control.list_harnesses()["harnesses"]] == ["after"]
        assert after["EndpointArn"].startswith(after["Arn"])
        memories = [found["id"] for found in control.list_memories()["memories"]]
        assert memories == [after["MemoryManagedMemoryConfigurationArn"].rsplit("/", 1)[1]]

    def test_another_memory_key_under_the_same_name_is_refused(self, deploy: Any, control: Any) -> None:
        harness_id = deploy(agent()).outputs["HarnessId"]
        key = f"arn:aws:kms:us-east-1:111122223333:key/{uuid.uuid4()}"
        memory = {"ManagedMemoryConfiguration": {"EncryptionKeyArn": key}}
        with pytest.raises(
            DeploymentError, match="cannot update a stack when a custom-named resource requires replacing"
        ):
            deploy(agent(Memory=memory))
        assert prompts(control, harness_id) == ["one"]

    def test_another_endpoint_name_is_another_endpoint(self, deploy: Any, control: Any) -> None:
        harness_id = deploy(agent()).outputs["HarnessId"]
        template = agent()
        template["Resources"]["Endpoint"] = stacks.endpoint("BETA", version=LATEST)
        deploy(template)
        found = control.list_harness_endpoints(harnessId=harness_id)["endpoints"]
        assert [endpoint["endpointName"] for endpoint in found] == ["DEFAULT", "BETA"]

    def test_a_replacement_that_fails_leaves_the_old_one(self, deploy: Any, control: Any) -> None:
        before = deploy(agent(HarnessName="before")).outputs
        with pytest.raises(DeploymentError, match="UPDATE_ROLLBACK_COMPLETE"):
            deploy(broken(agent(HarnessName="after")))
        found = control.list_harnesses()["harnesses"]
        assert [harness["harnessId"] for harness in found] == [before["HarnessId"]]


class TestEndpoint:
    def test_without_a_target_it_stays_on_the_version_of_its_creation(self, deploy: Any) -> None:
        deploy(agent("one", version=None))
        outputs = deploy(agent("two", version=None)).outputs
        assert (outputs["Version"], outputs["EndpointLiveVersion"]) == ("2", "1")

    def test_with_the_attribute_it_follows_in_the_same_deployment(self, deploy: Any) -> None:
        deploy(agent("one"))
        outputs = deploy(agent("two")).outputs
        assert (outputs["Version"], outputs["EndpointLiveVersion"]) == ("2", "2")

    def test_a_target_that_is_removed_leaves_it_where_it_is(self, deploy: Any) -> None:
        deploy(agent("one"))
        outputs = deploy(agent("two", version=None)).outputs
        assert outputs["EndpointLiveVersion"] == "1"

    def test_is_described(self, deploy: Any, control: Any) -> None:
        template = stacks.template(
            {"Id": get_att("Harness", "HarnessId")},
            Harness=stacks.harness(),
            Endpoint=stacks.endpoint(version=1, Description="for customers"),
        )
        harness_id = deploy(template).outputs["Id"]
        found = control.get_harness_endpoint(harnessId=harness_id, endpointName="PROD")["endpoint"]
        assert (found["description"], found["targetVersion"]) == ("for customers", "1")
        del template["Resources"]["Endpoint"]["Properties"]["Description"]
        deploy(template)
        found = control.get_harness_endpoint(harnessId=harness_id, endpointName="PROD")["endpoint"]
        assert "description" not in found


class TestMemory:
    def test_switching_to_one_of_your_own_leaves_the_managed_one(self, deploy: Any, control: Any) -> None:
        managed = deploy(agent()).outputs["MemoryManagedMemoryConfigurationArn"]
        own = control.create_memory(name="own", eventExpiryDuration=30)["memory"]["arn"]
        template = agent(Memory={"AgentCoreMemoryConfiguration": {"Arn": own}})
        del template["Outputs"]["MemoryManagedMemoryConfigurationArn"]
        deploy(template)
        kept = {found["arn"] for found in control.list_memories()["memories"]}
        assert kept == {managed, own}

    def test_its_arn_is_no_attribute_when_there_is_none(self, deploy: Any) -> None:
        with pytest.raises(DeploymentError, match=r"Memory\.ManagedMemoryConfiguration.Arn does not exist"):
            deploy(agent(Memory={"Disabled": {}}))

    def test_a_memory_of_the_template(self, deploy: Any, control: Any) -> None:
        strategy = {"SemanticMemoryStrategy": {"Name": "facts", "Namespaces": ["/facts/{actorId}/"]}}
        memory = {
            "Type": "AWS::BedrockAgentCore::Memory",
            "Properties": {"Name": "own", "EventExpiryDuration": 30, "MemoryStrategies": [strategy]},
        }
        harness = stacks.harness(Memory={"AgentCoreMemoryConfiguration": {"Arn": get_att("Memory", "MemoryArn")}})
        template = stacks.template(
            {"Id": get_att("Harness", "HarnessId"), "Memory": get_att("Memory", "MemoryId")},
            Memory=memory,
            Harness=harness,
        )
        outputs = deploy(template).outputs
        shape = control.get_harness(harnessId=outputs["Id"])["harness"]["memory"]["agentCoreMemoryConfiguration"]
        assert list(shape["retrievalConfig"]) == ["/facts/{actorId}/"]

        other = {"SummaryMemoryStrategy": {"Name": "sums", "Namespaces": ["/sums/{actorId}/{sessionId}/"]}}
        memory["Properties"] = {"Name": "own", "EventExpiryDuration": 60, "MemoryStrategies": [other]}
        deploy(template)
        found = control.get_memory(memoryId=outputs["Memory"])["memory"]
        assert [strategy["name"] for strategy in found["strategies"]] == ["sums"]
        assert found["eventExpiryDuration"] == 60


def test_a_stack_waits_until_a_harness_is_ready(deploy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STORE, "settle_seconds", 0.3)
    assert deploy(agent()).outputs["Status"] == "READY"


def test_deleting_what_is_already_gone_succeeds(deploy: Any, control: Any, account: Account) -> None:
    outputs = deploy(agent()).outputs
    control.delete_harness(harnessId=outputs["HarnessId"])
    account.destroy("Stack")
    (stack,) = account.client("cloudformation").list_stacks()["StackSummaries"]
    assert (stack["StackName"], stack["StackStatus"]) == ("Stack", "DELETE_COMPLETE")
