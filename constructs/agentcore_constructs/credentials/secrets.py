"""Secrets as credential providers take them: from Secrets Manager, never as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from agentcore_constructs.config import Fault, HarnessConfigError, is_token
from agentcore_constructs.config.cdk import found, offers
from agentcore_constructs.config.errors import received
from agentcore_constructs.harness import arns
from agentcore_constructs.harness.role import split_token

from . import registry
from .registry import OwnSecret, own_secret

if TYPE_CHECKING:
    from constructs import Construct, IConstruct

_ARN = re.compile(r"arn:aws(-[^:]+)?:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+")
_COMPLETE = re.compile(r".*-[A-Za-z0-9]{6}")
_NAME = re.compile(r"[a-zA-Z0-9-]{1,128}")
_JSON_KEY_LIMIT = 128
_SUBJECTS = {"apikey": "The API key", "oauth2": "The OAuth client"}
_FIX = "store it in Secrets Manager and pass that Secret: what is written in code is no secret"


def secret_faults(secret: Any, what: str) -> list[Fault]:
    """Says why something is no secret; never what it is.

    Args:
        secret: What was given.
        what: Where: `secret`, `client_secret`.
    """
    if offers(secret, "secret_arn") or (isinstance(secret, str) and (is_token(secret) or _ARN.fullmatch(secret))):
        return []
    must = "must be a secret of Secrets Manager, or the ARN of one"
    return [Fault(what, must, received(secret, sensitive=True), _FIX)]


def name_faults(name: str | None, json_key: str | None) -> list[Fault]:
    """Says why a name, or the key within a secret, does not fit."""
    faults = []
    if name is not None and not (isinstance(name, str) and (is_token(name) or _NAME.fullmatch(name))):
        must = "must be 1–128 letters, digits and hyphens; a harness takes no provider with an underscore in its name"
        faults.append(Fault("name", must, received(name), "choose a name that fits, or leave it out"))
    fits = isinstance(json_key, str) and (is_token(json_key) or 1 <= len(json_key) <= _JSON_KEY_LIMIT)
    if json_key is not None and not fits:
        fix = "write the key of the secret's JSON object, or leave it out when the secret is the text alone"
        faults.append(Fault("json_key", f"must be 1–{_JSON_KEY_LIMIT} characters", received(json_key), fix))
    return faults


def taken(scope: Construct, construct_id: str, secret: Any) -> secretsmanager.ISecret:
    """Returns a secret as an object of the CDK."""
    if not isinstance(secret, str):
        given: secretsmanager.ISecret = secret
        return given
    if not is_token(secret) and _COMPLETE.fullmatch(secret) is None:
        return secretsmanager.Secret.from_secret_partial_arn(scope, construct_id, secret)
    return secretsmanager.Secret.from_secret_complete_arn(scope, construct_id, secret)


def value_of(secret: secretsmanager.ISecret) -> cdk.SecretValue:
    """Returns the reference that CloudFormation resolves when it deploys; the template holds no more than that."""
    return secret.secret_value


def own(secret: secretsmanager.ISecret) -> OwnSecret:
    """Returns a secret as policies name it: by its whole ARN, or by all but the six characters AWS adds."""
    arn = found(secret, "secret_full_arn") or f"{secret.secret_arn}-??????"
    key = found(secret, "encryption_key")
    return OwnSecret(arn, None if key is None else key.key_arn)


def referred(scope: Construct, construct_id: str, arn: str, kind: str, given: tuple[str, Any]) -> str:
    """Notes which secret of the user's own a provider that was made elsewhere reads.

    Args:
        scope: Where the reference to the provider belongs.
        construct_id: Its id there.
        arn: The provider.
        kind: `apikey` or `oauth2`.
        given: Name and value of the argument that says which secret; None for a provider that keeps its own.

    Returns:
        The ARN of the secret behind it, as policies name it.

    Raises:
        HarnessConfigError: It is no secret.
    """
    name, secret = given
    if secret is not None:
        if faults := secret_faults(secret, name):
            raise HarnessConfigError(faults, f"{_SUBJECTS[kind]} {scope.node.path}/{construct_id}")
        registry.note(arn, own(taken(scope, f"{construct_id}Secret", secret)))
    return behind(scope, arn, kind).arn


def read_statements(secret: OwnSecret, region: str, sid: str | None = None) -> list[iam.PolicyStatement]:
    """Returns what it takes to read a secret, for the policy of who reads it.

    `secret.grant_read` writes the reader into the policy of a customer key as well, and so makes the key's stack depend
    on the reader's: a cycle when they are two. The policy of the reader suffices where the key's own lets IAM decide.

    Args:
        secret: The secret.
        region: Its Region.
        sid: Of the first statement; that of the key has `Key` behind it.
    """
    read = iam.PolicyStatement(sid=sid, actions=["secretsmanager:GetSecretValue"], resources=[secret.arn])
    if secret.key_arn is None:
        return [read]
    # Secrets Manager decrypts the secret as who reads it, and only Secrets Manager may do so.
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}}
    key_sid = None if sid is None else f"{sid}Key"
    use = iam.PolicyStatement(sid=key_sid, actions=["kms:Decrypt"], resources=[secret.key_arn], conditions=via)
    return [read, use]


def behind(scope: IConstruct, provider_arn: str, kind: str) -> OwnSecret:
    """Returns the secret that a provider reads: the user's own, or the one that AgentCore keeps.

    Args:
        scope: Where the provider is used.
        provider_arn: Its ARN.
        kind: `apikey` or `oauth2`.
    """
    name = arns.after(provider_arn, f"{kind}credentialprovider/", split_token)
    return own_secret(provider_arn) or OwnSecret(managed_arn(scope, kind, name), None)


def managed_arn(provider: IConstruct, kind: str, name: str) -> str:
    """Returns the ARN, as policies name it, of the secret that AgentCore keeps for a provider.

    The attributes of CloudFormation that hold it (`ApiKeySecretArn`, `ClientSecretArn`) are objects, and aws-cdk-lib
    takes them for text.
    """
    secret = f"bedrock-agentcore-identity!default/{kind}/{name}-??????"
    return cdk.Stack.of(provider).format_arn(
        service="secretsmanager", resource="secret", resource_name=secret, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )
