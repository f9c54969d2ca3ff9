"""What one invocation will do: the harness' configuration, overridden by the request, completed by the defaults.

Pure: an `Invocation` goes in, a `Plan` comes out, or `RequestRefused` says what the request got wrong beyond the shapes
that the server has checked already.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_local.faults import RequestRefused
from agentcore_local.harness import defaults

if TYPE_CHECKING:
    from agentcore_local.agents.invocation import Invocation

DEFAULT_ACTOR = "default"


@dataclass(frozen=True, slots=True)
class ToolConfig:
    """One entry of ``tools``.

    Attributes:
        type: ``HarnessToolType``.
        name: The name given, else the one inferred from the configuration.
        config: The member of ``HarnessToolConfiguration`` that belongs to the type; empty when it was left out.
    """

    type: str
    name: str
    config: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """One invocation, ready to run. Field names follow the API; see `resolve` for where each value comes from.

    `harness` is the serving version as GetHarness shows it, for what no request can override: role, memory, machine.
    What may hold secrets, and what is said, is not in the repr.
    """

    account: str
    region: str
    endpoint: str
    harness_arn: str
    harness_name: str
    version: str
    session_id: str
    actor_id: str
    messages: list[dict[str, Any]] = field(repr=False)
    model: dict[str, Any] = field(repr=False)
    system_prompt: list[dict[str, Any]] = field(repr=False)
    tools: tuple[ToolConfig, ...]
    skills: tuple[dict[str, Any], ...] = field(repr=False)
    allowed_tools: tuple[str, ...] | None
    truncation: dict[str, Any]
    hooks: tuple[dict[str, Any], ...]
    max_iterations: int
    max_tokens: int | None
    timeout_seconds: int
    environment_variables: dict[str, str] = field(repr=False)
    mount_paths: tuple[str, ...]
    idle_seconds: int
    lifetime_seconds: int
    has_memory: bool
    harness: dict[str, Any] = field(repr=False)
    caller_token: str | None = field(repr=False)

    @property
    def model_id(self) -> str:
        """The model's id, whichever of the four providers it belongs to."""
        return str(next(iter(self.model.values()))["modelId"])


def resolve(invocation: Invocation) -> Plan:
    """Merge harness, request and defaults.

    A request's ``tools``, ``skills``, ``allowedTools``, ``systemPrompt`` and ``model`` replace the harness' own
    (botocore's documentation of InvokeHarness); hooks, truncation, environment and memory cannot be overridden.

    Raises:
        RequestRefused: ``ValidationException`` for values the shapes allow and the service does not.
    """
    harness, request = invocation.harness, invocation.request
    runtime = harness.get("environment", {}).get("agentCoreRuntimeEnvironment", {})
    lifecycle = runtime.get("lifecycleConfiguration", {})

    def effective(name: str, default: Any = None) -> Any:
        value = request.get(name)
        if value is None:
            value = harness.get(name)
        return default if value is None else value

    allowed = effective("allowedTools")
    return Plan(
        account=invocation.account,
        region=invocation.region,
        endpoint=invocation.endpoint,
        harness_arn=harness["arn"],
        harness_name=harness["harnessName"],
        version=str(harness.get("harnessVersion", "1")),
        session_id=request["runtimeSessionId"],
        actor_id=request.get("actorId") or _memory_actor(harness) or DEFAULT_ACTOR,
        messages=_messages(request["messages"]),
        model=effective("model") or dict(defaults.MODEL),
        system_prompt=effective("systemPrompt", []),
        tools=_tools(effective("tools", [])),
        skills=tuple(effective("skills", [])),
        allowed_tools=None if allowed is None else tuple(allowed),
        truncation=harness.get("truncation") or dict(defaults.TRUNCATION),
        hooks=tuple(harness.get("hooks") or ()),
        max_iterations=_positive("maxIterations", effective("maxIterations", defaults.MAX_ITERATIONS)),
        max_tokens=_optional_positive("maxTokens", effective("maxTokens")),
        timeout_seconds=_positive("timeoutSeconds", effective("timeoutSeconds", defaults.TIMEOUT_SECONDS)),
        environment_variables=dict(harness.get("environmentVariables") or {}),
        mount_paths=tuple(
            settings["mountPath"].rstrip("/")
            for item in runtime.get("filesystemConfigurations") or []
            for settings in item.values()
        ),
        idle_seconds=lifecycle.get("idleRuntimeSessionTimeout", defaults.IDLE_SECONDS),
        lifetime_seconds=lifecycle.get("maxLifetime", defaults.LIFETIME_SECONDS),
        has_memory="disabled" not in (harness.get("memory") or {}),
        harness=harness,
        caller_token=invocation.caller_token,
    )


def _memory_actor(harness: dict[str, Any]) -> str | None:
    memory = harness.get("memory") or {}
    actor = memory.get("agentCoreMemoryConfiguration", {}).get("actorId")
    return str(actor) if actor else None


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise RequestRefused.invalid(f"{name} must be at least 1; received {value}; leave it out for the default.")
    return value


def _optional_positive(name: str, value: int | None) -> int | None:
    return None if value is None else _positive(name, value)


def _messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not messages:
        raise RequestRefused.invalid("messages must hold at least one message; received none; send the user's message.")
    for index, message in enumerate(messages):
        if not message["content"]:
            raise RequestRefused.invalid(
                f"messages[{index}].content must hold at least one block; received none; add a text block."
            )
    if any("toolUse" in block for block in messages[-1]["content"]):
        raise RequestRefused.invalid(
            f"messages[{len(messages) - 1}].content must not hold a toolUse block: only the model asks for tools; "
            "received one in the last message; send the toolResult alone, the session knows the call it answers."
        )
    return [
        {"role": message["role"], "content": [_block(block) for block in message["content"]]} for message in messages
    ]


def _block(block: dict[str, Any]) -> dict[str, Any]:
    """A content block with its blob as bytes; JSON has it in base64."""
    redacted = block.get("reasoningContent", {}).get("redactedContent")
    if isinstance(redacted, str):
        return {"reasoningContent": {"redactedContent": base64.b64decode(redacted)}}
    return block


def _tools(tools: list[dict[str, Any]]) -> tuple[ToolConfig, ...]:
    resolved = tuple(_tool(tool) for tool in tools)
    seen: set[str] = set()
    for tool in resolved:
        if tool.name in seen:
            raise RequestRefused.invalid(
                f"tools must have unique names, also those without a name of their own; received {tool.name!r} twice; "
                "rename one of them."
            )
        seen.add(tool.name)
    return resolved


def _tool(tool: dict[str, Any]) -> ToolConfig:
    kind = tool["type"]
    config = (tool.get("config") or {}).get(defaults.TOOL_CONFIG[kind], {})
    schema = config.get("inputSchema", {})
    if not isinstance(schema, dict):  # a document to botocore, a JSON schema to the model
        raise RequestRefused.invalid(
            f"inlineFunction.inputSchema must be a JSON object; received {type(schema).__name__}; give a JSON schema."
        )
    return ToolConfig(type=kind, name=tool.get("name") or _inferred_name(kind, config), config=config)


def _inferred_name(kind: str, config: dict[str, Any]) -> str:
    """A name for a tool that was given none; the service infers one too, how is not documented."""
    if kind == "agentcore_gateway":
        identifier: str = config["gatewayArn"].rsplit("/", 1)[-1]
        return identifier.rsplit("-", 1)[0][:64]
    return {"agentcore_browser": "browser", "agentcore_code_interpreter": "code_interpreter"}.get(kind, kind)
