"""Templates and assemblies for tests of the local cloud, without CDK (importing aws_cdk takes seconds)."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = "bedrock-agentcore.amazonaws.com"
Template = dict[str, Any]


def trust(service: str = SERVICE, **condition: Any) -> dict[str, Any]:
    """A trust policy for a service."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
"""A policy for tests that are not about permissions."""


def role(service: str = SERVICE) -> dict[str, Any]:
    """A role a service may assume, and that may do everything."""
    policies = [{"PolicyName": "Anything", "PolicyDocument": ANYTHING}]
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust(service), "Policies": policies}}


def get_att(logical_id: str, attribute: str) -> dict[str, Any]:
    """`Fn::GetAtt`."""
    return {"Fn::GetAtt": [logical_id, attribute]}


def harness(name: str = "helper", **properties: Any) -> dict[str, Any]:
    """A harness whose role is the resource `Role`; None removes a property."""
    all_properties = {
        "HarnessName": name,
        "ExecutionRoleArn": get_att("Role", "Arn"),
        "Model": {"BedrockModelConfig": {"ModelId": "test-model"}},
        "SystemPrompt": [{"Text": "one"}],
        **properties,
    }
    kept = {key: value for key, value in all_properties.items() if value is not None}
    return {"Type": "AWS::BedrockAgentCore::Harness", "Properties": kept}


def endpoint(name: str = "PROD", *, version: Any = None, **properties: Any) -> dict[str, Any]:
    """An endpoint of the resource `Harness`."""
    target = {} if version is None else {"TargetVersion": version}
    all_properties = {"HarnessId": get_att("Harness", "HarnessId"), "EndpointName": name, **target, **properties}
    return {"Type": "AWS::BedrockAgentCore::HarnessEndpoint", "Properties": all_properties}


def template(outputs: dict[str, Any] | None = None, **resources: Any) -> Template:
    """A template with a role named `Role` and these resources."""
    content: Template = {"Resources": {"Role": role(), **resources}}
    if outputs:
        content["Outputs"] = {name: {"Value": value} for name, value in outputs.items()}
    return content


def assembly(folder: Path, content: Template, name: str = "Stack") -> Path:
    """Write a template as a cloud assembly of one stack."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.template.json").write_text(json.dumps(content))
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": f"{name}.template.json"}}
    (folder / "manifest.json").write_text(json.dumps({"version": "50.0.0", "artifacts": {name: artifact}}))
    return folder


def zipped(files: dict[str, str]) -> bytes:
    """A zip archive of text files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def oauth_provider(**config: Any) -> Template:
    """A template with an OAuth2 credential provider, whose ARN is an output."""
    metadata = {
        "Issuer": "https://id.example.com",
        "AuthorizationEndpoint": "https://id.example.com/authorize",
        "TokenEndpoint": "https://id.example.com/token",
    }
    client = {"ClientId": "app", "ClientSecret": "s3cret"}
    whole = {**client, "OauthDiscovery": {"AuthorizationServerMetadata": metadata}, **config}
    provider = {
        "Type": "AWS::BedrockAgentCore::OAuth2CredentialProvider",
        "Properties": {
            "Name": "partner",
            "CredentialProviderVendor": "CustomOauth2",
            "Oauth2ProviderConfigInput": {"CustomOauth2ProviderConfig": whole},
        },
    }
    return template({"Arn": get_att("Provider", "CredentialProviderArn")}, Provider=provider)
