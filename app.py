"""The three reference agents of Amazon Bedrock AgentCore harness, one stack each, and a workflow over them.

Written as a user would. `cdk deploy --all` stands them up on AWS; `make demo` does the same on the local cloud, talks
to the agents and runs the workflow.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aws_cdk import Acknowledgment, Annotations, App, CfnOutput, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from agentcore_constructs import (
    AgentCoreVpcEndpoints,
    Environment,
    FileSystem,
    Harness,
    HarnessImage,
    Hook,
    Memory,
    Model,
    Skill,
    Target,
    Tool,
    ToolFunction,
    ToolGateway,
    Truncation,
    Version,
)
from agentcore_stepfunctions import DEFAULT_OUTPUTS, InvokeHarness, jsonata, text
from agentcore_stepfunctions.fragments import AgentTurn

EXAMPLES = Path(__file__).resolve().parent / "examples"
sys.path.insert(0, str(EXAMPLES))  # the agents' own code is the package `agent_code` there

from agent_code import analysis, guards, publishing  # noqa: E402


class ResearchAgent(Stack):
    """Searches the web, reads pages, writes a brief, has it published, and remembers what each reader cares about."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Deploys the agent, its gateway for web search, and its PROD endpoint."""
        super().__init__(scope, construct_id)
        web = ToolGateway(self, "Web", targets=[Target.web_search()])
        web.acknowledge_wildcards()
        noticeboard = ToolFunction(self, "Noticeboard", publishing)
        self.agent = Harness(
            self,
            "Agent",
            harness_name="research_agent",
            model=Model.bedrock("global.anthropic.claude-sonnet-4-6", temperature=0.3),
            system_prompt="You research a topic, compare sources, and write a short, well-structured brief with links.",
            tools=[Tool.gateway(web, name="web"), Tool.browser(), *noticeboard.inline_tools()],
            skills=[Skill.from_directory(EXAMPLES / "skills" / "brief")],
            memory=Memory.managed(strategies=["SEMANTIC", "USER_PREFERENCE"], expiry=Duration.days(90)),
            hooks=[Hook.after_invocation(guards.count_stops)],
            truncation=Truncation.summarization(ratio=0.3, preserve_recent=10),
            max_iterations=40,
            timeout=Duration.minutes(10),
        )
        self.agent.add_endpoint("PROD", version=Version.latest())
        self.agent.add_outputs()
        self.agent.acknowledge_wildcards()
        CfnOutput(self, "PublishBrief", value=noticeboard.function_name, description="Runs the inline tool.")


class AnalyticsAgent(Stack):
    """Answers questions about data in S3, which it sees as files; it can read that, and nothing leaves its VPC."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Deploys the agent into a VPC without a way to the internet, with the endpoints it needs, beside its data."""
        super().__init__(scope, construct_id)
        private = ec2.SubnetConfiguration(name="agents", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        vpc = ec2.Vpc(self, "Vpc", max_azs=2, nat_gateways=0, subnet_configuration=[private])
        vpc.add_flow_log("Flow")
        data = s3.Bucket(self, "Data", versioned=True, enforce_ssl=True, server_access_logs_prefix="access-logs/")
        company = ToolGateway(self, "Company", targets=[Target.lambda_(ToolFunction(self, "Knowledge", analysis))])
        company.acknowledge_wildcards()
        self.agent = Harness(
            self,
            "Agent",
            harness_name="analytics_agent",
            system_prompt="You answer questions about our data. Inspect before you compute, and show the numbers.",
            tools=[Tool.code_interpreter(), Tool.gateway(company, name="company")],
            skills=[Skill.aws("core-skills/*")],
            environment=Environment.vpc(vpc, idle_timeout=Duration.minutes(5)),
            filesystems=[FileSystem.s3_files(data, "/mnt/data", prefix="curated/", directory="/", read_only=True)],
            hooks=[Hook.before_tool_call(guards.keep_data)],
            max_iterations=30,
            timeout=Duration.minutes(10),
        )
        AgentCoreVpcEndpoints(self, "Endpoints", vpc=vpc, for_harness=self.agent)
        why = "an example; a VPC that stays belongs into a stack of its own"
        Annotations.of(self.agent).acknowledge_warning("@agentcore-harness-cdk:lingering-interfaces", why)
        self.agent.add_endpoint("PROD", version=Version.latest())
        self.agent.add_outputs()
        self.agent.acknowledge_wildcards()


class CodingAgent(Stack):
    """Works on a repository, with an image and a workspace of its own; every tool call is announced."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Deploys the agent, the image it works in, and the topic its tool calls are announced on."""
        super().__init__(scope, construct_id)
        key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.DESTROY)
        audit = sns.Topic(self, "ToolCalls", master_key=key, enforce_ssl=True)
        testing = Skill.git("https://github.com/anthropics/skills", path="skills/webapp-testing", ref="main")
        agent = Harness(
            self,
            "Agent",
            harness_name="coding_agent",
            model=Model.bedrock("global.anthropic.claude-sonnet-4-6", max_tokens=8192),
            system_prompt="You change code in /mnt/workspace. Make small steps, run the tests, explain each change.",
            allowed_tools=["@builtin"],
            memory=Memory.disabled(),
            image=HarnessImage.from_codebuild(EXAMPLES / "coding_image"),
            filesystems=[FileSystem.session("/mnt/workspace")],
            skills=[testing],
            hooks=[Hook.before_tool_call("announce", audit), Hook.after_invocation("done", audit)],
            timeout=Duration.minutes(30),
        )
        why = "a workspace lasts for one task; what is done is pushed"
        Annotations.of(agent).acknowledge_warning("@agentcore-harness-cdk:session-storage-only", why)
        agent.allow_override(model=Model.bedrock("global.anthropic.claude-opus-4-6-v1"))  # designs are worth more
        agent.add_endpoint("PROD", version=Version.latest())
        agent.add_outputs()
        agent.acknowledge_wildcards()


class CheckedBrief(Stack):
    """A workflow over two of them: one researches and publishes, the other checks what was written."""

    def __init__(self, scope: Construct, construct_id: str, researcher: Harness, analyst: Harness) -> None:
        """Deploys the state machine: `{"topic": "…"}` in, brief and verdict out."""
        super().__init__(scope, construct_id)
        research = AgentTurn(
            self,
            "Research",
            harness=researcher,
            prompt=text("Write and publish a brief about: ", jsonata("$states.input.topic")),
        )
        check = InvokeHarness(
            self,
            "Check",
            harness=analyst,
            prompt=text("Check every number and date in this brief: ", jsonata("$states.input.text")),
            outputs={
                "brief": jsonata("$states.input.text"),
                # An expression that finds nothing fails the state, so these hold without a call and without a text.
                "published": jsonata("'success' in $states.input.toolCalls[name = 'publish_brief'].status"),
                "verdict": DEFAULT_OUTPUTS["text"],
            },
        )
        log_group = logs.LogGroup(self, "Logs", retention=logs.RetentionDays.ONE_MONTH)
        machine = sfn.StateMachine(
            self,
            "Workflow",
            definition_body=sfn.DefinitionBody.from_chainable(sfn.Chain.start(research).next(check)),
            query_language=sfn.QueryLanguage.JSONATA,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL),
            tracing_enabled=True,
        )
        CfnOutput(self, "WorkflowArn", value=machine.state_machine_arn)
        loop = f"<{self.get_logical_id(research.loop.function.node.default_child)}.Arn>:*"
        answers = {
            "IAM5[Resource::*]": "tracing and the delivery of logs have no resources to name",
            f"IAM5[Resource::{loop}]": "aws-cdk-lib lets a state call every version of its function",
        }
        Validations.of(machine.role).acknowledge(
            *(
                Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=why)
                for finding, why in answers.items()
            )
        )


app = App()
Validations.of(app).add_plugins(AwsSolutionsChecks())
research = ResearchAgent(app, "ResearchAgent")
analytics = AnalyticsAgent(app, "AnalyticsAgent")
CodingAgent(app, "CodingAgent")
CheckedBrief(app, "CheckedBrief", research.agent, analytics.agent)
app.synth()
