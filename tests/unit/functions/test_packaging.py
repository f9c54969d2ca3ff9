"""Code packaged for Lambda: what is in the zip, that content decides, and what is refused."""

from __future__ import annotations

import importlib.util
import sys
import venv
import zipfile
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from agentcore_constructs import functions
from agentcore_constructs.functions import PackagingError, code, installer, packaging
from agentcore_constructs.functions.installer import Target
from agentcore_local import toolchain

ARM = Target("aarch64", functions.PYTHON)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(functions.CACHE_VARIABLE, str(folder))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "refund.cpython-311.pyc").write_bytes(b"compiled")
    (folder / "__init__.py").write_text("")
    (folder / "refund.py").write_text("AMOUNT = 1\n")
    return folder


@pytest.fixture
def installations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes what is installed; a package with a script and an installer's traces stands in for what an index has."""
    noted: list[str] = []

    def install(requirements: Path, folder: Path, target: Target) -> None:
        noted.append(f"{requirements.read_text()} for {target.machine}")
        for name in ("thing/__init__.py", "thing-1.dist-info/RECORD", "thing-1.dist-info/METADATA", "bin/thing"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("")

    monkeypatch.setattr(packaging, "install", install)
    return noted


def names(zipped: packaging.Zip) -> list[str]:
    return zipfile.ZipFile(zipped.path).namelist()


def test_sources_stand_at_the_top_under_their_own_names(source: Path, tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text("")
    zipped = packaging.packaged([source, tmp_path / "index.py", "agentcore_lambdas.services"], (), ARM)
    assert names(zipped) == ["index.py", "services.py", "shop/__init__.py", "shop/refund.py"]


@pytest.mark.parametrize(
    "text",
    [
        "import aws_cdk as cdk\n",
        "from aws_cdk import aws_s3\n",
        "from constructs import Construct\n",
        "import os, jsii\n",
        "from agentcore_constructs.config import Model\n",
    ],
)
def test_stacks_next_to_functions_stay_behind(source: Path, text: str) -> None:
    """They could not be imported in Lambda, and each change of theirs would deploy the functions anew."""
    before = packaging.packaged([source], (), ARM)
    (source / "stacks.py").write_text(text)
    assert packaging.packaged([source], (), ARM) == before


@pytest.mark.parametrize(
    "text",
    [
        "def made():\n    import aws_cdk\n",
        "from .constructs import Order\n",
        "import aws_cdk_free\n",
        "import aws_cdk as (\n",
        "import aws_cdk".encode("utf-16").decode("latin-1"),
    ],
    ids=["within", "relative", "another", "broken", "unreadable"],
)
def test_what_does_not_import_the_cdk_at_its_top_comes_along(source: Path, text: str) -> None:
    (source / "more.py").write_text(text, encoding="latin-1")
    assert "shop/more.py" in names(packaging.packaged([source], (), ARM))


def test_requirements_are_installed_once_without_scripts_and_traces(source: Path, installations: list[str]) -> None:
    first = packaging.packaged([source], ["thing==1"], ARM)
    assert names(first) == ["shop/__init__.py", "shop/refund.py", "thing-1.dist-info/METADATA", "thing/__init__.py"]
    written = first.path.stat().st_mtime_ns
    assert packaging.packaged([source], ["thing==1"], ARM) == first
    assert first.path.stat().st_mtime_ns == written  # nothing was zipped again
    (source / "refund.py").write_text("AMOUNT = 2\n")
    assert packaging.packaged([source], ["thing==1"], ARM).content_hash != first.content_hash
    assert installations == ["thing==1 for aarch64"]


def test_the_platform_and_the_requirements_decide_too(source: Path, installations: list[str]) -> None:
    hashes = {
        packaging.packaged([source], requirements, target).content_hash
        for requirements in (["thing==1"], ["thing==2"])
        for target in (ARM, Target("x86_64", functions.PYTHON), Target("aarch64", "3.12"))
    }
    assert len(hashes) == len(installations) == 6


def test_the_same_content_gives_the_same_bytes(source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = packaging.packaged([source], (), ARM)
    (source / "refund.py").touch()
    monkeypatch.setenv(functions.CACHE_VARIABLE, str(cache / "another"))
    second = packaging.packaged([source], (), ARM)
    assert first.path != second.path
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_file_of_requirements_is_as_good_as_lines(source: Path, tmp_path: Path, installations: list[str]) -> None:
    (tmp_path / "requirements.txt").write_text("thing==1")
    assert packaging.packaged([source], tmp_path / "requirements.txt", ARM) == packaging.packaged(
        [source], ["thing==1"], ARM
    )


def test_a_failed_installation_leaves_nothing_behind(
    source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(requirements: Path, folder: Path, target: Target) -> None:
        (folder / "half.py").write_text("")
        raise PackagingError("no index")

    monkeypatch.setattr(packaging, "install", fail)
    with pytest.raises(PackagingError, match="no index"):
        packaging.packaged([source], ["thing==1"], ARM)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("missing", [Path("/nowhere"), "no_such_module_here"])
def test_a_source_that_is_not_there_is_named(missing: Path | str) -> None:
    with pytest.raises(PackagingError, match=str(missing)):
        packaging.packaged([missing], (), ARM)


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_wheels_are_those_of_the_platform(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if tool == "pip":
        monkeypatch.setattr(installer, "_uv", lambda: None)
        monkeypatch.setattr(sys, "executable", _python_with_pip(tmp_path))
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    installer.install(_listed(tmp_path, "wrapt==2.5.2"), tmp_path / "out", ARM)
    assert [path.name for path in (tmp_path / "out" / "wrapt").glob("*.so")] == [
        f"_wrappers.cpython-{functions.PYTHON.replace('.', '')}-aarch64-linux-gnu.so"
    ]


def _python_with_pip(folder: Path) -> str:
    """An interpreter that has pip; the tests' own has not, since the lock does not name it."""
    venv.create(folder / "venv", with_pip=True)
    return str(folder / "venv" / "bin" / "python")


def _listed(folder: Path, line: str) -> Path:
    (folder / "listed.txt").write_text(line)
    return folder / "listed.txt"


def test_what_cannot_be_installed_says_for_which_platform(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=r"for aarch64 and Python 3.14; name versions that have wheels") as caught:
        installer.install(_listed(tmp_path, "no-such-thing-by-us==1"), tmp_path / "out", ARM)
    assert "no-such-thing-by-us" in str(caught.value)


def test_without_uv_and_pip_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PackagingError, match="there is neither uv nor pip; run `pip install uv`"):
        installer.install(_listed(tmp_path, "thing==1"), tmp_path / "out", ARM)


def test_our_own_code_is_small_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(functions.CACHE_VARIABLE)  # what the user's cache has need not be downloaded again
    made = code.own_zip().path
    listed = zipfile.ZipFile(made).namelist()
    assert made.stat().st_size < 12_000_000
    for wanted in (
        "agentcore_lambdas/services.py",
        "aws_lambda_powertools/__init__.py",
        "botocore/data/endpoints.json",
    ):
        assert wanted in listed
    assert any(name.startswith("botocore/data/bedrock-agentcore-control/") for name in listed)
    assert not any(name.startswith("botocore/data/ec2/") for name in listed)


def test_the_pins_are_those_the_tests_run_on() -> None:
    """Two locks with two versions of one thing would let the tests pass on what is not deployed."""
    root = Path(__file__).parents[3]
    tested = set(_pins(root / "requirements.lock"))
    deployed = set(_pins(root / "lambdas" / "agentcore_lambdas" / "requirements.txt"))
    assert deployed
    assert deployed <= tested


def _pins(file: Path) -> list[str]:
    return [
        line.split()[0] for line in file.read_text().splitlines() if "==" in line and not line.startswith((" ", "#"))
    ]


def test_the_local_cloud_leads_to_the_same_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(functions.CACHE_VARIABLE)
    before = functions.cache()
    for name, value in toolchain.environment("http://127.0.0.1:1", "1" * 12, "us-east-1", home=tmp_path).items():
        monkeypatch.setenv(name, value)
    assert Path.home() == tmp_path
    assert functions.cache() == before


def test_the_zip_is_published_as_it_is(source: Path) -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Stack")
    lambda_.Function(
        stack,
        "F",
        runtime=functions.RUNTIME,
        handler="shop.refund.handler",
        code=functions.python_code(packages=[source]),
        architecture=functions.ARCHITECTURE,
    )
    assembly = app.synth()
    resources = assembly.get_stack_by_name("Stack").template["Resources"].values()
    key = next(one["Properties"]["Code"]["S3Key"] for one in resources if one["Type"] == "AWS::Lambda::Function")
    staged = Path(assembly.directory, f"asset.{key}")
    assert staged.read_bytes() == packaging.packaged([source], (), ARM).path.read_bytes()
