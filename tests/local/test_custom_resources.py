"""Custom resources: their own functions run, failures are fast, CDK's JavaScript providers are served by Python."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr
from support import stacks
from support.behaviours import behaviour
from support.stacks import get_att

from agentcore_local.cfn import builtin, custom_resources
from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentcore_local import Account

TOPIC = "Custom resources"
SOURCES = (
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources-sns.html",
)
ANSWER = """
import json, os, urllib.request
def answer(event, status, **members):
    body = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    body.update({"Status": status, "PhysicalResourceId": event.get("PhysicalResourceId", "thing"), **members})
    request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT")
    urllib.request.urlopen(request)
"""


def function(code: str) -> dict[str, Any]:
    """A Lambda function with code in the template; `answer` is there to answer CloudFormation with."""
    properties = {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": get_att("Role", "Arn"),
        "Code": {"ZipFile": ANSWER + code},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def custom(resource_type: str = "Custom::Thing", **properties: Any) -> dict[str, Any]:
    """A custom resource of the function `Function`."""
    return {"Type": resource_type, "Properties": {"ServiceToken": get_att("Function", "Arn"), **properties}}


def stack(code: str, outputs: dict[str, Any] | None = None, **properties: Any) -> stacks.Template:
    """A custom resource named `Thing` with the code of its function."""
    template = stacks.template(outputs, Function=function(code), Thing=custom(**properties))
    template["Resources"]["Role"] = stacks.role("lambda.amazonaws.com")
    return template


class TestFunctions:
    @behaviour("The function runs, in Python or Node.js; what it answers with is read by `Ref` and `Fn::GetAtt`")
    def test_runs_and_returns_data(self, deploy: Any) -> None:
        code = """
def handler(event, context):
    answer(event, "SUCCESS", Data={"Got": event["ResourceProperties"]["Word"], "Type": event["RequestType"]})
"""
        outputs = {"Got": get_att("Thing", "Got"), "Type": get_att("Thing", "Type"), "Ref": {"Ref": "Thing"}}
        assert deploy(stack(code, outputs, Word="a")).outputs == {"Got": "a", "Type": "Create", "Ref": "thing"}
        assert deploy(stack(code, outputs, Word="b")).outputs == {"Got": "b", "Type": "Update", "Ref": "thing"}

    def test_reaches_the_local_services_and_nothing_of_the_servers_environment(
        self, deploy: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET_OF_THE_SERVER", "1")
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        code = """
def handler(event, context):
    if event["RequestType"] == "Delete":
        return answer(event, "SUCCESS")
    import boto3
    who = boto3.client("sts").get_caller_identity()["Account"]
    answer(event, "SUCCESS", Data={"Who": who, "Names": ",".join(os.environ), "Home": os.environ["HOME"]})
"""
        outputs = {name: get_att("Thing", name) for name in ("Who", "Names", "Home")}
        found = deploy(stack(code, outputs)).outputs
        assert found["Who"].isdigit()
        names = set(found["Names"].split(","))
        assert "AWS_ENDPOINT_URL" in names
        assert not names & {"SECRET_OF_THE_SERVER", "AWS_PROFILE", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV"}
        assert "agentcore-local-" in found["Home"]

    @behaviour("A failure that it reports fails the stack, with its reason")
    def test_a_failure_it_reports_fails_the_stack_with_its_reason(self, deploy: Any) -> None:
        code = 'def handler(event, context): answer(event, "FAILED", Reason="no such thing")'
        with pytest.raises(DeploymentError, match=r"\[FAILED\] from custom resource. Message returned: no such thing"):
            deploy(stack(code))

    @behaviour(
        "A function that ends with an error and never answers",
        status="approximated",
        note="Fails at once, or after five minutes if it has returned; AWS waits for `ServiceTimeout`, an hour.",
    )
    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("def handler(event, context): raise RuntimeError('broken')", "broken"),
            ("import nothing_of_that_name", "nothing_of_that_name"),
            ("def other(event, context): pass", "handler"),
        ],
        ids=["raises", "cannot be imported", "has no handler"],
    )
    def test_a_crash_fails_at_once(self, deploy: Any, code: str, reason: str) -> None:
        """AWS would wait for the answer for an hour."""
        with pytest.raises(DeploymentError, match=f"(?s)failed before it answered.*{reason}"):
            deploy(stack(code))

    def test_returning_without_an_answer_fails_after_a_while(
        self, deploy: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(custom_resources, "GRACE_SECONDS", 0.2)
        with pytest.raises(DeploymentError, match="has not answered; the local cloud waits no longer"):
            deploy(stack("def handler(event, context): return None"))

    def test_an_answer_may_come_after_the_function_when_a_state_machine_waits(
        self, deploy: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As CDK's provider framework does with an isComplete handler."""
        monkeypatch.setattr(custom_resources, "GRACE_SECONDS", 0.1)
        code = """
import subprocess, sys
def handler(event, context):
    later = "import sys, json, time, urllib.request; time.sleep(0.6); " \\
        "urllib.request.urlopen(urllib.request.Request(sys.argv[1], sys.argv[2].encode(), method='PUT'))"
    body = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    body.update({"Status": "SUCCESS", "PhysicalResourceId": "thing"})
    subprocess.Popen([sys.executable, "-c", later, event["ResponseURL"], json.dumps(body)])
"""
        template = stack(code)
        variables = {"Variables": {"WAITER_STATE_MACHINE_ARN": "x"}}
        template["Resources"]["Function"]["Properties"]["Environment"] = variables
        assert deploy(template).changed

    def test_a_crash_after_the_answer_changes_nothing(self, deploy: Any) -> None:
        code = 'def handler(event, context):\n    answer(event, "SUCCESS")\n    raise RuntimeError("late")'
        assert deploy(stack(code)).changed

    @behaviour("In a rollback it is sent the update back to what was")
    def test_an_update_that_fails_is_sent_back(self, deploy: Any, account: Account) -> None:
        code = """
def handler(event, context):
    import boto3
    if event["ResourceProperties"]["Word"] == "bad":
        raise RuntimeError("bad word")
    if event["RequestType"] != "Delete":
        boto3.client("ssm").put_parameter(
            Name="/word", Value=event["ResourceProperties"]["Word"], Type="String", Overwrite=True
        )
    answer(event, "SUCCESS")
"""
        deploy(stack(code, Word="good"))
        account.client("ssm").put_parameter(Name="/word", Value="changed", Type="String", Overwrite=True)
        with pytest.raises(DeploymentError, match="UPDATE_ROLLBACK_COMPLETE"):
            deploy(stack(code, Word="bad"))
        assert account.client("ssm").get_parameter(Name="/word")["Parameter"]["Value"] == "good"

    def test_a_function_that_does_not_exist_is_named(self, deploy: Any) -> None:
        thing = {"Type": "Custom::Thing", "Properties": {"ServiceToken": "arn:aws:lambda:us-east-1:1:function:gone"}}
        with pytest.raises(DeploymentError, match="'arn:aws:lambda:us-east-1:1:function:gone' not found"):
            deploy(stacks.template(Thing=thing))


POLLED = """
import boto3
def on_event(event, context):
    return {"PhysicalResourceId": "job"}
def is_complete(event, context):
    polls, ssm = int(event["ResourceProperties"]["Polls"]), boto3.client("ssm")
    name = f"/{event['RequestType']}{polls}"
    asked = ssm.put_parameter(Name=name, Value="x", Type="String", Overwrite=True)["Version"]
    if event["ResourceProperties"].get("FailsAt") == str(asked):
        raise RuntimeError("the job broke")
    return {"IsComplete": True, "Data": {"Asked": str(asked)}} if asked >= polls else {"IsComplete": False}
"""


class TestProviderFramework:
    """The real one, of aws-cdk-lib: "not yet" is an error of its function, which a state machine retries."""

    @pytest.fixture
    def run(self, account: Account, tmp_path: Path) -> Callable[..., dict[str, str]]:
        def run(total: int = 60, **properties: str) -> dict[str, str]:
            app = cdk.App(outdir=str(tmp_path / uuid.uuid4().hex))
            stack = cdk.Stack(app, "Stack")
            code = lambda_.Code.from_inline(POLLED)
            started, asked = (
                lambda_.Function(stack, f, runtime=lambda_.Runtime.PYTHON_3_12, handler=f"index.{f}", code=code)
                for f in ("on_event", "is_complete")
            )
            asked.add_to_role_policy(iam.PolicyStatement(actions=["ssm:PutParameter"], resources=["*"]))
            provider = cr.Provider(
                stack,
                "Provider",
                on_event_handler=started,
                is_complete_handler=asked,
                query_interval=cdk.Duration.seconds(1),
                total_timeout=cdk.Duration.seconds(total),
            )
            job = cdk.CustomResource(stack, "Job", service_token=provider.service_token, properties=properties)
            cdk.CfnOutput(stack, "Asked", value=job.get_att_string("Asked"))
            return account.deploy(app.synth().directory)["Stack"].outputs

        return run

    @behaviour("CDK's provider framework polls `isComplete` handlers until they are, or its time is up")
    def test_polls_until_it_is_complete(self, run: Any, account: Account) -> None:
        assert run(Polls="1") == {"Asked": "1"}
        assert run(Polls="3") == {"Asked": "3"}
        account.destroy("Stack")

    def test_what_the_handler_raises_fails_the_resource(self, run: Any) -> None:
        with pytest.raises(DeploymentError, match="Message returned: Error: the job broke"):
            run(Polls="3", FailsAt="2")

    def test_a_job_that_takes_too_long_times_out(self, run: Any) -> None:
        with pytest.raises(DeploymentError, match="Message returned: Operation timed out"):
            run(total=2, Polls="100")


def served(resource_type: str, **properties: Any) -> stacks.Template:
    """A template with one custom resource that is served here."""
    return stacks.template({"Ref": {"Ref": "Thing"}}, Thing={"Type": resource_type, "Properties": properties})


class TestBucketDeployment:
    @pytest.fixture
    def objects(self, account: Account) -> Any:
        client = account.client("s3")
        for bucket in ("source", "target"):
            client.create_bucket(Bucket=f"{bucket}-{account.account_id}")
        files = {"index.html": "<p>$URL</p>", "css/a.css": "p {}", "skip.map": "{}"}
        client.put_object(Bucket=f"source-{account.account_id}", Key="s.zip", Body=stacks.zipped(files))
        return client

    def properties(self, account: Account, **members: Any) -> dict[str, Any]:
        return {
            "SourceBucketNames": [f"source-{account.account_id}"],
            "SourceObjectKeys": ["s.zip"],
            "DestinationBucketName": f"target-{account.account_id}",
            **members,
        }

    def keys(self, objects: Any, account: Account) -> list[str]:
        listed = objects.list_objects_v2(Bucket=f"target-{account.account_id}").get("Contents", [])
        return [item["Key"] for item in listed]

    def test_unpacks_with_types_markers_and_filters(self, deploy: Any, objects: Any, account: Account) -> None:
        properties = self.properties(
            account,
            SourceMarkers=[{"$URL": "https://x"}],
            DestinationBucketKeyPrefix="site",
            Exclude=["*.map"],
            SystemMetadata={"cache-control": "no-cache"},
            UserMetadata={"by": "me"},
        )
        deploy(served("Custom::CDKBucketDeployment", **properties))
        assert self.keys(objects, account) == ["site/css/a.css", "site/index.html"]
        page = objects.get_object(Bucket=f"target-{account.account_id}", Key="site/index.html")
        assert page["Body"].read() == b"<p>https://x</p>"
        assert (page["ContentType"], page["CacheControl"], page["Metadata"]) == ("text/html", "no-cache", {"by": "me"})

    @pytest.mark.parametrize(("prune", "left"), [("true", []), ("false", ["old.txt"])])
    def test_prunes_what_is_not_in_the_source(
        self, deploy: Any, objects: Any, account: Account, prune: str, left: list[str]
    ) -> None:
        objects.put_object(Bucket=f"target-{account.account_id}", Key="old.txt", Body=b"")
        deploy(served("Custom::CDKBucketDeployment", **self.properties(account, Prune=prune)))
        assert [key for key in self.keys(objects, account) if key == "old.txt"] == left

    @pytest.mark.parametrize(("retain", "count"), [(True, 3), (False, 0)])
    def test_deletes_the_files_unless_they_are_retained(
        self, deploy: Any, objects: Any, account: Account, retain: bool, count: int
    ) -> None:
        deploy(served("Custom::CDKBucketDeployment", **self.properties(account, RetainOnDelete=retain)))
        account.destroy("Stack")
        assert len(self.keys(objects, account)) == count

    def test_an_archive_that_is_gone_fails_with_a_sentence(self, deploy: Any, objects: Any, account: Account) -> None:
        properties = self.properties(account, SourceObjectKeys=["gone.zip"])
        with pytest.raises(DeploymentError, match=r"Message returned: .*NoSuchKey"):
            deploy(served("Custom::CDKBucketDeployment", **properties))


def test_auto_delete_objects_empties_the_bucket(deploy: Any, account: Account) -> None:
    template = stacks.template(
        {"Name": {"Ref": "Bucket"}},
        Bucket={"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}},
        Empty={"Type": "Custom::S3AutoDeleteObjects", "Properties": {"BucketName": {"Ref": "Bucket"}}},
    )
    bucket = deploy(template).outputs["Name"]
    client = account.client("s3")
    for body in (b"1", b"2"):
        client.put_object(Bucket=bucket, Key="k", Body=body)
    account.destroy("Stack")
    assert client.list_buckets()["Buckets"] == []


class TestSdkCall:
    """`Custom::AWS`, what CDK's AwsCustomResource makes."""

    def call(self, **members: Any) -> str:
        return json.dumps({"physicalResourceId": {"id": "x"}, **members})

    def test_calls_and_returns_the_response(self, deploy: Any, account: Account) -> None:
        put = self.call(service="SSM", action="putParameter", parameters={"Name": "/a", "Value": "1", "Type": "String"})
        get = self.call(service="@aws-sdk/client-ssm", action="GetParameterCommand", parameters={"Name": "/a"})
        delete = self.call(service="ssm", action="deleteParameter", parameters={"Name": "/a"})
        template = stacks.template(
            {"Value": get_att("Get", "Parameter.Value")},
            Put={"Type": "Custom::AWS", "Properties": {"Create": put, "Delete": delete}},
            Get={"Type": "Custom::AWS", "DependsOn": "Put", "Properties": {"Create": get}},
        )
        assert deploy(template).outputs["Value"] == "1"
        account.destroy("Stack")
        assert account.client("ssm").describe_parameters()["Parameters"] == []

    def test_any_type_name_that_carries_such_calls(self, deploy: Any) -> None:
        wanted = self.call(service="STS", action="getCallerIdentity")
        thing = {"Type": "Custom::Who", "Properties": {"Create": wanted, "InstallLatestAwsSdk": "false"}}
        deployed = deploy(stacks.template({"Who": get_att("Thing", "Account")}, Thing=thing))
        assert deployed.outputs["Who"].isdigit()

    def test_scalars_that_became_strings_get_their_types_back(self, deploy: Any, account: Account) -> None:
        parameters = {
            "QueueName": "q",
            "Attributes": {"VisibilityTimeout": 30},
        }
        create = self.call(service="SQS", action="createQueue", parameters=parameters)
        update = self.call(service="SQS", action="listQueues", parameters={"MaxResults": "5"})
        deploy(served("Custom::AWS", Create=create))
        deploy(served("Custom::AWS", Create=create, Update=update))
        assert account.client("sqs").list_queues()["QueueUrls"]

    def test_errors_fail_unless_they_are_to_be_ignored(self, deploy: Any) -> None:
        wanted = {"service": "SSM", "action": "getParameter", "parameters": {"Name": "/gone"}}
        with pytest.raises(DeploymentError, match="ParameterNotFound"):
            deploy(served("Custom::AWS", Create=self.call(**wanted)))
        deploy(served("Custom::AWS", Create=self.call(**wanted, ignoreErrorCodesMatching="ParameterNot.*")))

    def test_a_service_nobody_knows_is_named(self, deploy: Any) -> None:
        with pytest.raises(DeploymentError, match="@aws-sdk/client-nothing does not exist"):
            deploy(served("Custom::AWS", Create=self.call(service="nothing", action="doIt")))

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("CloudWatchLogs", "logs"),
            ("@aws-sdk/client-sfn", "stepfunctions"),
            ("@aws-sdk/client-bedrock-agentcore-control", "bedrock-agentcore-control"),
            ("BedrockAgentCoreControl", "bedrock-agentcore-control"),
            ("EventBridge", "events"),
            ("CognitoIdentityServiceProvider", "cognito-idp"),
            ("DynamoDB", "dynamodb"),
            ("SecretsManager", "secretsmanager"),
        ],
    )
    def test_service_names(self, given: str, expected: str) -> None:
        assert builtin.service_name(given) == expected


def by_topic(code: str, outputs: dict[str, Any] | None = None, **properties: Any) -> stacks.Template:
    """A custom resource that is asked through a topic, which a function subscribes to; `code` has its `asked`."""
    handler = "\ndef handler(event, context): asked(json.loads(event['Records'][0]['Sns']['Message']))\n"
    subscription = {"TopicArn": {"Ref": "Topic"}, "Protocol": "lambda", "Endpoint": get_att("Function", "Arn")}
    template = stack(code + handler, outputs)
    template["Resources"] |= {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Subscription": {"Type": "AWS::SNS::Subscription", "Properties": subscription},
        "Thing": {**custom(ServiceToken={"Ref": "Topic"}, **properties), "DependsOn": "Subscription"},
    }
    return template


class TestTopics:
    @behaviour("A topic as the service token: whoever subscribes to it is sent the request, and answers at its URL")
    def test_a_subscriber_creates_updates_and_deletes(self, deploy: Any, account: Account) -> None:
        account.client("sqs").create_queue(QueueName="heard")
        code = """
def asked(request):
    import boto3
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="heard")["QueueUrl"], MessageBody=json.dumps(request))
    answer(request, "SUCCESS", Data={"Got": request["ResourceProperties"]["Word"]})
"""
        outputs = {"Got": get_att("Thing", "Got"), "Ref": {"Ref": "Thing"}}
        assert deploy(by_topic(code, outputs, Word="a")).outputs == {"Got": "a", "Ref": "thing"}
        assert deploy(by_topic(code, outputs, Word=7)).outputs == {"Got": "7", "Ref": "thing"}
        account.destroy("Stack")

        heard = messages(account, "heard")
        assert [request["RequestType"] for request in heard] == ["Create", "Update", "Delete"]
        created, updated, deleted = heard
        assert (created["ResourceType"], created["LogicalResourceId"]) == ("Custom::Thing", "Thing")
        assert created["StackId"].startswith("arn:aws:cloudformation:")
        assert "PhysicalResourceId" not in created
        assert (updated["ResourceProperties"]["Word"], updated["OldResourceProperties"]["Word"]) == ("7", "a")
        assert updated["PhysicalResourceId"] == deleted["PhysicalResourceId"] == "thing"
        assert deleted["ResourceProperties"]["Word"] == "7"

    def test_a_failure_it_reports_fails_the_stack_with_its_reason(self, deploy: Any) -> None:
        code = "def asked(request): answer(request, 'FAILED', Reason='no such thing')"
        with pytest.raises(DeploymentError, match="Message returned: no such thing"):
            deploy(by_topic(code))

    @behaviour(
        "A topic whose only subscriber is a function that ends with an error",
        status="approximated",
        note="Fails at once; AWS tries the function twice more and then waits for `ServiceTimeout`, an hour.",
    )
    def test_a_crash_of_the_only_subscriber_fails_at_once(self, deploy: Any) -> None:
        with pytest.raises(DeploymentError, match="failed before it answered: broken"):
            deploy(by_topic("def asked(request): raise RuntimeError('broken')"))

    def test_a_crash_of_one_of_several_subscribers_does_not(self, deploy: Any) -> None:
        """The other one answers, and whichever is first makes no difference."""
        template = by_topic("def asked(request): answer(request, 'SUCCESS')")
        template["Resources"]["Broken"] = function("def handler(event, context): raise RuntimeError('broken')")
        other = {"TopicArn": {"Ref": "Topic"}, "Protocol": "lambda", "Endpoint": get_att("Broken", "Arn")}
        template["Resources"]["Other"] = {"Type": "AWS::SNS::Subscription", "Properties": other}
        template["Resources"]["Thing"]["DependsOn"] = ["Subscription", "Other"]
        assert deploy(template).changed

    @behaviour("`ServiceTimeout` without an answer fails the resource")
    def test_nobody_answers_in_time(self, deploy: Any) -> None:
        with pytest.raises(DeploymentError, match=r"nobody answered the request to the topic arn:\S+ within 1 s"):
            deploy(by_topic("def asked(request): pass", ServiceTimeout=1))

    @behaviour(
        "A topic that nobody has subscribed to",
        status="refused",
        note="CloudFormation waits in vain; the sentence says what the resource should depend on.",
    )
    def test_nobody_has_subscribed(self, deploy: Any) -> None:
        template = by_topic("def asked(request): pass")
        del template["Resources"]["Subscription"], template["Resources"]["Thing"]["DependsOn"]
        with pytest.raises(DeploymentError, match=r"nobody subscribes to the topic .* let Thing depend on"):
            deploy(template)

    def test_a_topic_of_another_region(self, deploy: Any) -> None:
        template = by_topic("def asked(request): pass")
        template["Resources"]["Thing"]["Properties"]["ServiceToken"] = "arn:aws:sns:eu-west-1:111122223333:elsewhere"
        with pytest.raises(DeploymentError, match="must be in the Region of the stack, us-east-1"):
            deploy(template)


def messages(account: Account, queue: str) -> list[dict[str, Any]]:
    """What is in a queue, read as JSON, in the order in which it was sent."""
    sqs = account.client("sqs")
    url, found = sqs.get_queue_url(QueueName=queue)["QueueUrl"], []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]).get(
        "Messages"
    ):
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append((int(message["Attributes"]["SentTimestamp"]), json.loads(message["Body"])))
    return [body for _, body in sorted(found, key=lambda one: one[0])]


def test_log_retention(deploy: Any, account: Account) -> None:
    deploy(served("Custom::LogRetention", LogGroupName="/x", RetentionInDays="7", RemovalPolicy="destroy"))
    (group,) = account.client("logs").describe_log_groups(logGroupNamePrefix="/x")["logGroups"]
    assert group["retentionInDays"] == 7
    account.destroy("Stack")
    assert account.client("logs").describe_log_groups(logGroupNamePrefix="/x")["logGroups"] == []


def test_the_default_security_group_is_restricted(deploy: Any, account: Account) -> None:
    template = stacks.template(
        {"Group": get_att("Vpc", "DefaultSecurityGroup")},
        Vpc={"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        Restrict={
            "Type": "Custom::VpcRestrictDefaultSG",
            "Properties": {"DefaultSecurityGroupId": get_att("Vpc", "DefaultSecurityGroup"), "Account": "x"},
        },
    )
    group_id = deploy(template).outputs["Group"]
    (group,) = account.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


def test_a_type_of_your_own(deploy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_resources, "_SERVED", dict(custom_resources._SERVED))
    custom_resources.register_custom_resource(
        "Custom::Mine", lambda call: builtin.Answer("mine", {"Said": call.props["Word"].upper()})
    )
    template = served("Custom::Mine", Word="a")
    template["Outputs"]["Said"] = {"Value": get_att("Thing", "Said")}
    assert deploy(template).outputs == {"Ref": "mine", "Said": "A"}


def test_zip_helper_makes_archives() -> None:
    with zipfile.ZipFile(io.BytesIO(stacks.zipped({"a": "b"}))) as archive:
        assert archive.read("a") == b"b"
