"""Log groups and log events of a harness. Pure: names, times, which events are new, how one looks in a line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from agentcore_cli.errors import misused

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_AT_ONCE: Final = 10_000
"""Events in one answer of FilterLogEvents."""
LATE_SECONDS: Final = 10
"""CloudWatch Logs may show an event this much later than one that is younger."""
_AGE = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_KNOWN: Final = ("event", "level", "timestamp", "harness", "endpoint", "sessionId")


def group_name(runtime_id: str, endpoint: str) -> str:
    """The log group of one endpoint; the service makes it (AgentCore developer guide, observability).

    Args:
        runtime_id: Id of the runtime that serves the harness, `harness_<name>-<10 characters>`.
        endpoint: Name of the endpoint.
    """
    return f"/aws/bedrock-agentcore/runtimes/{runtime_id}-{endpoint}"


def since(text: str, now: datetime) -> int:
    """A moment in milliseconds of the epoch: an age such as `10m`, or a time in ISO 8601 (local time without a zone).

    Raises:
        CliError: it is neither.
    """
    if age := _AGE.fullmatch(text):
        seconds = int(age["number"]) * _SECONDS[age["unit"]]
        return max(0, int((now.timestamp() - seconds) * 1000))
    try:
        return max(0, int(datetime.fromisoformat(text).timestamp() * 1000))
    except (ValueError, OverflowError) as error:
        raise misused(
            "--since must be an age (30s, 10m, 2h, 1d, 1w) or a time in ISO 8601 (2026-11-21T08:00); "
            f"received {text!r}."
        ) from error


def stamp(milliseconds: int) -> str:
    """A moment of a log event, in local time, to the millisecond."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}"


def line(event: Mapping[str, Any]) -> str:
    """A log event for people: its time and message; a record of the local cloud's own with its session and members."""
    message = str(event.get("message", "")).rstrip("\n")
    return f"{stamp(int(event['timestamp']))}  {_record(message) or message}"


def _record(message: str) -> str:
    if not message.startswith("{"):
        return ""
    try:
        record = json.loads(message)
    except ValueError:
        return ""
    if not isinstance(record, dict) or "event" not in record or "sessionId" not in record:
        return ""
    level = "" if record.get("level") == "INFO" else f"{record.get('level')} "
    members = " ".join(f"{name}={_value(value)}" for name, value in record.items() if name not in _KNOWN)
    return f"{str(record['sessionId'])[:8]}  {level}{record['event']} {members}".rstrip()


def _value(value: Any) -> str:
    plain = isinstance(value, str) and value and not re.search(r"[\s\"=]", value)
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


class Window:
    """Which events of a log group have been seen, while it is read again and again.

    Attributes:
        start: Where the next reading has to begin, in milliseconds: a little before the newest event seen.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        self._seen: dict[str, int] = {}
        self._newest = start

    def is_new(self, event: Mapping[str, Any]) -> bool:
        """Whether an event has not been seen; from then on it has."""
        identifier, moment = str(event["eventId"]), int(event["timestamp"])
        if identifier in self._seen:
            return False
        self._seen[identifier] = moment
        if moment > self._newest:
            self._newest = moment
            self._advance()
        return True

    def _advance(self) -> None:
        start = self._newest - LATE_SECONDS * 1000
        if start - self.start < LATE_SECONDS * 1000:
            return  # forgetting costs a walk over all that is remembered
        self.start = start
        self._seen = {identifier: moment for identifier, moment in self._seen.items() if moment >= start}
