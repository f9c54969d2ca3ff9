"""What the agent can use: gateways, remote MCP servers, a browser, a code interpreter, and functions of the caller.

Limits are those of botocore's `HarnessTool`; types and their configurations are from
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args, overload

from pydantic import Field

from .cdk import (
    HasBrowserArn,
    HasCodeInterpreterArn,
    HasCredentialProviderArn,
    HasGatewayArn,
    attribute,
    found,
    is_provider,
    provider_arn,
)
from .errors import ABSENT, Fault, received
from .inline import InlineTool
from .node import Node, OneOf, fields, joined
from .outbound_auth import HarnessGatewayOutboundAuth, HarnessRemoteMcpOutboundAuth
from .primitives import ApiOnly, Choice, Companion, Entries, Json, Text
from .tokens import is_token

if TYPE_CHECKING:
    from .allowed_tools import GatewayTool

ToolType = Literal[
    "remote_mcp", "agentcore_browser", "agentcore_gateway", "inline_function", "agentcore_code_interpreter"
]

ToolName = Annotated[
    str,
    Text(
        "a name of letters, digits, '_' and '-'",
        "choose a name that fits",
        min=1,
        max=64,
        pattern=r"[a-zA-Z0-9_-]+",
    ),
]
_ARN = "arn:aws:bedrock-agentcore:<region>:<account>:"


class HarnessRemoteMcpConfig(Node):
    """A remote MCP server.

    Attributes:
        url: Its endpoint, 1–16383 characters. Never shown in messages.
        headers: Sent with every request; names and values of 1–16383 characters. A value may refer to a stored key as
            `${arn:…/apikeycredentialprovider/<name>}`. Never shown in messages.
        outbound_auth: None unless given. CloudFormation cannot say it.
    """

    url: Annotated[
        str,
        Text(
            "an http:// or https:// URL",  # MCP's remote transport is HTTP: modelcontextprotocol.io, Transports
            "write the server's URL, with its scheme",
            min=1,
            max=16383,
            pattern=r"https?://\S+",
            sensitive=True,
        ),
    ]
    headers: (
        Annotated[
            dict[
                Annotated[str, Text("a header name", "name the header", min=1, max=16383)],
                Annotated[
                    str, Text("a header value", "give the header a string value", min=1, max=16383, sensitive=True)
                ],
            ],
            Entries("headers"),
        ]
        | None
    ) = None
    outbound_auth: (
        Annotated[HarnessRemoteMcpOutboundAuth, ApiOnly("AWS::BedrockAgentCore::Harness has no RemoteMcp.OutboundAuth")]
        | None
    ) = None


class HarnessAgentCoreGatewayConfig(Node):
    """An AgentCore gateway.

    Attributes:
        gateway_arn: Its ARN.
        outbound_auth: SigV4 with the execution role unless given.
        authorizer_type: What the gateway asks of its callers, where that is known: `AWS_IAM`, `CUSTOM_JWT`, …
    """

    gateway_arn: Annotated[
        str,
        Text(
            f"the ARN of a gateway ({_ARN}gateway/<id>)",
            "pass the gateway or its ARN",
            pattern=(
                r"arn:aws(|-cn|-us-gov):bedrock-agentcore:[a-z0-9-]{1,20}:[0-9]{12}"
                r":gateway/([0-9a-z][-]?){1,48}-[a-z0-9]{10}"
            ),
        ),
    ]
    outbound_auth: HarnessGatewayOutboundAuth | None = None
    authorizer_type: Annotated[str | None, Companion("tells which authentication the gateway takes")] = Field(
        None, exclude=True, repr=False
    )

    def rules(self, path: str) -> Iterator[Fault]:
        """What the harness proves itself with must be what the gateway asks for."""
        auth = self.outbound_auth
        if auth is not None and not isinstance(auth, HarnessGatewayOutboundAuth):
            return
        given = "awsIam" if auth is None else next((f.api for f in fields(type(auth)) if auth.__dict__[f.name]), None)
        where = joined(path, "outboundAuth")
        shown = f"{given}, which is what is done unless something is said" if auth is None else str(given)
        if self.authorizer_type == "CUSTOM_JWT" and given != "oauth":
            fix = "write outbound_auth=GatewayAuth.oauth(<provider>, scopes=[…]), or have the gateway's callers use IAM"
            yield Fault(where, "must be oauth, since the gateway takes tokens of an identity provider", shown, fix)
        elif self.authorizer_type == "AWS_IAM" and given != "awsIam":
            fix = "leave outbound_auth out, or give the gateway another authorizer"
            yield Fault(where, "must be awsIam, since the gateway's callers sign with IAM", shown, fix)


class HarnessAgentCoreBrowserConfig(Node):
    """A browser.

    Attributes:
        browser_arn: A custom browser; the service's own (`aws.browser.v1`) unless given.
    """

    browser_arn: (
        Annotated[
            str,
            Text(
                f"the ARN of a browser ({_ARN}browser-custom/<id>)",
                "pass the browser or its ARN",
                pattern=(
                    r"arn:aws(-[^:]+)?:bedrock-agentcore:[a-z0-9-]+:(aws|[0-9]{12}):browser(-custom)?/"
                    r"(aws\.browser\.v1|[a-zA-Z][a-zA-Z0-9_]{0,47}-[a-zA-Z0-9]{10})"
                ),
            ),
        ]
        | None
    ) = None


class HarnessAgentCoreCodeInterpreterConfig(Node):
    """A code interpreter.

    Attributes:
        code_interpreter_arn: A custom one; the service's own (`aws.codeinterpreter.v1`) unless given.
    """

    code_interpreter_arn: (
        Annotated[
            str,
            Text(
                f"the ARN of a code interpreter ({_ARN}code-interpreter-custom/<id>)",
                "pass the code interpreter or its ARN",
                pattern=(
                    r"arn:aws(-[^:]+)?:bedrock-agentcore:[a-z0-9-]+:(aws|[0-9]{12}):code-interpreter(-custom)?/"
                    r"(aws\.codeinterpreter\.v1|[a-zA-Z][a-zA-Z0-9_]{0,47}-[a-zA-Z0-9]{10})"
                ),
            ),
        ]
        | None
    ) = None


class HarnessInlineFunctionConfig(Node):
    """A function the caller of the harness executes.

    Attributes:
        description: When the model should call it, 1–4096 characters.
        input_schema: JSON schema of its arguments, of type object; passed on verbatim.
    """

    description: Annotated[
        str,
        Text("a description", "describe when the model should call the tool", min=1, max=4096, sensitive=True),
    ]
    input_schema: Annotated[dict[str, Any], Json("a JSON schema", "pass the schema as a dict of JSON values")]

    def rules(self, path: str) -> Iterator[Fault]:
        """Arguments are named, so the schema describes an object."""
        schema = self.input_schema
        if not isinstance(schema, Mapping):
            return
        where = joined(path, "inputSchema")
        kind = schema.get("type", ABSENT)
        if kind != "object" and not is_token(kind):
            fix = "write {'type': 'object', 'properties': {…}}"
            yield Fault(joined(where, "type"), "must be 'object'", received(kind), fix)
        properties = schema.get("properties")
        if properties is not None and not isinstance(properties, Mapping) and not is_token(properties):
            yield Fault(
                joined(where, "properties"),
                "must be an object of argument names and their schemas",
                received(properties, sensitive=True),
                "write {'<name>': {'type': …}}",
            )


class HarnessToolConfiguration(OneOf):
    """The configuration of a tool, one member per type."""

    remote_mcp: HarnessRemoteMcpConfig | None = None
    agent_core_browser: HarnessAgentCoreBrowserConfig | None = None
    agent_core_gateway: HarnessAgentCoreGatewayConfig | None = None
    inline_function: HarnessInlineFunctionConfig | None = None
    agent_core_code_interpreter: HarnessAgentCoreCodeInterpreterConfig | None = None


_MEMBER_OF = {
    "remote_mcp": "remoteMcp",
    "agentcore_browser": "agentCoreBrowser",
    "agentcore_gateway": "agentCoreGateway",
    "inline_function": "inlineFunction",
    "agentcore_code_interpreter": "agentCoreCodeInterpreter",
}
_NEEDS_CONFIG = frozenset({"remote_mcp", "agentcore_gateway", "inline_function"})


class HarnessTool(Node):
    """A tool of a harness; made by `Tool`.

    Attributes:
        type: What it is.
        name: Unique within the harness, 1–64 of letters, digits, '_' and '-'; `allowed_tools` refers to it. The service
            infers one when it is left out.
        config: Its configuration; required except for the browser and the code interpreter.
        allowed: Which of a gateway's or an MCP server's own tools may be used; no part of the API, where `allowedTools`
            of the harness says it.
    """

    expects: ClassVar[str] = (
        "a tool, made by Tool.gateway, Tool.remote_mcp, Tool.browser, Tool.code_interpreter or Tool.inline"
    )

    type: Annotated[ToolType, Choice(get_args(ToolType))]
    name: ToolName | None = None
    config: HarnessToolConfiguration | None = None
    allowed: Annotated[Any, Companion("says in allowedTools which of the tool's own tools may be used")] = Field(
        None, exclude=True, repr=False
    )

    def rules(self, path: str) -> Iterator[Fault]:
        """The type and the configuration must belong together."""
        if not isinstance(self.type, str) or self.type not in _MEMBER_OF:
            return
        member = _MEMBER_OF[self.type]
        if self.config is None:
            if self.type in _NEEDS_CONFIG:
                yield Fault(
                    joined(path, "config"), f"must be given for type {self.type}", "nothing", f"add config.{member}"
                )
            return
        if not isinstance(self.config, HarnessToolConfiguration):
            return
        given = [
            field.api for field in fields(HarnessToolConfiguration) if self.config.__dict__[field.name] is not None
        ]
        if len(given) == 1 and given != [member]:
            wanted = next(kind for kind, name in _MEMBER_OF.items() if name == given[0])
            yield Fault(
                joined(path, "config"),
                f"must have the member {member}, since the type is {self.type}",
                given[0],
                f"write type {wanted}, or config.{member}",
            )


class Tool:
    """Makes the tools of a harness."""

    @staticmethod
    def gateway(
        gateway: str | HasGatewayArn,
        *,
        name: str | None = None,
        allowed: Sequence[str | GatewayTool] | None = None,
        outbound_auth: HarnessGatewayOutboundAuth | None = None,
    ) -> HarnessTool:
        """The tools behind an AgentCore gateway.

        Args:
            gateway: The gateway (`ToolGateway`, `IGateway`, `CfnGateway`), or its ARN.
            name: What `allowed_tools` calls it (`@name/*`).
            allowed: Which of its tools the agent may use: `gateway_tool("target", "tool")`, `"target___tool"` or a glob
                such as `"target___*"`. Every one unless given. It becomes the harness' `allowedTools`, in which every
                other tool of the harness stays allowed; beside `allowed_tools` of the harness it is refused.
            outbound_auth: SigV4 with the execution role unless given. A gateway of this app that asks its callers for
                something else is refused.
        """
        return _tool(
            "agentcore_gateway",
            name,
            _allowed(allowed),
            agent_core_gateway=HarnessAgentCoreGatewayConfig.draft(
                gateway_arn=attribute(gateway, "gateway_arn", "attr_gateway_arn"),
                outbound_auth=outbound_auth,
                authorizer_type=_authorizer_type(gateway),
            ),
        )

    @staticmethod
    def remote_mcp(
        url: str,
        *,
        name: str,
        headers: Mapping[str, str | HasCredentialProviderArn] | None = None,
        allowed: Sequence[str] | None = None,
        auth: HarnessRemoteMcpOutboundAuth | None = None,
    ) -> HarnessTool:
        """The tools of a remote MCP server.

        Args:
            url: Its endpoint.
            name: What `allowed_tools` calls it (`@name/*`).
            headers: Sent with every request. Never write a secret: pass an API-key credential provider as the value, or
                `stored_key(provider, prefix="Bearer ")`, and the service puts the key there when it calls.
            allowed: Which of its tools the agent may use, by name or glob; as for `gateway`.
            auth: How the harness proves who it is, made by `MCPAuth`; not at all unless given. API-only.
        """
        return _tool(
            "remote_mcp",
            name,
            _allowed(allowed),
            remote_mcp=HarnessRemoteMcpConfig.draft(url=url, headers=_headers(headers), outbound_auth=auth),
        )

    @staticmethod
    def browser(browser: str | HasBrowserArn | None = None, *, name: str | None = "browser") -> HarnessTool:
        """A browser.

        Args:
            browser: A custom browser or its ARN; the service's own unless given.
            name: What `allowed_tools` calls it.
        """
        if browser is None:
            return HarnessTool.draft(type="agentcore_browser", name=name)
        arn = attribute(browser, "browser_arn", "attr_browser_arn")
        config = HarnessAgentCoreBrowserConfig.draft(browser_arn=arn)
        return _tool("agentcore_browser", name, agent_core_browser=config)

    @staticmethod
    def code_interpreter(
        code_interpreter: str | HasCodeInterpreterArn | None = None, *, name: str | None = "code_interpreter"
    ) -> HarnessTool:
        """A code interpreter.

        Args:
            code_interpreter: A custom one or its ARN; the service's own unless given.
            name: What `allowed_tools` calls it.
        """
        if code_interpreter is None:
            return HarnessTool.draft(type="agentcore_code_interpreter", name=name)
        arn = attribute(code_interpreter, "code_interpreter_arn", "attr_code_interpreter_arn")
        return _tool(
            "agentcore_code_interpreter",
            name,
            agent_core_code_interpreter=HarnessAgentCoreCodeInterpreterConfig.draft(code_interpreter_arn=arn),
        )

    @overload
    @staticmethod
    def inline(name: str, *, description: str, input_schema: Mapping[str, Any]) -> HarnessTool: ...

    @overload
    @staticmethod
    def inline(
        name: Callable[..., Any], *, description: str | None = None, approval: bool | None = None
    ) -> InlineTool: ...

    @staticmethod
    def inline(
        name: str | Callable[..., Any],
        *,
        description: str | None = None,
        input_schema: Mapping[str, Any] | None = None,
        approval: bool | None = None,
    ) -> HarnessTool | InlineTool:
        """A function that the caller of the harness executes and answers.

        Args:
            name: 1–64 of letters, digits, '_' and '-'. Or a Python function, whose signature and docstring say the rest
                and which becomes a Lambda function: `InlineTool.from_function` says more, and takes more.
            description: When the model should call it, 1–4096 characters.
            input_schema: JSON schema of its arguments, of type object.
            approval: Whether a person must agree before a Python function runs.
        """
        if callable(name):
            return InlineTool.from_function(name, description=description, approval=approval)
        return _tool(
            "inline_function",
            name,
            inline_function=HarnessInlineFunctionConfig.draft(description=description, input_schema=input_schema),
        )


def stored_key(provider: str | HasCredentialProviderArn, *, prefix: str = "") -> str:
    """A header's value that is a key in AgentCore Identity: the service's placeholder, which it resolves when it calls.

    Args:
        provider: The API-key credential provider, or its ARN.
        prefix: What stands before the key, such as `"Bearer "`.
    """
    return f"{prefix}${{{provider_arn(provider)}}}"


def _authorizer_type(gateway: Any) -> str | None:
    """What a gateway made in this app asks of its callers; nothing is known of one made elsewhere."""
    kind = found(gateway, "authorizer_type") or found(found(gateway, "authorizer_configuration"), "authorizer_type")
    return None if kind is None else str(getattr(kind, "value", kind))


def _headers(headers: Any) -> Any:
    if not isinstance(headers, Mapping):
        return headers
    return {name: _header(value) for name, value in headers.items()}


def _header(value: Any) -> Any:
    return stored_key(value) if is_provider(value) else value


def _allowed(names: Any) -> Any:
    return tuple(names) if isinstance(names, (list, tuple)) else names


def _tool(kind: ToolType, name: str | None, allowed: Any = None, **member: Node) -> HarnessTool:
    return HarnessTool.draft(type=kind, name=name, config=HarnessToolConfiguration.draft(**member), allowed=allowed)
