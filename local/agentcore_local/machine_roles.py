"""Step Functions acts with the role of the state machine: each task is checked before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import iam, seams
from .harness import authorization
from .stepfunctions.lives import ACTING, Acting

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVICE = "states.amazonaws.com"
_OPTIMIZED = "arn:aws:states:::"
_LAMBDA_ERROR = "Lambda.AWSLambdaException"
_SDK_ERRORS = "AccessDeniedException"
# Members of requests that name a resource, and the ARN that belongs to it.
_NAMES = {
    "TableName": "dynamodb:{region}:{account}:table/{value}",
    "FunctionName": "lambda:{region}:{account}:function:{value}",
    "Bucket": "s3:::{value}",
}
# Operations that ask for an action of another name, on what.
_ACTIONS = {
    "s3:ListObjectsV2": ("s3:ListBucket", "bucket"),
    "s3:ListObjects": ("s3:ListBucket", "bucket"),
    "s3:HeadBucket": ("s3:ListBucket", "bucket"),
    "s3:HeadObject": ("s3:GetObject", "object"),
    "lambda:Invoke": ("lambda:InvokeFunction", "function"),
}
# SDK calls that take what the optimized integration takes.
_SAME_AS_OPTIMIZED = {"sqs:sendMessage", "sns:publish", "events:putEvents", "states:startExecution"}
_PREFIXES = {"sfn": "states", "cloudwatchlogs": "logs", "eventbridge": "events", "bedrockruntime": "bedrock"}


def check(resource: str, arguments: Any) -> None:
    """Fail a task that the role of its state machine does not allow; nothing outside of an execution.

    Args:
        resource: The state's `Resource`.
        arguments: What it passes.

    Raises:
        Exception: Step Functions' own, with the error name that Retry and Catch match.
    """
    acting = ACTING.get()
    if acting is None or not iam.Switch.enabled:
        return
    plain = resource.replace(".sync:2", "").replace(".sync", "").replace(".waitForTaskToken", "")
    asked = list(asks(plain, arguments if isinstance(arguments, dict) else {}, _place()))
    if plain != resource and plain.endswith(":states:startExecution"):
        asked += _waiting(str((arguments or {}).get("StateMachineArn", "")), _place())
    for action, alternatives in asked:
        refusals = [_denial(acting, action, one) for one in alternatives]
        if refusals and None not in refusals:
            raise seams.task_error(_error(plain), str(refusals[0]))


def denial(action: str, resource: str) -> str | None:
    """Why the role of the state machine that acts now may not do something; None when it may."""
    acting = ACTING.get()
    return None if acting is None else _denial(acting, action, resource)


def distrust(role_arn: str, machine_arn: str) -> str | None:
    """Why Step Functions cannot assume a role for a state machine, as a clause; None when it can."""
    place, clause = _place(), None
    for service in (_SERVICE, _SERVICE.replace(".", f".{place.region}.", 1)):
        clause = iam.role_trusts(role_arn, service, account=place.account, region=place.region, source_arn=machine_arn)
        if clause is None:
            return None
    return clause


def _denial(acting: Acting, action: str, resource: str) -> str | None:
    clause = distrust(acting.role_arn, acting.machine_arn)
    if clause is not None:
        return f"The role {acting.role_arn} cannot be assumed: {clause}"
    return iam.denial(acting.role_arn, action, resource, place=_place(), session="StepFunctions")


def _place() -> iam.Place:
    return iam.Place(*seams.current_scope())


def _error(resource: str) -> str:
    """The name a refusal has: an integration's own where it is known, else the one of the States Language."""
    if "lambda" in resource.partition("aws-sdk:")[0]:
        return _LAMBDA_ERROR
    if "bedrockagentcore:invokeHarness" in resource:
        return "BedrockAgentCore.AccessDeniedException"
    if "aws-sdk:" in resource:
        service = resource.partition("aws-sdk:")[2].partition(":")[0]
        return f"{service[:1].upper()}{service[1:]}.{_SDK_ERRORS}"
    return "States.Permissions"


def asks(resource: str, arguments: dict[str, Any], place: iam.Place) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a call takes: actions, each with the resources of which one must allow it."""
    if ":function:" in resource:
        yield "lambda:InvokeFunction", (_unqualified(resource), resource)
        return
    service, _, operation = resource.removeprefix(_OPTIMIZED).partition(":")
    if service == "lambda":
        arn = _function(str(arguments.get("FunctionName", "")), place)
        yield "lambda:InvokeFunction", (arn, _unqualified(arn))
    elif service == "bedrockagentcore":
        for need in authorization.invocation(str(arguments.get("HarnessArn", "")), arguments.get("Qualifier")):
            yield need.action, need.resources
    elif service == "aws-sdk":
        yield from _sdk(operation, arguments, place)
    else:
        yield from _other(service, operation, arguments, place)


def _other(
    service: str, operation: str, arguments: dict[str, Any], place: iam.Place
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The optimized integrations that ministack has."""
    if service == "sqs":
        yield "sqs:SendMessage", (_queue(str(arguments.get("QueueUrl", "")), place),)
    elif service == "sns":
        yield "sns:Publish", (str(arguments.get("TopicArn") or arguments.get("TargetArn") or "*"),)
    elif service == "events":
        for entry in arguments.get("Entries") or ():
            yield "events:PutEvents", (_bus(str(entry.get("EventBusName") or "default"), place),)
    elif service == "dynamodb":
        table = str(arguments.get("TableName", ""))
        arn = table if table.startswith("arn:") else f"arn:aws:dynamodb:{place.region}:{place.account}:table/{table}"
        yield f"dynamodb:{operation[:1].upper()}{operation[1:]}", (arn,)
    elif service == "states":
        yield "states:StartExecution", (str(arguments.get("StateMachineArn", "")),)
    elif service == "ecs":
        yield "ecs:RunTask", (str(arguments.get("TaskDefinition", "*")), "*")


def _waiting(machine_arn: str, place: iam.Place) -> list[tuple[str, tuple[str, ...]]]:
    """What it takes to wait for an execution: to look at it, and to be told by a rule (connect-stepfunctions)."""
    execution = machine_arn.replace(":stateMachine:", ":execution:") + ":any"
    rule = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
    return [
        ("states:DescribeExecution", (execution,)),
        ("events:PutRule", (f"arn:aws:events:{place.region}:{place.account}:rule/{rule}",)),
    ]


def _sdk(operation: str, arguments: dict[str, Any], place: iam.Place) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The call of any service; checked where the arguments say what it acts on."""
    service, _, name = operation.partition(":")
    prefix = _PREFIXES.get(service, service)
    known = list(_other(prefix, name, arguments, place)) if f"{prefix}:{name}" in _SAME_AS_OPTIMIZED else []
    if known:
        yield from known
        return
    named = [
        "arn:aws:" + _NAMES[member].format(region=place.region, account=place.account, value=value)
        for member, value in arguments.items()
        if member in _NAMES and isinstance(value, str) and not value.startswith("arn:")
    ]
    action = f"{prefix}:{name[:1].upper()}{name[1:]}"
    action, on = _ACTIONS.get(action, (action, ""))
    if prefix == "s3" and named and on != "bucket" and "Key" in arguments:
        named = [f"{bucket}/{arguments['Key']}" for bucket in named]
    named += [value for value in arguments.values() if isinstance(value, str) and value.startswith("arn:")]
    if named:
        yield action, tuple(named)


def _function(name: str, place: iam.Place) -> str:
    if name.startswith("arn:"):
        return name
    plain = name.rpartition(":function:")[2]
    return f"arn:aws:lambda:{place.region}:{place.account}:function:{plain}"


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


def _queue(url: str, place: iam.Place) -> str:
    parts = url.rstrip("/").split("/")
    account = parts[-2] if len(parts) > 1 and parts[-2].isdigit() else place.account
    return f"arn:aws:sqs:{place.region}:{account}:{parts[-1]}"


def _bus(name: str, place: iam.Place) -> str:
    return name if name.startswith("arn:") else f"arn:aws:events:{place.region}:{place.account}:event-bus/{name}"
