"""EventBridge Scheduler: which schedules are due, and what they call, with the role of their target.

A test does not wait: `fire(account, name)` calls the target now. Sources: EventBridge Scheduler user guide,
schedule-types, managing-targets-universal, managing-schedule-context-attributes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
import uuid
import zoneinfo
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import iam, machine_roles, seams
from .process import PROCESS
from .seams import scheduler as seam
from .seams import states_language as language
from .stepfunctions import sdk

if TYPE_CHECKING:
    from .clients import Account

logger = logging.getLogger(__name__)

Schedule = dict[str, Any]
Call = tuple[str, dict[str, Any]]

SERVICE = "scheduler.amazonaws.com"
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
_TARGETS = (
    "a state machine, a function, a queue, a topic, an event bus, or arn:aws:scheduler:::aws-sdk:<service>:<action>"
)

_FIRED: dict[tuple[seams.Scope, str], float] = {}
"""When each schedule fired last."""


class ScheduleError(Exception):
    """A schedule cannot call its target; the message says why."""


def fire(account: Account, name: str, *, group: str = "default") -> Any:
    """Call the target of a schedule now, as if its time had come; the schedule goes on as before.

    Args:
        account: The account it is in.
        name: Name of the schedule.
        group: Its schedule group.

    Returns:
        What the call returns, such as `{"ExecutionArn": …, "StartDate": …}` of a state machine.

    Raises:
        ScheduleError: There is no such schedule, or its target could not be called.
    """
    scope = (account.account_id, account.region)
    schedule = seam.find_schedule(scope, f"{group}/{name}")
    if schedule is None:
        raise ScheduleError(f"there is no schedule {name!r} in group {group!r} of account {scope[0]} in {scope[1]}")
    return _called(scope, schedule, time.time())


def tick() -> None:
    """Fire every schedule that is due; a target that cannot be called is logged, and told to its dead-letter queue."""
    now = time.time()
    for scope, key, schedule in seam.schedules():
        if schedule.get("State") != "ENABLED":
            continue
        last = _FIRED.get((scope, key), 0.0)
        if _at(schedule) is None:  # counted from when it was made or changed
            last = max(last, float(schedule["LastModificationDate"]))
        if over(schedule, last, now):
            if schedule.get("ActionAfterCompletion") == "DELETE":
                seam.forget_schedule(scope, key)
            continue
        if (planned := due(schedule, last, now)) is None:
            continue
        _FIRED[scope, key] = now
        try:
            _called(scope, schedule, planned)
        except ScheduleError as failure:
            logger.warning("schedule=<%s> | %s", schedule["Arn"], failure)
            _to_dead_letters(scope, schedule, str(failure))


def forget() -> None:
    """Forget when schedules fired."""
    _FIRED.clear()


def over(schedule: Schedule, last: float, now: float) -> bool:
    """Whether a schedule will not fire any more: after its end, or after its one time."""
    at = _at(schedule)
    if at is not None:
        return last >= at
    end = _seconds(schedule.get("EndDate"))
    return end is not None and now > end


def due(schedule: Schedule, last: float, now: float) -> float | None:
    """The time a schedule is due for, if it has come.

    Args:
        schedule: The schedule.
        last: When it fired last, or was made or changed after that; in seconds since the epoch, as all times are.
        now: The time.
    """
    start = _seconds(schedule.get("StartDate"))
    planned: float | None
    expression = schedule["ScheduleExpression"]
    if (at := _at(schedule)) is not None:
        planned = at
    elif (interval := seam.rate_seconds(expression)) is not None:
        planned = max(last, start or 0.0) + interval
    else:
        found = seam.next_by_cron(expression, datetime.fromtimestamp(max(last, start or 0.0), _zone(schedule)))
        planned = None if found is None else found.timestamp()
    return planned if planned is not None and planned <= now else None


def problem(request: Schedule) -> str | None:
    """What is wrong with the times of a schedule; None when nothing is."""
    expression = str(request.get("ScheduleExpression") or "")
    try:
        _zone(request)
    except (KeyError, ValueError):
        return f"Invalid Schedule Expression Timezone {request.get('ScheduleExpressionTimezone')}."
    if not expression or _AT.fullmatch(expression) or seam.rate_seconds(expression) is not None:
        return None  # ministack says when there is none
    try:
        seam.next_by_cron(expression, datetime.now(UTC))
    except ValueError:
        return f"Invalid Schedule Expression {expression}."
    return None


# --- calling ------------------------------------------------------------------------------------------------------


def _called(scope: seams.Scope, schedule: Schedule, planned: float) -> Any:
    target = schedule.get("Target") or {}
    resource, arguments = _call(scope, target, _input(schedule, planned))
    with seams.acting_for(scope):
        refusal = _refusal(str(target.get("RoleArn", "")), schedule["Arn"], resource, arguments)
        if refusal is not None:
            raise ScheduleError(refusal)
        try:
            return sdk.call(resource, arguments)
        except language.task_error_type() as failure:
            raise ScheduleError(f"{target.get('Arn')} could not be called: {failure}") from failure


def _call(scope: seams.Scope, target: Schedule, text: str) -> Call:
    """The SDK call that a target amounts to."""
    arn = str(target.get("Arn", ""))
    if arn.startswith(_UNIVERSAL):
        return sdk.PREFIX + arn.removeprefix(_UNIVERSAL), json.loads(text or "{}")
    service, name = (arn.split(":", 5) + [""] * 6)[2], arn.rpartition(":")[2]
    calls: dict[str, Call] = {
        "states": ("sfn:startExecution", {"StateMachineArn": arn, "Input": text or "{}"}),
        "lambda": ("lambda:invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": text or "{}"}),
        "sqs": (
            "sqs:sendMessage",
            {
                "QueueUrl": f"{PROCESS.endpoint_url}/{scope[0]}/{name}",
                "MessageBody": text,
                **(target.get("SqsParameters") or {}),
            },
        ),
        "sns": ("sns:publish", {"TopicArn": arn, "Message": text}),
        "events": (
            "eventbridge:putEvents",
            {"Entries": [{"EventBusName": arn, "Detail": text or "{}", **(target.get("EventBridgeParameters") or {})}]},
        ),
    }
    if service not in calls:
        raise ScheduleError(f"the target {arn} is not emulated by the local cloud; use {_TARGETS}")
    operation, arguments = calls[service]
    return sdk.PREFIX + operation, arguments


def _refusal(role_arn: str, schedule_arn: str, resource: str, arguments: dict[str, Any]) -> str | None:
    """Why the role of a target may not be used, or may not make the call."""
    place = iam.Place(*seams.current_scope())
    clause = iam.role_trusts(
        role_arn, SERVICE, account=place.account, region=place.region, source_arn=_group(schedule_arn)
    )
    if clause is not None:
        return f"the role {role_arn} cannot be assumed: {clause}"
    for action, alternatives in machine_roles.asks(resource, arguments, place):
        refusals = [iam.denial(role_arn, action, one, place=place, session="Scheduler") for one in alternatives]
        if refusals and None not in refusals:
            return refusals[0]
    return None


def _group(schedule_arn: str) -> str:
    """What Scheduler presents as `aws:SourceArn`: the schedule group (user guide, cross-service-confused-deputy)."""
    prefix, _, path = schedule_arn.partition(":schedule/")
    return f"{prefix}:schedule-group/{path.partition('/')[0]}"


def _input(schedule: Schedule, planned: float) -> str:
    """The target's input, with the context attributes it names."""
    text = str((schedule.get("Target") or {}).get("Input") or "")
    attributes = {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": datetime.fromtimestamp(planned, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _to_dead_letters(scope: seams.Scope, schedule: Schedule, why: str) -> None:
    target = schedule.get("Target") or {}
    arn = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
    if not arn:
        return
    attributes = {"TARGET_ARN": target.get("Arn", ""), "ERROR_MESSAGE": why, "ERROR_CODE": "TARGET_ERROR"}
    arguments = {
        "QueueUrl": f"{PROCESS.endpoint_url}/{scope[0]}/{arn.rpartition(':')[2]}",
        "MessageBody": str(target.get("Input") or "{}"),
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }
    with seams.acting_for(scope), contextlib.suppress(language.task_error_type()):
        sdk.call(f"{sdk.PREFIX}sqs:sendMessage", arguments)


# --- times --------------------------------------------------------------------------------------------------------


def _zone(schedule: Schedule) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(str(schedule.get("ScheduleExpressionTimezone") or "UTC"))


def _at(schedule: Schedule) -> float | None:
    match = _AT.fullmatch(str(schedule["ScheduleExpression"]))
    return datetime.fromisoformat(match[1]).replace(tzinfo=_zone(schedule)).timestamp() if match else None


def _seconds(value: Any) -> float | None:
    if value is None or isinstance(value, int | float):
        return value
    return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
