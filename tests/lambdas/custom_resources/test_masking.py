"""What a build log shows of secrets: nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentcore_lambdas.custom_resources.masking import MASK, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("git clone https://user:hunter2@example.com/x", "git clone https://***@example.com/x"),
        ("pip --index-url https://hunter2@example.com/simple", "pip --index-url https://***@example.com/simple"),
        ("Authorization: Bearer hunter2hunter2", "Authorization: *** ***"),
        ("NPM_TOKEN=hunter2 npm ci", "NPM_TOKEN=*** npm ci"),
        ("export DB_PASSWORD='hunter2 with spaces' and more", "export DB_PASSWORD=*** and more"),
        ('{"api_key": "hunter2", "size": 1}', '{"api_key": ***, "size": 1}'),
        ("secret_1: hunter2", "secret_1: ***"),
        ("docker login --password hunter2", "docker login --password ***"),
        ("aws_secret_access_key=hunter2", "aws_secret_access_key=***"),
        ("key AKIAIOSFODNN7EXAMPLE is here", "key *** is here"),
        ("pushed with ghp_" + "a" * 36, "pushed with ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "***"),
    ],
)
def test_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert "hunter2" not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "Step 3/7 : RUN --mount=type=secret,id=index pip install pandas",
        "Collecting tokenizers==1.0",
        "tokenizers: 0.22 is installed",
        "aws ecr get-login-password | docker login --username AWS --password-stdin",
        "https://example.com/path is not found",
        "exit code: 1",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


@given(st.from_regex(r"[A-Za-z0-9+/=_.-]{8,40}", fullmatch=True), st.sampled_from(["TOKEN", "my_password", "API_KEY"]))
def test_whatever_a_secret_is_named_by(secret: str, name: str) -> None:
    text = masked(f"before {name}={secret} after")
    assert text == f"before {name}={MASK} after"


@given(st.text())
def test_it_takes_any_text_and_does_it_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)
