"""Reading and collecting: idempotent, streamed, every item in exactly one file, also when S3 or a run misbehaves."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError

from agentcore_lambdas.batch import objects
from agentcore_lambdas.batch.errors import BatchInputInvalid, BatchTooLarge
from agentcore_lambdas.batch.models import Collect, Prepare, Prepared, Settings, Stopped
from agentcore_lambdas.batch.objects import Writer, chunks

BUCKET = "files"
EXECUTION = "arn:aws:states:us-east-1:111122223333:execution:Machine:abc"


def now() -> float:
    return 900.0


def settings(**changed: Any) -> Settings:
    names = {"source_bucket": BUCKET, "source_prefix": "in/", "results_bucket": BUCKET, "results_prefix": "out/"}
    return Settings(**{**names, "max_item_bytes": 1000, **changed})


def asked(given: Any, **changed: Any) -> Prepare:
    return Prepare(given=given, execution=EXECUTION, started="2026-01-01", settings=settings(**changed))


@pytest.fixture
def prepare(s3: Any) -> Any:
    from agentcore_lambdas.batch.prepare import prepare  # noqa: PLC0415 - makes a client, which must be the mock's

    return lambda given, seconds=now, **changed: prepare(s3, asked(given, **changed), seconds)


@pytest.fixture
def collect(s3: Any) -> Any:
    from agentcore_lambdas.batch.collect import collect  # noqa: PLC0415 - see above

    return lambda batch, run=Stopped(), seconds=now: collect(s3, Collect(batch=batch, run=run), seconds)  # noqa: B008


def read(s3: Any, key: str) -> list[dict[str, Any]]:
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return [json.loads(line) for line in body.splitlines()]


def child(line: int, status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    output = json.dumps({"text": "t", "usage": {"inputTokens": 2, "outputTokens": 1, "totalTokens": 3}})
    given = json.dumps({"line": line, "item": {"n": line}})
    return {"ExecutionArn": f"run:{line}", "Input": given, "Output": output, "Status": status, **more}


def write(s3: Any, key: str, *found: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"".join(json.dumps(one).encode() + b"\n" for one in found))


class TestPreparing:
    def test_items_and_what_is_refused(self, s3: Any, prepare: Any) -> None:
        s3.put_object(Bucket=BUCKET, Key="in/x.jsonl", Body=b'{"a": 1}\n{"a"\n"' + b"x" * 990 + b'"\n"\\ud800"\n')
        made = prepare({"key": "in/x.jsonl"}, tolerated_percentage=50.0)
        assert (made.items, made.runnable, made.may_fail, made.tolerated) == (4, 1, 2, -1)
        assert made.folder.startswith("out/abc-")
        assert read(s3, made.folder + "items.jsonl") == [{"line": 1, "item": {"a": 1}}]
        refused = read(s3, made.folder + "refused.jsonl")
        assert [(one["line"], one["reason"]) for one in refused] == [
            (2, "unreadable"),
            (3, "too_large"),
            (4, "unreadable"),
        ]
        assert prepare({"key": "in/x.jsonl"}, tolerated_percentage=50.0) == made

    def test_folders_of_names_that_make_bad_keys(self, prepare: Any) -> None:
        from agentcore_lambdas.batch.prepare import folder_name  # noqa: PLC0415 - see above

        assert folder_name("arn:x:execution:M:März 3", "a").startswith("M_rz_3-")
        assert folder_name(EXECUTION, "a") != folder_name(EXECUTION, "b")

    @pytest.mark.parametrize(
        ("limits", "may_fail"),
        [({"tolerated_count": 3}, 3), ({"tolerated_percentage": 19.9}, 1),
         ({"tolerated_count": 3, "tolerated_percentage": 100.0}, 3), ({"tolerated_count": 30}, 10)],
    )  # fmt: skip
    def test_how_many_may_fail(self, limits: dict[str, Any], may_fail: int) -> None:
        assert settings(**limits).tolerated(10) == may_fail

    def test_it_gives_up_before_its_time_is_over_and_leaves_nothing(self, s3: Any, prepare: Any) -> None:
        write(s3, "in/x.jsonl", *range(2000))
        times = iter([900.0, 600.0, 29.0])
        with pytest.raises(BatchTooLarge, match="only 1000 items could be read in time; split the file"):
            prepare({"key": "in/x.jsonl"}, lambda: next(times))
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["in/x.jsonl"]

    def test_failures_are_tried_again_with_their_lines(self, s3: Any, prepare: Any) -> None:
        unreadable = {"line": 3, "reason": "unreadable", "raw": "{"}
        write(s3, "out/old/failures.jsonl", {"line": 7, "item": 1, "reason": "failed"}, unreadable)
        made = prepare({"retry": "out/old/failures.jsonl"})
        assert (made.items, made.runnable) == (2, 1)
        assert read(s3, made.folder + "items.jsonl") == [{"line": 7, "item": 1}]
        assert read(s3, made.folder + "refused.jsonl") == [unreadable]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"retry": "in/x.jsonl"}, "retry must begin with out/"),
            ({"retry": "out/other.jsonl"}, "line 1 is no failure"),
            ({"key": "in/x.jsonl", "retry": "out/other.jsonl"}, "it must be"),
            ([], "input: "),
            ({"key": "in/x.jsonl", "format": "xml"}, "format: "),
        ],
    )
    def test_inputs_that_are_none(self, s3: Any, prepare: Any, given: Any, message: str) -> None:
        write(s3, "out/other.jsonl", {"a": 1})
        with pytest.raises(BatchInputInvalid, match=message):
            prepare(given)


class TestCollecting:
    def batch(self, s3: Any, lines: int) -> Prepared:
        write(s3, "out/abc/items.jsonl", *({"line": n, "item": {"n": n}} for n in range(1, lines + 1)))
        write(s3, "out/abc/refused.jsonl", {"line": 100, "reason": "unreadable", "raw": "{"})
        return Prepared(bucket=BUCKET, folder="out/abc/", items=lines + 1, runnable=lines, tolerated=1, may_fail=2)

    def test_each_item_is_in_exactly_one_file(self, s3: Any, collect: Any) -> None:
        batch = self.batch(s3, 7)
        failed = child(3, "FAILED", Error="E", Cause="because")
        write(s3, "out/abc/runs/1/SUCCEEDED_0.jsonl", child(1), child(2))
        write(s3, "out/abc/runs/1/FAILED_0.jsonl", failed, failed, child(4, "ABORTED"), child(1, "FAILED"))
        write(s3, "out/abc/runs/1/PENDING_0.jsonl", child(5, "PENDING"), {"Status": "PENDING"})
        write(s3, "out/abc/runs/1/manifest.json", {})
        summary = collect(batch, Stopped(error="States.ExceedToleratedFailureThreshold"))
        results = read(s3, "out/abc/results.jsonl")
        failures = read(s3, "out/abc/failures.jsonl")
        assert sorted(one["line"] for one in (*results, *failures)) == [1, 2, 3, 4, 5, 6, 7, 100]
        assert results[0] == {"line": 1, "item": {"n": 1}, "text": "t", "execution": "run:1",
                              "usage": {"inputTokens": 2, "outputTokens": 1, "totalTokens": 3}}  # fmt: skip
        assert failures[0] == {"line": 3, "item": {"n": 3}, "reason": "failed", "error": "E", "cause": "because",
                               "execution": "run:3"}  # fmt: skip
        assert summary["reasons"] == {"failed": 1, "aborted": 1, "not_run": 1, "unreadable": 1, "no_result": 2}
        assert summary["usage"] == {"inputTokens": 4, "outputTokens": 2, "totalTokens": 6}
        assert (summary["items"], summary["succeeded"], summary["failed"], summary["mayFail"]) == (8, 2, 6, 2)
        assert json.loads(s3.get_object(Bucket=BUCKET, Key="out/abc/summary.json")["Body"].read()) == summary
        assert collect(batch, Stopped(error="States.ExceedToleratedFailureThreshold")) == summary

    def test_what_a_redrive_made_good_is_no_failure(self, s3: Any, collect: Any) -> None:
        batch = self.batch(s3, 1)
        write(s3, "out/abc/runs/1/FAILED_0.jsonl", child(1, "FAILED"))
        write(s3, "out/abc/runs/2/SUCCEEDED_0.jsonl", child(1))
        assert collect(batch)["reasons"] == {"unreadable": 1}

    def test_it_gives_up_before_its_time_is_over(self, s3: Any, collect: Any) -> None:
        batch = self.batch(s3, 600)
        with pytest.raises(BatchTooLarge, match="too large to be collected"):
            collect(batch, seconds=lambda: 10.0)
        assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="out/abc/results")


class TestObjects:
    def test_large_objects_go_in_parts_and_come_in_ranges(self, s3: Any) -> None:
        line = random.Random(1).randbytes(1_000_000).hex().encode()
        with Writer(s3, BUCKET, "large") as writer:
            for _ in range(10):
                writer.write_line(line)
        found = list(chunks(s3, BUCKET, "large"))
        assert [len(one) for one in found] == [8 * 2**20, 8 * 2**20, 20_000_010 - 16 * 2**20]
        assert b"".join(found) == (line + b"\n") * 10

    def test_an_upload_that_fails_leaves_nothing(self, s3: Any) -> None:
        def interrupted() -> None:
            with Writer(s3, BUCKET, "large") as writer:
                writer.write_line(b"x" * (9 * 2**20))
                raise KeyError

        with pytest.raises(KeyError):
            interrupted()
        assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
        assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)

    def test_a_connection_that_breaks_costs_nothing(self, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"12345")
        monkeypatch.setattr(objects, "RANGE_BYTES", 2)
        flaky = Flaky(s3, breaks=3)
        assert list(chunks(flaky, BUCKET, "a")) == [b"12", b"34", b"5"]
        with pytest.raises(IncompleteReadError):
            list(chunks(Flaky(s3, breaks=4), BUCKET, "a"))

    def test_an_object_that_changes_is_refused(self, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"12345")
        monkeypatch.setattr(objects, "RANGE_BYTES", 2)
        found = chunks(s3, BUCKET, "a")
        next(found)
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"54321")
        with pytest.raises(BatchInputInvalid, match="changed while it was read"):
            next(found)

    def test_other_errors_go_on(self, s3: Any) -> None:
        with pytest.raises(BatchInputInvalid, match="is not there, or may not be read"):
            list(chunks(s3, BUCKET, "gone"))
        with pytest.raises(ClientError, match="SlowDown"):
            list(chunks(Slow(), BUCKET, "gone"))


class Flaky:
    """An S3 whose answers break off."""

    def __init__(self, s3: Any, breaks: int) -> None:
        self._s3, self._breaks = s3, breaks
        self.head_object = s3.head_object

    def get_object(self, **request: Any) -> Any:
        if self._breaks:
            self._breaks -= 1
            return {"Body": self}
        return self._s3.get_object(**request)

    def read(self) -> bytes:
        raise IncompleteReadError(actual_bytes=1, expected_bytes=2)


class Slow:
    """An S3 that is asked too often."""

    def head_object(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": "less"}}, "HeadObject")
