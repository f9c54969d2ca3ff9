"""The AWS services our Lambda code calls; the SDK's models of all others are left out of its package.

botocore carries a model of every service, 25 MB; these are what it needs.
"""

from __future__ import annotations

SERVICES = (
    "bedrock-agentcore",
    "bedrock-agentcore-control",
    "cloudformation",
    "codebuild",
    "dynamodb",
    "ecr",
    "events",
    "lambda",
    "logs",
    "s3",
    "secretsmanager",
    "sns",
    "stepfunctions",
    "sts",
)
