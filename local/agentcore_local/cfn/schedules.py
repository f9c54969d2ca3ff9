"""`AWS::Scheduler::Schedule`: with the time zone and the dates that ministack's handler leaves out."""

from __future__ import annotations

from typing import Any

from agentcore_local import schedules, seams
from agentcore_local.seams import scheduler as seam

SCHEDULE = "AWS::Scheduler::Schedule"
_LEFT_OUT = ("ScheduleExpressionTimezone", "StartDate", "EndDate", "KmsKeyArn")


def completed(handler: dict[str, Any]) -> dict[str, Any]:
    """Ministack's handler, completed; it has to be one whose update takes a logical id."""
    create, update = handler["create"], handler["update"]

    def checked_create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _check(props)
        made = create(logical_id, props, stack_name)
        _complete(str(made[0]), props)
        return made

    def checked_update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, logical_id: str | None = None
    ) -> Any:
        _check(new)
        changed = update(physical_id, old, new, stack_name, logical_id)
        _complete(str(changed[0]), new)
        return changed

    return {**handler, "create": checked_create, "update": checked_update}


def _check(props: dict[str, Any]) -> None:
    problem = schedules.problem(props)
    if problem:
        raise ValueError(f'Resource handler returned message: "{problem}" (HandlerErrorCode: InvalidRequest)')


def _complete(name: str, props: dict[str, Any]) -> None:
    record = seam.find_schedule(seams.current_scope(), f"{props.get('GroupName', 'default')}/{name}")
    if record is not None:
        record.update({member: props.get(member) for member in _LEFT_OUT})
