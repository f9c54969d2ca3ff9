"""Distributed Maps: items, batches, concurrency, tolerated failures, results in S3, permissions."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks
from support.behaviours import behaviour

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = "Distributed Maps"
SOURCES = (
    "https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html",
    "https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html",
    "https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html",
    "https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html",
    "https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html",
)
NAMES = [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Bob"}]
ITEM = "{% $states.context.Map.Item %}"
EXCEEDED = "States.ExceedToleratedFailureThreshold"


@pytest.fixture(scope="module")
def bucket(machines: Any) -> str:
    s3 = machines.account.client("s3")
    name = f"data-{machines.account.account_id}"
    s3.create_bucket(Bucket=name)
    contents = {
        "rows.csv": "id,name\n1,Ada\n2,Bob\n",
        "plain.csv": "1;Ada\n2;Bob;more\n3\n",
        "array.json": json.dumps(NAMES),
        "nested.json": json.dumps({"a": {"list": [1, 2, 3]}}),
        "lines.jsonl": "".join(json.dumps(one) + "\n" for one in NAMES),
        "many/1.json": "[1, 2]",
        "many/2.json": "[3]",
        "broken.json": "[1,",
    }
    for key, content in contents.items():
        s3.put_object(Bucket=name, Key=key, Body=content.encode())
    return name


def reader(bucket: str, key: str, *, jsonata: bool = True, **config: Any) -> dict[str, Any]:
    where = {"Arguments" if jsonata else "Parameters": {"Bucket": bucket, "Key": key}}
    return {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": config, **where}


PASS = {"Type": "Pass"}


class TestItems:
    @behaviour(
        "Items, ItemSelector, MaxConcurrency and Output may be JSONata; so may tolerance, batches, reader and writer",
        status="approximated",
        note="At most 64 child executions run at once, whatever MaxConcurrency allows.",
    )
    def test_jsonata_items_selector_concurrency_and_output(self, machines: Any, distributed: Any) -> None:
        state = distributed(
            {"Type": "Pass", "Output": "{% $states.input.n * 10 %}"},
            Items="{% $states.input.numbers %}",
            ItemSelector={"n": "{% $states.context.Map.Item.Value %}", "i": "{% $states.context.Map.Item.Index %}"},
            MaxConcurrency="{% $states.input.at_once %}",
            Output={"all": "{% $states.result %}"},
        )
        execution = machines.run(state, {"numbers": [1, 2, 3], "at_once": 2})
        assert execution["status"] == "SUCCEEDED", execution
        assert execution["output"] == {"all": [10, 20, 30]}

    def test_jsonata_without_items_maps_over_the_input(self, machines: Any, distributed: Any) -> None:
        state = distributed({"Type": "Pass", "Output": "{% $states.input + 1 %}"})
        assert machines.run(state, [1, 2])["output"] == [2, 3]

    def test_no_items_are_no_failure(self, machines: Any, distributed: Any) -> None:
        assert machines.run(distributed(PASS), [])["output"] == []

    @behaviour("The items are an array, or the pairs of an object")
    def test_the_pairs_of_an_object_are_items(self, machines: Any, distributed: Any) -> None:
        state = distributed(PASS, Items="{% $states.input %}", ItemSelector=ITEM)
        (first, second) = machines.run(state, {"a": 1, "b": 2})["output"]
        assert first == {"Index": 0, "Key": "a", "Value": {"Key": "a", "Value": 1}, "Source": "STATE_DATA"}
        assert second["Key"] == "b"

    def test_items_that_are_no_array_fail_with_the_services_error(self, machines: Any, distributed: Any) -> None:
        execution = machines.run(distributed(PASS, Items="{% $states.input.n %}"), {"n": 1})
        assert (execution["status"], execution["error"]) == ("FAILED", "States.QueryEvaluationError")

    @pytest.mark.parametrize("language", ["JSONata", "JSONPath"])
    @behaviour(
        "Each item or batch is an execution with a name, ARN, input and history of its own; its Map Run counts it"
    )
    def test_each_child_has_its_own_execution(self, machines: Any, distributed: Any, language: str) -> None:
        jsonata = language == "JSONata"
        child = {"Output": {"id": "{% $states.context.Execution.Id %}"}} if jsonata else {}
        child = child or {"Parameters": {"id.$": "$$.Execution.Id"}}
        execution = machines.run(distributed({"Type": "Pass", **child}), [1, 2], language=language)
        ids = [one["id"] for one in execution["output"]]
        assert len({*ids, execution["executionArn"]}) == 3
        assert all(machines.client.describe_execution(executionArn=one)["status"] == "SUCCEEDED" for one in ids)
        (run,) = machines.client.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        counts = machines.client.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
        assert (counts["succeeded"], counts["total"], counts["pending"], counts["running"]) == (2, 2, 0, 0)

    @behaviour("A Map assigns variables from its result, also when it catches its failure")
    @pytest.mark.parametrize("language", ["JSONata", "JSONPath"])
    def test_its_result_is_assigned(self, machines: Any, distributed: Any, language: str) -> None:
        jsonata = language == "JSONata"
        summed, said = ("{% $sum($states.result) %}", "{% $total %}") if jsonata else ("$[0]", "$total")
        name = "total" if jsonata else "total.$"
        last = {"Output": said} if jsonata else {"Parameters": {"said.$": said}}
        states = {
            "Map": {**distributed(PASS), "Assign": {name: summed}, "Next": "Last"},
            "Last": {"Type": "Pass", "End": True, **last},
        }
        found = machines.start(states, [4, 5], language=language).wait()
        assert found["output"] == (9 if jsonata else {"said": 4})

    def test_what_is_caught_is_assigned(self, machines: Any, distributed: Any) -> None:
        broken = distributed({"Type": "Fail", "Error": "Own", "Cause": "c"})
        caught = {
            "ErrorEquals": ["States.ALL"],
            "Assign": {"why": "{% $states.errorOutput.Error %}"},
            "Next": "Last",
        }
        states = {
            "Map": {**broken, "Catch": [caught], "End": True},
            "Last": {"Type": "Pass", "Output": "{% $why %}", "End": True},
        }
        assert machines.start(states, [1]).wait()["output"] == EXCEEDED

    @behaviour("A child execution sees none of its parent's variables")
    def test_children_do_not_see_the_variables_of_the_execution(self, machines: Any, distributed: Any) -> None:
        states = {
            "Set": {"Type": "Pass", "Assign": {"secret": 7}, "Next": "Map"},
            "Map": {**distributed({"Type": "Pass", "Output": "{% $exists($secret) %}"}), "End": True},
        }
        assert machines.start(states, [1]).wait()["output"] == [False]


class TestReader:
    @pytest.mark.parametrize(
        ("key", "config", "expected"),
        [
            ("rows.csv", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}, NAMES),
            ("rows.csv", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 1}, NAMES[:1]),
            (
                "plain.csv",
                {
                    "InputType": "CSV",
                    "CSVHeaderLocation": "GIVEN",
                    "CSVHeaders": ["id", "name"],
                    "CSVDelimiter": "SEMICOLON",
                },
                [*NAMES, {"id": "3", "name": ""}],
            ),
            ("array.json", {"InputType": "JSON"}, NAMES),
            ("nested.json", {"InputType": "JSON", "ItemsPointer": "/a/list"}, [1, 2, 3]),
            ("lines.jsonl", {"InputType": "JSONL"}, NAMES),
        ],
    )
    @pytest.mark.parametrize("language", ["JSONata", "JSONPath"])
    @behaviour("ItemReader reads CSV (with and without a header), JSON (ItemsPointer) and JSON Lines, up to MaxItems")
    def test_datasets(
        self, *, machines: Any, distributed: Any, bucket: str, key: str, config: Any, expected: Any, language: str
    ) -> None:
        item_reader = reader(bucket, key, jsonata=language == "JSONata", **config)
        execution = machines.run(distributed(PASS, ItemReader=item_reader), {}, language=language)
        assert execution["output"] == expected, execution

    def test_where_an_item_comes_from(self, machines: Any, distributed: Any, bucket: str) -> None:
        state = distributed(PASS, ItemReader=reader(bucket, "array.json", InputType="JSON"), ItemSelector=ITEM)
        first = machines.run(state, {})["output"][0]
        assert first == {"Index": 0, "Value": NAMES[0], "Source": f"S3://{bucket}/array.json"}

    def test_bucket_and_key_from_the_input(self, machines: Any, distributed: Any, bucket: str) -> None:
        item_reader = reader("{% $states.input.bucket %}", "{% $states.input.key %}", InputType="JSONL")
        state = distributed(PASS, ItemReader=item_reader)
        assert machines.run(state, {"bucket": bucket, "key": "lines.jsonl"})["output"] == NAMES
        by_path = {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL", "MaxItemsPath": "$.most"},
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"},
        }
        given = {"bucket": bucket, "key": "lines.jsonl", "most": 1}
        state = distributed(PASS, ItemReader=by_path)
        assert machines.run(state, given, language="JSONPath")["output"] == NAMES[:1]

    @behaviour("ItemReader lists the objects of a bucket, or loads what is in them")
    def test_a_listing_of_objects(self, machines: Any, distributed: Any, bucket: str) -> None:
        listing = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Arguments": {"Bucket": bucket, "Prefix": "many/"}}
        found = machines.run(distributed(PASS, ItemReader=listing), {})["output"]
        assert [one["Key"] for one in found] == ["many/1.json", "many/2.json"]
        assert (found[0]["Size"], found[0]["StorageClass"], set(found[0])) == (
            6,
            "STANDARD",
            {"Etag", "Key", "LastModified", "Size", "StorageClass"},
        )
        loading = {**listing, "ReaderConfig": {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}}
        assert machines.run(distributed(PASS, ItemReader=loading), {})["output"] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("key", "config", "cause"),
        [
            ("gone.json", {"InputType": "JSON"}, "NoSuchKey"),
            ("broken.json", {"InputType": "JSON"}, "cannot be read as JSON"),
            ("nested.json", {"InputType": "JSON", "ItemsPointer": "/b"}, "leads nowhere"),
            ("array.json", {"InputType": "PARQUET"}, "InputType PARQUET is not emulated by the local cloud"),
            ("rows.csv", {"InputType": "CSV", "CSVDelimiter": "DOT"}, "CSVDelimiter must be one of COMMA"),
        ],
    )
    @behaviour(
        "Parquet files, inventories and other manifests",
        status="refused",
        note="`States.ItemReaderFailed` names the InputType; what does not parse fails the same way.",
    )
    def test_what_cannot_be_read(
        self, *, machines: Any, distributed: Any, bucket: str, key: str, config: Any, cause: str
    ) -> None:
        execution = machines.run(distributed(PASS, ItemReader=reader(bucket, key, **config)), {})
        assert (execution["status"], execution["error"]) == ("FAILED", "States.ItemReaderFailed")
        assert cause in execution["cause"]


class TestBatches:
    @behaviour("ItemBatcher puts items into batches by number or size, with an input for each")
    def test_by_number_with_input_for_each(self, machines: Any, distributed: Any) -> None:
        batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"who": "{% $states.input.who %}"}}
        state = distributed(PASS, Items="{% $states.input.items %}", ItemBatcher=batcher)
        execution = machines.run(state, {"items": [1, 2, 3], "who": "me"})
        who = {"who": "me"}
        assert execution["output"] == [{"BatchInput": who, "Items": [1, 2]}, {"BatchInput": who, "Items": [3]}]
        (run,) = machines.client.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        found = machines.client.describe_map_run(mapRunArn=run["mapRunArn"])
        assert (found["itemCounts"]["succeeded"], found["executionCounts"]["succeeded"]) == (3, 2)

    def test_by_size(self, machines: Any, distributed: Any) -> None:
        state = distributed(PASS, ItemBatcher={"MaxInputBytesPerBatch": 30})
        batches = machines.run(state, ["aaaaa", "bbbbb", "ccccc"])["output"]
        assert batches == [{"Items": ["aaaaa", "bbbbb"]}, {"Items": ["ccccc"]}]

    def test_by_paths(self, machines: Any, distributed: Any) -> None:
        state = distributed(PASS, ItemsPath="$.items", ItemBatcher={"MaxItemsPerBatchPath": "$.size"})
        batches = machines.run(state, {"items": [1, 2, 3], "size": 2}, language="JSONPath")["output"]
        assert [len(batch["Items"]) for batch in batches] == [2, 1]

    def test_a_batcher_without_a_limit_is_refused(self, machines: Any, distributed: Any) -> None:
        execution = machines.run(distributed(PASS, ItemBatcher={"BatchInput": {}}), [1])
        assert "MaxItemsPerBatch or MaxInputBytesPerBatch" in execution["cause"]


FRAGILE = {
    "Type": "Choice",
    "Choices": [{"Condition": "{% $states.input.bad = true %}", "Next": "Bad"}],
    "Default": "Good",
}


@pytest.fixture
def fragile(distributed: Any) -> Callable[..., dict[str, Any]]:
    """A Distributed Map that fails for items that are `bad`."""

    def make(**fields: Any) -> dict[str, Any]:
        state: dict[str, Any] = distributed({}, **fields)
        state["ItemProcessor"]["States"] = {
            "Each": FRAGILE,
            "Bad": {"Type": "Fail", "Error": "Bad.Item", "Cause": "it is bad"},
            "Good": {"Type": "Pass", "Output": "{% $states.input.n %}", "End": True},
        }
        return state

    return make


def of(good: int, bad: int) -> list[dict[str, Any]]:
    return [{"n": number, "bad": number < bad} for number in range(good + bad)]


class TestTolerance:
    def test_none_unless_said(self, machines: Any, fragile: Any) -> None:
        execution = machines.run(fragile(), of(2, 1))
        assert (execution["status"], execution["error"]) == ("FAILED", EXCEEDED)

    @pytest.mark.parametrize(
        ("tolerance", "bad", "status"),
        [
            ({"ToleratedFailureCount": 2}, 2, "SUCCEEDED"),
            ({"ToleratedFailureCount": 1}, 2, "FAILED"),
            ({"ToleratedFailurePercentage": 50}, 5, "SUCCEEDED"),
            ({"ToleratedFailurePercentage": 49}, 5, "FAILED"),
            ({"ToleratedFailureCount": 9, "ToleratedFailurePercentage": 10}, 2, "FAILED"),
            ({"ToleratedFailureCount": "{% 1 + 1 %}"}, 2, "SUCCEEDED"),
        ],
    )
    @behaviour("More failed items than ToleratedFailureCount or -Percentage: `States.ExceedToleratedFailureThreshold`")
    def test_by_count_and_percentage(self, machines: Any, fragile: Any, tolerance: Any, bad: int, status: str) -> None:
        execution = machines.run(fragile(**tolerance), of(10 - bad, bad))
        assert execution["status"] == status
        assert execution.get("error") == (EXCEEDED if status == "FAILED" else None)

    def test_by_path(self, machines: Any, distributed: Any) -> None:
        failing = {"Type": "Fail", "Error": "E"}
        state = distributed(failing, ItemsPath="$.items", ToleratedFailurePercentagePath="$.percent")
        del state["ItemProcessor"]["States"]["Each"]["End"]
        given = {"items": [1], "percent": 100}
        assert machines.run(state, given, language="JSONPath")["status"] == "SUCCEEDED"

    @behaviour("A tolerated failure is in the result with the data of its execution")
    def test_a_tolerated_failure_is_in_the_result_with_its_error(self, machines: Any, fragile: Any) -> None:
        failed, first, second = machines.run(fragile(ToleratedFailureCount=1), of(2, 1))["output"]
        assert (first, second) == (1, 2)
        assert (failed["Status"], failed["Error"], failed["Cause"]) == ("FAILED", "Bad.Item", "it is bad")
        assert json.loads(failed["Input"]) == {"n": 0, "bad": True}

    @behaviour(
        "When too many items have failed, the rest does not begin and what runs is aborted",
        status="approximated",
        note="What runs ends before its next state; a call that is under way is not interrupted.",
    )
    def test_the_rest_does_not_begin(self, machines: Any, fragile: Any) -> None:
        execution = machines.run(fragile(MaxConcurrency=1), of(20, 1))
        (run,) = machines.client.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
        found = machines.client.describe_map_run(mapRunArn=run["mapRunArn"])
        assert found["status"] == "FAILED"
        assert found["itemCounts"]["failed"] == 1
        assert found["itemCounts"]["pending"] > 10

    def test_it_can_be_caught(self, machines: Any, fragile: Any) -> None:
        caught = {"Catch": [{"ErrorEquals": [EXCEEDED], "Next": "Caught"}], "End": True}
        states = {"Map": {**fragile(), **caught}, "Caught": {"Type": "Pass", "Output": "caught", "End": True}}
        assert machines.start(states, of(1, 1)).wait()["output"] == "caught"

    def test_stopping_the_execution_ends_its_children(self, machines: Any, distributed: Any) -> None:
        states = {"Map": {**distributed({"Type": "Wait", "Seconds": 1, "Next": "Then"}), "End": True}}
        del states["Map"]["ItemProcessor"]["States"]["Each"]["End"]
        states["Map"]["ItemProcessor"]["States"]["Then"] = {"Type": "Wait", "Seconds": 600, "End": True}
        execution = machines.start(states, [1, 2])
        end = time.monotonic() + 10
        while not (runs := machines.client.list_map_runs(executionArn=execution.arn)["mapRuns"]):
            assert time.monotonic() < end
        execution.stop()
        while machines.client.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["status"] == "RUNNING":
            assert time.monotonic() < end
            time.sleep(0.05)
        counts = machines.client.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
        assert (counts["aborted"] + counts["pending"], counts["running"]) == (2, 0)


class TestResultWriter:
    def write(self, bucket: str, **config: Any) -> dict[str, Any]:
        writer = {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": bucket, "Prefix": "{% 'out' %}"},
        }
        return {**writer, "WriterConfig": config} if config else writer

    def read(self, machines: Any, bucket: str, key: str) -> str:
        return str(machines.account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode())

    @behaviour(
        "ResultWriter writes SUCCEEDED, FAILED and PENDING files and a manifest to S3",
        status="approximated",
        note="One file for each status, however large; there is no limit of 5 GB.",
    )
    def test_files_and_manifest(self, machines: Any, fragile: Any, bucket: str) -> None:
        state = fragile(ToleratedFailureCount=1, ResultWriter=self.write(bucket))
        output = machines.run(state, of(2, 1))["output"]
        map_run, details = output["MapRunArn"], output["ResultWriterDetails"]
        folder = f"out/{map_run.rpartition(':')[2]}"
        assert details == {"Bucket": bucket, "Key": f"{folder}/manifest.json"}
        manifest = json.loads(self.read(machines, bucket, details["Key"]))
        assert (manifest["DestinationBucket"], manifest["MapRunArn"]) == (bucket, map_run)
        files = manifest["ResultFiles"]
        assert [len(files[kind]) for kind in ("SUCCEEDED", "FAILED", "PENDING")] == [1, 1, 0]
        (succeeded,) = files["SUCCEEDED"]
        assert succeeded["Key"] == f"{folder}/SUCCEEDED_0.json"
        content = self.read(machines, bucket, succeeded["Key"])
        assert succeeded["Size"] == len(content)
        children = json.loads(content)
        assert [(child["Output"], child["Status"]) for child in children] == [("1", "SUCCEEDED"), ("2", "SUCCEEDED")]
        assert json.loads(children[0]["Input"]) == {"n": 1, "bad": False}
        (failed,) = json.loads(self.read(machines, bucket, files["FAILED"][0]["Key"]))
        assert (failed["Error"], failed["Cause"], failed["Status"]) == ("Bad.Item", "it is bad", "FAILED")
        found = machines.client.describe_map_run(mapRunArn=map_run)
        assert found["itemCounts"]["resultsWritten"] == 3

    def test_a_failed_run_writes_what_did_not_begin_too(self, machines: Any, fragile: Any, bucket: str) -> None:
        writer = self.write(bucket)
        writer["Arguments"]["Prefix"] = "failed"
        execution = machines.run(fragile(MaxConcurrency=1, ResultWriter=writer), of(5, 1))
        assert execution["error"] == EXCEEDED
        listed = machines.account.client("s3").list_objects_v2(Bucket=bucket, Prefix="failed/")["Contents"]
        names = {found["Key"].rpartition("/")[2] for found in listed}
        assert {"FAILED_0.json", "PENDING_0.json", "manifest.json"} <= names

    @pytest.mark.parametrize(
        ("config", "name", "expected"),
        [
            ({"Transformation": "COMPACT", "OutputType": "JSON"}, "SUCCEEDED_0.json", "[[1, 1], [2, 2]]"),
            ({"Transformation": "FLATTEN", "OutputType": "JSON"}, "SUCCEEDED_0.json", "[1, 1, 2, 2]"),
            ({"Transformation": "COMPACT", "OutputType": "JSONL"}, "SUCCEEDED_0.jsonl", "[1, 1]\n[2, 2]\n"),
        ],
    )
    @behaviour("WriterConfig: NONE, COMPACT, FLATTEN; JSON and JSON Lines")
    def test_formats(
        self, *, machines: Any, distributed: Any, bucket: str, config: Any, name: str, expected: str
    ) -> None:
        doubling = {"Type": "Pass", "Output": "{% [$states.input, $states.input] %}"}
        state = distributed(doubling, ResultWriter=self.write(bucket, **config))
        folder = machines.run(state, [1, 2])["output"]["ResultWriterDetails"]["Key"].rpartition("/")[0]
        assert self.read(machines, bucket, f"{folder}/{name}") == expected

    def test_a_format_without_a_bucket_shapes_the_output(self, machines: Any, distributed: Any) -> None:
        doubling = {"Type": "Pass", "Output": "{% [$states.input, $states.input] %}"}
        state = distributed(doubling, ResultWriter={"WriterConfig": {"Transformation": "FLATTEN"}})
        assert machines.run(state, [1, 2])["output"] == [1, 1, 2, 2]

    def test_a_bucket_that_does_not_exist(self, machines: Any, distributed: Any) -> None:
        state = distributed(PASS, ResultWriter=self.write("no-such-bucket-anywhere"))
        execution = machines.run(state, [1])
        assert (execution["error"], "NoSuchBucket" in execution["cause"]) == ("States.ResultWriterFailed", True)

    def test_a_format_nobody_knows_is_refused(self, machines: Any, distributed: Any) -> None:
        execution = machines.run(distributed(PASS, ResultWriter={"WriterConfig": {"OutputType": "XML"}}), [1])
        assert "OutputType of JSON, JSONL" in execution["cause"]


class TestPermissions:
    @behaviour("The role needs `states:StartExecution` on the machine, and to read and write the objects")
    def test_the_role_starts_children_reads_and_writes(
        self, machines: Any, distributed: Any, bucket: str, allow: Any
    ) -> None:
        objects = f"arn:aws:s3:::{bucket}/*"
        everything = [
            (["states:StartExecution"], "*"),
            (["s3:GetObject"], objects),
            (["s3:PutObject"], objects),
        ]
        writer = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": bucket}}
        state = distributed(PASS, ItemReader=reader(bucket, "array.json", InputType="JSON"), ResultWriter=writer)
        missing = ("States.Permissions", "States.ItemReaderFailed", "States.ResultWriterFailed")
        for position, error in enumerate(missing):
            held = [statement for index, statement in enumerate(everything) if index != position]
            role = machines.make_role(f"narrow{position}", allow(*held))
            execution = machines.run(state, {}, role=role)
            assert execution["error"] == error
            assert f"not authorized to perform: {everything[position][0][0]}" in execution["cause"]
        whole = machines.make_role("wide", allow(*everything))
        assert machines.run(state, {}, role=whole)["status"] == "SUCCEEDED"


def test_a_thousand_items_with_failures(machines: Any, fragile: Any) -> None:
    execution = machines.run(fragile(ToleratedFailurePercentage=1), of(990, 10))
    assert execution["status"] == "SUCCEEDED"
    assert len([one for one in execution["output"] if isinstance(one, dict)]) == 10


def test_a_mapping_machine_deployed_by_a_stack(machines: Any, distributed: Any, tmp_path: Any) -> None:
    """As CloudFormation makes it: the role is checked there too."""
    definition = {"QueryLanguage": "JSONata", "StartAt": "Map", "States": {"Map": {**distributed(PASS), "End": True}}}
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": json.dumps(definition), "RoleArn": stacks.get_att("Role", "Arn")},
    }
    template = {
        "Resources": {"Role": stacks.role("states.amazonaws.com"), "Machine": machine},
        "Outputs": {"Arn": {"Value": {"Ref": "Machine"}}},
    }
    deployed = machines.account.deploy(stacks.assembly(tmp_path / "good", template, "Good"))["Good"]
    started = machines.client.start_execution(stateMachineArn=deployed.outputs["Arn"], input="[1]")
    end = time.monotonic() + 10
    while (found := machines.client.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
        assert time.monotonic() < end
        time.sleep(0.02)
    assert found["output"] == "[1]"
