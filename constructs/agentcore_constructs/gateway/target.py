"""What a gateway offers, said in a line each."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aws_cdk import aws_bedrockagentcore as agentcore

from agentcore_constructs.config import is_token
from agentcore_constructs.config.cdk import found, offers
from agentcore_constructs.config.errors import ABSENT, Fault, received

from . import tools, web_search

if TYPE_CHECKING:
    from aws_cdk import aws_apigateway as apigateway
    from aws_cdk import aws_lambda as lambda_

    from agentcore_constructs.tools import ToolFunction

TARGET_NAME = re.compile(r"([0-9a-zA-Z][-]?){1,100}")
"""Names of targets: botocore's `TargetName`."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
Credentials = agentcore.ICredentialProviderConfig | agentcore.IApiKeyCredentialProvider


class TakesTargets(Protocol):
    """What a target is added to (`ToolGateway`)."""

    @property
    def gateway(self) -> agentcore.Gateway:
        """The CDK's gateway."""

    def warn_of_region(self, region: str) -> None:
        """Warns that web search is not offered in a Region."""


@dataclass(frozen=True, kw_only=True)
class Target(ABC):
    """A target of a gateway. Its tools are called `<name>___<tool>`.

    Attributes:
        name: 1–100 letters and digits, with single hyphens between them; unique within the gateway.
        description: What it is for, 1–200 characters.
    """

    name: str
    description: str | None = None

    @staticmethod
    def lambda_(
        function: lambda_.IFunction | ToolFunction,
        schema: Sequence[Mapping[str, Any]] | str | Path | agentcore.ToolSchema | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
    ) -> Target:
        """A Lambda function that serves one or several tools.

        Its event is the tool's arguments; the name of the tool, `<target>___<tool>`, is in
        `context.client_context.custom["bedrockAgentCoreToolName"]`.

        Args:
            function: The function, or a `ToolFunction`, which knows its tools.
            schema: The tools: dicts (`name`, `description`, `inputSchema`, `outputSchema`), the path of a JSON file
                with a list of them, or a `ToolSchema` of the CDK. Schemas have `type`, `description`, `properties`,
                `required` and `items`, and nothing else.
            name: Name of the target; a `ToolFunction` may have one of its own.
            description: What it is for.
        """
        own = getattr(function, "tool_schemas", None) if schema is None else None
        served: Any = function if own is None else getattr(function, "function", None)
        given = name if name is not None else getattr(function, "target_name", ABSENT)
        return LambdaTarget(name=given, description=description, function=served, schema=schema if own is None else own)

    @staticmethod
    def open_api(
        schema: Mapping[str, Any] | str | Path | agentcore.ApiSchema,
        *,
        name: str,
        credentials: Credentials | None = None,
        description: str | None = None,
    ) -> Target:
        """An HTTP API that an OpenAPI 3 document describes; a tool is an operation, called by its `operationId`.

        Args:
            schema: The document as a dict, the path of a JSON or YAML file, or an `ApiSchema` of the CDK.
            name: Name of the target.
            credentials: How the gateway proves who it is: an API-key credential provider, or what
                `aws_bedrockagentcore.GatewayCredentialProvider` makes.
            description: What it is for.
        """
        return OpenApiTarget(name=name, description=description, schema=schema, credentials=credentials)

    @staticmethod
    def smithy(
        model: Mapping[str, Any] | str | Path | agentcore.ApiSchema,
        *,
        name: str,
        credentials: Credentials | None = None,
        description: str | None = None,
    ) -> Target:
        """An API that a Smithy model in JSON describes, such as one of an AWS service.

        Args:
            model: The model as a dict, the path of a file, or an `ApiSchema` of the CDK.
            name: Name of the target.
            credentials: As for `open_api`; the gateway's role unless given.
            description: What it is for.
        """
        return SmithyTarget(name=name, description=description, schema=model, credentials=credentials)

    @staticmethod
    def api_gateway(
        rest_api: apigateway.IRestApi,
        *,
        name: str,
        operations: Mapping[str, Sequence[str]],
        names: Mapping[tuple[str, str], str] | None = None,
        stage: str | None = None,
        credentials: Credentials | None = None,
        description: str | None = None,
    ) -> Target:
        """Operations of a REST API in API Gateway.

        Args:
            rest_api: The API.
            name: Name of the target.
            operations: Paths, also with a trailing `*`, to the methods that become tools: `{"/orders/*": ["GET"]}`.
            names: Paths and methods to names of tools, instead of the operations' own: `{("/orders", "GET"): "list"}`.
                A method without an operation name needs one here.
            stage: The stage; the API's deployment stage unless given.
            credentials: As for `open_api`; the gateway's role unless given.
            description: What it is for.
        """
        return ApiGatewayTarget(
            name=name,
            description=description,
            rest_api=rest_api,
            operations=operations,
            names=names or {},
            stage=stage,
            credentials=credentials,
        )

    @staticmethod
    def mcp_server(
        endpoint: str, *, name: str, credentials: Credentials | None = None, description: str | None = None
    ) -> Target:
        """A remote MCP server; the gateway reads its tools when the target is made, and when it is synchronized.

        Args:
            endpoint: Its URL, with https.
            name: Name of the target.
            credentials: As for `open_api`; none unless given.
            description: What it is for.
        """
        return McpServerTarget(name=name, description=description, endpoint=endpoint, credentials=credentials)

    @staticmethod
    def web_search(
        *,
        name: str = "web-search",
        include_domains: Sequence[str] = (),
        exclude_domains: Sequence[str] = (),
        description: str | None = None,
    ) -> Target:
        """Search of the web, as the tool `<name>___WebSearch`; 10 searches a second. Answers must keep their sources.

        Args:
            name: Name of the target.
            include_domains: Domains to search, and no others; at most 100.
            exclude_domains: Domains to leave out; at most 100.
            description: What it is for.
        """
        return WebSearchTarget(name=name, description=description, include=include_domains, exclude=exclude_domains)

    def faults(self, path: str) -> Iterator[Fault]:
        """Yields what is wrong with it, before anything is made."""
        if not isinstance(self.name, str) or not (is_token(self.name) or TARGET_NAME.fullmatch(self.name)):
            must = "must be 1–100 letters and digits with single hyphens between them"
            yield Fault(f"{path}.name", must, received(self.name), "choose a name that fits, without '_'")
        yield from text_faults(self.description, f"{path}.description", 200)

    @property
    def tool_names(self) -> tuple[str, ...]:
        """Names of its tools within the target, as far as they are known."""
        return ()

    @abstractmethod
    def add_to(self, gateway: TakesTargets) -> agentcore.GatewayTarget | agentcore.CfnGatewayTarget:
        """Makes the target."""

    def _common(self) -> dict[str, Any]:
        return {"gateway_target_name": self.name, "description": self.description}


@dataclass(frozen=True, kw_only=True)
class LambdaTarget(Target):
    """See `Target.lambda_`."""

    function: lambda_.IFunction
    schema: Any
    _tools: list[tools.Checked] = field(default_factory=list, repr=False, compare=False)

    def faults(self, path: str) -> Iterator[Fault]:
        """Yields what is wrong with the tools too."""
        yield from Target.faults(self, path)
        if not offers(self.function, "function_arn"):
            fix = "pass the function, or a ToolFunction"
            yield Fault(f"{path}.function", "must be a Lambda function", received(self.function), fix)
        faults: list[Fault] = []
        checked = tools.checked(self.schema, f"{path}.schema", faults.append)
        if checked is not None:
            self._tools[:] = [checked]
        yield from faults

    @property
    def tool_names(self) -> tuple[str, ...]:
        """Names of its tools."""
        return self._tools[0].names

    def add_to(self, gateway: TakesTargets) -> agentcore.GatewayTarget:
        """Makes the target; the gateway's role may invoke the function."""
        return gateway.gateway.add_lambda_target(
            self.name, lambda_function=self.function, tool_schema=self._tools[0].schema, **self._common()
        )


@dataclass(frozen=True, kw_only=True)
class _Described(Target):
    """A target that a document describes."""

    schema: Any
    credentials: Any

    def faults(self, path: str) -> Iterator[Fault]:
        """Yields what is wrong with the document too."""
        yield from Target.faults(self, path)
        given = self.schema
        if isinstance(given, (str, Path)) and not Path(given).is_file():
            fix = "correct the path; pass a document itself as a dict, or as ApiSchema.from_inline(…)"
            yield Fault(f"{path}.schema", "must be a file", received(str(given)), fix)
        elif not isinstance(given, (str, Path, Mapping, agentcore.ApiSchema)):
            yield Fault(f"{path}.schema", "must be a document", received(given), "pass a dict, a path or an ApiSchema")
        yield from _credential_faults(self.credentials, path)

    def _api_schema(self) -> agentcore.ApiSchema:
        if isinstance(self.schema, Mapping):
            return agentcore.ApiSchema.from_inline(json.dumps(self.schema, ensure_ascii=False))
        if isinstance(self.schema, (str, Path)):
            return agentcore.ApiSchema.from_local_asset(str(self.schema))
        given: agentcore.ApiSchema = self.schema
        return given


class OpenApiTarget(_Described):
    """See `Target.open_api`."""

    def add_to(self, gateway: TakesTargets) -> agentcore.GatewayTarget:
        """Makes the target."""
        return gateway.gateway.add_open_api_target(
            self.name,
            api_schema=self._api_schema(),
            credential_provider_configurations=_configurations(self.credentials),
            **self._common(),
        )


class SmithyTarget(_Described):
    """See `Target.smithy`."""

    def add_to(self, gateway: TakesTargets) -> agentcore.GatewayTarget:
        """Makes the target."""
        return gateway.gateway.add_smithy_target(
            self.name,
            smithy_model=self._api_schema(),
            credential_provider_configurations=_configurations(self.credentials),
            **self._common(),
        )


@dataclass(frozen=True, kw_only=True)
class ApiGatewayTarget(Target):
    """See `Target.api_gateway`."""

    rest_api: apigateway.IRestApi
    operations: Mapping[str, Sequence[str]]
    names: Mapping[tuple[str, str], str]
    stage: str | None
    credentials: Any

    def faults(self, path: str) -> Iterator[Fault]:
        """Yields what is wrong with the operations too."""
        yield from Target.faults(self, path)
        yield from _credential_faults(self.credentials, path)
        if self.stage is None and found(self.rest_api, "deployment_stage") is None:
            fix = "write stage='<name>'"
            yield Fault(f"{path}.stage", "must be given for an API that tells none of its own", "nothing", fix)
        if not self.operations or not isinstance(self.operations, Mapping):
            fix = "write {'/orders/*': ['GET']}"
            yield Fault(f"{path}.operations", "must have at least one path", received(self.operations), fix)
            return
        for filter_path, methods in self.operations.items():
            listed = [methods] if not isinstance(methods, (list, tuple)) else methods
            for method in listed:
                if method not in _METHODS:
                    must = f"must be methods of {', '.join(_METHODS)}"
                    yield Fault(f'{path}.operations["{filter_path}"]', must, received(method), "correct the method")
        if not isinstance(self.names, Mapping) or not all(_is_operation(key) for key in self.names):
            fix = "write {('/orders', 'GET'): 'list_orders'}"
            yield Fault(f"{path}.names", "must lead from paths and methods to names", received(self.names), fix)
            return
        for _, method in self.names:
            if method not in _METHODS:
                must = f"must have methods of {', '.join(_METHODS)}"
                yield Fault(f"{path}.names", must, received(method), "correct the method")

    def add_to(self, gateway: TakesTargets) -> agentcore.GatewayTarget:
        """Makes the target; the gateway's role may invoke the stage."""
        filters = [
            agentcore.ApiGatewayToolFilter(
                filter_path=path,
                methods=[_method(one) for one in ([of] if isinstance(of, str) else of)],
            )
            for path, of in self.operations.items()
        ]
        overrides = [
            agentcore.ApiGatewayToolOverride(method=_method(method), path=path, name=self.names[path, method])
            for path, method in self.names
        ]
        return gateway.gateway.add_api_gateway_target(
            self.name,
            rest_api=self.rest_api,
            stage=self.stage,
            api_gateway_tool_configuration=agentcore.ApiGatewayToolConfiguration(
                tool_filters=filters, tool_overrides=overrides or None
            ),
            # Without a provider the CDK sends none, and the service knows calls without authorization of this kind of
            # target: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-outbound-auth.html
            credential_provider_configurations=_configurations(self.credentials)
            or [agentcore.GatewayCredentialProvider.from_iam_role()],
            **self._common(),
        )


@dataclass(frozen=True, kw_only=True)
class McpServerTarget(Target):
    """See `Target.mcp_server`."""

    endpoint: str
    credentials: Any

    def faults(self, path: str) -> Iterator[Fault]:
        """Yields what is wrong with the endpoint too."""
        yield from Target.faults(self, path)
        if not isinstance(self.endpoint, str) or not (is_token(self.endpoint) or self.endpoint.startswith("https://")):
            must = "must be an https:// URL, the only ones a gateway calls"
            shown = received(self.endpoint, sensitive=True)
            yield Fault(f"{path}.endpoint", must, shown, "write the server's URL; the local cloud can redirect it")
        yield from _credential_faults(self.credentials, path)

    def add_to(self, gateway: TakesTargets) -> agentcore.GatewayTarget:
        """Makes the target."""
        return gateway.gateway.add_mcp_server_target(
            self.name,
            endpoint=self.endpoint,
            credential_provider_configurations=_configurations(self.credentials) or [],
            **self._common(),
        )


@dataclass(frozen=True, kw_only=True)
class WebSearchTarget(Target):
    """See `Target.web_search`."""

    include: Sequence[str]
    exclude: Sequence[str]

    def faults(self, path: str) -> Iterator[Fault]:
        """Yields what is wrong with the domains too."""
        yield from Target.faults(self, path)
        yield from web_search.faults(self.include, self.exclude, path)

    @property
    def tool_names(self) -> tuple[str, ...]:
        """The connector's one tool."""
        return (web_search.TOOL,)

    def add_to(self, gateway: TakesTargets) -> agentcore.CfnGatewayTarget:
        """Makes the target; the gateway's role may search."""
        return web_search.add(
            gateway.gateway,
            gateway.gateway,
            name=self.name,
            description=self.description,
            include=self.include,
            exclude=self.exclude,
            warn=gateway.warn_of_region,
        )


def text_faults(text: Any, path: str, limit: int) -> Iterator[Fault]:
    """Yields what is wrong with a text that need not be there."""
    if text is not None and not (isinstance(text, str) and (is_token(text) or 1 <= len(text) <= limit)):
        yield Fault(path, f"must have 1–{limit} characters", received(text), "write a text of that length")


def _is_operation(key: Any) -> bool:
    return isinstance(key, tuple) and [type(part) for part in key] == [str, str]


def _credential_faults(credentials: Any, path: str) -> Iterator[Fault]:
    known = ("bind_for_gateway_api_key_target", "credential_provider_type")
    if credentials is not None and not any(offers(credentials, name) for name in known):
        fix = "pass an API-key credential provider, or what aws_bedrockagentcore.GatewayCredentialProvider makes"
        must = "must be a way in which the gateway proves who it is"
        yield Fault(f"{path}.credentials", must, received(credentials, sensitive=True), fix)


def _method(name: str) -> agentcore.ApiGatewayHttpMethod:
    made: agentcore.ApiGatewayHttpMethod = getattr(agentcore.ApiGatewayHttpMethod, name)
    return made


def _configurations(credentials: Any) -> list[Any] | None:
    if credentials is None:
        return None
    # An API-key credential provider itself, instead of what GatewayCredentialProvider makes of it.
    bind = getattr(credentials, "bind_for_gateway_api_key_target", None)
    return [agentcore.GatewayCredentialProvider.from_api_key_identity(credentials) if bind else credentials]
