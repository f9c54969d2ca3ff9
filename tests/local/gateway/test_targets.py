"""What the agent's stack does not cover: REST APIs, policy engines, tokens, kinds that are not emulated."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import pytest
from support import stacks
from support.behaviours import behaviour
from support.identity_provider import IdentityProvider

from agentcore_local import fixtures
from agentcore_local.gateway import catalog, openapi, outbound, rest_api, vault
from agentcore_local.gateway.result import TargetFailed
from agentcore_local.gateway.store import GATEWAYS, Gateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account

TOPIC = "What gateways refuse here"
SOURCES = ("https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway.html",)
REQUEST = catalog.Request("1", {})
WEB_SEARCH = {"name": "WebSearch", "parameterValues": {}}
ECHO = """
import json

def handler(event, context):
    seen = {name: event[name] for name in ("httpMethod", "pathParameters", "queryStringParameters", "body")}
    return {"statusCode": 200, "body": json.dumps(seen)}
"""


@pytest.fixture
def gateway(control: Any, role_arn: str) -> Callable[..., Gateway]:
    """Makes a gateway with a target."""

    def make(configuration: dict[str, Any], **members: Any) -> Gateway:
        request = {"name": "shop", "roleArn": role_arn, "authorizerType": "NONE", "exceptionLevel": "DEBUG", **members}
        made = control.create_gateway(**request)["gatewayId"]
        control.create_gateway_target(gatewayIdentifier=made, name="it", targetConfiguration=configuration)
        found = GATEWAYS.find(made)
        assert found is not None
        return found

    return make


def test_a_rest_api(account: Account, gateway: Callable[..., Gateway]) -> None:
    iam, apis = account.client("iam"), account.client("apigateway")
    trust = json.dumps(stacks.trust("lambda.amazonaws.com"))
    role = iam.create_role(RoleName="echo", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    function = account.client("lambda").create_function(
        FunctionName="echo",
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": stacks.zipped({"index.py": ECHO})},
    )["FunctionArn"]
    account.client("lambda").add_permission(
        FunctionName="echo", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = apis.create_rest_api(name="orders")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    orders = apis.create_resource(restApiId=api, parentId=root, pathPart="orders")["id"]
    order = apis.create_resource(restApiId=api, parentId=orders, pathPart="{id}")["id"]
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    for resource, method in ((orders, "POST"), (order, "GET"), (order, "DELETE")):
        parameters = {"method.request.querystring.full": False} if method == "GET" else {}
        apis.put_method(
            restApiId=api,
            resourceId=resource,
            httpMethod=method,
            authorizationType="NONE",
            requestParameters=parameters,
            **({"operationName": "place"} if method == "POST" else {}),
        )
        apis.put_integration(
            restApiId=api,
            resourceId=resource,
            httpMethod=method,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=uri,
        )
    apis.create_deployment(restApiId=api, stageName="prod")
    settings = {
        "toolFilters": [
            {"filterPath": "/orders", "methods": ["POST"]},
            {"filterPath": "/orders/*", "methods": ["GET"]},
        ],
        "toolOverrides": [{"name": "lookup", "path": "/orders/{id}", "method": "GET", "description": "Looks one up."}],
    }
    target = {"restApiId": api, "stage": "prod", "apiGatewayToolConfiguration": settings}
    made = gateway({"mcp": {"apiGateway": target}})
    found = {name: tool for name, tool in catalog.tools(made)}  # noqa: C416 - dict() of an iterator of pairs reads worse
    assert sorted(found) == ["it___lookup", "it___place"]
    assert found["it___lookup"].description == "Looks one up."
    assert found["it___lookup"].input_schema["required"] == ["id"]
    looked = catalog.call(made, "it___lookup", {"id": "A-1", "full": "1"}, REQUEST)
    seen = json.loads(looked.content[0]["text"])
    assert (seen["httpMethod"], seen["queryStringParameters"]) == ("GET", {"full": "1"})
    posted = catalog.call(made, "it___place", {"body": {"item": "ä"}}, REQUEST)
    assert json.loads(json.loads(posted.content[0]["text"])["body"]) == {"item": "ä"}
    (stored,) = made.targets.values()
    del stored.configuration["apiGateway"]["apiGatewayToolConfiguration"]["toolOverrides"]
    with pytest.raises(TargetFailed, match=r"GET /orders/{id} has neither an operation name nor a tool override"):
        list(rest_api.tools(made, stored))


@behaviour(
    "Cedar policies of a policy engine", status="refused", note="Each call answers so; `LOG_ONLY` lets calls pass."
)
def test_a_policy_engine_that_decides_is_not_guessed(gateway: Callable[..., Gateway], account: Account) -> None:
    arn = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}:policy-engine/orders-0123456789"
    configuration = {"mcp": {"connector": {"source": {"connectorId": "web-search"}, "configurations": [WEB_SEARCH]}}}
    made = gateway(configuration, policyEngineConfiguration={"arn": arn, "mode": "ENFORCE"})
    answer = catalog.call(made, "it___WebSearch", {"query": "x"}, REQUEST)
    assert answer.is_error
    assert answer.content[0]["text"].startswith("The local cloud does not evaluate Cedar policies")
    made.request["policyEngineConfiguration"]["mode"] = "LOG_ONLY"
    assert "does not search the web" in catalog.call(made, "it___WebSearch", {"query": "x"}, REQUEST).content[0]["text"]


@pytest.mark.parametrize(
    ("configuration", "sentence"),
    [
        ({"mcp": {"smithyModel": {"inlinePayload": "{}"}}}, "does not emulate targets of the kind smithyModel"),
        (
            {"mcp": {"connector": {"source": {"connectorId": "other"}, "configurations": [WEB_SEARCH]}}},
            "does not emulate the connector other",
        ),
        (
            {"http": {"passthrough": {"endpoint": "https://x.example.com", "protocolType": "A2A"}}},
            "does not emulate targets of the kind http",
        ),
    ],
)
@behaviour(
    "Smithy models, other connectors and HTTP targets",
    status="refused",
    note="They offer no tools; the log and a call say so.",
)
def test_kinds_that_are_not_emulated_offer_nothing_and_say_so(
    gateway: Callable[..., Gateway], caplog: pytest.LogCaptureFixture, configuration: Any, sentence: str
) -> None:
    made = gateway(configuration)
    assert list(catalog.tools(made)) == []
    assert sentence in caplog.text
    assert sentence in catalog.call(made, "it___x", {}, REQUEST).content[0]["text"]


def test_a_tool_that_is_made_up(gateway: Callable[..., Gateway]) -> None:
    made = gateway({"mcp": {"mcpServer": {"endpoint": "https://127.0.0.1:9/mcp"}}})
    assert catalog.call(made, "other___x", {}, REQUEST).content[0]["text"] == "Unknown tool: other___x"


@pytest.mark.parametrize(
    ("exchange", "sent"),
    [
        (
            {},
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token": "me",
                "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "scope": "read",
            },
        ),
        (
            {"OnBehalfOfTokenExchangeConfig": {"GrantType": "JWT_AUTHORIZATION_GRANT"}},
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "me", "scope": "read"},
        ),
    ],
)
def test_the_caller_s_token_is_exchanged(
    account: Account, deploy: Any, exchange: dict[str, Any], sent: dict[str, str]
) -> None:
    identity = IdentityProvider()
    fixtures.use({"endpoints": {"https://id.example.com": identity.url}})
    try:
        arn = deploy(stacks.oauth_provider(**exchange)).outputs["Arn"]
        wanted = {"providerArn": arn, "scopes": ["read"], "grantType": "TOKEN_EXCHANGE"}
        assert vault.oauth_token(wanted, "me") == vault.oauth_token(wanted, "me") == "t0ken"
        assert [dict(parse_qsl(body)) for _, body in identity.asked] == [sent]
        vault.oauth_token(wanted, "you")
        assert "you" in identity.asked[-1][1]  # nobody gets the token of another
    finally:
        fixtures.use(None)
        identity.close()
    assert account.account_id in arn


@pytest.mark.parametrize(
    ("grant", "exchange", "sentence"),
    [
        ("AUTHORIZATION_CODE", {}, "would send a person to a page where they agree"),
        ("TOKEN_EXCHANGE", {}, "this caller signed with SigV4 and has none; give the harness a JWT authorizer"),
        (
            "TOKEN_EXCHANGE",
            {
                "OnBehalfOfTokenExchangeConfig": {
                    "GrantType": "TOKEN_EXCHANGE",
                    "TokenExchangeGrantTypeConfig": {"ActorTokenContent": "M2M"},
                }
            },
            "sends an actor's token along (M2M), which the local cloud does not emulate",
        ),
    ],
)
def test_grants_that_cannot_be_had_say_why(
    account: Account, deploy: Any, grant: str, exchange: dict[str, Any], sentence: str
) -> None:
    arn = deploy(stacks.oauth_provider(**exchange)).outputs["Arn"]
    token = "me" if exchange else None
    with pytest.raises(vault.VaultError) as caught:
        vault.oauth_token({"providerArn": arn, "grantType": grant}, token)
    assert sentence in str(caught.value)
    assert account.account_id in arn


def test_tokens_come_from_the_provider_once(account: Account, deploy: Any) -> None:
    identity = IdentityProvider()
    fixtures.use({"endpoints": {"https://id.example.com": identity.url}})
    template = stacks.oauth_provider()
    try:
        arn = deploy(template).outputs["Arn"]
        wanted = {"providerArn": arn, "scopes": ["read", "write"], "customParameters": {"a": "b"}}
        assert [vault.oauth_token(wanted) for _ in range(2)] == ["t0ken", "t0ken"]
        ((authorization, body),) = identity.asked
        assert authorization == "Basic YXBwOnMzY3JldA=="
        assert body == "grant_type=client_credentials&scope=read+write&a=b"
    finally:
        fixtures.use(None)
        identity.close()
    assert account.account_id in arn


def test_an_argument_does_not_replace_what_the_gateway_proves_itself_with(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, Any] = {}

    def request(method: str, url: str, **options: Any) -> httpx.Response:
        sent.update(options)
        return httpx.Response(200, text="ok", request=httpx.Request(method, url))

    monkeypatch.setattr(httpx, "request", request)
    places = {"X-Api-Key": "header", "token": "query", "city": "query", "one": "cookie", "two": "cookie"}
    operation = openapi.Operation("GET", "https://weather.example.com", places, (), False)
    proof = outbound.Credentials({"x-api-key": "ours"}, {"token": "ours"})
    arguments = {"X-Api-Key": "theirs", "token": "theirs", "city": "Bonn", "one": 1, "two": "b"}
    assert openapi.send(operation, arguments, proof).content == ({"type": "text", "text": "ok"},)
    assert sent["headers"] == {"Cookie": "one=1; two=b", "x-api-key": "ours"}
    assert sent["params"] == {"token": "ours", "city": "Bonn"}
