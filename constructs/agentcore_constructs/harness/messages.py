"""Warnings at synthesis, each with an id to acknowledge it by: `Annotations.of(x).acknowledge_warning(id, reason)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii

from .policy import ATTACHED_POLICIES, INLINE_POLICIES_SIZE, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from constructs import IConstruct

    from agentcore_constructs.config.unique import UnmatchedTool

PREFIX = "@agentcore-harness-cdk:"
IMPORTED_ROLE = PREFIX + "imported-role"
UNKNOWN_MODEL = PREFIX + "unknown-model"
CROSS_ACCOUNT_HOOK = PREFIX + "cross-account-hook"
POLICY_SIZE = PREFIX + "policy-size"
ALLOWED_TOOL = PREFIX + "allowed-tool"
AUTHORIZATION_CODE = PREFIX + "authorization-code"
LITERAL_HEADER = PREFIX + "literal-header"
WEB_SEARCH_REGION = PREFIX + "web-search-region"
LONG_TOOL_NAME = PREFIX + "long-tool-name"
IMAGE_USER = PREFIX + "image-user"
MEMORY_NAMESPACE = PREFIX + "memory-namespace"
PUBLIC_SUBNETS = PREFIX + "public-subnets"
LINGERING_INTERFACES = PREFIX + "lingering-interfaces"
NO_MODEL_ROUTE = PREFIX + "no-model-route"
NO_INTERNET_ROUTE = PREFIX + "no-internet-route"
SESSION_STORAGE_ONLY = PREFIX + "session-storage-only"
MOUNT_USER = PREFIX + "mount-user"
VERSION_ACROSS_STACKS = PREFIX + "version-across-stacks"
CUSTOM_RESOURCE_POLICIES = PREFIX + "custom-resource-policies"


@jsii.implements(cdk.IAspect)
class AtSynthesis:
    """Does something when the app is synthesized; for what can be said only when the app is complete."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def visit(self, node: IConstruct) -> None:  # noqa: ARG002  (the aspect of a single construct)
        """Does it; the CDK calls this once for each construct below, so it is for one that has none."""
        self._act()


def imported_role(scope: IConstruct, needed: Sequence[Statement]) -> None:
    """Warns that an imported role gets no permission, and lists what it must carry already."""
    listed = "; ".join(f"{statement['Sid']} ({', '.join(statement['Action'])})" for statement in needed)
    text = (
        "The execution role is imported, so nothing is added to it. It must let bedrock-agentcore.amazonaws.com "
        "assume it, and "
        f"must carry these statements already: {listed}. Their resources and reasons are in docs/iam.md; an "
        "HarnessExecutionRole has them all."
    )
    cdk.Annotations.of(scope).add_warning_v2(IMPORTED_ROLE, text)


def unknown_model(scope: IConstruct) -> None:
    """Warns that a model id is known at deployment alone, so that all models are granted."""
    text = (
        "The id of the Bedrock model is known at deployment alone, so the execution role may call every foundation "
        "model and every inference profile of the account. Write the id as a literal, or as an ARN whose kind is "
        "literal, to have it narrowed."
    )
    cdk.Annotations.of(scope).add_warning_v2(UNKNOWN_MODEL, text)


def version_across_stacks(scope: IConstruct, producer: str) -> None:
    """Warns that an endpoint follows a version which another stack exports: an export in use cannot change."""
    text = (
        f"The endpoint follows the version of a harness in the stack {producer}. CloudFormation changes no value that "
        "another stack imports, so the next change of the harness would fail to deploy. Make the endpoint in the "
        "harness' own stack (harness.add_endpoint(…)), pin it (Version.pinned(3)), or have the app refer weakly: "
        'context "@aws-cdk/core:defaultCrossStackReferences": "weak".'
    )
    cdk.Annotations.of(scope).add_warning_v2(VERSION_ACROSS_STACKS, text)


def cross_account_hook(scope: IConstruct, function_arn: str) -> None:
    """Warns that a function in another account has to allow the call as well."""
    text = (
        f"The hook's function {function_arn} is in another account. The execution role may call it, but the "
        f"function's own "
        "resource policy must allow lambda:InvokeFunction to the role as well."
    )
    cdk.Annotations.of(scope).add_warning_v2(CROSS_ACCOUNT_HOOK, text)


def too_many_policies(scope: IConstruct, count: int) -> None:
    """Warns that a role gets more managed policies than IAM allows without a quota increase."""
    text = (
        f"The execution role needs {count} managed policies, and a role has at most {ATTACHED_POLICIES} unless the "
        f"quota is "
        "raised. Spread the tools over several harnesses, or ask for the quota."
    )
    cdk.Annotations.of(scope).add_warning_v2(POLICY_SIZE, text)


def custom_resource_policies(scope: IConstruct, characters: int) -> None:
    """Warns that the custom resources of a stack need more of their function's role than it can hold."""
    text = (
        "The custom resources of this stack share one function, and what it may do for them has more characters than "
        f"the inline policies of a role can have: up to {characters:,} of {INLINE_POLICIES_SIZE:,}, depending on names "
        "that only the deployment knows. Put some of the harnesses, images or skills into another stack."
    )
    cdk.Annotations.of(scope).add_warning_v2(CUSTOM_RESOURCE_POLICIES, text)


def allowed_tool(scope: IConstruct, tool: UnmatchedTool) -> None:
    """Warns that an entry of allowed tools allows nothing, as far as is known."""
    fix = f"Did you mean '{tool.nearest}'?" if tool.nearest else f"There are: {', '.join(tool.known)}."
    if tool.disputed:
        text = (
            f"allowedTools has '{tool.entry}', the bare name of a gateway's tool, which was seen to allow nothing, and "
            f"the service does not say so; not all sources agree. Write '{tool.nearest}', which works."
        )
    else:
        text = (
            f"allowedTools has '{tool.entry}', which is the name of no built-in and no inline tool of this harness, so "
            f"it allows nothing, and the service does not say so. {fix}"
        )
    cdk.Annotations.of(scope).add_warning_v2(ALLOWED_TOOL, text)


def unoffered_tool(scope: IConstruct, tool: UnmatchedTool) -> None:
    """Warns that an entry of allowed tools names what no gateway of this harness offers."""
    fix = f"Did you mean '{tool.nearest}'?" if tool.nearest else f"There are: {', '.join(tool.known) or 'none'}."
    text = (
        f"allowedTools has '{tool.entry}', which no gateway of this harness offers, so it allows nothing, and the "
        f"service does not say so. {fix} Targets made without the ToolGateway are not known here."
    )
    cdk.Annotations.of(scope).add_warning_v2(ALLOWED_TOOL, text)


def authorization_code(scope: IConstruct, tool_name: str | None) -> None:
    """Warns that a gateway tool gets its token in a way that the service documents as unsupported."""
    which = "A gateway tool" if tool_name is None else f"The gateway tool '{tool_name}'"
    text = (
        f"{which} has the grantType AUTHORIZATION_CODE, which AgentCore documents as unsupported between a harness and "
        "a gateway. Use CLIENT_CREDENTIALS, or outbound_auth=GatewayAuth.aws_iam()."
    )
    cdk.Annotations.of(scope).add_warning_v2(AUTHORIZATION_CODE, text)


def literal_header(scope: IConstruct, tool_name: str | None, header: str) -> None:
    """Warns that what looks like a key is written in code, and so in the template and in what GetHarness tells."""
    text = (
        f"The header '{header}' of the tool '{tool_name}' is written in code: whoever reads the template or the "
        "harness reads it. Pass stored_key(ApiKey(…)), which the service replaces when it calls, or acknowledge that "
        "it is no secret."
    )
    cdk.Annotations.of(scope).add_warning_v2(LITERAL_HEADER, text)


def shared_namespace(scope: IConstruct, strategy: str, namespace: str) -> None:
    """Warns that what is remembered of one actor is retrieved for every other one."""
    text = (
        f"The namespace '{namespace}' of {strategy} has no {{actorId}}, so what is remembered of one user is told to "
        "all others. Put {actorId} into it, or acknowledge that it is meant to be shared."
    )
    cdk.Annotations.of(scope).add_warning_v2(MEMORY_NAMESPACE, text)


def image_user(scope: IConstruct, written: str, assumed: tuple[int, int]) -> None:
    """Warns that only the image knows whom its processes run as, while file systems are mounted for them."""
    text = (
        f"The Dockerfile ends with USER {written}, and only the image knows the number of that user. The file systems "
        f"are mounted for {assumed[0]}:{assumed[1]}; with any other user writing to them fails. Say user=(uid, gid) "
        "where the image is made."
    )
    cdk.Annotations.of(scope).add_warning_v2(IMAGE_USER, text)


def web_search_region(scope: IConstruct, region: str) -> None:
    """Warns that the web search connector was not offered in a Region when this was written."""
    text = (
        f"Web search was offered in us-east-1, eu-west-1 and ap-northeast-1 when this was written, and the gateway is "
        f"in {region}. Deploy it there, or acknowledge this when the service has come to {region}."
    )
    cdk.Annotations.of(scope).add_warning_v2(WEB_SEARCH_REGION, text)


def long_tool_name(scope: IConstruct, name: str) -> None:
    """Warns that models may refuse what a gateway calls a tool."""
    text = (
        f"The gateway calls a tool '{name}', of {len(name)} characters; models of Amazon Bedrock take at most 64. "
        "Shorten the name of the target, or of the tool."
    )
    cdk.Annotations.of(scope).add_warning_v2(LONG_TOOL_NAME, text)


def public_subnets(scope: IConstruct, paths: Sequence[str]) -> None:
    """Warns that sessions are in public subnets, which gives them no internet."""
    text = (
        f"Sessions are in public subnets ({', '.join(paths)}), but the service gives them no public address, so they "
        "reach nothing over an internet gateway. Use private subnets with a NAT, or AgentCoreVpcEndpoints."
    )
    cdk.Annotations.of(scope).add_warning_v2(PUBLIC_SUBNETS, text)


def lingering_interfaces(scope: IConstruct, group: str) -> None:
    """Warns that the service's network interfaces outlive the harness, and hold its security group."""
    text = (
        "The service's network interfaces stay in the subnets for up to 8 hours after the harness is deleted or leaves "
        f"them, and until then neither the security group {group} nor the subnets can be deleted: deleting the stack "
        "fails and has to be repeated. Use retain_security_group=True or a group of another stack, and keep the VPC in "
        "a stack that stays."
    )
    cdk.Annotations.of(scope).add_warning_v2(LINGERING_INTERFACES, text)


def no_model_route(scope: IConstruct, services: Sequence[str]) -> None:
    """Warns that sessions are in subnets without a way to the model."""
    text = (
        f"Sessions are in subnets without a NAT, and this app makes no VPC endpoint for {', '.join(services)}: the "
        "harness would become READY and its invocations hang. Add AgentCoreVpcEndpoints(…, for_harness=[harness]), use "
        "private subnets with a NAT, or acknowledge that the way there is made elsewhere."
    )
    cdk.Annotations.of(scope).add_warning_v2(NO_MODEL_ROUTE, text)


def no_internet_route(scope: IConstruct, targets: Sequence[str]) -> None:
    """Warns that sessions are in subnets without a way to the internet, which they need."""
    text = (
        f"Sessions are in subnets without a NAT, and these are reached over the internet only: {', '.join(targets)}. "
        "Use private subnets with a NAT, or acknowledge that the way there is made elsewhere."
    )
    cdk.Annotations.of(scope).add_warning_v2(NO_INTERNET_ROUTE, text)


def session_storage_only(scope: IConstruct, path: str) -> None:
    """Warns that every deployment that makes a new version wipes the only files an agent keeps."""
    text = (
        f"Session storage at {path} is the only place where this agent keeps files. Every new version of the harness "
        "wipes it, and so do 14 days without use. Mount FileSystem.efs(…) or FileSystem.s3_files(…) for what has to "
        "stay, or acknowledge that nothing has to."
    )
    cdk.Annotations.of(scope).add_warning_v2(SESSION_STORAGE_ONLY, text)


def mount_user(scope: IConstruct, path: str, user: tuple[str, str], image: tuple[int, int]) -> None:
    """Warns that an access point acts as another POSIX user than the one processes of the image have."""
    text = (
        f"The access point mounted at {path} reads and writes as user {user[0]} and group {user[1]}, and processes in "
        f"the session are {image[0]} and {image[1]}: the service documents that they must match. Use an access point "
        "for that user."
    )
    cdk.Annotations.of(scope).add_warning_v2(MOUNT_USER, text)
