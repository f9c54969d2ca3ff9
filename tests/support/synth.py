"""Synthesizing stacks in tests: one App per test, with the checks that `cdk init` turns on."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import assertions

# `cdk init` writes this flag into new apps: it turns aws-cdk-lib's schema findings from warnings into errors.
CONTEXT = {"@aws-cdk/core:validateAgainstDefaultRules": True}
ACCOUNT = "111122223333"
REGION = "us-east-1"


def new_stack(*, account: str | None = ACCOUNT, region: str | None = REGION, stack_id: str = "Agents") -> cdk.Stack:
    """A stack in an App of its own; `account=None, region=None` makes it environment-agnostic."""
    app = cdk.App(context=CONTEXT)
    env = cdk.Environment(account=account, region=region) if account or region else None
    return cdk.Stack(app, stack_id, env=env)


def template_of(stack: cdk.Stack) -> assertions.Template:
    """The synthesized template of a stack; the App cannot take further constructs afterwards."""
    return assertions.Template.from_stack(stack)


def resources(stack: cdk.Stack, resource_type: str) -> dict[str, Any]:
    """Logical id → resource of one type, from the synthesized template."""
    found: dict[str, Any] = template_of(stack).find_resources(resource_type)
    return found
