"""Random CreateHarness requests that the service accepts, drawn from botocore's shapes.

The shapes give members, types, lengths, ranges, patterns and enums. For templates the CloudFormation schema inside
cfn-lint is walked alongside: only what it can say is drawn, within its limits too. What neither can say is in
`meanings`. Nothing is read from the models or from the local cloud: those are what is tested.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.model import Shape, StructureShape
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from hypothesis import strategies as st

from . import synth
from .meanings import DOCUMENT, GREATEST_INTEGER, MEANINGS, SHAPES, evenly, structure, together

if TYPE_CHECKING:
    from collections.abc import Iterator

Drawn = st.SearchStrategy[Any]

CREATE_HARNESS: StructureShape = (
    botocore.session.Session()
    .get_service_model("bedrock-agentcore-control")
    .operation_model("CreateHarness")
    .input_shape
)
SCHEMA: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(
    "us-east-1", "AWS::BedrockAgentCore::Harness"
).schema
NO_CONFIGURATION = {
    "CreateHarnessRequest.clientToken": "makes one call idempotent",
    "HarnessManagedMemoryConfiguration.arn": "read-only, ignored on input (botocore's documentation)",
    "VpcConfig.requireServiceS3Endpoint": "refused on create (botocore's documentation)",
}
"""Members that are drawn nowhere, with the reason."""


# What limits a value.


@dataclass(frozen=True)
class Limits:
    """What one shape, and the CloudFormation schema where there is one, say about a value.

    Attributes:
        low: Least number, length or count.
        high: Greatest number, length or count.
        patterns: What a whole text must match, every one of them.
        likeness: The pattern that texts are made from: the shape's own, or something narrower.
        enum: The only values there are.
        unique: Whether the items of a list must differ.
    """

    low: float | None = None
    high: float | None = None
    patterns: tuple[str, ...] = ()
    likeness: str = ""
    enum: tuple[str, ...] = ()
    unique: bool = False

    def fits(self, text: str) -> bool:
        """Tells whether a text has an allowed length and matches every pattern."""
        return (
            (self.low is None or len(text) >= self.low)
            and (self.high is None or len(text) <= self.high)
            and all(re.fullmatch(pattern, text, re.ASCII) for pattern in self.patterns)
        )


_OPEN: dict[str, Any] = {}


class Schema:
    """A place in the CloudFormation schema."""

    def __init__(self, content: dict[str, Any]) -> None:
        if "$ref" in content:
            content = SCHEMA["definitions"][content["$ref"].rsplit("/", 1)[-1]]
        self.content = content

    def member(self, name: str) -> Schema | None:
        """The property that a member of the API becomes; None when there is none."""
        if name == "tags" and self.content is SCHEMA:
            return Schema(_OPEN)  # a list of keys and values there, with the same limits
        found = self.content.get("properties", {}).get(name[0].upper() + name[1:])
        return None if found is None else Schema(found)

    def inner(self) -> Schema:
        """The items of a list, or the values of a map."""
        values = self.content.get("patternProperties", {}).values()
        return Schema(self.content.get("items") or next(iter(values), _OPEN))


# What cfn-lint means by these formats (cfnlint/rules/formats); every id that EC2 gives out today is one of them.
_FORMATS = {
    "AWS::EC2::SecurityGroup.Id": "sg-([a-f0-9]{8}|[a-f0-9]{17})",
    "AWS::EC2::Subnet.Id": "subnet-([a-f0-9]{8}|[a-f0-9]{17})",
}
_OAUTH_PROVIDER = (
    "arn:aws:bedrock-agentcore:us-east-1:[0-9]{12}:token-vault/default/oauth2credentialprovider/[a-zA-Z0-9-.]+"
)
# In templates, ARNs of what may exist: the execution role's policy names them, and what has no partition, no Region or
# no resource is no ARN in a policy (cfn-lint's E3510). What a harness reaches in its own account and Region alone, or
# its Region, is there.
_LIKELY = (
    ("arn:aws(-[^:]+)?:", "arn:aws:"),
    ("arn:aws(|-cn|-us-gov):", "arn:aws:"),
    ("arn:aws[-a-z]*:", "arn:aws:"),
    (":[a-z0-9-]+:", ":(us-east-1|eu-central-1):"),
    (":[a-z0-9-]{1,20}:", ":(us-east-1|eu-central-1):"),
    (":[0-9a-z-:]+:", f":{synth.REGION}:{synth.ACCOUNT}:"),
    (":kms:[a-zA-Z0-9-]*:", f":kms:{synth.REGION}:"),
    (r":(us-east-1|eu-central-1):[0-9]{12}:memory\/", rf":{synth.REGION}:[0-9]{{12}}:memory\/"),
    ("arn:([^:]*):([^:]*):([^:]*):([0-9]{12})?:(.+)", _OAUTH_PROVIDER),
    (":.+", ":[a-zA-Z0-9_-]{1,64}"),
    ("/.+", "/[a-zA-Z0-9_-]{1,64}"),
)


def limits_of(shape: Shape, schema: Schema | None = None) -> Limits:
    """The limits of a shape, narrowed to those of a place in the CloudFormation schema."""
    meta, content = shape.metadata, {} if schema is None else schema.content
    lows = [meta.get("min"), *(content.get(name) for name in ("minLength", "minItems", "minProperties", "minimum"))]
    highs = [meta.get("max"), *(content.get(name) for name in ("maxLength", "maxItems", "maxProperties", "maximum"))]
    format_ = _FORMATS.get(content.get("format", ""))
    # CloudFormation's patterns are searched for; botocore's are matched as a whole.
    searched = f"(?s:.*)(?:{content['pattern']})(?s:.*)" if "pattern" in content else None
    return Limits(
        low=max((low for low in lows if low is not None), default=None),
        high=min((high for high in highs if high is not None), default=None),
        patterns=tuple(pattern for pattern in (meta.get("pattern"), format_, searched) if pattern is not None),
        likeness=format_ or _likeness(meta.get("pattern", ""), templated=schema is not None),
        enum=tuple(value for value in meta.get("enum", ()) if value in content.get("enum", [value])),
        # botocore cannot say that items must differ; these must, in a request too.
        unique=bool(content.get("uniqueItems")) or shape.name == "HarnessManagedMemoryStrategyList",
    )


def _likeness(pattern: str, *, templated: bool) -> str:
    if templated and r"\.dkr\.ecr\." in pattern:
        return pattern.replace("([a-z0-9-]+)", synth.REGION, 1)
    if templated and pattern.startswith("arn:"):
        for wide, narrow in _LIKELY:
            pattern = pattern.replace(wide, narrow)
    return pattern


# Values within limits. Most are small, since what counts is what they are made of; some are as large as they may be.

_MEMBERS, _FEW, _SHORT = 5, 3, 24
# Where a pattern leaves it open ("…:function:.+"), names are of ASCII.
_NAMING = st.characters(codec="ascii", categories=("L", "N"), include_characters="-_./:=+@*, \t")


def text(limits: Limits) -> Drawn:
    """Texts within limits."""
    if limits.enum:
        return st.sampled_from(limits.enum)
    low, high = int(limits.low or 0), int(limits.high or 0)
    if limits.patterns:
        drawn: Drawn = st.from_regex(f"(?a:{limits.likeness})", fullmatch=True, alphabet=_NAMING).filter(limits.fits)
    else:
        drawn = st.text(min_size=low, max_size=max(low, min(high or _SHORT, _SHORT)))
    longest = drawn.map(lambda short: _longest(short, high, limits))
    return _mostly(drawn, longest) if high else drawn


def _longest(short: str, length: int, limits: Limits) -> str:
    """A text made as long as it may be by repeating its last character; as it was, where a pattern forbids that."""
    longer = short + short[-1:] * (length - len(short))
    return longer if limits.fits(longer) else short


def integer(limits: Limits) -> Drawn:
    """Whole numbers within limits."""
    return st.integers(int(limits.low or 0), GREATEST_INTEGER if limits.high is None else int(limits.high))


def number(limits: Limits) -> Drawn:
    """Numbers within limits, whole ones too; from 0 to 1 where there are none."""
    low, high = limits.low or 0, 1 if limits.high is None else limits.high
    return st.integers(int(low), int(high)) | st.floats(low, high)


def items(item: Drawn, limits: Limits) -> Drawn:
    """Lists within limits."""
    low, high = int(limits.low or 0), int(limits.high or 0)
    drawn: Drawn = st.lists(
        item, min_size=low, max_size=max(low, min(high or _FEW, _FEW)), unique_by=repr if limits.unique else None
    )
    if not high or limits.unique:
        return drawn
    full = drawn.map(lambda few: [copy.deepcopy(few[index % len(few)]) for index in range(high)] if few else few)
    return _mostly(drawn, full)


def entries(key: Drawn, value: Drawn, limits: Limits) -> Drawn:
    """Maps within limits."""
    low, high = int(limits.low or 0), int(limits.high or 0)
    drawn: Drawn = st.dictionaries(key, value, min_size=low, max_size=max(low, min(high or _FEW, _FEW)))
    full = st.builds(
        lambda few, one: {**{f"k{index}": copy.deepcopy(one) for index in range(high - len(few))}, **few}, drawn, value
    )
    return _mostly(drawn, full) if high else drawn


def _mostly(usual: Drawn, rare: Drawn) -> Drawn:
    return evenly([usual] * 9 + [rare]).flatmap(lambda chosen: chosen)


class Walk:
    """Draws values of shapes.

    Attributes:
        templated: True to draw only what a template can say.
    """

    def __init__(self, *, templated: bool) -> None:
        self.templated = templated
        self._known: dict[tuple[str, int | None], Drawn] = {}

    def whole(self, role_arn: str | None, only: str | None = None) -> Drawn:
        """Requests with some members each: with all of them one would be too much for hypothesis to vary.

        Args:
            role_arn: The execution role; None leaves it out, which the `Harness` construct allows.
            only: The one member that every request has besides name and role.
        """
        members = self.members(CREATE_HARNESS, Schema(SCHEMA) if self.templated else None)
        fixed = {"harnessName": members.pop("harnessName")}
        del members["executionRoleArn"]
        if role_arn is not None:
            fixed["executionRoleArn"] = st.just(role_arn)
        some = st.lists(evenly(sorted(members)), max_size=_MEMBERS, unique=True)
        if only is not None:
            some = st.just([only] if only in members else [])
        return some.flatmap(
            lambda names: st.fixed_dictionaries({**fixed, **{name: members[name] for name in names}}).map(together)
        )

    def of(self, shape: Shape, schema: Schema | None) -> Drawn:
        """Values of a shape."""
        known = (shape.name, None if schema is None else id(schema.content))
        if known not in self._known:
            self._known[known] = self._of(shape, schema)
        return self._known[known]

    def _of(self, shape: Any, schema: Schema | None) -> Drawn:
        if getattr(shape, "is_document_type", False):
            return DOCUMENT
        if isinstance(shape, StructureShape):
            return self._structure(shape, schema)
        kind, limits, inner = shape.type_name, limits_of(shape, schema), schema and schema.inner()
        if kind == "list":
            return items(self.of(shape.member, inner), limits)
        if kind == "map":
            name = f"{shape.name}.key"
            key = MEANINGS[name] if name in MEANINGS else self.of(shape.key, None)
            return entries(key, self.of(shape.value, inner), limits)
        if kind == "boolean":
            return st.booleans()
        return {"string": text, "integer": integer, "float": number}[kind](limits)

    def _structure(self, shape: StructureShape, schema: Schema | None) -> Drawn:
        if shape.name in SHAPES:
            return SHAPES[shape.name](self, shape, schema)
        members = self.members(shape, schema)
        if shape.is_tagged_union:
            return evenly(members).flatmap(lambda name: members[name].map(lambda one: {name: one}))
        return structure(shape, members)

    def members(self, shape: StructureShape, schema: Schema | None) -> dict[str, Drawn]:
        """What is drawn for each member of a structure."""
        drawn: dict[str, Drawn] = {}
        for name, member in shape.members.items():
            inside = None if schema is None else schema.member(name)
            full_name = f"{shape.name}.{name}"
            if full_name in NO_CONFIGURATION or (self.templated and inside is None):
                continue
            drawn[name] = MEANINGS[full_name] if full_name in MEANINGS else self.of(member, inside)
        return drawn


# What a request becomes.


def as_properties(request: dict[str, Any]) -> dict[str, Any]:
    """The properties of `AWS::BedrockAgentCore::Harness` that say what a request says."""
    # An empty list of tags is none.
    said = {name: value for name, value in request.items() if name != "tags" or value}
    properties: dict[str, Any] = _as_properties(CREATE_HARNESS, said)
    if "Tags" in properties:
        properties["Tags"] = [{"Key": key, "Value": properties["Tags"][key]} for key in sorted(properties["Tags"])]
    return properties


def _as_properties(shape: Any, value: Any) -> Any:
    if getattr(shape, "is_document_type", False):
        return value
    if isinstance(shape, StructureShape):
        return {
            name[0].upper() + name[1:]: _as_properties(shape.members[name], member) for name, member in value.items()
        }
    if shape.type_name == "list":
        return [_as_properties(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: _as_properties(shape.value, item) for key, item in value.items()}
    return value


def fields_of(shape: Any, value: Any = None, path: str = "") -> Iterator[str]:
    """The paths of the members in a value; without one, of all there are (`tools[].config.remoteMcp.headers{}`)."""
    if getattr(shape, "is_document_type", False):
        return
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if f"{shape.name}.{name}" not in NO_CONFIGURATION and (value is None or name in value):
                where = f"{path}.{name}".lstrip(".")
                yield where
                yield from fields_of(member, None if value is None else value[name], where)
    elif shape.type_name in {"list", "map"}:
        inside, mark = (shape.member, "[]") if shape.type_name == "list" else (shape.value, "{}")
        values = [None] if value is None else value if mark == "[]" else value.values()
        for one in values:
            yield from fields_of(inside, one, path + mark)
