"""From what a user types to an ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from constructs import Construct
from support.fake_service import ARN, Wire

from agentcore_cli import harnesses, targets
from agentcore_cli.errors import MISUSED, CliError
from agentcore_constructs import Harness, Memory

if TYPE_CHECKING:
    from pathlib import Path

    from agentcore_local import Account


@pytest.fixture
def target(cloud: Wire) -> targets.Target:
    return targets.Target("local", cloud.endpoint, targets.DEFAULT_ACCOUNT, "us-east-1")


def message(reference: str, target: targets.Target) -> str:
    with pytest.raises(CliError) as caught:
        harnesses.find(reference, target)
    return caught.value.message


def test_an_arn_needs_no_question(cloud: Wire, target: targets.Target) -> None:
    assert harnesses.find(ARN, target) == harnesses.Harness(ARN)
    assert harnesses.find(f"{ARN}/harness-endpoint/PROD", target) == harnesses.Harness(ARN, "PROD")
    assert cloud.requests == []


def test_an_arn_of_any_partition_is_one() -> None:
    assert harnesses.from_arn(ARN.replace("arn:aws:", "arn:aws-us-gov:").replace("us-east-1", "us-gov-west-1"))


def test_a_name_or_an_id_is_looked_up(target: targets.Target) -> None:
    assert harnesses.find("research", target).arn == ARN
    assert harnesses.find("research-0123456789", target).arn == ARN


def test_names_are_looked_for_on_every_page(cloud: Wire, target: targets.Target) -> None:
    cloud.harnesses = [["a"], ["b"], ["research"]]

    assert harnesses.find("research", target).arn == ARN


def test_an_unknown_name_is_answered_with_the_names_there_are(cloud: Wire, target: targets.Target) -> None:
    cloud.harnesses = [["research", "coding"]]

    assert message("reserch", target) == (
        f"No harness is named 'reserch' on local cloud {cloud.endpoint}, account 000000000000, us-east-1; "
        "did you mean research? There are: coding, research."
    )


def test_many_names_are_not_all_listed(cloud: Wire, target: targets.Target) -> None:
    cloud.harnesses = [[f"agent{number:02}" for number in range(12)]]

    assert message("zzz", target).endswith(
        "there are: " + ", ".join(f"agent{number:02}" for number in range(10)) + " and 2 more."
    )


def test_an_empty_account_says_how_to_fill_it(cloud: Wire, target: targets.Target) -> None:
    cloud.harnesses = [[]]

    assert message("research", target).endswith(
        "there is none at all: deploy one with `agentcore-harness deploy`, or check account and Region."
    )


@pytest.mark.parametrize("value", [ARN, f"{ARN}/harness-endpoint/PROD", "research", "research-0123456789"])
def test_a_stack_output_may_hold_any_of_them(cloud: Wire, target: targets.Target, value: str) -> None:
    cloud.stacks["Agents-Dev"] = ("CREATE_COMPLETE", {"Harness": value})

    found = harnesses.find("Agents-Dev.Harness", target)

    assert found.arn == ARN
    assert found.endpoint == ("PROD" if value.endswith("PROD") else None)


def test_an_unknown_stack_is_named(target: targets.Target) -> None:
    assert message("Agents.Arn", target) == f"There is no stack 'Agents' on {target.describe()}."


def test_an_unknown_output_is_answered_with_the_outputs_there_are(cloud: Wire, target: targets.Target) -> None:
    cloud.stacks["Agents"] = ("CREATE_COMPLETE", {"B": "b", "A": "a"})
    cloud.stacks["Bare"] = ("CREATE_COMPLETE", {})

    assert message("Agents.C", target) == "The stack 'Agents' has no output 'C'; it has: A, B."
    assert message("Bare.C", target) == (
        "The stack 'Bare' has no output 'C'; it has no outputs (`harness.add_outputs()` makes them)."
    )


def test_an_output_that_is_no_harness_is_refused(cloud: Wire, target: targets.Target) -> None:
    cloud.stacks["Agents"] = ("CREATE_COMPLETE", {"Url": "https://x.example"})

    assert message("Agents.Url", target) == (
        "The output Agents.Url must hold a harness ARN, endpoint ARN, id or name; it holds 'https://x.example'."
    )


@pytest.mark.parametrize(
    "name", ["a", "A_9", "a" * 40, "a" * 40 + "-0123456789", "My-Stack.Out1", "Prod/My-Stack/Agent"]
)
def test_references_at_their_limits_pass(name: str) -> None:
    harnesses.check(name)


@pytest.mark.parametrize(
    "name",
    ["", "9a", "a-b", "a" * 41, "a b", "Stack.", ".Out", "Stack/", "/Agent", "a/b c", ARN[:-1], "arn:aws:s3:::bucket"],
)
def test_what_can_be_no_harness_is_refused(name: str) -> None:
    with pytest.raises(CliError, match=r"^HARNESS must be a harness name") as caught:
        harnesses.check(name)

    assert caught.value.exit_code == MISUSED
    assert caught.value.message.endswith(f"received {name!r}.")


class TestPaths:
    """Constructs' paths, as the CDK writes them into templates."""

    @pytest.fixture
    def here(self, account: Account, tmp_path: Path) -> targets.Target:
        app = cdk.App(outdir=str(tmp_path), context={"aws:cdk:enable-path-metadata": True})  # as the CDK CLI sets it
        stage = cdk.Stage(app, "Prod")
        for stack in (cdk.Stack(app, "Support"), cdk.Stack(stage, "Support")):
            Harness(stack, "Agent", memory=Memory.disabled())
            Harness(Construct(stack, "Team"), "Writer", memory=Memory.disabled())
        account.deploy(app.synth().directory)
        return targets.Target("local", account.cloud.endpoint_url, account.account_id, account.region)

    def test_they_lead_to_what_was_made_of_them(self, here: targets.Target) -> None:
        paths = ["Support/Agent", "Support/Team/Writer", "Prod/Support/Agent", "Prod/Support/Team/Writer"]
        names = [harnesses.find(path, here).name for path in paths]
        starts = ["Support_Agent_", "Support_Team_Writer_", "ProdSupport_Agent_", "ProdSupport_Team_Writer_"]
        assert [name[: len(start)] for name, start in zip(names, starts, strict=True)] == starts

    def test_others_are_answered_with_those_there_are(self, here: targets.Target) -> None:
        assert message("Support/Agnet", here) == (
            "The stack 'Support' has no harness at 'Support/Agnet'; it has: Support/Agent, Support/Team/Writer."
        )
        assert message("Suport/Agent", here) == f"There is no stack for 'Suport/Agent' on {here.describe()}."

    def test_a_template_without_paths_says_who_writes_them(self, account: Account, tmp_path: Path) -> None:
        app = cdk.App(outdir=str(tmp_path))
        Harness(cdk.Stack(app, "Support"), "Agent", memory=Memory.disabled())
        account.deploy(app.synth().directory)
        here = targets.Target("local", account.cloud.endpoint_url, account.account_id, account.region)
        assert message("Support/Agent", here) == (
            "The stack 'Support' has no harness at 'Support/Agent'; its template has no paths, which the CDK CLI "
            "writes: use the name of the harness."
        )
