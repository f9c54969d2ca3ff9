"""The three reference agents of Amazon Bedrock AgentCore harness, one stack each, as a user would write them.

`cdk deploy --all` stands them up on AWS; `make demo` does the same on the local cloud and talks to them.
"""

from __future__ import annotations

from aws_cdk import Acknowledgment, App, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from agentcore_constructs import Environment, FileSystem, Harness, Hook, Memory, Model, Skill, Tool, Truncation, Version


class ResearchAgent(Stack):
    """Reads the web, writes documents, and remembers what each reader cares about."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Deploys the agent and its PROD endpoint."""
        super().__init__(scope, construct_id)
        agent = Harness(
            self,
            "Agent",
            harness_name="research_agent",
            model=Model.bedrock("global.anthropic.claude-sonnet-4-6", temperature=0.3),
            system_prompt="You research a topic, compare sources, and write a short, well-structured brief with links.",
            tools=[
                Tool.browser(),
                Tool.remote_mcp("https://knowledge-mcp.global.api.aws", name="aws_docs"),
            ],
            skills=[Skill.git("https://github.com/anthropics/skills", path="skills/docx")],
            memory=Memory.managed(strategies=["SEMANTIC", "USER_PREFERENCE"], expiry=Duration.days(90)),
            truncation=Truncation.summarization(ratio=0.3, preserve_recent=10),
            max_iterations=40,
            timeout=Duration.minutes(10),
        )
        agent.add_endpoint("PROD", version=Version.latest())
        agent.add_outputs()
        agent.acknowledge_wildcards()


class AnalyticsAgent(Stack):
    """Answers questions about the curated part of a data lake; its role reads that, and nothing else."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Deploys the agent beside its data bucket."""
        super().__init__(scope, construct_id)
        data = s3.Bucket(self, "Data", enforce_ssl=True, server_access_logs_prefix="access-logs/")
        agent = Harness(
            self,
            "Agent",
            harness_name="analytics_agent",
            system_prompt="You answer questions about our data. Inspect before you compute, and show the numbers.",
            tools=[Tool.code_interpreter()],
            skills=[Skill.aws("core-skills/*")],
            environment=Environment.public(idle_timeout=Duration.minutes(5)),
            environment_variables={"DATA": data.s3_url_for_object("curated/")},
            max_iterations=30,
            timeout=Duration.minutes(10),
        )
        curated = data.arn_for_objects("curated/*")
        agent.add_to_role_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=[curated]))
        listing = iam.PolicyStatement(actions=["s3:ListBucket"], resources=[data.bucket_arn])
        listing.add_condition("StringLike", {"s3:prefix": "curated/*"})
        agent.add_to_role_policy(listing)
        agent.add_endpoint("PROD", version=Version.latest())
        agent.add_outputs()
        agent.acknowledge_wildcards()
        finding = f"IAM5[Resource::<{self.get_logical_id(data.node.default_child)}.Arn>/curated/*]"
        answer = Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason="new objects arrive there every day")
        Validations.of(agent.execution_role).acknowledge(answer)


class CodingAgent(Stack):
    """Works on a repository in a workspace that outlives a session's microVM; every tool call is announced."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Deploys the agent and the topic its tool calls are announced on."""
        super().__init__(scope, construct_id)
        key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.DESTROY)
        audit = sns.Topic(self, "ToolCalls", master_key=key, enforce_ssl=True)
        agent = Harness(
            self,
            "Agent",
            harness_name="coding_agent",
            model=Model.bedrock("global.anthropic.claude-sonnet-4-6", max_tokens=8192),
            system_prompt="You change code in /mnt/workspace. Make small steps, run the tests, explain each change.",
            allowed_tools=["@builtin"],
            memory=Memory.disabled(),
            filesystems=[FileSystem.session("/mnt/workspace")],
            hooks=[Hook.before_tool_call("announce", audit), Hook.after_invocation("done", audit)],
            timeout=Duration.minutes(30),
        )
        agent.allow_override(model=Model.bedrock("global.anthropic.claude-opus-4-6-v1"))  # designs are worth more
        agent.add_endpoint("PROD", version=Version.latest())
        agent.add_outputs()
        agent.acknowledge_wildcards()


app = App()
Validations.of(app).add_plugins(AwsSolutionsChecks())
ResearchAgent(app, "ResearchAgent")
AnalyticsAgent(app, "AnalyticsAgent")
CodingAgent(app, "CodingAgent")
app.synth()
