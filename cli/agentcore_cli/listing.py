"""`agentcore-harness list` and `describe`: which harnesses there are, and what one of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentcore_cli import aws, console, harnesses, overview, tables
from agentcore_cli.errors import CliError
from agentcore_cli.options import (  # noqa: TC001 - Typer reads the annotations
    AccountOption,
    AwsOption,
    HarnessArgument,
    JsonOption,
    LocalOption,
    RegionOption,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_cli.targets import Target

_AT_ONCE: Final = 8
"""Harnesses asked about at the same time; the service allows an account 25 List calls a second."""
_SKIPPED: Final = frozenset({"AccessDeniedException", "ResourceNotFoundException"})
"""A caller may list harnesses and not read them; a harness may be deleted in between."""


def list_harnesses(
    *,
    local: LocalOption = False,
    aws_: AwsOption = False,
    region: RegionOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the harnesses of an account and Region: status, version, model and endpoints."""
    target = harnesses.target_for(None, local=local, use_aws=aws_, account=account, region=region)
    console.note(target.describe(), style="dim")
    control = aws.client(target, "bedrock-agentcore-control")
    found = sorted(harnesses.summaries(target), key=lambda summary: str(summary["harnessName"]))
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only this command needs it

    with ThreadPoolExecutor(_AT_ONCE) as workers:
        details = list(workers.map(lambda summary: _details(control, target, str(summary["harnessId"])), found))
    shown = [{**summary, **detail} for summary, (detail, _) in zip(found, details, strict=True)]
    for problem in dict.fromkeys(problem for _, problem in details if problem):
        console.note(f"Not everything is shown: {problem}", style="yellow")
    if as_json:
        console.document({"target": target.to_json(), "harnesses": shown})
    elif shown:
        console.answer(tables.columns(overview.HEADER, [overview.row(harness) for harness in shown]))
    else:
        console.note("There is no harness; deploy one with `agentcore-harness deploy`, or check account and Region.")


def describe(
    *,
    harness: HarnessArgument,
    local: LocalOption = False,
    aws_: AwsOption = False,
    region: RegionOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one harness: configuration, endpoints, versions, log groups.

    With --json the configuration is GetHarness's own, values of environment variables included.
    """
    harnesses.check(harness)
    target = harnesses.target_for(harness, local=local, use_aws=aws_, account=account, region=region)
    found = harnesses.find(harness, target)
    console.note(target.describe(), style="dim")
    control = aws.client(target, "bedrock-agentcore-control")
    with aws.sentences(target):
        shape = control.get_harness(harnessId=found.id)["harness"]
    endpoints = _endpoints(control, target, found.id)
    versions = list(
        aws.pages(
            target,
            control.list_harness_versions,
            "harnessVersions",
            harnessId=found.id,
            maxResults=harnesses.PAGE,
        )
    )
    if as_json:
        document = {"harness": shape, "endpoints": endpoints, "versions": versions}
        console.document({"target": target.to_json(), **document})
    else:
        console.answer(tables.fields(overview.described(shape, endpoints, versions)))


def _details(control: Any, target: Target, harness_id: str) -> tuple[dict[str, Any], str]:
    """Model and endpoints of a harness, as far as the caller may read them; and what is missing, in words."""
    found: dict[str, Any] = {}
    problem = ""
    questions: dict[str, Callable[[], Any]] = {
        "model": lambda: _model(control, target, harness_id),
        "endpoints": lambda: _endpoints(control, target, harness_id),
    }
    for member, ask in questions.items():
        try:
            found[member] = ask()
        except CliError as error:
            if error.code not in _SKIPPED:
                raise
            problem = problem or error.message
    return found, problem


def _model(control: Any, target: Target, harness_id: str) -> Any:
    with aws.sentences(target):
        return control.get_harness(harnessId=harness_id)["harness"].get("model")


def _endpoints(control: Any, target: Target, harness_id: str) -> list[dict[str, Any]]:
    return list(
        aws.pages(
            target,
            control.list_harness_endpoints,
            "endpoints",
            harnessId=harness_id,
            maxResults=harnesses.PAGE,
        )
    )
