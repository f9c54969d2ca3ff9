"""The function behind all custom resources of a stack: onEvent and isComplete of the provider framework in one."""

from __future__ import annotations

import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Tracer
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from agentcore_lambdas.custom_resources.framework import (
    Failed,
    Handler,
    Outcome,
    Request,
    is_denied,
    passes,
    sentence,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {
    "HarnessSettings": "harness_settings",
    "ImageBuild": "image_build",
    "MemoryRetention": "memory_retention",
    "PinnedGitSkill": "git_skill",
}
"""Kind of custom resource → the module that handles it."""

KIND = "Kind"
_NOT_PROPERTIES = frozenset({"ServiceToken", "ServiceTimeout", KIND})
# onEvent answers with this, and the framework hands it on to isComplete.
_OUTCOME = "Outcome"
_FRAMES = 12
# IAM takes seconds to tell everybody of a policy, and CloudFormation does not wait for that before it goes on to what
# depends on it: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-resource-configuration-complete.html
_PAUSES = (2.0, 4.0, 8.0, 16.0, 30.0)

# CloudFormation takes answers of 4096 bytes at most, and waits in vain for others; the framework adds ARNs and where
# the log is: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
_MOST_BYTES = 2000

logger = Logger()
tracer = Tracer()


class CustomResourceFailedError(Exception):
    """What CloudFormation shows: one sentence."""


@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  (Lambda's signature)
    """Answers the provider framework.

    Args:
        event: A request of CloudFormation; asked whether it is complete, with the answer to it beside.
        context: Of the invocation.

    Raises:
        CustomResourceFailedError: The request failed; with one sentence.
    """
    logger.append_keys(
        kind=event["ResourceProperties"].get(KIND),
        request=event["RequestType"],
        stack=event["StackId"],
        resource=event["LogicalResourceId"],
    )
    try:
        return _polled(event) if _OUTCOME in event else _answered(event)
    except Exception as error:  # noqa: BLE001  (whatever it is, CloudFormation is told one sentence)
        # Properties and errors of services may quote what is nobody's business: only kind, request and error class.
        name = type(error).__name__
        if isinstance(error, (Failed, BotoCoreError, ClientError)):
            logger.error("custom resource failed", error=name)
        else:
            logger.error("custom resource failed", error=name, at=_places(error))
        raise CustomResourceFailedError(_short(sentence(error))) from None


def _short(text: str) -> str:
    """Takes out the middle of what is too long: how it began and how it ended says most."""
    written, half = text.encode(), _MOST_BYTES // 2
    if len(written) <= _MOST_BYTES:
        return text
    return f"{written[:half].decode(errors='ignore')} … {written[-half:].decode(errors='ignore')}"


def _places(error: Exception) -> list[str]:
    """Where an error came from: a traceback without what it says, since that may quote a secret."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _answered(event: dict[str, Any]) -> dict[str, Any]:
    handling = _handler(event)
    request = _request(event, handling)
    kind = event["RequestType"]
    if kind == "Create":
        outcome = _once_allowed(lambda: handling.create(request))
    elif kind == "Update":
        old = _properties(event["OldResourceProperties"], handling)
        outcome = _once_allowed(lambda: handling.update(request, old))
    else:
        outcome = handling.delete(request)
    logger.info("custom resource handled", done=outcome.done, physical_id=outcome.physical_id)
    return {
        "PhysicalResourceId": outcome.physical_id,
        "Data": dict(outcome.data),
        _OUTCOME: {"Done": outcome.done, "State": dict(outcome.state)},
    }


def _once_allowed(act: Callable[[], Outcome]) -> Outcome:
    """Acts again, for a minute, while a policy is missing: it may have been made a moment ago."""
    for pause in _PAUSES:
        try:
            return act()
        except ClientError as error:
            if not is_denied(error):
                raise
            logger.info("not allowed yet", operation=error.operation_name)
        time.sleep(pause)
    return act()


def _polled(event: dict[str, Any]) -> dict[str, Any]:
    told = event[_OUTCOME]
    if told["Done"]:
        return {"IsComplete": True}
    handling = _handler(event)
    try:
        outcome: Outcome = handling.poll(_request(event, handling), told["State"])
    except (BotoCoreError, ClientError) as error:
        # The framework takes an error for the end of it, and what is under way is not ended by a question unanswered.
        if not passes(error):
            raise
        logger.info("no answer yet", error=type(error).__name__)
        return {"IsComplete": False}
    return {"IsComplete": True, "Data": dict(outcome.data)} if outcome.done else {"IsComplete": False}


def _handler(event: dict[str, Any]) -> Handler[Any]:
    kind = event["ResourceProperties"].get(KIND)
    if kind not in KINDS:
        raise Failed(f"there is no custom resource of the kind {kind!r}; there are {', '.join(sorted(KINDS))}")
    made: Handler[Any] = import_module(f"{__package__}.{KINDS[kind]}").handler()
    return made


def _request(event: dict[str, Any], handling: Handler[Any]) -> Request[Any]:
    return Request(
        properties=_properties(event["ResourceProperties"], handling),
        physical_id=event.get("PhysicalResourceId"),
        request_id=event["RequestId"],
        stack_id=event["StackId"],
        logical_id=event["LogicalResourceId"],
    )


def _properties(given: dict[str, Any], handling: Handler[Any]) -> Any:
    try:
        return handling.Properties.model_validate(
            {name: value for name, value in given.items() if name not in _NOT_PROPERTIES}
        )
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}" for one in error.errors())
        raise Failed(f"properties of {given.get(KIND)} are wrong: {wrong}") from None
