"""What the local cloud knows about gateways and their targets."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Scope = tuple[str, str]
_ID_CHARACTERS = 10


def now() -> str:
    """The time, as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def identifier(alphabet: str = string.ascii_lowercase + string.digits) -> str:
    """Ten characters that nobody has yet."""
    return "".join(secrets.choice(alphabet) for _ in range(_ID_CHARACTERS))


@dataclass
class Target:
    """A target of a gateway. `request` is what was asked for, without what identifies it.

    `synchronized` is what an MCP server said its tools are; None as long as nobody has asked it.
    """

    target_id: str
    request: dict[str, Any] = field(repr=False)
    created: str = field(default_factory=now)
    updated: str = field(default_factory=now)
    status: str = "READY"
    reasons: list[str] = field(default_factory=list)
    synchronized: list[dict[str, Any]] | None = field(default=None, repr=False)
    synchronized_at: str | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.request["name"])

    @property
    def configuration(self) -> dict[str, Any]:
        """The one member of `targetConfiguration.mcp`; empty for targets that are no MCP ones."""
        found: dict[str, Any] = self.request["targetConfiguration"].get("mcp") or {}
        return found

    @property
    def credentials(self) -> dict[str, Any]:
        """How the gateway proves who it is; empty when it does not."""
        given = self.request.get("credentialProviderConfigurations") or [{}]
        return dict(given[0])


@dataclass
class Gateway:
    """A gateway. `request` is what was asked for."""

    account: str
    region: str
    gateway_id: str
    request: dict[str, Any] = field(repr=False)
    tags: dict[str, str] = field(default_factory=dict)
    created: str = field(default_factory=now)
    updated: str = field(default_factory=now)
    targets: dict[str, Target] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.request["name"])

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:bedrock-agentcore:{self.region}:{self.account}:gateway/{self.gateway_id}"

    @property
    def identity(self) -> str:
        """Name of its workload identity: the name as it was given, where the id has it in lower case."""
        return f"{self.name}-{self.gateway_id.rsplit('-', 1)[-1]}"

    @property
    def role_arn(self) -> str:
        """Its service role."""
        return str(self.request["roleArn"])

    @property
    def mcp(self) -> dict[str, Any]:
        """The settings of its protocol."""
        found: dict[str, Any] = (self.request.get("protocolConfiguration") or {}).get("mcp") or {}
        return found

    @property
    def tells_why(self) -> bool:
        """Whether callers are told why a target failed."""
        return self.request.get("exceptionLevel") == "DEBUG"


class Store:
    """The gateways of all accounts; `lock` guards what spans several steps."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._gateways: dict[str, Gateway] = {}

    def find(self, gateway_id: str) -> Gateway | None:
        """A gateway by its id, which is unique over all accounts."""
        return self._gateways.get(gateway_id)

    def find_arn(self, arn: str) -> Gateway | None:
        """A gateway by its ARN."""
        found = self.find(arn.rsplit("/", 1)[-1])
        return found if found is not None and found.arn == arn else None

    def of(self, scope: Scope) -> list[Gateway]:
        """The gateways of an account and Region, oldest first."""
        with self.lock:
            return [one for one in self._gateways.values() if (one.account, one.region) == scope]

    def add(self, gateway: Gateway) -> None:
        """Keep a gateway."""
        with self.lock:
            self._gateways[gateway.gateway_id] = gateway

    def remove(self, gateway: Gateway) -> None:
        """Forget a gateway and its targets."""
        with self.lock:
            self._gateways.pop(gateway.gateway_id, None)

    def reset(self) -> None:
        """Forget everything, in every account."""
        with self.lock:
            self._gateways.clear()

    def dump(self) -> list[dict[str, Any]]:
        """Everything as JSON data."""
        with self.lock:
            return [asdict(gateway) for gateway in self._gateways.values()]

    def load(self, records: list[dict[str, Any]]) -> None:
        """Add what `dump` returned."""
        for record in records:
            targets = {key: Target(**value) for key, value in record["targets"].items()}
            self.add(Gateway(**{**record, "targets": targets}))

    def __iter__(self) -> Iterator[Gateway]:
        return iter(list(self._gateways.values()))


GATEWAYS = Store()
