"""Reads off a configuration what its execution role needs. Pure: tokens are split by a function that is handed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentcore_constructs.config import (
    FilesystemConfiguration,
    HarnessAgentCoreGatewayConfig,
    HarnessAgentCoreRuntimeEnvironment,
    HarnessBedrockModelConfig,
    HarnessConfig,
    HarnessHook,
    HarnessMemoryConfiguration,
    HarnessModelConfiguration,
    HarnessSkill,
    HarnessSkillS3Source,
    HarnessTool,
    HarnessToolConfiguration,
)
from agentcore_constructs.config.node import members
from agentcore_constructs.credentials.registry import own_secret

from . import arns
from .permissions import Need
from .policy import Item, Place

if TYPE_CHECKING:
    from .arns import Splitter

Found = Iterator[tuple[Need, Item]]

_REGION, _ACCOUNT = 3, 4
_MANTLE_FORMATS = frozenset({"responses", "chat_completions"})
_API_KEY_MARKER = "apikeycredentialprovider/"
_OAUTH_MARKER = "oauth2credentialprovider/"
# ${arn:…:apikeycredentialprovider/name} in a header: the service puts the key there. The ARN may be a CDK token or hold
# some, and those have braces of their own.
_HEADER_REFERENCE = re.compile(r"\$\{((?:\$\{Token\[[^\]]*\]\}|[^${}])+)\}")
_LITELLM_BEDROCK = re.compile(r"bedrock/(?:converse/|invoke/)?(.+)")


class Reader:
    """Reads needs off the parts of a configuration.

    Attributes:
        name: Physical name of the harness, which scopes what the service creates for it; may be a token.
        place: Where the harness is deployed.
    """

    def __init__(self, name: str, place: Place, split: Splitter) -> None:
        self.name = name
        self.place = place
        self._split = split

    def of(self, config: HarnessConfig) -> dict[Need, list[Item]]:
        """Returns everything that a configuration needs, except for managed memory, whose ARN is not known yet."""
        return _collected(self._all(config), {"harness": [{"name": self.name}]})

    def overrides(self, config: HarnessConfig) -> dict[Need, list[Item]]:
        """Returns what the fields need that a call may override: model, tools and skills."""
        return _collected(self._overridable(config), {})

    def _all(self, config: HarnessConfig) -> Found:
        yield from self._overridable(config)
        yield from self.image(config)
        yield from self.memory(config.memory)
        runtime = runtime_environment(config)
        mounts = None if runtime is None else runtime.filesystem_configurations
        for _, mount in members(mounts, FilesystemConfiguration):
            yield from self.mount(mount)
        for _, hook in members(config.hooks, HarnessHook):
            yield from self.hook(hook)

    def _overridable(self, config: HarnessConfig) -> Found:
        yield from self.model(config.model)
        for _, tool in members(config.tools, HarnessTool):
            yield from self.tool(tool)
        for _, skill in members(config.skills, HarnessSkill):
            yield from self.skill(skill)

    # ---- model -------------------------------------------------------------------------------------------------------

    def model(self, model: HarnessModelConfiguration | None) -> Found:
        """Yields what a model needs; no model means the caller has put the default in."""
        if model is None:
            return
        if (invoked := _invoked(model)) is not None:
            yield from self._invocation(invoked)
        if model.bedrock_model_config is not None:
            yield from self._bedrock(model.bedrock_model_config)
        for other in (model.open_ai_model_config, model.gemini_model_config, model.lite_llm_model_config):
            if other is not None and other.api_key_arn is not None:
                yield from self._api_key(other.api_key_arn)

    def _bedrock(self, config: HarnessBedrockModelConfig) -> Found:
        if config.api_format in _MANTLE_FORMATS:
            yield "mantle", {}
        if config.guardrail is not None:
            known = config.guardrail_arn or str(config.guardrail.get("guardrailIdentifier"))
            guardrail = (
                known
                if known.startswith("arn:") or config.guardrail_arn
                else self._arn("bedrock", f"guardrail/{known}")
            )
            yield "guardrail", {"guardrail": guardrail}
        if config.guardrail_key_arn is not None:
            yield "guardrail_key", self._key(config.guardrail_key_arn)

    def _invocation(self, model_id: str) -> Found:
        resource = arns.bedrock_resource(model_id)
        if resource is not None:
            yield from self._bedrock_arn(model_id, *resource)
        elif (model := arns.system_profile(model_id)) is not None:
            yield from self._profile(self._arn("bedrock", f"inference-profile/{model_id}"), model)
        elif arns.has_token(model_id):
            # Neither what it is nor which one: the construct warns about it.
            yield "bedrock_model", {"model": self.place.fill("arn:{partition}:bedrock:*::foundation-model/*", {})}
            yield "bedrock_model", {"model": self._arn("bedrock", "inference-profile/*")}
            yield "bedrock_model", {"model": self._arn("bedrock", "application-inference-profile/*")}
        else:
            template = "arn:{partition}:bedrock:{region}::foundation-model/{model}"
            yield "bedrock_model", {"model": self.place.fill(template, {"model": model_id})}

    def _bedrock_arn(self, arn: str, kind: str, name: str) -> Found:
        if kind == "application-inference-profile":
            yield from self._profile(arn, "*")
        elif kind == "inference-profile":
            yield from self._profile(arn, arns.system_profile(name) or "*")
        else:
            yield "bedrock_model", {"model": arn}

    def _profile(self, profile: str, model: str) -> Found:
        template = "arn:{partition}:bedrock:*::foundation-model/{model}"
        yield "inference_profile", {"profile": profile}
        yield "profile_model", {"profile": profile, "model": self.place.fill(template, {"model": model})}

    def is_unknown_model(self, model: HarnessModelConfiguration | None) -> bool:
        """Tells whether a Bedrock model is known at deployment alone, so that it cannot be granted by name."""
        model_id = None if model is None else _invoked(model)
        if model_id is None:
            return False
        return arns.has_token(model_id) and not (arns.bedrock_resource(model_id) or arns.system_profile(model_id))

    # ---- environment -------------------------------------------------------------------------------------------------

    def image(self, config: HarnessConfig) -> Found:
        """Yields what pulling images needs: always the service's own, and a custom one."""
        runtime = runtime_environment(config)
        network = None if runtime is None else runtime.network_configuration
        in_vpc = network is not None and network.network_mode != "PUBLIC"
        if in_vpc:
            yield "managed_image", {}
            yield "private_registry", {}
        if network is None or network.network_mode != "VPC":
            yield "public_image", {}
        artifact = config.environment_artifact
        container = None if artifact is None else artifact.container_configuration
        if container is None:
            return
        if container.container_uri.startswith("public.ecr.aws/"):
            yield "public_image", {}
            return
        yield "private_registry", {}
        yield "private_image", {"repository": container.repository_arn or self._repository(container.container_uri)}

    def _repository(self, uri: str) -> str:
        image = arns.private_image(uri)
        if image is None:
            return self._arn("ecr", "repository/*")
        account, region, name = image
        return Place(self.place.partition, region, account).fill(
            "arn:{partition}:ecr:{region}:{account}:repository/{name}", {"name": name}
        )

    def mount(self, mount: FilesystemConfiguration) -> Found:
        """Yields what a file system needs."""
        if (efs := mount.efs_access_point) is not None:
            system = efs.file_system_arn or self._arn("elasticfilesystem", "file-system/*")
            item = {"file_system": system, "access_point": efs.access_point_arn}
            yield ("efs_read_only" if efs.read_only else "efs"), item
            if efs.as_root:
                yield "efs_root", item
            yield "efs_mount", item
        if (s3 := mount.s3_files_access_point) is not None:
            system = arns.before(s3.access_point_arn, "/access-point/", self._split)
            item = {"file_system": system, "access_point": s3.access_point_arn}
            yield ("s3_files_read_only" if s3.read_only else "s3_files"), item
            if s3.as_root:
                yield "s3_files_root", item
            yield "s3_files_mount", item

    # ---- memory ------------------------------------------------------------------------------------------------------

    def memory(self, memory: HarnessMemoryConfiguration | None) -> Found:
        """Yields what memory needs before the harness exists."""
        if memory is None:
            return
        if (own := memory.agent_core_memory_configuration) is not None:
            yield "memory", {"memory": own.arn}
            if own.encryption_key_arn is not None:
                yield "memory_key", self._key(own.encryption_key_arn)
        if (managed := memory.managed_memory_configuration) is not None and managed.encryption_key_arn is not None:
            yield "memory_key", self._key(managed.encryption_key_arn)

    # ---- tools and skills --------------------------------------------------------------------------------------------

    def tool(self, tool: HarnessTool) -> Found:
        """Yields what a tool needs."""
        config = tool.config or HarnessToolConfiguration()
        if tool.type == "agentcore_browser":
            browser = config.agent_core_browser
            arn = None if browser is None else browser.browser_arn
            yield ("custom_browser", {"browser": arn}) if arn else ("browser", {})
        elif tool.type == "agentcore_code_interpreter":
            interpreter = config.agent_core_code_interpreter
            arn = None if interpreter is None else interpreter.code_interpreter_arn
            yield ("custom_code_interpreter", {"code_interpreter": arn}) if arn else ("code_interpreter", {})
        if config.agent_core_gateway is not None:
            yield from self._gateway(config.agent_core_gateway)
        if config.remote_mcp is not None:
            for value in (config.remote_mcp.headers or {}).values():
                for reference in _HEADER_REFERENCE.findall(value):
                    if _API_KEY_MARKER in reference or arns.is_unknown(reference):
                        yield from self._api_key(reference)

    def _gateway(self, config: HarnessAgentCoreGatewayConfig) -> Found:
        auth = config.outbound_auth
        if auth is None or auth.aws_iam is not None:
            yield "gateway", {"gateway": config.gateway_arn}
        elif auth.oauth is not None:
            yield "oauth_provider", self._provider(auth.oauth.provider_arn, _OAUTH_MARKER, "oauth2")
            yield from self._own_secret_key(auth.oauth.provider_arn)

    def skill(self, skill: HarnessSkill) -> Found:
        """Yields what a skill needs."""
        if skill.git is not None and skill.git.auth is not None:
            yield from self._api_key(skill.git.auth.credential_arn)
        if skill.s3 is not None:
            yield from self._s3_skill(skill.s3)

    def _s3_skill(self, source: HarnessSkillS3Source) -> Found:
        bucket_name, prefix = arns.s3_location(source.uri, self._split)
        prefix = source.readable_prefix or prefix
        bucket = self.place.fill("arn:{partition}:s3:::{bucket}", {"bucket": bucket_name})
        if prefix is None:
            yield "skill_bucket", {"bucket": bucket}
            yield "skill_object", {"objects": f"{bucket}/*"}
        else:
            yield "skill_prefix", {"bucket": bucket, "prefix": prefix}
            yield "skill_object", {"objects": f"{bucket}/{prefix}"}
            yield "skill_object", {"objects": f"{bucket}/{prefix}/*"}
        if source.encryption_key_arn is not None:
            yield "skill_key", self._key(source.encryption_key_arn)

    # ---- credentials and hooks ---------------------------------------------------------------------------------------

    def _api_key(self, provider: str) -> Found:
        yield "api_key", self._provider(provider, _API_KEY_MARKER, "apikey")
        yield from self._own_secret_key(provider)

    def _provider(self, provider: str, marker: str, kind: str) -> Item:
        name = arns.after(provider, marker, self._split)
        kept = self._arn("secretsmanager", f"bedrock-agentcore-identity!default/{kind}/{name}-*", "secret:")
        own = own_secret(provider)
        return {"provider": provider, "secret": kept if own is None else own.arn, "name": self.name}

    def _own_secret_key(self, provider: str) -> Found:
        own = own_secret(provider)
        if own is not None and own.key_arn is not None:
            yield "own_secret_key", self._key(own.key_arn)

    def hook(self, hook: HarnessHook) -> Found:
        """Yields what a hook needs."""
        if hook.event is None:
            return
        target = hook.event.target
        if target.lambda_ is not None:
            yield "lambda_hook", {"function": target.lambda_.arn}
        if target.sns is not None:
            yield "sns_hook", {"topic": target.sns.arn}
            if target.sns.encryption_key_arn is not None:
                yield "topic_key", self._key(target.sns.encryption_key_arn)
        if target.event_bridge is not None:
            yield "event_hook", {"bus": target.event_bridge.arn}
            if target.event_bridge.encryption_key_arn is not None:
                yield "bus_key", self._key(target.event_bridge.encryption_key_arn)

    def _key(self, arn: str) -> Item:
        """A key, and the Region it is used in: that of the encrypted resource, which need not be the harness's."""
        parts = arn.split(":")
        return {"key": arn, "key_region": parts[_REGION] if len(parts) > _REGION else self.place.region}

    def is_elsewhere(self, arn: str) -> bool:
        """Tells whether an ARN is known to be of another account than the harness's."""
        parts = arn.split(":")
        if len(parts) <= _ACCOUNT:
            return False  # a token as a whole
        account = parts[_ACCOUNT]
        known = not (arns.has_token(account) or arns.has_token(self.place.account))
        return known and account != self.place.account

    def _arn(self, service: str, resource: str, kind: str = "") -> str:
        template = "arn:{partition}:{service}:{region}:{account}:{kind}{resource}"
        return self.place.fill(template, {"service": service, "kind": kind, "resource": resource})


def _invoked(model: HarnessModelConfiguration) -> str | None:
    """Returns the id of the model that the role itself invokes on Bedrock, if it does."""
    bedrock, lite_llm = model.bedrock_model_config, model.lite_llm_model_config
    if bedrock is not None and bedrock.api_format not in _MANTLE_FORMATS:
        return bedrock.model_id
    if lite_llm is not None and lite_llm.api_key_arn is None:
        # LiteLLM calls Bedrock with the credentials at hand, which are the role's.
        found = _LITELLM_BEDROCK.fullmatch(lite_llm.model_id)
        return None if found is None else found[1]
    return None


def runtime_environment(config: HarnessConfig) -> HarnessAgentCoreRuntimeEnvironment | None:
    """Returns the one environment there is, if it was given."""
    return None if config.environment is None else config.environment.agent_core_runtime_environment


def _collected(found: Found, needs: dict[Need, list[Item]]) -> dict[Need, list[Item]]:
    for need, item in found:
        items = needs.setdefault(need, [])
        if item not in items:
            items.append(item)
    return needs
