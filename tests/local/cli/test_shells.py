"""The lines of `local env`: what shells make of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from agentcore_cli import shells

AWKWARD = 'it\'s $HOME `id` \\ "x"'


def test_a_shell_takes_every_value_literally_and_drops_what_contradicts() -> None:
    changed: dict[str, str | None] = {"AWS_PROFILE": None, "AWS_X": AWKWARD}
    script = shells.render(changed, shells.Shell.SH) + '\nprintf "%s|%s" "$AWS_X" "${AWS_PROFILE-none}"'

    seen = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, env=os.environ | {"AWS_PROFILE": "prod"}
    )

    assert seen.stdout == f"{AWKWARD}|none"


@pytest.mark.parametrize(
    ("shell", "lines"),
    [
        (shells.Shell.FISH, ["set -e AWS_PROFILE", r"""set -gx AWS_X 'it\'s $HOME `id` \\ "x"'"""]),
        (shells.Shell.POWERSHELL, ["Remove-Item Env:AWS_PROFILE", r"""$Env:AWS_X = 'it''s $HOME `id` \ "x"'"""]),
    ],
)
def test_other_shells_quote_their_own_way(shell: shells.Shell, lines: list[str]) -> None:
    assert shells.render({"AWS_PROFILE": None, "AWS_X": AWKWARD}, shell).splitlines() == lines


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_takes_every_value_literally() -> None:
    script = shells.render({"AWS_X": AWKWARD}, shells.Shell.FISH) + '\nprintf "%s" $AWS_X'

    assert subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True).stdout == AWKWARD


def test_json_has_null_for_what_is_to_be_removed() -> None:
    assert json.loads(shells.render({"AWS_PROFILE": None, "A": "b"}, shells.Shell.JSON)) == {
        "AWS_PROFILE": None,
        "A": "b",
    }


def test_only_what_is_there_is_removed() -> None:
    assert shells.changes({"AWS_REGION": "us-east-1"}, {}) == {"AWS_REGION": "us-east-1"}
    assert shells.changes({}, {"AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "p", "AWS_PAGER": ""}) == {
        "AWS_PROFILE": None,
        "AWS_SESSION_TOKEN": None,
    }


def test_the_endpoint_of_a_single_service_is_removed() -> None:
    """SDKs prefer it to AWS_ENDPOINT_URL: S3 would go elsewhere."""
    assert shells.changes({"AWS_ENDPOINT_URL": "here"}, {"AWS_ENDPOINT_URL_S3": "there"}) == {
        "AWS_ENDPOINT_URL_S3": None,
        "AWS_ENDPOINT_URL": "here",
    }


def test_the_proxy_exceptions_of_the_shell_stay() -> None:
    changed = shells.changes({"NO_PROXY": "127.0.0.1,localhost"}, {"NO_PROXY": "corp.example,localhost"})

    assert changed == {"NO_PROXY": "corp.example,localhost,127.0.0.1"}
