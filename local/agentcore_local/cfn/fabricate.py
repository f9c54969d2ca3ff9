"""Values for read-only attributes of resources that nothing runs behind: ids, ARNs, timestamps, statuses.

They are made to fit the schema's own pattern, so that what one resource returns is accepted where another takes it (a
gateway's ARN in a harness, an access point's in a file system), and to agree with one another: an ARN contains the id
that the id attribute returns.
"""

from __future__ import annotations

import copy
import re
import secrets
import string
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTERS = string.ascii_letters + string.digits
_LOWER = string.ascii_lowercase + string.digits
_HEX = "0123456789abcdef"
_SETTLED = (
    "READY",
    "ACTIVE",
    "AVAILABLE",
    "available",
    "ENABLED",
    "COMPLETE",
    "CREATE_COMPLETE",
    "APPROVED",
    "CREATED",
)
# `arn:…:<service>:<region>:<account>:<resource>` as schemas write it, split at the account.
_ARN_PATTERN = re.compile(
    r"\^?(?P<group>\(?)arn:.*?:(?P<service>[a-z0-9-]+|\([a-z0-9|-]+\)):.*?"
    r"(?:\[0-9a-z-:\]\+|\(aws\|\[0-9\]\{12\}\)|\[0-9\]\{12\}|\(\[0-9\]\{12\}\)\?|\\d\{12\}):"
    r"(?P<resource>.+?)\$?"
)
_LITERAL = re.compile(r"[A-Za-z0-9._-]+")
# Id prefixes of types whose schema has no pattern (EC2 and its like).
_PREFIX = {
    "AWS::EC2::EIP.AllocationId": "eipalloc",
    "AWS::EC2::NatGateway.NatGatewayId": "nat",
    "AWS::EC2::NatGateway.EniId": "eni",
    "AWS::EC2::NetworkAcl.Id": "acl",
    "AWS::EC2::NetworkInterface.Id": "eni",
    "AWS::EC2::SecurityGroupIngress.Id": "sgr",
    "AWS::EC2::SecurityGroupEgress.Id": "sgr",
    "AWS::EC2::FlowLog.Id": "fl",
    "AWS::EC2::VPC.DefaultNetworkAcl": "acl",
    "AWS::EC2::VPC.DefaultSecurityGroup": "sg",
    "AWS::EC2::Subnet.NetworkAclAssociationId": "aclassoc",
}
_SERVICE = {"BedrockAgentCore": "bedrock-agentcore", "AgentRegistry": "agent-registry", "EFS": "elasticfilesystem"}
_NEUTRAL: dict[str, Any] = {"integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
# What only a failure would set.
_EMPTY = ("FailureReason", "StatusReason", "StatusMessage", "FailureMessage")
_IDENTITY = "arn:aws:bedrock-agentcore:{region}:{account}:workload-identity-directory/default/workload-identity/"
_SECRET = "arn:aws:secretsmanager:{region}:{account}:secret:bedrock-agentcore-identity!default/"  # noqa: S105 - an ARN
# Attributes whose form is documented but not in the schema.
_DOCUMENTED = {
    "AWS::BedrockAgentCore::Gateway.GatewayUrl": (
        "https://{GatewayIdentifier}.gateway.bedrock-agentcore.{region}.amazonaws.com/mcp"
    ),
    "AWS::BedrockAgentCore::WorkloadIdentity.WorkloadIdentityArn": _IDENTITY + "{Name}",
    "AWS::BedrockAgentCore::Gateway.WorkloadIdentityDetails.WorkloadIdentityArn": _IDENTITY + "{GatewayIdentifier}",
    "AWS::BedrockAgentCore::Runtime.WorkloadIdentityDetails.WorkloadIdentityArn": _IDENTITY + "{AgentRuntimeId}",
    "AWS::BedrockAgentCore::ApiKeyCredentialProvider.ApiKeySecretArn.SecretArn": _SECRET + "apikey/{Name}-AbCdEf",
    "AWS::BedrockAgentCore::OAuth2CredentialProvider.ClientSecretArn.SecretArn": _SECRET + "oauth2/{Name}-AbCdEf",
    "AWS::StepFunctions::StateMachineVersion.Arn": "{StateMachineArn}:1",
    "AWS::Logs::DeliverySource.Arn": "arn:aws:logs:{region}:{account}:delivery-source:{Name}",
    "AWS::Logs::DeliveryDestination.Arn": "arn:aws:logs:{region}:{account}:delivery-destination:{Name}",
    "AWS::EC2::EIP.PublicIp": "198.51.100.{byte}",
}


class Fabricator:
    """Makes the attributes of one resource.

    Args:
        resource_type: CloudFormation type.
        logical_id: Logical id; part of names nothing else determines.
        properties: The resource's properties.
        account: Account id.
        region: Region.
    """

    def __init__(
        self, resource_type: str, logical_id: str, properties: dict[str, Any], account: str, region: str
    ) -> None:
        self.type = resource_type
        self.schema = schemas.load(resource_type)
        self.logical_id = logical_id
        self.properties = properties
        self.account = account
        self.region = region
        self.made: dict[str, Any] = {}

    def attributes(self, known: dict[str, Any] | None = None) -> dict[str, Any]:
        """Every read-only attribute by its (dotted) name; values that are known are kept and built upon."""
        self.made = dict(known or {})
        paths = [path for path in schemas.pointers(self.schema, "readOnlyProperties") if "*" not in path]
        # Ids before ARNs before the rest: later ones contain earlier ones.
        for path in sorted(paths, key=_order):
            self._make(path)
        return self.made

    def _make(self, path: tuple[str, ...]) -> None:
        name = ".".join(path)
        if name in self.made:
            return
        node = self._node(path)
        if node.get("type") == "object" and node.get("properties"):
            for member in node["properties"]:
                self._make((*path, member))
            return
        self.made[name] = self._value(name, node)

    def _node(self, path: tuple[str, ...]) -> dict[str, Any]:
        node: dict[str, Any] = self.schema
        for part in path:
            members = schemas.resolve(self.schema, node).get("properties") or {}
            node = members.get(part) or {}
        return schemas.resolve(self.schema, node)

    def _value(self, name: str, node: dict[str, Any]) -> Any:
        documented = _DOCUMENTED.get(f"{self.type}.{name}")
        if documented:
            return documented.format_map(_Known(self))
        if name in _EMPTY:
            return ""
        if "enum" in node:
            return next((value for value in _SETTLED if value in node["enum"]), node["enum"][0])
        kind = str(node.get("type"))
        if kind in _NEUTRAL:
            return copy.copy(_NEUTRAL[kind])
        if node.get("format") == "date-time" or name.endswith(("CreatedAt", "UpdatedAt", "Time")):
            return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self._text(name, node.get("pattern"))

    def _text(self, name: str, pattern: str | None) -> str:
        if name.endswith("Arn"):
            arn = self._arn(pattern)
            if pattern is None or _fits(pattern, arn):
                return arn
        candidates = list(self._candidates(name, pattern))
        return next((text for text in candidates if pattern is None or _fits(pattern, text)), candidates[0])

    def _candidates(self, name: str, pattern: str | None) -> Iterator[str]:
        prefix = _PREFIX.get(f"{self.type}.{name}")
        if prefix:
            yield f"{prefix}-{_random(_HEX, 17)}"
        if name == "OwnerId" or name.endswith("AccountId") or name == "CreatedBy":
            yield self.account
        label = self._label()
        yield f"{label}-{_random(_LETTERS, 10)}"
        plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
        yield f"{plain}-{_random(_LOWER, 10)}"
        yield f"{re.sub(r'[^A-Za-z0-9_]', '_', label)}-{_random(_LOWER, 10)}"
        # `fs-[0-9a-f]{17,40}`: the prefix stands before the digits, the bare id after the ARN it may also be.
        for literal in reversed(re.findall(r"([a-z]+-)(?=\[|\()", pattern or "")):
            yield literal + _random(_HEX, 17)
        yield from ("1", str(uuid.uuid4()), _random(_LETTERS, 12), _random(_LETTERS, 10), _random(_HEX, 17))

    def _arn(self, pattern: str | None) -> str:
        split = _ARN_PATTERN.fullmatch(pattern) if pattern else None
        namespace = self.type.split("::")[1]
        service = _SERVICE.get(namespace, namespace.lower())
        if split is None:
            return f"arn:aws:{service}:{self.region}:{self.account}:{self._label()}"
        service = split["service"].strip("()").split("|")[-1]
        wanted = split["resource"].replace("\\/", "/")
        wanted = wanted.removesuffix(")") if split["group"] else wanted
        resource, before = "", ""
        for part in re.split(r"(/|(?<!\?):)", wanted):
            before = before if part in "/:" else self._segment(part, before)
            resource += part if part in "/:" else before
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def _segment(self, part: str, before: str) -> str:
        """One part of an ARN's resource: a literal, or the id that belongs after the literal before it."""
        if _LITERAL.fullmatch(part):
            return part
        if part.endswith("(-custom)?"):
            return part.removesuffix("(-custom)?") + "-custom"
        if before == "token-vault":
            return "default"  # there is one per account
        fitting = [text for text in self._identifiers(before.replace("-", "")) if _fits(part, text)]
        made = (text for text in self._candidates("", part) if _fits(part, text))
        return fitting[0] if fitting else next(made, self._label())

    def _identifiers(self, kind: str) -> Iterator[str]:
        """Values that may appear in an ARN, those named like `kind` first: ids made and given, then names."""
        named = [*self.made.items(), *self.properties.items()]
        ids = [(name, value) for name, value in named if name.endswith(("Id", "Identifier")) and isinstance(value, str)]
        alike = [name for name, _ in ids if kind and re.sub(r"(Id|Identifier)$", "", name).lower().endswith(kind)]
        for _, value in sorted(ids, key=lambda item: item[0] not in alike):
            yield value.rsplit("/", 1)[-1] if value.startswith("arn:") else value
        yield from (
            value for name, value in self.properties.items() if name.endswith("Name") and isinstance(value, str)
        )

    def _label(self) -> str:
        """The name the resource was given, else its logical id."""
        named = [value for name, value in self.properties.items() if name.endswith("Name") and isinstance(value, str)]
        return named[0] if named else self.logical_id


class _Known(dict[str, Any]):
    """Names in a documented form: account, region, attributes made so far, properties."""

    def __init__(self, fabricator: Fabricator) -> None:
        super().__init__()
        self.fabricator = fabricator

    def __missing__(self, name: str) -> Any:
        maker = self.fabricator
        if name == "byte":
            return secrets.randbelow(253) + 1
        own = {"account": maker.account, "region": maker.region}
        return own.get(name) or maker.made.get(name) or maker.properties.get(name) or maker.logical_id


def _order(path: tuple[str, ...]) -> tuple[int, str]:
    name = path[-1]
    return (0 if name.endswith(("Id", "Identifier")) else 1 if name.endswith("Arn") else 2, ".".join(path))


def _fits(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern.removeprefix("^").removesuffix("$") or ".*", text) is not None
    except re.error:
        return False


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
