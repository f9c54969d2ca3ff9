"""What botocore's shapes allow and the service's rules do not forbid is taken by models, templates and local cloud."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.core import get_rules
from cfnlint.decode.cfn_json import CfnJSONDecoder
from cfnlint.runner import run_template_by_data
from hypothesis import given
from hypothesis import strategies as st
from support import stacks, synth
from support.fuzz import effort, lost
from support.shapes import CREATE_HARNESS, Walk, as_properties, fields_of

from agentcore_constructs import Harness, HarnessConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cfnlint.rules import RulesCollection

    from agentcore_local import Account, LocalCloud

ROLE = "arn:aws:iam::123456789012:role/agent"
EVERYTHING, SAYABLE = Walk(templated=False), Walk(templated=True)
MEMBERS = [name for name in CREATE_HARNESS.members if name not in {"clientToken", "executionRoleArn"}]
PER_STACK = 12
"""Harnesses in one stack: synthesis and linting have a price per stack, and CloudFormation takes 500 resources."""
LARGEST_TEMPLATE = 1_000_000
"""Bytes that CloudFormation takes."""
NOT_SHOWN = frozenset({"hooks", "filesystemConfigurations", "tags"})
"""What GetHarness leaves out when it is empty; tags are for ListTagsForResource to show."""
ACCEPTED_FINDINGS = {"W3005": "aws-cdk-lib writes dependencies out that a reference implies as well"}


def fields_below(member: str) -> set[str]:
    return {path for path in fields_of(CREATE_HARNESS) if re.match(rf"{member}\b", path)}


@pytest.mark.parametrize("member", MEMBERS)
def test_the_models_take_it_and_give_it_back(member: str) -> None:
    fields = fields_below(member)
    seen: set[str] = set()

    @effort(60 + 8 * len(fields))
    @given(EVERYTHING.whole(ROLE, only=member))
    def check(request: dict[str, Any]) -> None:
        assert HarnessConfig.parse(copy.deepcopy(request)).to_api() == request
        seen.update(fields_of(CREATE_HARNESS, request))

    check()

    # Chance may leave out a few (test_all_fields sets every one), but examples that are all alike would say nothing.
    unseen = sorted(fields - seen)
    assert len(unseen) <= len(fields) / 5, unseen


# The local cloud


@pytest.fixture(scope="module")
def account(local_cloud: LocalCloud) -> Iterator[Account]:
    """An account in which harnesses are ready at once, so that each can be deleted after it was made."""
    from agentcore_local.harness.store import STORE  # noqa: PLC0415 - after the cloud has been started

    usual = STORE.settle_seconds
    STORE.settle_seconds = 0
    yield local_cloud.account()
    STORE.settle_seconds = usual


def test_the_local_cloud_takes_it_and_shows_it(account: Account) -> None:
    role_arn = role_that_may(account)
    control = account.client("bedrock-agentcore-control")

    @effort(150)
    @given(EVERYTHING.whole(role_arn))
    def check(request: dict[str, Any]) -> None:
        harness_id = control.create_harness(**request)["harness"]["harnessId"]
        try:
            shown = control.get_harness(harnessId=harness_id)["harness"]
        finally:
            control.delete_harness(harnessId=harness_id)
        assert lost({**request, "tags": {}}, shown, unless_empty=NOT_SHOWN) == []

    check()


def role_that_may(account: Account) -> str:
    """A role with every permission: what a role needs is another test's business."""
    iam = account.client("iam")
    arn: str = iam.create_role(RoleName="agent", AssumeRolePolicyDocument=json.dumps(stacks.trust()))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="agent", PolicyName="all", PolicyDocument=json.dumps(policy))
    return arn


# Templates


def test_it_synthesizes_as_it_was_said_lints_clean_and_deploys(local_cloud: LocalCloud) -> None:
    account = local_cloud.account(synth.ACCOUNT)

    @effort(8, shrink=False)
    @given(
        st.lists(SAYABLE.whole(None), min_size=PER_STACK, max_size=PER_STACK, unique_by=lambda one: one["harnessName"])
    )
    def check(requests: list[dict[str, Any]]) -> None:
        stack = synth.new_stack()
        for index, request in enumerate(requests):
            harness = Harness.from_config(stack, f"Agent{index}", copy.deepcopy(request))
            assert harness.to_config() == request
        assembly = Path(cdk.Stage.of(stack).synth().directory)
        template = json.loads((assembly / stack.template_file).read_text())

        assert_says(template, requests)
        assert findings(template) == []
        if len(json.dumps(template)) < LARGEST_TEMPLATE:
            account.deploy(assembly)
            assert_shown(account, requests)
            account.destroy(stack.stack_name)

    check()


def assert_says(template: dict[str, Any], requests: list[dict[str, Any]]) -> None:
    made = harnesses(template)
    for index, request in enumerate(requests):
        made[index].get("Tags", []).sort(key=lambda tag: tag["Key"])
        assert lost(as_properties(request), made[index]) == [], request


def assert_shown(account: Account, requests: list[dict[str, Any]]) -> None:
    control = account.client("bedrock-agentcore-control")
    pages = control.get_paginator("list_harnesses").paginate()
    ids = {one["harnessName"]: one["harnessId"] for page in pages for one in page["harnesses"]}
    for request in requests:
        shown = control.get_harness(harnessId=ids[request["harnessName"]])["harness"]
        assert lost({**request, "tags": {}}, shown, unless_empty=NOT_SHOWN) == [], request


def harnesses(template: dict[str, Any]) -> list[dict[str, Any]]:
    """The properties of all harnesses, in the order they were made in."""
    return [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::BedrockAgentCore::Harness"
    ]


@cache
def rules() -> RulesCollection:
    return get_rules([], [], [])


def findings(template: dict[str, Any]) -> list[str]:
    # As JSON: `lint` reads YAML first, which ends keys at 1024 characters and has no control characters.
    read = json.loads(json.dumps(template), cls=CfnJSONDecoder)
    matches = run_template_by_data(read, ConfigMixIn(regions=["us-east-1"]), rules())
    return [
        f"{match.rule.id} {match.path}: {match.message}" for match in matches if match.rule.id not in ACCEPTED_FINDINGS
    ]
