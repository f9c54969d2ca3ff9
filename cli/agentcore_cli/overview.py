"""A harness in words: what `list` and `describe` show of the shapes of GetHarness and its lists. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentcore_cli.loggroups import group_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEADER: Final = ("NAME", "STATUS", "VERSION", "MODEL", "ENDPOINTS", "UPDATED")
_VERSIONS_SHOWN: Final = 10


def row(harness: Mapping[str, Any]) -> tuple[str, ...]:
    """One harness in the list; a summary of ListHarnesses with `model` and `endpoints` where they are known."""
    return (
        str(harness["harnessName"]),
        str(harness["status"]),
        str(harness["harnessVersion"]),
        model_id(harness.get("model")),
        ", ".join(endpoint_version(endpoint) for endpoint in harness.get("endpoints", ())),
        moment(harness["updatedAt"]),
    )


def model_id(model: Mapping[str, Any] | None) -> str:
    """The id of a model configuration, with its provider where that is not Bedrock."""
    if not model:
        return ""
    kind, settings = next(iter(model.items()))
    provider = "" if kind == "bedrockModelConfig" else f" ({kind.removesuffix('ModelConfig')})"
    return f"{settings.get('modelId', '?')}{provider}"


def endpoint_version(endpoint: Mapping[str, Any]) -> str:
    """Name and version; `3→4` while it moves, and the status when it is not READY."""
    live, wanted = endpoint.get("liveVersion"), endpoint.get("targetVersion")
    version = f"{live or '?'}→{wanted}" if wanted and wanted != live else str(live or "?")
    status = "" if endpoint.get("status") == "READY" else f" ({endpoint.get('status')})"
    return f"{endpoint['endpointName']}={version}{status}"


def moment(value: Any) -> str:
    """A time in UTC, to the second."""
    return f"{value:%Y-%m-%d %H:%M:%SZ}" if hasattr(value, "strftime") else str(value)


def described(
    harness: Mapping[str, Any], endpoints: Sequence[Mapping[str, Any]], versions: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Names and values for `describe`; what is not set is left out, values of variables are never shown."""
    runtime = harness.get("environment", {}).get("agentCoreRuntimeEnvironment", {})
    runtime_id = str(runtime.get("agentRuntimeId", ""))
    rows = [
        ("name", str(harness["harnessName"])),
        ("arn", str(harness["arn"])),
        ("status", " · ".join(filter(None, [str(harness["status"]), harness.get("failureReason")]))),
        ("version", str(harness["harnessVersion"])),
        ("created", moment(harness["createdAt"])),
        ("updated", moment(harness["updatedAt"])),
        ("model", model_id(harness.get("model"))),
        ("role", str(harness["executionRoleArn"])),
        ("tools", "\n".join(_tool(tool) for tool in harness.get("tools", ()))),
        ("allowed tools", ", ".join(harness.get("allowedTools", ()))),
        ("skills", "\n".join(_skill(skill) for skill in harness.get("skills", ()))),
        ("memory", _memory(harness.get("memory", {}))),
        ("truncation", str(harness.get("truncation", {}).get("strategy", ""))),
        ("hooks", "\n".join(_hook(hook) for hook in harness.get("hooks", ()))),
        ("limits", _limits(harness)),
        ("variables", ", ".join(sorted(harness.get("environmentVariables", {})))),
        ("network", str(runtime.get("networkConfiguration", {}).get("networkMode", ""))),
        ("authorizer", ", ".join(harness.get("authorizerConfiguration") or {})),
        ("endpoints", "\n".join(endpoint_version(endpoint) for endpoint in endpoints)),
        ("versions", _versions(versions)),
        ("log groups", "\n".join(group_name(runtime_id, e["endpointName"]) for e in endpoints) if runtime_id else ""),
    ]
    return [(name, value) for name, value in rows if value]


def _tool(tool: Mapping[str, Any]) -> str:
    return " ".join(filter(None, [tool.get("name"), f"({tool['type']})"]))


def _skill(skill: Mapping[str, Any]) -> str:
    kind, settings = next(iter(skill.items()))
    if isinstance(settings, str):
        return settings
    parts = [settings.get("uri"), settings.get("url"), settings.get("path"), ", ".join(settings.get("paths", ()))]
    return " ".join(filter(None, [f"{kind}:", *parts]))


def _memory(memory: Mapping[str, Any]) -> str:
    if not memory:
        return ""
    kind, settings = next(iter(memory.items()))
    word = {"managedMemoryConfiguration": "managed", "agentCoreMemoryConfiguration": "existing"}.get(kind, kind)
    return " ".join(filter(None, [word, settings.get("arn")]))


def _hook(hook: Mapping[str, Any]) -> str:
    event, settings = next(iter(hook.items()))
    kind, target = next(iter(settings["target"].items()))
    return f"{settings['name']} ({event} → {kind} {target.get('arn', '?')})"


def _limits(harness: Mapping[str, Any]) -> str:
    known = ("maxIterations", "maxTokens", "timeoutSeconds")
    return ", ".join(f"{name} {harness[name]}" for name in known if harness.get(name) is not None)


def _versions(versions: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(versions, key=lambda version: int(version["harnessVersion"]), reverse=True)
    lines = [f"{version['harnessVersion']}  {moment(version['updatedAt'])}" for version in ordered[:_VERSIONS_SHOWN]]
    more = len(ordered) - len(lines)
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])
