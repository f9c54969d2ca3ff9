"""EventBridge Scheduler: the records of schedules, and who looks which of them are due."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Scope, Seam, internals

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_SCHEDULER = "ministack.services.scheduler"
_EVENTS = "ministack.services.eventbridge"

SEAMS: tuple[Seam, ...] = (
    Seam(_SCHEDULER, "_tick_schedules", "look which schedules are due", ()),
    Seam(_SCHEDULER, "_schedules", "read schedules"),
    Seam(_SCHEDULER, "_create_schedule", "refuse what is no schedule", ("name", "body")),
    Seam(_SCHEDULER, "_update_schedule", "refuse what is no schedule", ("name", "body")),
    Seam(_SCHEDULER, "_error", "refuse what is no schedule", ("status", "code", "message")),
    Seam(_EVENTS, "_parse_rate_seconds", "read rate expressions", ("expr",)),
    Seam(_EVENTS, "_parse_cron_fields", "read cron expressions", ("expr",)),
    Seam(_EVENTS, "_cron_next_fire", "read cron expressions", ("fields", "after_dt")),
)

Schedule = dict[str, Any]


def on_schedules(tick: Callable[[], None], problem: Callable[[Schedule], str | None]) -> None:
    """Have `tick()` called every ten seconds, and requests refused with what `problem(request)` says."""
    module = internals(_SCHEDULER)
    module._tick_schedules = tick
    for name in ("_create_schedule", "_update_schedule"):
        original = getattr(getattr(module, name), "__wrapped__", getattr(module, name))

        def checked(name: str, body: Schedule, *, _original: Any = original) -> Any:
            found = problem(body)
            return module._error(400, "ValidationException", found) if found else _original(name, body)

        checked.__wrapped__ = original  # type: ignore[attr-defined]
        setattr(module, name, checked)


def schedules() -> list[tuple[Scope, str, Schedule]]:
    """Every schedule of every account and Region, with its key `<group>/<name>`."""
    stored = internals(_SCHEDULER)._schedules._data
    return [((account, region), key, schedule) for (account, region, key), schedule in list(stored.items())]


def find_schedule(scope: Scope, key: str) -> Schedule | None:
    """A schedule by its key `<group>/<name>`."""
    found: Schedule | None = internals(_SCHEDULER)._schedules._data.get((*scope, key))
    return found


def forget_schedule(scope: Scope, key: str) -> None:
    """Delete a schedule."""
    internals(_SCHEDULER)._schedules._data.pop((*scope, key), None)


def rate_seconds(expression: str) -> int | None:
    """The interval of a `rate(…)` expression."""
    found: int | None = internals(_EVENTS)._parse_rate_seconds(expression)
    return found


def next_by_cron(expression: str, after: datetime) -> datetime | None:
    """When a `cron(…)` expression fires next, in the time zone of `after`.

    Raises:
        ValueError: It is no such expression.
    """
    module = internals(_EVENTS)
    fields = module._parse_cron_fields(expression)
    if fields is None:
        raise ValueError(expression)
    found: datetime | None = module._cron_next_fire(fields, after)
    return found
