"""Who may call: users, sessions of roles, Lambda functions, state machines, stacks; and the switch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, EventStreamError
from support import stacks

from agentcore_local import iam
from agentcore_local.agents.scripts import ToolCall, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account, LocalCloud
    from agentcore_local.agents.scripts import ModelCall

INVOKE = ("bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime")


def policy(*actions: str, resource: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions) or ["sts:GetCallerIdentity"], "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return str(caught.value)


@pytest.fixture
def user(account: Account) -> Callable[..., Any]:
    """Makes the client of an IAM user with a policy."""

    def make(document: str, service: str = "bedrock-agentcore") -> Any:
        clients, name = account.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
        clients.create_user(UserName=name)
        clients.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key = clients.create_access_key(UserName=name)["AccessKey"]
        return boto3.client(
            service,
            endpoint_url=account.cloud.endpoint_url,
            region_name=account.region,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    return make


def invoke(client: Any, arn: str, **request: Any) -> list[dict[str, Any]]:
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    session = f"session-{uuid.uuid4()}"
    return list(client.invoke_harness(harnessArn=arn, runtimeSessionId=session, messages=messages, **request)["stream"])


@pytest.fixture
def arn(create: Callable[..., dict[str, Any]]) -> str:
    """A harness without memory."""
    return str(create(memory={"disabled": {}})["arn"])


def test_invoking_takes_both_actions(user: Any, arn: str) -> None:
    assert invoke(user(policy(*INVOKE, resource=arn)), arn)
    for missing, held in (INVOKE, INVOKE[::-1]):
        client = user(policy(held, resource=arn))
        assert f"not authorized to perform: {missing} on resource: {arn}" in refusal(lambda: invoke(client, arn))  # noqa: B023


def test_a_named_endpoint_takes_its_own_arn(account: Account, user: Any, arn: str) -> None:
    control = account.client("bedrock-agentcore-control")
    control.create_harness_endpoint(harnessId=arn.rsplit("/", 1)[-1], endpointName="PROD")
    endpoint = f"{arn}/harness-endpoint/PROD"
    client = user(policy(*INVOKE, resource=arn))
    assert invoke(client, arn, qualifier="DEFAULT")
    assert endpoint in refusal(lambda: invoke(client, arn, qualifier="PROD"))
    assert invoke(user(policy(*INVOKE, resource=f"{arn}*")), arn, qualifier="PROD")


def test_commands_take_their_own_action(account: Account, user: Any, arn: str) -> None:
    control = account.client("bedrock-agentcore-control")
    control.create_harness_endpoint(harnessId=arn.rsplit("/", 1)[-1], endpointName="PROD")
    needed = ("bedrock-agentcore:InvokeAgentRuntimeCommand", "bedrock-agentcore:InvokeAgentRuntime")

    def run(client: Any, qualifier: str = "DEFAULT") -> list[dict[str, Any]]:
        session = f"session-{uuid.uuid4()}"
        asked = {"agentRuntimeArn": arn, "runtimeSessionId": session, "qualifier": qualifier}
        return list(client.invoke_agent_runtime_command(**asked, body={"command": "true"})["stream"])

    client = user(policy(*needed, resource=arn))
    assert run(client)
    assert f"{arn}/harness-endpoint/PROD" in refusal(lambda: run(client, "PROD"))
    assert run(user(policy(*needed, resource=f"{arn}*")), "PROD")
    for missing, held in (needed, needed[::-1]):
        other = user(policy(held, resource=arn))
        assert f"not authorized to perform: {missing} on resource: {arn}" in refusal(lambda: run(other))  # noqa: B023
    assert needed[0] in refusal(lambda: run(user(policy(*INVOKE, resource=arn))))


def test_a_harness_is_its_accounts_alone(local_cloud: LocalCloud, arn: str) -> None:
    """Whatever the other account allows its users; a harness has no policy of its own."""
    other = local_cloud.account()
    iam_client = other.client("iam")
    iam_client.create_user(UserName="admin")
    iam_client.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=policy("*"))
    key = iam_client.create_access_key(UserName="admin")["AccessKey"]
    given = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    address = {"endpoint_url": local_cloud.endpoint_url, "region_name": other.region}
    clients = (other.client("bedrock-agentcore"), boto3.client("bedrock-agentcore", **address, **given))
    for client in clients:
        refusal(lambda: invoke(client, arn))  # noqa: B023
        asked = {"agentRuntimeArn": arn, "runtimeSessionId": f"session-{uuid.uuid4()}", "body": {"command": "true"}}
        refusal(lambda: client.invoke_agent_runtime_command(**asked))  # noqa: B023
    for client in (
        other.client("bedrock-agentcore-control"),
        boto3.client("bedrock-agentcore-control", **address, **given),
    ):
        refusal(lambda: client.list_tags_for_resource(resourceArn=arn))  # noqa: B023
        with pytest.raises(ClientError, match="not found"):
            client.get_harness(harnessId=arn.rsplit("/", 1)[-1])


def test_a_session_of_a_role_has_the_rights_of_the_role(account: Account, user: Any, arn: str) -> None:
    clients = account.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": account.account_id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = clients.create_role(RoleName="caller", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    got = account.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    client = boto3.client(
        "bedrock-agentcore",
        endpoint_url=account.cloud.endpoint_url,
        region_name=account.region,
        aws_access_key_id=got["AccessKeyId"],
        aws_secret_access_key=got["SecretAccessKey"],
        aws_session_token=got["SessionToken"],
    )
    assert "assumed-role/caller/test" in refusal(lambda: invoke(client, arn))
    clients.put_role_policy(RoleName="caller", PolicyName="own", PolicyDocument=policy(*INVOKE, resource=arn))
    assert invoke(client, arn)


@pytest.mark.parametrize(
    "missing", ["bedrock-agentcore:CreateHarness", "bedrock-agentcore:CreateAgentRuntime", "iam:PassRole"]
)
def test_creating_takes_what_the_service_does_for_the_caller(user: Any, role_arn: str, missing: str) -> None:
    needed = {"bedrock-agentcore:CreateHarness", "bedrock-agentcore:CreateAgentRuntime", "iam:PassRole"}
    request = {"harnessName": "mine", "executionRoleArn": role_arn, "memory": {"disabled": {}}}
    refused = user(policy(*(needed - {missing})), "bedrock-agentcore-control")
    assert missing in refusal(lambda: refused.create_harness(**request))
    client = user(policy(*needed), "bedrock-agentcore-control")
    managed = {"harnessName": "mine", "executionRoleArn": role_arn}
    assert "CreateMemory" in refusal(lambda: client.create_harness(**managed))
    assert client.create_harness(**request)


def test_reading_takes_the_single_action(user: Any, arn: str) -> None:
    harness_id = arn.rsplit("/", 1)[-1]
    reader = user(policy("bedrock-agentcore:GetHarness", resource=arn), "bedrock-agentcore-control")
    assert reader.get_harness(harnessId=harness_id)
    assert "ListHarnesses" in refusal(reader.list_harnesses)
    assert "DeleteHarness" in refusal(lambda: reader.delete_harness(harnessId=harness_id))


def test_a_role_that_cannot_be_assumed_any_more(account: Account, arn: str) -> None:
    untrusting = stacks.trust("lambda.amazonaws.com")
    account.client("iam").update_assume_role_policy(RoleName="agent", PolicyDocument=json.dumps(untrusting))
    with pytest.raises(ClientError, match="cannot be assumed: its trust policy does not allow") as caught:
        invoke(account.client("bedrock-agentcore"), arn)
    assert caught.value.response["Error"]["Code"] == "RuntimeClientError"


def test_a_session_that_has_started_goes_on_without_what_starting_takes(account: Account, arn: str) -> None:
    runtime, session = account.client("bedrock-agentcore"), f"session-{uuid.uuid4()}"
    request = {"harnessArn": arn, "messages": [{"role": "user", "content": [{"text": "hello"}]}]}
    assert list(runtime.invoke_harness(**request, runtimeSessionId=session)["stream"])
    deny = {"Effect": "Deny", "Action": "ecr-public:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    account.client("iam").put_role_policy(RoleName="agent", PolicyName="Deny", PolicyDocument=document)
    assert list(runtime.invoke_harness(**request, runtimeSessionId=session)["stream"])
    with pytest.raises(ClientError, match="its image could not be pulled"):
        runtime.invoke_harness(**request, runtimeSessionId=f"session-{uuid.uuid4()}")


def test_without_iam_nothing_is_checked(account: Account, user: Any, arn: str, monkeypatch: Any) -> None:
    account.client("iam").delete_role_policy(RoleName="agent", PolicyName="Anything")
    client = user(policy())
    refusal(lambda: invoke(client, arn))
    monkeypatch.setattr(iam.Switch, "enabled", False)
    assert invoke(client, arn)


WITHOUT_IAM = """
import json, sys, uuid
sys.path.insert(0, sys.argv[1])
import boto3
from agentcore_local import LocalCloud
from support import stacks

nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
with LocalCloud(iam=False) as cloud:
    account = cloud.account()
    iam = account.client("iam")
    # A role that trusts somebody else and may do nothing; a user who may do nothing.
    trust = json.dumps(stacks.trust("ec2.amazonaws.com"))
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=json.dumps(nothing))
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(nothing))
    key = iam.create_access_key(UserName="u")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    control, data, memory = (
        session.client(name, endpoint_url=cloud.endpoint_url)
        for name in ("bedrock-agentcore-control", "bedrock-agentcore", "bedrock-agentcore-control")
    )
    cloud.script(None, [{"turns": [{"text": "allowed"}]}])
    harness = control.create_harness(harnessName="h", executionRoleArn=role)["harness"]
    events = data.invoke_harness(
        harnessArn=harness["arn"],
        runtimeSessionId=str(uuid.uuid4()),
        messages=[{"role": "user", "content": [{"text": "hello"}]}],
    )["stream"]
    said = "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in events)
    memories = len(memory.list_memories()["memories"])
    stack = account.client("cloudformation")
    template = json.dumps(stacks.template(Harness=stacks.harness("other")))
    stack.create_stack(StackName="S", TemplateBody=template, RoleARN=role, Capabilities=["CAPABILITY_IAM"])
    stack.get_waiter("stack_create_complete").wait(StackName="S", WaiterConfig={"Delay": 1})
    # What is a mistake whoever makes it stays one.
    try:
        control.create_harness(harnessName="no-hyphens", executionRoleArn=role)
    except control.exceptions.ValidationException as error:
        refused = error.response["Error"]["Code"]
print(json.dumps([said, memories, refused]))
"""


def test_a_cloud_without_iam(tmp_path: Path) -> None:
    """In a process of its own: agents, callers and stacks do what their roles deny."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", WITHOUT_IAM, str(Path(__file__).resolve().parents[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["allowed", 1, "ValidationException"]


def test_a_model_that_is_taken_away_while_the_agent_works(local_cloud: LocalCloud, account: Account, arn: str) -> None:
    calls: list[int] = []

    def speak(call: ModelCall) -> Any:
        calls.append(call.turn)
        statement = {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}
        denied = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        account.client("iam").put_role_policy(RoleName="agent", PolicyName="Deny", PolicyDocument=denied)
        return Turn(tool_calls=[ToolCall("shell", {"command": "true"})])

    local_cloud.script(arn, speak)
    with pytest.raises(EventStreamError, match=r"runtimeClientError.*The model provider refused the request: AccessD"):
        invoke(account.client("bedrock-agentcore"), arn)
    assert calls == [1]


# --- memories ---------------------------------------------------------------------------------------------------------


def test_a_memory_takes_the_permission_for_each_operation(account: Account, user: Any) -> None:
    control = account.client("bedrock-agentcore-control")
    memory = control.create_memory(name="notes", eventExpiryDuration=30)["memory"]
    identity = {"memoryId": memory["id"], "actorId": "alice", "sessionId": "session-1"}
    event = {**identity, "eventTimestamp": 0, "payload": [{"blob": "x"}]}
    nobody = user(policy())
    assert f"bedrock-agentcore:CreateEvent on resource: {memory['arn']}" in refusal(
        lambda: nobody.create_event(**event)
    )
    assert "ListEvents" in refusal(lambda: nobody.list_events(**identity))
    wanted = {"memoryId": memory["id"], "namespace": "/facts/", "searchCriteria": {"searchQuery": "x"}}
    assert "RetrieveMemoryRecords" in refusal(lambda: nobody.retrieve_memory_records(**wanted))
    writer = user(policy("bedrock-agentcore:CreateEvent", resource=memory["arn"]))
    assert writer.create_event(**event)
    assert "ListEvents" in refusal(lambda: writer.list_events(**identity))

    nobody_s = user(policy(), "bedrock-agentcore-control")
    for name, operation in {
        "GetMemory": lambda: nobody_s.get_memory(memoryId=memory["id"]),
        "UpdateMemory": lambda: nobody_s.update_memory(memoryId=memory["id"], eventExpiryDuration=60),
        "DeleteMemory": lambda: nobody_s.delete_memory(memoryId=memory["id"]),
        "ListMemories": nobody_s.list_memories,
        "CreateMemory": lambda: nobody_s.create_memory(name="mine", eventExpiryDuration=30),
    }.items():
        assert f"bedrock-agentcore:{name}" in refusal(operation)
    maker = user(policy("bedrock-agentcore:CreateMemory"), "bedrock-agentcore-control")
    assert maker.create_memory(name="mine", eventExpiryDuration=30)
    passing = {"name": "other", "eventExpiryDuration": 30, "memoryExecutionRoleArn": "arn:aws:iam::1:role/r"}
    passing["memoryExecutionRoleArn"] = f"arn:aws:iam::{account.account_id}:role/r"
    assert "iam:PassRole" in refusal(lambda: maker.create_memory(**passing))


def test_a_user_may_be_kept_to_an_actor_of_a_memory(account: Account, user: Any) -> None:
    memory = account.client("bedrock-agentcore-control").create_memory(name="notes", eventExpiryDuration=30)["memory"]
    statement = {
        "Effect": "Allow",
        "Action": "bedrock-agentcore:*Event*",
        "Resource": memory["arn"],
        "Condition": {"StringEquals": {"bedrock-agentcore:actorId": "alice"}},
    }
    client = user(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    event = {"memoryId": memory["id"], "sessionId": "session-1", "eventTimestamp": 0, "payload": [{"blob": "x"}]}
    assert client.create_event(**event, actorId="alice")
    assert client.list_events(memoryId=memory["id"], sessionId="session-1", actorId="alice")["events"]
    refusal(lambda: client.create_event(**event, actorId="bob"))
    refusal(lambda: client.list_events(memoryId=memory["id"], sessionId="session-1", actorId="bob"))


# --- Lambda functions, state machines, stacks -------------------------------------------------------------------------


def test_a_function_invokes_with_its_role(account: Account, arn: str) -> None:
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    try:\n"
        "        boto3.client('bedrock-agentcore').invoke_harness(**event)['stream'].close()\n"
        "    except Exception as error:\n"
        "        return str(error)\n"
        "    return 'done'\n"
    )
    clients, functions = account.client("iam"), account.client("lambda")
    trust = json.dumps(stacks.trust("lambda.amazonaws.com"))
    role = clients.create_role(RoleName="function", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    code = {"ZipFile": stacks.zipped({"index.py": source})}
    functions.create_function(
        FunctionName="f", Role=role, Runtime="python3.12", Handler="index.handler", Code=code, Timeout=30
    )
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    event = {"harnessArn": arn, "runtimeSessionId": f"session-{uuid.uuid4()}", "messages": messages}

    def run() -> str:
        return str(json.loads(functions.invoke(FunctionName="f", Payload=json.dumps(event))["Payload"].read()))

    assert "not authorized to perform: bedrock-agentcore:InvokeHarness" in run()
    clients.put_role_policy(RoleName="function", PolicyName="own", PolicyDocument=policy(*INVOKE, resource=arn))
    assert run() == "done"


@pytest.fixture
def run_state(account: Account) -> Callable[..., dict[str, Any]]:
    """Runs a state machine of one task with a role that has a policy."""

    def run(task: dict[str, Any], document: str) -> dict[str, Any]:
        clients, states = account.client("iam"), account.client("stepfunctions")
        name = f"states-{uuid.uuid4().hex[:8]}"
        trust = json.dumps(stacks.trust("states.amazonaws.com"))
        role = clients.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        clients.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        content = {
            "QueryLanguage": "JSONata",
            "StartAt": "Task",
            "States": {"Task": {"Type": "Task", "End": True} | task},
        }
        machine = states.create_state_machine(name=name, definition=json.dumps(content), roleArn=role)
        started = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        end = time.monotonic() + 20
        while (found := states.describe_execution(executionArn=started))["status"] == "RUNNING":
            assert time.monotonic() < end
            time.sleep(0.05)
        return dict(found)

    return run


def test_a_state_machine_invokes_with_its_role(arn: str, run_state: Any) -> None:
    messages = [{"Role": "user", "Content": [{"Text": "hello"}]}]
    arguments = {"HarnessArn": arn, "RuntimeSessionId": f"session-{uuid.uuid4()}", "Messages": messages}
    task = {"Resource": "arn:aws:states:::bedrockagentcore:invokeHarness", "Arguments": arguments}
    refused = run_state(task, policy(INVOKE[0], resource=arn))
    assert refused["error"] == "BedrockAgentCore.AccessDeniedException"
    assert INVOKE[1] in refused["cause"]
    assert run_state(task, policy(*INVOKE, resource=arn))["status"] == "SUCCEEDED"


def test_a_state_machine_calls_functions_with_its_role(account: Account, run_state: Any) -> None:
    function = f"arn:aws:lambda:us-east-1:{account.account_id}:function:f"
    task = {"Resource": "arn:aws:states:::lambda:invoke", "Arguments": {"FunctionName": function}}
    refused = run_state(task, policy())
    assert refused["error"] == "Lambda.AWSLambdaException"
    assert f"not authorized to perform: lambda:InvokeFunction on resource: {function}" in refused["cause"]
    allowed = run_state(task, policy("lambda:InvokeFunction", resource=function))
    assert "not authorized" not in allowed["cause"]  # there is no such function


def test_a_stack_makes_harnesses_with_its_role(account: Account) -> None:
    clients, stack = account.client("iam"), account.client("cloudformation")
    trust = json.dumps(stacks.trust("cloudformation.amazonaws.com"))
    role = clients.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    template = json.dumps(stacks.template(Harness=stacks.harness()))

    def deploy(name: str) -> str:
        stack.create_stack(StackName=name, TemplateBody=template, RoleARN=role, Capabilities=["CAPABILITY_IAM"])
        return settled(name)

    def settled(name: str) -> str:
        end = time.monotonic() + 30
        while (status := stack.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]).endswith("_IN_PROGRESS"):
            assert time.monotonic() < end
            time.sleep(0.05)
        return str(status)

    assert deploy("Refused") == "ROLLBACK_COMPLETE"
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in stack.describe_stack_events(StackName="Refused")["StackEvents"]
    ]
    assert any("AccessDenied" in reason and "bedrock-agentcore:CreateHarness" in reason for reason in reasons)
    clients.put_role_policy(RoleName="deployer", PolicyName="all", PolicyDocument=policy("*"))
    assert deploy("Allowed") == "CREATE_COMPLETE"
    making = policy("bedrock-agentcore:Create*", "bedrock-agentcore:Update*", "iam:*")
    clients.put_role_policy(RoleName="deployer", PolicyName="all", PolicyDocument=making)
    stack.delete_stack(StackName="Allowed")
    assert settled("Allowed") == "DELETE_FAILED"
    events = stack.describe_stack_events(StackName="Allowed")["StackEvents"]
    assert any("bedrock-agentcore:DeleteHarness" in event.get("ResourceStatusReason", "") for event in events)
    clients.put_role_policy(RoleName="deployer", PolicyName="all", PolicyDocument=policy("*"))
    gone = stack.describe_stacks(StackName="Allowed")["Stacks"][0]["StackId"]
    stack.delete_stack(StackName="Allowed")
    assert settled(gone) == "DELETE_COMPLETE"
