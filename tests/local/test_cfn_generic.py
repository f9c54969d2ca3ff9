"""Types nothing emulates, and what ministack's own types lack."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks
from support.stacks import get_att

from agentcore_local import seams
from agentcore_local.cfn import generic, properties, schemas
from agentcore_local.cfn.fabricate import Fabricator
from agentcore_local.cfn.registry import register_type
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud

GATEWAY = {
    "Type": "AWS::BedrockAgentCore::Gateway",
    "Properties": {"Name": "my-gateway", "AuthorizerType": "AWS_IAM", "RoleArn": get_att("Role", "Arn")},
}
BROWSER = {
    "Type": "AWS::BedrockAgentCore::BrowserCustom",
    "Properties": {"Name": "my_browser", "NetworkConfiguration": {"NetworkMode": "PUBLIC"}},
}
FABRICATED = sorted(name for name in schemas.index() if name.startswith(("AWS::BedrockAgentCore::", "AWS::S3Files::")))


def source(name: str = "source", **members: Any) -> dict[str, Any]:
    """A recorded type whose name is its identifier."""
    return {"Type": "AWS::Logs::DeliverySource", "Properties": {"Name": name, "LogType": "TRACES", **members}}


def one(resource: dict[str, Any], **outputs: Any) -> stacks.Template:
    """A template with one resource, its `Ref`, and these outputs."""
    return stacks.template({"Ref": {"Ref": "Thing"}, **outputs}, Thing=resource)


class TestRecorded:
    def test_returns_its_identifier_and_attributes(self, deploy: Any, account: Account) -> None:
        outputs = deploy(
            one(
                GATEWAY,
                Arn=get_att("Thing", "GatewayArn"),
                Url=get_att("Thing", "GatewayUrl"),
                S=get_att("Thing", "Status"),
            )
        ).outputs
        gateway_id = outputs["Ref"]
        assert re.fullmatch(r"my-gateway-[a-z0-9]{10}", gateway_id)
        prefix = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}"
        assert outputs["Arn"] == f"{prefix}:gateway/{gateway_id}"
        assert outputs["Url"].endswith(f"/_gateway/{gateway_id}/mcp")
        assert outputs["S"] == "READY"

    def test_what_one_returns_another_accepts(self, deploy: Any, control: Any) -> None:
        """ARNs of recorded resources pass the patterns of CreateHarness."""
        provider = {
            "Type": "AWS::BedrockAgentCore::ApiKeyCredentialProvider",
            "Properties": {"Name": "key", "ApiKey": "x"},
        }
        interpreter = {
            "Type": "AWS::BedrockAgentCore::CodeInterpreterCustom",
            "Properties": {"Name": "ci", "NetworkConfiguration": {"NetworkMode": "PUBLIC"}},
        }
        tools = [
            {
                "Type": "agentcore_gateway",
                "Config": {"AgentCoreGateway": {"GatewayArn": get_att("Gateway", "GatewayArn")}},
            },
            {
                "Type": "agentcore_browser",
                "Config": {"AgentCoreBrowser": {"BrowserArn": get_att("Browser", "BrowserArn")}},
            },
            {
                "Type": "agentcore_code_interpreter",
                "Config": {
                    "AgentCoreCodeInterpreter": {"CodeInterpreterArn": get_att("Interpreter", "CodeInterpreterArn")}
                },
            },
        ]
        model = {"OpenAiModelConfig": {"ModelId": "m", "ApiKeyArn": get_att("Key", "CredentialProviderArn")}}
        template = stacks.template(
            {"Id": get_att("Harness", "HarnessId")},
            Gateway=GATEWAY,
            Browser=BROWSER,
            Interpreter=interpreter,
            Key=provider,
            Harness=stacks.harness(Tools=tools, Model=model),
        )
        shape = control.get_harness(harnessId=deploy(template).outputs["Id"])["harness"]
        assert [tool["type"] for tool in shape["tools"]] == [tool["Type"] for tool in tools]

    def test_keeps_its_identity_on_update(self, deploy: Any) -> None:
        outputs = {"Arn": get_att("Thing", "GatewayArn"), "Created": get_att("Thing", "CreatedAt")}
        before = deploy(one(GATEWAY, **outputs)).outputs
        described = {**GATEWAY, "Properties": {**GATEWAY["Properties"], "Description": "d"}}
        assert deploy(one(described, **outputs)).outputs == before

    def test_is_replaced_when_a_create_only_property_changes(self, deploy: Any, account: Account) -> None:
        deploy(one(source("before")))
        assert deploy(one(source("after"))).outputs["Ref"] == "after"
        with seams.acting_for((account.account_id, account.region)):
            assert [found.physical_id for found in generic.RECORDS.of_type("AWS::Logs::DeliverySource")] == ["after"]

    def test_a_nested_create_only_property_replaces_too(self, deploy: Any, account: Account) -> None:
        def budget(name: str) -> dict[str, Any]:
            inner = {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
            return {"Type": "AWS::Budgets::Budget", "Properties": {"Budget": inner}}

        before = deploy(one(budget("a"))).outputs["Ref"]
        after = deploy(one(budget("b"))).outputs["Ref"]
        assert before != after
        with seams.acting_for((account.account_id, account.region)):
            assert [found.physical_id for found in generic.RECORDS.of_type("AWS::Budgets::Budget")] == [after]

    def test_an_identifier_that_is_taken_is_refused(self, deploy: Any) -> None:
        deploy(one(source()))
        with pytest.raises(DeploymentError, match=r"identifier 'source' already exists.*AlreadyExists"):
            deploy(one(source()), "Other")

    def test_replacing_under_the_same_name_collides_as_on_aws(self, deploy: Any) -> None:
        deploy(one(BROWSER))
        described = {**BROWSER, "Properties": {**BROWSER["Properties"], "Description": "replaces it"}}
        with pytest.raises(DeploymentError, match="already exists"):
            deploy(one(described))

    def test_goes_with_its_stack(self, deploy: Any, account: Account) -> None:
        deploy(one(source()))
        account.destroy("Stack")
        deploy(one(source()), "Other")

    def test_properties_are_checked(self, deploy: Any) -> None:
        with pytest.raises(DeploymentError, match=r"extraneous key \[Nmae\] is not permitted"):
            deploy(one(source(Nmae="x")))

    def test_a_type_nobody_knows_is_refused_before_anything_is_made(self, deploy: Any) -> None:
        with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::BedrockAgentCore::Harnes\]"):
            deploy(one({"Type": "AWS::BedrockAgentCore::Harnes"}))

    def test_a_type_that_does_things_is_not_recorded(self, deploy: Any) -> None:
        with pytest.raises(ClientError, match="Unrecognized resource types"):
            deploy(one({"Type": "AWS::CloudFormation::StackSet", "Properties": {"StackSetName": "s"}}))


class TestCompleted:
    """ministack's own types return every attribute of their schema and check their properties."""

    def test_missing_attributes_are_filled_in(self, deploy: Any) -> None:
        vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
        outputs = deploy(
            one(vpc, Cidr=get_att("Thing", "CidrBlock"), Acl=get_att("Thing", "DefaultNetworkAcl"))
        ).outputs
        assert outputs["Cidr"] == "10.0.0.0/16"
        assert outputs["Acl"].startswith("acl-")

    def test_what_the_handler_returns_wins(self, deploy: Any, account: Account) -> None:
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
        outputs = deploy(one(topic, Arn=get_att("Thing", "TopicArn"))).outputs
        assert outputs["Arn"] == f"arn:aws:sns:us-east-1:{account.account_id}:t"

    def test_properties_are_checked(self, deploy: Any) -> None:
        with pytest.raises(DeploymentError, match=r"extraneous key \[QueueNmae\] is not permitted"):
            deploy(one({"Type": "AWS::SQS::Queue", "Properties": {"QueueNmae": "q"}}))

    def test_updates_are_checked_too(self, deploy: Any) -> None:
        deploy(one({"Type": "AWS::SQS::Queue", "Properties": {}}))
        with pytest.raises(DeploymentError, match=r"(?s)UPDATE_ROLLBACK_COMPLETE.*VisibilityTimeout"):
            deploy(one({"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": "soon"}}))

    def test_what_a_service_answers_becomes_a_sentence(self, deploy: Any, account: Account) -> None:
        """In JSON or in XML, ministack's handlers pass it on as it came."""
        target = {"FileSystemId": "fs-01234567", "SubnetId": "subnet-01234567", "SecurityGroups": ["sg-01234567"]}
        with pytest.raises(DeploymentError, match=r'message: "[^"{]*fs-01234567[^"}]* \(FileSystemNotFound\)"'):
            deploy(one({"Type": "AWS::EFS::MountTarget", "Properties": target}))
        account.client("iam").create_instance_profile(InstanceProfileName="taken")
        with pytest.raises(DeploymentError, match=r'message: "[^"<]*taken[^">]* \(EntityAlreadyExists\)"'):
            deploy(
                one({"Type": "AWS::IAM::InstanceProfile", "Properties": {"InstanceProfileName": "taken", "Roles": []}})
            )

    def test_scalars_may_travel_as_strings(self, deploy: Any) -> None:
        deploy(one({"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": "30", "FifoQueue": "true"}}))


class TestFabricated:
    @pytest.mark.parametrize("resource_type", FABRICATED)
    def test_attributes_fit_their_own_patterns(self, resource_type: str) -> None:
        maker = Fabricator(resource_type, "Thing", {"Name": "my-name"}, "111122223333", "eu-west-1")
        for name, value in maker.attributes().items():
            pattern = maker._node(tuple(name.split("."))).get("pattern")
            # Outputs nested in an object exist only when the matching input does.
            if pattern and isinstance(value, str) and name.count(".") < 2:
                assert re.search(pattern, value), (name, pattern, value)

    def test_an_arn_holds_the_ids_of_its_resource(self) -> None:
        given = {"Name": "p", "PolicyEngineId": "engine-0123456789"}
        made = Fabricator("AWS::BedrockAgentCore::Policy", "Thing", given, "111122223333", "eu-west-1").attributes()
        prefix = "arn:aws:bedrock-agentcore:eu-west-1:111122223333"
        assert made["PolicyArn"] == f"{prefix}:policy-engine/engine-0123456789/policy/{made['PolicyId']}"

    def test_every_schema_can_be_fabricated(self) -> None:
        for resource_type in schemas.index():
            Fabricator(resource_type, "Thing", {}, "111122223333", "us-east-1").attributes()


class TestProperties:
    """The messages CloudFormation gives."""

    @pytest.mark.parametrize(
        ("props", "message"),
        [
            ({}, "#: required key [Name] not found"),
            ({"Name": "x" * 61}, "#/Name: failed validation constraint for keyword [maxLength]: 60"),
            ({"Name": "n", "Arn": "a"}, "it is read-only"),
        ],
    )
    def test_of_a_delivery_source(self, props: dict[str, Any], message: str) -> None:
        with pytest.raises(properties.PropertiesError) as caught:
            properties.check("AWS::Logs::DeliverySource", "Thing", props)
        assert "Properties validation failed for resource Thing with message:\n" in str(caught.value)
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        ("value", "accepted"), [(60, True), ("60", True), (59, False), ("59", False), ("x", False), (60.5, False)]
    )
    def test_limits_hold_for_numbers_in_strings(self, value: Any, accepted: bool) -> None:
        harness = {
            "HarnessName": "n",
            "ExecutionRoleArn": "arn:aws:iam::111122223333:role/r",
            "Model": {"BedrockModelConfig": {"ModelId": "m"}},
            "Environment": {"AgentCoreRuntimeEnvironment": {"LifecycleConfiguration": {"MaxLifetime": value}}},
        }
        if accepted:
            properties.check("AWS::BedrockAgentCore::Harness", "Thing", harness)
        else:
            with pytest.raises(properties.PropertiesError, match="MaxLifetime"):
                properties.check("AWS::BedrockAgentCore::Harness", "Thing", harness)


def test_a_handler_of_your_own_wins(local_cloud: LocalCloud, deploy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = seams.resource_handlers()
    monkeypatch.setitem(handlers, "AWS::Logs::DeliverySource", handlers["AWS::Logs::DeliverySource"])
    deleted = []
    register_type(
        "AWS::Logs::DeliverySource",
        {
            "create": lambda logical_id, props, stack: (f"mine-{props['Name']}", {"Arn": "a"}),
            "delete": lambda physical_id, props: deleted.append(physical_id),
        },
    )
    assert deploy(one(source())).outputs["Ref"] == "mine-source"
