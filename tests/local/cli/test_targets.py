"""Who is talked to. No path leads to AWS unless AWS was asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agentcore_cli import state, targets
from agentcore_cli.errors import FAILED, MISUSED, CliError

if TYPE_CHECKING:
    from pathlib import Path

    from support.fake_service import Wire

LOCAL_SHELL = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "111122223333"}


def refused(folder: Path, environ: dict[str, str] | None = None, **options: object) -> CliError:
    with pytest.raises(CliError) as caught:
        targets.choose(folder, environ or {}, **options)  # type: ignore[arg-type] - the options are what is tested
    return caught.value


def test_the_running_local_cloud_is_used_without_being_named(folder: Path, cloud: Wire) -> None:
    assert targets.choose(folder, {}) == targets.Target("local", cloud.endpoint, "000000000000", "us-east-1")


def test_without_a_local_cloud_nothing_is_used_until_aws_is_asked_for(folder: Path) -> None:
    error = refused(folder)

    assert error.exit_code == FAILED
    assert error.code == "LocalCloudNotRunning"
    assert error.message == (
        f"No local cloud is running for this project (looked in {folder}); "
        "start one with `agentcore-harness local up --detach`, or give --aws to use AWS."
    )


def test_a_crashed_local_cloud_does_not_lead_to_aws(folder: Path, gone: int) -> None:
    assert refused(folder).message == (
        f"The local cloud of this project is not there (process {gone} has ended); "
        "start one with `agentcore-harness local up --detach`, or give --aws to use AWS."
    )


def test_a_port_taken_over_by_another_local_cloud_is_not_ours(folder: Path, cloud: Wire) -> None:
    cloud.health["pid"] = 1

    assert "now belongs to process 1)" in refused(folder).message


def test_another_server_on_the_port_is_not_a_local_cloud(folder: Path, cloud: Wire) -> None:
    cloud.health = {"services": {"s3": "running"}}

    assert refused(folder).code == "LocalCloudNotRunning"


def test_local_never_mentions_aws(folder: Path) -> None:
    assert "--aws" not in refused(folder, local=True).message


def test_aws_is_used_when_asked_for_even_beside_a_running_local_cloud(folder: Path, cloud: Wire) -> None:
    assert targets.choose(folder, {}, aws=True, region="eu-west-1") == targets.Target("aws", region="eu-west-1")
    assert targets.choose(folder, {"AGENTCORE_TARGET": "aws"}).kind == "aws"


def test_on_aws_the_environment_gives_region_and_profile(folder: Path) -> None:
    environ = {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_PROFILE": "prod"}

    assert targets.choose(folder, environ, aws=True) == targets.Target("aws", region="eu-west-2", profile="prod")
    assert targets.choose(folder, environ, aws=True, region="us-east-1").region == "us-east-1"


def test_a_flag_wins_over_the_environment(folder: Path, cloud: Wire) -> None:
    assert targets.choose(folder, {"AGENTCORE_TARGET": "aws"}, local=True).kind == "local"


def test_both_flags_are_refused(folder: Path) -> None:
    error = refused(folder, local=True, aws=True)

    assert (error.exit_code, error.message) == (MISUSED, "--local and --aws exclude each other; give one of them.")


def test_an_unknown_target_in_the_environment_is_refused(folder: Path) -> None:
    error = refused(folder, {"AGENTCORE_TARGET": "prod"})

    assert error.message == "AGENTCORE_TARGET must be `local` or `aws`; received 'prod'."


def test_aws_in_a_shell_that_is_pointed_at_the_local_cloud_is_refused(folder: Path) -> None:
    error = refused(folder, LOCAL_SHELL, aws=True)

    assert error.message == (
        "AWS was asked for, but AWS_ENDPOINT_URL leads to http://127.0.0.1:9 on this machine; "
        "use a shell without the variables of `agentcore-harness local env`."
    )


def test_aws_with_a_key_of_the_local_cloud_is_refused(folder: Path) -> None:
    assert refused(folder, {"AWS_ACCESS_KEY_ID": "111122223333"}, aws=True).message == (
        "AWS was asked for, but AWS_ACCESS_KEY_ID holds an account id, which is a key of the local cloud only; "
        "use a shell without the variables of `agentcore-harness local env`."
    )


def test_an_account_is_refused_on_aws(folder: Path) -> None:
    assert refused(folder, aws=True, account="111122223333").message == (
        "--account belongs to the local cloud; on AWS the credentials decide the account."
    )


def test_the_shell_wins_over_the_record_and_gives_its_account(folder: Path, cloud: Wire) -> None:
    state.write(folder, state.Record("http://127.0.0.1:9", os.getpid(), "then"))
    environ = {"AWS_ENDPOINT_URL": cloud.endpoint, "AWS_ACCESS_KEY_ID": "111122223333", "AWS_REGION": "eu-central-1"}

    assert targets.choose(folder, environ) == targets.Target("local", cloud.endpoint, "111122223333", "eu-central-1")
    assert targets.choose(folder, environ, account="444455556666").account == "444455556666"


def test_a_shell_that_points_at_nothing_is_refused(folder: Path) -> None:
    assert refused(folder, LOCAL_SHELL).message == (
        "AWS_ENDPOINT_URL leads to http://127.0.0.1:9, where no local cloud answers; start one with "
        "`agentcore-harness local up --detach` and renew the shell's variables with `agentcore-harness local env`."
    )


def test_an_endpoint_elsewhere_does_not_make_aws_the_target(folder: Path) -> None:
    assert refused(folder, {"AWS_ENDPOINT_URL": "https://vpce.example"}).code == "LocalCloudNotRunning"


@pytest.mark.parametrize("account", ["1", "1111222233334", "11112222333x"])
def test_an_account_has_twelve_digits(folder: Path, cloud: Wire, account: str) -> None:
    error = refused(folder, account=account)

    assert error.message == f"--account must be an account id of 12 digits; received {account!r}."


def test_a_region_that_cannot_be_one_is_refused(folder: Path, cloud: Wire) -> None:
    assert refused(folder, region="Virginia").message == "The Region must look like us-east-1; received 'Virginia'."
    assert refused(folder, region="Virginia", aws=True).exit_code == MISUSED


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1", "us-iso-east-1"])
def test_every_kind_of_region_passes(folder: Path, cloud: Wire, region: str) -> None:
    assert targets.choose(folder, {}, region=region).region == region


def test_the_region_comes_from_the_environment_when_it_is_not_given(folder: Path, cloud: Wire) -> None:
    assert targets.choose(folder, {"AWS_DEFAULT_REGION": "eu-west-1"}).region == "eu-west-1"
    assert targets.choose(folder, {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-1"}).region == "eu-west-2"


def test_a_target_describes_itself_and_leaves_out_what_it_does_not_know() -> None:
    assert targets.Target("aws").describe() == "AWS"
    assert targets.Target("aws", region="eu-west-1").describe() == "AWS, eu-west-1"
    assert targets.Target("aws", region="eu-west-1", profile="p").describe() == "AWS, eu-west-1, profile p"
    assert targets.Target("aws", region="eu-west-1").to_json() == {"kind": "aws", "region": "eu-west-1"}
