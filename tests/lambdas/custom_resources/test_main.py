"""The function behind the custom resources: requests in, answers for the provider framework out."""

from __future__ import annotations

import io
import json
import re
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoRegionError, ReadTimeoutError

from agentcore_lambdas.custom_resources import Failed, Handler, Outcome, Properties, Request, main, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping


class Thing(Properties):
    size: int
    is_shared: bool = False


class ThingHandler(Handler[Thing]):
    Properties = Thing

    def create(self, request: Request[Thing]) -> Outcome:
        if request.properties.size > 9:
            raise Failed("the thing must be small")
        if request.properties.size == 9:
            raise ValueError("secret-in-an-error")
        return Outcome("thing", {"Size": request.properties.size}, done=False, state={"Try": 1})

    def update(self, request: Request[Thing], old: Thing) -> Outcome:
        return Outcome(request.physical_id or "", {"Was": old.size})

    def delete(self, request: Request[Thing]) -> Outcome:
        return Outcome(request.physical_id or "")

    def poll(self, request: Request[Thing], state: Mapping[str, Any]) -> Outcome:
        return Outcome("thing", {"State": dict(state)}, done=request.properties.is_shared)


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("agentcore_lambdas.custom_resources.thing")
    module.handler = ThingHandler  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(main.KINDS, "Thing", "thing")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is logged; the logger has taken hold of the output before a test could."""
    written = io.StringIO()
    monkeypatch.setattr(main.logger.registered_handler, "stream", written)
    return written


def event(request_type: str = "Create", **members: Any) -> dict[str, Any]:
    given = {"ServiceToken": "arn", "ServiceTimeout": "60", "Kind": "Thing", "Size": "3"}
    return {
        "RequestType": request_type,
        "RequestId": "b6b1d9a0-0000-4000-8000-000000000001",
        "StackId": "arn:stack",
        "LogicalResourceId": "Thing",
        "ResourceProperties": {**given, **members.pop("properties", {})},
        **members,
    }


def answer(request: dict[str, Any]) -> dict[str, Any]:
    answered: dict[str, Any] = main.handler(request, None)
    return answered


def test_a_creation_is_asked_about_until_it_is_done() -> None:
    created = answer(event())
    assert created == {
        "PhysicalResourceId": "thing", "Data": {"Size": 3}, "Outcome": {"Done": False, "State": {"Try": 1}},
    }  # fmt: skip
    assert answer({**event(), **created}) == {"IsComplete": False}
    shared = {**event(properties={"IsShared": "true"}), **created}
    assert answer(shared) == {"IsComplete": True, "Data": {"State": {"Try": 1}}}


def refusal(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetHarness")


@pytest.mark.parametrize(
    "error",
    [
        refusal("ThrottlingException", 400),
        refusal("Throttling", 400),
        refusal("SlowDown", 503),
        refusal("Whatever", 429),
        refusal("InternalFailure", 500),
        refusal("ServiceUnavailable", 503),
        refusal("ConflictException", 409),
        EndpointConnectionError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
    ],
    ids=str,
)
def test_a_question_that_gets_no_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    asked = {**event(properties={"IsShared": "true"}), **answer(event())}
    real = ThingHandler.poll
    errors = [error]

    def poll(self: ThingHandler, request: Request[Thing], state: Mapping[str, Any]) -> Outcome:
        if errors:
            raise errors.pop()
        return real(self, request, state)

    monkeypatch.setattr(ThingHandler, "poll", poll)
    assert answer(asked) == {"IsComplete": False}
    assert answer(asked)["IsComplete"]


@pytest.mark.parametrize(
    "error", [refusal("AccessDeniedException", 403), refusal("ValidationException", 400), NoRegionError()], ids=str
)
def test_a_question_that_is_refused_is_the_end(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def poll(*_: Any) -> Outcome:
        raise error

    asked = {**event(), **answer(event())}
    monkeypatch.setattr(ThingHandler, "poll", poll)
    with pytest.raises(main.CustomResourceFailedError):
        answer(asked)


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long the function paused."""
    pauses: list[float] = []
    monkeypatch.setattr(main.time, "sleep", pauses.append)
    return pauses


def refusing(monkeypatch: pytest.MonkeyPatch, act: str, errors: list[ClientError]) -> None:
    real = getattr(ThingHandler, act)

    def refused(*given: Any) -> Outcome:
        if errors:
            raise errors.pop()
        made: Outcome = real(*given)
        return made

    monkeypatch.setattr(ThingHandler, act, refused)


REQUESTS = {
    "create": event(),
    "update": event(
        "Update",
        PhysicalResourceId="thing",
        OldResourceProperties={"ServiceToken": "arn", "Kind": "Thing", "Size": "2"},
    ),
}


@pytest.mark.parametrize("act", REQUESTS)
@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_a_policy_that_has_just_been_made_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, paused: list[float], act: str, code: str
) -> None:
    refusing(monkeypatch, act, [refusal(code, 403)] * 2)
    assert answer(REQUESTS[act])["PhysicalResourceId"] == "thing"
    assert paused == [2.0, 4.0]


def test_a_policy_that_never_comes_is_told_after_a_minute(monkeypatch: pytest.MonkeyPatch, paused: list[float]) -> None:
    refusing(monkeypatch, "create", [refusal("AccessDeniedException", 403)] * 6)
    with pytest.raises(main.CustomResourceFailedError, match="GetHarness failed with AccessDeniedException: m"):
        answer(event())
    assert sum(paused) == 60.0


def test_other_refusals_are_told_at_once(monkeypatch: pytest.MonkeyPatch, paused: list[float]) -> None:
    refusing(monkeypatch, "create", [refusal("ValidationException", 400)])
    with pytest.raises(main.CustomResourceFailedError, match="ValidationException"):
        answer(event())
    assert paused == []


def test_a_deletion_has_had_its_policy_for_long(monkeypatch: pytest.MonkeyPatch, paused: list[float]) -> None:
    refusing(monkeypatch, "delete", [refusal("AccessDeniedException", 403)])
    with pytest.raises(main.CustomResourceFailedError, match="AccessDeniedException"):
        answer(event("Delete", PhysicalResourceId="thing"))
    assert paused == []


def test_a_long_failure_loses_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation refuses answers of more than 4096 bytes, and waits for another one until it gives up."""

    def create(*_: Any) -> Outcome:
        raise Failed(f"the build failed: {'▓' * 3000} exit code 1")

    monkeypatch.setattr(ThingHandler, "create", create)
    with pytest.raises(main.CustomResourceFailedError) as caught:
        answer(event())
    told = str(caught.value)
    assert told.startswith("the build failed: ▓")
    assert told.endswith("▓ exit code 1")
    assert 1900 < len(told.encode()) <= 2100


def test_the_log_says_where_something_unforeseen_came_from(log: io.StringIO) -> None:
    with pytest.raises(main.CustomResourceFailedError, match="ValueError; its log has the details"):
        answer(event(properties={"Size": "9"}))
    logged = json.loads(log.getvalue())
    assert re.fullmatch(r"test_main\.py:\d+ create", logged["at"][-1])
    assert "secret-in-an-error" not in log.getvalue()


def test_an_update_knows_what_was() -> None:
    old = {"ServiceToken": "arn", "Kind": "Thing", "Size": "2"}
    updated = answer(event("Update", PhysicalResourceId="thing", OldResourceProperties=old))
    assert updated == {"PhysicalResourceId": "thing", "Data": {"Was": 2}, "Outcome": {"Done": True, "State": {}}}
    assert answer({**event("Update"), **updated}) == {"IsComplete": True}


def test_a_deletion_keeps_the_physical_id() -> None:
    assert answer(event("Delete", PhysicalResourceId="thing"))["PhysicalResourceId"] == "thing"


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"Size": "12"}, "the thing must be small"),
        ({"Size": "9"}, "the handler failed with ValueError; its log has the details"),
        ({"Size": "huge"}, "properties of Thing are wrong: Size: Input should be a valid integer"),
        ({"Sise": "1"}, "properties of Thing are wrong: Sise: Extra inputs are not permitted"),
        ({"Kind": "Nothing"}, "there is no custom resource of the kind 'Nothing'; there are HarnessSettings, Image"),
    ],
)
def test_a_failure_is_one_sentence(properties: dict[str, str], told: str, log: io.StringIO) -> None:
    with pytest.raises(main.CustomResourceFailedError) as caught:
        answer(event(properties=properties))
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    logged = log.getvalue()
    assert "custom resource failed" in logged
    assert "secret-in-an-error" not in logged + str(caught.value)


def test_a_service_error_tells_operation_code_and_message() -> None:
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateHarness")
    assert sentence(error) == "UpdateHarness failed with AccessDeniedException: no"
    unreachable = EndpointConnectionError(endpoint_url="https://x")
    assert sentence(unreachable).startswith("an AWS call failed: Could not connect")


def test_logs_hold_no_properties(log: io.StringIO) -> None:
    answer(event(properties={"Size": "7"}))
    (line,) = log.getvalue().splitlines()
    logged = json.loads(line)
    assert logged["kind"] == "Thing"
    assert "7" not in str(logged.get("message"))
    assert "Size" not in line


def test_every_kind_has_a_module_with_a_handler() -> None:
    from importlib import import_module  # noqa: PLC0415

    for name, module in main.KINDS.items():
        if name != "Thing":
            handling = import_module(f"agentcore_lambdas.custom_resources.{module}").handler()
            assert isinstance(handling, Handler), name
            assert issubclass(handling.Properties, Properties), name
