"""Synthesizes the same N agents by hand, in L1 constructs: python benchmarks/synth_l1.py N OUTDIR.

What an engineer writes today without an L2: typed property objects, roles and policies spelled out. `run.py` checks
that the resources are the same ones before it compares how long they take.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from constructs import Construct

PER_STACK = 50
ARN = f"arn:{cdk.Aws.PARTITION}"
HERE = f"{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"


def allow(sid: str, actions: str | list[str], resources: str | list[str], **more: Any) -> dict[str, Any]:
    """One statement."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources, **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """One policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust() -> dict[str, Any]:
    """Who may assume the role."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock-agentcore.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": f"{ARN}:bedrock-agentcore:{HERE}:*"},
            },
        }
    )


def permissions(name: str, model: str) -> dict[str, Any]:
    """What the agent may do."""
    logs = f"{ARN}:logs:{HERE}:log-group:/aws/bedrock-agentcore/runtimes/harness_{name}-*"
    directory = f"{ARN}:bedrock-agentcore:{HERE}:workload-identity-directory/default"
    own = f"{ARN}:bedrock-agentcore:{cdk.Aws.REGION}:aws"
    return document(
        allow(
            "BedrockModelInvocation",
            ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
            f"{ARN}:bedrock:{cdk.Aws.REGION}::foundation-model/{model}",
        ),
        allow("EcrPublicTokenAccess", "ecr-public:GetAuthorizationToken", "*"),
        allow("StsForEcrPublicPull", "sts:GetServiceBearerToken", "*"),
        allow(
            "XRayTracingAccess",
            [
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
            ],
            "*",
        ),
        allow("CloudWatchLogsGroup", ["logs:CreateLogGroup", "logs:DescribeLogStreams"], logs),
        allow("CloudWatchLogsDescribeGroups", "logs:DescribeLogGroups", f"{ARN}:logs:{HERE}:log-group:*"),
        allow("CloudWatchLogsStream", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{logs}:log-stream:*"),
        allow("CloudWatchLogsPutResourcePolicy", "logs:PutResourcePolicy", logs),
        allow(
            "CloudWatchMetricsPublish",
            "cloudwatch:PutMetricData",
            "*",
            Condition={"StringEquals": {"cloudwatch:namespace": "bedrock-agentcore"}},
        ),
        allow(
            "AgentCoreWorkloadIdentity",
            ["bedrock-agentcore:GetWorkloadAccessToken", "bedrock-agentcore:GetWorkloadAccessTokenForJWT"],
            [directory, f"{directory}/workload-identity/harness_{name}-*"],
        ),
        allow(
            "AgentCoreBrowserDefault",
            [
                "bedrock-agentcore:StartBrowserSession",
                "bedrock-agentcore:StopBrowserSession",
                "bedrock-agentcore:GetBrowserSession",
                "bedrock-agentcore:ListBrowserSessions",
                "bedrock-agentcore:UpdateBrowserStream",
                "bedrock-agentcore:ConnectBrowserAutomationStream",
                "bedrock-agentcore:ConnectBrowserLiveViewStream",
            ],
            f"{own}:browser/aws.browser.v1",
        ),
        allow(
            "AgentCoreCodeInterpreterDefault",
            [
                "bedrock-agentcore:StartCodeInterpreterSession",
                "bedrock-agentcore:StopCodeInterpreterSession",
                "bedrock-agentcore:GetCodeInterpreterSession",
                "bedrock-agentcore:ListCodeInterpreterSessions",
                "bedrock-agentcore:InvokeCodeInterpreter",
            ],
            f"{own}:code-interpreter/aws.codeinterpreter.v1",
        ),
        {"Sid": "DenyRoleAssumption", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"},
    )


def agent(scope: Construct, index: int) -> None:
    """One agent with its role, policies and endpoint."""
    name, model = f"agent_{index}", "anthropic.claude-sonnet-4-5-20250929-v1:0"
    role = iam.CfnRole(scope, f"Role{index}", assume_role_policy_document=trust())
    policy = iam.CfnManagedPolicy(scope, f"Policy{index}", policy_document=permissions(name, model), roles=[role.ref])
    harness = agentcore.CfnHarness(
        scope,
        f"Agent{index}",
        harness_name=name,
        execution_role_arn=role.attr_arn,
        model=agentcore.CfnHarness.HarnessModelConfigurationProperty(
            bedrock_model_config=agentcore.CfnHarness.HarnessBedrockModelConfigProperty(
                model_id=model, temperature=0.2, max_tokens=4096
            )
        ),
        system_prompt=[
            agentcore.CfnHarness.HarnessSystemContentBlockProperty(
                text="You answer questions about our data. Inspect before you compute."
            )
        ],
        tools=[
            agentcore.CfnHarness.HarnessToolProperty(type="agentcore_browser", name="browser"),
            agentcore.CfnHarness.HarnessToolProperty(type="agentcore_code_interpreter", name="code_interpreter"),
        ],
        memory=agentcore.CfnHarness.HarnessMemoryConfigurationProperty(
            managed_memory_configuration=agentcore.CfnHarness.HarnessManagedMemoryConfigurationProperty(
                strategies=["SEMANTIC", "SUMMARIZATION"], event_expiry_duration=30
            )
        ),
        max_iterations=30,
        timeout_seconds=600,
    )
    harness.add_resource_dependency(role)
    harness.add_resource_dependency(policy)
    iam.CfnManagedPolicy(
        scope,
        f"MemoryPolicy{index}",
        policy_document=document(
            allow(
                "AgentCoreManagedMemory",
                [
                    "bedrock-agentcore:CreateEvent",
                    "bedrock-agentcore:DeleteEvent",
                    "bedrock-agentcore:GetEvent",
                    "bedrock-agentcore:ListEvents",
                    "bedrock-agentcore:RetrieveMemoryRecords",
                ],
                harness.attr_memory_managed_memory_configuration_arn,
            )
        ),
        roles=[role.ref],
    )
    agentcore.CfnHarnessEndpoint(
        scope,
        f"Prod{index}",
        harness_id=harness.attr_harness_id,
        endpoint_name="PROD",
        target_version=harness.attr_version,
    )


if __name__ == "__main__":
    started = time.perf_counter()
    application = cdk.App(outdir=sys.argv[2])
    for position in range(int(sys.argv[1])):
        if position % PER_STACK == 0:
            stack = cdk.Stack(application, f"Agents{position // PER_STACK}")
        agent(stack, position)
    application.synth()
    print(json.dumps({"seconds": time.perf_counter() - started}))
