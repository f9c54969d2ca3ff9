"""Warnings at synthesis, each with an id to acknowledge it by: `Annotations.of(x).acknowledge_warning(id, reason)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from .policy import ATTACHED_POLICIES, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import IConstruct

PREFIX = "@agentcore-harness-cdk:"
IMPORTED_ROLE = PREFIX + "imported-role"
UNKNOWN_MODEL = PREFIX + "unknown-model"
CROSS_ACCOUNT_HOOK = PREFIX + "cross-account-hook"
POLICY_SIZE = PREFIX + "policy-size"


def imported_role(scope: IConstruct, needed: Sequence[Statement]) -> None:
    """Warns that an imported role gets no permission, and lists what it must carry already."""
    listed = "; ".join(f"{statement['Sid']} ({', '.join(statement['Action'])})" for statement in needed)
    text = (
        "The execution role is imported, so nothing is added to it. It must let bedrock-agentcore.amazonaws.com "
        "assume it, and "
        f"must carry these statements already: {listed}. Their resources and reasons are in docs/iam.md; an "
        "HarnessExecutionRole has them all."
    )
    cdk.Annotations.of(scope).add_warning_v2(IMPORTED_ROLE, text)


def unknown_model(scope: IConstruct) -> None:
    """Warns that a model id is known at deployment alone, so that all models are granted."""
    text = (
        "The id of the Bedrock model is known at deployment alone, so the execution role may call every foundation "
        "model and every inference profile of the account. Write the id as a literal, or as an ARN whose kind is "
        "literal, to have it narrowed."
    )
    cdk.Annotations.of(scope).add_warning_v2(UNKNOWN_MODEL, text)


def cross_account_hook(scope: IConstruct, function_arn: str) -> None:
    """Warns that a function in another account has to allow the call as well."""
    text = (
        f"The hook's function {function_arn} is in another account. The execution role may call it, but the "
        f"function's own "
        "resource policy must allow lambda:InvokeFunction to the role as well."
    )
    cdk.Annotations.of(scope).add_warning_v2(CROSS_ACCOUNT_HOOK, text)


def too_many_policies(scope: IConstruct, count: int) -> None:
    """Warns that a role gets more managed policies than IAM allows without a quota increase."""
    text = (
        f"The execution role needs {count} managed policies, and a role has at most {ATTACHED_POLICIES} unless the "
        f"quota is "
        "raised. Spread the tools over several harnesses, or ask for the quota."
    )
    cdk.Annotations.of(scope).add_warning_v2(POLICY_SIZE, text)
