"""Arguments and options that several commands have, said once."""

from __future__ import annotations

from typing import Annotated

import typer

from agentcore_cli import complete
from agentcore_cli.errors import misused

_HARNESS_HELP = "Name, id, construct path (Stack/Construct), stack output (StackName.OutputKey) or ARN of a harness."

HarnessArgument = Annotated[
    str, typer.Argument(metavar="HARNESS", help=_HARNESS_HELP, autocompletion=complete.harnesses)
]
AnyHarnessArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[HARNESS]", help=f"{_HARNESS_HELP} All of them when left out.", autocompletion=complete.harnesses
    ),
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        help="Endpoint of the harness; DEFAULT follows the newest version.", autocompletion=complete.endpoints
    ),
]
SessionOption = Annotated[
    str | None, typer.Option(help="Session to continue (33-100 letters, digits, - and _); otherwise a new one.")
]
ActorOption = Annotated[str | None, typer.Option(help="Actor id: whose memory the agent uses.")]
ModelOption = Annotated[
    str | None, typer.Option(help="Model for this call: a Bedrock model id, or a model configuration as JSON.")
]
LocalOption = Annotated[bool, typer.Option("--local", help="Use the local cloud.")]
AwsOption = Annotated[bool, typer.Option("--aws", help="Use AWS with the normal credentials.")]
RegionOption = Annotated[str | None, typer.Option(help="AWS Region, also on the local cloud.")]
AccountOption = Annotated[str | None, typer.Option(help="Account id on the local cloud (12 digits).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
EventsOption = Annotated[bool, typer.Option("--events", help="Print each event as a line of JSON, as it arrives.")]


def one_output(*, as_json: bool, as_events: bool) -> None:
    """Refuse two formats at once.

    Raises:
        CliError: both were asked for.
    """
    if as_json and as_events:
        raise misused("--json and --events exclude each other; give one of them.")
