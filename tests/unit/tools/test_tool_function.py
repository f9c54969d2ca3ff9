"""Tools in Lambda: where functions come from, what the template says, and what is refused."""

from __future__ import annotations

import importlib
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from support import synth
from support.shop import defaults, guards, orders

from agentcore_constructs import Harness, HarnessConfigError, InlineTool, Memory, Tool, ToolFunction
from agentcore_constructs.tools import code, inline_tools_of
from agentcore_constructs.tools.sources import tool_sources
from agentcore_lambdas.tools import define

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECIPES = '''
    from agentcore_lambdas.tools import tool

    from {above}amounts import double


    @tool
    def scale(portions: int) -> int:
        """Scales a recipe.

        Args:
            portions: How many.
        """
        return double(portions)
'''
NAMELESS = lambda: None  # noqa: E731  (what it tests)


@pytest.fixture
def stack() -> cdk.Stack:
    return synth.new_stack()


@pytest.fixture
def recipes(tmp_path: Path) -> Callable[..., Path]:
    def make(*, package: bool) -> Path:
        folder = tmp_path / "recipes"
        folder.mkdir()
        if package:
            (folder / "__init__.py").touch()
        text = textwrap.dedent(RECIPES.format(above="." if package else ""))
        (folder / "kitchen.py").write_text(text, encoding="utf-8")
        (folder / "amounts.py").write_text("def double(number): return 2 * number\n", encoding="utf-8")
        (folder / "test_kitchen.py").write_text("raise RuntimeError('not to be imported')\n", encoding="utf-8")
        return folder

    return make


def faults_of(act: Callable[[], Any]) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        act()
    return str(caught.value).splitlines()


# ---- where functions come from ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [orders, "support.shop.orders"])
def test_a_module_or_its_name(source: Any) -> None:
    found = tool_sources(source)
    assert found.packages == ("support",)
    assert [str(entry) for entry in found.entries] == ["support.shop.orders"]
    assert list(found.definitions) == ["refund", "order-status", "misbehave"]


def test_functions() -> None:
    found = tool_sources([orders.refund, orders.status])
    assert [str(entry) for entry in found.entries] == ["support.shop.orders:refund", "support.shop.orders:status"]


def test_a_package_folder_and_a_plain_one(recipes: Callable[..., Path]) -> None:
    folder = recipes(package=True)
    found = tool_sources(folder)
    assert found.packages == (folder,)
    assert [str(entry) for entry in found.entries] == ["recipes.kitchen"]
    assert found.definitions["scale"].function(3) == 6


def test_a_plain_folder_is_on_the_path_of_the_function(recipes: Callable[..., Path]) -> None:
    folder = recipes(package=False)
    path, modules = list(sys.path), set(sys.modules)
    found = tool_sources(folder)
    assert [getattr(one, "name", one) for one in found.packages] == ["amounts.py", "kitchen.py", "test_kitchen.py"]
    assert [str(entry) for entry in found.entries] == ["kitchen"]
    assert (sys.path, set(sys.modules) - modules) == (path, set())


def test_a_file(recipes: Callable[..., Path]) -> None:
    file = recipes(package=False) / "kitchen.py"
    assert tool_sources(file).packages == (file, file.parent / "amounts.py")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """Writes modules of the user's own, as beside an app.py; what they leave in Python is forgotten."""
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(textwrap.dedent(text), encoding="utf-8")

    yield write
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


TOOLS = '''
    import json

    import jsonschema

    from agentcore_lambdas.tools import tool
    {imports}


    @tool
    def stock(sku: str) -> str:
        """Tells the stock.

        Args:
            sku: What.
        """
        return sku
'''


def test_own_modules_that_a_tool_imports_come_along(
    project: Callable[[dict[str, str]], None], stack: cdk.Stack, tmp_path: Path
) -> None:
    imports = "import own_prices; from own_shelves import rows; from own_shelves.rows import count"
    project(
        {
            "own_tools.py": TOOLS.format(imports=imports),
            "own_prices.py": "from own_rates import RATE",
            "own_rates.py": "RATE = 1",
            "own_shelves/__init__.py": "",
            "own_shelves/rows.py": "from . import more\ncount = 1",
            "own_shelves/more.py": "import own_units",
            "own_units.py": "def late():\n    import own_late",
            "own_late.py": "",
        }
    )
    own = [tmp_path / name for name in ("own_prices.py", "own_shelves", "own_rates.py", "own_units.py")]
    assert tool_sources("own_tools").packages == ("own_tools", *own)
    importlib.import_module("own_tools")
    assert tool_sources([sys.modules["own_tools"].stock]).packages == ("own_tools", *own)
    ToolFunction(stack, "Tools", "own_tools")
    app = stack.node.root
    assert isinstance(app, cdk.App)
    (archive,) = Path(app.synth().directory).glob("*.zip")
    names = zipfile.ZipFile(archive).namelist()
    assert {"own_tools.py", "own_prices.py", "own_rates.py", "own_shelves/rows.py", "own_units.py"} <= set(names)
    assert "own_late.py" not in names
    assert not [name for name in names if name.startswith("jsonschema")]  # a requirement's to bring


def test_a_module_may_have_an_encoding_of_its_own(project: Callable[[dict[str, str]], None], tmp_path: Path) -> None:
    project({"old_tools.py": TOOLS.format(imports="import old_prices")})
    (tmp_path / "old_prices.py").write_bytes("# coding: latin-1\nUNIT = 'größe'\nimport json\n".encode("latin-1"))
    assert tool_sources("old_tools").packages == ("old_tools", tmp_path / "old_prices.py")


def test_the_cdk_is_found_behind_an_own_module(project: Callable[[dict[str, str]], None], stack: cdk.Stack) -> None:
    project(
        {
            "far_tools.py": TOOLS.format(imports="import far_settings"),
            "far_settings.py": "import far_stacks",
            "far_stacks.py": "import aws_cdk",
        }
    )
    assert faults_of(lambda: ToolFunction(stack, "Tools", "far_tools"))[1].startswith(
        "  far_stacks: must not import the CDK, since it runs in Lambda; received an import of aws_cdk; keep the tools"
    )


# ---- the template ----------------------------------------------------------------------------------------------------


def test_the_function_is_traced_logs_for_a_month_and_has_a_role_of_its_own(stack: cdk.Stack) -> None:
    tools = ToolFunction(stack, "Orders", orders, environment={"SHOP": "x"})
    table = dynamodb.TableV2(
        stack, "Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    )
    table.grant_read_data(tools)
    template = synth.template_of(stack)
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Handler": "agentcore_lambdas.tools.main.handler",
            "Runtime": "python3.14",
            "Architectures": ["arm64"],
            "TracingConfig": {"Mode": "Active"},
            "Timeout": 60,
            "Description": "Tools: refund, order-status, misbehave",
            "Environment": {
                "Variables": {
                    "AGENTCORE_TOOLS": "support.shop.orders",
                    "POWERTOOLS_SERVICE_NAME": "Orders",
                    "SHOP": "x",
                }
            },
        },
    )
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30})
    (policy,) = template.find_resources("AWS::IAM::Policy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    actions = {
        action
        for one in statements
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    assert {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "dynamodb:GetItem"} <= actions
    assert "logs:CreateLogGroup" not in actions
    template.resource_count_is("AWS::IAM::Role", 1)


def test_the_function_may_be_in_a_vpc(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1)
    tools = ToolFunction(stack, "Orders", orders, vpc=vpc)
    tools.connections.allow_to_any_ipv4(ec2.Port.tcp(443))
    template = synth.template_of(stack)
    template.has_resource_properties(
        "AWS::Lambda::Function", {"VpcConfig": {"SubnetIds": cdk.assertions.Match.any_value()}}
    )
    assert "ec2:CreateNetworkInterface" in str(template.find_resources("AWS::IAM::Policy"))


def test_our_requirements_leave_the_sdk_to_lambda_unless_the_user_names_it() -> None:
    pins = code._pins(())
    assert [pin.partition("==")[0] for pin in pins] == ["aws-lambda-powertools", "aws-xray-sdk", "pydantic"]
    assert [pin.partition("==")[0] for pin in code._pins(["Pydantic == 2.12"])] == [
        "aws-lambda-powertools",
        "aws-xray-sdk",
    ]
    assert code._left_out(["requests"]) is not None
    assert code._left_out(["boto3==1.44.5"]) is None


def test_a_function_describes_itself_as_a_target_of_a_gateway(stack: cdk.Stack) -> None:
    tools = ToolFunction(stack, "Shop_Orders", [orders.refund])
    assert tools.target_name == "Shop-Orders"
    assert tools.tool_schemas == [
        {
            "name": "refund",
            "description": define(orders.refund).description,
            "inputSchema": define(orders.refund).gateway_schema,
        }
    ]


# ---- a harness takes them --------------------------------------------------------------------------------------------


def test_a_harness_takes_inline_tools_and_remembers_their_functions(stack: cdk.Stack) -> None:
    tools = ToolFunction(stack, "Orders", [orders.refund])
    pick = InlineTool.client_side("pick", description="Lets the user pick.", input_schema={"type": "object"})
    other = InlineTool.from_lambda(
        tools, name="refund-too", description="Refunds.", input_schema={"type": "object"}, approval=True
    )
    harness = Harness(stack, "Agent", memory=Memory.disabled(), tools=[*tools.inline_tools(), pick, other])
    harness.add_tool(Tool.inline(orders.status))
    taken = harness.inline_tools
    assert taken == inline_tools_of(harness)
    assert [(tool.name, tool.approval, tool.is_client_side) for tool in taken] == [
        ("refund", True, False),
        ("pick", False, True),
        ("refund-too", True, False),
        ("order-status", False, False),
    ]
    assert taken[0].function is taken[2].function is tools.function
    assert taken[1].function is None
    assert taken[3].function is not None
    resources = synth.resources(stack, "AWS::BedrockAgentCore::Harness")
    (resource,) = resources.values()
    inline = {tool["Name"]: tool["Config"]["InlineFunction"] for tool in resource["Properties"]["Tools"]}
    assert inline["refund"]["InputSchema"] == define(orders.refund).input_schema
    assert inline["order-status"]["Description"] == "Tells where an order is."
    assert "lambda:InvokeFunction" not in str(resources)  # who calls the harness runs them, not the harness


def test_defaults_that_no_template_can_carry_are_no_hindrance(stack: cdk.Stack) -> None:
    Harness(stack, "Agent", tools=[Tool.inline(defaults.deliver)])
    (resource,) = synth.resources(stack, "AWS::BedrockAgentCore::Harness").values()
    (tool,) = resource["Properties"]["Tools"]
    assert tool["Config"]["InlineFunction"]["InputSchema"] == define(defaults.deliver).input_schema


def test_a_tool_taken_twice_has_one_function(stack: cdk.Stack) -> None:
    tool = InlineTool.from_function(orders.refund, requirements=["idna==3.10"], memory_size=512)
    Harness(stack, "One", tools=[tool])
    Harness(stack, "Two", tools=[tool])
    (function,) = synth.resources(stack, "AWS::Lambda::Function").values()
    assert function["Properties"]["MemorySize"] == 512


def test_a_tool_taken_in_two_stacks_has_a_function_in_each(stack: cdk.Stack) -> None:
    tool = InlineTool.from_function(orders.refund, approval=False, description="Gives money back.")
    other = cdk.Stack(cdk.App(), "Others")
    (first,) = Harness(stack, "One", tools=[tool]).inline_tools
    (second,) = Harness(other, "Two", tools=[tool]).inline_tools
    assert first.function is not None
    assert second.function is not None
    assert (cdk.Stack.of(first.function), cdk.Stack.of(second.function)) == (stack, other)
    assert (first.name, first.approval) == ("refund", False)


def test_every_fault_of_every_tool_is_told(stack: cdk.Stack) -> None:
    def nested(value: int) -> None:
        """Is not at the top of its module."""

    told = faults_of(
        lambda: Harness(
            stack,
            "Agent",
            tools=[
                InlineTool.from_function(orders.refund, name="no blanks"),
                Tool.inline(nested),
                Tool.inline(NAMELESS),
                InlineTool.client_side("pick", description="", input_schema={"type": "object"}),
            ],
        )
    )
    assert told == [
        "The harness Agents/Agent has 6 faults:",
        (
            "  tools[0].refund.name: must be 1–64 letters, digits, '_' and '-'; received 'no blanks'; give it a name "
            "that fits: @tool(name=…)."
        ),
        (
            "  tools[1].test_every_fault_of_every_tool_is_told.<locals>.nested: must be a function at the top of a "
            f"module; received {__name__}.test_every_fault_of_every_tool_is_told.<locals>.nested; define it at the top "
            "of its module, under its own name."
        ),
        (
            "  tools[2].<lambda>.name: must be 1–64 letters, digits, '_' and '-'; received '<lambda>'; give it a name "
            "that fits: @tool(name=…)."
        ),
        (
            "  tools[2].<lambda>.description: must say when to use the tool; received no docstring; write a docstring: "
            "the model reads it to decide when to call the tool."
        ),
        (
            f"  tools[2].<lambda>: must be a function at the top of a module; received {__name__}.<lambda>; define it "
            "at the top of its module, under its own name."
        ),
        (
            "  tools[3].config.inlineFunction.description: must be a description, 1–4096 characters; received '' (0 "
            "characters); describe when the model should call the tool."
        ),
    ]


def test_two_tools_of_one_name_are_refused_by_their_name(stack: cdk.Stack) -> None:
    told = faults_of(lambda: Harness(stack, "Agent", tools=[Tool.inline(orders.refund), Tool.inline(orders.refund)]))
    assert "tools[1].name: must be unique among the tools; received 'refund'" in told[1]


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_a_module_without_tools(stack: cdk.Stack) -> None:
    assert faults_of(lambda: ToolFunction(stack, "Tools", guards)) == [
        "The tool function Agents/Tools has 1 fault:",
        (
            "  source: must hold at least one tool; received none in the module support.shop.guards; mark the "
            "functions with @tool, from agentcore_lambdas.tools."
        ),
    ]


def test_a_module_that_imports_the_cdk(stack: cdk.Stack) -> None:
    assert (
        "  support.shop.mixed: must not import the CDK, since it runs in Lambda; received an import of aws_cdk; keep "
        "the tools in a module of their own, in a package that does not import the CDK."
    ) in faults_of(lambda: ToolFunction(stack, "Tools", "support.shop.mixed"))


def test_a_module_that_cannot_be_imported(stack: cdk.Stack, tmp_path: Path) -> None:
    file = tmp_path / "needy.py"
    file.write_text("import not_there_at_all  # and agentcore_lambdas\n", encoding="utf-8")
    told = faults_of(lambda: ToolFunction(stack, "Tools", file))
    assert told[1] == (
        "  needy: must be importable at synthesis; received ModuleNotFoundError: No module named 'not_there_at_all'; "
        "install what it needs where the app is synthesized as well, or import it within the functions that use it."
    )


@pytest.mark.parametrize("wrong", [None, 5, {"x": 1}, object()])
def test_what_is_no_source(stack: cdk.Stack, wrong: Any) -> None:
    told = faults_of(lambda: ToolFunction(stack, "Tools", wrong))
    assert told[1].startswith("  source: must be a module or its name, a file or a folder, or functions; received ")
    told = faults_of(lambda: ToolFunction(stack, "Tools", [wrong]))
    assert any("must be a function" in line for line in told)
    told = faults_of(lambda: Harness(stack, "Agent", tools=[InlineTool.from_function(wrong)]))
    assert any("must be a function" in line for line in told)


@pytest.mark.parametrize("wrong", [None, 5, "arn:aws:lambda:us-east-1:111122223333:function:f"])
def test_an_inline_tool_of_what_is_no_lambda_function(stack: cdk.Stack, wrong: Any) -> None:
    tool = InlineTool.from_lambda(wrong, name="refund", description="Refunds.", input_schema={"type": "object"})
    told = faults_of(lambda: Harness(stack, "Agent", tools=[tool]))
    assert told[1].startswith("  tools[0].refund.function: must be a Lambda function; received ")
    assert told[1].endswith("pass the function; a tool that the caller runs itself is InlineTool.client_side(…).")


def test_a_path_that_is_not_there(stack: cdk.Stack, tmp_path: Path) -> None:
    told = faults_of(lambda: ToolFunction(stack, "Tools", tmp_path / "nothing"))
    assert "source: must be there; received" in told[1]


def test_the_running_script(stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def local() -> None:
        """Is in the app."""

    monkeypatch.setattr(local, "__module__", "__main__")
    told = faults_of(lambda: ToolFunction(stack, "Tools", [local]))
    assert "must be in a module that can be imported; received the script that is running" in told[1]


def test_everything_is_told_of_a_function_of_the_running_script(
    stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def local() -> None: ...

    monkeypatch.setattr(local, "__module__", "__main__")
    for take in (
        lambda: ToolFunction(stack, "Tools", [local]),
        lambda: Harness(stack, "Agent", tools=[Tool.inline(local)]),
    ):
        told = "".join(faults_of(take))
        assert "must say when to use the tool; received no docstring" in told
        assert "received the script that is running; move it to a module of its own and import it" in told


def test_two_functions_of_one_name(stack: cdk.Stack) -> None:
    told = faults_of(lambda: ToolFunction(stack, "Tools", [orders.refund, orders.refund]))
    assert "refund.name: must be another one for each function; received support.shop.orders.refund and" in told[1]


def test_a_tool_that_is_not_there(stack: cdk.Stack) -> None:
    tools = ToolFunction(stack, "Tools", orders)
    told = faults_of(lambda: tools.inline_tool("cancel"))
    assert told[1] == "  name: must be that of a tool; received 'cancel'; write one of refund, order-status, misbehave."


def test_a_tool_alone_is_no_configuration() -> None:
    from agentcore_constructs import HarnessConfig  # noqa: PLC0415

    told = faults_of(lambda: HarnessConfig.create(tools=[Tool.inline(orders.refund)]))  # type: ignore[list-item]  # refused
    assert "tools[0]: must be taken by a harness, which makes the constructs it needs" in told[1]
