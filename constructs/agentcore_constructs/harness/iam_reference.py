"""Writes docs/iam.md from the table of permissions."""

from __future__ import annotations

from .permissions import TABLE, Permission

_HEAD = """# What an execution role may do, and why

Generated from `constructs/agentcore_constructs/harness/permissions.py` by `make docs`; do not edit.

A `Harness` makes its role with the statements of the features it uses, and with no others. `{partition}`, `{region}`
and `{account}` are those of the stack, `{name}` is the harness's physical name, and the other placeholders come from
the configuration: `{gateway}` is the ARN of the gateway, `{key_region}` the Region of the key, and so on. Uses of one
feature share a statement; where conditions differ they do not, and the second gets the Sid with a 2. Statements are
kept in managed policies of at most 6,144 characters, as many as it takes.

The trust policy lets `bedrock-agentcore.amazonaws.com` assume the role, for this account (`aws:SourceAccount`) and this
Region's AgentCore (`aws:SourceArn` like `arn:{partition}:bedrock-agentcore:{region}:{account}:*`). The service refuses
a narrower ARN when it makes the harness.

## Models

A role may invoke its models; it may not subscribe to them. Bedrock subscribes an account to a model of another provider
in AWS Marketplace when the model is first invoked, with the permissions of who invokes it, and Anthropic asks an
account for its use case before that ([model access](https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html)).
So invoke each model once as somebody who may. Until the account has it, turns fail with an `AccessDeniedException` that
names `aws-marketplace:Subscribe`.

An agent that shall subscribe by itself needs `aws-marketplace:Subscribe` and `aws-marketplace:ViewSubscriptions` on
`*`, which `add_to_role_policy` gives it. With the condition `aws:CalledViaLast` equal to `bedrock.amazonaws.com`
(`bedrock-mantle.amazonaws.com` for the formats `responses` and `chat_completions`) the agent cannot use them for
anything but models.

## Statements

| Feature | Statements |
|---|---|
"""


def iam_reference() -> str:
    """Returns docs/iam.md."""
    features: dict[str, list[str]] = {}
    for row in TABLE:
        features.setdefault(row.when, []).append(f"[{row.sid}](#{row.sid.lower()})")
    overview = "".join(f"| {feature} | {', '.join(sids)} |\n" for feature, sids in features.items())
    return _HEAD + overview + "".join(_section(row) for row in TABLE)


def _section(row: Permission) -> str:
    lines = [
        f"\n## {row.sid}\n",
        f"{'For' if row.when != 'always' else 'Granted'} {row.when}. {row.reason}\n"
        if row.allow
        else f"Denied {row.when}. {row.reason}\n",
        f"- Actions: {', '.join(f'`{action}`' for action in row.actions)}",
        f"- Resources: {', '.join(f'`{resource}`' for resource in row.resources)}",
    ]
    lines.extend(f"- Condition: `{key}` {operator} `{value}`" for operator, key, value in row.conditions)
    if row.wildcard:
        lines.append(f"- Why the `*`: {row.wildcard}")
    lines.append(f"- Source: <{row.source}>")
    return "\n".join(lines) + "\n"
