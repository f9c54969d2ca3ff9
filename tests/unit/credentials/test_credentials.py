"""API keys and OAuth clients: from secrets only, and never shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from support import synth

from agentcore_constructs import (
    ApiKey,
    GatewayAuth,
    Harness,
    HarnessConfigError,
    Memory,
    Model,
    ModelKey,
    OAuthClient,
    Skill,
    Tool,
    ToolGateway,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk-proj-hunter2-hunter2-hunter2"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:team/openai-AbCdEf"
DISCOVERY = "https://idp.example.com/.well-known/openid-configuration"
GATEWAY = "arn:aws:bedrock-agentcore:us-east-1:111122223333:gateway/orders-0123456789"
API_KEY = "AWS::BedrockAgentCore::ApiKeyCredentialProvider"
OAUTH = "AWS::BedrockAgentCore::OAuth2CredentialProvider"


@pytest.fixture
def stack() -> cdk.Stack:
    return synth.new_stack()


@pytest.fixture
def secret(stack: cdk.Stack) -> secretsmanager.Secret:
    return secretsmanager.Secret(stack, "Keys", encryption_key=kms.Key(stack, "Key"))


def faults_of(act: Callable[[], Any]) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        act()
    assert KEY not in str(caught.value)
    return str(caught.value).splitlines()


def statements(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        statement["Sid"]: statement
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    }


# ---- what the template says ------------------------------------------------------------------------------------------


def test_a_key_in_a_json_secret_stays_there(stack: cdk.Stack, secret: secretsmanager.Secret) -> None:
    ApiKey(stack, "OpenAi", secret, json_key="key", name="open-ai", tags={"team": "x"})
    (provider,) = synth.resources(stack, API_KEY).values()
    assert provider["Properties"] == {
        "Name": "open-ai",
        "ApiKeySecretSource": "EXTERNAL",
        "ApiKeySecretConfig": {"SecretId": {"Ref": "Keys4E30B592"}, "JsonKey": "key"},
        "Tags": [{"Key": "team", "Value": "x"}],
    }


def test_a_secret_that_is_the_key_is_copied_by_reference(stack: cdk.Stack) -> None:
    ModelKey(stack, "Open_AI", SECRET)
    (provider,) = synth.resources(stack, API_KEY).values()
    properties = provider["Properties"]
    assert properties["ApiKey"] == "{{resolve:secretsmanager:" + SECRET + ":SecretString:::}}"
    assert "_" not in properties["Name"]


def test_a_harness_may_read_the_users_own_secret_and_nothing_else(
    stack: cdk.Stack, secret: secretsmanager.Secret
) -> None:
    key = ApiKey(stack, "Search", secret, json_key="search")
    client = OAuthClient(
        stack, "Orders", client_id="c", client_secret=secret, json_key="orders", discovery_url=DISCOVERY
    )
    Harness(
        stack,
        "Agent",
        memory=Memory.disabled(),
        model=Model.openai("gpt-5", api_key=key),
        tools=[Tool.gateway(GATEWAY, name="orders", outbound_auth=GatewayAuth.oauth(client, scopes=["read"]))],
    )
    found = statements(synth.template_of(stack).to_json())
    assert found["AgentCoreApiKeySecret"]["Resource"] == [{"Ref": "Keys4E30B592"}]
    assert found["AgentCoreOAuth2Secret"]["Resource"] == [{"Ref": "Keys4E30B592"}]
    assert found["CredentialSecretKey"] == {
        "Sid": "CredentialSecretKey",
        "Effect": "Allow",
        "Action": ["kms:Decrypt"],
        "Resource": [{"Fn::GetAtt": ["Key961B73FD", "Arn"]}],
        "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}},
    }


@pytest.mark.parametrize("use", ["model", "header", "skill", "override"])
def test_every_user_of_a_key_brings_the_right_to_its_secret(
    stack: cdk.Stack, secret: secretsmanager.Secret, use: str
) -> None:
    key = ApiKey(stack, "Key1", secret, json_key="key")
    given: dict[str, Any] = {
        "model": {"model": Model.gemini("gemini-3", api_key=key)},
        "header": {"tools": [Tool.remote_mcp("https://example.com/mcp", name="s", headers={"x-api-key": key})]},
        "skill": {"skills": [Skill.git("https://example.com/skills", credential=key)]},
    }.get(use, {})
    harness = Harness(stack, "Agent", memory=Memory.disabled(), **given)
    if use == "override":
        harness.allow_override(model=Model.litellm("mistral/large", api_key=key))
    found = statements(synth.template_of(stack).to_json())
    assert found["AgentCoreApiKeySecret"]["Resource"] == [{"Ref": "Keys4E30B592"}]
    assert "CredentialSecretKey" in found


def test_a_copied_key_is_read_where_agentcore_keeps_it(stack: cdk.Stack) -> None:
    key = ApiKey(stack, "OpenAi", SECRET, name="open-ai")
    Harness(stack, "Agent", memory=Memory.disabled(), model=Model.openai("gpt-5", api_key=key))
    found = statements(synth.template_of(stack).to_json())
    assert "bedrock-agentcore-identity!default/apikey/" in json.dumps(found["AgentCoreApiKeySecret"]["Resource"])
    assert "CredentialSecretKey" not in found


def test_a_provider_made_elsewhere_brings_its_secret(stack: cdk.Stack) -> None:
    arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/imported"
    key = ApiKey.from_arn(stack, "Key", arn, secret=SECRET)
    Harness(stack, "Agent", memory=Memory.disabled(), model=Model.openai("gpt-5", api_key=key))
    found = statements(synth.template_of(stack).to_json())
    assert found["AgentCoreApiKeySecret"]["Resource"] == [SECRET]
    assert found["AgentCoreApiKeyTokenVault"]["Resource"][-1] == arn


def test_a_secret_known_by_part_of_its_arn_is_granted_without_its_suffix(stack: cdk.Stack) -> None:
    partial = SECRET.removesuffix("-AbCdEf")
    key = ApiKey(stack, "OpenAi", partial, json_key="key")
    assert key.api_key_secret_arn == f"{partial}-??????"


def test_an_oauth_client_takes_a_tenant_and_a_server(stack: cdk.Stack, secret: secretsmanager.Secret) -> None:
    server = agentcore.OAuth2AuthorizationServerMetadata(
        issuer="https://i", authorization_endpoint="https://a", token_endpoint="https://t", response_types=["code"]
    )
    OAuthClient(stack, "A", client_id="a", client_secret=secret, authorization_server=server)
    OAuthClient(stack, "B", vendor="okta", client_id="b", client_secret=secret, issuer="https://o")
    OAuthClient(stack, "C", vendor="microsoft", client_id="c", client_secret=secret, json_key="k", tenant_id="t")
    OAuthClient(stack, "D", vendor="github", client_id="d", client_secret=secret)
    found = {
        resource["Properties"]["CredentialProviderVendor"]: resource["Properties"]["Oauth2ProviderConfigInput"]
        for resource in synth.resources(stack, OAUTH).values()
    }
    assert set(found) == {"CustomOauth2", "OktaOauth2", "MicrosoftOauth2", "GithubOauth2"}
    metadata = found["CustomOauth2"]["CustomOauth2ProviderConfig"]["OauthDiscovery"]["AuthorizationServerMetadata"]
    assert metadata["ResponseTypes"] == ["code"]
    assert found["OktaOauth2"]["IncludedOauth2ProviderConfig"]["Issuer"] == "https://o"
    assert found["MicrosoftOauth2"]["MicrosoftOauth2ProviderConfig"] == {
        "ClientId": "c",
        "ClientSecretSource": "EXTERNAL",
        "ClientSecretConfig": {"SecretId": {"Ref": "Keys4E30B592"}, "JsonKey": "k"},
        "TenantId": "t",
    }
    assert set(found["GithubOauth2"]["GithubOauth2ProviderConfig"]) == {"ClientId", "ClientSecret"}


def test_what_the_cdk_grants_names_secrets_as_text(stack: cdk.Stack, secret: secretsmanager.Secret) -> None:
    """aws-cdk-lib's own attribute is an object, which no policy takes."""
    client = OAuthClient(stack, "O", client_id="c", client_secret=secret, vendor="github", name="hub")
    key = ApiKey(stack, "K", SECRET, name="open-ai")
    assert client.bind_for_gateway_o_auth_target(["s"]).secret_arn == client.client_secret_arn
    assert key.bind_for_gateway_api_key_target().secret_arn == key.api_key_secret_arn
    assert key.api_key_secret_arn.endswith(":secret:bedrock-agentcore-identity!default/apikey/open-ai-??????")
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    iam.Grant.add_to_principal(
        grantee=role, actions=["secretsmanager:GetSecretValue"], resource_arns=[client.client_secret_arn]
    )
    assert "ClientSecretArn" not in json.dumps(synth.template_of(stack).to_json())


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_a_key_written_in_code_is_refused(stack: cdk.Stack) -> None:
    must = "must be a secret of Secrets Manager, or the ARN of one"
    fix = "store it in Secrets Manager and pass that Secret: what is written in code is no secret."
    assert faults_of(lambda: ApiKey(stack, "A", KEY)) == [
        "The API key Agents/A has 1 fault:",
        f"  secret: {must}; received a value of 31 characters; {fix}",
    ]
    plain: Any = cdk.SecretValue.unsafe_plain_text(KEY)
    assert faults_of(lambda: ApiKey(stack, "B", plain))[1] == (
        f"  secret: {must}; received an object of class SecretValue; {fix}"
    )
    assert faults_of(lambda: OAuthClient(stack, "C", client_id="c", client_secret=KEY, vendor="github"))[1] == (
        f"  client_secret: {must}; received a value of 31 characters; {fix}"
    )
    assert f"  secret: {must}" in faults_of(lambda: ApiKey.from_arn(stack, "D", "arn:x", secret=KEY))[1]
    assert (
        f"  client_secret: {must}" in faults_of(lambda: OAuthClient.from_arn(stack, "E", "arn:x", client_secret=KEY))[1]
    )


def test_a_key_in_place_of_a_provider_is_refused(stack: cdk.Stack) -> None:
    told = faults_of(lambda: Harness(stack, "Agent", model=Model.openai("gpt-5", api_key=KEY)))
    assert "received a value of 31 characters; store the key with an ApiKeyCredentialProvider" in told[1]


@pytest.mark.parametrize(
    ("name", "fits"), [("a" * 128, True), ("a" * 129, False), ("a_b", False), ("a.b", False), ("", False)]
)
def test_names_are_those_a_harness_takes(stack: cdk.Stack, name: str, fits: bool) -> None:
    if fits:
        ApiKey(stack, "A", SECRET, name=name)
    else:
        told = faults_of(lambda: ApiKey(stack, "A", SECRET, name=name))
        assert (
            "  name: must be 1–128 letters, digits and hyphens; a harness takes no provider with an underscore"
            in told[1]
        )


@pytest.mark.parametrize("wrong", [5, True, object(), ["a"], {"a": 1}])
def test_what_is_of_a_wrong_type_is_refused_in_sentences(
    stack: cdk.Stack, secret: secretsmanager.Secret, wrong: Any
) -> None:
    client: dict[str, Any] = {"client_id": "c", "client_secret": secret}
    for act, field in (
        (lambda: ApiKey(stack, "A", wrong), "secret"),
        (lambda: ApiKey(stack, "B", secret, name=wrong), "name"),
        (lambda: ApiKey(stack, "C", secret, json_key=wrong), "json_key"),
        (lambda: OAuthClient(stack, "D", **client, vendor=wrong), "vendor"),
        (lambda: OAuthClient(stack, "E", **client, authorization_server=wrong), "authorization_server"),
    ):
        with pytest.raises(HarnessConfigError, match=f"{field}: must "):
            act()


def test_a_key_within_a_secret_has_128_characters(stack: cdk.Stack) -> None:
    assert (
        "json_key: must be 1–128 characters; received '' (0 characters)"
        in faults_of(lambda: ApiKey(stack, "A", SECRET, json_key=""))[1]
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {},
            "authorization server: one of discovery_url and authorization_server; received neither; give one of them.",
        ),
        ({"vendor": "acme"}, "vendor: must be one of custom, atlassian"),
        (
            {"vendor": "github", "issuer": "https://x"},
            "issuer: must be one that github has; received a value; leave it out",
        ),
        ({"vendor": "okta", "tenant_id": "x"}, "tenantId: must be one that okta has"),
        (
            {"vendor": "github", "discovery_url": DISCOVERY},
            "discovery_url: must be left out for a vendor AgentCore knows",
        ),
    ],
)
def test_what_does_not_fit_an_identity_provider(stack: cdk.Stack, given: dict[str, Any], sentence: str) -> None:
    told = faults_of(lambda: OAuthClient(stack, "A", client_id="c", client_secret=SECRET, **given))
    assert sentence in told[1]


def test_a_gateway_takes_a_key_and_may_read_the_secret_behind_it_and_no_other(
    stack: cdk.Stack, secret: secretsmanager.Secret
) -> None:
    from agentcore_constructs import Target  # noqa: PLC0415

    api = {
        "openapi": "3.0.0",
        "info": {"title": "x", "version": "1"},
        "paths": {"/x": {"get": {"operationId": "x", "description": "x", "responses": {"200": {"description": "x"}}}}},
        "servers": [{"url": "https://example.com"}],
    }
    other = secretsmanager.Secret(stack, "Others")
    client = OAuthClient(stack, "C", client_id="c", client_secret=other, json_key="c", discovery_url=DISCOVERY)
    imported = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/kept"
    tokens = agentcore.GatewayCredentialProvider.from_oauth_identity(client, scopes=["read"])
    ToolGateway(
        stack,
        "Gateway",
        targets=[
            Target.open_api(api, name="api", credentials=ApiKey(stack, "K", secret, json_key="k")),
            Target.mcp_server("https://example.com/mcp", name="mcp", credentials=tokens),
            Target.open_api(api, name="far", credentials=ApiKey.from_arn(stack, "F", imported, secret=SECRET)),
            Target.open_api(api, name="copied", credentials=ApiKey(stack, "Copied", SECRET)),
            Target.open_api(api, name="theirs", credentials=ApiKey.from_arn(stack, "Theirs", f"{imported}-there")),
        ],
    )
    template = synth.template_of(stack).to_json()
    (policy,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::IAM::Policy" and name.startswith("GatewayServiceRole")
    ]
    read = [one["Resource"] for one in policy if one["Action"] == "secretsmanager:GetSecretValue"]
    kept = ":secretsmanager:us-east-1:111122223333:secret:bedrock-agentcore-identity!default/apikey/"
    provider = {"Fn::GetAtt": ["Copied14675FE1", "CredentialProviderArn"]}
    copied = {"Fn::Select": [1, {"Fn::Split": ["apikeycredentialprovider/", provider]}]}
    arn = ["arn:", {"Ref": "AWS::Partition"}]
    assert [one for resources in read for one in (resources if isinstance(resources, list) else [resources])] == [
        {"Ref": "Keys4E30B592"},
        {"Ref": "Others19ED1FBF"},
        SECRET,
        {"Fn::Join": ["", [*arn, kept, copied, "-??????"]]},
        {"Fn::Join": ["", [*arn, f"{kept}kept-there-??????"]]},
    ]
    assert assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value()) == []
    assert [one for one in policy if one["Action"] == "kms:Decrypt"] == [
        {
            "Action": "kms:Decrypt",
            "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}},
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": ["Key961B73FD", "Arn"]},
        }
    ]
