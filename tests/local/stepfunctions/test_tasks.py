"""Tasks: what they call, how they fail, how often they are tried, how long they may take, what their role allows."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support import stacks
from support.behaviours import behaviour

TOPIC = "Tasks of workflows"
SOURCES = (
    "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html",
    "https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html",
    "https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html",
    "https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html",
)
PYTHON = """
import os, time

class Rejected(Exception):
    pass

def handler(event, context):
    if event.get("exit"):
        os._exit(event["exit"])
    if event.get("until"):
        end = time.monotonic() + 25
        while not os.path.exists(event["until"]) and time.monotonic() < end:
            time.sleep(0.05)
        open(event["until"] + "-ended", "w").close()
    if event.get("attempt", 0) < event.get("fail_times", 0):
        raise Rejected("not yet")
    return event
"""
NODE = 'exports.handler = async () => { throw new TypeError("wrong") }'


@pytest.fixture(scope="module")
def functions(machines: Any, allow: Any) -> dict[str, str]:
    role = machines.make_role("function", allow(), "lambda.amazonaws.com")
    sources = {
        "python": ("python3.12", {"index.py": PYTHON}),
        "node": ("nodejs22.x", {"index.js": NODE}),
    }
    client, arns = machines.account.client("lambda"), {}
    for name, (runtime, files) in sources.items():
        code = {"ZipFile": stacks.zipped(files)}
        made = client.create_function(
            FunctionName=name, Role=role, Runtime=runtime, Handler="index.handler", Code=code, Timeout=30
        )
        arns[name] = made["FunctionArn"]
    return arns


def call(arn: str, **payload: Any) -> dict[str, Any]:
    arguments = {"FunctionName": arn, "Payload": payload}
    output = "{% $states.result.Payload %}"
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments, "Output": output}


class TestErrors:
    @behaviour("A function's error has the name of its exception, and its message and stack trace as cause")
    def test_a_functions_error_has_the_name_of_its_exception(self, machines: Any, functions: Any) -> None:
        found = machines.run(call(functions["python"], fail_times=9))
        assert found["error"] == "Rejected"
        cause = json.loads(found["cause"])
        assert (cause["errorType"], cause["errorMessage"]) == ("Rejected", "not yet")
        assert "raise Rejected" in "".join(cause["stackTrace"])

    def test_of_node_too(self, machines: Any, functions: Any) -> None:
        found = machines.run(call(functions["node"]))
        assert (found["error"], json.loads(found["cause"])["errorMessage"]) == ("TypeError", "wrong")

    @behaviour("A function whose process ends in the middle fails with `Runtime.ExitError`")
    def test_a_function_whose_process_ends(self, machines: Any, functions: Any) -> None:
        found = machines.run(call(functions["python"], exit=3))
        assert found["error"] == "Runtime.ExitError"
        assert "Runtime exited" in json.loads(found["cause"])["errorMessage"]
        assert machines.run(call(functions["python"]))["status"] == "SUCCEEDED"

    @behaviour("Retry waits with backoff, MaxDelaySeconds and jitter; `State.RetryCount` counts")
    def test_retries_with_backoff_until_it_works(self, machines: Any, functions: Any) -> None:
        retry = [{"ErrorEquals": ["Rejected"], "IntervalSeconds": 1, "MaxAttempts": 3, "MaxDelaySeconds": 1}]
        retry[0]["JitterStrategy"] = "FULL"
        attempt = "{% $states.context.State.RetryCount %}"
        state = {**call(functions["python"], attempt=attempt, fail_times=2), "End": True}
        assert machines.run(state)["error"] == "Rejected"
        execution = machines.start({"Only": {**state, "Retry": retry}})
        found = execution.wait()
        assert found["status"] == "SUCCEEDED", found
        assert (len(execution.events("TaskFailed")), len(execution.events("TaskSucceeded"))) == (2, 1)

    def test_catchers_take_the_error_and_assign(self, machines: Any, functions: Any) -> None:
        catch = {
            "ErrorEquals": ["States.TaskFailed"],
            "Next": "Caught",
            "Assign": {"why": "{% $states.errorOutput.Error %}"},
        }
        states = {
            "Only": {**call(functions["python"], fail_times=9), "Catch": [catch], "End": True},
            "Caught": {"Type": "Pass", "Output": "{% $why %}", "End": True},
        }
        assert machines.start(states).wait()["output"] == "Rejected"


class TestTime:
    @behaviour("TimeoutSeconds of a task, as a number, an expression or a path")
    def test_a_slow_task_times_out(self, machines: Any, functions: Any, tmp_path: Any) -> None:
        task = call(functions["python"], until=str(tmp_path / "free"))
        execution = machines.start({"Only": {**task, "TimeoutSeconds": 1, "End": True}})
        error = execution.wait(30)["error"]
        waited_for = (tmp_path / "free-ended").exists()
        (tmp_path / "free").touch()
        assert (error, waited_for) == ("States.Timeout", False)

    @behaviour(
        "TimeoutSeconds of the state machine ends the execution with `TIMED_OUT`",
        status="approximated",
        note="What is under way in the state goes on; no further state begins.",
    )
    def test_a_slow_execution_times_out(self, machines: Any) -> None:
        states = {"Wait": {"Type": "Wait", "Seconds": 2, "Next": "Then"}, "Then": {"Type": "Pass", "End": True}}
        execution = machines.start(states, TimeoutSeconds=1)
        assert execution.wait()["status"] == "TIMED_OUT"
        assert len(execution.events("ExecutionTimedOut")) == 1
        time.sleep(1.2)
        assert execution.events("PassStateEntered") == []

    def test_a_stopped_execution_goes_no_further(self, machines: Any) -> None:
        states = {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Then"}, "Then": {"Type": "Pass", "End": True}}
        execution = machines.start(states)
        execution.stop()
        time.sleep(1.2)
        assert (execution.read()["status"], execution.events("PassStateEntered")) == ("ABORTED", [])


class TestScopes:
    @behaviour("Variables that a branch assigns are its own; it sees those from outside")
    def test_variables_of_a_branch_are_its_own(self, machines: Any) -> None:
        inner = {"Type": "Pass", "Assign": {"own": "{% $outer + 1 %}"}, "Next": "Say"}
        say = {"Type": "Pass", "Output": "{% $own %}", "End": True}
        branch = {"StartAt": "Set", "States": {"Set": inner, "Say": say}}
        states = {
            "Begin": {"Type": "Pass", "Assign": {"outer": 1}, "Next": "Both"},
            "Both": {"Type": "Parallel", "Branches": [branch, branch], "Next": "After"},
            "After": {
                "Type": "Pass",
                "Output": {"said": "{% $states.input %}", "own": "{% $exists($own) %}"},
                "End": True,
            },
        }
        assert machines.start(states).wait()["output"] == {"said": [2, 2], "own": False}

    def test_the_context_object(self, machines: Any) -> None:
        state = {"Type": "Pass", "Output": "{% $states.context %}"}
        execution = machines.start({"Only": {**state, "End": True}}, {"a": 1})
        context = execution.wait()["output"]
        assert (context["Execution"]["Id"], context["Execution"]["Input"]) == (execution.arn, {"a": 1})
        assert context["Execution"]["RoleArn"] == machines.role
        assert context["State"]["Name"] == "Only"

    def test_a_succeed_state_has_an_output(self, machines: Any) -> None:
        definition = {"Only": {"Type": "Succeed", "Output": "{% $states.input + 1 %}"}}
        assert machines.start(definition, 1).wait()["output"] == 2

    @behaviour("JSONPath states assign variables and read them by `$name`; those of Choice are refused")
    def test_variables_by_path(self, machines: Any) -> None:
        branch = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Parameters": {"n.$": "$first.n"}, "End": True}}}
        failing = {"StartAt": "In", "States": {"In": {"Type": "Fail", "Error": "Oh"}}}
        catch = {"ErrorEquals": ["Oh"], "Next": "Say", "Assign": {"why.$": "$.Error"}, "ResultPath": None}
        states = {
            "Set": {"Type": "Pass", "Result": {"n": 7}, "Assign": {"first.$": "$", "one": 1}, "Next": "Both"},
            "Both": {"Type": "Parallel", "Branches": [branch], "Assign": {"both.$": "$[0].n"}, "Next": "Oh"},
            "Oh": {"Type": "Parallel", "Branches": [failing], "Assign": {"x": 1}, "Catch": [catch], "Next": "Say"},
            "Say": {
                "Type": "Pass",
                "Parameters": {"n.$": "$first.n", "both.$": "$both", "why.$": "States.Format('{}!', $why)"},
                "End": True,
            },
        }
        found = machines.start(states, {}, language="JSONPath").wait()
        assert found["output"] == {"n": 7, "both": 7, "why": "Oh!"}, found
        unknown = machines.run({"Type": "Pass", "Parameters": {"x.$": "$nobody"}}, language="JSONPath")
        assert "The variable $nobody of the path $nobody has no value here" in unknown["cause"]
        rule = {"Variable": "$.n", "NumericEquals": 1, "Next": "End", "Assign": {"x": 1}}
        choice = {"Go": {"Type": "Choice", "Choices": [rule], "Default": "End"}, "End": {"Type": "Succeed"}}
        refused = machines.start(choice, {"n": 1}, language="JSONPath").wait()
        assert "Assign of the JSONPath state 'Go' is not emulated by the local cloud for Choice" in refused["cause"]


class TestNested:
    def inner(self, machines: Any, **state: Any) -> str:
        return str(machines.make({"In": {"Type": "Pass", "End": True, **state}}))

    def start(self, arn: str, pattern: str) -> dict[str, Any]:
        arguments = {"StateMachineArn": arn, "Input": {"n": 1}}
        return {"Type": "Task", "Resource": f"arn:aws:states:::states:startExecution{pattern}", "Arguments": arguments}

    def test_started(self, machines: Any) -> None:
        found = machines.run(self.start(self.inner(machines), ""))
        assert set(found["output"]) == {"ExecutionArn", "StartDate"}

    @pytest.mark.parametrize(("pattern", "output"), [(".sync", '{"n": 1}'), (".sync:2", {"n": 1})])
    @behaviour("`startExecution.sync` and `.sync:2` wait for another state machine; stopping the one stops the other")
    def test_waited_for(self, machines: Any, pattern: str, output: Any) -> None:
        found = machines.run(self.start(self.inner(machines), pattern))["output"]
        assert (found["Output"], found["Status"]) == (output, "SUCCEEDED")

    def test_its_failure_is_a_failed_task(self, machines: Any) -> None:
        arn = machines.make({"In": {"Type": "Fail", "Error": "Own.Error", "Cause": "c"}})
        found = machines.run(self.start(arn, ".sync:2"))
        assert found["error"] == "States.TaskFailed"
        assert (json.loads(found["cause"])["Error"], json.loads(found["cause"])["Status"]) == ("Own.Error", "FAILED")

    def test_it_is_stopped_with_the_one_that_waits(self, machines: Any) -> None:
        arn = machines.make({"In": {"Type": "Wait", "Seconds": 600, "End": True}})
        execution = machines.start({"Only": {**self.start(arn, ".sync:2"), "End": True}})
        end = time.monotonic() + 10
        while not (inner := machines.client.list_executions(stateMachineArn=arn)["executions"]):
            assert time.monotonic() < end
            time.sleep(0.02)
        execution.stop()
        described = inner[0]
        while described["status"] == "RUNNING":
            assert time.monotonic() < end
            described = machines.client.describe_execution(executionArn=inner[0]["executionArn"])
            time.sleep(0.05)
        assert described["status"] == "ABORTED"

    def test_waiting_takes_more_than_starting(self, machines: Any, allow: Any) -> None:
        arn = self.inner(machines)
        role = machines.make_role("starter", allow((["states:StartExecution"], arn)))
        assert machines.run(self.start(arn, ""), role=role)["status"] == "SUCCEEDED"
        found = machines.run(self.start(arn, ".sync:2"), role=role)
        assert "not authorized to perform: states:DescribeExecution" in found["cause"]


@pytest.fixture(scope="module")
def names(machines: Any) -> dict[str, str]:
    """What the integrations act on."""
    account = machines.account
    account.client("dynamodb").create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    account.client("s3").create_bucket(Bucket=f"b{account.account_id}")
    return {
        "bucket": f"b{account.account_id}",
        "topic": account.client("sns").create_topic(Name="told")["TopicArn"],
        "queue": account.client("sqs").create_queue(QueueName="told")["QueueUrl"],
    }


class TestIntegrations:
    """What the workflows of this package use: each call, its result, its error, and the permission it takes."""

    def task(self, resource: str, **arguments: Any) -> dict[str, Any]:
        return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments}

    @pytest.mark.parametrize("prefix", ["dynamodb", "aws-sdk:dynamodb"])
    @behaviour(
        "DynamoDB, SNS, SQS, EventBridge, Lambda, Step Functions: optimized; these, S3 and all others here: by AWS SDK"
    )
    def test_dynamodb(self, machines: Any, names: Any, prefix: str) -> None:
        item = {"id": {"S": prefix}, "n": {"N": "1"}}
        key = {"id": {"S": prefix}}
        assert machines.run(self.task(f"{prefix}:putItem", TableName="things", Item=item))["status"] == "SUCCEEDED"
        update = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
        updated = machines.run(self.task(f"{prefix}:updateItem", TableName="things", Key=key, **update))
        assert updated["status"] == "SUCCEEDED", updated
        found = machines.run(self.task(f"{prefix}:getItem", TableName="things", Key=key))
        assert found["output"]["Item"]["n"] == {"N": "2"}
        taken = {"ConditionExpression": "attribute_not_exists(id)"}
        failed = machines.run(self.task(f"{prefix}:putItem", TableName="things", Item=item, **taken))
        name = "DynamoDB" if prefix == "dynamodb" else "DynamoDb"
        assert failed["error"] == f"{name}.ConditionalCheckFailedException"
        assert machines.run(self.task(f"{prefix}:deleteItem", TableName="things", Key=key))["status"] == "SUCCEEDED"

    def test_s3(self, machines: Any, names: Any) -> None:
        where = {"Bucket": names["bucket"], "Key": "a/one.json"}
        put = machines.run(self.task("aws-sdk:s3:putObject", **where, Body={"a": 1}))
        assert put["status"] == "SUCCEEDED", put
        got = machines.run(self.task("aws-sdk:s3:getObject", **where))
        assert json.loads(got["output"]["Body"]) == {"a": 1}
        listed = machines.run(self.task("aws-sdk:s3:listObjectsV2", Bucket=names["bucket"], Prefix="a/"))
        assert [found["Key"] for found in listed["output"]["Contents"]] == ["a/one.json"]
        missing = machines.run(self.task("aws-sdk:s3:getObject", Bucket=names["bucket"], Key="gone"))
        assert missing["error"] == "S3.NoSuchKeyException"

    @pytest.mark.parametrize("resource", ["sns:publish", "aws-sdk:sns:publish"])
    def test_sns(self, machines: Any, names: Any, resource: str) -> None:
        attributes = {"kind": {"DataType": "String", "StringValue": "x"}}
        message = {"a": 1} if resource == "sns:publish" else "text"
        state = self.task(resource, TopicArn=names["topic"], Message=message, MessageAttributes=attributes)
        assert machines.run(state)["output"]["MessageId"]

    @pytest.mark.parametrize("resource", ["sqs:sendMessage", "aws-sdk:sqs:sendMessage"])
    def test_sqs(self, machines: Any, names: Any, resource: str) -> None:
        found = machines.run(self.task(resource, QueueUrl=names["queue"], MessageBody="hello"))
        assert found["output"]["MessageId"], found
        sqs = machines.account.client("sqs")
        (message,) = sqs.receive_message(QueueUrl=names["queue"])["Messages"]
        sqs.delete_message(QueueUrl=names["queue"], ReceiptHandle=message["ReceiptHandle"])
        assert message["Body"] == "hello"

    @pytest.mark.parametrize("resource", ["events:putEvents", "aws-sdk:eventbridge:putEvents"])
    def test_events(self, machines: Any, resource: str) -> None:
        detail = {"a": 1} if resource.startswith("events") else '{"a": 1}'
        entry = {"Source": "x", "DetailType": "y", "Detail": detail, "EventBusName": "default"}
        found = machines.run(self.task(resource, Entries=[entry]))
        assert found["output"]["FailedEntryCount"] == 0, found

    def test_lambda_and_states_by_the_sdk(self, machines: Any, functions: Any) -> None:
        found = machines.run(self.task("aws-sdk:lambda:invoke", FunctionName=functions["python"], Payload={"a": 1}))
        assert json.loads(found["output"]["Payload"]) == {"a": 1}, found
        arn = machines.make({"In": {"Type": "Pass", "End": True}})
        found = machines.run(self.task("aws-sdk:sfn:startExecution", StateMachineArn=arn, Input="{}"))
        assert found["output"]["ExecutionArn"], found

    @behaviour(
        "Optimized integrations that nobody emulates (Glue, Batch, EMR and others)",
        status="refused",
        note="`States.Runtime` with the name of the integration.",
    )
    def test_what_nobody_emulates_says_so(self, machines: Any) -> None:
        for resource, cause in (
            ("aws-sdk:bedrockagentcore:invokeHarness", "cannot read event streams; use the optimized integration"),
            ("aws-sdk:s3:doSomething", "There is no AWS SDK integration arn:aws:states:::aws-sdk:s3:doSomething"),
            ("aws-sdk:nothing:at", "There is no AWS SDK integration arn:aws:states:::aws-sdk:nothing"),
            ("glue:startJobRun", "glue:startJobRun is not yet implemented"),
        ):
            found = machines.run(self.task(resource))
            assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
            assert cause in found["cause"]
        found = machines.run(self.task("aws-sdk:s3:getObject", bucket="b"))
        assert "The field(s) bucket of Arguments are not supported by Step Functions" in found["cause"]

    @pytest.mark.parametrize(
        ("resource", "arguments", "action"),
        [
            ("dynamodb:getItem", {"TableName": "things", "Key": {"id": {"S": "a"}}}, "dynamodb:GetItem"),
            ("aws-sdk:dynamodb:getItem", {"TableName": "things", "Key": {"id": {"S": "a"}}}, "dynamodb:GetItem"),
            ("aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"}, "s3:GetObject"),
            ("aws-sdk:s3:listObjectsV2", {"Bucket": "b"}, "s3:ListBucket"),
            ("sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "m"}, "sns:Publish"),
            ("aws-sdk:sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "m"}, "sns:Publish"),
            ("sqs:sendMessage", {"QueueUrl": "http://x/1/q", "MessageBody": "m"}, "sqs:SendMessage"),
            ("aws-sdk:sqs:sendMessage", {"QueueUrl": "http://x/1/q", "MessageBody": "m"}, "sqs:SendMessage"),
            ("events:putEvents", {"Entries": [{"Source": "x"}]}, "events:PutEvents"),
            ("aws-sdk:eventbridge:putEvents", {"Entries": [{"Source": "x"}]}, "events:PutEvents"),
            ("lambda:invoke", {"FunctionName": "f"}, "lambda:InvokeFunction"),
            ("aws-sdk:lambda:invoke", {"FunctionName": "f"}, "lambda:InvokeFunction"),
            ("aws-sdk:sfn:startExecution", {"StateMachineArn": "arn:aws:states:::x"}, "states:StartExecution"),
        ],
    )
    @behaviour(
        "Every call takes its permission from the role of the state machine",
        status="approximated",
        note="AWS SDK calls are checked where their arguments name a table, bucket, function, queue, topic or ARN.",
    )
    def test_each_takes_its_permission(
        self, machines: Any, denied: str, resource: str, arguments: Any, action: str
    ) -> None:
        found = machines.run(self.task(resource, **arguments), role=denied)
        assert f"not authorized to perform: {action} on" in found["cause"], found


@pytest.fixture(scope="module")
def denied(machines: Any, allow: Any) -> str:
    """A role that may do nothing."""
    return str(machines.make_role("denied", allow()))


class TestTrust:
    @behaviour("A state machine is made, changed and run only with a role that trusts Step Functions")
    def test_a_machine_needs_a_role_that_trusts_step_functions(self, machines: Any, allow: Any) -> None:
        role = machines.make_role("elsewhere", allow(), "lambda.amazonaws.com")
        with pytest.raises(ClientError, match=r"Neither the global service principal states\.amazonaws\.com") as caught:
            machines.make({"In": {"Type": "Pass", "End": True}}, role=role)
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
        arn = machines.make({"In": {"Type": "Pass", "End": True}})
        with pytest.raises(ClientError, match="Neither the global service principal"):
            machines.client.update_state_machine(stateMachineArn=arn, roleArn=role)

    def test_the_regional_principal_will_do(self, machines: Any, allow: Any) -> None:
        role = machines.make_role("regional", allow(), "states.us-east-1.amazonaws.com")
        assert machines.make({"In": {"Type": "Pass", "End": True}}, role=role)

    def test_in_a_stack_too(self, machines: Any, tmp_path: Any) -> None:
        machine = {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}',
                "RoleArn": stacks.get_att("Role", "Arn"),
            },
        }
        template = {"Resources": {"Role": stacks.role("lambda.amazonaws.com"), "Machine": machine}}
        from agentcore_local.deploy import DeploymentError  # noqa: PLC0415 - only here

        with pytest.raises(DeploymentError, match="Neither the global service principal"):
            machines.account.deploy(stacks.assembly(tmp_path / "Bad", template, "Bad"))

    def test_a_role_that_lost_its_trust_fails_the_task(self, machines: Any, functions: Any) -> None:
        role = machines.make_role("fickle", stacks.ANYTHING)
        arn = machines.make({"Only": {**call(functions["python"]), "End": True}}, role=role)
        document = json.dumps(stacks.trust("lambda.amazonaws.com"))
        machines.account.client("iam").update_assume_role_policy(RoleName="fickle", PolicyDocument=document)
        started = machines.client.start_execution(stateMachineArn=arn)
        end = time.monotonic() + 10
        while (found := machines.client.describe_execution(executionArn=started["executionArn"]))[
            "status"
        ] == "RUNNING":
            assert time.monotonic() < end
            time.sleep(0.02)
        assert "cannot be assumed" in found["cause"]


class TestExpress:
    @pytest.mark.parametrize(
        ("state", "why"),
        [
            ({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"}, ".waitForTaskToken"),
            ({"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2"}, ".sync"),
            (
                {
                    "Type": "Map",
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "DISTRIBUTED"},
                        "StartAt": "In",
                        "States": {"In": {"Type": "Pass", "End": True}},
                    },
                },
                "DISTRIBUTED",
            ),
        ],
    )
    @behaviour("Express workflows know no `.sync`, `.waitForTaskToken` and Distributed Maps")
    def test_what_express_workflows_do_not_know(self, machines: Any, state: Any, why: str) -> None:
        with pytest.raises(ClientError, match="Express state machine does not support") as caught:
            machines.make({"In": {**state, "End": True}}, type="EXPRESS")
        assert why in str(caught.value)

    def test_at_once(self, machines: Any) -> None:
        arn = machines.make({"In": {"Type": "Pass", "End": True}}, type="EXPRESS")
        found = machines.client.start_sync_execution(stateMachineArn=arn, input="[1]")
        assert (found["status"], found["output"]) == ("SUCCEEDED", "[1]")
