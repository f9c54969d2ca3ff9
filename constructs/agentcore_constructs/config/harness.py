"""The whole configuration of a harness, in one value.

Limits are those of botocore's `CreateHarness`; meanings and defaults are from
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-operations.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from .allowed_tools import derived
from .api_only import api_only_faults, template_faults, without_api_only
from .authorizer import HarnessAuthorizer
from .cdk import HasRoleArn, IsDuration, attribute, seconds
from .drafts import Drafts
from .environment import HarnessEnvironment
from .errors import Fault, HarnessConfigError, received
from .files import read
from .hooks import HarnessHook
from .image import HarnessEnvironmentArtifact
from .memory import HarnessMemoryConfiguration
from .model import HarnessModelConfiguration
from .node import Node, OneOf, fields
from .primitives import Entries, Int, Items, Text
from .render import render
from .skills import HarnessSkill
from .tags import TagMap
from .tools import HarnessTool
from .truncation import HarnessTruncationConfiguration
from .unique import allowed_tools_faults, narrowed_tools_faults, same_name_faults
from .validation import validated

HarnessName = Annotated[
    str,
    Text(
        "a name of 1–40 letters, digits and '_' that begins with a letter",
        "choose a name that fits, without hyphens",
        pattern=r"[a-zA-Z][a-zA-Z0-9_]{0,39}",
    ),
]
RoleArn = Annotated[
    str,
    Text(
        "the ARN of an IAM role (arn:aws:iam::<account>:role/<name>)",
        "pass the role or its ARN",
        min=1,
        max=2048,
        # botocore's pattern makes the account optional, CloudFormation's does not; a role always has one.
        pattern=r"arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+",
    ),
]
AllowedTool = Annotated[
    str,
    Text(
        "a tool ('shell', '@name/tool'), a glob of tools ('file_*', '@name/*') or '*'",
        "shorten long names with a glob such as '@name/*'",
        min=1,
        max=64,
        pattern=r"(\*|@?[^/]+(/[^/]+)?)",
    ),
]

_NO_TOOLS = (
    "leave it out to allow every tool, write ['*'] to say so, or ['@builtin'] for the built-in ones only: "
    "what an empty list means is not documented"
)


class SystemContentBlock(OneOf):
    """A part of the system prompt.

    Attributes:
        text: At least 1 character. Never shown in messages.
    """

    expects: ClassVar[str] = "a string, or {'text': …}"

    text: Annotated[str, Text("a text", "write the text, or leave it out", min=1, sensitive=True)] | None = None


class HarnessConfig(Node):
    """Everything CreateHarness takes. All of it is optional here: name, role and model can be derived.

    Attributes:
        harness_name: A letter, then letters, digits and '_'; 1–40 characters.
        execution_role_arn: The role the harness assumes.
        environment: Network, lifetime of sessions, mounts.
        environment_artifact: The image.
        environment_variables: At most 50; names of 1–100, values of 0–5000 characters. Values are never shown.
        authorizer_configuration: Who may call; IAM unless given.
        model: The model; the service's default unless given.
        system_prompt: What the agent is and does.
        tools: What it can use.
        skills: What it can look up.
        allowed_tools: Which tools it may use; every one unless given.
        memory: What it remembers; managed unless given.
        truncation: What happens when a conversation grows too long; a sliding window unless given.
        hooks: At most 20, with different names.
        max_iterations: Of the loop in one invocation, at least 1; 75 unless given.
        max_tokens: Of output in one invocation, at least 1; unlimited unless given.
        timeout_seconds: Of one invocation, at least 1; 3600 unless given.
        tags: At most 50.
    """

    refused: ClassVar[Mapping[str, str]] = {
        "clientToken": "makes one API call idempotent and is no configuration; remove it",
        "harnessId": "is read-only; remove it",
        "arn": "is read-only; remove it",
        "status": "is read-only; remove it",
        "failureReason": "is read-only; remove it",
        "createdAt": "is read-only; remove it",
        "updatedAt": "is read-only; remove it",
        "harnessVersion": "is read-only; remove it",
        "harness": "is the answer of GetHarness and not a request; write what is inside it, without read-only fields",
    }

    harness_name: HarnessName | None = None
    execution_role_arn: RoleArn | None = None
    environment: HarnessEnvironment | None = None
    environment_artifact: HarnessEnvironmentArtifact | None = None
    environment_variables: (
        Annotated[
            dict[
                Annotated[str, Text("a variable name", "choose a name of that length", min=1, max=100)],
                Annotated[str, Text("a string", "write a string of that length", min=0, max=5000, sensitive=True)],
            ],
            Entries("variables", min=0, max=50, fix="keep at most 50 variables"),
        ]
        | None
    ) = None
    authorizer_configuration: HarnessAuthorizer | None = None
    model: HarnessModelConfiguration | None = None
    system_prompt: Annotated[tuple[SystemContentBlock, ...], Items("texts", sensitive=True)] | None = None
    tools: Annotated[tuple[HarnessTool, ...], Items("tools")] | None = None
    skills: Annotated[tuple[HarnessSkill, ...], Items("skills")] | None = None
    allowed_tools: Annotated[tuple[AllowedTool, ...], Items("tools", min=1, fix=_NO_TOOLS)] | None = None
    memory: HarnessMemoryConfiguration | None = None
    truncation: HarnessTruncationConfiguration | None = None
    hooks: Annotated[tuple[HarnessHook, ...], Items("hooks", min=0, max=20, fix="keep at most 20 hooks")] | None = None
    max_iterations: Annotated[int, Int(ge=1, unit="iterations")] | None = None
    max_tokens: Annotated[int, Int(ge=1, unit="tokens")] | None = None
    timeout_seconds: Annotated[int, Int(ge=1, unit="seconds")] | None = None
    tags: TagMap | None = None

    @classmethod
    def create(
        cls,
        *,
        harness_name: str | None = None,
        execution_role_arn: str | HasRoleArn | None = None,
        model: HarnessModelConfiguration | None = None,
        system_prompt: str | Sequence[str | SystemContentBlock] | None = None,
        tools: Sequence[HarnessTool] | None = None,
        skills: Sequence[HarnessSkill] | None = None,
        allowed_tools: Sequence[str] | None = None,
        memory: HarnessMemoryConfiguration | None = None,
        environment: HarnessEnvironment | None = None,
        environment_artifact: HarnessEnvironmentArtifact | None = None,
        environment_variables: Mapping[str, str] | None = None,
        authorizer_configuration: HarnessAuthorizer | None = None,
        truncation: HarnessTruncationConfiguration | None = None,
        hooks: Sequence[HarnessHook] | None = None,
        max_iterations: int | None = None,
        max_tokens: int | None = None,
        timeout_seconds: int | IsDuration | None = None,
        tags: Mapping[str, str] | None = None,
        subject: str | None = None,
    ) -> HarnessConfig:
        """Makes a configuration from what the factories made.

        A dict in the API's shape may stand where a structure is expected.

        Args:
            harness_name: See the attributes of this class, for all of these.
            execution_role_arn: The role or its ARN.
            model: Made by `Model`.
            system_prompt: One text or several.
            tools: Made by `Tool`.
            skills: Made by `Skill`.
            allowed_tools: Names and globs.
            memory: Made by `Memory`.
            environment: Made by `Environment`.
            environment_artifact: Made by `HarnessImage`.
            environment_variables: Names to values.
            authorizer_configuration: Made by `Authorizer`.
            truncation: Made by `Truncation`.
            hooks: Made by `Hook`.
            max_iterations: At least 1.
            max_tokens: At least 1.
            timeout_seconds: A `Duration` or seconds, at least 1.
            tags: Keys to values.
            subject: What is configured, for the heading of the error.

        Raises:
            HarnessConfigError: With every fault there is.
        """
        values: dict[str, Any] = {
            "harness_name": harness_name,
            "execution_role_arn": attribute(execution_role_arn, "role_arn", "attr_arn"),
            "model": model,
            "system_prompt": _prompt(system_prompt),
            "tools": tools,
            "skills": skills,
            "allowed_tools": allowed_tools,
            "memory": memory,
            "environment": environment,
            "environment_artifact": environment_artifact,
            "environment_variables": environment_variables,
            "authorizer_configuration": authorizer_configuration,
            "truncation": truncation,
            "hooks": hooks,
            "max_iterations": max_iterations,
            "max_tokens": max_tokens,
            "timeout_seconds": seconds(timeout_seconds),
            "tags": tags,
        }
        drafts = Drafts(cls)
        for field in fields(cls):
            value = values[field.name]
            if value is not None and not isinstance(value, Node):
                values[field.name] = drafts.within(field.shape, value, field.api)
        return validated(cls.draft(**values), drafts.faults, subject)

    @classmethod
    def parse(cls, source: Mapping[str, Any] | str | Path, *, subject: str | None = None) -> HarnessConfig:
        """Reads a configuration in the API's own shape, as `create-harness --cli-input-json` takes it.

        Args:
            source: A dict, or the path of a JSON or YAML file.
            subject: What is configured, for the heading of the error; the file's name unless given.

        Raises:
            HarnessConfigError: With every fault there is: unknown, misspelt and snake_case keys at any depth (each with
                the right name), values beyond limits, rules broken, a file that cannot be read.
        """
        if not isinstance(source, (Mapping, str, Path)):
            fault = Fault(
                "config", "must be a dict in the API's shape, or the path of a file", received(source), "pass one"
            )
            raise HarnessConfigError([fault], subject)
        if not isinstance(source, Mapping):
            subject = subject or str(source)
            source = read(Path(source))
        drafts = Drafts(cls)
        return validated(drafts.of(cls, source), drafts.faults, subject)

    def updated(self, *, subject: str | None = None, **changes: Any) -> HarnessConfig:
        """Returns this configuration with some fields changed, checked anew as a whole.

        Args:
            subject: What is configured, for the heading of the error.
            **changes: As `create` takes them.

        Raises:
            HarnessConfigError: With every fault there is.
        """
        return HarnessConfig.create(
            subject=subject, **{**{name: getattr(self, name) for name in CONFIG_FIELDS}, **changes}
        )

    def to_api(self) -> dict[str, Any]:
        """Writes the CreateHarness request: what was parsed comes back equal."""
        rendered: dict[str, Any] = render(self._said(), "api")
        return rendered

    def to_cfn(self) -> dict[str, Any]:
        """Writes the properties of `AWS::BedrockAgentCore::Harness`.

        Raises:
            HarnessConfigError: When something is set that CloudFormation cannot say; nothing is dropped.
        """
        self._refuse_api_only()
        rendered: dict[str, Any] = render(self._said(), "cfn")
        if isinstance(self.tags, dict):
            rendered["Tags"] = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return rendered

    def to_l1(self) -> dict[str, Any]:
        """Writes the keyword arguments of `CfnHarness`: snake_case at the top, the API's names below.

        Raises:
            HarnessConfigError: When something is set that CloudFormation cannot say; nothing is dropped.
        """
        self._refuse_api_only()
        said = self._said()
        rendered = {
            name: render(said.__dict__[name], "l1") for name in CONFIG_FIELDS if said.__dict__[name] is not None
        }
        if isinstance(self.tags, dict):
            rendered["tags"] = [{"key": key, "value": value} for key, value in self.tags.items()]
        return rendered

    def to_step_functions(self) -> dict[str, Any]:
        """Writes what an invocation may override, as arguments of Step Functions' `bedrockagentcore:invokeHarness`."""
        said = self._said()
        return {
            field.cfn: render(said.__dict__[field.name], "cfn")
            for field in fields(HarnessConfig)
            if field.api in OVERRIDES and said.__dict__[field.name] is not None
        }

    def to_update_request(self) -> dict[str, Any]:
        """Writes the UpdateHarness request, without the id: all that is set here, so the rest is kept.

        Name and tags cannot be updated and are left out. An image, an authorizer and a memory are wrapped as
        `{"optionalValue": …}`, which is how the API tells setting from clearing.
        """
        request = {key: value for key, value in self.to_api().items() if key not in _NOT_UPDATED}
        return {key: {"optionalValue": value} if key in _WRAPPED else value for key, value in request.items()}

    def api_only(self) -> tuple[Fault, ...]:
        """Returns what is set that the API takes and CloudFormation cannot say."""
        return tuple(api_only_faults(self))

    def template_faults(self) -> tuple[Fault, ...]:
        """Returns what no template can carry, whatever is done after the deployment."""
        return tuple(template_faults(self))

    def without_api_only(self) -> tuple[HarnessConfig, frozenset[str]]:
        """Returns what CloudFormation can say of this, and the API names of the fields that lose something."""
        return without_api_only(self)

    def rules(self, path: str) -> Iterator[Fault]:  # noqa: ARG002  (the root's path is empty)
        """Names must be unique, and allowed tools must exist."""
        yield from same_name_faults(self.tools, self.hooks)
        yield from allowed_tools_faults(self.allowed_tools, self.tools)
        yield from narrowed_tools_faults(self.allowed_tools, self.tools)

    @property
    def allowed(self) -> tuple[str, ...] | None:
        """Which tools the agent may use: what is said here, or what the tools say of themselves."""
        told = derived(self.tools or ())
        return self.allowed_tools if told is None else told

    def _said(self) -> HarnessConfig:
        """This configuration with what its tools say of themselves written where the API has it."""
        return self if self.allowed is self.allowed_tools else self.model_copy(update={"allowed_tools": self.allowed})

    def _refuse_api_only(self) -> None:
        faults = self.api_only()
        if faults:
            raise HarnessConfigError(faults)


CONFIG_FIELDS: tuple[str, ...] = tuple(HarnessConfig.model_fields)
OVERRIDES = frozenset(
    {"model", "systemPrompt", "tools", "skills", "allowedTools", "maxIterations", "maxTokens", "timeoutSeconds"}
)
"""What one InvokeHarness call may override, in the API's names."""
_NOT_UPDATED = frozenset({"harnessName", "tags"})
_WRAPPED = frozenset({"environmentArtifact", "authorizerConfiguration", "memory"})


def _prompt(prompt: Any) -> Any:
    if isinstance(prompt, str):
        return (SystemContentBlock.draft(text=prompt),)
    if isinstance(prompt, (list, tuple)):
        return tuple(SystemContentBlock.draft(text=item) if isinstance(item, str) else item for item in prompt)
    return prompt
