"""Which cloud a command talks to. AWS is never a fallback: it has to be asked for.

The rules, in order:

1. `--local` or `--aws`; without them the environment variable `AGENTCORE_TARGET` (`local` or `aws`).
2. A shell whose `AWS_ENDPOINT_URL` leads to this machine (`agentcore-harness local env`) means that local cloud.
3. The project's recorded local cloud, when it runs.
4. Otherwise the command ends with a sentence. It does so too when a local cloud is recorded and does not answer:
   somebody who expects the local cloud must not reach AWS because it has crashed.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

from agentcore_cli import process, state
from agentcore_cli.errors import CliError, misused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["local", "aws"]
DEFAULT_ACCOUNT: Final = "000000000000"
DEFAULT_REGION: Final = "us-east-1"
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]")
_START = "start one with `agentcore-harness local up --detach`"


@dataclass(frozen=True)
class Target:
    """A cloud, an account and a Region.

    Attributes:
        kind: `local` or `aws`.
        endpoint: Base URL of the local cloud; empty on AWS.
        account: Account id on the local cloud; empty on AWS, where the credentials decide.
        region: Empty on AWS when the profile is to decide.
        profile: The AWS profile that the environment names; empty on the local cloud.
    """

    kind: Kind
    endpoint: str = ""
    account: str = ""
    region: str = ""
    profile: str = ""

    def describe(self) -> str:
        """For the line on stderr that says where a command goes."""
        if self.kind == "aws":
            return ", ".join(["AWS", *filter(None, [self.region, self.profile and f"profile {self.profile}"])])
        return f"local cloud {self.endpoint}, account {self.account}, {self.region}"

    def to_json(self) -> dict[str, str]:
        """For `--json`; empty members are left out."""
        return {name: value for name, value in asdict(self).items() if value}


def choose(
    folder: Path,
    environ: Mapping[str, str],
    *,
    local: bool = False,
    aws: bool = False,
    account: str | None = None,
    region: str | None = None,
) -> Target:
    """The cloud that a command may talk to, by the rules of this module.

    Raises:
        CliError: none was chosen, the chosen one is not there, or the choice contradicts itself.
    """
    kind = _asked_for(environ, local=local, aws=aws)
    if kind == "aws":
        return _aws(environ, account=account, region=region)
    return local_target(folder, environ, account=account, region=region, demanded=kind == "local")


def local_target(
    folder: Path,
    environ: Mapping[str, str],
    *,
    account: str | None = None,
    region: str | None = None,
    demanded: bool = True,
) -> Target:
    """The running local cloud that this shell or this project means.

    Args:
        folder: Where the project's local cloud is recorded.
        environ: The process environment.
        account: 12 digits; otherwise that of the shell's `local env`, otherwise twelve zeros.
        region: Otherwise `AWS_REGION`, `AWS_DEFAULT_REGION`, `us-east-1`.
        demanded: Whether the local cloud was named; if not, the error also mentions `--aws`.

    Raises:
        CliError: it does not run, or account or Region cannot be right.
    """
    endpoint = _shell_endpoint(environ)
    if endpoint:
        _require_answer(endpoint)
    else:
        endpoint = _recorded_endpoint(folder, demanded=demanded)
    return _located(endpoint, environ, account=account, region=region)


def presumed(
    folder: Path, environ: Mapping[str, str], *, account: str | None = None, region: str | None = None
) -> Target | None:
    """Where the local cloud of this shell or this project should be, without asking whether it is there.

    Raises:
        CliError: the record cannot be read, or account or Region cannot be right.
    """
    endpoint = _shell_endpoint(environ)
    if not endpoint:
        record = state.read(folder)
        if record is None:
            return None
        endpoint = record.endpoint
    return _located(endpoint, environ, account=account, region=region)


def _shell_endpoint(environ: Mapping[str, str]) -> str:
    """The shell says more than the file: every SDK in this shell already talks to that address."""
    endpoint = environ.get("AWS_ENDPOINT_URL", "")
    return endpoint if endpoint and state.is_loopback(endpoint) else ""


def _located(endpoint: str, environ: Mapping[str, str], *, account: str | None, region: str | None) -> Target:
    shell_account = environ.get("AWS_ACCESS_KEY_ID", "") if _shell_endpoint(environ) else ""
    account = account or (shell_account if _ACCOUNT.fullmatch(shell_account) else DEFAULT_ACCOUNT)
    region = region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    return Target("local", endpoint.rstrip("/"), _checked_account(account), _checked_region(region))


def _asked_for(environ: Mapping[str, str], *, local: bool, aws: bool) -> Kind | None:
    if local and aws:
        raise misused("--local and --aws exclude each other; give one of them.", code="AmbiguousTarget")
    if local or aws:
        return "local" if local else "aws"
    chosen = environ.get("AGENTCORE_TARGET", "")
    if chosen == "":
        return None
    if chosen == "local":
        return "local"
    if chosen == "aws":
        return "aws"
    raise misused(f"AGENTCORE_TARGET must be `local` or `aws`; received {chosen!r}.", code="AmbiguousTarget")


def _aws(environ: Mapping[str, str], *, account: str | None, region: str | None) -> Target:
    if endpoint := _shell_endpoint(environ):
        raise CliError(
            f"AWS was asked for, but AWS_ENDPOINT_URL leads to {endpoint} on this machine; "
            "use a shell without the variables of `agentcore-harness local env`.",
            code="AmbiguousTarget",
        )
    if _ACCOUNT.fullmatch(environ.get("AWS_ACCESS_KEY_ID", "")):
        raise CliError(
            "AWS was asked for, but AWS_ACCESS_KEY_ID holds an account id, which is a key of the local cloud only; "
            "use a shell without the variables of `agentcore-harness local env`.",
            code="AmbiguousTarget",
        )
    if account:
        raise misused("--account belongs to the local cloud; on AWS the credentials decide the account.")
    # boto3 itself reads AWS_DEFAULT_REGION only; every other SDK and the CDK CLI read AWS_REGION.
    region = region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return Target("aws", region=_checked_region(region) if region else "", profile=environ.get("AWS_PROFILE", ""))


def _recorded_endpoint(folder: Path, *, demanded: bool) -> str:
    seen = process.observe(folder)
    if seen.record is None:
        raise CliError(
            f"No local cloud is running for this project (looked in {folder}); {_START}"
            + ("." if demanded else ", or give --aws to use AWS."),
            code="LocalCloudNotRunning",
        )
    if seen.presence == "running":
        return seen.record.endpoint
    raise CliError(
        f"The local cloud of this project is not there ({seen.reason}); {_START}"
        + ("." if demanded else ", or give --aws to use AWS."),
        code="LocalCloudNotRunning",
    )


def _require_answer(endpoint: str) -> None:
    if process.probe(endpoint) is None:
        raise CliError(
            f"AWS_ENDPOINT_URL leads to {endpoint}, where no local cloud answers; {_START} "
            "and renew the shell's variables with `agentcore-harness local env`.",
            code="LocalCloudNotRunning",
        )


def _checked_account(account: str) -> str:
    if not _ACCOUNT.fullmatch(account):
        raise misused(f"--account must be an account id of 12 digits; received {account!r}.")
    return account


def _checked_region(region: str) -> str:
    if not _REGION.fullmatch(region):
        raise misused(f"The Region must look like us-east-1; received {region!r}.")
    return region
