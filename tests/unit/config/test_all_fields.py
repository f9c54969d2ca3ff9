"""Every field there is, set and found again: the configurations of `support.all_fields` are complete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from support.all_fields import all_configs, cloudformation_configs
from support.paths import at, places

from agentcore_constructs.config import HarnessConfig
from agentcore_constructs.config.drafts import leaves

if TYPE_CHECKING:
    from agentcore_constructs.config.node import Field

FIELDS = dict(leaves(HarnessConfig))
CLOUDFORMATION = cloudformation_configs()
EVERY = all_configs()


def cloudformation_can_say(path: str) -> bool:
    """Whether neither the field nor anything it is in is API-only as a whole."""
    parts = re.split(r"\.", path)
    above = (".".join(parts[: count + 1]) for count in range(len(parts)))
    return not any(
        (field := FIELDS.get(re.sub(r"(\[\]|\{\})+$", "", prefix))) is not None and _whole(field) for prefix in above
    )


def _whole(field: Field) -> bool:
    return field.api_only is not None and field.api_only.beyond is None and not field.api_only.values


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_is_set_somewhere(path: str) -> None:
    assert any(True for config in EVERY.values() for _ in places(config, path))


@pytest.mark.parametrize("path", [path for path in FIELDS if cloudformation_can_say(path)])
def test_every_field_of_cloudformation_is_set_where_nothing_is_api_only(path: str) -> None:
    assert any(True for config in CLOUDFORMATION.values() for _ in places(config, path))


def renamed(path: str, field: str) -> str:
    """Writes a path of the API in the names of CloudFormation ("cfn") or of the L1 ("l1")."""
    names = {known.api: getattr(known, field) for known in FIELDS.values()}
    return re.sub(r"[A-Za-z0-9]+", lambda match: names[match.group()], path)


def values_at(form: Any, path: str) -> list[Any]:
    return [at(form, place) for place in places(form, path)]


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_is_found_in_what_the_api_gets(path: str) -> None:
    for config in EVERY.values():
        assert values_at(HarnessConfig.parse(config).to_api(), path) == values_at(config, path)


@pytest.mark.parametrize("path", [path for path in FIELDS if cloudformation_can_say(path) and path != "tags"])
def test_every_field_is_found_in_what_cloudformation_and_the_l1_get(path: str) -> None:
    for config in CLOUDFORMATION.values():
        parsed = HarnessConfig.parse(config)
        wanted = len(values_at(config, path))
        assert len(values_at(parsed.to_cfn(), renamed(path, "cfn"))) == wanted
        top = FIELDS[re.split(r"[.\[{]", path, maxsplit=1)[0]]
        below = renamed(path, "l1").removeprefix(top.l1)
        assert len(values_at(parsed.to_l1(), top.name + below)) == wanted


def test_every_choice_of_every_union_is_made_alone() -> None:
    """One configuration sets one member, so together they show each in a template."""
    for path in ("model", "memory", "skills[]", "tools[].config", "hooks[]", "truncation.config"):
        chosen = {
            member
            for config in CLOUDFORMATION.values()
            for place in places(config, path)
            for member in at(config, place)
        }
        members = {
            known.removeprefix(f"{path}.") for known in FIELDS if re.fullmatch(re.escape(path) + r"\.\w+", known)
        }
        assert chosen == members
