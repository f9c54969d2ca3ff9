"""The template of every capability, logical ids included: a change of one replaces resources that people depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from constructs import Construct
from support import synth
from support.capabilities import CAPABILITIES

from .conftest import scrubbed

if TYPE_CHECKING:
    import aws_cdk as cdk
    from syrupy.assertion import SnapshotAssertion


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_template(capability: str, stack: cdk.Stack, json_snapshot: SnapshotAssertion) -> None:
    CAPABILITIES[capability](stack)

    assert scrubbed(synth.template_of(stack).to_json()) == json_snapshot


def test_template_for_any_account_and_region(json_snapshot: SnapshotAssertion) -> None:
    stack = synth.new_stack(account=None, region=None)
    for capability in ("minimal", "other_tools", "hooks"):
        CAPABILITIES[capability](Construct(stack, capability))

    assert scrubbed(synth.template_of(stack).to_json()) == json_snapshot
