"""What the control-plane operations of gateways and their targets do."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from agentcore_local import iam
from agentcore_local.harness.errors import ServiceError, conflict, not_found, refused
from agentcore_local.process import PROCESS

from . import outbound
from .result import TargetFailed
from .store import GATEWAYS, Gateway, Scope, Target, identifier, now

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "/_gateway/"
"""Where the gateways themselves answer on the local cloud's address."""

SERVICE = "bedrock-agentcore.amazonaws.com"
_DEFAULT_PAGE = 100
_NOT_KEPT = ("clientToken", "gatewayIdentifier", "targetId", "tags")
_TARGET_MEMBERS = ("name", "description", "targetConfiguration", "credentialProviderConfigurations",
                   "metadataConfiguration", "privateEndpoint")  # fmt: skip
_GATEWAY_MEMBERS = (
    "name", "description", "roleArn", "protocolType", "protocolConfiguration", "authorizerType",
    "authorizerConfiguration", "kmsKeyArn", "interceptorConfigurations", "policyEngineConfiguration", "exceptionLevel",
)  # fmt: skip


# ---- gateways --------------------------------------------------------------------------------------------------------


def create_gateway(scope: Scope, values: dict[str, Any]) -> Gateway:
    """Make a gateway.

    Raises:
        ServiceError: The name is taken, the authorizer lacks its configuration, the role cannot be assumed.
    """
    account, region = scope
    with GATEWAYS.lock:
        if any(one.name == values["name"] for one in GATEWAYS.of(scope)):
            raise conflict(f"A gateway with name '{values['name']}' already exists")
        gateway_id = f"{values['name'].lower()}-{identifier()}"
        gateway = Gateway(account, region, gateway_id, _kept(values), dict(values.get("tags") or {}))
        _check_gateway(gateway)
        GATEWAYS.add(gateway)
    return gateway


def update_gateway(scope: Scope, gateway_id: str, values: dict[str, Any]) -> Gateway:
    """Replace the settings of a gateway; what is left out is gone, as UpdateGateway is a PUT.

    Raises:
        ServiceError: As `create_gateway`, or there is none.
    """
    with GATEWAYS.lock:
        gateway = find(scope, gateway_id)
        if values["name"] != gateway.name:
            raise refused("The name of a gateway cannot be changed", name="name")
        changed = Gateway(gateway.account, gateway.region, gateway.gateway_id, _kept(values))
        _check_gateway(changed)
        gateway.request, gateway.updated = changed.request, now()
    return gateway


def delete_gateway(scope: Scope, gateway_id: str) -> Gateway:
    """Delete a gateway.

    Raises:
        ServiceError: It has targets, or there is none.
    """
    with GATEWAYS.lock:
        gateway = find(scope, gateway_id)
        if gateway.targets:
            raise refused(f"Gateway '{gateway_id}' has {len(gateway.targets)} target(s); delete them first")
        GATEWAYS.remove(gateway)
    return gateway


def find(scope: Scope, gateway_id: str) -> Gateway:
    """A gateway of an account and Region, by id or ARN.

    Raises:
        ServiceError: There is none.
    """
    gateway = GATEWAYS.find(gateway_id.rsplit("/", 1)[-1])
    if gateway is None or (gateway.account, gateway.region) != scope:
        raise not_found("Gateway", gateway_id)
    return gateway


def gateway_shape(gateway: Gateway) -> dict[str, Any]:
    """A gateway as GetGateway shows it."""
    account, region = gateway.account, gateway.region
    identity = f"arn:aws:bedrock-agentcore:{region}:{account}:workload-identity-directory/default/workload-identity/"
    return {
        **{name: gateway.request[name] for name in _GATEWAY_MEMBERS if name in gateway.request},
        "gatewayArn": gateway.arn,
        "gatewayId": gateway.gateway_id,
        "gatewayUrl": url(gateway),
        "createdAt": gateway.created,
        "updatedAt": gateway.updated,
        "status": "READY",
        "workloadIdentityDetails": {"workloadIdentityArn": identity + gateway.identity},
    }


def url(gateway: Gateway) -> str:
    """Where MCP clients reach it: on the local cloud's own address."""
    return f"{PROCESS.endpoint_url}{PREFIX}{gateway.gateway_id}/mcp"


def _check_gateway(gateway: Gateway) -> None:
    kind = gateway.request["authorizerType"]
    configured = (gateway.request.get("authorizerConfiguration") or {}).get("customJWTAuthorizer")
    if kind in ("CUSTOM_JWT", "AUTHENTICATE_ONLY") and not configured:
        raise refused(f"authorizerConfiguration is required for the authorizer type {kind}")
    if kind in ("AWS_IAM", "NONE") and configured:
        raise refused(f"authorizerConfiguration must not be given for the authorizer type {kind}")
    configured_points = gateway.request.get("interceptorConfigurations") or []
    points = [one for item in configured_points for one in item["interceptionPoints"]]
    if len(points) != len(set(points)):
        raise refused("Each interception point can have one interceptor", name="interceptorConfigurations")
    distrust = iam.role_trusts(
        gateway.role_arn, SERVICE, account=gateway.account, region=gateway.region, source_arn=gateway.arn
    )
    if distrust is not None:
        raise ServiceError(
            "ValidationException",
            f"Gateway cannot assume the role {gateway.role_arn}: {distrust}; let {SERVICE} assume it",
            "FieldValidationFailed",
        )


# ---- targets ---------------------------------------------------------------------------------------------------------


def create_target(scope: Scope, gateway_id: str, values: dict[str, Any]) -> tuple[Gateway, Target]:
    """Add a target to a gateway.

    Raises:
        ServiceError: The name is taken, the configuration is none, or there is no such gateway.
    """
    with GATEWAYS.lock:
        gateway = find(scope, gateway_id)
        request = _kept(values)
        request.setdefault("name", f"target-{identifier()}")
        if any(one.name == request["name"] for one in gateway.targets.values()):
            raise conflict(f"A target with name '{request['name']}' already exists in gateway '{gateway.gateway_id}'")
        target = Target(identifier(string.ascii_uppercase + string.digits), request)
        _check_target(gateway, target)
        gateway.targets[target.target_id] = target
    return gateway, target


def update_target(scope: Scope, gateway_id: str, target_id: str, values: dict[str, Any]) -> tuple[Gateway, Target]:
    """Replace the settings of a target; what an MCP server said before is forgotten.

    Raises:
        ServiceError: As `create_target`, or there is none.
    """
    with GATEWAYS.lock:
        gateway, target = find_target(scope, gateway_id, target_id)
        request = {"name": target.name, **_kept(values)}
        if any(one.name == request["name"] and one is not target for one in gateway.targets.values()):
            raise conflict(f"A target with name '{request['name']}' already exists in gateway '{gateway.gateway_id}'")
        _check_target(gateway, Target(target.target_id, request))
        target.request, target.updated = request, now()
        target.synchronized, target.synchronized_at, target.status, target.reasons = None, None, "READY", []
    return gateway, target


def delete_target(scope: Scope, gateway_id: str, target_id: str) -> tuple[Gateway, Target]:
    """Remove a target.

    Raises:
        ServiceError: There is none.
    """
    with GATEWAYS.lock:
        gateway, target = find_target(scope, gateway_id, target_id)
        del gateway.targets[target_id]
    return gateway, target


def find_target(scope: Scope, gateway_id: str, target_id: str) -> tuple[Gateway, Target]:
    """A target and its gateway.

    Raises:
        ServiceError: There is none.
    """
    gateway = find(scope, gateway_id)
    target = gateway.targets.get(target_id)
    if target is None:
        raise not_found("Gateway target", target_id)
    return gateway, target


def target_shape(gateway: Gateway, target: Target) -> dict[str, Any]:
    """A target as GetGatewayTarget shows it."""
    shape = {
        **{name: target.request[name] for name in _TARGET_MEMBERS if name in target.request},
        "credentialProviderConfigurations": target.request.get("credentialProviderConfigurations") or [],
        "gatewayArn": gateway.arn,
        "targetId": target.target_id,
        "createdAt": target.created,
        "updatedAt": target.updated,
        "status": target.status,
        "statusReasons": target.reasons,
    }
    return shape if target.synchronized_at is None else {**shape, "lastSynchronizedAt": target.synchronized_at}


def _check_target(gateway: Gateway, target: Target) -> None:
    for place, union in (
        ("targetConfiguration", target.request["targetConfiguration"]),
        ("targetConfiguration.mcp", target.configuration),
    ):
        if len(union) > 1 or (not union and place == "targetConfiguration"):
            raise refused(f"{place} must have exactly one member", name=place)
    lambda_target = target.configuration.get("lambda")
    if lambda_target is not None:
        if target.credentials.get("credentialProviderType") != "GATEWAY_IAM_ROLE":
            raise refused(
                "A Lambda target needs credentialProviderConfigurations with the type GATEWAY_IAM_ROLE",
                name="credentialProviderConfigurations",
            )
        _try_function(gateway, lambda_target["lambdaArn"])
    connector = target.configuration.get("connector")
    # Configurations without parameterValues are dropped before the service looks at them; an empty object counts
    # (aws/bedrock-agentcore-sdk-python, src/bedrock_agentcore/gateway/client.py).
    if connector is not None and not any(
        one.get("parameterValues") is not None for one in connector.get("configurations") or []
    ):
        raise refused("Connector configurations must not be empty", name="targetConfiguration.mcp.connector")


def _try_function(gateway: Gateway, arn: str) -> None:
    """The service tries the call as the gateway's role before it makes a target (aws/aws-cdk#36826)."""
    try:
        outbound.require(gateway, "lambda:InvokeFunction", arn)
    except TargetFailed:
        raise refused(
            f"Gateway execution role lacks permission to invoke Lambda function {arn}. Update the permission and retry",
            name="targetConfiguration.mcp.lambda.lambdaArn",
        ) from None


def _kept(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _NOT_KEPT}


# ---- as the API answers ----------------------------------------------------------------------------------------------


def _get_gateway(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    return gateway_shape(find(scope, values["gatewayIdentifier"]))


def _list_gateways(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    members = ("gatewayId", "name", "status", "description", "createdAt", "updatedAt", "authorizerType", "protocolType")
    return _page([_some(gateway_shape(one), members) for one in GATEWAYS.of(scope)], values)


def _delete_gateway(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    gateway = delete_gateway(scope, values["gatewayIdentifier"])
    return {"gatewayId": gateway.gateway_id, "status": "DELETING", "statusReasons": []}


def _get_target(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    return target_shape(*find_target(scope, values["gatewayIdentifier"], values["targetId"]))


def _list_targets(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    gateway = find(scope, values["gatewayIdentifier"])
    members = ("targetId", "name", "status", "description", "createdAt", "updatedAt")
    return _page([_some(target_shape(gateway, one), members) for one in gateway.targets.values()], values)


def _delete_target(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    gateway, target = delete_target(scope, values["gatewayIdentifier"], values["targetId"])
    return {"gatewayArn": gateway.arn, "targetId": target.target_id, "status": "DELETING", "statusReasons": []}


def _synchronize(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    from .catalog import synchronize  # noqa: PLC0415 - loads the MCP client

    found = [find_target(scope, values["gatewayIdentifier"], one) for one in values["targetIdList"]]
    for gateway, target in found:
        synchronize(gateway, target)
    return {"targets": [target_shape(gateway, target) for gateway, target in found]}


def _some(shape: dict[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    return {name: shape[name] for name in members if name in shape}


def _page(items: list[dict[str, Any]], values: dict[str, Any]) -> dict[str, Any]:
    token, size = values.get("nextToken", "0"), values.get("maxResults", _DEFAULT_PAGE)
    if not token.isdigit():
        raise refused("nextToken is not one that this operation returned", name="nextToken")
    start = int(token)
    page: dict[str, Any] = {"items": items[start : start + size]}
    return {**page, "nextToken": str(start + size)} if start + size < len(items) else page


OPERATIONS: dict[str, Callable[[Scope, dict[str, Any]], dict[str, Any]]] = {
    "CreateGateway": lambda scope, values: gateway_shape(create_gateway(scope, values)),
    "GetGateway": _get_gateway,
    "UpdateGateway": lambda scope, values: gateway_shape(update_gateway(scope, values["gatewayIdentifier"], values)),
    "DeleteGateway": _delete_gateway,
    "ListGateways": _list_gateways,
    "CreateGatewayTarget": lambda scope, values: target_shape(
        *create_target(scope, values["gatewayIdentifier"], values)
    ),
    "GetGatewayTarget": _get_target,
    "UpdateGatewayTarget": lambda scope, values: target_shape(
        *update_target(scope, values["gatewayIdentifier"], values["targetId"], values)
    ),
    "DeleteGatewayTarget": _delete_target,
    "ListGatewayTargets": _list_targets,
    "SynchronizeGatewayTargets": _synchronize,
}
