"""From what a user types for HARNESS to an ARN and an endpoint."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agentcore_cli import aws, state, targets
from agentcore_cli.errors import CliError, misused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentcore_cli.targets import Target

ENDPOINT_NAME: Final = r"[a-zA-Z][a-zA-Z0-9_]{0,47}"
"""The name of an endpoint (botocore 1.44.5, InvokeHarness.qualifier)."""
ARN: Final = re.compile(
    r"arn:(?P<partition>[^:]+):bedrock-agentcore:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})"
    r":harness/(?P<id>[a-zA-Z][a-zA-Z0-9_]{0,39}-[a-zA-Z0-9]{10})"
    rf"(?:/harness-endpoint/(?P<endpoint>{ENDPOINT_NAME}))?"
)
"""A harness or one of its endpoints (botocore 1.44.5, InvokeHarness.harnessArn)."""
_OUTPUT = re.compile(r"(?P<stack>[A-Za-z][A-Za-z0-9-]{0,127})\.(?P<key>[A-Za-z0-9]{1,255})")
_PATH = re.compile(r"[^/\s]+(?:/[^/\s]+)+")
_TYPE: Final = "AWS::BedrockAgentCore::Harness"
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,39}(-[a-zA-Z0-9]{10})?")
_SHOWN_NAMES: Final = 10
PAGE: Final = 100
"""Most items that a page of the control plane may have."""


@dataclass(frozen=True)
class Harness:
    """A harness to invoke.

    Attributes:
        arn: The harness's ARN.
        endpoint: Endpoint name when what was typed named one, else None (the service then uses DEFAULT).
    """

    arn: str
    endpoint: str | None = None

    @property
    def account(self) -> str:
        """Account id of the ARN."""
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        """Region of the ARN."""
        return self.arn.split(":")[3]

    @property
    def id(self) -> str:
        """Harness id: the name and a suffix."""
        return self.arn.rpartition("/")[2]

    @property
    def name(self) -> str:
        """Harness name, as the id has it."""
        return self.id.rpartition("-")[0]

    def qualifier(self, endpoint: str | None) -> str | None:
        """The endpoint that was named, by `--endpoint` or by HARNESS itself.

        Raises:
            CliError: both, and not the same one.
        """
        if endpoint and self.endpoint and endpoint != self.endpoint:
            raise misused(
                f"--endpoint {endpoint} contradicts the endpoint {self.endpoint} that HARNESS names; give one of them."
            )
        return endpoint or self.endpoint


def from_arn(text: str) -> Harness | None:
    """The harness that an ARN names, or None when the text is no such ARN."""
    found = ARN.fullmatch(text)
    return Harness(text.partition("/harness-endpoint/")[0], found["endpoint"]) if found else None


def check(reference: str) -> None:
    """Refuse what can be no harness before anything is asked of a cloud.

    Raises:
        CliError: it is neither an ARN, nor `Stack/Construct`, nor `Stack.Output`, nor a name or id.
    """
    if not (from_arn(reference) or _is_path(reference) or _OUTPUT.fullmatch(reference) or _NAME.fullmatch(reference)):
        raise misused(
            "HARNESS must be a harness name (letters, digits, underscores, at most 40), a harness id, a construct's "
            "path as Stack/Construct, a stack output as StackName.OutputKey, or the ARN of a harness or of one of its "
            f"endpoints; received {reference!r}.",
            code="InvalidHarness",
        )


def _is_path(reference: str) -> bool:
    return not reference.startswith("arn:") and _PATH.fullmatch(reference) is not None


def target_for(
    reference: str | None,
    *,
    local: bool = False,
    use_aws: bool = False,
    account: str | None = None,
    region: str | None = None,
) -> Target:
    """The cloud that a command about this harness may talk to; an ARN brings its own account and Region.

    Raises:
        CliError: see `targets.choose`; or an option contradicts the ARN.
    """
    harness = from_arn(reference) if reference else None
    if harness:
        if region and region != harness.region:
            raise misused(f"--region {region} contradicts the Region {harness.region} of the ARN; leave it out.")
        if account and account != harness.account:
            raise misused(f"--account {account} contradicts the account {harness.account} of the ARN; leave it out.")
        region = harness.region
    target = targets.choose(state.home(), os.environ, local=local, aws=use_aws, account=account, region=region)
    if harness and target.kind == "local":
        # On the local cloud every account is at hand: the ARN says which one.
        return targets.Target("local", target.endpoint, harness.account, harness.region)
    return target


def find(reference: str, target: Target) -> Harness:
    """Resolve a harness name, id, construct path, stack output or ARN.

    Raises:
        CliError: there is none, with the names there are; or the target refused the question.
    """
    check(reference)
    if harness := from_arn(reference):
        return harness
    if output := _OUTPUT.fullmatch(reference):
        return find(_output(target, output["stack"], output["key"]), target)
    return _by_path(reference, target) if _is_path(reference) else _by_name(reference, target)


def summaries(target: Target) -> Iterator[dict[str, Any]]:
    """What ListHarnesses says about every harness of the account and Region, page by page."""
    control = aws.client(target, "bedrock-agentcore-control")
    yield from aws.pages(target, control.list_harnesses, "harnesses", maxResults=PAGE)


def _by_name(name: str, target: Target) -> Harness:
    names: list[str] = []
    for summary in summaries(target):
        if name in (summary["harnessName"], summary["harnessId"]):
            return Harness(summary["arn"])
        names.append(summary["harnessName"])
    raise CliError(
        f"No harness is named {name!r} on {target.describe()}; {_alternatives(name, names)}", code="HarnessNotFound"
    )


def _by_path(path: str, target: Target) -> Harness:
    """The harness at a construct's path, which the CDK writes into templates; its first parts name the stack."""
    parts = path.split("/")
    cloudformation = aws.client(target, "cloudformation")
    for stack in ("-".join(parts[:count]) for count in range(1, len(parts))):
        if (template := _template(cloudformation, stack, target)) is None:
            continue
        paths = {
            str(resource.get("Metadata", {}).get("aws:cdk:path", "")).removesuffix("/Resource"): name
            for name, resource in template.get("Resources", {}).items()
            if resource.get("Type") == _TYPE
        }
        if path not in paths:
            none = "its template has no paths, which the CDK CLI writes: use the name of the harness"
            there = f"it has: {', '.join(sorted(filter(None, paths)))}" if any(paths) else none
            raise CliError(f"The stack {stack!r} has no harness at {path!r}; {there}.", code="HarnessNotFound")
        with aws.sentences(target):
            found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=paths[path])
        return find(found["StackResourceDetail"]["PhysicalResourceId"], target)
    raise CliError(f"There is no stack for {path!r} on {target.describe()}.", code="StackNotFound")


def _template(cloudformation: Any, stack: str, target: Target) -> dict[str, Any] | None:
    """The template of a stack; None where there is no such stack."""
    with aws.sentences(target):
        try:
            body = cloudformation.get_template(StackName=stack)["TemplateBody"]
        except cloudformation.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
    return body if isinstance(body, dict) else {}  # the CDK writes JSON; other templates have no paths


def _alternatives(name: str, names: Sequence[str]) -> str:
    if not names:
        return "there is none at all: deploy one with `agentcore-harness deploy`, or check account and Region."
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    shown = ", ".join(sorted(names)[:_SHOWN_NAMES]) + (
        f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    )
    return f"did you mean {near[0]}? There are: {shown}." if near else f"there are: {shown}."


def _output(target: Target, stack: str, key: str) -> str:
    cloudformation = aws.client(target, "cloudformation")
    with aws.sentences(target):
        try:
            stacks: list[dict[str, Any]] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        except cloudformation.exceptions.ClientError as error:
            if "does not exist" in str(error):
                raise CliError(f"There is no stack {stack!r} on {target.describe()}.", code="StackNotFound") from error
            raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    if key not in outputs:
        known = (
            f"it has: {', '.join(sorted(outputs))}."
            if outputs
            else "it has no outputs (`harness.add_outputs()` makes them)."
        )
        raise CliError(f"The stack {stack!r} has no output {key!r}; {known}", code="OutputNotFound")
    value = str(outputs[key])
    if "." in value or not (from_arn(value) or _NAME.fullmatch(value)):
        raise CliError(
            f"The output {stack}.{key} must hold a harness ARN, endpoint ARN, id or name; it holds {value!r}.",
            code="InvalidHarness",
        )
    return value
