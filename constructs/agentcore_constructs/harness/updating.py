"""What it takes to update one harness beside CloudFormation, as custom resources do. Pure: no CDK, no I/O.

The service updates the runtime and the memory behind a harness with the rights of whoever calls UpdateHarness. Its
guide lists an update action for each of the three, on the ARN of the harness
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html, "caller permissions"); refusals
that people were given name the runtime. The handler of `AWS::BedrockAgentCore::Harness` reads them as well, moves the
runtime's endpoint and passes the role (`handlers.update.permissions` of its schema, copied in
https://github.com/pulumi/pulumi-aws-native/blob/master/aws-cloudformation-schema/aws-bedrockagentcore-harness.json):
UpdateAgentRuntime takes a role whenever it is called (botocore 1.44.5, `UpdateAgentRuntimeRequest`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .policy import Statement

SERVICE_PRINCIPAL = "bedrock-agentcore.amazonaws.com"
"""Who runs harnesses: AgentCore."""

_PREFIX = "bedrock-agentcore:"
_RUNTIME = ("GetAgentRuntime", "UpdateAgentRuntime", "GetAgentRuntimeEndpoint", "UpdateAgentRuntimeEndpoint")
_MEMORY = ("GetMemory", "UpdateMemory")


def update_statements(
    *, harness_arn: str, runtime_arn: str, role_arn: str, memory_arn: str | None = None
) -> list[Statement]:
    """Returns what a role needs to read and update a harness, and no other.

    Args:
        harness_arn: Of the harness.
        runtime_arn: Of the runtime behind it.
        role_arn: Of its execution role.
        memory_arn: Of its managed memory; None where it has none.
    """
    parts = [harness_arn, runtime_arn, f"{runtime_arn}/runtime-endpoint/DEFAULT"]
    actions = _RUNTIME if memory_arn is None else (*_RUNTIME, *_MEMORY)
    return [
        {
            "Sid": "UpdateHarness",
            "Effect": "Allow",
            "Action": [f"{_PREFIX}GetHarness", f"{_PREFIX}UpdateHarness"],
            "Resource": [harness_arn],
        },
        {
            "Sid": "UpdateWhatItIsMadeOf",
            "Effect": "Allow",
            "Action": [f"{_PREFIX}{action}" for action in actions],
            "Resource": parts if memory_arn is None else [*parts, memory_arn],
        },
        {
            "Sid": "PassExecutionRole",
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": [role_arn],
            "Condition": {"StringEquals": {"iam:PassedToService": SERVICE_PRINCIPAL}},
        },
    ]
