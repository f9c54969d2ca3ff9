"""Tools in Lambda: functions of a module or a folder, behind one Lambda function."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.inline import InlineTool
from agentcore_constructs.functions import ARCHITECTURE
from agentcore_lambdas.tools import ToolDefinition, ToolDefinitionError
from agentcore_lambdas.tools.entries import VARIABLE, written

from .python_function import MEMORY, RETENTION, TIMEOUT, PythonFunction
from .sources import ToolSource, ToolSources, faults_of, tool_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import aws_cdk as cdk
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import Construct

_HANDLER = "agentcore_lambdas.tools.main.handler"


class ToolFunction(PythonFunction):
    """Python functions as tools, in one Lambda function.

    It speaks the protocol of a gateway's Lambda target, so it serves as one, and as the function behind inline tools.

    Attributes:
        definitions: The tools, by name: description, schema, and whether a person must agree.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        source: ToolSource | ToolSources,
        *,
        requirements: Sequence[str] | Path = (),
        description: str | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: cdk.Duration = TIMEOUT,
        memory_size: int = MEMORY,
        architecture: lambda_.Architecture = ARCHITECTURE,
        log_retention: logs.RetentionDays = RETENTION,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    ) -> None:
        """Makes the function.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            source: A module or its name: the functions it marks with `@tool`. A file, or a folder of modules: the same.
                Or functions themselves, marked or not.
            requirements: Lines as in a requirements file, or the path of one; pin them. boto3 comes with Lambda.
            description: For people who look at the function; the names of the tools unless given.
            environment: Variables. No place for secrets.
            timeout: Of one call, at most 15 minutes; 60 seconds unless given.
            memory_size: In MiB; 256 unless given.
            architecture: ARM unless given.
            log_retention: A month unless given.
            vpc: Where what the tools connect to is; none unless given.
            vpc_subnets: Private ones unless given.
            security_groups: One is made unless given.

        Raises:
            HarnessConfigError: Functions that cannot be tools, with every reason why.
            PackagingError: Code is not there, or requirements have no wheels for the platform.
        """
        try:
            found = source if isinstance(source, ToolSources) else tool_sources(source)
        except HarnessConfigError as error:
            raise error.about(f"The tool function {scope.node.path}/{construct_id}") from None
        self.definitions: dict[str, ToolDefinition] = found.definitions
        super().__init__(
            scope,
            construct_id,
            handler=_HANDLER,
            packages=found.packages,
            requirements=requirements,
            description=description or _described(found.definitions),
            environment={VARIABLE: written(found.entries), **(environment or {})},
            timeout=timeout,
            memory_size=memory_size,
            architecture=architecture,
            log_retention=log_retention,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
        )

    # ---- as inline tools ---------------------------------------------------------------------------------------------

    def inline_tool(self, name: str, *, approval: bool | None = None) -> InlineTool:
        """Returns one of the tools, for a harness.

        Args:
            name: Of the tool.
            approval: Whether a person must agree before it runs; what `@tool` says unless given.

        Raises:
            HarnessConfigError: There is none of that name.
        """
        definition = self.definitions.get(name)
        if definition is None:
            fix = f"write one of {', '.join(self.definitions)}"
            fault = Fault("name", "must be that of a tool", repr(name), fix)
            raise HarnessConfigError([fault], f"The tool function {self.node.path}")
        return InlineTool(
            definition.name,
            description=definition.description,
            input_schema=definition.input_schema,
            function=self.function,
            approval=definition.approval if approval is None else approval,
        )

    def inline_tools(self) -> list[InlineTool]:
        """Returns all of the tools, for a harness: `tools=[*function.inline_tools()]`."""
        return [self.inline_tool(name) for name in self.definitions]

    # ---- as the target of a gateway ----------------------------------------------------------------------------------

    @property
    def target_name(self) -> str:
        """What a gateway's target is called unless it is given a name: the construct's id, in letters and digits."""
        return _NO_TARGET_NAME.sub("-", self.node.id).strip("-")[:_TARGET_NAME_LIMIT]

    @property
    def tool_schemas(self) -> list[dict[str, Any]]:
        """The tools as a gateway's Lambda target declares them, in the API's shape.

        Raises:
            HarnessConfigError: An argument has a type that a gateway's schemas cannot say.
        """
        faults: list[Fault] = []
        tools: list[dict[str, Any]] = []
        for definition in self.definitions.values():
            try:
                schema = definition.gateway_schema
            except ToolDefinitionError as error:
                faults += faults_of(error)
                continue
            tools.append({"name": definition.name, "description": definition.description, "inputSchema": schema})
        if faults:
            raise HarnessConfigError(faults, f"The tool function {self.node.path}, as the target of a gateway,")
        return tools


_NO_TARGET_NAME = re.compile(r"[^0-9a-zA-Z]+")
_TARGET_NAME_LIMIT = 100
_DESCRIPTION_LIMIT = 256


def _described(definitions: Mapping[str, ToolDefinition]) -> str:
    """Lambda shows at most 256 characters."""
    text = f"Tools: {', '.join(definitions)}"
    return text if len(text) <= _DESCRIPTION_LIMIT else f"{text[: _DESCRIPTION_LIMIT - 1]}…"
