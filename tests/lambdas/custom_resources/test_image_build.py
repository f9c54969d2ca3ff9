"""Builds of images: real clients, with CodeBuild, ECR and CloudWatch Logs played at the edge of HTTP."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from agentcore_lambdas.custom_resources import Failed, Outcome, Request, image_build, main
from agentcore_lambdas.custom_resources.image_build import TAG_VARIABLE, ImageBuildHandler, ImageBuildProperties

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "hunter2hunter2"
PROPERTIES = {
    "Project": "builder",
    "RepositoryName": "agents",
    "RepositoryUri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/agents",
    "Inputs": {"Source": "abc", "Arguments": {"A": "1", "B": "2"}},
}
DIGEST = "sha256:" + "d" * 64


class RefusedError(Exception):
    """An error of a service."""


class Aws:
    """The three services, as far as a build needs them.

    Attributes:
        images: Tag → digest.
        builds: Newest last.
        calls: How often each operation was called, failures included.
        before: Operation → what happens before it does anything; each once.
        after: Operation → what happens after it has done everything; each once.
        log: What builds say.
    """

    def __init__(self) -> None:
        self.images: dict[str, str] = {}
        self.builds: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.before: dict[str, list[Exception]] = {}
        self.after: dict[str, list[Exception]] = {}
        self.log: list[str] = []
        self._tokens: dict[str, dict[str, Any]] = {}
        self._clients: dict[str, Any] = {}
        self.clock = 1000.0

    def client(self, service: str) -> Any:
        if service not in self._clients:
            made = boto3.client(  # type: ignore[call-overload]
                service,
                region_name="us-east-1",
                aws_access_key_id="a",
                aws_secret_access_key="b",
                config=Config(retries={"mode": "standard", "max_attempts": 8}),
            )
            made.meta.events.register("before-send", self._answer)
            self._clients[service] = made
        return self._clients[service]

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        self.calls[operation] += 1
        status, body = 200, {}
        try:
            self._happen(self.before, operation)
            body = getattr(self, xform_name(operation))(json.loads(request.body))
            self._happen(self.after, operation)
        except RefusedError as error:
            status = 500 if error.args[0] == "InternalFailure" else 400
            body = {"__type": error.args[0], "message": error.args[1]}
        raw = io.BytesIO(json.dumps(body).encode())
        raw.stream = lambda **_: iter([raw.getvalue()])  # type: ignore[attr-defined]
        return AWSResponse(request.url, status, {"Content-Type": "application/x-amz-json-1.1"}, raw)

    def _happen(self, events: dict[str, list[Exception]], operation: str) -> None:
        if events.get(operation):
            raise events[operation].pop(0)

    # ---- operations --------------------------------------------------------------------------------------------------

    def describe_images(self, request: dict[str, Any]) -> dict[str, Any]:
        tag = request["imageIds"][0]["imageTag"]
        if tag not in self.images:
            raise RefusedError("ImageNotFoundException", f"The image with imageId {tag} does not exist")
        return {"imageDetails": [{"imageDigest": self.images[tag]}]}

    def start_build(self, request: dict[str, Any]) -> dict[str, Any]:
        token = request["idempotencyToken"]
        if token not in self._tokens:
            number = len(self.builds) + 1
            build = {
                "id": f"builder:{number}",
                "buildNumber": number,
                "buildStatus": "IN_PROGRESS",
                "environment": {
                    "type": "ARM_CONTAINER",
                    "image": "x",
                    "computeType": "BUILD_GENERAL1_SMALL",
                    "environmentVariables": [
                        {"name": TAG_VARIABLE, "value": "of the project"},
                        *request["environmentVariablesOverride"],
                    ],
                },
                "logs": {"groupName": "builds", "streamName": f"stream-{number}"},
            }
            self._tokens[token] = build
            self.builds.append(build)
        return {"build": self._tokens[token]}

    def list_builds_for_project(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"ids": [build["id"] for build in reversed(self.builds)]}

    def batch_get_builds(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"builds": [build for build in self.builds if build["id"] in request["ids"]]}

    def stop_build(self, request: dict[str, Any]) -> dict[str, Any]:
        (build,) = [build for build in self.builds if build["id"] == request["id"]]
        build["buildStatus"] = "STOPPED"
        return {"build": build}

    def get_log_events(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"events": [{"message": line, "timestamp": 1} for line in self.log[-request["limit"] :]]}

    # ---- what builds do ----------------------------------------------------------------------------------------------

    def end(self, status: str = "SUCCEEDED", *, phase: str = "BUILD", said: str = "exit status 1") -> None:
        """Ends the newest build; pushes its image when it succeeds."""
        build = self.builds[-1]
        contexts = [{"statusCode": "COMMAND_EXECUTION_ERROR", "message": said}]
        build["buildStatus"] = status
        build["endTime"] = self.clock
        ended = "SUCCEEDED" if status == "SUCCEEDED" else status
        build["phases"] = [
            {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"},
            {"phaseType": phase, "phaseStatus": ended, "contexts": contexts},
            {"phaseType": "COMPLETED"},
        ]
        if status == "SUCCEEDED":
            self.images[self.tag(build)] = DIGEST

    def tag(self, build: dict[str, Any]) -> str:
        return str(build["environment"]["environmentVariables"][-1]["value"])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    return Aws()


@pytest.fixture
def handler(aws: Aws) -> ImageBuildHandler:
    return ImageBuildHandler(aws.client, lambda: aws.clock)


def request(request_id: str = "r1", physical_id: str | None = None, **changed: Any) -> Request[ImageBuildProperties]:
    properties = ImageBuildProperties.model_validate({**PROPERTIES, **changed})
    return Request(properties, physical_id, request_id, "arn:stack", "Build")


class TestTag:
    def test_the_order_of_inputs_does_not_matter(self) -> None:
        other = {"Arguments": {"B": "2", "A": "1"}, "Source": "abc"}
        assert request().properties.tag == request(Inputs=other).properties.tag

    @pytest.mark.parametrize("inputs", [{"Source": "abd"}, {"Source": "abc"}, {"Source": "abc", "Arguments": {}}])
    def test_any_other_input_is_another_image(self, inputs: dict[str, Any]) -> None:
        assert request().properties.tag != request(Inputs=inputs).properties.tag

    def test_it_is_a_tag_of_ecr(self) -> None:
        assert len(request().properties.tag) == 64

    def test_the_repository_is_no_input(self) -> None:
        assert request().properties.tag == request(RepositoryName="other").properties.tag


class TestBuild:
    def test_it_is_started_and_waited_for(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        assert not started.done
        assert not handler.poll(request(), started.state).done
        aws.end()
        done = handler.poll(request(), started.state)
        tag = request().properties.tag
        uri = f"{PROPERTIES['RepositoryUri']}@{DIGEST}"
        assert done.done
        assert done.data == {"Digest": DIGEST, "ImageUri": uri, "Tag": tag, "Build": "builder:1"}
        assert done.physical_id == started.physical_id
        assert aws.tag(aws.builds[0]) == tag

    def test_an_unchanged_source_is_not_built_again(self, aws: Aws, handler: ImageBuildHandler) -> None:
        aws.images[request().properties.tag] = DIGEST
        outcome = handler.update(request("r2", "p"), request().properties)
        assert outcome.done
        assert (outcome.data["Digest"], outcome.data["Build"]) == (DIGEST, "")
        assert aws.calls["StartBuild"] == 0

    def test_a_rollback_finds_the_image_there_was(self, aws: Aws, handler: ImageBuildHandler) -> None:
        aws.images[request().properties.tag] = DIGEST
        new = request("r2", "p", Inputs={"Source": "new"})
        started = handler.update(new, request().properties)
        aws.end("FAILED")
        with pytest.raises(Failed):
            handler.poll(new, started.state)
        back = handler.update(request("r3", "p"), new.properties)
        assert (back.done, back.data["Digest"]) == (True, DIGEST)

    def test_a_repeated_request_does_not_start_a_second_build(self, aws: Aws, handler: ImageBuildHandler) -> None:
        assert handler.create(request()) == handler.create(request())
        assert len(aws.builds) == 1

    def test_nor_does_one_that_comes_after_the_token_is_forgotten(self, aws: Aws, handler: ImageBuildHandler) -> None:
        first = handler.create(request())
        aws._tokens.clear()
        assert handler.create(request()) == first
        assert aws.calls["StartBuild"] == 1

    def test_the_token_is_of_the_request(self, aws: Aws, handler: ImageBuildHandler) -> None:
        handler.create(request("r1"))
        aws.end("FAILED")
        handler.create(request("r2"))
        assert len(aws.builds) == 2

    def test_a_build_of_another_image_is_not_waited_for(self, aws: Aws, handler: ImageBuildHandler) -> None:
        handler.create(request(Inputs={"Source": "other"}))
        handler.create(request("r2"))
        assert len(aws.builds) == 2

    def test_an_earlier_failure_is_not_taken_for_this_builds(self, aws: Aws, handler: ImageBuildHandler) -> None:
        handler.create(request("r1"))
        aws.end("FAILED")
        started = handler.create(request("r2"))
        assert not handler.poll(request("r2"), started.state).done

    def test_the_image_counts_whoever_built_it(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        aws.end("FAILED", said="tag is immutable")
        aws.images[request().properties.tag] = DIGEST
        assert handler.poll(request(), started.state).data["Digest"] == DIGEST

    def test_an_image_that_takes_a_while_to_be_seen(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        aws.end()
        digests, aws.images = aws.images, {}
        assert not handler.poll(request(), started.state).done
        aws.images = digests
        assert handler.poll(request(), started.state).done

    def test_the_physical_id_is_kept(self, handler: ImageBuildHandler) -> None:
        assert handler.update(request("r2", "kept"), request().properties).physical_id == "kept"
        assert handler.create(request()).physical_id == handler.create(request("r9")).physical_id


class TestFailing:
    def failure(self, aws: Aws, handler: ImageBuildHandler, status: str = "FAILED", **ending: Any) -> str:
        started = handler.create(request())
        aws.end(status, **ending)
        with pytest.raises(Failed) as caught:
            handler.poll(request(), started.state)
        return str(caught.value)

    def test_the_end_of_the_log_is_shown(self, aws: Aws, handler: ImageBuildHandler) -> None:
        aws.log = [f"line {number}\n" for number in range(100)] + ["exit code: 1"]
        said = self.failure(aws, handler)
        assert said.startswith(
            "the build builder:1 failed in its phase BUILD (exit status 1); its log, stream-1 in builds, ends with:\n"
        )
        assert said.endswith("line 99\nexit code: 1")
        assert "line 41\n" in said
        assert "line 40\n" not in said

    def test_it_fits_into_what_cloudformation_takes(self, aws: Aws, handler: ImageBuildHandler) -> None:
        aws.log = ["é" * 5000]
        said = self.failure(aws, handler)
        assert len(said.encode()) < 4096
        assert "…é" in said

    def test_secrets_are_masked(self, aws: Aws, handler: ImageBuildHandler) -> None:
        aws.log = [f"curl -H 'Authorization: Bearer {SECRET}'\n", f"NPM_TOKEN={SECRET}\n", "x" * 1195]
        said = self.failure(aws, handler, said=f"https://user:{SECRET}@example.com failed")
        assert SECRET[-6:] not in said
        assert "***" in said

    @pytest.mark.parametrize(
        ("status", "words"),
        [("TIMED_OUT", "took too long"), ("STOPPED", "was stopped"), ("FAULT", "failed inside CodeBuild")],
    )
    def test_other_ends(self, aws: Aws, handler: ImageBuildHandler, status: str, words: str) -> None:
        assert f"the build builder:1 {words} in its phase BUILD" in self.failure(aws, handler, status)

    def test_without_a_log(self, aws: Aws, handler: ImageBuildHandler) -> None:
        assert self.failure(aws, handler).endswith("; it left no log")

    def test_a_log_that_cannot_be_read_does_not_hide_the_failure(self, aws: Aws, handler: ImageBuildHandler) -> None:
        aws.before["GetLogEvents"] = [RefusedError("ResourceNotFoundException", "no such stream")]
        said = self.failure(aws, handler)
        assert said.endswith("(the log cannot be read: ResourceNotFoundException)")
        assert "failed in its phase BUILD" in said

    def test_the_build_is_gone(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        aws.builds.clear()
        with pytest.raises(Failed, match=r"^the build builder:1 is gone, and there is no image; deploy again"):
            handler.poll(request(), started.state)

    def test_the_build_is_gone_but_the_image_is_there(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        aws.end()
        aws.builds.clear()
        assert handler.poll(request(), started.state).data["Digest"] == DIGEST

    def test_a_build_that_succeeds_without_an_image(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        aws.end()
        aws.images.clear()
        aws.clock += 121
        with pytest.raises(Failed, match=r"builder:1 succeeded, but agents has no image with the tag [0-9a-f]{64}"):
            handler.poll(request(), started.state)

    @pytest.mark.parametrize("phase", ["PROVISIONING", "DOWNLOAD_SOURCE"])
    def test_what_fails_before_its_commands_is_tried_again(
        self, aws: Aws, handler: ImageBuildHandler, phase: str
    ) -> None:
        started = handler.create(request())
        aws.end("FAILED", phase=phase, said="AccessDenied")
        assert not handler.poll(request(), started.state).done
        assert len(aws.builds) == 2
        aws.end()
        assert handler.poll(request(), started.state).data["Build"] == "builder:2"

    def test_but_only_three_times(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        for _ in range(2):
            aws.end("FAILED", phase="DOWNLOAD_SOURCE", said="AccessDenied")
            assert not handler.poll(request(), started.state).done
        aws.end("FAILED", phase="DOWNLOAD_SOURCE", said="AccessDenied")
        with pytest.raises(Failed, match=r"builder:3 failed in its phase DOWNLOAD_SOURCE \(AccessDenied\)"):
            handler.poll(request(), started.state)
        assert len(aws.builds) == 3

    def test_and_not_counting_what_an_earlier_deployment_tried(self, aws: Aws, handler: ImageBuildHandler) -> None:
        earlier = handler.create(request("r1"))
        for _ in range(3):
            aws.end("FAILED", phase="DOWNLOAD_SOURCE", said="AccessDenied")
            if len(aws.builds) < 3:
                handler.poll(request("r1"), earlier.state)
        started = handler.create(request("r2"))
        aws.end("FAILED", phase="DOWNLOAD_SOURCE", said="AccessDenied")
        assert not handler.poll(request("r2"), started.state).done
        assert len(aws.builds) == 5

    def test_a_repeated_poll_starts_no_second_attempt(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        aws.end("FAILED", phase="DOWNLOAD_SOURCE")
        aws.after["StartBuild"] = [RefusedError("InternalFailure", "lost")]
        handler.poll(request(), started.state)
        handler.poll(request(), started.state)
        assert len(aws.builds) == 2


class TestDelete:
    def test_it_stops_what_is_under_way_and_keeps_images(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        aws.images["old"] = DIGEST
        assert handler.delete(request("r2", started.physical_id)) == Outcome(started.physical_id)
        assert aws.builds[0]["buildStatus"] == "STOPPED"
        assert aws.images == {"old": DIGEST}

    def test_nothing_is_under_way(self, aws: Aws, handler: ImageBuildHandler) -> None:
        handler.create(request())
        aws.end()
        handler.delete(request("r2", "p"))
        assert aws.calls["StopBuild"] == 0

    @pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidInputException"])
    def test_it_ended_in_between(self, aws: Aws, handler: ImageBuildHandler, code: str) -> None:
        handler.create(request())
        aws.before["StopBuild"] = [RefusedError(code, "it is not running")]
        assert handler.delete(request("r2", "p")).done

    def test_the_project_is_gone(self, aws: Aws, handler: ImageBuildHandler) -> None:
        aws.before["ListBuildsForProject"] = [RefusedError("ResourceNotFoundException", "no such project")]
        assert handler.delete(request("r2", "p")).done

    def test_it_comes_twice(self, aws: Aws, handler: ImageBuildHandler) -> None:
        handler.create(request())
        assert handler.delete(request("r2", "p")) == handler.delete(request("r2", "p"))
        assert aws.calls["StopBuild"] == 1


CALLS = ("DescribeImages", "ListBuildsForProject", "BatchGetBuilds", "StartBuild")


def whole(aws: Aws, handler: ImageBuildHandler) -> Outcome:
    """A build from its request to its end, after one of another image."""
    other = handler.create(request("r0", Inputs={"Source": "other"}))
    assert not other.done
    started = handler.create(request())
    aws.end()
    return handler.poll(request(), started.state)


class TestFaults:
    """Whatever fails once on the way changes nothing."""

    @pytest.mark.parametrize("operation", CALLS)
    @pytest.mark.parametrize(
        "fault",
        [
            lambda: RefusedError("ThrottlingException", "Rate exceeded"),
            lambda: RefusedError("InternalFailure", "We had a problem"),
            lambda: ReadTimeoutError(endpoint_url="https://aws"),
        ],
        ids=["throttled", "internal", "timeout"],
    )
    def test_before(self, aws: Aws, handler: ImageBuildHandler, operation: str, fault: Callable[[], Exception]) -> None:
        aws.before[operation] = [fault()]
        assert whole(aws, handler).data["Digest"] == DIGEST
        assert len(aws.builds) == 2

    @pytest.mark.parametrize("operation", CALLS)
    def test_the_answer_is_lost_after_success(self, aws: Aws, handler: ImageBuildHandler, operation: str) -> None:
        aws.after[operation] = [ReadTimeoutError(endpoint_url="https://aws")]
        assert whole(aws, handler).data["Digest"] == DIGEST
        assert len(aws.builds) == 2

    @pytest.mark.parametrize("operation", ["StopBuild", "ListBuildsForProject", "BatchGetBuilds"])
    def test_while_deleting(self, aws: Aws, handler: ImageBuildHandler, operation: str) -> None:
        handler.create(request())
        aws.before[operation] = [RefusedError("ThrottlingException", "Rate exceeded")]
        aws.after[operation] = [ReadTimeoutError(endpoint_url="https://aws")]
        handler.delete(request("r2", "p"))
        assert aws.builds[0]["buildStatus"] == "STOPPED"

    def test_while_the_log_is_read(self, aws: Aws, handler: ImageBuildHandler) -> None:
        started = handler.create(request())
        aws.end("FAILED")
        aws.log = ["the end"]
        aws.before["GetLogEvents"] = [RefusedError("ThrottlingException", "Rate exceeded")]
        with pytest.raises(Failed, match="the end"):
            handler.poll(request(), started.state)


class TestThroughTheFunction:
    """As Lambda calls it: events of CloudFormation in, answers out, and no secret in the log."""

    @pytest.fixture
    def log(self, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
        written = io.StringIO()
        monkeypatch.setattr(main.logger.registered_handler, "stream", written)
        monkeypatch.setattr(image_build, "client", aws.client)
        made = ImageBuildHandler(aws.client, lambda: aws.clock)
        monkeypatch.setattr(image_build, "handler", lambda: made)
        monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
        return written

    def event(self, **members: Any) -> dict[str, Any]:
        properties = {"ServiceToken": "t", "ServiceTimeout": "3600", "Kind": "ImageBuild", **PROPERTIES}
        properties["Inputs"] = {**PROPERTIES["Inputs"], "Arguments": {"TOKEN": SECRET}}  # type: ignore[dict-item]
        return {
            "RequestType": "Create",
            "RequestId": "r1",
            "StackId": "arn:stack",
            "LogicalResourceId": "Build",
            "ResourceProperties": properties,
            **members,
        }

    def test_success(self, aws: Aws, log: io.StringIO) -> None:
        answer = main.handler(self.event(), None)
        told = self.event(**answer)
        assert main.handler(told, None) == {"IsComplete": False}
        aws.end()
        done = main.handler(told, None)
        assert (done["IsComplete"], done["Data"]["Digest"]) == (True, DIGEST)
        assert '"build":"builder:1"' in log.getvalue()
        assert SECRET not in log.getvalue()

    def test_failure(self, aws: Aws, log: io.StringIO) -> None:
        answer = main.handler(self.event(), None)
        aws.log = [f"password: {SECRET}\n"]
        aws.end("FAILED", said=f"token={SECRET}")
        with pytest.raises(main.CustomResourceFailedError, match="ends with:\npassword: ") as caught:
            main.handler(self.event(**answer), None)
        assert SECRET not in str(caught.value)
        assert SECRET not in log.getvalue()

    def test_a_property_too_many_is_refused(self, log: io.StringIO) -> None:
        event = self.event()
        event["ResourceProperties"]["Repository"] = "x"
        with pytest.raises(main.CustomResourceFailedError, match="properties of ImageBuild are wrong: Repository"):
            main.handler(event, None)
