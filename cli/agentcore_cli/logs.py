"""`agentcore-harness logs`: what a harness has logged, and what it logs now."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from agentcore_cli import aws, console, harnesses, loggroups
from agentcore_cli.errors import CliError
from agentcore_cli.options import (  # noqa: TC001 - Typer reads the annotations
    AccountOption,
    AwsOption,
    EndpointOption,
    HarnessArgument,
    LocalOption,
    RegionOption,
)
from agentcore_cli.request import check_endpoint, check_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentcore_cli.targets import Target

_POLL_SECONDS: Final = {"local": 0.5, "aws": 2.0}
"""FilterLogEvents allows an account a few calls a second on AWS."""


def logs(
    *,
    harness: HarnessArgument,
    endpoint: EndpointOption = None,
    session: Annotated[str | None, typer.Option(help="Only what names this session.")] = None,
    since: Annotated[str, typer.Option(help="How far back: 30s, 10m, 2h, 1d, 1w, or a time in ISO 8601.")] = "1h",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    local: LocalOption = False,
    aws_: AwsOption = False,
    region: RegionOption = None,
    account: AccountOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each log event as a line of JSON.")] = False,
) -> None:
    """Show the logs of a harness's endpoint, from CloudWatch Logs."""
    harnesses.check(harness)
    if endpoint is not None:
        check_endpoint(endpoint)
    if session is not None:
        check_session(session)
    start = loggroups.since(since, datetime.now(UTC))
    target = harnesses.target_for(harness, local=local, use_aws=aws_, account=account, region=region)
    found = harnesses.find(harness, target)
    group = _group(found, found.qualifier(endpoint) or "DEFAULT", target)
    console.note(f"{target.describe()} · {group}", style="dim")
    reader = _Reader(target, group, start, session)
    show = console.line if as_json else _show
    if not follow:
        nothing = True
        for event in reader.read():
            nothing = False
            show(event)
        if nothing and not as_json:
            console.note(f"Nothing was logged since {loggroups.stamp(start)}; --since goes back further.")
        return
    with contextlib.suppress(KeyboardInterrupt):  # the regular end
        for event in reader.follow(_POLL_SECONDS[target.kind]):
            show(event)


def _show(event: dict[str, Any]) -> None:
    console.answer(f"{loggroups.line(event)}\n")


def _group(harness: harnesses.Harness, endpoint: str, target: Target) -> str:
    control = aws.client(target, "bedrock-agentcore-control")
    with aws.sentences(target):
        shape = control.get_harness(harnessId=harness.id)["harness"]
    runtime = shape.get("environment", {}).get("agentCoreRuntimeEnvironment", {}).get("agentRuntimeId")
    if not runtime:
        raise CliError(
            f"The harness {harness.name} has no runtime yet (its status is {shape['status']}), so it logs nowhere; "
            "wait until it is READY.",
            code="LogGroupUnknown",
        )
    return loggroups.group_name(str(runtime), endpoint)


class _Reader:
    """Reads a log group from a moment on, each event once.

    Args:
        target: The cloud.
        group: Name of the log group.
        start: The first moment, in milliseconds of the epoch.
        session: A word that must stand in the event; None for all.
    """

    def __init__(self, target: Target, group: str, start: int, session: str | None) -> None:
        self._target = target
        self._group = group
        self._window = loggroups.Window(start)
        self._filter = {"filterPattern": f'"{session}"'} if session else {}
        self._client = aws.client(target, "logs")

    def read(self) -> Iterator[dict[str, Any]]:
        """What is there.

        Raises:
            CliError: there is no such log group, or the service refused.
        """
        yield from filter(self._window.is_new, self._events())

    def follow(self, pause: float) -> Iterator[dict[str, Any]]:
        """What is there and what comes; a group that does not exist yet is waited for."""
        told = False
        while True:
            try:
                yield from self.read()
            except CliError as error:
                if error.code != _NO_GROUP:
                    raise
                if not told:
                    console.note("Nothing has been logged yet; waiting.", style="dim")
                told = True
            time.sleep(pause)

    def _events(self) -> Iterator[dict[str, Any]]:
        """Everything from the window's beginning on; what is asked for twice comes twice."""
        start = self._window.start
        while True:
            count, last = 0, start
            for event in self._from(start):
                count, last = count + 1, int(event["timestamp"])
                yield event
            # A service that gives no token after a full answer has more to say.
            if count < loggroups.MOST_AT_ONCE or last == start:
                return
            start = last

    def _from(self, start: int) -> Iterator[dict[str, Any]]:
        request = {"logGroupName": self._group, "startTime": start, **self._filter}
        try:
            yield from aws.pages(self._target, self._client.filter_log_events, "events", **request)
        except CliError as error:
            if error.code != "ResourceNotFoundException":
                raise
            raise CliError(
                f"There is no log group {self._group} on {self._target.describe()}: the service makes it when the "
                "endpoint first works; check --endpoint, or wait for it with --follow.",
                code=_NO_GROUP,
            ) from error


_NO_GROUP: Final = "LogGroupNotFound"
