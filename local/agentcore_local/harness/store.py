"""What the local cloud knows about harnesses: records, immutable versions, endpoints, tags.

One store per process, keyed by account and Region. It holds state and answers questions about it; what a create or an
update does is in `operations`. Everything in it is JSON, so that it can be written to disk and read back.

Statuses: a create, update or delete is in progress for `settle_seconds` (0 by default: the answer of the operation says
`CREATING`, the next read says `READY`). AWS takes one to twelve minutes.
"""

from __future__ import annotations

import copy
import re
import secrets
import string
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .errors import not_found

if TYPE_CHECKING:
    from collections.abc import Iterator

Scope = tuple[str, str]
"""Account id and Region."""

DEFAULT_ENDPOINT = "DEFAULT"
_ALPHABET = string.ascii_letters + string.digits
_ARN = re.compile(r"arn:[^:]*:bedrock-agentcore:(?P<region>[^:]+):(?P<account>\d{12}):harness/(?P<id>[^/]+)")
_DONE = {"CREATING": "READY", "UPDATING": "READY", "DELETING": "DELETED"}


def now_iso() -> str:
    """The time now as the services write it (UTC, milliseconds)."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def random_suffix() -> str:
    """Ten letters and digits, as in every AgentCore resource id."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


@dataclass
class Transition:
    """An operation in progress: the status it shows until `settles_at` (seconds of `time.monotonic`)."""

    status: str = "READY"
    settles_at: float = 0.0

    def current(self) -> str:
        """The status at this moment; `DELETED` once a deletion is over."""
        if self.status in _DONE and time.monotonic() >= self.settles_at:
            return _DONE[self.status]
        return self.status


@dataclass
class Endpoint:
    """A named reference to a version. `DEFAULT` floats: it always serves the newest version."""

    name: str
    arn: str
    target_version: int
    live_version: int
    created_at: str
    updated_at: str
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    transition: Transition = field(default_factory=Transition)


@dataclass
class Harness:
    """A harness: its identity, its versions (complete `GetHarness` shapes, never changed once written), endpoints."""

    account: str
    region: str
    harness_id: str
    name: str
    arn: str
    runtime_id: str
    created_at: str
    versions: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    transition: Transition = field(default_factory=Transition)

    @property
    def latest(self) -> int:
        """The newest version's number."""
        return max(self.versions)

    def snapshot(self, version: int | None = None) -> dict[str, Any]:
        """The `harness` shape of GetHarness for one version (default: the newest), with the status of this moment."""
        number = self.latest if version is None else version
        found = self.versions.get(number)
        if found is None:
            raise not_found(f"Version {number} of harness", self.harness_id)
        return {**copy.deepcopy(found), "status": self._status(number)}

    def served(self, version: int) -> dict[str, Any]:
        """As `snapshot`, for reading only: what is within it is the record itself. Invocations have no time to copy."""
        found = self.versions.get(version)
        if found is None:
            raise not_found(f"Version {version} of harness", self.harness_id)
        return {**found, "status": self._status(version)}

    def _status(self, version: int) -> str:
        return self.transition.current() if version == self.latest else "READY"


class Store:
    """All harnesses of all accounts and Regions of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.settle_seconds = 0.0
        self._harnesses: dict[Scope, dict[str, Harness]] = {}
        # (account, region, operation, token) → (fingerprint of the request, identifier it created)
        self._tokens: dict[tuple[str, str, str, str], tuple[str, str]] = {}

    def begin(self, status: str) -> Transition:
        """A transition that starts now."""
        return Transition(status, time.monotonic() + self.settle_seconds)

    def of(self, scope: Scope) -> list[Harness]:
        """The harnesses of an account and Region, oldest first."""
        with self.lock:
            return [harness for harness in list(self._bucket(scope).values()) if not self._drop_if_deleted(harness)]

    def get(self, scope: Scope, harness_id: str) -> Harness:
        """One harness by id; ResourceNotFoundException when there is none."""
        with self.lock:
            harness = self._bucket(scope).get(harness_id)
            if harness is None or self._drop_if_deleted(harness):
                raise not_found("Harness", harness_id)
            return harness

    def find_arn(self, arn: str) -> Harness | None:
        """One harness by ARN, whichever account and Region the ARN names; None when there is none."""
        match = _ARN.fullmatch(arn)
        if match is None:
            return None
        scope, harness_id = (match["account"], match["region"]), match["id"]
        with self.lock:
            harness = self._bucket(scope).get(harness_id)
            return None if harness is None or self._drop_if_deleted(harness) else harness

    def find_name(self, scope: Scope, name: str) -> Harness | None:
        """One harness by name."""
        return next((harness for harness in self.of(scope) if harness.name == name), None)

    def add(self, harness: Harness) -> None:
        """Add a new harness."""
        with self.lock:
            self._bucket((harness.account, harness.region))[harness.harness_id] = harness

    def remove(self, harness: Harness) -> None:
        """Forget a harness and its endpoints."""
        with self.lock:
            self._bucket((harness.account, harness.region)).pop(harness.harness_id, None)

    def token(self, scope: Scope, operation: str, token: str) -> tuple[str, str] | None:
        """What an earlier request with this client token was and created."""
        return self._tokens.get((*scope, operation, token))

    def remember_token(self, scope: Scope, operation: str, token: str, fingerprint: str, identifier: str) -> None:
        """Keep a client token, so that a repeated request gets the same answer."""
        self._tokens[(*scope, operation, token)] = (fingerprint, identifier)

    def reset(self) -> None:
        """Forget everything, in every account."""
        with self.lock:
            self._harnesses.clear()
            self._tokens.clear()

    def dump(self) -> list[dict[str, Any]]:
        """Every harness as JSON data; client tokens are not kept."""
        with self.lock:
            return [asdict(harness) for harness in self._all()]

    def load(self, records: list[dict[str, Any]]) -> None:
        """Add the harnesses of `dump`; transitions that were in progress are over."""
        for record in records:
            harness = Harness(**{**record, "versions": {}, "endpoints": {}, "transition": Transition()})
            harness.versions = {int(number): shape for number, shape in record["versions"].items()}
            harness.endpoints = {
                name: Endpoint(**{**endpoint, "transition": Transition()})
                for name, endpoint in record["endpoints"].items()
            }
            self.add(harness)

    def _all(self) -> Iterator[Harness]:
        for bucket in self._harnesses.values():
            yield from bucket.values()

    def _bucket(self, scope: Scope) -> dict[str, Harness]:
        return self._harnesses.setdefault(scope, {})

    def _drop_if_deleted(self, harness: Harness) -> bool:
        if harness.transition.current() != "DELETED":
            return False
        self.remove(harness)
        return True


STORE = Store()


def resolve(harness_arn: str, qualifier: str | None = None) -> dict[str, Any]:
    """The `harness` shape (GetHarness, camelCase) of the version that serves an endpoint; for reading only.

    Args:
        harness_arn: ARN of the harness.
        qualifier: Endpoint name; `DEFAULT` when None.

    Raises:
        ServiceError: ResourceNotFoundException when there is no such harness or endpoint.
    """
    with STORE.lock:
        harness = STORE.find_arn(harness_arn)
        if harness is None:
            raise not_found("Harness", harness_arn)
        name = qualifier or DEFAULT_ENDPOINT
        endpoint = harness.endpoints.get(name)
        if endpoint is None or endpoint.transition.current() == "DELETED":
            raise not_found(f"Endpoint of harness {harness.harness_id}", name)
        return harness.served(endpoint.live_version)
