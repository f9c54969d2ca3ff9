"""References between stacks of different Regions, as aws-cdk-lib makes them with `cross_region_references`.

The stack that has a value writes it to a parameter in the Region of the stack that needs it, and that one marks it as
in use. Their functions name the other Region to the JavaScript SDK, which is a stand-in here that knows only its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .builtin import Answer, Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_AT_ONCE = 10
"""Names that DeleteParameters takes."""


def write_exports(call: Call) -> Answer:
    """`Custom::CrossRegionExportWriter`: one parameter for each value; those that are gone from the template go."""
    wanted, before = (_values(props, "WriterProps", "exports") for props in (call.props, call.old_props))
    ssm = call.client("ssm", call.props["WriterProps"]["region"])
    if call.request_type == "Delete":
        _delete(ssm, wanted)
    else:
        _delete(ssm, before.keys() - wanted.keys())
        for name in wanted.keys() - before.keys():  # a value of the same name is the same
            ssm.put_parameter(Name=name, Value=str(wanted[name]), Type="String", Overwrite=True)
    return Answer(call.physical_id or call.logical_id)


def read_imports(call: Call) -> Answer:
    """`Custom::CrossRegionExportReader`: mark parameters as in use by this stack; `Fn::GetAtt` reads their values."""
    wanted, before = (_values(props, "ReaderProps", "imports") for props in (call.props, call.old_props))
    reader = call.props["ReaderProps"]
    ssm, mark = call.client("ssm", reader["region"]), f"aws-cdk:strong-ref:{reader['prefix']}"
    released = wanted if call.request_type == "Delete" else before.keys() - wanted.keys()
    for name in released:
        try:
            ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=name, TagKeys=[mark])
        except ssm.exceptions.InvalidResourceId:
            continue  # its stack is gone
    if call.request_type != "Delete":
        for name in wanted.keys() - before.keys():
            tags = [{"Key": mark, "Value": "true"}]
            ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags)
    return Answer(call.physical_id or call.logical_id, wanted)


def _values(props: dict[str, Any] | None, member: str, values: str) -> dict[str, Any]:
    return dict(((props or {}).get(member) or {}).get(values) or {})


def _delete(ssm: Any, names: Iterable[str]) -> None:
    ordered = sorted(names)
    for start in range(0, len(ordered), _AT_ONCE):
        ssm.delete_parameters(Names=ordered[start : start + _AT_ONCE])


SERVED: dict[str, Callable[[Call], Answer]] = {
    "Custom::CrossRegionExportReader": read_imports,
    "Custom::CrossRegionExportWriter": write_exports,
}
