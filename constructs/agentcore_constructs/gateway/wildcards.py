"""Answers for cdk-nag: why the service role of a gateway has the wildcards that the CDK's grants write.

Nothing here imports cdk-nag; its rule is named by id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

from agentcore_constructs.harness.wildcards import flattened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_iam as iam

_RULE = "AwsSolutions::AwsSolutions-IAM5"
_REASONS = {
    "lambda:": "The CDK grants a function with its versions and aliases, which have ARNs below the function's.",
    "kms:": "The CDK grants the use of this one key by groups of actions.",
    "execute-api:": "The API's stage is granted; which methods become tools is said by the target's filters.",
    "s3:": "The CDK grants reading the objects of this one bucket by groups of actions.",
    "secretsmanager:": "AgentCore Identity ends the names of the secrets it keeps with characters of its own.",
    "bedrock-agentcore:": "Workload identities, and the gateway itself, end in characters that the service chooses.",
}
_ELSE = "Written by a grant of the CDK for a target of this gateway."


def acknowledge(role: iam.Role) -> None:
    """Gives the reason for each wildcard of a role's default policy that there is when it is called."""
    policy = role.node.try_find_child("DefaultPolicy")
    if policy is None:
        return
    document = cdk.Stack.of(role).resolve(policy.document)  # type: ignore[attr-defined]  # an iam.Policy
    answers = [cdk.Acknowledgment(id=rule, reason=reason) for rule, reason in dict(_findings(document)).items()]
    resource = policy.node.default_child
    if answers and resource is not None:
        cdk.Validations.of(resource).acknowledge(*answers)


def _findings(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for statement in document["Statement"]:
        actions = _listed(statement["Action"])
        reason = next((text for prefix, text in _REASONS.items() if actions[0].startswith(prefix)), _ELSE)
        for action in actions:
            if "*" in action:
                yield f"{_RULE}[Action::{action}]", reason
        for resource in _listed(statement["Resource"]):
            written = flattened(resource)
            if "*" in written:
                yield f"{_RULE}[Resource::{written}]", reason


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
