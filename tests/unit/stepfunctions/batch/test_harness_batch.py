"""HarnessBatch: its definition is the file that ships, its roles reach their prefixes only, its refusals say why."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cfnlint.api
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from support import capabilities_batch, patterns, synth
from support.capabilities_batch import PROMPT
from support.shop import orders
from support.workflows import Machine, evaluate, resolved

from agentcore_constructs import Harness, HarnessConfigError, InlineTool, Memory
from agentcore_lambdas.batch import collect, prepare
from agentcore_stepfunctions import HarnessBatch, SessionId
from agentcore_stepfunctions.workflows import harness_batch_map

PAGE = Path(__file__).resolve().parents[4] / "docs" / "batch.md"
ASL: Path = resources.files("agentcore_stepfunctions.workflows") / "harness_batch.asl.json"  # type: ignore[assignment]
WHERE = {"Reader": "BatchReaderFunction", "Collector": "BatchCollectorFunction"}


def batch(stack: cdk.Stack, **options: Any) -> HarnessBatch:
    given = {"source_prefix": "letters/", "prompt": PROMPT, **options}
    harness = given.pop("harness", None) or Harness(stack, "Agent", memory=Memory.disabled())
    source = given.pop("source", None) or s3.Bucket(stack, "Source")
    return HarnessBatch(stack, "Batch", harness=harness, source=source, **given)


def statements(stack: cdk.Stack, role: str) -> list[tuple[Any, Any]]:
    """Actions and resources of the policies of a role, without those of logs and traces."""
    found = [
        (resolved(statement["Action"]), resolved(statement["Resource"]))
        for name, one in synth.resources(stack, "AWS::IAM::Policy").items()
        if role in name
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
    ]
    return [
        one for one in found if not str(one[0][0] if isinstance(one[0], list) else one[0]).startswith(("logs", "x"))
    ]


def test_the_page_shows_what_ships(stack: cdk.Stack) -> None:
    batch(stack, results=s3.Bucket(stack, "Results"))
    assert patterns.drawn_on(PAGE, "harness_batch", Machine(stack).definition), "run this test with WRITE_ASL=1"


def test_the_shipped_definition_is_what_the_construct_renders(stack: cdk.Stack) -> None:
    batch(stack, results=s3.Bucket(stack, "Results"))
    rendered = json.dumps(Machine(stack).definition, indent=2, ensure_ascii=False) + "\n"
    names = {"Agent.Arn": "HarnessArn"}
    for name, one in synth.resources(stack, "AWS::S3::Bucket").items():
        assert one["Type"]
        names[name] = f"{'Source' if 'Source' in name else 'Results'}Bucket"
    for name in synth.resources(stack, "AWS::Lambda::Function"):
        names[f"{name[:-8]}.Arn"] = f"{'Reader' if 'Reader' in name else 'Collector'}Arn"
    for name, stand_in in names.items():
        rendered = rendered.replace(f"<{name}>", f"${{{stand_in}}}")
    if "WRITE_ASL" in os.environ:
        ASL.write_text(rendered, encoding="utf-8")
    assert ASL.read_text(encoding="utf-8") == rendered, "run this test with WRITE_ASL=1 to write the file anew"


def test_the_definition_is_amazon_states_language() -> None:
    properties = {"RoleArn": "arn:aws:iam::111122223333:role/Machine", "DefinitionString": ASL.read_text("utf-8")}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    template["Resources"]["Machine"]["Properties"]["DefinitionSubstitutions"] = dict.fromkeys(
        ("HarnessArn", "ReaderArn", "CollectorArn", "SourceBucket", "ResultsBucket"), "x"
    )
    found = [match.message for match in cfnlint.api.lint(json.dumps(template), regions=["us-east-1"])]
    # The language takes an expression here (https://states-language.net/#map-state); cfn-lint's schema does not know.
    expected = "'{% $batch.tolerated %}' is not of type 'integer' at 'States/Each item/ToleratedFailureCount'"
    assert found == [expected]


def test_states_and_functions_name_the_files_alike() -> None:
    assert (harness_batch_map.ITEMS, f"{harness_batch_map.RUNS}/") == (prepare.ITEMS, collect.RUNS)


def test_the_roles_reach_their_prefixes_and_this_harness_only(stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    results = s3.Bucket(stack, "Results", encryption_key=key)
    batch(stack, results=results, results_prefix="answers", qualifier="PROD")
    (bucket,) = (name for name in synth.resources(stack, "AWS::S3::Bucket") if "Results" in name)
    (source,) = (name for name in synth.resources(stack, "AWS::S3::Bucket") if "Source" in name)
    objects = f"<{bucket[:-8]}.Arn>/answers/*"
    use_key = (["kms:Decrypt", "kms:GenerateDataKey"], f"<{'Key'}.Arn>")
    files = (["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], objects)
    assert statements(stack, "BatchReaderRole") == [("s3:GetObject", f"<{source[:-8]}.Arn>/letters/*"), files, use_key]
    assert statements(stack, "BatchCollectorRole") == [files, ("s3:ListBucket", f"<{bucket[:-8]}.Arn>"), use_key]
    machine = statements(stack, "StateMachineRole")
    assert (
        ["bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime"],
        ["<Agent.Arn>", "<Agent.Arn>/harness-endpoint/PROD"],
    ) in machine
    assert [resources for actions, resources in machine if "s3:PutObject" in actions] == [objects]
    assert {str(action).split(":")[0] for actions, _ in machine for action in ([actions] if isinstance(actions, str)
            else actions)} == {"bedrock-agentcore", "lambda", "s3", "kms"}  # fmt: skip
    (children,) = (
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in synth.resources(stack, "AWS::IAM::Policy").items()
        if "DistributedMapPolicy" in name
    )
    assert [statement["Action"] for statement in children] == [
        "states:StartExecution",
        ["states:DescribeExecution", "states:StopExecution"],
        "states:RedriveExecution",
    ]
    assert "*" not in json.dumps(children[0]["Resource"])


def test_buckets_by_name_and_by_arn(stack: cdk.Stack) -> None:
    batch(stack, source="letters", results="arn:aws:s3:::answers")
    found = json.dumps(statements(stack, "BatchReaderRole"))
    assert ":s3:::letters/letters/*" in found
    assert "arn:aws:s3:::answers/batches/*" in found


def test_what_is_no_bucket_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError) as caught:
        batch(stack, source=kms.Key(stack, "Key"), results="No Bucket")
    assert [fault.path for fault in caught.value.faults] == ["source", "results"]


def test_options(stack: cdk.Stack) -> None:
    group = logs.LogGroup(stack, "Mine")
    made = batch(
        stack,
        concurrency=7,
        tolerated_failures=3,
        max_item_size=cdk.Size.kibibytes(2),
        delimiter=";",
        results_prefix="",
        retried_errors=["States.ALL"],
        max_attempts=1,
        session_id=SessionId.from_input("$states.input.item.customer"),
        timeout=cdk.Duration.hours(2),
        log_group=group,
        max_iterations=4,
    )
    made.grant_start_execution(iam.AccountPrincipal("111122223333"))
    assert made.log_group is group
    definition = Machine(stack).definition
    each = definition["States"]["Each item"]
    ask = each["ItemProcessor"]["States"]["Ask"]
    assert (definition["TimeoutSeconds"], each["MaxConcurrency"]) == (7200, 7)
    assert (ask["Retry"][0]["ErrorEquals"], ask["Retry"][0]["MaxAttempts"]) == (["States.ALL"], 1)
    assert ask["Arguments"]["MaxIterations"] == 4
    assert "$states.input.item.customer" in ask["Arguments"]["RuntimeSessionId"]
    told = definition["States"]["Read the items"]["Arguments"]["Payload"]["settings"]
    assert (told["toleratedCount"], told["maxItemBytes"], told["delimiter"], told["resultsPrefix"]) == (
        3,
        2048,
        ";",
        "",
    )
    assert "toleratedPercentage" not in told


def test_an_agent_with_inline_tools_has_somebody_to_run_them(stack: cdk.Stack) -> None:
    tool = InlineTool.from_function(orders.status)
    batch(stack, harness=Harness(stack, "Cashier", memory=Memory.disabled(), tools=[tool]))
    states = Machine(stack).definition["States"]["Each item"]["ItemProcessor"]["States"]
    assert any(state.get("Resource", "").endswith("lambda:invoke") for state in states.values())


def test_tools_of_the_call_count_too(stack: cdk.Stack) -> None:
    batch(stack, tools=[InlineTool.from_function(orders.status)])
    states = Machine(stack).definition["States"]["Each item"]["ItemProcessor"]["States"]
    assert not any(state.get("Resource", "").endswith("invokeHarness") for state in states.values())


def test_everything_that_is_wrong_is_said_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(HarnessConfigError) as caught:
        batch(
            stack,
            source_prefix="/letters",
            concurrency=0,
            tolerated_failures=-1,
            tolerated_failure_percentage=101,
            max_item_size=cdk.Size.mebibytes(1),
            delimiter="",
        )
    assert str(caught.value) == (
        "The batch Agents/Batch has 6 faults:\n"
        "  source_prefix: must be a literal of at most 512 characters that does not begin with a slash; received"
        " '/letters' (8 characters); write the first part of the keys, such as 'batches/'.\n"
        "  concurrency: must be 1 to 10,000; received 0; say how many items the agent may work on at once.\n"
        "  tolerated_failures: must be 0 to 1,000,000,000; received -1; say how many items may fail.\n"
        "  tolerated_failure_percentage: must be 0 to 100; received 101; say how many of a hundred may fail.\n"
        "  delimiter: must be one character, and neither a quote nor the end of a line; received '' (0 characters);"
        " write ',' or ';' or a tab.\n"
        "  max_item_size: must be 1 byte to 240 KiB; received 1048576 bytes; put large contents into S3, and its key"
        " into the item."
    )
    batch(stack, harness=stack.node.find_child("Agent"), source=stack.node.find_child("Source"))  # nothing half-made


def test_retries_of_an_agent_with_inline_tools_are_refused(stack: cdk.Stack) -> None:
    tool = InlineTool.from_function(orders.status)
    cashier = Harness(stack, "Cashier", memory=Memory.disabled(), tools=[tool])
    with pytest.raises(HarnessConfigError, match="retried_errors: must be left out for an agent with inline tools"):
        batch(stack, harness=cashier, max_attempts=3)


@pytest.mark.parametrize("build", capabilities_batch.CAPABILITIES)
def test_cdk_nag_finds_nothing_in_a_batch(build: Any, tmp_path: Path) -> None:
    app = cdk.App(context=synth.CONTEXT, outdir=str(tmp_path))
    build(cdk.Stack(app, "Agents", env=cdk.Environment(account=synth.ACCOUNT, region=synth.REGION)))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError:
        report = json.loads((tmp_path / "validation-report.json").read_text())
        found = [
            (construct["constructPath"], violation["ruleName"])
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
            for construct in violation["violatingConstructs"]
            if "/Batch/" in construct["constructPath"]
        ]
        assert found == []


@pytest.mark.parametrize(
    ("run", "failed", "next_state"),
    [
        ({}, 2, "Done"),
        ({}, 3, "Too many failures"),
        ({"error": "States.ExceedToleratedFailureThreshold"}, 3, "Too many failures"),
        ({"error": "States.ResultWriterFailed"}, 0, "Run failed"),
    ],
)
def test_how_it_ends(run: dict[str, Any], failed: int, next_state: str) -> None:
    choice = json.loads(ASL.read_text("utf-8"))["States"]["Ended well?"]
    given = {"failed": failed, "mayFail": 2}
    taken = [
        rule["Next"]
        for rule in choice["Choices"]
        if evaluate(rule["Condition"].replace("$run", "$states.run"), input=given, run=run)
    ]
    assert [*taken, choice["Default"]][0] == next_state
