"""Keeping a managed memory: detached before its harness goes, whatever the services do in between, and only then."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from agentcore_lambdas.custom_resources import main, memory_retention
from agentcore_lambdas.custom_resources.memory_retention import (
    MemoryRetentionHandler,
    MemoryRetentionProperties,
    Surroundings,
    goes,
)

HARNESS_ID = "support-0123456789"
HARNESS_ARN = f"arn:aws:bedrock-agentcore:us-east-1:111122223333:harness/{HARNESS_ID}"
MEMORY_ARN = "arn:aws:bedrock-agentcore:us-east-1:111122223333:memory/support-abcdefghij"
STACK = "arn:aws:cloudformation:us-east-1:111122223333:stack/Support/0"
SECRET = "hunter2-in-an-environment-variable"
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:f",
    "ServiceTimeout": "3600",
    "Kind": "MemoryRetention",
    "HarnessId": HARNESS_ID,
    "HarnessArn": HARNESS_ARN,
    "HarnessResource": "Agent",
    "MemoryArn": MEMORY_ARN,
    "IsKept": "false",
    "IsKeptWhenReplaced": "false",
}
REFUSALS = {
    "throttled": (429, "ThrottlingException", "Rate exceeded"),
    "conflict": (409, "ConflictException", "The harness is being updated"),
    "failing": (500, "InternalServerException", "Try again"),
    "denied": (403, "AccessDeniedException", "not authorized to perform this"),
    "gone": (404, "ResourceNotFoundException", "There is none"),
}
# Query services name them otherwise.
XML_CODES = {"ThrottlingException": "Throttling", "AccessDeniedException": "AccessDenied"}


class Raw(io.BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, **_kwargs: Any) -> Any:
        yield self.read()


@dataclass
class Service:
    """AWS behind the HTTP edge of real clients, with one harness in one stack.

    Attributes:
        harness: As GetHarness shows it; None when it is gone.
        settling: Statuses of the harness in its next GetHarness answers.
        becomes: Its status after an update.
        vanishes_before: The operation before which somebody else deletes it.
        stack_status: Of the stack.
        stack_harness: Physical id of the harness in the stack; None when there is no such resource.
        template: Of the stack.
        actors: Of the memory.
        faults: Operation → what goes wrong in its next calls. `lost` does what was asked and never answers.
        calls: Operations and inputs, in order.
        tokens: Client tokens of updates that were done.
    """

    harness: dict[str, Any] | None = field(
        default_factory=lambda: {
            "harnessId": HARNESS_ID,
            "arn": HARNESS_ARN,
            "status": "READY",
            "harnessVersion": "3",
            "memory": {"managedMemoryConfiguration": {"arn": MEMORY_ARN}},
            "environmentVariables": {"PASSWORD": SECRET},
        }
    )
    settling: list[str] = field(default_factory=list)
    becomes: str = "READY"
    vanishes_before: str | None = None
    stack_status: str = "DELETE_IN_PROGRESS"
    stack_harness: str | None = HARNESS_ARN
    template: dict[str, Any] = field(default_factory=lambda: {"Resources": {"Agent": {}}})
    actors: list[str] = field(default_factory=lambda: ["ann"])
    faults: dict[str, list[str]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def client(self, name: str) -> Any:
        made = _client(name)
        made.meta.events.unregister("before-send", unique_id="service")
        made.meta.events.register("before-send", self.answer, unique_id="service")
        return made

    def answer(self, request: Any, event_name: str, **_kwargs: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        sent = request.body.decode() if isinstance(request.body, bytes) else request.body
        body = json.loads(sent) if sent and sent.startswith("{") else sent
        if operation == self.vanishes_before:
            self.harness = None
        self.calls.append((operation, body))
        fault = self.faults[operation].pop(0) if self.faults.get(operation) else None
        if fault == "unreachable":
            raise EndpointConnectionError(endpoint_url=request.url)
        if fault in REFUSALS:
            return self._refused(request, *REFUSALS[fault])
        answered = self._answered(request, operation, body)
        if fault == "lost":
            raise ReadTimeoutError(endpoint_url=request.url)
        return answered

    @property
    def is_detached(self) -> bool:
        return self.harness is not None and self.harness["memory"] == {"disabled": {}}

    @property
    def updates(self) -> int:
        return sum(1 for operation, _ in self.calls if operation == "UpdateHarness")

    def _answered(self, request: Any, operation: str, body: Any) -> AWSResponse:
        if operation == "GetHarness":
            if self.harness is None:
                return self._refused(request, *REFUSALS["gone"])
            if self.settling:
                self.harness["status"] = self.settling.pop(0)
            return self._json(request, {"harness": self.harness})
        if operation == "UpdateHarness":
            return self._updated(request, body)
        if operation == "ListActors":
            return self._json(request, {"actorSummaries": [{"actorId": actor} for actor in self.actors]})
        return self._stack(request, operation)

    def _updated(self, request: Any, body: dict[str, Any]) -> AWSResponse:
        if self.harness is None:
            return self._refused(request, *REFUSALS["gone"])
        if self.harness["status"] in ("CREATING", "UPDATING", "DELETING"):
            return self._refused(request, *REFUSALS["conflict"])
        if body["clientToken"] not in self.tokens and self.becomes == "READY":
            self.harness["memory"] = body["memory"]["optionalValue"]
        self.tokens.add(body["clientToken"])
        self.harness["status"] = self.becomes
        return self._json(request, {"harness": {**self.harness, "status": "UPDATING"}})

    def _stack(self, request: Any, operation: str) -> AWSResponse:
        if operation == "DescribeStacks":
            content = f"<Stacks><member><StackStatus>{self.stack_status}</StackStatus></member></Stacks>"
        elif operation == "GetTemplate":
            content = f"<TemplateBody>{json.dumps(self.template)}</TemplateBody>"
        elif self.stack_harness is None:
            return self._refused(request, 400, "ValidationError", "Resource Agent does not exist for stack Support")
        else:
            physical_id = f"<PhysicalResourceId>{self.stack_harness}</PhysicalResourceId>"
            content = f"<StackResourceDetail>{physical_id}</StackResourceDetail>"
        xml = f"<{operation}Response><{operation}Result>{content}</{operation}Result></{operation}Response>"
        return AWSResponse(request.url, 200, {}, Raw(xml.encode()))

    def _json(self, request: Any, content: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, {"Content-Type": "application/json"}, Raw(json.dumps(content).encode()))

    def _refused(self, request: Any, status: int, code: str, message: str) -> AWSResponse:
        if "cloudformation" in request.url:
            error = f"<Error><Code>{XML_CODES.get(code, code)}</Code><Message>{message}</Message></Error>"
            return AWSResponse(request.url, status, {}, Raw(f"<ErrorResponse>{error}</ErrorResponse>".encode()))
        body = json.dumps({"message": message}).encode()
        return AWSResponse(request.url, status, {"x-amzn-ErrorType": code}, Raw(body))


@cache
def _client(name: str) -> Any:
    # One attempt each: what is repeated is the handler's doing, and nothing waits.
    return boto3.client(  # type: ignore[call-overload]  # the name is a variable
        name,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()
    monkeypatch.setattr(memory_retention, "handler", lambda: MemoryRetentionHandler(made.client))
    return made


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(main.logger.registered_handler, "stream", written)
    return written


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "RequestId": "request-1",
        "StackId": STACK,
        "LogicalResourceId": "Retention",
        "ResourceProperties": PROPERTIES,
        **({"PhysicalResourceId": MEMORY_ARN} if kind != "Create" else {}),
        **more,
    }


def deleted(*, polls: int = 5, **more: Any) -> int:
    """Deletes as the provider framework does; returns how often it had to ask whether that is done."""
    sent = event("Delete", **more)
    answered = main.handler(sent, None)
    for asked in range(polls + 1):
        if main.handler({**sent, **answered}, None)["IsComplete"]:
            return asked
    raise AssertionError("it never ends")


# ---- what it is ------------------------------------------------------------------------------------------------------


def test_it_is_called_by_the_memory_it_keeps(service: Service) -> None:
    answered = main.handler(event("Create"), None)
    assert answered["PhysicalResourceId"] == MEMORY_ARN
    assert answered["Data"] == {"MemoryArn": MEMORY_ARN, "MemoryId": "support-abcdefghij"}
    assert service.calls == []


def test_a_replaced_harness_makes_it_another_resource(service: Service) -> None:
    there = {**PROPERTIES, "HarnessId": "other-0123456789", "MemoryArn": f"{MEMORY_ARN[:-1]}k"}
    answered = main.handler(event("Update", ResourceProperties=there, OldResourceProperties=PROPERTIES), None)
    assert answered["PhysicalResourceId"] == there["MemoryArn"] != MEMORY_ARN
    same = main.handler(event("Update", OldResourceProperties=PROPERTIES), None)
    assert same["PhysicalResourceId"] == MEMORY_ARN
    assert service.calls == []


# ---- detaching -------------------------------------------------------------------------------------------------------


def test_the_memory_is_detached_before_the_harness_goes(service: Service) -> None:
    assert deleted() == 0
    assert service.is_detached
    assert [body["memory"] for operation, body in service.calls if operation == "UpdateHarness"] == [
        {"optionalValue": {"disabled": {}}}
    ]


def test_it_waits_until_the_harness_is_ready(service: Service) -> None:
    service.settling = ["UPDATING", "UPDATING", "READY", "UPDATING", "UPDATING", "READY"]
    assert deleted() == 3
    assert service.is_detached
    assert service.updates == 1


OPERATIONS = ("GetHarness", "DescribeStacks", "DescribeStackResource", "GetTemplate", "UpdateHarness")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", ["throttled", "lost", "unreachable"])
def test_what_passes_is_waited_out(service: Service, operation: str, fault: str) -> None:
    service.faults = {operation: [fault, fault]}
    deleted()
    assert service.is_detached
    # One that arrived without an answer is found done; nothing is done twice.
    assert len(service.tokens) == 1


@pytest.mark.parametrize("fault", ["conflict", "failing"])
def test_an_update_of_somebody_else_is_waited_out(service: Service, fault: str) -> None:
    service.faults = {"UpdateHarness": [fault]}
    deleted()
    assert service.is_detached


def test_a_request_that_comes_twice_is_one_update(service: Service) -> None:
    service.faults = {"GetHarness": []}
    first = main.handler(event("Delete"), None)
    assert main.handler(event("Delete"), None) == first
    assert service.updates == 1


def test_two_deliveries_at_once_send_the_same_token(service: Service) -> None:
    deleted()
    assert service.harness is not None
    service.harness["memory"] = {"managedMemoryConfiguration": {"arn": MEMORY_ARN}}  # as the other one has seen it
    main.handler(event("Delete"), None)
    assert service.updates == 2
    assert len(service.tokens) == 1


@pytest.mark.parametrize("operation", ["GetHarness", "UpdateHarness"])
def test_a_harness_that_is_gone_is_no_error(service: Service, operation: str) -> None:
    service.vanishes_before = operation
    assert deleted() == 0


def test_a_harness_that_somebody_deletes_is_left_alone(service: Service) -> None:
    assert service.harness is not None
    service.harness["status"] = "DELETING"
    assert deleted() == 0
    assert service.updates == 0


def test_a_memory_that_was_switched_away_is_nobodys_business(service: Service) -> None:
    assert service.harness is not None
    service.harness["memory"] = {"agentCoreMemoryConfiguration": {"arn": MEMORY_ARN}}
    assert deleted() == 0
    assert service.updates == 0


# ---- failing ---------------------------------------------------------------------------------------------------------


def test_a_refused_update_fails_the_deletion_and_loses_nothing(service: Service) -> None:
    service.faults = {"UpdateHarness": ["denied"]}
    with pytest.raises(
        main.CustomResourceFailedError, match="UpdateHarness failed with AccessDeniedException: not auth"
    ):
        main.handler(event("Delete"), None)
    assert not service.is_detached


def test_an_update_that_fails_says_why_and_deleting_again_goes_on(service: Service) -> None:
    assert service.harness is not None
    service.becomes = "UPDATE_FAILED"
    service.harness["failureReason"] = "The execution role cannot be assumed."
    with pytest.raises(
        main.CustomResourceFailedError,
        match=f"the memory {MEMORY_ARN} could not be detached from {HARNESS_ID}: The execution role cannot be assumed",
    ):
        deleted()
    service.becomes = "READY"
    deleted(RequestId="request-2")
    assert service.is_detached


def test_nothing_that_is_secret_is_logged(service: Service, log: io.StringIO) -> None:
    service.faults = {"UpdateHarness": ["denied"]}
    with pytest.raises(main.CustomResourceFailedError):
        main.handler(event("Delete"), None)
    service.faults = {"GetHarness": ["throttled", "lost"], "DescribeStacks": ["denied"]}
    deleted()
    assert MEMORY_ARN in log.getvalue()
    assert SECRET not in log.getvalue()


# ---- whether it is to be detached ------------------------------------------------------------------------------------

OTHER = f"{HARNESS_ARN[:-1]}x"


@pytest.mark.parametrize(
    ("status", "physical_id", "declared", "kept", "kept_when_replaced", "expected"),
    [
        ("DELETE_IN_PROGRESS", HARNESS_ARN, True, False, False, True),
        ("DELETE_IN_PROGRESS", HARNESS_ARN, True, True, True, False),
        ("ROLLBACK_IN_PROGRESS", HARNESS_ARN, True, False, False, True),
        # `retain` was taken out, or the update that brought it is rolled back.
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", HARNESS_ARN, True, False, False, False),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", HARNESS_ARN, True, False, False, False),
        # The harness was replaced.
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", OTHER, True, False, False, True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", OTHER, True, True, False, True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", OTHER, True, False, True, False),
        # The harness was removed.
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", HARNESS_ARN, False, False, False, True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None, False, False, False, True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None, False, True, False, False),
    ],
)
def test_when_the_harness_goes(
    *, status: str, physical_id: str | None, declared: bool, kept: bool, kept_when_replaced: bool, expected: bool
) -> None:
    properties = MemoryRetentionProperties(
        harness_id=HARNESS_ID,
        harness_arn=HARNESS_ARN,
        harness_resource="Agent",
        memory_arn=MEMORY_ARN,
        is_kept=kept,
        is_kept_when_replaced=kept_when_replaced,
    )
    assert goes(properties, Surroundings(status, physical_id, declared)) is expected


def test_a_harness_that_stays_keeps_its_memory(service: Service) -> None:
    service.stack_status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    assert deleted() == 0
    assert service.updates == 0


def test_a_harness_that_left_the_template_is_detached(service: Service) -> None:
    service.stack_status, service.stack_harness, service.template = "UPDATE_IN_PROGRESS", None, {"Resources": {}}
    deleted()
    assert service.is_detached


@pytest.mark.parametrize("operation", ["DescribeStacks", "DescribeStackResource", "GetTemplate"])
def test_a_memory_too_many_is_better_than_one_too_few(service: Service, log: io.StringIO, operation: str) -> None:
    service.stack_status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    service.faults = {operation: ["denied"]}
    deleted()
    assert service.is_detached
    assert "CloudFormation does not say what is deleted" in log.getvalue()


@pytest.mark.parametrize("status", ["ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"])
@pytest.mark.parametrize("used", [True, False])
def test_a_failed_deployment_takes_a_memory_back_that_nobody_used(service: Service, status: str, *, used: bool) -> None:
    service.stack_status, service.stack_harness = status, None
    service.actors = ["ann"] if used else []
    deleted()
    assert service.is_detached is used


@pytest.mark.parametrize("fault", ["throttled", "lost", "unreachable"])
def test_whether_it_was_used_is_asked_again(service: Service, fault: str) -> None:
    service.stack_status, service.actors = "ROLLBACK_IN_PROGRESS", []
    service.faults = {"ListActors": [fault]}
    deleted()
    assert not service.is_detached


@pytest.mark.parametrize("fault", ["denied", "gone"])
def test_a_memory_that_does_not_say_is_kept(service: Service, fault: str) -> None:
    service.stack_status = "ROLLBACK_IN_PROGRESS"
    service.faults = {"ListActors": [fault]}
    deleted()
    assert service.is_detached
