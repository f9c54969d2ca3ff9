"""Sets what only UpdateHarness can say, after CloudFormation has made or updated the harness.

The template carries the fields of the configuration concerned twice: in the harness without what CloudFormation cannot
say, and here whole. Whenever the harness changes, its version does; that is a property here, so this runs again.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from agentcore_lambdas.custom_resources import harnesses
from agentcore_lambdas.custom_resources.framework import Failed, Handler, Outcome, Properties, Request, client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# UpdateHarness takes these wrapped, so that null can mean "clear".
_WRAPPED = frozenset({"authorizerConfiguration", "environmentArtifact", "memory"})
# The stack is deleted, or its creation taken back: the harness goes next, and an update would only hold it up.
_GOING = frozenset({"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})


class Removal(BaseModel):
    """What leaves a configuration with an API-only value; see `agentcore_constructs.config.api_only.Removal`."""

    model_config = ConfigDict(extra="forbid")

    remove: list[str]
    where: list[str]
    values: list[str] = []
    beyond: str | None = None


class HarnessSettings(Properties):
    """Settings of a harness.

    Attributes:
        harness_id: The harness.
        harness_version: The version CloudFormation made last; a change of it brings this resource up to date.
        settings: JSON: members of UpdateHarness, unwrapped, each whole.
        removals: JSON: what to take out of a member that is no longer in the settings.
    """

    harness_id: str
    harness_version: str
    settings: str
    removals: str


class HarnessSettingsHandler(Handler[HarnessSettings]):
    """Applies settings; the resource's physical id is that of the harness."""

    Properties = HarnessSettings

    def create(self, request: Request[HarnessSettings]) -> Outcome:
        """Applies the settings."""
        return self._applied(request, json.loads(request.properties.settings))

    def update(self, request: Request[HarnessSettings], old: HarnessSettings) -> Outcome:
        """Applies the settings anew, and takes back those that are no longer there.

        Where only the version of the harness has changed, the settings may have outlived the change: then nothing is
        done, since every update makes a version.
        """
        new = request.properties
        wanted, had = json.loads(new.settings), json.loads(old.settings)
        if new.harness_id != old.harness_id:
            return self._applied(request, wanted)
        found = _there(new.harness_id)
        if wanted == had and all(_covers(_as_sent(name, found.get(name)), value) for name, value in wanted.items()):
            return Outcome(new.harness_id, done=False, state={"Version": int(found["harnessVersion"])})
        forgotten = [name for name in had if name not in wanted]
        return self._applied(request, {**wanted, **_cleared(found, forgotten, _removals(new))})

    def delete(self, request: Request[HarnessSettings]) -> Outcome:
        """Takes the settings back, unless the harness goes as well."""
        given = request.properties
        physical_id = request.physical_id or given.harness_id
        if physical_id != given.harness_id or _goes(request.stack_id):
            return Outcome(physical_id)  # the harness was replaced, or goes with its stack
        found = harnesses.settled(given.harness_id)
        cleared = {} if found is None else _cleared(found, list(json.loads(given.settings)), _removals(given))
        version = _updated(given.harness_id, cleared, request.request_id) if cleared else None
        return Outcome(physical_id, done=version is None, state={"Version": version})

    def poll(self, request: Request[HarnessSettings], state: Mapping[str, Any]) -> Outcome:
        """Tells whether the version that the update made is ready."""
        harness_id = request.properties.harness_id
        found = harnesses.harness(harness_id)
        if found is None:
            raise Failed(f"the harness {harness_id} was deleted while its settings were applied")
        done = harnesses.is_ready(found) and int(found["harnessVersion"]) >= int(state["Version"])
        data = {"Version": str(found["harnessVersion"])} if done else {}
        return Outcome(request.physical_id or harness_id, data, done=done)

    def _applied(self, request: Request[HarnessSettings], settings: dict[str, Any]) -> Outcome:
        harness_id = request.properties.harness_id
        version = _updated(harness_id, settings, request.request_id)
        if version is None:
            raise Failed(f"there is no harness {harness_id} to apply settings to")
        return Outcome(harness_id, done=False, state={"Version": version})


def handler() -> HarnessSettingsHandler:
    """Returns the handler of this kind."""
    return HarnessSettingsHandler()


def _there(harness_id: str) -> dict[str, Any]:
    found = harnesses.settled(harness_id)
    if found is None:
        raise Failed(f"there is no harness {harness_id} to apply settings to")
    return found


def _updated(harness_id: str, settings: Mapping[str, Any], token: str) -> int | None:
    return harnesses.update(harness_id, {name: _wrapped(name, value) for name, value in settings.items()}, token)


def _wrapped(name: str, value: Any) -> Any:
    if name not in _WRAPPED:
        return value
    return {} if value is None else {"optionalValue": value}  # without a value it is cleared


def _removals(properties: HarnessSettings) -> list[Removal]:
    return [Removal.model_validate(one) for one in json.loads(properties.removals)]


def _goes(stack_id: str) -> bool:
    (stack,) = client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return stack["StackStatus"] in _GOING


# ---- configurations as data ------------------------------------------------------------------------------------------


def _cleared(found: Mapping[str, Any], members: Sequence[str], removals: Sequence[Removal]) -> dict[str, Any]:
    """Returns those members of a harness that hold API-only values, without them."""
    cleared = {}
    for name in members:
        live = {name: _as_sent(name, found.get(name))}
        rest = json.loads(json.dumps(live))
        for removal in removals:
            _remove(rest, removal.remove, removal)
        if rest != live:
            cleared[name] = rest.get(name)
    return cleared


def _remove(holder: Any, path: Sequence[str], removal: Removal) -> None:
    name, *rest = path
    if name == "*":
        if not isinstance(holder, list):
            return
        if not rest:
            holder[:] = [item for item in holder if not _applies(item, removal)]
        for item in holder if rest else ():
            _remove(item, rest, removal)
    elif isinstance(holder, dict) and name in holder:
        if rest:
            _remove(holder[name], rest, removal)
        elif _applies(holder[name], removal):
            del holder[name]


def _applies(value: Any, removal: Removal) -> bool:
    for name in removal.where:
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return False
    if removal.values:
        return value in removal.values
    return removal.beyond is None or re.fullmatch(removal.beyond, str(value)) is None


def _covers(live: Any, wanted: Any) -> bool:
    """Tells whether a harness has what is wanted; defaults that the service has filled in are no difference."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_covers(live.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(live) == len(wanted)
            and all(_covers(one, other) for one, other in zip(live, wanted, strict=True))
        )
    return bool(live == wanted)


def _as_sent(name: str, value: Any) -> Any:
    """Returns a member of GetHarness as UpdateHarness takes it: without what only the service says."""
    operation = client("bedrock-agentcore-control").meta.service_model.operation_model("UpdateHarness")
    shape = operation.input_shape.members[name]
    return _projected(value, shape.members["optionalValue"] if name in _WRAPPED else shape)


def _projected(value: Any, shape: Any) -> Any:
    if value is not None and shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        return dict(_members(value, shape))
    if isinstance(value, list) and shape.type_name == "list":
        return [_projected(item, shape.member) for item in value]
    if isinstance(value, dict) and shape.type_name == "map":
        return {key: _projected(item, shape.value) for key, item in value.items()}
    return value


def _members(value: Mapping[str, Any], shape: Any) -> Iterator[tuple[str, Any]]:
    for name, member in shape.members.items():
        if name in value:
            yield name, _projected(value[name], member)
