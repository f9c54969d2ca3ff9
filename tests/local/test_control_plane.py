"""The eleven harness operations and tags, through boto3."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support import stacks

from agentcore_local import iam
from agentcore_local.harness.store import STORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcore_local import Account

    Create = Callable[..., dict[str, Any]]

MANAGED = {"managedMemoryConfiguration": {"strategies": ["SEMANTIC", "EPISODIC"], "eventExpiryDuration": 7}}


def error_of(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Error code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def slow() -> Iterator[None]:
    """Operations stay in progress for a minute."""
    STORE.settle_seconds = 60.0
    yield
    STORE.settle_seconds = 0.0


class TestCreate:
    def test_answers_creating_then_reads_ready(self, create: Create, control: Any) -> None:
        created = create()
        assert created["status"] == "CREATING"
        assert control.get_harness(harnessId=created["harnessId"])["harness"]["status"] == "READY"

    def test_ids_and_arns(self, create: Create, account: Account) -> None:
        created = create("my_agent")
        prefix = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}"
        name, _, suffix = created["harnessId"].partition("-")
        assert (name, len(suffix), created["harnessVersion"]) == ("my_agent", 10, "1")
        assert created["arn"] == f"{prefix}:harness/{created['harnessId']}"
        runtime = created["environment"]["agentCoreRuntimeEnvironment"]
        assert runtime["agentRuntimeName"] == "harness_my_agent"
        assert runtime["agentRuntimeId"].startswith("harness_my_agent-")
        assert runtime["agentRuntimeArn"] == f"{prefix}:runtime/{runtime['agentRuntimeId']}"

    def test_fills_in_the_documented_defaults(self, create: Create) -> None:
        created = create()
        assert created["model"] == {"bedrockModelConfig": {"modelId": "global.anthropic.claude-sonnet-4-6"}}
        assert created["allowedTools"] == ["*"]
        assert created["truncation"] == {"strategy": "sliding_window"}
        assert (created["maxIterations"], created["timeoutSeconds"]) == (75, 3600)
        assert (created["systemPrompt"], created["tools"], created["skills"]) == ([], [], [])
        runtime = created["environment"]["agentCoreRuntimeEnvironment"]
        assert runtime["lifecycleConfiguration"] == {"idleRuntimeSessionTimeout": 900, "maxLifetime": 28800}
        assert runtime["networkConfiguration"] == {"networkMode": "PUBLIC"}
        assert "maxTokens" not in created
        assert "hooks" not in created

    def test_a_name_is_unique_in_account_and_region(self, create: Create, account: Account) -> None:
        create("twin")
        code, message = error_of(create, name="twin")
        assert (code, "already exists" in message) == ("ConflictException", True)
        elsewhere = account.cloud.account(account.account_id, region="eu-west-1").client("bedrock-agentcore-control")
        arn = f"arn:aws:iam::{account.account_id}:role/agent"
        assert elsewhere.create_harness(harnessName="twin", executionRoleArn=arn)["harness"]["status"] == "CREATING"

    def test_the_same_client_token_gives_the_same_harness(self, create: Create, control: Any) -> None:
        token = str(uuid.uuid4())
        first = create(clientToken=token)
        assert create(clientToken=token)["harnessId"] == first["harnessId"]
        assert len(control.list_harnesses()["harnesses"]) == 1

    def test_the_same_client_token_with_another_request_is_refused(self, create: Create) -> None:
        token = str(uuid.uuid4())
        create(clientToken=token)
        with pytest.raises(ClientError) as caught:
            create("other", clientToken=token)
        assert caught.value.response["reason"] == "IdempotentParameterMismatchException"

    def test_while_it_is_created_it_cannot_be_changed(self, slow: None, create: Create, control: Any) -> None:
        created = create()
        assert control.get_harness(harnessId=created["harnessId"])["harness"]["status"] == "CREATING"
        code, message = error_of(control.update_harness, harnessId=created["harnessId"], maxIterations=2)
        assert (code, "is CREATING" in message) == ("ConflictException", True)


class TestRole:
    def test_a_role_that_does_not_exist_is_refused(self, create: Create, account: Account) -> None:
        arn = f"arn:aws:iam::{account.account_id}:role/nobody"
        code, message = error_of(create, executionRoleArn=arn)
        assert code == "ValidationException"
        assert f"Role validation failed for '{arn}'" in message
        assert "there is no such role" in message

    @pytest.mark.parametrize(
        ("policy", "reason"),
        [
            (stacks.trust("lambda.amazonaws.com"), "does not allow sts:AssumeRole to bedrock-agentcore.amazonaws.com"),
            (
                stacks.trust(ArnLike={"aws:SourceArn": "arn:aws:bedrock-agentcore:us-east-1:*:harness/*"}),
                "do not hold for aws:SourceArn",
            ),
            (stacks.trust(StringEquals={"aws:SourceAccount": "999999999999"}), "do not hold for aws:SourceArn"),
        ],
        ids=["another service", "only harness ARNs, which fails on AWS too", "another account"],
    )
    def test_a_role_that_does_not_trust_the_service_is_refused(
        self, create: Create, account: Account, policy: dict[str, Any], reason: str
    ) -> None:
        role = account.client("iam").create_role(RoleName="odd", AssumeRolePolicyDocument=json.dumps(policy))["Role"]
        code, message = error_of(create, executionRoleArn=role["Arn"])
        assert (code, reason in message) == ("ValidationException", True)

    def test_a_role_scoped_to_account_and_service_is_accepted(self, create: Create, account: Account) -> None:
        conditions = {
            "StringEquals": {"aws:SourceAccount": account.account_id},
            "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}:*"},
        }
        policy = json.dumps(stacks.trust(**conditions))
        role = account.client("iam").create_role(RoleName="scoped", AssumeRolePolicyDocument=policy)["Role"]
        assert create(executionRoleArn=role["Arn"])["status"] == "CREATING"

    def test_without_permissions_any_role_will_do(
        self, create: Create, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(iam.Switch, "enabled", False)
        assert create(executionRoleArn=f"arn:aws:iam::{account.account_id}:role/nobody")["status"] == "CREATING"

    def test_a_role_of_another_account_is_refused(self, create: Create) -> None:
        code, message = error_of(create, executionRoleArn="arn:aws:iam::999999999999:role/agent")
        assert (code, "is not a role of account" in message) == ("ValidationException", True)


class TestUpdate:
    def test_writes_a_new_version_and_keeps_the_old_one(self, create: Create, control: Any) -> None:
        harness_id = create(systemPrompt=[{"text": "one"}])["harnessId"]
        updated = control.update_harness(harnessId=harness_id, systemPrompt=[{"text": "two"}])["harness"]
        assert (updated["status"], updated["harnessVersion"]) == ("UPDATING", "2")
        first = control.get_harness(harnessId=harness_id, harnessVersion="1")["harness"]
        assert (first["systemPrompt"], first["harnessVersion"]) == ([{"text": "one"}], "1")
        assert control.get_harness(harnessId=harness_id)["harness"]["systemPrompt"] == [{"text": "two"}]

    def test_what_is_left_out_stays(self, create: Create, control: Any) -> None:
        inline = {"inlineFunction": {"description": "d", "inputSchema": {"type": "object"}}}
        harness_id = create(
            tools=[{"type": "inline_function", "name": "ask", "config": inline}], maxTokens=9, maxIterations=3
        )["harnessId"]
        updated = control.update_harness(harnessId=harness_id, maxIterations=4)["harness"]
        assert [tool["name"] for tool in updated["tools"]] == ["ask"]
        assert (updated["maxTokens"], updated["maxIterations"]) == (9, 4)

    def test_a_list_is_replaced_as_a_whole_and_can_be_emptied(self, create: Create, control: Any) -> None:
        skills = [{"path": "/a"}, {"path": "/b"}]
        hook = {"beforeInvocation": {"name": "h", "target": {"sns": {"arn": "arn:aws:sns:us-east-1:111122223333:t"}}}}
        harness_id = create(skills=skills, hooks=[hook])["harnessId"]
        updated = control.update_harness(harnessId=harness_id, skills=[{"path": "/c"}], hooks=[])["harness"]
        assert updated["skills"] == [{"path": "/c"}]
        assert "hooks" not in updated

    def test_wrapped_members_are_set_and_cleared_by_optional_value(self, create: Create, control: Any) -> None:
        artifact = {"containerConfiguration": {"containerUri": "public.ecr.aws/x/y:1"}}
        harness_id = create()["harnessId"]
        updated = control.update_harness(harnessId=harness_id, environmentArtifact={"optionalValue": artifact})
        assert updated["harness"]["environmentArtifact"] == artifact
        cleared = control.update_harness(harnessId=harness_id, environmentArtifact={})["harness"]
        assert "environmentArtifact" not in cleared

    def test_vpc_mode_stays_until_public_is_asked_for(self, create: Create, control: Any) -> None:
        network = {
            "networkMode": "VPC",
            "networkModeConfig": {"subnets": ["subnet-12345678"], "securityGroups": ["sg-12345678"]},
        }
        harness_id = create(environment={"agentCoreRuntimeEnvironment": {"networkConfiguration": network}})["harnessId"]
        lifecycle = {"agentCoreRuntimeEnvironment": {"lifecycleConfiguration": {"maxLifetime": 1000}}}
        runtime = control.update_harness(harnessId=harness_id, environment=lifecycle)["harness"]["environment"]
        assert runtime["agentCoreRuntimeEnvironment"]["networkConfiguration"] == network
        public = {"agentCoreRuntimeEnvironment": {"networkConfiguration": {"networkMode": "PUBLIC"}}}
        runtime = control.update_harness(harnessId=harness_id, environment=public)["harness"]["environment"]
        assert runtime["agentCoreRuntimeEnvironment"]["networkConfiguration"] == {"networkMode": "PUBLIC"}
        assert runtime["agentCoreRuntimeEnvironment"]["lifecycleConfiguration"]["maxLifetime"] == 1000

    def test_a_mount_that_needs_a_vpc_is_refused_after_merging(self, create: Create, control: Any) -> None:
        access_point = f"arn:aws:elasticfilesystem:us-east-1:111122223333:access-point/fsap-{'0' * 17}"
        mount = {"efsAccessPoint": {"accessPointArn": access_point, "mountPath": "/mnt/data"}}
        environment = {"agentCoreRuntimeEnvironment": {"filesystemConfigurations": [mount]}}
        code, message = error_of(create, environment=environment)
        assert (code, "only be mounted when networkMode is VPC" in message) == ("ValidationException", True)

    def test_a_mount_outside_of_mnt_is_refused_at_the_update_too(self, create: Create, control: Any) -> None:
        mount = {"sessionStorage": {"mountPath": "/mnt/.."}}
        environment = {"agentCoreRuntimeEnvironment": {"filesystemConfigurations": [mount]}}
        harness_id = create()["harnessId"]
        code, message = error_of(control.update_harness, harnessId=harness_id, environment=environment)
        assert (code, "mountPath must name a directory below /mnt" in message) == ("ValidationException", True)

    def test_a_version_that_does_not_exist_is_not_found(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        assert error_of(control.get_harness, harnessId=harness_id, harnessVersion="2")[0] == "ResourceNotFoundException"


class TestMemory:
    def memory(self, account: Account, arn: str) -> dict[str, Any]:
        memory_id = arn.rsplit("/", 1)[1]
        found: dict[str, Any] = account.client("bedrock-agentcore-control").get_memory(memoryId=memory_id)["memory"]
        return found

    def test_managed_by_default(self, create: Create, account: Account) -> None:
        created = create("alpha")
        managed = created["memory"]["managedMemoryConfiguration"]
        assert (managed["strategies"], managed["eventExpiryDuration"]) == (["SEMANTIC", "SUMMARIZATION"], 30)
        memory = self.memory(account, managed["arn"])
        assert memory["managedByResourceArn"] == created["arn"]
        assert memory["id"].startswith("alpha-")
        assert [strategy["type"] for strategy in memory["strategies"]] == ["SEMANTIC", "SUMMARIZATION"]

    def test_goes_with_its_harness(self, create: Create, control: Any, account: Account) -> None:
        created = create()
        control.delete_harness(harnessId=created["harnessId"])
        assert account.client("bedrock-agentcore-control").list_memories()["memories"] == []

    def test_stays_when_told_to_and_becomes_an_ordinary_one(
        self, create: Create, control: Any, account: Account
    ) -> None:
        created = create()
        control.delete_harness(harnessId=created["harnessId"], deleteManagedMemory=False)
        arn = created["memory"]["managedMemoryConfiguration"]["arn"]
        assert "managedByResourceArn" not in self.memory(account, arn)
        control.delete_memory(memoryId=arn.rsplit("/", 1)[1])

    def test_a_managed_one_cannot_be_deleted_by_hand(self, create: Create, control: Any) -> None:
        memory_id = create()["memory"]["managedMemoryConfiguration"]["arn"].rsplit("/", 1)[1]
        code, message = error_of(control.delete_memory, memoryId=memory_id)
        assert (code, "is managed by" in message) == ("ValidationException", True)
        changes = {"addMemoryStrategies": [{"semanticMemoryStrategy": {"name": "mine"}}]}
        code, message = error_of(control.update_memory, memoryId=memory_id, memoryStrategies=changes)
        assert (code, "UpdateHarness" in message) == ("ValidationException", True)

    def test_strategies_and_expiry_change_through_the_harness(
        self, create: Create, control: Any, account: Account
    ) -> None:
        created = create(memory={"managedMemoryConfiguration": {}})
        updated = control.update_harness(harnessId=created["harnessId"], memory={"optionalValue": MANAGED})["harness"]
        managed = updated["memory"]["managedMemoryConfiguration"]
        assert managed["arn"] == created["memory"]["managedMemoryConfiguration"]["arn"]
        memory = self.memory(account, managed["arn"])
        assert [strategy["type"] for strategy in memory["strategies"]] == ["SEMANTIC", "EPISODIC"]
        assert memory["eventExpiryDuration"] == 7

    def test_its_key_cannot_change(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        key = f"arn:aws:kms:us-east-1:111122223333:key/{uuid.uuid4()}"
        wanted = {"optionalValue": {"managedMemoryConfiguration": {"encryptionKeyArn": key}}}
        code, message = error_of(control.update_harness, harnessId=harness_id, memory=wanted)
        assert (code, "cannot be changed after creation" in message) == ("ValidationException", True)

    @pytest.mark.parametrize("wanted", [{"optionalValue": {"disabled": {}}}, {}])
    def test_switching_it_off_leaves_it_to_its_owner(
        self, create: Create, control: Any, account: Account, wanted: dict[str, Any]
    ) -> None:
        created = create()
        updated = control.update_harness(harnessId=created["harnessId"], memory=wanted)["harness"]
        assert updated["memory"] == {"disabled": {}}
        arn = created["memory"]["managedMemoryConfiguration"]["arn"]
        assert "managedByResourceArn" not in self.memory(account, arn)
        control.delete_harness(harnessId=created["harnessId"])
        assert self.memory(account, arn)["status"] == "ACTIVE"

    def test_one_of_your_own_gets_its_retrieval_derived(self, create: Create, control: Any) -> None:
        strategy = {"semanticMemoryStrategy": {"name": "facts", "namespaces": ["/facts/{actorId}/"]}}
        own = control.create_memory(name="own", eventExpiryDuration=30, memoryStrategies=[strategy])["memory"]
        created = create(memory={"agentCoreMemoryConfiguration": {"arn": own["arn"]}})
        retrieval = created["memory"]["agentCoreMemoryConfiguration"]["retrievalConfig"]
        assert retrieval["/facts/{actorId}/"]["topK"] == 10
        assert retrieval["/facts/{actorId}/"]["relevanceScore"] == 0.2

    def test_an_explicit_retrieval_switches_derivation_off(self, create: Create, control: Any) -> None:
        own = control.create_memory(name="own", eventExpiryDuration=30)["memory"]
        wanted = {"arn": own["arn"], "retrievalConfig": {"/x/": {"topK": 1}}}
        created = create(memory={"agentCoreMemoryConfiguration": wanted})
        assert created["memory"]["agentCoreMemoryConfiguration"] == wanted

    def test_one_that_does_not_exist_is_refused(self, create: Create, account: Account) -> None:
        arn = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}:memory/gone-0123456789"
        code, message = error_of(create, memory={"agentCoreMemoryConfiguration": {"arn": arn}})
        assert (code, "was not found" in message) == ("ValidationException", True)


class TestEndpoints:
    def test_default_floats_and_a_named_one_stays(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        control.create_harness_endpoint(harnessId=harness_id, endpointName="PROD")
        control.update_harness(harnessId=harness_id, maxIterations=2)
        live = {
            found["endpointName"]: found["liveVersion"]
            for found in control.list_harness_endpoints(harnessId=harness_id)["endpoints"]
        }
        assert live == {"DEFAULT": "2", "PROD": "1"}

    def test_is_pointed_at_another_version_and_back(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        control.update_harness(harnessId=harness_id, maxIterations=2)
        control.create_harness_endpoint(harnessId=harness_id, endpointName="PROD", targetVersion="2", description="d")
        answered = control.update_harness_endpoint(harnessId=harness_id, endpointName="PROD", targetVersion="1")
        assert (answered["endpoint"]["status"], answered["endpoint"]["targetVersion"]) == ("UPDATING", "1")
        found = control.get_harness_endpoint(harnessId=harness_id, endpointName="PROD")["endpoint"]
        assert (found["liveVersion"], found["status"], found["description"]) == ("1", "READY", "d")

    def test_errors(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        control.create_harness_endpoint(harnessId=harness_id, endpointName="PROD")
        wanted = {"harnessId": harness_id, "endpointName": "PROD"}
        assert error_of(control.create_harness_endpoint, **wanted)[0] == "ConflictException"
        assert error_of(control.update_harness_endpoint, **wanted, targetVersion="7")[0] == "ResourceNotFoundException"
        gone = {"harnessId": harness_id, "endpointName": "GONE"}
        assert error_of(control.get_harness_endpoint, **gone)[0] == "ResourceNotFoundException"
        default = {"harnessId": harness_id, "endpointName": "DEFAULT"}
        assert error_of(control.delete_harness_endpoint, **default)[0] == "ConflictException"
        assert error_of(control.update_harness_endpoint, **default, targetVersion="1")[0] == "ConflictException"

    def test_a_client_token_is_good_for_as_long_as_what_it_made(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        request = {"harnessId": harness_id, "endpointName": "PROD", "clientToken": "t" * 33}
        for _ in range(2):
            assert control.create_harness_endpoint(**request)["endpoint"]["endpointName"] == "PROD"
        control.delete_harness_endpoint(harnessId=harness_id, endpointName="PROD")
        assert control.create_harness_endpoint(**request)["endpoint"]["status"] == "CREATING"

    def test_deleted_one_is_gone(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        wanted = {"harnessId": harness_id, "endpointName": "PROD"}
        control.create_harness_endpoint(**wanted)
        assert control.delete_harness_endpoint(**wanted)["endpoint"]["status"] == "DELETING"
        assert error_of(control.get_harness_endpoint, **wanted)[0] == "ResourceNotFoundException"
        control.create_harness_endpoint(**wanted)

    def test_ten_at_most(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        for number in range(9):
            control.create_harness_endpoint(harnessId=harness_id, endpointName=f"E{number}")
        code, _ = error_of(control.create_harness_endpoint, harnessId=harness_id, endpointName="E9")
        assert code == "ServiceQuotaExceededException"


class TestDeleteAndList:
    def test_deleted_harness_is_gone(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        assert control.delete_harness(harnessId=harness_id)["harness"]["status"] == "DELETING"
        assert error_of(control.get_harness, harnessId=harness_id)[0] == "ResourceNotFoundException"
        assert error_of(control.delete_harness, harnessId=harness_id)[0] == "ResourceNotFoundException"

    def test_lists_come_in_pages(self, create: Create, control: Any) -> None:
        names = [create(f"h{number}", memory={"disabled": {}})["harnessName"] for number in range(5)]
        pages = list(control.get_paginator("list_harnesses").paginate(PaginationConfig={"PageSize": 2}))
        assert [len(page["harnesses"]) for page in pages] == [2, 2, 1]
        assert [found["harnessName"] for page in pages for found in page["harnesses"]] == names

    def test_versions_newest_first(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        control.update_harness(harnessId=harness_id, maxIterations=2)
        versions = control.list_harness_versions(harnessId=harness_id)["harnessVersions"]
        assert [found["harnessVersion"] for found in versions] == ["2", "1"]
        assert {found["status"] for found in versions} == {"READY"}

    def test_a_token_of_another_list_is_refused(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        create("second")
        token = control.list_harnesses(maxResults=1)["nextToken"]
        code, _ = error_of(control.list_harness_versions, harnessId=harness_id, nextToken=token)
        assert code == "ValidationException"
        assert error_of(control.list_harnesses, nextToken="nonsense")[0] == "ValidationException"

    def test_accounts_do_not_see_each_other(self, create: Create, account: Account) -> None:
        harness_id = create()["harnessId"]
        other = account.cloud.account().client("bedrock-agentcore-control")
        assert other.list_harnesses()["harnesses"] == []
        assert error_of(other.get_harness, harnessId=harness_id)[0] == "ResourceNotFoundException"


class TestTags:
    def test_are_listed_added_and_removed(self, create: Create, control: Any) -> None:
        arn = create(tags={"team": "a"})["arn"]
        control.tag_resource(resourceArn=arn, tags={"cost": "1", "team": "b"})
        control.untag_resource(resourceArn=arn, tagKeys=["cost"])
        assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "b"}

    def test_of_an_endpoint(self, create: Create, control: Any) -> None:
        harness_id = create()["harnessId"]
        endpoint = control.create_harness_endpoint(harnessId=harness_id, endpointName="PROD", tags={"a": "b"})
        arn = endpoint["endpoint"]["arn"]
        assert control.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}

    def test_errors(self, create: Create, control: Any, account: Account) -> None:
        arn = create()["arn"]
        assert error_of(control.tag_resource, resourceArn=arn, tags={"aws:x": "y"})[0] == "ValidationException"
        gone = arn[:-10] + "0123456789"
        assert error_of(control.list_tags_for_resource, resourceArn=gone)[0] == "ResourceNotFoundException"
        place = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}"
        for absent in ("gateway/g-0123456789", "memory/m-0123456789", "runtime/r-0123456789"):
            error = error_of(control.list_tags_for_resource, resourceArn=f"{place}:{absent}")
            assert error[0] == "ResourceNotFoundException"
        code, message = error_of(control.list_tags_for_resource, resourceArn=f"{place}:evaluator/e-0123456789")
        assert (code, "not emulated by the local cloud yet" in message) == ("NotEmulatedException", True)

    def test_fifty_at_most_and_the_stacks_own_beside(self, create: Create, control: Any) -> None:
        arn = create()["arn"]
        control.tag_resource(resourceArn=arn, tags={f"k{number}": "v" for number in range(50)})
        error = error_of(control.tag_resource, resourceArn=arn, tags={"k50": "v"})
        assert error[0] == "ServiceQuotaExceededException"
        STORE.find_arn(arn).tags.update({"aws:cloudformation:stack-name": "s"})  # type: ignore[union-attr]
        control.untag_resource(resourceArn=arn, tagKeys=["k0"])
        control.tag_resource(resourceArn=arn, tags={"k50": "v"})

    def test_of_a_memory_of_your_own_and_of_one_that_became_it(self, create: Create, control: Any) -> None:
        own = control.create_memory(name="own", eventExpiryDuration=30, tags={"a": "b"})["memory"]["arn"]
        control.tag_resource(resourceArn=own, tags={"c": "d"})
        control.untag_resource(resourceArn=own, tagKeys=["a"])
        assert control.list_tags_for_resource(resourceArn=own)["tags"] == {"c": "d"}

        made = create(tags={"team": "a"})
        managed = made["memory"]["managedMemoryConfiguration"]["arn"]
        code, message = error_of(control.tag_resource, resourceArn=managed, tags={"x": "y"})
        assert (code, made["arn"] in message) == ("ConflictException", True)
        control.delete_harness(harnessId=made["harnessId"], deleteManagedMemory=False)
        control.tag_resource(resourceArn=managed, tags={"x": "y"})
        assert control.list_tags_for_resource(resourceArn=managed)["tags"] == {"team": "a", "x": "y"}
