"""Secrets of stacks: their values are generated as CloudFormation says, and stay until their rules change."""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks

from agentcore_local.deploy import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_local import Account


@pytest.fixture
def value(deploy: Any, account: Account) -> Callable[..., str]:
    """Deploys a secret with these properties and reads it."""

    def read(**properties: Any) -> str:
        secret = {"Type": "AWS::SecretsManager::Secret", "Properties": properties}
        arn = deploy(stacks.template({"Arn": {"Ref": "Secret"}}, Secret=secret)).outputs["Arn"]
        assert arn.startswith("arn:aws:secretsmanager:")
        found: str = account.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return found

    return read


def test_what_the_cdk_writes_for_a_secret_of_which_nothing_is_said(value: Callable[..., str]) -> None:
    generated = value(GenerateSecretString={})
    assert len(generated) == 32
    for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
        assert set(kind) & set(generated)


def test_by_the_rules_of_the_template(value: Callable[..., str]) -> None:
    rules = {"PasswordLength": "64", "ExcludePunctuation": "true", "ExcludeNumbers": True, "ExcludeCharacters": "abc"}
    generated = value(GenerateSecretString=rules)
    assert len(generated) == 64
    assert set(generated) <= set(string.ascii_letters) - set("abc")


def test_into_an_object(value: Callable[..., str]) -> None:
    rules = {"SecretStringTemplate": '{"username": "ada"}', "GenerateStringKey": "password", "PasswordLength": 12}
    generated = json.loads(value(GenerateSecretString=rules))
    assert generated["username"] == "ada"
    assert len(generated["password"]) == 12


def test_it_stays_until_its_rules_change(value: Callable[..., str]) -> None:
    before = value(GenerateSecretString={}, Name="s")
    assert value(GenerateSecretString={}, Name="s", Description="d") == before
    assert len(value(GenerateSecretString={"PasswordLength": 40}, Name="s")) == 40
    assert value(SecretString="given", Name="s") == "given"
    assert len(value(GenerateSecretString={}, Name="another")) == 32


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"PasswordLength": 4097}, "PasswordLength"),
        ({"SecretStringTemplate": "{}"}, "takes SecretStringTemplate and GenerateStringKey together"),
        ({"SecretStringTemplate": "[]", "GenerateStringKey": "k"}, "must be a JSON object"),
    ],
)
def test_rules_that_cannot_be_followed(deploy: Any, rules: dict[str, Any], message: str) -> None:
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": rules}}
    with pytest.raises(DeploymentError, match=message):
        deploy(stacks.template(Secret=secret))
