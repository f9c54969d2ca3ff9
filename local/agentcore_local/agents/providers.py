"""The real models of a harness: its model configuration as a provider of Strands.

Bedrock is asked with the AWS credentials of whoever started the local cloud, not with the execution role. Keys of other
providers are read from the environment, or else from the credential provider that ``apiKeyArn`` names: the one in a
stack often holds a placeholder.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.session import Session

from agentcore_local.agents.provider import Provider
from agentcore_local.gateway import vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local.agents.plan import Plan

MODEL_ID_VARIABLE = "AGENTCORE_LOCAL_MODEL_ID"

ATTEMPTS = 6
"""Tries of a throttled call, with Strands' growing pauses between them."""

_READ_TIMEOUT = 300
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


class Unavailable(Exception):  # noqa: N818 - what is missing is the user's to provide
    """A real model cannot be used here; the sentence says what is missing."""


def real(plan: Plan) -> Provider:
    """The provider the harness (or the request) configures."""
    kind, config = next(iter(plan.model.items()))
    build = _BUILDERS[kind]
    return build(plan, config)


def compatible(plan: Plan, url: str) -> Provider:
    """An OpenAI-compatible server, whatever the harness configures; its sampling settings are kept."""
    config = next(iter(plan.model.values()))
    model_id = os.environ.get(MODEL_ID_VARIABLE) or config["modelId"]
    kept = {name: config[name] for name in ("maxTokens", "temperature", "topP") if name in config}
    return _chat_completions(
        {**kept, "modelId": model_id}, {"base_url": url, "api_key": _key("OPENAI_API_KEY", None, url)}
    )


def _bedrock(plan: Plan, config: dict[str, Any]) -> Provider:
    if config.get("apiFormat", "converse_stream") != "converse_stream":
        return _openai_family(config, {}, config["apiFormat"], {"region": plan.region})
    from strands.models.bedrock import BedrockModel  # noqa: PLC0415 - only what is used is loaded

    extra = dict(config.get("additionalParams") or {})
    guardrail = extra.pop("guardrailConfig", None) or {}
    settings = {
        "model_id": config["modelId"],
        "max_tokens": config.get("maxTokens"),
        "temperature": config.get("temperature"),
        "top_p": config.get("topP"),
        "guardrail_id": guardrail.get("guardrailIdentifier"),
        "guardrail_version": guardrail.get("guardrailVersion"),
        "guardrail_trace": guardrail.get("trace"),
        "additional_request_fields": extra or None,
    }
    model = BedrockModel(
        boto_session=_users_session(plan.region),
        boto_client_config=Config(read_timeout=_READ_TIMEOUT),
        **{name: value for name, value in settings.items() if value is not None},
    )
    return Provider(model, config.get("maxTokens"), lambda limit: model.update_config(max_tokens=limit), ATTEMPTS)


def _openai(_plan: Plan, config: dict[str, Any]) -> Provider:
    base = config.get("apiBase")
    client = {"api_key": _key("OPENAI_API_KEY", config["apiKeyArn"], base), **({"base_url": base} if base else {})}
    return _openai_family(config, client, config.get("apiFormat", "responses"), None)


def _openai_family(
    config: dict[str, Any], client: dict[str, Any], api_format: str, mantle: dict[str, str] | None
) -> Provider:
    if api_format == "chat_completions":
        return _chat_completions(config, client, mantle)
    from strands.models.openai_responses import OpenAIResponsesModel  # noqa: PLC0415

    params = _params(config, "max_output_tokens")
    model = OpenAIResponsesModel(
        client_args=client or None, bedrock_mantle_config=_mantle(mantle), model_id=config["modelId"], params=params
    )
    return _with_params(model, config, params, "max_output_tokens")


def _chat_completions(config: dict[str, Any], client: dict[str, Any], mantle: dict[str, str] | None = None) -> Provider:
    from strands.models.openai import OpenAIModel  # noqa: PLC0415

    # OpenAI's own newer models refuse max_tokens; other servers often know nothing else.
    limit = "max_tokens" if "base_url" in client else "max_completion_tokens"
    params = _params(config, limit)
    model = OpenAIModel(
        client_args=client or None, bedrock_mantle_config=_mantle(mantle), model_id=config["modelId"], params=params
    )
    return _with_params(model, config, params, limit)


def _gemini(_plan: Plan, config: dict[str, Any]) -> Provider:
    try:
        from strands.models.gemini import GeminiModel  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("Gemini models need the package google-genai; run: pip install google-genai") from error
    params = _params(config, "max_output_tokens")
    if "topK" in config:
        params["top_k"] = config["topK"]
    client = {"api_key": _key("GEMINI_API_KEY", config["apiKeyArn"])}
    model = GeminiModel(client_args=client, model_id=config["modelId"], params=params)
    return _with_params(model, config, params, "max_output_tokens")


def _litellm(_plan: Plan, config: dict[str, Any]) -> Provider:
    try:
        from strands.models.litellm import LiteLLMModel  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("LiteLLM models need the package litellm; run: pip install litellm") from error
    base = config.get("apiBase")
    key = _key("LITELLM_API_KEY", config["apiKeyArn"], base) if config.get("apiKeyArn") else None
    client = {**({"api_key": key} if key else {}), **({"api_base": base} if base else {})}
    params = _params(config, "max_tokens")
    model = LiteLLMModel(client_args=client, model_id=config["modelId"], params=params)
    return _with_params(model, config, params, "max_tokens")


_BUILDERS: dict[str, Callable[[Plan, dict[str, Any]], Provider]] = {
    "bedrockModelConfig": _bedrock,
    "openAiModelConfig": _openai,
    "geminiModelConfig": _gemini,
    "liteLlmModelConfig": _litellm,
}


def _users_session(region: str) -> boto3.Session:
    """A session with the user's own credentials."""
    session = Session()
    # AWS_ENDPOINT_URL points at this local cloud in many a shell; the model is not here.
    session.set_config_variable("ignore_configured_endpoint_urls", True)  # noqa: FBT003 - botocore's own signature
    return boto3.Session(botocore_session=session, region_name=region)


def _mantle(settings: dict[str, str] | None) -> Any:
    return settings


def _params(config: dict[str, Any], limit: str) -> dict[str, Any]:
    names = {"maxTokens": limit, "temperature": "temperature", "topP": "top_p"}
    given = {names[name]: config[name] for name in names if config.get(name) is not None}
    return {**given, **(config.get("additionalParams") or {})}


def _with_params(model: Any, config: dict[str, Any], params: dict[str, Any], limit: str) -> Provider:
    def cap(tokens: int) -> None:
        model.update_config(params={**params, limit: tokens})

    return Provider(model, config.get("maxTokens"), cap, ATTEMPTS)


def _key(variable: str, arn: str | None, base_url: str | None = None) -> str:
    """The key of a provider; a server on this machine needs none.

    Raises:
        Unavailable: when it is neither in the environment nor in the token vault.
    """
    key = os.environ.get(variable)
    if key:
        return key
    missing = "no credential provider is named"
    if arn is not None:
        try:
            return vault.api_key(arn)
        except vault.VaultError as error:
            missing = str(error)
    if base_url and urlsplit(base_url).hostname in _LOCAL_HOSTS:
        return "not-needed"
    raise Unavailable(
        f"The model's API key is neither in the environment variable {variable} of the process that runs the local "
        f"cloud nor in the token vault: {missing}."
    )
