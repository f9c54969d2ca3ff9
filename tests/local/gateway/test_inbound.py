"""Who may call a gateway: IAM, tokens, everybody; and what an interceptor makes of requests."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpcore2
import httpx
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from support import stacks
from support.identity_provider import ISSUER, IdentityProvider

from agentcore_local import fixtures, tls
from agentcore_local.gateway import mcp_target
from agentcore_local.gateway.signing import Signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentcore_local import Account, LocalCloud

LIST = {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {}}
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
JWT = {"discoveryUrl": f"{ISSUER}/.well-known/openid-configuration", "allowedAudience": ["shop"]}


@pytest.fixture(scope="module")
def account(local_cloud: LocalCloud) -> Account:
    return local_cloud.account()


@pytest.fixture(scope="module")
def role(account: Account) -> str:
    iam = account.client("iam")
    created = iam.create_role(RoleName="gateway", AssumeRolePolicyDocument=json.dumps(stacks.trust()))
    iam.put_role_policy(RoleName="gateway", PolicyName="Any", PolicyDocument=json.dumps(stacks.ANYTHING))
    return str(created["Role"]["Arn"])


@pytest.fixture(scope="module")
def make(account: Account, role: str) -> Callable[..., str]:
    """Makes a gateway; returns its URL."""
    numbers = iter(range(100))

    def make(kind: str = "AWS_IAM", **members: Any) -> str:
        control = account.client("bedrock-agentcore-control")
        name = f"gateway-{next(numbers)}"
        return str(control.create_gateway(name=name, roleArn=role, authorizerType=kind, **members)["gatewayUrl"])

    return make


def post(url: str, body: Any = LIST, **options: Any) -> httpx.Response:
    headers = {**HEADERS, **options.pop("headers", {})}
    return httpx.post(url, content=json.dumps(body), headers=headers, **options)


# ---- everybody, and IAM ----------------------------------------------------------------------------------------------


def test_everybody_may_call_a_gateway_without_an_authorizer(make: Callable[..., str]) -> None:
    answer = post(make("NONE"))
    assert answer.status_code == 200
    assert answer.json() == {"jsonrpc": "2.0", "id": 7, "result": {"tools": []}}


def test_an_older_client_shakes_hands(make: Callable[..., str]) -> None:
    params = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    url = make("NONE", protocolConfiguration={"mcp": {"instructions": "Ask."}})
    answer = post(url, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
    assert answer.json()["result"]["protocolVersion"] == "2025-03-26"
    assert answer.json()["result"]["instructions"] == "Ask."


def test_connections_share_the_certificates_they_trust(
    make: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading them takes longer than an agent without tools works."""
    read, reading = [], httpcore2.default_ssl_context

    def counted(**options: Any) -> Any:
        read.append(options)
        return reading(**options)

    monkeypatch.setattr(httpcore2, "default_ssl_context", counted)
    tls.mcp_context.cache_clear()
    url = make("NONE")
    for _ in range(3):
        with mcp_target.connected(url) as connection:
            assert mcp_target.listed(connection) == []
    assert len(read) == 1


def test_a_caller_who_does_not_sign_is_refused(make: Callable[..., str]) -> None:
    answer = post(make())
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("Missing Authentication Token")


def test_another_account_is_refused(make: Callable[..., str], account: Account) -> None:
    url = make()
    assert post(url, auth=Signed(account.account_id, "bedrock-agentcore", "us-east-1")).status_code == 200
    answer = post(url, auth=Signed("999988887777", "bedrock-agentcore", "us-east-1"))
    assert answer.status_code == 403


@pytest.mark.parametrize(("allowed", "status"), [(True, 200), (False, 403)])
def test_a_user_needs_invoke_gateway(make: Callable[..., str], account: Account, allowed: bool, status: int) -> None:
    iam = account.client("iam")
    user = f"user-{allowed}"
    iam.create_user(UserName=user)
    if allowed:
        statement = {"Effect": "Allow", "Action": "bedrock-agentcore:InvokeGateway", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=user, PolicyName="Invoke", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    answer = post(make(), auth=Signed(key["AccessKeyId"], "bedrock-agentcore", "us-east-1"))
    assert answer.status_code == status
    if not allowed:
        assert "not authorized to perform: bedrock-agentcore:InvokeGateway" in answer.json()["error"]["message"]


def test_there_is_no_such_gateway(local_cloud: LocalCloud) -> None:
    assert post(f"{local_cloud.endpoint_url}/_gateway/none-0123456789/mcp").status_code == 404


# ---- tokens ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    made = IdentityProvider()
    fixtures.use({"endpoints": {ISSUER: made.url}})
    yield made
    made.close()
    fixtures.use(None)


def bearer(token: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def test_a_token_of_the_provider(make: Callable[..., str], provider: IdentityProvider) -> None:
    url = make("CUSTOM_JWT", authorizerConfiguration={"customJWTAuthorizer": JWT})
    assert post(url, **bearer(provider.token())).status_code == 200
    for token, status, reason in (
        (provider.token(aud="other"), 403, "audience is not allowed"),
        (provider.token(exp=time.time() - 60), 401, "expired"),
        (provider.token(iss="https://else.example.com"), 401, "its issuer must be"),
        (provider.token(key=rsa.generate_private_key(65537, 2048)), 401, "Signature verification failed"),
        ("none", 401, "Invalid token"),
    ):
        answer = post(url, **bearer(token))
        assert (answer.status_code, reason in answer.json()["error"]["message"]) == (status, True), answer.text
    assert post(url).json()["error"]["message"] == "Missing bearer token"


@pytest.mark.parametrize(
    ("asked", "good", "bad"),
    [
        ({"allowedClients": ["app"]}, {"client_id": "app"}, {"client_id": "other"}),
        ({"allowedScopes": ["read"]}, {"scope": "write read"}, {"scope": "write"}),
        (
            {"customClaims": [{"inboundTokenClaimName": "team", "inboundTokenClaimValueType": "STRING",
                               "authorizingClaimMatchValue": {"claimMatchValue": {"matchValueString": "a"},
                                                              "claimMatchOperator": "EQUALS"}}]},
            {"team": "a"}, {"team": "b"},
        ),
        (
            {"customClaims": [{"inboundTokenClaimName": "groups", "inboundTokenClaimValueType": "STRING_ARRAY",
                               "authorizingClaimMatchValue": {"claimMatchValue": {"matchValueStringList": ["a", "b"]},
                                                              "claimMatchOperator": "CONTAINS_ANY"}}]},
            {"groups": ["x", "b"]}, {"groups": ["x"]},
        ),
    ],
)  # fmt: skip
def test_what_an_authorizer_asks_of_a_token(
    make: Callable[..., str],
    provider: IdentityProvider,
    asked: dict[str, Any],
    good: dict[str, Any],
    bad: dict[str, Any],
) -> None:
    settings = {"discoveryUrl": JWT["discoveryUrl"], **asked}
    url = make("CUSTOM_JWT", authorizerConfiguration={"customJWTAuthorizer": settings})
    assert post(url, **bearer(provider.token(**good))).status_code == 200
    assert post(url, **bearer(provider.token(**bad))).status_code == 403


# ---- harnesses with a JWT authorizer ---------------------------------------------------------------------------------

QUESTION = {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}


@pytest.fixture(scope="module")
def invoke(local_cloud: LocalCloud) -> Callable[..., httpx.Response]:
    """Invokes a harness with a token, as its callers do."""

    def invoke(arn: str, token: str, **query: str) -> httpx.Response:
        url = f"{local_cloud.endpoint_url}/harnesses/invoke"
        session = {"X-Amzn-Bedrock-AgentCore-Runtime-Session-Id": "s" * 33}
        headers = {**session, "authorization": f"Bearer {token}"}
        return httpx.post(url, params={"harnessArn": arn, **query}, headers=headers, json=QUESTION)

    return invoke


@pytest.fixture(scope="module")
def harness(account: Account, role: str) -> Callable[..., str]:
    """Makes a harness; returns its ARN."""

    def harness(name: str, **members: Any) -> str:
        control = account.client("bedrock-agentcore-control")
        made = control.create_harness(harnessName=name, executionRoleArn=role, memory={"disabled": {}}, **members)
        return str(made["harness"]["arn"])

    return harness


def test_a_harness_answers_whom_its_provider_vouches_for(
    harness: Callable[..., str], invoke: Callable[..., httpx.Response], provider: IdentityProvider, account: Account
) -> None:
    arn = harness("shop", authorizerConfiguration={"customJWTAuthorizer": {**JWT, "allowedScopes": ["chat"]}})
    answer = invoke(arn, provider.token(scope="chat"), qualifier="DEFAULT")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert b"messageStop" in answer.content
    for token, status, kind, reason in (
        (provider.token(), 403, "AccessDeniedException", "The token's scope is not allowed"),
        (provider.token(scope="chat", aud="other"), 403, "AccessDeniedException", "The token's audience is not"),
        (provider.token(scope="chat", exp=time.time() - 60), 401, "UnauthorizedException", "expired"),
        ("none", 401, "UnauthorizedException", "Invalid token"),
    ):
        answer = invoke(arn, token)
        seen = (answer.status_code, answer.headers["x-amzn-errortype"], reason in answer.json()["message"])
        assert seen == (status, kind, True), answer.text
    with pytest.raises(ClientError, match="configured for JWT inbound authorization and does not accept requests"):
        account.client("bedrock-agentcore").invoke_harness(harnessArn=arn, runtimeSessionId="s" * 33, **QUESTION)


def test_a_gateway_is_called_with_the_caller_s_token_exchanged(  # noqa: PLR0917  (fixtures)
    harness: Callable[..., str],
    invoke: Callable[..., httpx.Response],
    make: Callable[..., str],
    provider: IdentityProvider,
    account: Account,
    deploy: Callable[..., Any],
) -> None:
    gateway = make("NONE").split("//")[1].split("/")[2]
    place = f"arn:aws:bedrock-agentcore:us-east-1:{account.account_id}"
    partner = deploy(stacks.oauth_provider()).outputs["Arn"]
    oauth = {"providerArn": partner, "scopes": ["read"], "grantType": "TOKEN_EXCHANGE"}
    tool = {"agentCoreGateway": {"gatewayArn": f"{place}:gateway/{gateway}", "outboundAuth": {"oauth": oauth}}}
    arn = harness(
        "exchanging",
        authorizerConfiguration={"customJWTAuthorizer": JWT},
        tools=[{"type": "agentcore_gateway", "name": "shop", "config": tool}],
    )
    token = provider.token(sub="ada")
    assert invoke(arn, token).status_code == 200
    assert f"subject_token={token}" in provider.asked[-1][1]


def test_a_harness_with_iam_takes_no_tokens(
    harness: Callable[..., str], invoke: Callable[..., httpx.Response], provider: IdentityProvider
) -> None:
    arn = harness("inner")
    answer = invoke(arn, provider.token())
    assert answer.status_code == 403
    assert "is configured for IAM and does not accept tokens" in answer.json()["message"]
    assert invoke(arn.replace("inner", "other"), provider.token()).status_code == 404
    assert invoke("no-arn", provider.token()).status_code == 400


# ---- interceptors ----------------------------------------------------------------------------------------------------

INTERCEPTOR = """
def answer(**mcp):
    return {"interceptorOutputVersion": "1.0", "mcp": mcp}

def handler(event, context):
    mcp = event["mcp"]
    if "gatewayResponse" in mcp:
        body = mcp["gatewayResponse"]["body"]
        body["result"]["seen"] = "headers" in mcp["gatewayRequest"]
        return answer(transformedGatewayResponse={"statusCode": 200, "body": body})
    body = mcp["gatewayRequest"]["body"]
    if body["method"] == "tools/call":
        refusal = {"jsonrpc": "2.0", "id": body["id"], "error": {"code": -32000, "message": "not today"}}
        return answer(transformedGatewayResponse={"statusCode": 403, "body": refusal})
    if body["method"] == "ping":
        return "nonsense"
    return answer(transformedGatewayRequest={"body": dict(body, id=99)})
"""


def test_interceptors(make: Callable[..., str], account: Account) -> None:
    iam, functions = account.client("iam"), account.client("lambda")
    trust = json.dumps(stacks.trust("lambda.amazonaws.com"))
    arn = iam.create_role(RoleName="interceptor", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    code = {"ZipFile": stacks.zipped({"index.py": INTERCEPTOR})}
    function = functions.create_function(
        FunctionName="interceptor", Runtime="python3.13", Role=arn, Handler="index.handler", Code=code
    )["FunctionArn"]
    configured = [
        {
            "interceptor": {"lambda": {"arn": function}},
            "interceptionPoints": ["REQUEST", "RESPONSE"],
            "inputConfiguration": {"passRequestHeaders": False},
        }
    ]
    url = make("NONE", interceptorConfigurations=configured)
    listed = post(url).json()
    assert (listed["id"], listed["result"]["seen"]) == (99, False)
    refused = post(url, {**LIST, "method": "tools/call", "params": {"name": "x"}})
    assert (refused.status_code, refused.json()["error"]["message"]) == (403, "not today")
    failed = post(url, {**LIST, "method": "ping"})
    assert (failed.status_code, failed.json()["error"]["message"]) == (
        500,
        "An internal error occurred. Please retry later.",
    )
