"""The harness: an agent as configuration, with the role it needs and nothing more."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from agentcore_constructs.config import (
    Deferred,
    Fault,
    FilesystemConfiguration,
    HarnessAuthorizer,
    HarnessConfig,
    HarnessConfigError,
    HarnessEnvironment,
    HarnessEnvironmentArtifact,
    HarnessHook,
    HarnessMemoryConfiguration,
    HarnessModelConfiguration,
    HarnessSkill,
    HarnessTool,
    HarnessTruncationConfiguration,
    SystemContentBlock,
)
from agentcore_constructs.config.unique import UnmatchedTool, unmatched_allowed_tools
from agentcore_constructs.tools.registry import inline_tools_of

from . import l1, messages, offers
from .base import HarnessBase
from .defaults import completed
from .endpoint import HarnessEndpoint, Version
from .execution import Execution, has_managed_memory
from .given import path_of, refuse_what_cannot_be, with_mounts
from .host import HarnessHost
from .messages import AtSynthesis
from .role import place_of
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from constructs import Construct

    from agentcore_constructs.config.inline import InlineTool

    from .network import Network
    from .policy import Needs

_MAX_NAME = 40


@jsii.implements(ec2.IConnectable)
class Harness(HarnessBase):
    """An agent on Amazon Bedrock AgentCore harness: `AWS::BedrockAgentCore::Harness` and its execution role.

    Every argument is optional: an empty `Harness(self, "Agent")` is an agent on the service's default model with
    managed memory and the built-in tools.

    What replaces the harness, and with it managed memory and session storage: another `harness_name`, and another key
    of a managed memory. A replacement needs another name too, since CloudFormation makes the new one first. Everything
    else is an update, and every update makes a new version.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        model: HarnessModelConfiguration | Deferred | None = None,
        system_prompt: str | Sequence[str | SystemContentBlock] | None = None,
        tools: Sequence[HarnessTool | Deferred] | None = None,
        skills: Sequence[HarnessSkill | Deferred] | None = None,
        memory: HarnessMemoryConfiguration | Deferred | None = None,
        allowed_tools: Sequence[str] | None = None,
        environment: HarnessEnvironment | Deferred | None = None,
        filesystems: Sequence[FilesystemConfiguration | Deferred] = (),
        image: HarnessEnvironmentArtifact | Deferred | None = None,
        hooks: Sequence[HarnessHook | Deferred] | None = None,
        authorizer: HarnessAuthorizer | Deferred | None = None,
        truncation: HarnessTruncationConfiguration | None = None,
        max_iterations: int | None = None,
        max_tokens: int | None = None,
        timeout: cdk.Duration | int | None = None,
        environment_variables: Mapping[str, str] | None = None,
        execution_role: iam.IRole | str | None = None,
        harness_name: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the harness.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            model: Made by `Model`; Claude Sonnet 4.6 through its global inference profile unless given.
            system_prompt: What the agent is and does: one text or several.
            tools: Made by `Tool`, with different names.
            skills: Made by `Skill`.
            memory: Made by `Memory`; managed unless given, which the service bills.
            allowed_tools: Which tools it may use, by name or glob; every one unless given. No security boundary: see
                `grant_run_command`.
            environment: Made by `Environment`: network and lifetime of sessions; the public network unless given.
            filesystems: Made by `FileSystem`: at most 5 mounts, in addition to those of the environment.
            image: Made by `HarnessImage`; the service's own unless given.
            hooks: Made by `Hook`: at most 20, with different names.
            authorizer: Made by `Authorizer`; IAM unless given.
            truncation: Made by `Truncation`; a sliding window unless given.
            max_iterations: Of the loop in one invocation, at least 1; 75 unless given.
            max_tokens: Of output in one invocation, at least 1; unlimited unless given.
            timeout: Of one invocation: a `Duration` or seconds, at least 1; 3600 seconds unless given.
            environment_variables: At most 50, for the session. No place for secrets: they can be read by whoever can
                read the harness.
            execution_role: A `HarnessExecutionRole` or another role of this app, which gets what the configuration
                needs; or an imported role or an ARN, which gets nothing and a warning that lists what it must carry.
                One is made unless given.
            harness_name: Physical name: a letter, then letters, digits and '_'; at most 40 characters. Derived from the
                construct's path unless given.
            tags: At most 50. They flow to what the service makes for the harness; `cdk.Tags.of(harness)` works too.

        Raises:
            HarnessConfigError: The service would refuse the configuration; with every fault there is.
        """
        super().__init__(scope, construct_id)
        self._name = harness_name or cdk.Names.unique_resource_name(self, max_length=_MAX_NAME, separator="_")
        self._role_given = execution_role
        self._host = host = HarnessHost(self, self._name, lambda: self._execution.role)

        def given() -> HarnessConfig:
            config = HarnessConfig.create(
                harness_name=harness_name,
                execution_role_arn=execution_role,
                model=bound_model,
                system_prompt=system_prompt,
                tools=bound_tools,
                skills=bound_skills,
                allowed_tools=allowed_tools,
                memory=bound_memory,
                environment=with_mounts(bound_environment, bound_mounts),
                environment_artifact=bound_image,
                environment_variables=environment_variables,
                authorizer_configuration=bound_authorizer,
                truncation=truncation,
                hooks=bound_hooks,
                max_iterations=max_iterations,
                max_tokens=max_tokens,
                timeout_seconds=timeout,
                tags=tags,
            )
            refuse_what_cannot_be(config, place_of(self))
            return config

        try:
            # The user of the image owns the files of mounts, and mounts need to know the network.
            bound_image = host.bound(image, "environmentArtifact")
            bound_environment = host.bound(environment, "environment")
            bound_mounts = host.bound(filesystems, "filesystems")
            bound_memory = host.bound(memory, "memory")
            bound_model = host.bound(model, "model")
            bound_tools = host.bound(tools, "tools")
            bound_skills = host.bound(skills, "skills")
            bound_hooks = host.bound(hooks, "hooks")
            bound_authorizer = host.bound(authorizer, "authorizerConfiguration")
            self._given: HarnessConfig = host.checked(given)
        except HarnessConfigError as error:
            raise error.about(self._subject()) from None
        self._config = completed(self._given, harness_name=self._name, execution_role_arn=self._execution.role_arn)
        self._acknowledged = False
        self._checks_allowed_tools = False
        native, members = self._config.without_api_only()
        self._resource = agentcore.CfnHarness(self, "Resource", **native.to_l1())
        for path, value in l1.overrides(native).items():
            self._resource.add_property_override(path, value)
        self._settings = Settings(self, self._resource, self._execution.role_arn)
        self._settings.apply(self._config, members)
        self._acknowledge()
        # The service tries the role when it makes the harness: without its policies that ends in NotStabilized.
        policies = self._execution.allow(self._config)
        self._resource.node.add_dependency(self._execution.role, *policies)
        if has_managed_memory(self._config):
            self._execution.allow_managed_memory(self.managed_memory_arn)
        self._execution.warn(self._config)
        self._check_allowed_tools()
        host.made(self, self._resource)

    # ---- making ------------------------------------------------------------------------------------------------------

    @classmethod
    def from_config(cls, scope: Construct, construct_id: str, config: Mapping[str, Any] | str | Path) -> Harness:
        """Makes a harness from what `aws bedrock-agentcore-control create-harness --cli-input-json` takes.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            config: A dict in the API's shape, or the path of a JSON or YAML file. `harnessName`, `executionRoleArn` and
                `model` may be left out.

        Raises:
            HarnessConfigError: With every fault there is: unknown and misspelt keys at any depth as well.
        """
        try:
            parsed = HarnessConfig.parse(config)
        except HarnessConfigError as error:
            raise error.about(f"The harness {path_of(scope, construct_id)}") from None
        return cls(
            scope,
            construct_id,
            model=parsed.model,
            system_prompt=parsed.system_prompt,
            tools=parsed.tools,
            skills=parsed.skills,
            memory=parsed.memory,
            allowed_tools=parsed.allowed_tools,
            environment=parsed.environment,
            image=parsed.environment_artifact,
            hooks=parsed.hooks,
            authorizer=parsed.authorizer_configuration,
            truncation=parsed.truncation,
            max_iterations=parsed.max_iterations,
            max_tokens=parsed.max_tokens,
            timeout=parsed.timeout_seconds,
            environment_variables=parsed.environment_variables,
            execution_role=parsed.execution_role_arn,
            harness_name=parsed.harness_name,
            tags=parsed.tags,
        )

    def to_config(self, *, complete: bool = False) -> dict[str, Any]:
        """Returns the configuration as `create-harness --cli-input-json` takes it.

        Args:
            complete: False gives what was given, so that a file comes back equal; True adds the derived name, the role,
                the model and the memory where they were left out. Values known at deployment alone are tokens.
        """
        return (self._config if complete else self._given).to_api()

    # ---- attributes --------------------------------------------------------------------------------------------------

    @property
    def harness_arn(self) -> str:
        """ARN of the harness."""
        return self._resource.attr_arn

    @property
    def harness_id(self) -> str:
        """Id of the harness: its name, a hyphen and ten characters."""
        return self._resource.attr_harness_id

    @property
    def harness_name(self) -> str:
        """Physical name of the harness."""
        return self._name

    @property
    def harness_version(self) -> str:
        """The version the last deployment made; every update makes one."""
        return self._settings.version

    @property
    def managed_memory_arn(self) -> str:
        """ARN of the memory the service makes with the harness.

        Raises:
            HarnessConfigError: The harness has no managed memory.
        """
        if not has_managed_memory(self._config):
            fault = Fault("memory", "must be managed to have an ARN here", "another memory", "use Memory.managed(…)")
            raise HarnessConfigError([fault], self._subject())
        return self._resource.attr_memory_managed_memory_configuration_arn

    @property
    def runtime_arn(self) -> str:
        """ARN of the AgentCore Runtime behind the harness, which metrics and log delivery refer to.

        It cannot be invoked itself: calls and grants are for the harness.
        """
        return self._resource.attr_environment_agent_core_runtime_environment_agent_runtime_arn

    @property
    def runtime_id(self) -> str:
        """Id of the runtime behind the harness; log groups are `/aws/bedrock-agentcore/runtimes/<id>-<endpoint>`."""
        return self._resource.attr_environment_agent_core_runtime_environment_agent_runtime_id

    @property
    def execution_role(self) -> iam.IRole:
        """The role the harness runs as."""
        return self._execution.role

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The execution role: what is granted to the harness is granted to it."""
        return self._execution.role

    @property
    def connections(self) -> ec2.Connections:
        """What sessions may connect to and from: `database.connections.allow_default_port_from(harness)`.

        Raises:
            HarnessConfigError: Sessions are on the public network, or in a VPC of which only ids are known.
        """
        if self._host.network is None:
            fault = Fault(
                "environment",
                "must be made from a VPC to have connections",
                "another environment",
                "use Environment.vpc(vpc)",
            )
            raise HarnessConfigError([fault], self._subject())
        return self._host.network.connections

    @property
    def network(self) -> Network | None:
        """The VPC that sessions are in; None on the public network, and where only ids of a VPC's parts are known."""
        return self._host.network

    @property
    def config(self) -> HarnessConfig:
        """The configuration as it is now, with what was left out written out."""
        return self._config

    @property
    def needs(self) -> Needs:
        """What the execution role needs now, for the configuration and for what calls may override."""
        return self._execution.needs(self._config)

    @property
    def inline_tools(self) -> tuple[InlineTool, ...]:
        """The tools it was given as `InlineTool`, in the order it took them: with their functions and approvals.

        Whoever calls the harness runs them. Tools in the API's shape, such as `Tool.inline(name, …)`, are not among
        them: nothing is known of how they are run.
        """
        return inline_tools_of(self)

    @cached_property
    def _execution(self) -> Execution:
        return Execution(self, self._name, self._role_given)

    @property
    def is_jwt_authorized(self) -> bool:
        """Whether callers come with a token of an identity provider, and not with IAM."""
        authorizer = self._config.authorizer_configuration
        return authorizer is not None and authorizer.custom_jwt_authorizer is not None

    # ---- changing ----------------------------------------------------------------------------------------------------

    def add_tool(self, tool: HarnessTool | Deferred) -> None:
        """Adds a tool, with what the role needs for it.

        Raises:
            HarnessConfigError: The tool, or all of them together, would be refused.
        """
        self._add("tools", tool)

    def add_skill(self, skill: HarnessSkill | Deferred) -> None:
        """Adds a skill, with what the role needs for it.

        Raises:
            HarnessConfigError: The skill would be refused.
        """
        self._add("skills", skill)

    def add_hook(self, hook: HarnessHook | Deferred) -> None:
        """Adds a hook, with what the role needs for it.

        Raises:
            HarnessConfigError: The hook, or all of them together, would be refused.
        """
        self._add("hooks", hook)

    def add_endpoint(
        self,
        endpoint_name: str,
        *,
        version: Version | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> HarnessEndpoint:
        """Adds a named endpoint; arguments as of `HarnessEndpoint`.

        Raises:
            HarnessConfigError: A name, description, version or tag the service would refuse.
        """
        return HarnessEndpoint(
            self,
            f"Endpoint{endpoint_name}",
            harness=self,
            endpoint_name=endpoint_name,
            version=version,
            description=description,
            tags=tags,
        )

    def add_to_role_policy(self, statement: iam.PolicyStatement) -> bool:
        """Adds a statement to the execution role, before the harness is made.

        Do not refer to the harness itself in it: the harness waits for its role's policies.

        Returns:
            False when the role is imported and cannot be changed.
        """
        return self._execution.role.add_to_principal_policy(statement).statement_added

    def allow_override(
        self,
        *,
        model: HarnessModelConfiguration | Deferred | None = None,
        tools: Sequence[HarnessTool | Deferred] = (),
        skills: Sequence[HarnessSkill | Deferred] = (),
    ) -> None:
        """Lets the role do what calls may override: another model, other tools or skills.

        The configuration stays as it is. Without this a call that overrides the model ends in AccessDenied.

        Args:
            model: A model that calls switch to.
            tools: Tools that calls bring along.
            skills: Skills that calls bring along.

        Raises:
            HarnessConfigError: One of them would be refused.
        """
        bound = {
            name: self._host.bound(value, name) or None
            for name, value in (("model", model), ("tools", list(tools)), ("skills", list(skills)))
        }
        try:
            extra = self._host.checked(lambda: HarnessConfig.create(**bound))
        except HarnessConfigError as error:
            raise error.about(f"What calls of {self.node.path} may override") from None
        self._execution.allow_override(extra)
        self._allow()

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag (AwsSolutions-IAM5) the reason for every wildcard in the execution role's policies.

        Each reason is the one of docs/iam.md. Statements added with `add_to_role_policy` or by grants are yours to
        answer for and are not acknowledged.
        """
        self._execution.acknowledge_wildcards()

    def add_outputs(self) -> None:
        """Adds outputs to the stack: `HarnessArn`, `HarnessId` and `ExecutionRoleArn`, each with the path in front."""
        cdk.CfnOutput(self, "HarnessArn", value=self.harness_arn, description="Invoke the harness by this ARN.")
        cdk.CfnOutput(self, "HarnessId", value=self.harness_id, description="Id of the harness in the control plane.")
        cdk.CfnOutput(
            self, "ExecutionRoleArn", value=self._execution.role_arn, description="The role the harness runs as."
        )

    # ---- within ------------------------------------------------------------------------------------------------------

    def _add(self, field: str, item: Any) -> None:
        there = getattr(self._given, field) or ()
        self._change(**{field: (*there, self._host.bound(item, f"{field}[{len(there)}]"))})

    def _change(self, **changes: Any) -> None:
        def changed() -> HarnessConfig:
            config = self._given.updated(**changes)
            refuse_what_cannot_be(config, place_of(self))
            return config

        try:
            given = self._host.checked(changed)
        except HarnessConfigError as error:
            raise error.about(self._subject()) from None
        self._given = given
        self._config = self._config.model_copy(update={name: getattr(given, name) for name in changes})
        native, members = self._config.without_api_only()
        rendered = native.to_l1()
        # What tools say of themselves is written in the allowed tools of the harness.
        for name in {*changes, "allowed_tools"} if "tools" in changes else changes:
            setattr(self._resource, name, rendered.get(name))
        self._settings.apply(self._config, members)
        self._acknowledge()
        self._allow()
        self._execution.warn_of_hooks(changes.get("hooks", ())[-1:])
        self._execution.warn_of_tools(changes.get("tools", ())[-1:])
        self._check_allowed_tools()

    def _allow(self) -> None:
        if made := self._execution.allow(self._config):
            self._resource.node.add_dependency(*made)

    def _check_allowed_tools(self) -> None:
        # The tool that an entry names may still be added, so it is asked again at synthesis; an aspect calls back from
        # jsii, so there is one only where there is something to ask.
        if self._checks_allowed_tools:
            return
        if any(self._unmatched_tools()) or any(self._unoffered_tools(complete=False)):
            self._checks_allowed_tools = True
            cdk.Aspects.of(self._resource).add(AtSynthesis(self._warn_of_allowed_tools))

    def _warn_of_allowed_tools(self) -> None:
        for tool in self._unmatched_tools():
            messages.allowed_tool(self, tool)
        for tool in self._unoffered_tools(complete=True):
            messages.unoffered_tool(self, tool)

    def _unmatched_tools(self) -> Iterator[UnmatchedTool]:
        return unmatched_allowed_tools(self._given.allowed_tools, self._given.tools)

    def _unoffered_tools(self, *, complete: bool) -> Iterator[UnmatchedTool]:
        return offers.unoffered(self._given.allowed, self._given.tools or (), complete=complete)

    def _acknowledge(self) -> None:
        unknown = l1.unknown_to_validation(self._config)
        if unknown and not self._acknowledged:
            self._acknowledged = True
            reason = (
                f"{', '.join(unknown)}: in CloudFormation's schema of the resource, but not yet in the one "
                f"aws-cdk-lib checks "
                "against. agentcore-harness-cdk has checked the configuration itself."
            )
            acknowledgment = cdk.Acknowledgment(id=l1.UNEXPECTED_PROPERTY, reason=reason)
            cdk.Validations.of(self._resource).acknowledge(acknowledgment)

    def _subject(self) -> str:
        return f"The harness {self.node.path}"
