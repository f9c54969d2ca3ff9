"""The only package that touches ministack's private names, one module per topic.

The local cloud composes ministack's services with ours by replacing or reading a few of its internals, in process.
Each module lists the internals it uses in its `SEAMS`, with the reason and, for functions, the parameters we rely on.
`check()` verifies all lists when the cloud starts and fails with a sentence that names what changed: ministack is
pinned exactly, and an upgrade means reading these lines again (tests/local/test_seams.py has one test per assumption).

Nothing here decides anything: rules live in the modules that call it. `load()` imports ministack, which reads its
settings from the environment at import: `process.prepare` must have run before.
"""

from __future__ import annotations

from .base import MINISTACK_VERSION, Scope, Seam, SeamBrokenError
from .cfn import (
    custom_named,
    evaluate_conditions_fully,
    on_stack_request,
    replace_replacing_properties,
    replacing_properties,
    resource_handlers,
    run_on_worker_thread,
    stack_tags,
)
from .check import SEAMS, check
from .custom_resources import (
    CustomResource,
    answer_custom_resource,
    awaits_answer,
    on_function_end,
    wrap_custom_resources,
)
from .function_urls import FunctionUrl, function_lets_everybody, on_function_url
from .iam import (
    RoleCall,
    caller_denial,
    caller_key,
    conditions_met,
    decide,
    denial_message,
    enforce_permissions,
    has_resource_policies,
    names_service,
    parse_policies,
    read_role,
    role_documents,
    role_revision,
    roles_changed,
    trust_statements,
    watch_roles,
)
from .images import (
    builds_of,
    copied,
    in_background,
    name_resources,
    new_build,
    on_missing_image,
    on_start_build,
    project,
    put_image,
)
from .lambda_errors import function_errors
from .lambdas import end_lambda_workers, lambda_client_contexts, lambda_surroundings, on_code_unpacked
from .logs import call_logs
from .memory import (
    call_memory,
    create_event,
    create_memory,
    delete_event,
    delete_memory,
    forget_event,
    note_events,
    put_records,
    read_events,
    read_memory,
    read_records,
    records_in,
    release_memory,
    restore_event,
    serve_memory,
    update_memory,
)
from .persistence import keep_state, prune_code, service_states, settle_stacks, stacks_in_progress
from .resources import encryption_key, key_admits_service, random_password, read_efs_access_point, stack_of
from .scheduler import on_schedules
from .scope import acting_for, current_scope
from .server import (
    HttpHandler,
    HttpResponse,
    asgi_app,
    count_loopback_as_tls,
    forget_loop,
    keep_away_from_docker,
    load,
    must_see_requests,
    reset_all,
    route_agentcore,
    streaming,
)
from .states_language import task_error
from .stepfunctions import abort_executions, on_state_machine, run_workflows, task_integration, task_tokens

__all__ = [
    "MINISTACK_VERSION",
    "SEAMS",
    "CustomResource",
    "FunctionUrl",
    "HttpHandler",
    "HttpResponse",
    "RoleCall",
    "Scope",
    "Seam",
    "SeamBrokenError",
    "abort_executions",
    "acting_for",
    "answer_custom_resource",
    "asgi_app",
    "awaits_answer",
    "builds_of",
    "call_logs",
    "call_memory",
    "caller_denial",
    "caller_key",
    "check",
    "conditions_met",
    "copied",
    "count_loopback_as_tls",
    "create_event",
    "create_memory",
    "current_scope",
    "custom_named",
    "decide",
    "delete_event",
    "delete_memory",
    "denial_message",
    "encryption_key",
    "end_lambda_workers",
    "enforce_permissions",
    "evaluate_conditions_fully",
    "forget_event",
    "forget_loop",
    "function_errors",
    "function_lets_everybody",
    "has_resource_policies",
    "in_background",
    "keep_away_from_docker",
    "keep_state",
    "key_admits_service",
    "lambda_client_contexts",
    "lambda_surroundings",
    "load",
    "must_see_requests",
    "name_resources",
    "names_service",
    "new_build",
    "note_events",
    "on_code_unpacked",
    "on_function_end",
    "on_function_url",
    "on_missing_image",
    "on_schedules",
    "on_stack_request",
    "on_start_build",
    "on_state_machine",
    "parse_policies",
    "project",
    "prune_code",
    "put_image",
    "put_records",
    "random_password",
    "read_efs_access_point",
    "read_events",
    "read_memory",
    "read_records",
    "read_role",
    "records_in",
    "release_memory",
    "replace_replacing_properties",
    "replacing_properties",
    "reset_all",
    "resource_handlers",
    "restore_event",
    "role_documents",
    "role_revision",
    "roles_changed",
    "route_agentcore",
    "run_on_worker_thread",
    "run_workflows",
    "serve_memory",
    "service_states",
    "settle_stacks",
    "stack_of",
    "stack_tags",
    "stacks_in_progress",
    "streaming",
    "task_error",
    "task_integration",
    "task_tokens",
    "trust_statements",
    "update_memory",
    "watch_roles",
    "wrap_custom_resources",
]
