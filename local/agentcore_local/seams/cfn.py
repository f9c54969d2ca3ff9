"""CloudFormation: what stacks can hold, and how their templates are evaluated."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from .base import Seam, internals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PROVISIONERS = "ministack.services.cloudformation.provisioners"
_ENGINE = "ministack.services.cloudformation.engine"
_STACKS = "ministack.services.cloudformation.stacks"
_CFN_HANDLERS = "ministack.services.cloudformation.handlers"
_CHANGE_SETS = "ministack.services.cloudformation.changesets"
_CLOUDFORMATION = "ministack.services.cloudformation"

SEAMS: tuple[Seam, ...] = (
    Seam(_PROVISIONERS, "_RESOURCE_HANDLERS", "add CloudFormation types"),
    Seam(_PROVISIONERS, "_REPLACING_PROPERTIES", "declare which properties replace a resource"),
    Seam(_PROVISIONERS, "_CUSTOM_NAME_REPLACEMENT", "refuse replacing a custom-named resource"),
    Seam(_PROVISIONERS, "_STACK_TAG_PROPERTY", "hand stack tags to a resource"),
    Seam(_ENGINE, "_evaluate_conditions", "evaluate every function in conditions", ("template", "params")),
    Seam(
        _ENGINE,
        "_resolve_refs",
        "evaluate every function in conditions",
        ("value", "resources", "params", "conditions", "mappings", "stack_name", "stack_id"),
    ),
    Seam(_STACKS, "_runs_on_worker_thread", "run handlers off the event loop", ("resource_type",)),
    Seam(_CFN_HANDLERS, "_ACTION_HANDLERS", "know the role a stack is deployed with"),
    Seam(_CFN_HANDLERS, "_imported_export_names", "keep exports that are in use", ("stack", "stack_name")),
    Seam(_CHANGE_SETS, "_create_change_set", "execute changes of outputs alone", ("params",)),
    Seam(_CHANGE_SETS, "_find_change_set", "execute changes of outputs alone", ("cs_name", "stack_name")),
    Seam(_CLOUDFORMATION, "_stacks", "know what stacks import and put out"),
    Seam(_CLOUDFORMATION, "_exports", "keep exports that are in use"),
    Seam(
        _STACKS,
        "_resolve_stack_outputs",
        "keep exports that are in use",
        ("outputs_defs", "conditions", "resources", "param_values", "mappings", "stack_name", "stack_id"),
    ),
)


def resource_handlers() -> dict[str, dict[str, Any]]:
    """CloudFormation type → `{"create": …, "update": …, "delete": …}`; changing it changes what stacks can hold."""
    handlers: dict[str, dict[str, Any]] = internals(_PROVISIONERS)._RESOURCE_HANDLERS
    return handlers


def replace_replacing_properties(mapping: Mapping[str, tuple[str, ...]]) -> None:
    """Use another mapping of type → create-only properties (it may load on demand)."""
    internals(_PROVISIONERS)._REPLACING_PROPERTIES = mapping


def replacing_properties() -> Mapping[str, tuple[str, ...]]:
    """Type → properties whose change replaces the resource."""
    found: Mapping[str, tuple[str, ...]] = internals(_PROVISIONERS)._REPLACING_PROPERTIES
    return found


def custom_named(resource_type: str, name: str, requires_replacement: Callable[[Any, Any], bool]) -> None:
    """Refuse an update that would replace a resource which keeps its explicit name."""
    internals(_PROVISIONERS)._CUSTOM_NAME_REPLACEMENT[resource_type] = {
        "name": name,
        "requires_replacement": requires_replacement,
    }


def stack_tags(resource_type: str, prop: str, shape: str = "list") -> None:
    """Hand the stack's tags (and the `aws:cloudformation:` ones) to a type through its tag property."""
    internals(_PROVISIONERS)._STACK_TAG_PROPERTY[resource_type] = (prop, shape)


def evaluate_conditions_fully() -> None:
    """Resolve joins, substitutions, mappings and pseudo parameters in conditions before they are compared.

    ministack 1.5.33 compares them unresolved: the bootstrap template's `HasCloudFormationExecutionPolicies` came out
    true, and its deployment role without a policy.
    """
    engine = internals(_ENGINE)
    original = getattr(engine._evaluate_conditions, "__wrapped__", engine._evaluate_conditions)
    logic = ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not")

    def resolved(node: Any, params: dict[str, Any], mappings: dict[str, Any]) -> Any:
        if isinstance(node, list):
            return [resolved(item, params, mappings) for item in node]
        if not isinstance(node, dict) or "Condition" in node:
            return node
        if any(name in node for name in logic):
            return {name: resolved(arguments, params, mappings) for name, arguments in node.items()}
        return engine._resolve_refs(node, {}, params, {}, mappings, "", "")

    def evaluate_conditions(template: dict[str, Any], params: dict[str, Any]) -> dict[str, bool]:
        mappings = template.get("Mappings") or {}
        conditions = {
            name: resolved(condition, params, mappings)
            for name, condition in (template.get("Conditions") or {}).items()
        }
        found: dict[str, bool] = original({**template, "Conditions": conditions}, params)
        return found

    evaluate_conditions.__wrapped__ = original  # type: ignore[attr-defined]
    # The package's modules import the function by name.
    for name, module in list(sys.modules.items()):
        if name.startswith("ministack.services.cloudformation") and hasattr(module, "_evaluate_conditions"):
            vars(module)["_evaluate_conditions"] = evaluate_conditions


def run_on_worker_thread(types: Callable[[str], bool]) -> None:
    """Run the handlers of these types off the event loop: they may wait, or call the server back."""
    stacks = internals(_STACKS)
    original = getattr(stacks._runs_on_worker_thread, "__wrapped__", stacks._runs_on_worker_thread)

    def runs_on_worker_thread(resource_type: str) -> bool:
        return bool(original(resource_type)) or types(resource_type)

    runs_on_worker_thread.__wrapped__ = original  # type: ignore[attr-defined]
    stacks._runs_on_worker_thread = runs_on_worker_thread


def on_stack_request(note: Callable[[str, dict[str, Any]], None]) -> None:
    """Call `note(action, parameters)` before CloudFormation serves an action that may name a role."""
    handlers = internals(_CFN_HANDLERS)._ACTION_HANDLERS
    for action in ("CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet"):
        original = getattr(handlers[action], "__wrapped__", handlers[action])

        def handle(params: dict[str, Any], *, _action: str = action, _original: Any = original) -> Any:
            note(_action, {name: value[0] if isinstance(value, list) else value for name, value in params.items()})
            return _original(params)

        handle.__wrapped__ = original  # type: ignore[attr-defined]
        handlers[action] = handle


def execute_changes_of_outputs() -> None:
    """Have a change set that changes outputs alone executed; to be called before `on_stack_request`.

    ministack 1.5.33 looks at resources and says that there are no changes: the export that another stack of the app
    newly needs was not made, and that stack failed.
    """
    change_sets, stacks = internals(_CHANGE_SETS), internals(_CLOUDFORMATION)._stacks

    def create_change_set(params: dict[str, Any]) -> Any:
        answer = change_sets._create_change_set(params)
        named = re.search(rb"<Id>([^<]+)</Id>", answer[2])
        _, made = change_sets._find_change_set(named[1].decode()) if named else (None, None)
        if made is not None and made["ChangeSetType"] == "UPDATE" and made["Status"] == "FAILED":
            before = stacks.get(made["StackName"], {}).get("_template", {})
            if (made["_template"].get("Outputs") or {}) != (before.get("Outputs") or {}):
                made.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")
        return answer

    internals(_CFN_HANDLERS)._ACTION_HANDLERS["CreateChangeSet"] = create_change_set


def keep_exports_in_use() -> None:
    """Fail updates that change or remove an export which another stack imports, as CloudFormation does.

    ministack 1.5.33 changes it, and keeps one that was removed.
    """
    stacks, cloudformation = internals(_STACKS), internals(_CLOUDFORMATION)
    original = getattr(stacks._resolve_stack_outputs, "__wrapped__", stacks._resolve_stack_outputs)

    def resolve_stack_outputs(*args: Any) -> tuple[Any, dict[str, Any]]:
        outputs, exports = original(*args)
        stack_id = args[-1]
        mine = {name: one["Value"] for name, one in cloudformation._exports.items() if one["StackId"] == stack_id}
        for name, value in mine.items():
            if name in exports and exports[name]["Value"] == value:
                continue
            if users := _importers(name, stack_id):
                what = "updated" if name in exports else "deleted"
                raise ValueError(f"Export {name} cannot be {what} as it is in use by {' and '.join(users)}")
        for name in mine.keys() - exports.keys():
            del cloudformation._exports[name]
        return outputs, exports

    resolve_stack_outputs.__wrapped__ = original  # type: ignore[attr-defined]
    stacks._resolve_stack_outputs = resolve_stack_outputs


def _importers(export: str, exporter: str) -> list[str]:
    """The names of the stacks that import an export."""
    imported = internals(_CFN_HANDLERS)._imported_export_names
    return [
        name
        for name, stack in internals(_CLOUDFORMATION)._stacks.items()
        if stack["StackId"] != exporter
        and stack.get("StackStatus") != "DELETE_COMPLETE"
        and export in imported(stack, name)
    ]
