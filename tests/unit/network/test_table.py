"""The table of services: which endpoint follows from which need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from support.needs import EXAMPLES, needs_of

from agentcore_constructs.config import GatewayAuth, HarnessConfig, Tool
from agentcore_constructs.harness.defaults import completed
from agentcore_constructs.harness.permissions import Need
from agentcore_constructs.network.table import SERVICES, WITHOUT_SERVICE, model_services, services, uses_of

if TYPE_CHECKING:
    from collections.abc import Collection

ALWAYS = {"sts", "logs", "xray", "monitoring", "bedrock-agentcore"}
IN_VPC = {"ecr.api", "ecr.dkr", "s3"}
# What a need makes sessions talk to beyond that, and what else its example needs: the model.
FURTHER: dict[Need, Collection[str]] = {
    "mantle": {"bedrock-mantle"},
    "managed_image": IN_VPC,
    "private_image": IN_VPC,
    "private_registry": IN_VPC,
    "gateway": {"bedrock-agentcore.gateway"},
    "oauth_provider": {"bedrock-agentcore.gateway", "secretsmanager"},
    "api_key": {"secretsmanager"},
    "own_secret_key": {"secretsmanager"},
    "skill_bucket": {"s3"},
    "skill_prefix": {"s3"},
    "skill_object": {"s3"},
    "skill_key": {"s3"},
    "lambda_hook": {"lambda"},
    "sns_hook": {"sns"},
    "topic_key": {"sns"},
    "event_hook": {"events"},
    "bus_key": {"events"},
    **dict.fromkeys(
        ("efs", "efs_read_only", "efs_root", "efs_mount", "s3_files", "s3_files_read_only", "s3_files_root"), IN_VPC
    ),
    "s3_files_mount": IN_VPC,
}
NOT_BEDROCK = {"mantle", "api_key", "own_secret_key"}


def names(**config: Any) -> set[str]:
    made = completed(HarnessConfig.create(**config))
    return {service.name for service in services(uses_of(made, needs_of(**config)))}


@pytest.mark.parametrize("need", EXAMPLES)
def test_each_need_calls_for_its_services_and_no_other(need: Need) -> None:
    model = set() if need in NOT_BEDROCK else {"bedrock-runtime"}
    assert names(**EXAMPLES[need]) == ALWAYS | model | set(FURTHER.get(need, ()))


def test_gateways_need_their_endpoint_without_auth_too() -> None:
    gateway = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/orders-0123456789"
    open_to_all = Tool.gateway(gateway, name="orders", outbound_auth=GatewayAuth.none())
    assert "bedrock-agentcore.gateway" in names(tools=[open_to_all])
    assert "bedrock-agentcore.gateway" not in names()


def test_every_need_is_answered_for() -> None:
    named = {use for service in SERVICES for use in service.uses}
    assert set(get_args(Need)) <= named | WITHOUT_SERVICE
    assert "bedrock_model" not in WITHOUT_SERVICE
    assert [service.name for service in SERVICES if service.gateway] == ["s3"]


def test_models_are_reached_by_one_service() -> None:
    assert model_services({"bedrock_model"}) == ["bedrock-runtime"]
    assert model_services({"mantle"}) == ["bedrock-mantle"]
    assert model_services({"api_key"}) == []
