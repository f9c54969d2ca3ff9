"""`agentcore-harness sessions`: the conversations of a harness.

The local cloud knows its sessions. AWS lists none of a runtime; it lists those that a memory has kept.
"""

from __future__ import annotations

import http.client
import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer

from agentcore_cli import aws, console, harnesses, process, tables
from agentcore_cli.errors import CliError
from agentcore_cli.options import (  # noqa: TC001 - Typer reads the annotations
    AccountOption,
    AnyHarnessArgument,
    AwsOption,
    JsonOption,
    LocalOption,
    RegionOption,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agentcore_cli.targets import Target

_SECONDS = 10.0


def sessions(
    *,
    harness: AnyHarnessArgument = None,
    actor: Annotated[str | None, typer.Option(help="Only the sessions of this actor.")] = None,
    local: LocalOption = False,
    aws_: AwsOption = False,
    region: RegionOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the sessions of a harness, newest first: id, actor, turns, tokens, last use.

    On AWS: the sessions that the harness's memory has kept, with their actor and beginning.
    """
    if harness is not None:
        harnesses.check(harness)
    target = harnesses.target_for(harness, local=local, use_aws=aws_, account=account, region=region)
    found = harnesses.find(harness, target) if harness is not None else None
    console.note(target.describe(), style="dim")
    rows = _local(target, found, actor) if target.kind == "local" else _kept(target, found, actor)
    if as_json:
        console.document({"target": target.to_json(), "sessions": rows})
    elif not rows:
        console.note("There is no session" + (f" of {found.name}." if found else "."))
    elif target.kind == "local":
        console.answer(tables.columns(_LOCAL_HEADER, [_local_row(row) for row in rows]))
    else:
        console.answer(tables.columns(_KEPT_HEADER, [_kept_row(row) for row in rows]))


# --- the local cloud ----------------------------------------------------------------------------------------------

_LOCAL_HEADER = ("SESSION", "HARNESS", "ACTOR", "TURNS", "TOKENS", "LAST USE", "STATE")


def _local(target: Target, harness: harnesses.Harness | None, actor: str | None) -> list[dict[str, Any]]:
    path = f"/_agentcore/sessions?{urlencode({'account': target.account, 'region': target.region})}"
    try:
        status, body = process.request(target.endpoint, "GET", path, timeout=_SECONDS)
        found: list[dict[str, Any]] = json.loads(body)["sessions"] if status == http.client.OK else []
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise CliError(
            f"The sessions of {target.describe()} cannot be read ({type(error).__name__}: {error}).",
            code="SessionsUnreadable",
        ) from error
    if status != http.client.OK:
        raise CliError(
            f"The sessions of {target.describe()} cannot be read (HTTP {status}); it may be of another version: "
            "restart it with `agentcore-harness local down` and `local up`.",
            code="SessionsUnreadable",
        )
    wanted = [
        row
        for row in found
        if (harness is None or row["harnessArn"] == harness.arn) and actor in (None, row["actorId"])
    ]
    return sorted(wanted, key=lambda row: str(row["lastUsedAt"]), reverse=True)


def _local_row(row: Mapping[str, Any]) -> Sequence[str]:
    usage = row["usage"]
    waits = f"waits for {row['waitsFor']['name']}" if row.get("waitsFor") else ""
    return (
        str(row["sessionId"]),
        harnesses.Harness(str(row["harnessArn"])).name,
        str(row["actorId"]),
        str(row["turns"]),
        f"{usage['inputTokens']:,} in + {usage['outputTokens']:,} out",
        tables.ago(datetime.fromisoformat(str(row["lastUsedAt"]))),
        "working" if row["working"] else waits or "idle",
    )


# --- AWS ----------------------------------------------------------------------------------------------------------

_KEPT_HEADER = ("SESSION", "HARNESS", "ACTOR", "BEGAN")


def _kept(target: Target, harness: harnesses.Harness | None, actor: str | None) -> list[dict[str, Any]]:
    """The sessions that memories have kept; of one harness, or of all that have a memory."""
    control, runtime = aws.client(target, "bedrock-agentcore-control"), aws.client(target, "bedrock-agentcore")
    asked = [harness] if harness else [harnesses.Harness(str(one["arn"])) for one in harnesses.summaries(target)]
    rows: list[dict[str, Any]] = []
    without: list[str] = []
    for one in asked:
        memory = _memory_arn(control, target, one)
        if memory is None:
            without.append(one.name)
            continue
        rows += [
            {"harnessArn": one.arn, "memoryArn": memory, **row} for row in _of_memory(runtime, target, memory, actor)
        ]
    if harness and without:
        raise CliError(
            f"The harness {harness.name} has no memory, and AWS lists no sessions but those a memory has kept; "
            "give it a memory, or look into its logs with `agentcore-harness logs`.",
            code="SessionsUnknown",
        )
    if without:
        console.note(f"Without a memory, so without a list of sessions: {', '.join(sorted(without))}.", style="dim")
    return sorted(rows, key=lambda row: row["createdAt"], reverse=True)


def _memory_arn(control: Any, target: Target, harness: harnesses.Harness) -> str | None:
    with aws.sentences(target):
        memory = control.get_harness(harnessId=harness.id)["harness"].get("memory", {})
    for kind in ("managedMemoryConfiguration", "agentCoreMemoryConfiguration"):
        if arn := memory.get(kind, {}).get("arn"):
            return str(arn)
    return None


def _of_memory(runtime: Any, target: Target, memory_arn: str, actor: str | None) -> Iterator[dict[str, Any]]:
    memory = memory_arn.rpartition("/")[2]
    named = (
        [{"actorId": actor}]
        if actor
        else aws.pages(target, runtime.list_actors, "actorSummaries", memoryId=memory, maxResults=harnesses.PAGE)
    )
    for one in named:
        yield from aws.pages(
            target,
            runtime.list_sessions,
            "sessionSummaries",
            memoryId=memory,
            actorId=one["actorId"],
            maxResults=harnesses.PAGE,
        )


def _kept_row(row: Mapping[str, Any]) -> Sequence[str]:
    began = row["createdAt"]
    harness = harnesses.Harness(str(row["harnessArn"])).name
    return (str(row["sessionId"]), harness, str(row["actorId"]), f"{began:%Y-%m-%d %H:%M:%SZ}")
