"""Which model answers: Amazon Bedrock, OpenAI, Google Gemini, or any provider LiteLLM knows.

Limits are those of botocore's `HarnessModelConfiguration`; the rule on guardrails is from
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-models.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from .cdk import HasCredentialProviderArn, key_arn, provider_arn
from .errors import Fault, Refused, received
from .guardrail import Guardrail, guardrail_faults
from .node import Node, OneOf, joined
from .primitives import Choice, Companion, Int, Json, Num, Text

DEFAULT_MODEL_ID = "global.anthropic.claude-sonnet-4-6"
"""What the service uses when CreateHarness names no model; CloudFormation has no default and requires one."""

BedrockApiFormat = Literal["converse_stream", "responses", "chat_completions"]
OpenAiApiFormat = Literal["chat_completions", "responses"]

ModelId = Annotated[str, Text("the id of a model", "name a model", min=1)]
ApiKeyArn = Annotated[
    str,
    Text(
        "the ARN of an API-key credential provider (arn:aws:bedrock-agentcore:<region>:<account>:token-vault/<vault>/"
        "apikeycredentialprovider/<name>, the name of letters, digits, hyphens and dots)",
        "store the key with an ApiKeyCredentialProvider whose name has no underscore, and pass that; never the key",
        pattern=(
            r"arn:aws:bedrock-agentcore:[a-z0-9-]+:[0-9]{12}:token-vault/[a-zA-Z0-9-.]+"
            r"/apikeycredentialprovider/[a-zA-Z0-9-.]+"
        ),
        sensitive=True,
    ),
]
ApiBase = Annotated[
    str,
    Text(
        "the base URL of the model's endpoint", "write its URL, without credentials", min=1, max=16383, sensitive=True
    ),
]
MaxTokens = Annotated[int, Int(ge=1, unit="tokens")]
Temperature = Annotated[float, Num(ge=0, le=2)]
TopP = Annotated[float, Num(ge=0, le=1)]
TopK = Annotated[int, Int(ge=0, le=500)]
AdditionalParams = Annotated[dict[str, Any], Json("a JSON object of the provider's own parameters")]


class HarnessBedrockModelConfig(Node):
    """A model on Amazon Bedrock.

    Attributes:
        model_id: Foundation model id, inference profile id or ARN.
        max_tokens: Cap on the answer of one model call, at least 1.
        temperature: 0–2.
        top_p: 0–1.
        api_format: `converse_stream` (the service's default), `responses` or `chat_completions`; the latter two go to
            the bedrock-mantle endpoint.
        additional_params: Passed to the provider unchanged; `guardrailConfig` here attaches a guardrail.
        guardrail_arn: ARN of the guardrail, when known, so that only it is granted.
        guardrail_key_arn: ARN of the customer key that encrypts the guardrail.
    """

    model_id: ModelId
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    api_format: Annotated[BedrockApiFormat, Choice(get_args(BedrockApiFormat))] | None = None
    additional_params: AdditionalParams | None = None
    guardrail_arn: Annotated[str | None, Companion("names the guardrail in the role's policy")] = Field(
        None, exclude=True
    )
    guardrail_key_arn: Annotated[str | None, Companion("lets the role decrypt an encrypted guardrail")] = Field(
        None, exclude=True
    )

    @property
    def guardrail(self) -> Mapping[str, Any] | None:
        """The guardrail attached through `additional_params`, as the API has it."""
        params = self.additional_params
        found = params.get("guardrailConfig") if isinstance(params, Mapping) else None
        return found if isinstance(found, Mapping) else None

    def rules(self, path: str) -> Iterator[Fault]:
        """A guardrail works only with the Converse API, and has a form of its own."""
        params = self.additional_params
        if not isinstance(params, Mapping) or "guardrailConfig" not in params:
            return
        where = joined(path, "additionalParams.guardrailConfig")
        # A format that is none of these has a fault of its own; a token may turn out to be the right one.
        if self.api_format in get_args(BedrockApiFormat) and self.api_format != "converse_stream":
            yield Fault(
                where,
                "must be used with apiFormat converse_stream",
                f"apiFormat {received(self.api_format)}",
                "leave api_format out, or remove the guardrail",
            )
        yield from guardrail_faults(params["guardrailConfig"], where)


class HarnessOpenAiModelConfig(Node):
    """A model of OpenAI, or of an endpoint that speaks its protocol.

    Attributes:
        model_id: The provider's model id.
        api_key_arn: ARN of the API-key credential provider; partition `aws` only.
        api_base: Base URL of a compatible endpoint, 1–16383 characters. Never shown in messages.
        max_tokens: Cap on the answer of one model call, at least 1.
        temperature: 0–2.
        top_p: 0–1.
        api_format: `responses` (the service's default) or `chat_completions`.
        additional_params: Passed to the provider unchanged.
    """

    model_id: ModelId
    api_key_arn: ApiKeyArn
    api_base: ApiBase | None = None
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    api_format: Annotated[OpenAiApiFormat, Choice(get_args(OpenAiApiFormat))] | None = None
    additional_params: AdditionalParams | None = None


class HarnessGeminiModelConfig(Node):
    """A Gemini model of Google.

    Attributes:
        model_id: The provider's model id.
        api_key_arn: ARN of the API-key credential provider; partition `aws` only.
        max_tokens: Cap on the answer of one model call, at least 1.
        temperature: 0–2.
        top_p: 0–1.
        top_k: 0–500.
        additional_params: Passed to the provider unchanged.
    """

    model_id: ModelId
    api_key_arn: ApiKeyArn
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    top_k: TopK | None = None
    additional_params: AdditionalParams | None = None


class HarnessLiteLlmModelConfig(Node):
    """A model of any provider, in LiteLLM's notation.

    Attributes:
        model_id: `provider/model`.
        api_key_arn: ARN of the API-key credential provider, where the provider needs a key; partition `aws` only.
        api_base: Base URL of the endpoint, 1–16383 characters. Never shown in messages.
        max_tokens: Cap on the answer of one model call, at least 1.
        temperature: 0–2.
        top_p: 0–1.
        additional_params: Passed to the provider unchanged.
    """

    model_id: ModelId
    api_key_arn: ApiKeyArn | None = None
    api_base: ApiBase | None = None
    max_tokens: MaxTokens | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    additional_params: AdditionalParams | None = None


class HarnessModelConfiguration(OneOf):
    """The model of a harness; made by `Model`."""

    expects: ClassVar[str] = "a model, made by Model.bedrock, Model.openai, Model.gemini or Model.litellm"

    bedrock_model_config: HarnessBedrockModelConfig | None = None
    open_ai_model_config: HarnessOpenAiModelConfig | None = None
    gemini_model_config: HarnessGeminiModelConfig | None = None
    lite_llm_model_config: HarnessLiteLlmModelConfig | None = None


class Model:
    """Makes the model of a harness."""

    @staticmethod
    def bedrock(
        model_id: str,
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        api_format: BedrockApiFormat | None = None,
        guardrail: Guardrail | None = None,
        additional_params: Mapping[str, Any] | None = None,
    ) -> HarnessModelConfiguration:
        """A model on Amazon Bedrock.

        Args:
            model_id: Foundation model id, inference profile id or ARN.
            max_tokens: Cap on the answer of one model call, at least 1.
            temperature: 0–2.
            top_p: 0–1.
            api_format: `converse_stream` unless given.
            guardrail: Applied to the model's input and output; only with `converse_stream`.
            additional_params: Passed to the provider unchanged.
        """
        params: Any = additional_params
        given, guardrail = guardrail, guardrail if isinstance(guardrail, Guardrail) else None
        if given is not guardrail:
            must = "must hold a guardrail that is made by Guardrail"
            params = Refused(must, received(given), "pass guardrail=Guardrail('<id>', '<version>')")
        elif guardrail is not None:
            if isinstance(params, Mapping) and "guardrailConfig" in params:
                params = Refused(
                    "must not hold guardrailConfig when a guardrail is given",
                    "both",
                    "keep one of guardrail and additional_params['guardrailConfig']",
                )
            else:
                params = {**(params or {}), "guardrailConfig": guardrail.params()}
        return HarnessModelConfiguration.draft(
            bedrock_model_config=HarnessBedrockModelConfig.draft(
                model_id=model_id,
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
                api_format=api_format,
                additional_params=params,
                guardrail_arn=None if guardrail is None else guardrail.arn,
                guardrail_key_arn=None if guardrail is None else key_arn(guardrail.encryption_key),
            )
        )

    @staticmethod
    def openai(
        model_id: str,
        *,
        api_key: str | HasCredentialProviderArn,
        api_base: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        api_format: OpenAiApiFormat | None = None,
        additional_params: Mapping[str, Any] | None = None,
    ) -> HarnessModelConfiguration:
        """A model of OpenAI, or of an endpoint that speaks its protocol.

        Args:
            model_id: The provider's model id.
            api_key: The API-key credential provider, or its ARN.
            api_base: Base URL of a compatible endpoint.
            max_tokens: Cap on the answer of one model call, at least 1.
            temperature: 0–2.
            top_p: 0–1.
            api_format: `responses` unless given.
            additional_params: Passed to the provider unchanged.
        """
        return HarnessModelConfiguration.draft(
            open_ai_model_config=HarnessOpenAiModelConfig.draft(
                model_id=model_id,
                api_key_arn=provider_arn(api_key),
                api_base=api_base,
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
                api_format=api_format,
                additional_params=additional_params,
            )
        )

    @staticmethod
    def gemini(
        model_id: str,
        *,
        api_key: str | HasCredentialProviderArn,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        additional_params: Mapping[str, Any] | None = None,
    ) -> HarnessModelConfiguration:
        """A Gemini model of Google.

        Args:
            model_id: The provider's model id.
            api_key: The API-key credential provider, or its ARN.
            max_tokens: Cap on the answer of one model call, at least 1.
            temperature: 0–2.
            top_p: 0–1.
            top_k: 0–500.
            additional_params: Passed to the provider unchanged.
        """
        return HarnessModelConfiguration.draft(
            gemini_model_config=HarnessGeminiModelConfig.draft(
                model_id=model_id,
                api_key_arn=provider_arn(api_key),
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
                top_k=top_k,
                additional_params=additional_params,
            )
        )

    @staticmethod
    def litellm(
        model_id: str,
        *,
        api_key: str | HasCredentialProviderArn | None = None,
        api_base: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        additional_params: Mapping[str, Any] | None = None,
    ) -> HarnessModelConfiguration:
        """A model of any provider, in LiteLLM's notation.

        Args:
            model_id: `provider/model`.
            api_key: The API-key credential provider, or its ARN, where the provider needs one.
            api_base: Base URL of the endpoint.
            max_tokens: Cap on the answer of one model call, at least 1.
            temperature: 0–2.
            top_p: 0–1.
            additional_params: Passed to the provider unchanged.
        """
        return HarnessModelConfiguration.draft(
            lite_llm_model_config=HarnessLiteLlmModelConfig.draft(
                model_id=model_id,
                api_key_arn=provider_arn(api_key),
                api_base=api_base,
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
                additional_params=additional_params,
            )
        )
