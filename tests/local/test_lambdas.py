"""Lambda code that was packaged for another machine runs here, with its compiled packages in the same version."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import json
import shutil
import textwrap
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from packaging.tags import sys_tags

from agentcore_local import lambdas
from agentcore_local.process import LocalCloudError

if TYPE_CHECKING:
    from pathlib import Path

    from agentcore_local import Account

VERSION = importlib.metadata.version("pydantic_core")
ARM = "cp313-cp313-manylinux_2_17_aarch64"
FUNCTION = """
    import pydantic_core


    def handler(event, context):
        return {"file": pydantic_core.__file__, "json": pydantic_core.to_json(event).decode()}
"""
TRUST = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}
TRUST["Statement"]["Principal"] = {"Service": "lambda.amazonaws.com"}  # type: ignore[index]


def foreign(prefix: str = "", *, name: str = "pydantic_core", version: str = VERSION, tag: str = ARM) -> dict[str, str]:
    """The files of a compiled package for Lambda's arm64, as far as its own importing goes."""
    info = f"{prefix}{name}-{version}.dist-info"
    return {
        f"{prefix}{name}/__init__.py": f"from {name}._{name} import *",
        f"{prefix}{name}/_{name}.cpython-313-aarch64-linux-gnu.so": "\x7fELF of another machine",
        f"{info}/METADATA": f"Name: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n",
    }


def unpack(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return folder


def zipped(files: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def call(account: Account, files: dict[str, str], layer: dict[str, str] | None = None) -> dict[str, Any]:
    """Answer of an arm64 function that is made of these files."""
    role = account.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    client, options = account.client("lambda"), {}
    if layer is not None:
        published = client.publish_layer_version(LayerName="packages", Content={"ZipFile": zipped(layer)})
        options["Layers"] = [published["LayerVersionArn"]]
    code = {"ZipFile": zipped({"index.py": textwrap.dedent(FUNCTION), **files})}
    created = client.create_function(
        FunctionName="fn",
        Runtime="python3.13",
        Architectures=["arm64"],
        Handler="index.handler",
        Role=role,
        Code=code,
        **options,
    )
    answer = client.invoke(FunctionName=created["FunctionArn"], Payload=json.dumps({"a": 1}))
    found: dict[str, Any] = json.load(answer["Payload"])
    return found


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENTCORE_HARNESS_CDK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "local-wheels"


class TestWhatDoesNotFit:
    def test_packages_of_code_and_of_layers_are_found_by_their_tags(self, tmp_path: Path) -> None:
        files = {
            **foreign(),
            **foreign("python/", name="orjson", version="3.11.4", tag="cp313-cp313-macosx_11_0_arm64"),
            **foreign("python/lib/python3.13/site-packages/", name="rpds_py", version="0.30.0"),
        }
        found = lambdas.foreign(unpack(tmp_path, files))
        assert [(package.name, package.version) for package in found] == [
            ("pydantic_core", VERSION),
            ("orjson", "3.11.4"),
            ("rpds_py", "0.30.0"),
        ]

    def test_pure_packages_and_those_of_this_machine_stay(self, tmp_path: Path) -> None:
        here = str(next(iter(sys_tags())))
        files = {**foreign(tag=here), **foreign(name="pure", version="1", tag="py3-none-any")}
        files["several-1.dist-info/WHEEL"] = f"Tag: {ARM}\nTag: {here}\n"
        files["untold-1.dist-info/METADATA"] = "Name: untold\n"
        assert lambdas.foreign(unpack(tmp_path, files)) == []


class TestTheSamePackagesForThisMachine:
    def test_a_function_for_another_machine_runs(self, account: Account) -> None:
        answer = call(account, foreign())
        assert answer["json"] == '{"a":1}'
        assert "/code/pydantic_core/" in answer["file"]

    def test_a_layer_for_another_machine_is_used(self, account: Account) -> None:
        answer = call(account, {}, foreign("python/"))
        assert answer["json"] == '{"a":1}'
        assert "/layer_0/python/pydantic_core/" in answer["file"]

    def test_it_is_installed_once(self, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lambdas.fit(unpack(tmp_path / "first", foreign()))
        (kept,) = own_cache.iterdir()
        assert kept.name.startswith(f"pydantic_core-{VERSION}-cp")
        monkeypatch.setattr(lambdas, "_install", None)
        second = unpack(tmp_path / "second", foreign())
        lambdas.fit(second)
        assert lambdas.foreign(second) == []
        compiled = [file for file in second.glob("pydantic_core/*.so") if "cpython-313-aarch64" not in file.name]
        assert compiled

    def test_code_that_a_function_changes_leaves_the_cache_as_it_was(self, tmp_path: Path) -> None:
        first, second = (unpack(tmp_path / name, foreign()) for name in ("first", "second"))
        lambdas.fit(first)
        (first / "pydantic_core" / "__init__.py").write_text("changed", encoding="utf-8")
        lambdas.fit(second)
        assert (second / "pydantic_core" / "__init__.py").read_text(encoding="utf-8") != "changed"


class TestWhatCannotBeHad:
    def test_it_is_the_answer_of_the_invocation(self, account: Account) -> None:
        answer = call(account, foreign(version="0.0.0.dev999"))
        said = "pydantic_core==0.0.0.dev999 in the code of a Lambda function is for another machine, and could not"
        assert said in answer["errorMessage"]
        assert "name a version that has a wheel for both" in answer["errorMessage"]

    def test_nothing_half_installed_is_kept(self, tmp_path: Path, own_cache: Path) -> None:
        with pytest.raises(LocalCloudError):
            lambdas.fit(unpack(tmp_path, foreign(version="0.0.0.dev999")))
        assert list(own_cache.iterdir()) == []

    def test_no_installer(self, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = importlib.util.find_spec
        monkeypatch.setattr(shutil, "which", lambda _: None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in {"uv", "pip"} else real(name))
        with pytest.raises(
            LocalCloudError, match=r"there is neither uv nor pip to install it .*; run `pip install uv`"
        ):
            lambdas.fit(unpack(tmp_path, foreign()))
        assert own_cache.exists()
